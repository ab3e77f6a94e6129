"""`reviewdesk coverage`: what was asked for and what came, poll by poll, and where there is a gap."""

from __future__ import annotations

import click

from reviewdesk.cli.output import ago, json_line, say, show, table
from reviewdesk.cli.session import DeskCommand, Session, pass_session
from reviewdesk.errors import NotAllowed
from reviewdesk.store.records import PollLine, SourceState


@click.command(
    "coverage",
    cls=DeskCommand,
    examples=(
        "reviewdesk coverage",
        "reviewdesk coverage --source heureka --last 50",
    ),
)
@click.option("--source", "only", multiple=True, metavar="ID", help="Only this source; may be repeated.")
@click.option("--last", type=click.IntRange(1, 10_000), default=5, show_default=True, help="Polls of each source.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each poll.")
@pass_session
def coverage_command(session: Session, only: tuple[str, ...], last: int, as_json: bool) -> None:
    """Show what the last polls asked for and got, and the gaps.

    SINCE is from when on it was asked, TOTAL what the platform said it has; of what was FETCHED each item is new,
    edited, the same (as before, or the shop's own), or set ASIDE because it could not be read. GONE is what is no
    longer there.
    """
    with session.store() as store:
        states = {state.id: state for state in store.sources.states()}
        for id in only:
            if id not in states:
                raise NotAllowed(f"There is no source {id!r}.", hint="`reviewdesk sources` lists them.")
        chosen = [states[id] for id in only] if only else list(states.values())
        polls = {state.id: store.coverage.polls(state.id, limit=last) for state in chosen}
    if as_json:
        for state in chosen:
            for poll in polls[state.id]:
                json_line({"source": state.id, **{name: getattr(poll, name) for name in PollLine.__struct_fields__}})
        return
    if not chosen:
        say("No source was asked yet.")
    for number, state in enumerate(chosen):
        if number:
            click.echo()
        show(_headline(state))
        for notice in state.notices:
            show(f"  ! {notice}")
        table(
            ("ASKED", "SINCE", "TOTAL", "FETCHED", "NEW", "EDITED", "SAME", "ASIDE", "GONE", "ENDED"),
            [_line(poll) for poll in polls[state.id]],
        )


def _headline(state: SourceState) -> str:
    success = f"last asked well {ago(state.succeeded_at)}" if state.succeeded_at else "never asked well"
    due = "due now" if state.next_at is None else f"due {ago(state.next_at)}"
    if state.disabled or state.parked:
        due = "switched off" if state.disabled else "parked until you act"
    fault = f" {state.fault}" if state.fault else ""
    return f"{state.id}: {success}, {due}.{fault}"


def _line(poll: PollLine) -> tuple[str, ...]:
    counts = (poll.fetched, poll.new, poll.changed, poll.same, poll.set_aside, poll.gone)
    ended = poll.fault or ("well" if poll.finished_at else "not ended")
    return (
        ago(poll.started_at),
        ago(poll.since) if poll.since else "ever",
        "" if poll.total is None else f"{poll.total:,}",
        *(f"{count:,}" for count in counts),
        ended,
    )

"""`reviewdesk sources`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from reviewdesk.cli.output import ago, json_line, say, show, table
from reviewdesk.cli.session import DeskCommand, DeskGroup, Session, pass_session
from reviewdesk.store.records import SourceState


@click.group(
    "sources",
    invoke_without_command=True,
    cls=DeskGroup,
    examples=(
        "reviewdesk sources",
        "reviewdesk sources resume facebook",
        "reviewdesk sources disable feed",
    ),
)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each.")
@click.pass_context
def sources_command(ctx: click.Context, as_json: bool) -> None:
    """Show the state of each source.

    That is when it was asked, what is wrong, and when it is asked next.
    """
    if ctx.invoked_subcommand is not None:
        return
    session = ctx.ensure_object(Session)
    config = session.reading
    states: dict[str, SourceState] = {}
    if config.database.exists():
        with session.store(config) as store:
            states = {state.id: state for state in store.sources.states()}
    if as_json:
        for state in states.values():
            json_line(state)
        return
    configured = {source.id: source for source in config.sources}
    if not states and not configured:
        say("No sources yet. Write them into reviewdesk.toml; `reviewdesk init` writes a commented one.")
        return
    rows = []
    for id in sorted({*states, *configured}):
        known = states.get(id)
        enabled = id in configured and configured[id].enabled
        connector = known.connector if known else configured[id].connector
        rows.append(
            (
                id,
                connector,
                f"{known.mentions:,}" if known else "0",
                f"{known.open_mentions:,}" if known else "0",
                ago(known.succeeded_at) if known else "never",
                _state(known, enabled),
            )
        )
    table(("SOURCE", "CONNECTOR", "MENTIONS", "OPEN", "LAST SUCCESS", "STATE"), rows)
    for state in states.values():
        if state.fault:
            show(f"\n{state.id}: {state.fault} {state.fault_hint}".rstrip())
        for notice in state.notices:
            show(f"\n{state.id}: {notice}")


def _state(state: SourceState | None, enabled: bool) -> str:
    if not enabled:
        return "not in the configuration" if state else "switched off"
    if state is None:
        return "not asked yet"
    if state.disabled:
        return f"switched off; on again with: reviewdesk sources enable {state.id}"
    if state.leased_until:
        return "being asked now"
    if state.parked:
        return "parked until you act"
    how = f"failed {state.failures}×" if state.fault else "well"
    if state.next_at is None or state.next_at <= datetime.now(UTC):
        return f"{how}, due now"
    return f"{how}, next {'try ' if state.fault else ''}{ago(state.next_at)}"


@sources_command.command("resume", cls=DeskCommand)
@click.argument("id")
@pass_session
def resume(session: Session, id: str) -> None:
    """Let a parked source be asked again at the next poll."""
    with session.store(session.reading) as store:
        store.sources.resume(id)
    say(f"{id} will be asked at the next poll.")


@sources_command.command("disable", cls=DeskCommand)
@click.argument("id")
@pass_session
def disable(session: Session, id: str) -> None:
    """Switch a source off, so that nothing of it runs.

    What it brought stays, and its replies wait. The configuration is left as it is.
    """
    _switch(session, id, on=False)
    say(f"{id} is switched off until you say: reviewdesk sources enable {id}")


@sources_command.command("enable", cls=DeskCommand)
@click.argument("id")
@pass_session
def enable(session: Session, id: str) -> None:
    """Switch a source on again; it is asked at the next poll."""
    _switch(session, id, on=True)
    say(f"{id} will be asked at the next poll.")


def _switch(session: Session, id: str, *, on: bool) -> None:
    config = session.reading
    configured = next((source for source in config.sources if source.id == id), None)
    with session.store(config, begin=configured is not None) as store:
        if configured is not None and not store.sources.knows(id):
            store.sources.register(id, configured.connector, configured.title)
        store.sources.switch(id, on=on)

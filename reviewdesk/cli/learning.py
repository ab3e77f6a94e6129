"""`reviewdesk learning`: what was learned from corrections, and the way to forget it."""

from __future__ import annotations

import click

from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import ago, json_line, say, show, table
from reviewdesk.cli.session import DeskGroup, Session, pass_session


@click.group(
    "learning",
    cls=DeskGroup,
    subcommand_metavar="COMMAND [ARGS]...",
    examples=("reviewdesk learning show", "reviewdesk learning forget --language cs"),
)
def learning_command() -> None:
    """Show and forget what was learned from corrections."""


@learning_command.command("show", examples=("reviewdesk learning show",))
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each family of languages.")
@pass_session
def show_command(session: Session, as_json: bool) -> int:
    """Show what was learned.

    That is, by family of languages, from how many corrections, and how much of it is used. A share of 0 means
    that it would not have been better than the engine on the corrections, and is not used. What it says of a
    text, `reviewdesk assess --explain` tells; a model holds no texts.
    """
    with session.store(read_only=True) as store:
        learned, counts = store.corrections.learned(), store.corrections.by_language()
    if as_json:
        for state in learned.values():
            json_line(state)
        return Exit.OK
    waiting = sum(count for count, _ in counts.values())
    if not learned:
        say(
            f"Nothing was learned yet; corrections that wait for the next poll: {waiting}."
            if waiting
            else "No corrections."
        )
        return Exit.OK
    table(
        ("languages", "corrections", "labels used", "complaints used", "learned"),
        [
            (
                "cs sk" if state.family == "cs" else state.family,
                str(state.corrections),
                f"{state.label_share:.0%}",
                f"{state.complaint_share:.0%}",
                ago(state.learned_at),
            )
            for state in learned.values()
        ],
    )
    if not session.reading.assess.learn:
        say("Learning is switched off: [assess] learn = false.")
    return Exit.OK


@learning_command.command("forget", examples=("reviewdesk learning forget --language cs",))
@click.option("--language", metavar="XX", help="Only this language; without it all.")
@click.option("--keep-corrections", is_flag=True, help="Only what was learned: the next poll learns it anew.")
@click.option("--yes", is_flag=True, help="Without asking.")
@pass_session
def forget_command(session: Session, language: str | None, keep_corrections: bool, yes: bool) -> int:
    """Forget what was learned.

    The corrections that it was learned from go as well, unless they are kept.
    """
    from reviewdesk.desk.learning import forget

    if not yes:
        click.confirm("Forget it?", abort=True, err=True)
    with session.store() as store:
        count = forget(store, language, keep_corrections=keep_corrections)
    if keep_corrections:
        show("Forgotten; the corrections are kept.")
    elif language and not count:
        show(f"There were no corrections in {language!r}.")
    else:
        show(f"Forgotten, with {count:,} correction{'' if count == 1 else 's'}.")
    return Exit.OK

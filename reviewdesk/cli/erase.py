"""`reviewdesk erase`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import say
from reviewdesk.cli.session import DeskCommand, Number, Session, pass_session
from reviewdesk.desk.erase import Plan
from reviewdesk.errors import NotAllowed

_MOST_SHOWN = 20


@click.command(
    "erase",
    cls=DeskCommand,
    examples=(
        "reviewdesk erase 'Jana Nováková'",
        "reviewdesk erase 10158000123 --source facebook",
        "reviewdesk erase --mention 42 --mention 57",
    ),
    either=[("--source", "--mention")],
)
@click.argument("who", default="")
@click.option("--source", default="", metavar="ID", help="Only what was written at this source.")
@click.option(
    "--mention",
    "mentions",
    multiple=True,
    type=Number(),
    help="Instead of a name: just this mention; may be repeated.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_session
def erase_command(session: Session, who: str, source: str, mentions: tuple[int, ...], yes: bool) -> int:
    """Erase a person and all that they wrote.

    WHO is a name as `reviewdesk show` shows it (case and diacritics do not count), or the platform's id of the author.
    Every version of their texts goes, with the raw payloads, notes, drafts, our replies to them, what is in quarantine
    and in the search index. Numbers and dates stay, so that counts stay right, and no poll brings the texts back. A
    reply to them that waits to be sent is withdrawn.

    It cannot be undone. What stands on the platform stays there, and so does what older backups and exports hold.
    Exit code 5 when another program keeps the database's files from being cleaned; close it, and let `reviewdesk doctor
    --repair` do that.
    """
    from reviewdesk.desk.erase import erase, plan

    config = session.reading
    with session.store(config) as store:
        planned = plan(store, who=who, mentions=mentions, source=source)
        _tell(planned)
        if not yes and not click.confirm("Erase this for ever?", err=True):
            say("Nothing was erased.")
            return Exit.OK
        # A poll may have brought more while the question stood there.
        if plan(store, who=who, mentions=mentions, source=source).person != planned.person:
            raise NotAllowed("There is more of this person by now; nothing was erased.", hint="Look at it again.")
        clean = erase(store, planned.person, agent=config.agent)
    if planned.elsewhere:
        numbers = ", ".join(map(str, planned.elsewhere[:_MOST_SHOWN]))
        more = f" and {len(planned.elsewhere) - _MOST_SHOWN} more" if len(planned.elsewhere) > _MOST_SHOWN else ""
        say(f"The name stands in what others wrote, or in your notes and replies to them: {numbers}{more}. Look at it.")
    say("Backups and exports that were written before still hold it; delete them, or erase there too (--db).")
    if copies := _databases_beside(config.database):
        say(f"Beside this database lie: {', '.join(map(str, copies))}.")
    if clean:
        say("Erased.")
        return Exit.OK
    say("Erased, but another program kept the database's files from being cleaned.")
    say("Close the desk, and run: reviewdesk doctor --repair")
    return Exit.PERSON


def _databases_beside(database: Path) -> list[Path]:
    """Gives the other databases in its folder: backups mostly, and what `doctor --repair` has saved."""
    found = []
    for path in sorted(database.resolve().parent.iterdir()):
        with suppress(OSError):
            if path.is_file() and not path.samefile(database):
                with path.open("rb") as file:
                    if file.read(16) == b"SQLite format 3\0":
                        found.append(path)
    return found


def _tell(planned: Plan) -> None:
    person, found = planned.person, planned.found
    names = ", ".join([*person.names, *person.ids]) or "somebody without a name"
    say(f"{names}, at {', '.join(person.sources) or 'no source'}:")
    for count, one, many in (
        (found.mentions, "mention", "mentions"),
        (found.versions, "version of a text, with its payload", "versions of texts, with their payloads"),
        (len(person.replies), "answer of ours on the platform", "answers of ours on the platform"),
        (found.replies, "reply in the outbox", "replies in the outbox"),
        (found.drafts, "draft", "drafts"),
        (found.notes, "note", "notes"),
        (found.set_aside, "item in quarantine", "items in quarantine"),
    ):
        if count:
            say(f"  {count:,} {one if count == 1 else many}")
    numbers = ", ".join(map(str, person.mentions[:_MOST_SHOWN]))
    if numbers:
        say(f"  numbers {numbers}{', …' if len(person.mentions) > _MOST_SHOWN else ''}")

"""`reviewdesk quarantine`: what could not be read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import click

from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import ago, json_line, say, show, table
from reviewdesk.cli.session import DeskCommand, DeskGroup, Number, Session, pass_session
from reviewdesk.text import cut, one_line

_NAMED = 5
"""How many items of one fate are named; of the others the number is told."""


@click.group(
    "quarantine",
    invoke_without_command=True,
    cls=DeskGroup,
    examples=(
        "reviewdesk quarantine",
        "reviewdesk quarantine show 3",
        "reviewdesk quarantine retry",
        "reviewdesk quarantine drop 3",
    ),
)
@click.pass_context
def quarantine_command(ctx: click.Context) -> None:
    """Show what could not be read, and try it again.

    Everything else of the same poll or file came in.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_items)


@quarantine_command.command("list", cls=DeskCommand)
@click.option("--source", default="", metavar="ID", help="Only of this source.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each, with all that the platform sent.")
@pass_session
def list_items(session: Session, source: str = "", as_json: bool = False) -> None:
    """List what could not be read, and why."""
    with session.store() as store:
        items = store.sources.quarantined(source)
    if as_json:
        for item in items:
            json_line(item)
        return
    if not items:
        say("Everything could be read.")
    table(
        ("NUMBER", "SOURCE", "ITEM", "LAST SEEN", "REASON"),
        [
            (str(each.id), cut(each.source, 16), cut(each.platform_id, 20) or "no id", ago(each.last_at), each.reason)
            for each in items
        ],
    )


@quarantine_command.command("show", cls=DeskCommand)
@click.argument("number", type=Number())
@pass_session
def show_item(session: Session, number: int) -> None:
    """Show one item with all that the platform sent."""
    with session.store() as store:
        item = store.sources.quarantined_item(number)
    show(one_line(f"{item.source}, {item.platform_id or 'no id'}: {item.reason}"))
    show(f"First seen {ago(item.first_at)}, last {ago(item.last_at)}.\n")
    show(_laid_out(item.raw))


def _laid_out(raw: str) -> str:
    """Gives JSON with a line for each field, and anything else as it is."""
    import json

    try:
        return json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return raw


@quarantine_command.command("retry", cls=DeskCommand, either=[("NUMBER", "--source")])
@click.argument("numbers", type=Number(), nargs=-1, metavar="[NUMBER]")
@click.option("--source", default="", metavar="ID", help="All of this source.")
@pass_session
def retry_items(session: Session, numbers: tuple[int, ...], source: str) -> int:
    """Hand items to their connector again; without a number, all.

    What can be read now is taken in. Exit code 5 while something stays.
    """
    from reviewdesk.desk.quarantine import retry

    config = session.reading
    with session.store(config) as store:
        items = [store.sources.quarantined_item(each) for each in dict.fromkeys(numbers)]
        items = items or store.sources.quarantined(source)
        done = asyncio.run(retry(config, store, items))
    told: dict[str, list[int]] = {}
    for each in done:
        stays = one_line(f"{each.reason} {each.hint}").rstrip() if each.brought is None else ""
        told.setdefault(stays, []).append(each.item.id)
    for stays, ids in told.items():
        fate = f"{'stay' if len(ids) > 1 else 'stays'}. {stays}" if stays else "taken in."
        say(f"{_named(ids)}: {fate}")
    if not done:
        say("There is nothing to try again.")
    return Exit.PERSON if any(each.brought is None for each in done) else Exit.OK


def _named(ids: Sequence[int]) -> str:
    more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    return ", ".join(str(id) for id in ids[:_NAMED]) + more


@quarantine_command.command("drop", cls=DeskCommand, either=[("NUMBER", "--source")])
@click.argument("numbers", type=Number(), nargs=-1, metavar="[NUMBER]")
@click.option("--source", default="", metavar="ID", help="All of this source.")
@pass_session
def drop_items(session: Session, numbers: tuple[int, ...], source: str) -> None:
    """Throw items away that nobody needs.

    One that the platform still gives, and that still cannot be read, comes back with the next poll.
    """
    if not numbers and not source:
        raise click.UsageError("Say which: numbers of items, or --source ID for all of a source.")
    with session.store() as store, store.transaction():
        items = [store.sources.quarantined_item(each) for each in dict.fromkeys(numbers)]
        items = items or store.sources.quarantined(source)
        for each in items:
            store.sources.drop(each)
    say(f"{len(items):,} dropped." if items else "There is nothing to drop.")

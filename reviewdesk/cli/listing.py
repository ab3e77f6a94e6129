"""`reviewdesk list`."""

from __future__ import annotations

from datetime import datetime, tzinfo

import click

from reviewdesk.cli.output import ago, csv_rows, json_line, say, table
from reviewdesk.cli.session import DeskCommand, Session, pass_session
from reviewdesk.config import Config
from reviewdesk.errors import NotAllowed
from reviewdesk.model import Status
from reviewdesk.store.db import Store
from reviewdesk.store.records import Filter, Row, View, Writer


class Day(click.ParamType[datetime]):
    """A day or a moment in ISO 8601; without a zone it is the shop's, which `chosen` puts in."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Gives the time, aware only where it was given with a zone."""
        if isinstance(value, datetime):
            return value
        try:
            return datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no date; write 2026-11-23 or 2026-11-23T08:00.", param, ctx)


def filters(command: click.decorators.FC) -> click.decorators.FC:
    """Adds the options that choose mentions."""
    for option in reversed(
        (
            click.option(
                "--view",
                type=click.Choice([view.value for view in View]),
                metavar="VIEW",
                default="all",
                show_default=True,
                help=f"One of {', '.join(View)}.",
            ),
            click.option("--source", default="", metavar="ID", help="Only of this source."),
            click.option(
                "--status",
                type=click.Choice([status.value for status in Status]),
                metavar="STATUS",
                help=f"Only those that are {', '.join(Status)}.",
            ),
            click.option("--complaints/--no-complaints", default=None, help="Only complaints, or only others."),
            click.option("--tag", default="", metavar="TAG", help="Only with this tag."),
            click.option("--assignee", default="", metavar="AGENT", help="Only assigned to this agent."),
            click.option("--search", default="", metavar="WORDS", help="Only with these words; accents do not count."),
            click.option("--since", type=Day(), metavar="DAY", help="Only written on this day of the shop's or later."),
            click.option("--until", type=Day(), metavar="DAY", help="Only written before this day of the shop's."),
        )
    ):
        command = option(command)
    return command


def chosen(
    store: Store,
    config: Config,
    *,
    view: str,
    source: str,
    status: str | None,
    complaints: bool | None,
    tag: str,
    assignee: str,
    search: str,
    since: datetime | None,
    until: datetime | None,
) -> Filter:
    """Gives the filter that the options of `filters` describe, for who works here and by the shop's clock.

    Raises:
        NotAllowed: there is no such source; a mistyped one would look like an empty inbox.
    """
    if source and not store.sources.knows(source) and all(each.id != source for each in config.sources):
        raise NotAllowed(f"There is no source {source!r}.", hint="`reviewdesk sources` lists them.")
    return Filter(
        view=View(view),
        agent=config.agent,
        source=source,
        status=Status(status) if status else None,
        complaint=complaints,
        tag=tag,
        assignee=assignee,
        search=search,
        since=_aware(since, config.shop.timezone),
        until=_aware(until, config.shop.timezone),
    )


def _aware(moment: datetime | None, zone: tzinfo) -> datetime | None:
    return moment.replace(tzinfo=zone) if moment and not moment.tzinfo else moment


@click.command(
    "list",
    cls=DeskCommand,
    examples=(
        "reviewdesk list --view complaints",
        "reviewdesk list --search 'nedorazil balík' --since 2026-11-01",
        "reviewdesk list --source heureka --json",
    ),
    either=[("--json", "--csv")],
)
@filters
@click.option(
    "--limit", type=click.IntRange(1, 10_000_000), metavar="N", default=50, show_default=True, help="At most so many."
)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV that is safe to open in a spreadsheet.")
@pass_session
def list_command(session: Session, /, limit: int, as_json: bool, as_csv: bool, **options: object) -> None:
    """List mentions.

    The views put complaints first, then the next deadline; `--view all` and searches put the newest first. On a
    terminal long texts are cut; in a pipe they are whole.
    """
    config = session.reading
    with session.store(config, read_only=True) as store:
        which = chosen(store, config, **options)  # type: ignore[arg-type]
        ids = store.mentions.ids(which, limit=limit)
        found = store.mentions.rows(ids)
        rows = [found[id] for id in ids if id in found]
        total = store.mentions.count(which) if len(rows) == limit else len(rows)
    if as_json:
        for row in rows:
            json_line(row)
    elif as_csv:
        csv_rows(Row.__struct_fields__, ([_cell(getattr(row, name)) for name in Row.__struct_fields__] for row in rows))
    elif not rows:
        say("No mentions.")
    else:
        table(
            ("ID", "", "★", "SOURCE", "AUTHOR", "WRITTEN", "DUE", "STATUS", "TEXT"),
            [_line(row) for row in rows],
        )
        if total > len(rows):
            say(f"{len(rows):,} of {total:,}; --limit shows more.")


def _line(row: Row) -> list[str]:
    return [
        str(row.id),
        "!" * max(1, row.severity.rank) if row.complaint else "",
        f"{row.rating:g}" if row.rating is not None else "",
        row.source,
        row.author or "unknown",
        ago(row.created_at),
        ago(row.due_at) if row.due_at and row.status in (Status.NEW, Status.OPEN) else "",
        row.status.value,
        row.excerpt or "(no text)",
    ]


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return " ".join(each.agent if isinstance(each, Writer) else str(each) for each in value)
    return value

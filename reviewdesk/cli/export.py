"""`reviewdesk export`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click
import msgspec

from reviewdesk.cli.listing import chosen, filters
from reviewdesk.cli.output import csv_rows, json_line, say
from reviewdesk.cli.session import DeskCommand, Session, pass_session
from reviewdesk.errors import StoreError
from reviewdesk.store.db import Store
from reviewdesk.store.records import Filter, Stored

_COLUMNS = (
    "id", "source", "platform_id", "kind", "author", "created_at", "rating", "recommends", "title", "text", "pros",
    "cons", "order_id", "product", "url", "language", "status", "assignee", "complaint", "severity", "compound",
    "topics", "due_at", "answered_at", "gone_at",
)  # fmt: skip


@click.command(
    "export",
    cls=DeskCommand,
    examples=(
        "reviewdesk export --csv --since 2026-01-01 reviews.csv",
        "reviewdesk export --complaints | head",
    ),
)
@filters
@click.option("--csv", "as_csv", is_flag=True, help="CSV that is safe to open in a spreadsheet, instead of JSON lines.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True), default="-")
@pass_session
def export_command(session: Session, /, file: Path, as_csv: bool, **options: object) -> None:
    """Write mentions to a file as JSON lines or CSV.

    FILE must be new; it is readable by you alone. Without FILE they go to standard output, in UTF-8. Each mention has
    all that the desk knows of it.
    """
    config = session.reading
    with session.store(config, read_only=True) as store:
        which = chosen(store, config, **options)  # type: ignore[arg-type]
        if str(file) == "-":
            count = _write(store, which, sys.stdout, as_csv)
        else:
            with _new_file(file) as stream:
                count = _write(store, which, stream, as_csv)
            say(f"{count:,} mentions written to {file}.")


@contextmanager
def _new_file(path: Path) -> Iterator[TextIO]:
    """Opens a file that is not there yet; what could not be written whole is taken away."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise StoreError(f"The file {path} exists already; choose another name.") from None
    except OSError as error:
        raise StoreError(f"The file {path} cannot be written: {error.strerror}.") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            yield stream
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StoreError(f"The file {path} cannot be written: {error.strerror}.") from None
        raise


def _write(store: Store, which: Filter, stream: TextIO, as_csv: bool) -> int:
    ids = store.mentions.ids(which)
    if as_csv:
        csv_rows(_COLUMNS, (_cells(stored) for stored in _all(store, ids)), stream)
    else:
        for stored in _all(store, ids):
            json_line(stored, stream)
    return len(ids)


def _all(store: Store, ids: Any) -> Iterator[Stored]:
    for start in range(0, len(ids), 500):
        yield from store.mentions.all_stored(ids[start : start + 500])


def _cells(stored: Stored) -> list[Any]:
    mention, found = stored.mention, stored.assessment
    told = {
        **msgspec.structs.asdict(mention),
        **{name: getattr(stored, name) for name in ("source", "assignee", "due_at", "answered_at", "gone_at")},
        "id": stored.id,
        "platform_id": mention.id,
        "author": mention.author.name if mention.author else "",
        "status": stored.status.value,
        "complaint": found.complaint if found else None,
        "severity": found.severity.value if found else None,
        "compound": found.compound if found else None,
        "topics": tuple(topic.value for topic in found.topics) if found else (),
    }
    return [_cell(told[name]) for name in _COLUMNS]


def _cell(value: Any) -> Any:
    if isinstance(value, tuple):
        return "\n".join(value)
    return value.isoformat() if hasattr(value, "isoformat") else value

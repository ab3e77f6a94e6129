"""Data on stdout, narration on stderr; whatever the public wrote is made harmless before it gets to a terminal."""

from __future__ import annotations

import csv
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

import click

from reviewdesk.secrets import redact
from reviewdesk.text import cut, safe, spreadsheet_cell, width


def say(text: str) -> None:
    """Tells a person something, on stderr."""
    click.echo(safe(redact(text)), err=True)


def show(text: str) -> None:
    """Writes a line of data, made harmless, on stdout."""
    click.echo(safe(text))


def json_line(value: Any, stream: TextIO | None = None) -> None:
    """Writes one value as a line of JSON; what a terminal would obey is escaped."""
    stream = stream or sys.stdout
    stream.write(json_text(value, utf8=takes_utf8(stream)) + "\n")


def takes_utf8(stream: TextIO | None = None) -> bool:
    """Tells whether a stream (stdout, where none is given) is written in UTF-8."""
    return ((stream or sys.stdout).encoding or "utf-8").lower().replace("-", "") == "utf8"


def json_text(value: Any, *, utf8: bool = True) -> str:
    """Gives one value as JSON; what a terminal would obey is escaped, and without UTF-8 all that is not ASCII."""
    import json

    import msgspec

    if utf8:
        try:
            text = msgspec.json.encode(value).decode()
        except UnicodeEncodeError:  # half a character, which UTF-8 cannot hold
            text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
    else:
        text = json.dumps(msgspec.to_builtins(value))
    return text.translate(_JSON_SAFE) if _OBEYED.search(text) else text


_JSON_SAFE = {
    code: f"\\u{code:04x}"
    for code in (
        *range(0x7F, 0xA0),
        0x061C,
        0x200E,
        0x200F,
        0x2028,
        0x2029,
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    )
}
_OBEYED = re.compile(f"[{''.join(map(chr, _JSON_SAFE))}]")


def csv_rows(header: Sequence[str], rows: Iterable[Sequence[Any]], stream: TextIO | None = None) -> None:
    """Writes CSV in which no cell is a formula."""
    writer = csv.writer(stream or sys.stdout)
    writer.writerow(header)
    for row in rows:
        writer.writerow([spreadsheet_cell(safe(cell)) if isinstance(cell, str) else cell for cell in row])


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, flexible: int = -1) -> None:
    """Writes a table that fits the terminal; the column `flexible` takes what the others leave.

    Where stdout is no terminal nothing is cut.
    """
    if not rows:
        return
    lines = [list(header), *([cut(cell, 10_000) for cell in row] for row in rows)]
    widths = [max(width(line[column]) for line in lines) for column in range(len(header))]
    if sys.stdout.isatty():
        room = shutil.get_terminal_size().columns - sum(widths) - 2 * (len(widths) - 1)
        widths[flexible] = max(8, widths[flexible] + min(0, room))
    for number, line in enumerate(lines):
        cells = [
            cut(cell, size) + " " * (size - width(cut(cell, size))) for cell, size in zip(line, widths, strict=True)
        ]
        text = "  ".join(cells).rstrip()
        click.echo(click.style(text, bold=True) if number == 0 and sys.stdout.isatty() else text)


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """Gives a time as people say it: "3 min ago", "in 2 h"; "never" for None."""
    if moment is None:
        return "never"
    passed = (now or datetime.now(UTC)) - moment
    amount = _span(abs(passed))
    if amount == "now":
        return "now"
    return f"{amount} ago" if passed > timedelta() else f"in {amount}"


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, unit in ((86400 * 365, "y"), (86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s" if seconds >= 5 else "now"

"""`reviewdesk assess`: a filter over JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import click

from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import json_line, say
from reviewdesk.cli.session import DeskCommand

_BULK = 1000


@click.command("assess", cls=DeskCommand)
@click.option("--lang", metavar="XX", help="The language of texts that are too short to tell (the source's language).")
def assess_command(lang: str | None) -> int:
    """Read JSON lines {"id"?, "text", "rating"?, "lang"?, "pros"?, "cons"?} on standard input and write what the desk
    thinks of each, a JSON line each: lang, compound, label, complaint, severity, topics, reasons.
    """
    from reviewdesk.assess import Assessor
    from reviewdesk.assess.jsonl import read_line, write_assessment

    assessor, bad = Assessor(), 0
    lines = enumerate(sys.stdin.buffer, 1)
    while bulk := list(islice(lines, _BULK)):
        read: list[tuple[Any, Any]] = []
        for number, line in bulk:
            if not line.strip():
                continue
            try:
                read.append(read_line(line, prior=lang))
            except ValueError as error:
                bad += 1
                say(f"line {number}: {error}")
        judged: Iterator[Any] = assessor.assess(item for _, item in read)
        for (given, _), assessment in zip(read, judged, strict=True):
            json_line(write_assessment(given, assessment))
    return Exit.USAGE if bad else Exit.OK

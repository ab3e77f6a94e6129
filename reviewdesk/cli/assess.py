"""`reviewdesk assess`: a filter over JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice

import click
import msgspec

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.jsonl import answer, assessable_from
from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import json_line
from reviewdesk.cli.session import DeskCommand
from reviewdesk.errors import NotAllowed
from reviewdesk.model import JsonObject

_BULK = 1000


@click.command("assess", cls=DeskCommand)
@click.option("--lang", metavar="XX", help="The home language, for texts too short to tell.")
def assess_command(lang: str | None) -> int:
    """Read JSON lines {"text", "id"?, "rating"?, "lang"?, "pros"?, "cons"?} on standard input and write a JSON line for
    each: lang, compound, label, complaint, probability, severity, topics, reasons.

    A line that cannot be read gives {"line", "error"} in its place, and exit code 2 in the end.
    """
    bad = 0
    lines = enumerate(sys.stdin.buffer, 1)
    while bulk := list(islice(lines, _BULK)):
        for told in _assessed([(number, line) for number, line in bulk if line.strip()], lang):
            bad += "error" in told
            json_line(told)
    return Exit.USAGE if bad else Exit.OK


def _assessed(lines: list[tuple[int, bytes]], prior: str | None) -> Iterator[JsonObject]:
    read = [(number, *_read(line, prior)) for number, line in lines]
    judged = Assessor().assess(item for _, _, item in read if isinstance(item, Assessable))
    for number, given, item in read:
        if isinstance(item, Assessable):
            yield answer(given, next(judged))
        else:
            yield {"line": number, "error": str(item)}


def _read(line: bytes, prior: str | None) -> tuple[object, Assessable | NotAllowed]:
    given: object = None
    try:
        given = json.loads(line)
        return given, msgspec.structs.replace(assessable_from(given), prior=prior)
    except (ValueError, RecursionError):
        return given, NotAllowed(
            "The line is no JSON.", hint='Write one object a line, such as {"text": "Works well"}.'
        )
    except NotAllowed as error:
        return given, error

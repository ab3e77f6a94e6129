"""`reviewdesk assess`: a filter over JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from io import BufferedIOBase
from typing import cast

import click
import msgspec

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.jsonl import answer, assessable_from
from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import json_text
from reviewdesk.cli.session import DeskCommand
from reviewdesk.errors import NotAllowed

_READ_AT_ONCE = 1 << 16


@click.command(
    "assess",
    cls=DeskCommand,
    examples=(
        "reviewdesk assess < reviews.jsonl > assessed.jsonl",
        'echo \'{"text": "Nikdy více", "rating": 1}\' | reviewdesk assess',
    ),
)
@click.option("--lang", metavar="XX", help="The home language, for texts too short to tell.")
def assess_command(lang: str | None) -> int:
    """Tell what the desk thinks of texts: JSON lines in and out.

    A line in is {"text", "id"?, "rating"?, "lang"?, "pros"?, "cons"?}. A line out has id (where one came in), lang,
    compound, label, complaint, probability, severity, topics and reasons.

    A line that cannot be read gives {"line", "error"} in its place, and exit code 2 in the end. Empty lines are passed
    over. Each answer is written at once, so that another program can ask and wait.
    """
    assessor, read, bad = Assessor(), 0, 0
    for lines in _as_they_come(cast(BufferedIOBase, sys.stdin.buffer)):
        answers, mistakes = _answers(lines, read + 1, assessor, lang)
        sys.stdout.write(answers)
        sys.stdout.flush()
        read, bad = read + len(lines), bad + mistakes
    return Exit.USAGE if bad else Exit.OK


def _as_they_come(stream: BufferedIOBase) -> Iterator[list[bytes]]:
    """Gives the lines of a stream, all that are there at a time: one that is asked and one that reads a file are both
    served at once."""
    begun: list[bytes] = []
    while chunk := stream.read1(_READ_AT_ONCE):
        first, *others = chunk.split(b"\n")
        begun.append(first)
        if others:
            yield [b"".join(begun), *others[:-1]]
            begun = [others[-1]]
    if any(begun):
        yield [b"".join(begun)]


def _answers(lines: Iterable[bytes], first: int, assessor: Assessor, prior: str | None) -> tuple[str, int]:
    """Gives the answers to lines as JSON lines, and how many of them could not be read; `first` is their number."""
    answers, bad = [], 0
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        try:
            given, item = _read(line, prior)
        except NotAllowed as error:
            bad += 1
            answers.append(json_text({"line": number, "error": str(error)}, sys.stdout))
        else:
            answers.append(json_text(answer(given, next(assessor.assess([item]))), sys.stdout))
    return "".join(f"{line}\n" for line in answers), bad


def _read(line: bytes, prior: str | None) -> tuple[object, Assessable]:
    try:
        given = _decoded(line)
    except UnicodeDecodeError:
        raise NotAllowed("The line is not in UTF-8.", hint="Save or send it as UTF-8.") from None
    except (ValueError, RecursionError):
        hint = 'Write one object a line, such as {"text": "Works well"}.'
        raise NotAllowed("The line is no JSON.", hint=hint) from None
    return given, assessable_from(given, prior)


def _decoded(line: bytes) -> object:
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError:
        return json.loads(line)  # it takes a byte order mark, NaN and half characters, as people's files have them

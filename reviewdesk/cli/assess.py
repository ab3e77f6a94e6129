"""`reviewdesk assess`: a filter over JSON lines."""

from __future__ import annotations

import json
import sys

import click
import msgspec

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.jsonl import answer, assessable_from
from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import json_line
from reviewdesk.cli.session import DeskCommand
from reviewdesk.errors import NotAllowed


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
    assessor, bad = Assessor(), 0
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        try:
            given, item = _read(line, lang)
        except NotAllowed as error:
            bad += 1
            json_line({"line": number, "error": str(error)})
        else:
            json_line(answer(given, next(assessor.assess([item]))))
        sys.stdout.flush()
    return Exit.USAGE if bad else Exit.OK


def _read(line: bytes, prior: str | None) -> tuple[object, Assessable]:
    try:
        given = json.loads(line)
    except UnicodeDecodeError:
        raise NotAllowed("The line is not in UTF-8.", hint="Save or send it as UTF-8.") from None
    except (ValueError, RecursionError):
        hint = 'Write one object a line, such as {"text": "Works well"}.'
        raise NotAllowed("The line is no JSON.", hint=hint) from None
    return given, msgspec.structs.replace(assessable_from(given), prior=prior)

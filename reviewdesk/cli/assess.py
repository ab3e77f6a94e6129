"""`reviewdesk assess`: a filter over JSON lines."""

from __future__ import annotations

import sys
from io import BufferedIOBase
from typing import cast

import click

from reviewdesk.assess import Assessor
from reviewdesk.cli.exits import Exit
from reviewdesk.cli.filtering import Answering, answered
from reviewdesk.cli.output import takes_utf8
from reviewdesk.cli.session import DeskCommand


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
    over. Each answer is written at once, so that another program can ask and wait. From some thousands of lines on,
    all cores take part.
    """
    bad = 0
    for answers in answered(cast(BufferedIOBase, sys.stdin.buffer), Answering(Assessor(), lang, utf8=takes_utf8())):
        sys.stdout.write(answers.text)
        sys.stdout.flush()
        bad += answers.bad
    return Exit.USAGE if bad else Exit.OK

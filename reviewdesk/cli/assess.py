"""`reviewdesk assess`: a filter over JSON lines; one text explained; the error on the desk's own corrections."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from io import BufferedIOBase
from typing import IO, cast

import click

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.cli.answering import Answering, answered, read_line
from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import say, show, takes_utf8
from reviewdesk.cli.session import DeskCommand, Number, Session, pass_session
from reviewdesk.errors import NotAllowed
from reviewdesk.model import Label
from reviewdesk.text import cut


@click.command(
    "assess",
    cls=DeskCommand,
    examples=(
        "reviewdesk assess < reviews.jsonl > assessed.jsonl",
        'echo \'{"text": "Nikdy více", "rating": 1}\' | reviewdesk assess',
        "reviewdesk assess --corrections labelled.jsonl < reviews.jsonl",
        'reviewdesk assess --explain "Balík nedorazil"',
        'reviewdesk assess --explain --corrections labelled.jsonl "Balík nedorazil"',
        "reviewdesk assess --explain 17",
        "reviewdesk assess --report",
    ),
    either=[
        ("--engine", "--corrections"),
        *(("--report", other) for other in ("--explain", "--engine", "--corrections", "--lang")),
        ("--json", "--explain"),
    ],
)
@click.argument("what", metavar="[TEXT|NUMBER]", required=False)
@click.option("--lang", metavar="XX", help="The home language, for texts too short to tell.")
@click.option("--corrections", type=click.File("rb"), metavar="FILE", help="Learn from these labelled lines first.")
@click.option("--engine", is_flag=True, help="The engine alone, without what the desk has learned.")
@click.option(
    "--explain",
    is_flag=True,
    help="Show how the TEXT is read, or the mention of this NUMBER; without either standard input.",
)
@click.option("--report", is_flag=True, help="Show the error on the desk's own corrected mentions, by language.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each language, with --report.")
@pass_session
def assess_command(
    session: Session,
    what: str | None,
    lang: str | None,
    corrections: IO[bytes] | None,
    engine: bool,
    explain: bool,
    report: bool,
    as_json: bool,
) -> int:
    """Tell what the desk thinks of texts: JSON lines in and out.

    A line in is {"text", "id"?, "title"?, "rating"?, "sub_ratings"?, "recommends"?, "pros"?, "cons"?, "lang"?}. A
    rating is 1 to 5 or a text such as "4/5" or "80 %"; sub_ratings are an object of such by name; recommends is true
    or false; pros and cons are a text or a list of texts. A line out has id (where one came in), lang, compound,
    label, complaint, probability, severity, intent, unsure, topics and reasons.

    A line that cannot be read gives {"line", "error"} in its place, and exit code 2 in the end. Empty lines are passed
    over. Each answer is written at once, so that another program can ask and wait. From some thousands of lines on,
    all cores take part.

    A line of --corrections has "label" as well: neg, neu or pos; and may have "complaint": true or false. Without it
    the desk's own corrections are learned from, where there is a database with some; --engine leaves them out.
    """
    if what is not None and (report or not explain):
        hint = "A text or number stands with --explain; without it, lines of JSON come from standard input."
        raise click.UsageError(f"{cut(what, 40)!r} is one word too many. {hint}")
    if report:
        from reviewdesk.cli.report import report_on

        return report_on(session, as_json=as_json)
    if corrections is not None:
        from reviewdesk.desk.learning import judge_from, lesson

        plain = Assessor()
        given = list(_corrections(corrections, lang))
        judge = judge_from(lesson(item, label, complaint, plain) for item, label, complaint in given)
    else:
        judge = Assessor() if engine else _learned(session)
    if explain:
        return _explain(session, judge, "-" if what is None else what, lang)
    return _filter(judge, lang)


def _filter(judge: Assessor, lang: str | None) -> int:
    bad = 0
    for answers in answered(cast(BufferedIOBase, sys.stdin.buffer), Answering(judge, lang, utf8=takes_utf8())):
        sys.stdout.write(answers.text)
        sys.stdout.flush()
        bad += answers.bad
    return Exit.USAGE if bad else Exit.OK


def _learned(session: Session) -> Assessor:
    """Gives the desk's own assessor where there is a database, else the engine."""
    config = session.reading
    if not config.database.exists():
        return Assessor()
    from reviewdesk.desk.learning import judge_of, refresh

    with session.store(config) as store:
        refresh(config, store)
        return judge_of(config, store)


def _explain(session: Session, judge: Assessor, what: str, lang: str | None) -> int:
    from reviewdesk.cli.explain import explained

    if what.isdecimal():
        from reviewdesk.desk.assessing import assessable, home_of

        id, config = Number().convert(what, None, None), session.reading
        with session.store(config) as store:
            stored = store.mentions.get(id)
        item = assessable(stored, home_of(config, stored.source))
        if stored.correction:
            said = stored.correction
            kind = "a complaint" if said.complaint else "no complaint"
            say(f"{said.agent} has said of it: {said.label.value}, {kind}. The desk's own word:")
    else:
        text = what if what != "-" else sys.stdin.buffer.read().decode("utf-8", "replace")
        item = Assessable(text=text.strip(), prior=lang)
    for line in explained(item, next(iter(judge.assess([item])))):
        show(line)
    return Exit.OK


def _corrections(lines: Iterable[bytes], prior: str | None) -> Iterator[tuple[Assessable, Label, bool]]:
    """Gives the labelled lines.

    Raises:
        click.UsageError: one cannot be read; the sentence names its number.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            given, item = read_line(line, prior)
            yield item, *_verdict(given)
        except NotAllowed as error:
            raise click.UsageError(f"Correction in line {number}: {error}") from None


def _verdict(given: object) -> tuple[Label, bool]:
    said = given if isinstance(given, dict) else {}
    try:
        label = Label(str(said.get("label")))
    except ValueError:
        raise NotAllowed('"label" is none of neg, neu and pos.', hint='Write {"text": "…", "label": "neg"}.') from None
    complaint = said.get("complaint", label is Label.NEGATIVE)
    if not isinstance(complaint, bool):
        raise NotAllowed('"complaint" is neither true nor false.', hint="Leave it out: a negative text is a complaint.")
    return label, complaint

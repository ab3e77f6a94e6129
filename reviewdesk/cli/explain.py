"""An assessment in words for a terminal of 80 columns: the text with its marks, the reasons, and their sum."""

from __future__ import annotations

import math
from collections.abc import Iterator

from reviewdesk.assess import Assessable, weights
from reviewdesk.model import Assessment, Reason
from reviewdesk.text import cut, width

_WIDE = 76


def explained(item: Assessable, assessment: Assessment) -> Iterator[str]:
    """Gives the lines: `-` stands under what weighs towards a complaint, `+` under praise, `.` under a bare topic."""
    for field, text in (("title", item.title), ("text", item.text[: weights.TEXT_MOST])):
        spans = [reason for reason in assessment.reasons if reason.field == field and reason.start is not None]
        yield from _marked(text, spans)
    for sign, points in (("+", item.pros), ("-", item.cons)):
        for point in points:
            yield f"  {sign} {cut(point, _WIDE - 4)}"
    yield ""
    yield _verdict(assessment)
    if assessment.topics:
        yield f"about {', '.join(topic.value for topic in assessment.topics)}"
    yield ""
    yield f"{'share':>7}  {'where':<11} {'what':<26} why"
    for reason in assessment.reasons:
        topic = f"[{reason.topic.value}]" if reason.topic else ""
        why = cut(" ".join(filter(None, (reason.note, topic))), 80 - 49)
        yield f"{reason.share:>+7.2f}  {reason.field:<11} {_padded(reason.evidence, 26)} {why}".rstrip()
    total = math.fsum(reason.share for reason in assessment.reasons)
    yield f"{'-' * 7}"
    if assessment.compound is None:
        yield "Nothing could be read: the compound is unknown."
    else:
        squash = f"{total:.2f} / sqrt(({total:.2f})² + {weights.SQUASH:g})"
        yield f"{total:>+7.2f}  compound = {squash} = {assessment.compound:+.4f}"


def _verdict(assessment: Assessment) -> str:
    kind = f"{assessment.severity.value} complaint" if assessment.complaint else "no complaint"
    parts = [
        kind,
        f"probability {assessment.probability:.2f}",
        assessment.label.word if assessment.compound is not None else "unknown",
        assessment.intent.value,
        assessment.language,
        *(["unsure"] if assessment.unsure else []),
    ]
    return " · ".join(parts)


def _padded(text: str, cells: int) -> str:
    shown = cut(text, cells)
    return shown + " " * (cells - width(shown))


def _marked(text: str, reasons: list[Reason]) -> Iterator[str]:
    signs = [" "] * len(text)
    for reason in sorted(reasons, key=lambda reason: abs(reason.share)):
        sign = "." if not reason.share else "+" if reason.share > 0 else "-"
        start, end = reason.start or 0, reason.end or 0
        signs[start:end] = sign * len(signs[start:end])
    for start, end in _lines(text):
        line = _plain(text[start:end])
        yield f"  {line}".rstrip()
        below = "".join(sign * width(char) for sign, char in zip(signs[start:end], line, strict=True))
        if below.strip():
            yield f"  {below}".rstrip()


def _plain(text: str) -> str:
    """Gives a text in which each character that a terminal would obey is a blank, so that the places stay."""
    return "".join(char if char.isprintable() else " " for char in text)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Gives the spans of the lines of a text, broken at blanks where there are any."""
    start = 0
    while start < len(text):
        end, blank, cells = start, -1, 0
        while end < len(text) and text[end] != "\n":
            cells += width(_plain(text[end]))
            if cells > _WIDE - 2:
                break
            if text[end] == " ":
                blank = end
            end += 1
        if end < len(text) and text[end] != "\n" and blank > start:
            end = blank
        yield start, end
        start = end + (end < len(text) and text[end] in " \n") if end > start or text[end] == "\n" else end + 1

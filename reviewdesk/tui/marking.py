"""The public's text for the screen: safe, of bounded length, with the reasons of an assessment marked in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from textual.content import Content, Span

from reviewdesk.model import Reason
from reviewdesk.text import safe

SHOWN_MOST = 20_000
"""How many characters of a text are shown at most."""
AGAINST = "$error underline"
"""The style of words that weigh towards a complaint."""
FOR = "$success"
"""The style of words that weigh against one."""

_PIECE = 512
_WRAPPED_AT_ONCE = 500
_MARKS_MOST = 200


class Shown(NamedTuple):
    """A text as it is shown, and how many of its characters are not."""

    content: Content
    left_out: int


def shown(text: str, reasons: Iterable[Reason] = (), *, most: int = SHOWN_MOST) -> Shown:
    """Gives the beginning of a text, made safe, with the spans of `reasons` marked.

    Spans are code points of `text` as the store keeps it. Where making it safe moves characters, the marks move with
    them; what lies outside of the text shown is left out. Takes the same time for a text of a million characters.

    Args:
        most: how many characters are shown at most.
    """
    head = text[: max(0, most)]
    spans = _spans(reasons, len(head))
    edges = sorted({0, len(head), *(edge for start, end, _ in spans for edge in (start, end))})
    cuts = [place for edge, following in pairwise(edges) for place in range(edge, following, _PIECE)] + [len(head)]
    # Piece by piece: a mark's edge keeps its place, and normalising a flood of combining characters takes the square
    # of its length.
    pieces = [safe(head[start:end]).replace("\t", " ") for start, end in pairwise(cuts)]
    places = dict(zip(cuts, accumulate(map(len, pieces), initial=0), strict=True)) if pieces else {0: 0}
    marks = [Span(places[start], places[end], style) for start, end, style in spans]
    return Shown(Content("".join(pieces), spans=marks), len(text) - len(head))


def style_of(share: float) -> str:
    """Gives the style for evidence of this share; "" for a share of nothing."""
    return AGAINST if share < 0 else FOR if share > 0 else ""


def points(items: Sequence[str], reasons: Sequence[Reason], *, most: int = SHOWN_MOST) -> list[Content]:
    """Gives pros or cons, each made safe, with the words marked that decided.

    Args:
        items: one point each.
        reasons: those of this field. One without a span marks its evidence where an item holds it and more.
        most: how many characters of an item are shown.
    """
    found = []
    for item in items:
        evident = [
            reason if reason.start is not None else _found_in(item[:most], reason)
            for reason in reasons[:_MARKS_MOST]
            if reason.start is None or len(items) == 1
        ]
        found.append(shown(item, [reason for reason in evident if reason], most=most).content)
    return found


def _found_in(item: str, reason: Reason) -> Reason | None:
    start = item.find(reason.evidence) if reason.evidence else -1
    if start < 0 or reason.evidence == item.strip():
        return None
    return Reason(
        field=reason.field,
        share=reason.share,
        evidence=reason.evidence,
        start=start,
        end=start + len(reason.evidence),
    )


def _spans(reasons: Iterable[Reason], length: int) -> list[tuple[int, int, str]]:
    found = []
    for _, reason in zip(range(_MARKS_MOST), reasons, strict=False):
        style = style_of(reason.share)
        if reason.start is not None and reason.end is not None and style:
            start, end = max(0, reason.start), min(reason.end, length)
            if start < end:
                found.append((start, end, style))
    return found


def lines(content: Content, width: int) -> Iterator[Content]:
    """Gives a content's lines, wrapped to `width` cells; each step takes about the same time, however long it is."""
    start, length = 0, len(content.plain)
    while True:
        piece = content[start : start + _WRAPPED_AT_ONCE]
        end = start + len(piece.plain)
        wrapped = piece.wrap(max(width, 2))
        if end < length:
            # The last line may go on in the next piece. Wrapping has cut blanks off its end.
            begun = start + len(piece.plain.rstrip(" ")) - len(wrapped[-1].plain.rstrip(" "))
            if begun > start:
                wrapped.pop()
                end = begun
        yield from wrapped
        if end >= length:
            return
        start = end

"""What the learner sees of a mention: its words by their hashed pieces, and what the desk's own engine thinks. Pure.

No text is kept: a word is the columns of its pieces, numbers from which no word can be read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple
from zlib import crc32

from reviewdesk.assess import weights
from reviewdesk.assess.assessable import Assessable
from reviewdesk.assess.tokens import FOLDED, LETTERS_MOST, Memory, Tokens, tokens_of
from reviewdesk.model import Assessment

COLUMNS = 1 << 16
"""How many columns the pieces of words are hashed into."""
_PIECES = range(3, 6)
_WHOLE_COUNTS = 3
_WORDS_MOST = 400


def _columns(word: str) -> tuple[int, ...]:
    """Gives the columns of a bare word: of the word itself, counted several times, and of its pieces of three to five
    letters, ends marked."""
    marked = f"<{word}>"
    pieces = {marked[at : at + size] for size in _PIECES for at in range(len(marked) - size + 1)}
    whole = crc32(f"={word}".encode()) % COLUMNS
    return (*(whole,) * _WHOLE_COUNTS, *sorted({crc32(piece.encode()) % COLUMNS for piece in pieces}))


COLUMNS_OF: Memory[tuple[int, ...]] = Memory(_columns)
"""The columns of a word without case and accents."""


class Place(NamedTuple):
    """Where a piece stands first: the field, the words as written, and their span in that field's text.

    `start` and `end` are None in the lists of pros and cons.
    """

    field: str
    evidence: str
    start: int | None
    end: int | None


def columns_of(key: str) -> tuple[int, ...]:
    """Gives the columns of a piece by its key; two neighbours have one of their own."""
    return (crc32(key.encode()) % COLUMNS,) if " " in key else COLUMNS_OF[key]


class Pieces:
    """The words of a mention without case and accents, and each two neighbours.

    Args:
        item: the mention.
        tokens: the words of its text, where they are known already.

    Attributes:
        words, pairs: each once, in the order of their first places.
    """

    def __init__(self, item: Assessable, tokens: Tokens | None = None) -> None:
        text = tokens_of(item.text[: weights.TEXT_MOST]) if tokens is None else tokens
        self._parts = [(field, tokens, _bare(tokens), spanned) for field, tokens, spanned in _fields(item, text)]
        words: dict[str, None] = {}
        pairs: dict[str, None] = {}
        for _, _, bare, _ in self._parts:
            words |= dict.fromkeys(bare)
            pairs |= dict.fromkeys(map(_pair, bare, bare[1:]))
        self.words = list(words)
        self.pairs = list(pairs)

    def place(self, key: str) -> Place | None:
        """Gives where a piece stands first; None for what is none of this mention's."""
        both = " " in key
        for field, tokens, bare, spanned in self._parts:
            for at, found in enumerate(map(_pair, bare, bare[1:]) if both else bare):
                if found == key:
                    start, end = tokens.span(at, at + both)
                    evidence = tokens.text[start:end]
                    return Place(field, evidence, start if spanned else None, end if spanned else None)
        return None


def keys_of(item: Assessable) -> list[str]:
    """Gives the keys of a mention's pieces."""
    pieces = Pieces(item)
    return pieces.words + pieces.pairs


def _bare(tokens: Tokens) -> list[str]:
    return [FOLDED[word][:LETTERS_MOST] for word in tokens.words[:_WORDS_MOST]]


def _pair(word: str, following: str) -> str:
    return f"{word} {following}"[:LETTERS_MOST]


def _fields(item: Assessable, text: Tokens) -> Iterable[tuple[str, Tokens, bool]]:
    """Gives the texts with their fields, and whether a span in them is one in the field."""
    yield "text", text, True
    if item.title:
        yield "title", tokens_of(item.title[: weights.ITEM_CHARACTERS_MOST]), True
    for field, points in (("pros", item.pros), ("cons", item.cons)):
        for point in points[: weights.ITEMS_MOST]:
            yield field, tokens_of(point[: weights.ITEM_CHARACTERS_MOST]), False


SIGNALS = 18
"""How many numbers tell what the engine thinks."""


def total_of(compound: float) -> float:
    """Gives the sum of the shares that is squashed to this compound."""
    compound = min(max(compound, -0.999), 0.999)
    return compound * math.sqrt(weights.SQUASH / (1 - compound * compound))


def signals_of(item: Assessable, assessment: Assessment) -> tuple[float, ...]:
    """Gives what the engine thinks of a mention, as `SIGNALS` numbers of about -1 to 1, the first one always 1."""
    compound = assessment.compound or 0.0
    total = total_of(compound)
    rating = 0.0 if item.rating is None else (item.rating - 3) / 2
    return (
        1.0,
        compound,
        abs(compound),
        math.tanh(total),
        math.tanh(total / 4),
        float(total < -3),
        float(total < -1),
        float(total > 1),
        float(total > 3),
        assessment.probability,
        float(assessment.unsure),
        assessment.severity.rank / 3,
        float(not assessment.reasons),
        float("?" in item.text),
        float("!" in item.text),
        math.log1p(len(item.text)) / 6,
        rating,
        0.0 if item.recommends is None else 1.0 if item.recommends else -1.0,
    )

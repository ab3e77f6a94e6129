"""Text without case and accents for matching, with the way back to the original's positions. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

import msgspec

_MARK = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff]")
# Letters whose stroke or hook Unicode does not see as a mark.
_STROKED = {
    "ł": "l",
    "đ": "d",
    "ø": "o",
    "ı": "i",
    "ħ": "h",
    "æ": "a",
    "œ": "o",
    "ґ": "г",
    "’": "'",
    "ʼ": "'",
    "`": "'",
}
_REMEMBERED = 0x3000


class _Bare(dict[int, str]):
    """Maps a code point to one character without case and accents; remembers only what living alphabets use."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        base = unicodedata.normalize("NFKD", char.casefold())
        bare = _STROKED.get(base[:1], base[:1]) or char
        if code < _REMEMBERED:
            self[code] = bare
        return bare


_BARE = _Bare()


class Folded(msgspec.Struct, frozen=True, gc=False):
    """A text for matching.

    Attributes:
        text: without case and accents.
        offsets: for each of its characters the position in the original; None where they are the same.
        length: how long the original is.
    """

    text: str
    offsets: tuple[int, ...] | None
    length: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Gives the span of the original that `[start, end)` of the folded text came from, marks included."""
        if self.offsets is None:
            return start, end
        return self.offsets[start], self.offsets[end] if end < len(self.offsets) else self.length


def has_marks(text: str) -> bool:
    """Tells whether accents stand as characters of their own, so that folding moves positions."""
    return not text.isascii() and _MARK.search(text) is not None


def fold(text: str) -> Folded:
    """Gives `text` folded one character for one ("Žádné" → "zadne", "ß" → "s"); combining marks vanish.

    Unlike `reviewdesk.text.fold` it keeps the way back to the original, so that reasons can be marked there.
    """
    if text.isascii():
        return Folded(text.lower(), None, len(text))
    if _MARK.search(text) is None:
        return Folded(text.translate(_BARE), None, len(text))
    kept = [(position, char) for position, char in enumerate(text) if not _MARK.match(char)]
    return Folded("".join(char for _, char in kept).translate(_BARE), tuple(at for at, _ in kept), len(text))


def spellings(word: str, alternatives: Mapping[str, str]) -> Iterator[str]:
    """Gives the folded forms of a word of a language's data: bare, and with each letter written out ("ä" as "ae")."""
    yield fold(word).text
    written_out = word.casefold()
    for letter, instead in alternatives.items():
        written_out = written_out.replace(letter, instead)
    if written_out != word.casefold():
        yield fold(written_out).text

"""Text without case and accents for matching, with the way back to the original's positions. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

import msgspec

_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff"
# Soft hyphen, breaks and joiners without width, directions, byte order mark, and what a store has put for some of them.
_UNSEEN = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufffd"
_MARK = re.compile(f"[{_MARKS}]")
_INVISIBLE = re.compile(f"[{_UNSEEN}]")
_LEFT_OUT = re.compile(f"[{_MARKS}{_UNSEEN}]")
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
        text: without invisible characters, and of `fold` without case and accents.
        offsets: for each of its characters the position in the original; None where they are the same.
        length: how long the original is.
    """

    text: str
    offsets: tuple[int, ...] | None
    length: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Gives the span of the original that `[start, end)` of the folded text came from, with what was left out."""
        if self.offsets is None:
            return start, end
        return self.offsets[start], self.offsets[end] if end < len(self.offsets) else self.length


def readable(text: str) -> Folded | None:
    """Gives `text` as its words can be cut from it, where that moves positions; None where it can be as it stands.

    Invisible characters are left out, as they hide words. Where accents stand as characters of their own, it is folded.
    """
    if text.isascii() or _LEFT_OUT.search(text) is None:
        return None
    return visible(text) if _MARK.search(text) is None else fold(text)


def visible(text: str) -> Folded:
    """Gives `text` without invisible characters (soft hyphens, joiners, marks of direction), and else as it is."""
    if text.isascii() or _INVISIBLE.search(text) is None:
        return Folded(text, None, len(text))
    kept, offsets = _without(_INVISIBLE, text)
    return Folded(kept, offsets, len(text))


def _without(left_out: re.Pattern[str], text: str) -> tuple[str, tuple[int, ...]]:
    """Gives the characters that are left, and the position of each in `text`."""
    kept = [(position, char) for position, char in enumerate(text) if not left_out.match(char)]
    return "".join([char for _, char in kept]), tuple([position for position, _ in kept])


def fold(text: str) -> Folded:
    """Gives `text` folded one character for one ("Žádné" → "zadne", "ß" → "s"); combining marks and invisible
    characters vanish.

    Unlike `reviewdesk.text.fold` it keeps the way back to the original, so that reasons can be marked there.
    """
    if text.isascii():
        return Folded(text.lower(), None, len(text))
    if _LEFT_OUT.search(text) is None:
        return Folded(text.translate(_BARE), None, len(text))
    kept, offsets = _without(_LEFT_OUT, text)
    return Folded(kept.translate(_BARE), offsets, len(text))


def spellings(word: str, alternatives: Mapping[str, str]) -> Iterator[str]:
    """Gives the folded forms of a word of a language's data: bare, and with each letter written out ("ä" as "ae")."""
    yield fold(word).text
    written_out = word.casefold()
    for letter, instead in alternatives.items():
        written_out = written_out.replace(letter, instead)
    if written_out != word.casefold():
        yield fold(written_out).text

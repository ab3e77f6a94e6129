"""The language of short informal texts. Pure.

Script and telling letters first, then function words without accents, both from `languages/identify.toml`; the prior (the
home language of the source) breaks ties, and below twenty letters it decides.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import NamedTuple

import msgspec

from reviewdesk.assess.folding import fold
from reviewdesk.model import Record

OTHER = "other"
_LOOKED_AT = 600
_SHORT = 20
_LETTER = re.compile(r"[^\W\d_]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_LATIN = re.compile("[a-zA-Z\u00c0-\u024f]")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_NO_TEXT = re.compile(r"(?:https?://|www\.)\S+|[@#]\w+|\S+@\S+")
# Usual mistakes of platforms and people for the ISO codes.
_ALIASES = {"cz": "cs", "ua": "uk", "gb": "en", "us": "en", "at": "de"}

_TELLING_LETTER, _PRIOR, _LEAST, _OF_MANY = 1.0, 0.9, 0.5, 1.2


class Marks(Record, frozen=True, kw_only=True):
    """How a language is recognised.

    Attributes:
        script: "latin" or "cyrillic".
        lexicon: the data file with its words; None for languages that have none.
        letters: letters that tell it from its neighbours; each counts for all languages that list it.
        words: function words, blank-separated, as people type them.
        pieces: beginnings, endings and middles of words ("-osc", "szcz").
    """

    script: str
    lexicon: str | None = None
    letters: str = ""
    words: str = ""
    pieces: str = ""


class _Tables(NamedTuple):
    marks: dict[str, Marks]
    words: dict[str, tuple[tuple[str, float], ...]]
    letters: dict[str, tuple[tuple[str, float], ...]]
    pieces: tuple[tuple[re.Pattern[str], str], ...]


@cache
def _tables() -> _Tables:
    content = (resources.files("reviewdesk.assess") / "languages" / "identify.toml").read_text("utf-8")
    marks = msgspec.convert(tomllib.loads(content), dict[str, Marks])
    words: dict[str, set[str]] = {}
    letters: dict[str, set[str]] = {}
    for code, one in marks.items():
        for word in one.words.split():
            words.setdefault(fold(word).text.replace("'", ""), set()).add(code)
        for letter in one.letters.split():
            letters.setdefault(letter, set()).add(code)
    pieces = tuple(
        (re.compile("|".join(_piece(piece) for piece in one.pieces.split())), code)
        for code, one in marks.items()
        if one.pieces
    )
    return _Tables(marks, _shared(words), _shared(letters), pieces)


def _piece(piece: str) -> str:
    bare = re.escape(fold(piece.strip("-")).text)
    return ("" if piece.startswith("-") else r"\b") + bare + ("" if piece.endswith("-") else r"\b")


def _shared(table: dict[str, set[str]]) -> dict[str, tuple[tuple[str, float], ...]]:
    """What several languages have in common says less of each."""
    return {key: tuple((code, 1 / len(codes) ** _OF_MANY) for code in sorted(codes)) for key, codes in table.items()}


def known_languages() -> tuple[str, ...]:
    """Gives the codes of the languages that can be told, in alphabetical order."""
    return tuple(sorted(code for code in _tables().marks if code != OTHER))


def lexicon_of(language: str) -> str | None:
    """Gives the name of the data file with a language's words; None where there is none."""
    marks = _tables().marks.get(language)
    return marks.lexicon if marks else None


def code_of(told: str | None) -> str | None:
    """Gives the ISO 639-1 code of what a platform calls a language ("cs-CZ", "CZ"); None where it tells nothing."""
    if not told or told.strip().lower() in ("und", "xx", "zxx"):
        return None
    short = re.split(r"[-_]", told.strip().lower(), maxsplit=1)[0]
    return _ALIASES.get(short, short)


def language_of(text: str, prior: str | None = None) -> str:
    """Gives the language that a text is written in.

    Args:
        text: any text; the first 600 characters are looked at.
        prior: the language most likely before reading, such as the home language of the source; it decides alone below
            twenty letters, as long as the text is in its script.

    Returns:
        An ISO 639-1 code out of `known_languages()`, or "other".
    """
    text = _NO_TEXT.sub(" ", text[:_LOOKED_AT])
    tables = _tables()
    cyrillic, latin = len(_CYRILLIC.findall(text)), len(_LATIN.findall(text))
    prior = code_of(prior)
    if not cyrillic and not latin:
        letters = _LETTER.search(text)
        return prior if prior in tables.marks and not letters else OTHER
    script = "cyrillic" if cyrillic > latin else "latin"
    fits = prior is not None and prior in tables.marks and tables.marks[prior].script == script
    if prior is not None and fits and cyrillic + latin < _SHORT and not _contradicts(text, prior):
        return prior
    scores = _scores(text, tables, script)
    if prior is not None and fits:
        scores[prior] = scores.get(prior, 0.0) + _PRIOR
    best = max(scores, key=lambda code: scores[code], default=OTHER)
    if scores.get(best, 0.0) < _LEAST:
        return prior if prior is not None and fits else OTHER
    return best


def fits_script(text: str, language: str) -> bool:
    """Tells whether a text can be in that language by its script and its telling letters."""
    marks = _tables().marks.get(language)
    if marks is None:
        return True
    text = text[:_LOOKED_AT]
    cyrillic, latin = len(_CYRILLIC.findall(text)), len(_LATIN.findall(text))
    return (not cyrillic and not latin) or (marks.script == "cyrillic") == (cyrillic > latin)


def _contradicts(text: str, prior: str) -> bool:
    """Tells whether short text has letters that only a neighbour in the same script has ("ї" where Russian is home)."""
    letters = _tables().letters
    owners = [owner for char in set(text.lower()) if char in letters for owner, _ in letters[char]]
    return bool(owners) and prior not in owners and _tables().marks[prior].script == "cyrillic"


def _scores(text: str, tables: _Tables, script: str) -> dict[str, float]:
    lowered, folded = text.lower(), fold(text).text
    scores: dict[str, float] = {}
    for char in set(lowered) & tables.letters.keys():
        times = min(lowered.count(char), 3)
        for code, weight in tables.letters[char]:
            scores[code] = scores.get(code, 0.0) + weight * _TELLING_LETTER * times
    for word in _WORD.findall(folded):
        for code, weight in tables.words.get(word.replace("'", ""), ()):
            scores[code] = scores.get(code, 0.0) + weight
    for pattern, code in tables.pieces:
        found = len(pattern.findall(folded))
        if found:
            scores[code] = scores.get(code, 0.0) + 0.35 * min(found, 6)
    return {code: score for code, score in scores.items() if tables.marks[code].script == script}

"""The language of short informal texts. Pure.

Script and telling letters first, then function words without accents, both from `languages/identify.toml`; the prior
(the home language of the source) breaks ties, and below twenty letters it decides.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

import msgspec

from reviewdesk.assess.folding import fold
from reviewdesk.model import Record

OTHER = "other"
_LOOKED_AT = 600
_SHORT = 20
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_NO_TEXT = re.compile(r"(?:https?://|www\.)\S+|[@#]\w+|\S+@\S+")
# Usual mistakes of platforms and people for the ISO codes.
_ALIASES = {"cz": "cs", "ua": "uk", "gb": "en", "us": "en", "at": "de"}

_TELLING_LETTER, _PIECE, _PRIOR, _LEAST, _OF_MANY = 1.0, 0.35, 0.9, 0.5, 1.2
_WORDS_REMEMBERED = 32_768
_LETTERS_MOST = 40

_Weights = tuple[tuple[str, float], ...]


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
    words: dict[str, _Weights]
    letters: dict[str, _Weights]
    pieces: tuple[tuple[re.Pattern[str], str], ...]


@cache
def _tables() -> _Tables:
    content = (resources.files("reviewdesk.assess") / "languages" / "identify.toml").read_text("utf-8")
    marks = msgspec.convert(tomllib.loads(content), dict[str, Marks])
    words: dict[str, set[str]] = {}
    letters: dict[str, set[str]] = {}
    for code, one in marks.items():
        for word in one.words.split():
            words.setdefault(fold(word).text, set()).add(code)
        for letter in one.letters.split():
            letters.setdefault(letter, set()).add(code)
    pieces = tuple(
        (re.compile("|".join(_piece(piece) for piece in one.pieces.split())), code)
        for code, one in marks.items()
        if one.pieces
    )
    return _Tables(marks, _shared(words), _shared(letters), pieces)


@lru_cache(maxsize=_WORDS_REMEMBERED)
def _word_says(word: str) -> _Weights:
    """Gives for each language what one folded word says for it; the script is told as "latin" or "cyrillic"."""
    tables = _tables()
    script = "cyrillic" if "\u0400" <= word[0] <= "\u04ff" else "latin" if "a" <= word[0] <= "\u024f" else "neither"
    says = dict(tables.words.get(word, ()))
    for pattern, code in tables.pieces:
        if tables.marks[code].script == script and pattern.search(word):
            says[code] = says.get(code, 0.0) + _PIECE
    return ((script, float(len(word))), *says.items())


def _piece(piece: str) -> str:
    bare = re.escape(fold(piece.strip("-")).text)
    return ("" if piece.startswith("-") else r"\b") + bare + ("" if piece.endswith("-") else r"\b")


def _shared(table: dict[str, set[str]]) -> dict[str, tuple[tuple[str, float], ...]]:
    """What several languages have in common says less of each."""
    return {key: tuple((code, 1 / len(codes) ** _OF_MANY) for code in sorted(codes)) for key, codes in table.items()}


@cache
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
    tables = _tables()
    prior = code_of(prior)
    text = text[:_LOOKED_AT]
    if any(sign in text for sign in ("/", "@", "#", "www.")):
        text = _NO_TEXT.sub(" ", text)
    scores = _scores(text, tables)
    latin, cyrillic = scores.pop("latin", 0.0), scores.pop("cyrillic", 0.0)
    if not cyrillic and not latin:
        return prior if prior in tables.marks and "neither" not in scores else OTHER
    script = "cyrillic" if cyrillic > latin else "latin"
    of_script = {code for code, marks in tables.marks.items() if marks.script == script}
    scores = {code: score for code, score in scores.items() if code in of_script}
    if prior is None or prior not in of_script:
        best = max(scores, key=lambda code: scores[code], default=OTHER)
        return best if scores.get(best, 0.0) >= _LEAST else OTHER
    if cyrillic + latin < _SHORT and not _contradicts(text, prior):
        return prior
    scores[prior] = scores.get(prior, 0.0) + _PRIOR
    return max(scores, key=lambda code: scores[code])


def _scores(text: str, tables: _Tables) -> dict[str, float]:
    scores: dict[str, float] = {}
    if not text.isascii():
        lowered = text.lower()
        for char in tables.letters.keys() & set(lowered):
            times = min(lowered.count(char), 3)
            for code, weight in tables.letters[char]:
                scores[code] = scores.get(code, 0.0) + weight * _TELLING_LETTER * times
    for word in _WORD.findall(fold(text).text):
        for code, weight in _word_says(word[:_LETTERS_MOST]):
            scores[code] = scores.get(code, 0.0) + weight
    return scores


def _contradicts(text: str, prior: str) -> bool:
    """Tells whether short text has letters that only a neighbour in the same script has ("ї" where Russian is home)."""
    letters = _tables().letters
    owners = [owner for char in set(text.lower()) if char in letters for owner, _ in letters[char]]
    return bool(owners) and prior not in owners and _tables().marks[prior].script == "cyrillic"

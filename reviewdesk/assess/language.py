"""The language of short informal texts. Pure.

Script and telling letters first, then function words without accents, both from `languages/identify.toml`; the prior
(the home language of the source) breaks ties, and below twenty letters it decides.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib import resources

import msgspec
import tomli

from reviewdesk.assess import weights
from reviewdesk.assess.folding import fold
from reviewdesk.assess.tokens import FOLDED, Memory, Tokens, tokens_of
from reviewdesk.model import Record

OTHER = "other"
_WORDS_LOOKED_AT = 60
_SHORT = 20
# The codes of three letters, bibliographic ones too, and countries that platforms and people take for languages.
_ALIASES = {
    alias: code
    for code, aliases in {
        "cs": "ces cze cz",
        "sk": "slk slo svk",
        "pl": "pol",
        "uk": "ukr ua",
        "ru": "rus",
        "de": "deu ger at aut",
        "hu": "hun",
        "en": "eng gb gbr us usa",
    }.items()
    for alias in aliases.split()
}
_TELLS_NOTHING = frozenset(("", "und", "xx", "zxx", "mul"))

_TELLING_LETTER, _PIECE, _OF_MANY = 0.6, 0.35, 1.2
_PARTS = 1000
# Thousandths, as scores are.
_PRIOR, _LEAST, _LACKING = 900, 500, 10
_NEITHER, _LATIN, _CYRILLIC = range(3)
_LANE_BITS = 32
_SCRIPTS = ("neither", "latin", "cyrillic")

_RIVAL, _RIVAL_SHARE = 3000, 0.4

_Weights = tuple[tuple[int, float], ...]


class Marks(Record, frozen=True, kw_only=True):
    """How a language is recognised.

    Attributes:
        script: "latin" or "cyrillic".
        lexicon: the data file with its words; None for languages that have none.
        letters: letters that tell it from its neighbours; each counts for all languages that list it.
        frequent: letters so frequent in it that each letter of a text without any of them speaks against it.
        words: function words, blank-separated, as people type them.
        pieces: beginnings, endings and middles of words ("-osc", "szcz").
    """

    script: str
    lexicon: str | None = None
    letters: str = ""
    frequent: str = ""
    words: str = ""
    pieces: str = ""


_Edges = dict[str, list[tuple[str, set[int]]]]


class _Pieces(msgspec.Struct, frozen=True):
    """The pieces of words in one script, each with the languages that have it.

    Attributes:
        endings, beginnings: by their two letters at the end or the beginning of a word.
        middles: with what finds whether a word has any of them.
    """

    endings: _Edges
    beginnings: _Edges
    middles: dict[str, set[int]]
    any_middle: re.Pattern[str]

    def of(self, bare: str) -> set[int]:
        """Gives the languages that have a piece of a word among theirs."""
        found: set[int] = set()
        for piece, places in self.endings.get(bare[-2:], ()):
            if bare.endswith(piece):
                found |= places
        for piece, places in self.beginnings.get(bare[:2], ()):
            if bare.startswith(piece):
                found |= places
        if self.any_middle.search(bare):
            for piece, places in self.middles.items():
                if piece in bare:
                    found |= places
        return found


class _Tables(msgspec.Struct, frozen=True):
    """What a word says. A language is its place in `codes`; the first three places count letters by script."""

    marks: dict[str, Marks]
    codes: tuple[str, ...]
    lexicons: tuple[str | None, ...]
    words: dict[str, _Weights]
    letters: dict[str, _Weights]
    frequent: dict[str, tuple[tuple[int, tuple[str, ...]], ...]]
    pieces: tuple[_Pieces, ...]
    of_script: dict[str, tuple[int, ...]]
    lanes: struct.Struct


@cache
def _tables() -> _Tables:
    content = (resources.files("reviewdesk.assess") / "languages" / "identify.toml").read_text("utf-8")
    marks = msgspec.convert(tomli.loads(content), dict[str, Marks])
    codes = (*_SCRIPTS, *marks)
    words: defaultdict[str, list[int]] = defaultdict(list)
    letters: defaultdict[str, list[int]] = defaultdict(list)
    for place, code in enumerate(marks, len(_SCRIPTS)):
        for word in set(fold(marks[code].words).text.split()):
            words[word].append(place)
        for letter in set(marks[code].letters.split()):
            letters[letter].append(place)
    of_script = {
        script: tuple(place for place, code in enumerate(codes) if code in marks and marks[code].script == script)
        for script in _SCRIPTS
    }
    lexicons = tuple(marks[code].lexicon if code in marks else None for code in codes)
    frequent = {
        script: tuple(
            (place, tuple(marks[codes[place]].frequent.split()))
            for place in of_script[script]
            if marks[codes[place]].frequent
        )
        for script in _SCRIPTS
    }
    return _Tables(
        marks,
        codes,
        lexicons,
        _shared(words),
        _shared(letters),
        frequent,
        tuple(_pieces({place: marks[codes[place]] for place in of_script[script]}) for script in _SCRIPTS),
        of_script,
        struct.Struct(f"<{len(codes)}I"),
    )


def _pieces(marks: Mapping[int, Marks]) -> _Pieces:
    endings: dict[str, set[int]] = {}
    beginnings: dict[str, set[int]] = {}
    middles: dict[str, set[int]] = {}
    for place, one in marks.items():
        for piece in one.pieces.split():
            first, last = piece.startswith("-"), piece.endswith("-")
            table = middles if first and last else beginnings if last else endings
            table.setdefault(fold(piece.strip("-")).text, set()).add(place)
    by_end: _Edges = {}
    by_beginning: _Edges = {}
    for piece, places in endings.items():
        by_end.setdefault(piece[-2:], []).append((piece, places))
    for piece, places in beginnings.items():
        by_beginning.setdefault(piece[:2], []).append((piece, places))
    any_middle = re.compile("|".join(map(re.escape, middles)) or "(?!)")
    return _Pieces(by_end, by_beginning, middles, any_middle)


def _word_says(word: str) -> int:
    """Gives what one word says for each language and how many letters of which script it has, a lane of bits for each,
    so that the words of a text are summed at once."""
    tables = _tables()
    bare = FOLDED[word]
    first = bare[:1]
    if first.isdigit():
        return 0
    script = _CYRILLIC if "\u0400" <= first <= "\u04ff" else _LATIN if "a" <= first <= "\u024f" else _NEITHER
    says: dict[int, float] = dict(tables.words.get(bare, ()))
    for place in tables.pieces[script].of(bare):
        says[place] = says.get(place, 0.0) + _PIECE
    if not word.isascii():
        for char in word.lower():
            for place, weight in tables.letters.get(char, ()):
                says[place] = says.get(place, 0.0) + weight * _TELLING_LETTER
    lanes = len(bare) << script * _LANE_BITS
    for place, weight in says.items():
        lanes += round(weight * _PARTS) << place * _LANE_BITS
    return lanes


_SAYS: Memory[int] = Memory(_word_says)


def _shared(table: Mapping[str, Sequence[int]]) -> dict[str, _Weights]:
    """What several languages have in common says less of each."""
    return {key: tuple([(place, 1 / len(of) ** _OF_MANY) for place in of]) for key, of in table.items()}


@cache
def known_languages() -> tuple[str, ...]:
    """Gives the codes of the languages that can be told, in alphabetical order."""
    return tuple(sorted(code for code in _tables().marks if code != OTHER and "-" not in code))


def lexicon_of(language: str) -> str | None:
    """Gives the name of the data file with a language's words; None where there is none."""
    marks = _tables().marks.get(language)
    return marks.lexicon if marks else None


@lru_cache(256)
def code_of(told: str | None) -> str | None:
    """Gives the ISO 639-1 code of what a platform calls a language ("cs-CZ", "CZ", "ces"); None for nothing."""
    short = re.split(r"[-_]", (told or "").strip().lower(), maxsplit=1)[0]
    return None if short in _TELLS_NOTHING else _ALIASES.get(short, short)


def language_of(text: str, prior: str | None = None) -> str:
    """Gives the language that a text is written in; `language_in` tells how."""
    return language_in(tokens_of(text[: weights.TEXT_MOST]), prior)


def language_in(tokens: Tokens, prior: str | None = None) -> str:
    """Gives the language that a text is written in; `hear` tells how."""
    return hear(tokens, prior).language


class Heard(msgspec.Struct, frozen=True, gc=False):
    """What a text is written in.

    Attributes:
        language: an ISO 639-1 code out of `known_languages()`, or "other".
        mixed: another language, with other words, speaks in it too.
    """

    language: str
    mixed: bool = False


def hear(tokens: Tokens, prior: str | None = None) -> Heard:
    """Gives the language that a text is written in.

    Args:
        tokens: the text's words; the first sixty are looked at.
        prior: the language most likely before reading, such as the home language of the source; it decides alone below
            twenty letters, as long as the text is in its script.
    """
    tables = _tables()
    prior = code_of(prior)
    words = tokens.words[:_WORDS_LOOKED_AT]
    scores = _scores(words, tables)
    latin, cyrillic = scores[_LATIN], scores[_CYRILLIC]
    if not cyrillic and not latin:
        return Heard(prior if prior is not None and prior in tables.marks and not scores[_NEITHER] else OTHER)
    script = "cyrillic" if cyrillic > latin else "latin"
    of_script = tables.of_script[script]
    home = tables.codes.index(prior) if prior is not None and prior in tables.marks else -1
    if home in of_script:
        if cyrillic + latin < _SHORT and not _contradicts(words, tables.codes[home]):
            return Heard(tables.codes[home])
        scores[home] += _PRIOR
    elif prior and len(words) > 1 and latin > cyrillic and (spelled := f"{prior}-latn") in tables.marks:
        scores[tables.codes.index(spelled)] += _PRIOR
    for place, letters in tables.frequent[script]:
        written = "".join(words).lower()
        if not any(letter in written for letter in letters):
            scores[place] -= _LACKING * max(cyrillic, latin)
    best = max(of_script, key=scores.__getitem__)
    if cyrillic > latin and not scores[best]:
        return Heard("ru")  # without any mark of Ukrainian
    if scores[best] < _LEAST and cyrillic < latin and _of_family(best, scores, tables) < _LEAST:
        return Heard(OTHER)
    return Heard(_spoken(tables.codes[best]), _is_mixed(tokens, scores, best, tables))


def _of_family(best: int, scores: Sequence[int], tables: _Tables) -> int:
    """Gives what speaks for a language and for those that are read with the same words: Czech and Slovak share most."""
    own = tables.lexicons[best]
    return sum(score for score, lexicon in zip(scores, tables.lexicons, strict=True) if lexicon == own is not None)


def _is_mixed(tokens: Tokens, scores: Sequence[int], best: int, tables: _Tables) -> bool:
    if tokens.sentences[-1] == 0:
        return False
    least, own = max(_RIVAL, _RIVAL_SHARE * scores[best]), tables.lexicons[best]
    for score, lexicon in zip(scores, tables.lexicons, strict=True):
        if score >= least and lexicon is not None and lexicon != own:
            return True
    return False


def parts_of(tokens: Tokens, main: str) -> list[tuple[int, int, str]]:
    """Gives the spans of a mixed text and the language of each: sentences that clearly speak another one than `main`
    stand apart; neighbours in one language are one span."""
    parts: list[tuple[int, int, str]] = []
    for sentence in range(tokens.sentences[-1] + 1):
        first, last = bisect_left(tokens.sentences, sentence), bisect_right(tokens.sentences, sentence)
        if first == last:
            continue
        heard = hear(msgspec.structs.replace(tokens, words=tokens.words[first:last], sentences=[0]), main).language
        if heard == OTHER or lexicon_of(heard) == lexicon_of(main):
            heard = main
        start = tokens.span(first, first)[0] if parts else 0
        if parts and parts[-1][2] == heard:
            start = parts.pop()[0]
        elif parts:
            parts[-1] = (parts[-1][0], start, parts[-1][2])
        parts.append((start, len(tokens.text), heard))
    return parts


def _spoken(code: str) -> str:
    """Gives "ru" for "ru-latn", Russian in Latin letters."""
    return code.partition("-")[0]


def _scores(words: Iterable[str], tables: _Tables) -> list[int]:
    """Gives how many letters there are of each script, and for each language what the words say, in thousandths."""
    together = sum(map(_SAYS.__getitem__, words))
    return list(tables.lanes.unpack(together.to_bytes(tables.lanes.size, "little")))


def _contradicts(words: Sequence[str], prior: str) -> bool:
    """Tells whether short text has letters that only a neighbour in the same script has ("ї" where Russian is home)."""
    letters = _tables().letters
    codes = _tables().codes
    owners = [codes[owner] for char in set("".join(words).lower()) if char in letters for owner, _ in letters[char]]
    return bool(owners) and prior not in owners and _tables().marks[prior].script == "cyrillic"

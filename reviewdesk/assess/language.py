"""The language of short informal texts. Pure.

Telling letters and words without accents (`languages/identify.toml`), and how likely each three letters are in each
language (`languages/trigrams.txt`), are summed for the languages of the text's script; the prior (the home language of
the source) weighs as much as two words, so that it decides about short texts that do not clearly speak another one.
"""

from __future__ import annotations

import re
import string
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

_TELLING_LETTER, _OF_MANY = 0.6, 1.2
_PARTS = 1000
# Thousandths, as scores are. A trigram's quarter is that of a natural logarithm, of which ten weigh as much as a word.
_PRIOR, _QUARTER = 2000, 25
QUARTERS = string.digits + string.ascii_letters
"""The figures of `languages/trigrams.txt`, from 0."""
_VALUES = bytes.maketrans(QUARTERS.encode(), bytes(range(len(QUARTERS))))
_NEITHER, _LATIN, _CYRILLIC = range(3)
_LANE_BITS = 32
_SCRIPTS = ("neither", "latin", "cyrillic")

# How little a text's language leads that of other words, for each letter, where both are likely to be in it; and how
# many letters of another script are more than names, as a share of all and at least.
_LITTLE_LEAD = 120
_OTHER_SCRIPT_SHARE, _OTHER_SCRIPT_LEAST = 0.25, 15

_Weights = tuple[tuple[int, float], ...]


class Marks(Record, frozen=True, kw_only=True):
    """How a language is recognised.

    Attributes:
        script: "latin" or "cyrillic".
        lexicon: the data file with its words; None for languages that have none.
        letters: letters that tell it from its neighbours; each counts for all languages that list it.
        words: function words, blank-separated, as people type them.
    """

    script: str
    lexicon: str | None = None
    letters: str = ""
    words: str = ""


class _Tables(msgspec.Struct, frozen=True):
    """What a word says. A language is its place in `codes`; the first three places count letters by script.

    Attributes:
        trigrams: by the first two letters of three, each third letter with a figure for each language.
        rivals: for each of `codes` those with other words.
        lanes: the bits of a sum, by the place of a language.
    """

    marks: dict[str, Marks]
    codes: tuple[str, ...]
    lexicons: tuple[str | None, ...]
    words: dict[str, _Weights]
    letters: dict[str, _Weights]
    trigrams: dict[str, str]
    of_script: dict[str, tuple[int, ...]]
    rivals: tuple[tuple[int, ...], ...]
    lanes: struct.Struct


_FILES = resources.files("reviewdesk.assess") / "languages"


@cache
def _marks() -> dict[str, Marks]:
    return msgspec.convert(tomli.loads((_FILES / "identify.toml").read_text("utf-8")), dict[str, Marks])


@cache
def _tables() -> _Tables:
    marks = _marks()
    spelled, *rows = (_FILES / "trigrams.txt").read_text("utf-8").splitlines()
    if tuple(spelled.split()) != spellings():
        raise ValueError("trigrams.txt is of other languages than identify.toml: python benchmarks/trigrams.py --write")
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
    return _Tables(
        marks,
        codes,
        lexicons,
        _shared(words),
        _shared(letters),
        {row[:2]: row[2:] for row in rows},
        of_script,
        tuple(tuple(place for place, other in enumerate(lexicons) if other not in (None, own)) for own in lexicons),
        struct.Struct(f"<{len(codes)}I"),
    )


def spellings() -> tuple[str, ...]:
    """Gives what `languages/trigrams.txt` tells apart: the languages, some of them also in another script, and what
    stands for all languages that are not read."""
    return tuple(_marks())


def trigrams_of(word: str) -> list[str]:
    """Gives each three letters of a word, with a blank at both ends; none of a number."""
    if word[:1].isdigit():
        return []
    spelled = f" {word.lower()} "
    return [spelled[at : at + 3] for at in range(len(spelled) - 2)]


def _trigram_says(trigram: str) -> int:
    row, count = _tables().trigrams.get(trigram[:2], ""), len(spellings())
    at = row[:: count + 1].find(trigram[2])
    if at < 0:
        return 0
    figures = row[at * (count + 1) + 1 : (at + 1) * (count + 1)]
    lanes = bytearray(count * _LANE_BITS // 8)
    lanes[:: _LANE_BITS // 8] = figures.encode().translate(_VALUES)
    return int.from_bytes(lanes, "little") * _QUARTER << len(_SCRIPTS) * _LANE_BITS


_TRIGRAM_SAYS: Memory[int] = Memory(_trigram_says)


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
    if not word.isascii():
        for char in word.lower():
            for place, weight in tables.letters.get(char, ()):
                says[place] = says.get(place, 0.0) + weight * _TELLING_LETTER
    lanes = len(bare) << script * _LANE_BITS
    for place, weight in says.items():
        lanes += round(weight * _PARTS) << place * _LANE_BITS
    return lanes + sum(map(_TRIGRAM_SAYS.__getitem__, trigrams_of(word)))


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
        prior: the language most likely before reading, such as the home language of the source; it counts for texts in
            its script.
    """
    tables = _tables()
    prior = code_of(prior)
    words = tokens.words[:_WORDS_LOOKED_AT]
    said = _said(words, tables)
    latin, cyrillic = said[_LATIN], said[_CYRILLIC]
    if not cyrillic and not latin:
        return Heard(prior if prior is not None and prior in tables.marks and not said[_NEITHER] else OTHER)
    of_script = tables.of_script["cyrillic" if cyrillic > latin else "latin"]
    scores = list(said)
    home = tables.codes.index(prior) if prior is not None and prior in tables.marks else -1
    if home in of_script:
        scores[home] += _PRIOR
    elif prior and len(words) > 1 and latin > cyrillic and (alias := f"{prior}-latn") in tables.marks:
        scores[tables.codes.index(alias)] += _PRIOR
    best = max(of_script, key=scores.__getitem__)
    if not scores[best]:
        return Heard(OTHER)
    mixed = tokens.sentences[-1] > 0 and _is_mixed(said, best, tables)
    return Heard(_spoken(tables.codes[best]), mixed)


def _is_mixed(said: Sequence[int], best: int, tables: _Tables) -> bool:
    """Tells whether a text of several sentences may speak another language, with other words, too."""
    letters, others = said[_LATIN] + said[_CYRILLIC], min(said[_LATIN], said[_CYRILLIC])
    if others >= max(_OTHER_SCRIPT_LEAST, _OTHER_SCRIPT_SHARE * letters):
        return True
    return said[best] - max(map(said.__getitem__, tables.rivals[best])) < _LITTLE_LEAD * letters


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


def _said(words: Iterable[str], tables: _Tables) -> Sequence[int]:
    """Gives how many letters there are of each script, and for each language what the words say, in thousandths."""
    together = sum(map(_SAYS.__getitem__, words))
    return tables.lanes.unpack(together.to_bytes(tables.lanes.size, "little"))

"""Russian and Ukrainian written with Latin letters ("uzhasnyj magazin") turned back. Pure.

People follow no standard, so each language has one table of the usual spellings, the longest first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_COMMON = {
    "shch": "щ",
    "sch": "щ",
    "zh": "ж",
    "kh": "х",
    "ts": "ц",
    "ch": "ч",
    "sh": "ш",
    "yu": "ю",
    "ju": "ю",
    "iu": "ю",
    "ya": "я",
    "ja": "я",
    "ia": "я",
    "'": "ь",
    **dict(zip("abvgdezklmnoprstufxcjqw", "абвгдезклмнопрстуфхцйкв", strict=True)),
}
_TABLES: Mapping[str, Mapping[str, str]] = {
    "ru": {
        **_COMMON,
        **{"yo": "е", "jo": "е", "ye": "е", "je": "е", "yj": "ый", "yy": "ый", "iy": "ий", "ij": "ий"},
        **{"i": "и", "y": "ы", "h": "х"},
    },
    "uk": {
        **_COMMON,
        **{"yi": "ї", "ji": "ї", "ye": "є", "je": "є", "ie": "є", "yj": "ий", "yy": "ий", "ij": "ій"},
        **{"i": "і", "y": "и", "h": "г"},
    },
}
_Y_AFTER_VOWEL = re.compile("(?<=[аоеуэяиіє])ы")
_SOFT = re.compile("[дзлнрстц](?!ь)")
TRANSLITERATED = frozenset(_TABLES)
"""The languages that can be turned back."""
_FINDS = {
    language: re.compile("|".join(re.escape(key) for key in sorted(table, key=len, reverse=True)))
    for language, table in _TABLES.items()
}


def in_cyrillic(word: str, language: str) -> str:
    """Gives a folded word of "ru" or "uk" in Cyrillic; one that is in Cyrillic already, or in any other language, as
    it is."""
    finds = _FINDS.get(language)
    if finds is None or not word.isascii() or word.isdigit():
        return word
    table = _TABLES[language]
    return _Y_AFTER_VOWEL.sub("й", finds.sub(lambda match: table[match[0]], word))


def respelled(word: str) -> Iterator[str]:
    """Gives what else a word may be that was turned back: "оцтой" stands for "отстой", and "денги" for "деньги", whose
    soft sign was left out."""
    if "ц" in word:
        yield word.replace("ц", "тс")
    for soft in _SOFT.finditer(word):
        yield f"{word[: soft.end()]}ь{word[soft.end() :]}"

"""Learns how languages are spelled from the texts written for this project, and prints the table of it.

python benchmarks/trigrams.py --write                       # into reviewdesk/assess/languages/trigrams.txt

For each three letters of a word and each language the table has how much more often they stand in that language than in
the one where they are rarest, as the logarithm in quarters. A line begins with the first two of them; then comes each
third one with its figures. Words count with and without accents; Russian and Ukrainian
also in Latin letters, as people spell them. `tests/assess/written/others` are languages that the desk does not read.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from assess import bare, labelled

from reviewdesk.assess.language import QUARTERS, spellings, trigrams_of
from reviewdesk.assess.tokens import tokens_of

ROOT = Path(__file__).parent.parent
WRITTEN = ROOT / "tests" / "assess" / "written"
TABLE = ROOT / "reviewdesk" / "assess" / "languages" / "trigrams.txt"
OTHERS = {
    "other": "ca da es et fi fr hr id it lt lv nl no pt ro sl sq sv tr vi",
    "other-slavic": "hr sl",
    "other-cyrl": "be bg mk sr",
}
"""What the languages that are not read count as; Slavic ones also by themselves, as they are nearest to those read."""
LEAST_MET = 2
UNMET = 0.1
"""How often what was never met in a language counts as met."""
QUARTERS_MOST = len(QUARTERS) - 1

# Nobody keeps to a standard: most spell as in English, some as in Czech, some as in a passport.
_LATIN = dict(zip("абвгдезийклмнопрстуфхцыэіґ", "abvgdeziyklmnoprstufhcyeig", strict=True))
_SPELLINGS: tuple[Mapping[str, str], ...] = (
    _LATIN | {"ж": "zh", "ч": "ch", "ш": "sh", "щ": "sch", "ю": "yu", "я": "ya", "ё": "yo", "ї": "yi", "є": "ye"},
    _LATIN
    | {"ж": "zh", "ч": "ch", "ш": "sh", "щ": "sch", "ю": "ju", "я": "ja", "ё": "e", "ї": "ji", "є": "je"}
    | {"й": "j", "х": "kh", "ц": "ts"},
    _LATIN
    | {"ж": "zh", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "iu", "я": "ia", "ё": "e", "ї": "i", "є": "ie"}
    | {"й": "i", "х": "kh", "ц": "ts"},
)
_DROPPED = "ьъ'’ʼ"
_OF_LANGUAGE: Mapping[str, Mapping[str, str]] = {"ru": {}, "uk": {"и": "y", "г": "h", "щ": "shch"}}


def in_latin(text: str, language: str, number: int) -> str:
    """Gives a text of "ru" or "uk" in Latin letters, in one of the usual spellings."""
    spelling = {**_SPELLINGS[number % len(_SPELLINGS)], **_OF_LANGUAGE[language]}
    return "".join("" if char in _DROPPED else spelling.get(char, char) for char in text.lower())


def is_cyrillic(text: str) -> bool:
    """Tells whether a third and more of a text is Cyrillic."""
    return sum("\u0400" <= char <= "\u04ff" for char in text) * 3 > len(text)


def texts() -> Iterator[tuple[str, str]]:
    """Gives all texts to learn from, each with what it is an example of, a code of `identify.toml`."""
    for path in sorted((WRITTEN / "many" / "mended").glob("*.tsv")):
        language = path.stem
        for number, (_, text) in enumerate(labelled(path)):
            if language not in _OF_LANGUAGE:
                yield language, text
                yield language, bare(text)
            elif is_cyrillic(text):
                yield language, text
                yield f"{language}-latn", in_latin(text, language, number)
            else:
                yield f"{language}-latn", text
    for code, languages in OTHERS.items():
        for language in languages.split():
            for text in (WRITTEN / "others" / f"{language}.txt").read_text("utf-8").splitlines():
                yield code, text
                if not is_cyrillic(text):
                    yield code, bare(text)


def learned() -> dict[str, list[int]]:
    """Gives the quarters of each trigram, in the order of `spellings()`."""
    met = {code: Counter[str]() for code in spellings()}
    for code, text in texts():
        for word in tokens_of(text).words:
            met[code].update(trigrams_of(word))
    together: Counter[str] = sum(met.values(), Counter())
    kept = sorted(trigram for trigram, count in together.items() if count >= LEAST_MET)
    totals = {code: sum(counts[trigram] for trigram in kept) + UNMET * len(kept) for code, counts in met.items()}
    table = {}
    for trigram in kept:
        likely = [math.log((met[code][trigram] + UNMET) / totals[code]) for code in spellings()]
        rarest = min(likely)
        table[trigram] = [min(round(4 * (one - rarest)), QUARTERS_MOST) for one in likely]
    return table


def lines() -> Iterator[str]:
    """Gives the table, line by line."""
    yield " ".join(spellings())
    for begins, rows in groupby(learned().items(), key=lambda row: row[0][:2]):
        yield begins + "".join(trigram[2] + "".join(QUARTERS[one] for one in figures) for trigram, figures in rows)


def main() -> None:
    """Prints the table, or writes it in the place of the one before."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="into its place, which a shell would empty too early")
    writes = parser.parse_args().write
    table = "".join(f"{line}\n" for line in lines())
    if writes:
        TABLE.write_text(table, "utf-8")
    else:
        print(table, end="")


if __name__ == "__main__":
    main()

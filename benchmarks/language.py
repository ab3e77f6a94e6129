"""How often the language of a text is told right, of whole texts, without accents, and of short ones.

python benchmarks/language.py FOLDER ...                # folders with <language>.jsonl or <language>.tsv, as assess.py
python benchmarks/language.py FOLDER ... --compare      # also py3langid and lingua, where they are installed
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from assess import bare, labelled

from reviewdesk.assess.language import known_languages, language_of

SHORT = 20


def detectors(*, compare: bool) -> Mapping[str, Callable[[str], str]]:
    """Gives the desk's detector, and with `compare` those of others, kept to the languages that the desk knows."""
    found: dict[str, Callable[[str], str]] = {"reviewdesk": language_of}
    if not compare:
        return found
    try:
        import py3langid
    except ImportError:
        print("py3langid is not installed")
    else:
        py3langid.set_languages(list(known_languages()))
        found["py3langid"] = lambda text: str(py3langid.classify(text)[0])
    try:
        from lingua import IsoCode639_1, LanguageDetectorBuilder
    except ImportError:
        print("lingua is not installed")
    else:
        codes = [getattr(IsoCode639_1, code.upper()) for code in known_languages()]
        detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).build()

        def by_lingua(text: str) -> str:
            told = detector.detect_language_of(text)
            return told.iso_code_639_1.name.lower() if told else ""

        found["lingua"] = by_lingua
    return found


def texts_in(folders: list[Path]) -> dict[str, list[str]]:
    """Gives the texts of each language; the long ones' first words stand for short ones."""
    texts: dict[str, list[str]] = {}
    for folder in folders:
        for path in sorted([*folder.glob("*.jsonl"), *folder.glob("*.tsv")]):
            texts.setdefault(path.stem, []).extend(text for _, text in labelled(path))
    return texts


def beginning(text: str) -> str:
    """Gives the first words of a text, up to `SHORT` letters."""
    words: list[str] = []
    for word in text.split():
        if words and len(" ".join((*words, word))) > SHORT:
            break
        words.append(word)
    return " ".join(words)


def main() -> None:
    """Prints a table by detector and language: right whole, without accents, and the first twenty letters alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--errors", type=int, default=0, help="how many wrong ones to print for each language")
    arguments = parser.parse_args()
    texts = texts_in(arguments.folders)
    print("| detector | " + " | ".join(f"{code} ({len(rows)})" for code, rows in texts.items()) + " | mean | texts/s |")
    print("|---" * (len(texts) + 3) + "|")
    for name, tell in detectors(compare=arguments.compare).items():
        for kind, change in (("", str), (", no accents", bare), (f", {SHORT} letters", beginning)):
            start = time.process_time()
            told = {code: [tell(change(text)) for text in rows] for code, rows in texts.items()}
            rate = sum(map(len, texts.values())) / (time.process_time() - start)
            right = {code: told[code].count(code) / len(rows) for code, rows in texts.items()}
            cells = " | ".join(f"{right[code]:.3f}" for code in texts)
            print(f"| {name}{kind} | {cells} | {sum(right.values()) / len(right):.3f} | {rate:,.0f} |")
            for code, rows in texts.items() if arguments.errors and name == "reviewdesk" else ():
                wrong = [(said, change(text)) for said, text in zip(told[code], rows, strict=True) if said != code]
                print(f"  {code} taken for", Counter(said for said, _ in wrong).most_common(4))
                print(*(f"    {said} {text[:100]!r}" for said, text in wrong[: arguments.errors]), sep="\n")


if __name__ == "__main__":
    main()

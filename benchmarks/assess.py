"""Texts a second against vaderSentiment in one run, and how well the labels fit given files.

python benchmarks/assess.py                 # speed, by language
python benchmarks/assess.py --dev FOLDER    # macro-F1 on <language>.jsonl of {"text", "label", "lang"}
python benchmarks/assess.py --dev FOLDER --strip-diacritics --errors 20
"""

from __future__ import annotations

import argparse
import json
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.language import language_of

SENTENCES = {
    "en": (
        "The parcel came two days late, the box was damaged and nobody answers my emails. The phone"
        " itself is great and the price was good, but I will not order here again, the service is "
        "terrible."
    ),
    "cs": (
        "Balík dorazil o dva dny později, krabice byla poškozená a na maily nikdo neodpovídá. "
        "Samotný telefon je skvělý a cena byla dobrá, ale znovu už tady neobjednám, komunikace je "
        "hrozná."
    ),
    "sk": (
        "Balík prišiel o dva dni neskôr, škatuľa bola poškodená a na maily nikto neodpovedá. "
        "Samotný telefón je skvelý a cena bola dobrá, ale znova už tu neobjednám, komunikácia je "
        "hrozná."
    ),
    "pl": (
        "Paczka przyszła dwa dni później, pudełko było uszkodzone i nikt nie odpowiada na maile. "
        "Sam telefon jest świetny, cena też dobra, ale nigdy więcej tu nie zamówię, obsługa jest "
        "fatalna."
    ),
    "uk": (
        "Посилка прийшла на два дні пізніше, коробка була пошкоджена, і ніхто не відповідає на "
        "листи. Сам телефон чудовий, ціна гарна, але більше тут не замовлю, обслуговування жахливе."
    ),
    "ru": (
        "Посылка пришла на два дня позже, коробка была повреждена, и никто не отвечает на письма. "
        "Сам телефон отличный, цена хорошая, но больше здесь не закажу, обслуживание ужасное."
    ),
    "de": (
        "Das Paket kam zwei Tage später, der Karton war beschädigt und niemand antwortet auf meine "
        "Mails. Das Telefon selbst ist toll und der Preis war gut, aber hier bestelle ich nie "
        "wieder, der Service ist furchtbar."
    ),
    "hu": (
        "A csomag két nappal később jött meg, a doboz sérült volt, és senki nem válaszol az "
        "e-mailjeimre. Maga a telefon remek, az ára is jó volt, de soha többé nem rendelek innen, "
        "az ügyfélszolgálat borzalmas."
    ),
}


def texts_a_second(run: Callable[[], object], count: int, rounds: int = 3) -> float:
    """Gives the best of some rounds, as the others were disturbed by the machine."""
    best = 0.0
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        best = max(best, count / (time.perf_counter() - start))
    return best


def speed(count: int) -> None:
    """Prints the table of texts a second: the whole assessment against VADER's `polarity_scores` alone."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    vader = SentimentIntensityAnalyzer()
    english = [f"{SENTENCES['en']} {number}" for number in range(count)]
    base = texts_a_second(lambda: [vader.polarity_scores(text) for text in english], count)
    print(f"{count} texts of about 200 characters, the best of three rounds\n")
    print("| what | texts/s | against vaderSentiment |\n|---|--:|--:|")
    print(f"| vaderSentiment alone, en | {base:,.0f} | 1.00 |")
    assessor = Assessor()
    for language, sentence in SENTENCES.items():
        items = [Assessable(text=f"{sentence} {number}") for number in range(count)]
        rate = texts_a_second(lambda items=items: list(assessor.assess(items)), count)  # type: ignore[misc]
        print(f"| assessment, {language} | {rate:,.0f} | {rate / base:.2f} |")


def bare(text: str) -> str:
    """Gives the text without diacritics."""
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


def f1(gold: Sequence[str], said: Sequence[str], label: str) -> tuple[float, float, float]:
    """Gives precision, recall and F1 of one label."""
    both = sum(one == other == label for one, other in zip(gold, said, strict=True))
    precision = both / max(1, sum(one == label for one in said))
    recall = both / max(1, sum(one == label for one in gold))
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def quality(folder: Path, strip: bool, errors: int) -> None:
    """Prints a table by file: macro-F1, negatives, share without any evidence, and languages told right."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    vader = SentimentIntensityAnalyzer()
    print("| file | texts | macro-F1 | VADER | neg. precision | neg. recall | compound 0 | language right |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for path in sorted(folder.glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
        texts = [bare(row["text"]) if strip else row["text"] for row in rows]
        gold = [row["label"] for row in rows]
        assessments = list(Assessor().assess(Assessable(text=text, language=path.stem) for text in texts))
        said = [one.label.value for one in assessments]
        compounds = [vader.polarity_scores(text)["compound"] for text in texts]
        theirs = ["neg" if one <= -0.05 else "pos" if one >= 0.05 else "neu" for one in compounds]
        macro, macro_vader = (
            sum(f1(gold, one, label)[2] for label in ("neg", "neu", "pos")) / 3 for one in (said, theirs)
        )
        precision, recall, _ = f1(gold, said, "neg")
        zero = sum(not one.compound for one in assessments) / len(rows)
        told = Counter(language_of(text) for text in texts)
        print(
            f"| {path.stem} | {len(rows)} | {macro:.3f} | {macro_vader:.3f} | {precision:.2f} | {recall:.2f} "
            f"| {zero:.2f} | {told[path.stem] / len(rows):.3f} |"
        )
        wrong = [row for row in zip(gold, assessments, texts, strict=True) if row[0] != row[1].label]
        for label, one, text in wrong[:errors]:
            print(
                f"  {label} {one.compound} {text[:150]!r} {[(r.evidence, round(r.share, 1)) for r in one.reasons[:4]]}"
            )
        if errors:
            print("  told:", told.most_common(5))


def main() -> None:
    """Runs what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", type=Path, help="a folder with <language>.jsonl files")
    parser.add_argument("--strip-diacritics", action="store_true")
    parser.add_argument("--errors", type=int, default=0, help="how many wrong ones to print for each file")
    parser.add_argument("--texts", type=int, default=2000)
    arguments = parser.parse_args()
    if arguments.dev:
        quality(arguments.dev, arguments.strip_diacritics, arguments.errors)
    else:
        speed(arguments.texts)


if __name__ == "__main__":
    main()

"""Texts a second against vaderSentiment in one run, and how well the labels fit given files.

python benchmarks/assess.py                 # speed, by language
python benchmarks/assess.py --entries       # words and phrases, by language
python benchmarks/assess.py --dev FOLDER    # macro-F1 on <language>.jsonl of {"text", "label", "lang"}
python benchmarks/assess.py --dev tests/assess/written/first                         # or <language>.tsv of label, text
python benchmarks/assess.py --dev FOLDER --strip-diacritics --errors 20
python benchmarks/assess.py --dev FOLDER --mistyped 10           # a typing error in every tenth word
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.language import language_of
from reviewdesk.assess.lexicon import lexicon, read

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

NATURAL = 0.06
ROUNDS = 7


def texts_a_second(run: Callable[[], object], count: int, rounds: int = 3) -> float:
    """Gives the best of some rounds in processor time, as the others were disturbed by the machine."""
    best = 0.0
    for _ in range(rounds):
        start = time.process_time()
        run()
        best = max(best, count / (time.process_time() - start))
    return best


def short(sentence: str) -> str:
    """Gives the beginning of a text, some 90 characters of whole words."""
    return sentence[:90].rpartition(" ")[0]


def with_new_words(text: str, number: int) -> str:
    """Gives a text in which each word has an ending that no other number has, so that none was met before."""
    ending = "".join(chr(ord("a") + int(digit)) for digit in str(number))
    return " ".join(word.rstrip(",.") + ending for word in text.split())


def speed(count: int) -> None:
    """Prints the table of texts a second: the whole assessment against VADER's `polarity_scores` alone."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    vader = SentimentIntensityAnalyzer()
    english = [f"{SENTENCES['en']} {number}" for number in range(count)]
    short_english = [f"{short(SENTENCES['en'])} {number}" for number in range(count)]
    assessor = Assessor()
    print(
        f"{count} texts of about 200 characters, of 90 (short), and of 90 without any word that was met before (new);"
        f" the best of {ROUNDS} rounds side by side, once for the new, in processor time\n"
    )
    print("| language | texts/s | VADER, en | ratio | short | VADER, en | ratio | new | ratio |")
    print("|---" + "|--:" * 8 + "|")
    for language, sentence in SENTENCES.items():
        cells = []
        base = 0.0
        for text, theirs in ((sentence, english), (short(sentence), short_english)):
            items = [Assessable(text=f"{text} {number}") for number in range(count)]
            rate = base = 0.0
            for _ in range(ROUNDS):
                rate = max(rate, texts_a_second(lambda items=items: list(assessor.assess(items)), count, 1))  # type: ignore[misc]
                base = max(
                    base,
                    texts_a_second(lambda theirs=theirs: [vader.polarity_scores(one) for one in theirs], count, 1),  # type: ignore[misc]
                )
            cells += [f"{rate:,.0f}", f"{base:,.0f}", f"{rate / base:.2f}"]
        new = [Assessable(text=with_new_words(short(sentence), number), language=language) for number in range(count)]
        rate = texts_a_second(lambda new=new: list(assessor.assess(new)), count, 1)  # type: ignore[misc]
        print(f"| {' | '.join([language, *cells, f'{rate:,.0f}', f'{rate / base:.2f}'])} |")


def bare(text: str) -> str:
    """Gives the text without diacritics."""
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


def mistyped(text: str, every: int, seed: int) -> str:
    """Gives the text with a typing error in about one of `every` words of four letters and more: two letters swapped,
    or one left out, typed twice, or another one in its place. First letters stay."""
    chance = random.Random(seed)

    def typed(match: re.Match[str]) -> str:
        word = match[0]
        if chance.randrange(every):
            return word
        at = chance.randrange(1, len(word) - 1)
        before, one, after = word[:at], word[at], word[at + 1 :]
        return chance.choice(
            (
                before + after[0] + one + after[1:],
                before + after,
                before + one + one + after,
                before + chance.choice(word) + after,
            )
        )

    return re.sub(r"[^\W\d_]{4,}", typed, text)


def f1(gold: Sequence[str], said: Sequence[str], label: str) -> tuple[float, float, float]:
    """Gives precision, recall and F1 of one label."""
    both = sum(one == other == label for one, other in zip(gold, said, strict=True))
    precision = both / max(1, sum(one == label for one in said))
    recall = both / max(1, sum(one == label for one in gold))
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def precision_in_a_feed(gold: Sequence[str], probabilities: Sequence[float]) -> float:
    """Gives the precision of the queue at 80% recall, were negatives `NATURAL` of all texts, as in a shop's feed."""
    negatives = gold.count("neg")
    worth = NATURAL / (1 - NATURAL) * (len(gold) - negatives) / max(1, negatives)
    found = wrong = 0
    for _, label in sorted(zip(probabilities, gold, strict=True), key=lambda one: -one[0]):
        found += label == "neg"
        wrong += label != "neg"
        if found >= 0.8 * negatives:
            break
    return found * worth / max(1e-9, found * worth + wrong)


def labelled(path: Path) -> list[tuple[str, str]]:
    """Gives label and text of each line of a .jsonl or .tsv file."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    if path.suffix == ".tsv":
        return [(label, text) for label, _, text in (line.partition("\t") for line in lines)]
    return [(row["label"], row["text"]) for row in map(json.loads, lines)]


def files_in(folder: Path) -> list[Path]:
    """Gives a folder's files of labelled texts."""
    return sorted([*folder.glob("*.jsonl"), *folder.glob("*.tsv")])


def quality(folder: Path, strip: bool, errors: int, mistyped_every: int) -> None:
    """Prints a table by file: macro-F1, negatives, share without any evidence, languages told right, and speed."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    vader = SentimentIntensityAnalyzer()
    print(f"Negatives are {NATURAL:.0%} in the column of the feed; texts a second are met for the second time.\n")
    print(
        "| file | texts | macro-F1 | VADER | neg. F1 | neu. F1 | pos. F1 | neg. precision | neg. recall | compound 0 "
        "| feed: precision at 80% recall | language right | texts/s | VADER texts/s |"
    )
    print("|---" * 14 + "|")
    for path in files_in(folder):
        rows = labelled(path)
        texts = [bare(text) if strip else text for _, text in rows]
        if mistyped_every:
            texts = [mistyped(text, mistyped_every, number) for number, text in enumerate(texts)]
        gold = [label for label, _ in rows]
        items = [Assessable(text=text, language=path.stem) for text in texts]
        assessments = list(Assessor().assess(items))
        said = [one.label.value for one in assessments]
        compounds = [vader.polarity_scores(text)["compound"] for text in texts]
        theirs = ["neg" if one <= -0.05 else "pos" if one >= 0.05 else "neu" for one in compounds]
        each, each_vader = ([f1(gold, one, label)[2] for label in ("neg", "neu", "pos")] for one in (said, theirs))
        precision, recall, _ = f1(gold, said, "neg")
        told = Counter(language_of(text) for text in texts)
        rate = texts_a_second(lambda items=items: list(Assessor().assess(items)), len(items))  # type: ignore[misc]
        rate_vader = texts_a_second(
            lambda texts=texts: [vader.polarity_scores(text) for text in texts],  # type: ignore[misc]
            len(texts),
        )
        cells = [
            path.stem,
            str(len(rows)),
            f"{sum(each) / 3:.3f}",
            f"{sum(each_vader) / 3:.3f}",
            *(f"{one:.2f}" for one in each),
            f"{precision:.2f}",
            f"{recall:.2f}",
            f"{sum(not one.compound for one in assessments) / len(rows):.2f}",
            f"{precision_in_a_feed(gold, [one.probability for one in assessments]):.2f}",
            f"{told[path.stem] / len(rows):.3f}",
            f"{rate:,.0f}",
            f"{rate_vader:,.0f}",
        ]
        print(f"| {' | '.join(cells)} |")
        wrong = [row for row in zip(gold, assessments, texts, strict=True) if row[0] != row[1].label]
        for label, one, text in wrong[:errors]:
            print(
                f"  {label} {one.compound} {text[:150]!r} {[(r.evidence, round(r.share, 1)) for r in one.reasons[:4]]}"
            )
        if errors:
            print("  told:", told.most_common(5))


def entries() -> None:
    """Prints what the languages' files hold."""
    print("| file | words and their beginnings | phrase patterns | what they stand for |\n|---|--:|--:|--:|")
    for file in sorted((resources.files("reviewdesk.assess") / "languages").iterdir(), key=lambda one: one.name):
        code = file.name.removesuffix(".toml")
        if len(code) == 2:
            data = read(code, file.read_text("utf-8"))
            words = sum(len(group.entries.split()) for group in data.words)
            patterns = sum(len(group.entries) for group in data.phrases)
            print(f"| {code} | {words:,} | {patterns:,} | {lexicon(code).size:,} |")


def main() -> None:
    """Runs what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", type=Path, help="a folder with <language>.jsonl files")
    parser.add_argument("--strip-diacritics", action="store_true")
    parser.add_argument("--mistyped", type=int, default=0, help="make a typing error in one of so many words")
    parser.add_argument("--errors", type=int, default=0, help="how many wrong ones to print for each file")
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--entries", action="store_true", help="how many words and phrases each language has")
    arguments = parser.parse_args()
    if arguments.entries:
        entries()
    elif arguments.dev:
        quality(arguments.dev, arguments.strip_diacritics, arguments.errors, arguments.mistyped)
    else:
        speed(arguments.texts)


if __name__ == "__main__":
    main()

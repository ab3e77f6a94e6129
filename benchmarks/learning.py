"""What corrections are worth: macro-F1 on texts that were not corrected, by how many others were.

python benchmarks/learning.py --dev FOLDER                  # <language>.jsonl of {"text", "label"}
python benchmarks/learning.py --dev tests/assess/written/many/unread   # or <language>.tsv of label, text
python benchmarks/learning.py --dev FOLDER --only-wrong     # agents correct what is wrong, and never confirm
python benchmarks/learning.py --dev FOLDER --natural        # as in a shop's feed, where most are content
python benchmarks/learning.py --dev FOLDER --speed          # texts a second with a model in use

Each split takes a fourth of a file to judge, at least 100 texts, and corrects the others in a random order. All figures
are means over the splits; "whole" is the model used whole, whatever it was worth on the corrections.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from assess import NATURAL, files_in, labelled

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.learned import LearnedAssessor, family_of
from reviewdesk.assess.learner import (
    COMPLAINT,
    LABELS,
    Learning,
    Lesson,
    Tally,
    best,
    engine_says,
    learn,
    scale,
    summed,
)
from reviewdesk.desk.learning import lesson
from reviewdesk.model import Label

SIZES = (0, 20, 50, 100, 200, 500)
FEED = {Label.NEGATIVE: NATURAL, Label.NEUTRAL: 0.10, Label.POSITIVE: 0.90 - NATURAL}
"""The shares of labels in a shop's feed."""


class Means(NamedTuple):
    """Sums over splits: of the engine, of what is used, of the whole model, of complaints' F1, and of the splits."""

    engine: float = 0.0
    used: float = 0.0
    whole: float = 0.0
    complaints: float = 0.0
    splits: int = 0


def lessons_in(path: Path) -> list[Lesson]:
    """Gives the labelled texts of a file as lessons; negative ones count as complaints."""
    judge = Assessor()
    return [
        lesson(Assessable(text=text, language=path.stem), Label(label), label == "neg", judge)
        for label, text in labelled(path)
    ]


def judged(learning: Learning, test: Sequence[Lesson], *, natural: bool) -> tuple[float, float, float, float]:
    """Gives macro-F1 of the engine, of what is used and of the whole model, and the gain in F1 of complaints. With
    `natural` each label counts as much as it is met in a feed."""
    model = learning.model
    met = Counter(one.label for one in test)
    engine, used, whole = Tally(), Tally(), Tally()
    for one in test:
        prior, size = engine_says(one.compound, one.probability), scale(one.keys)
        added = list(model.signals_say(one.signals))
        for key in one.keys:
            added = [each + said * size for each, said in zip(added, model.piece_says(key), strict=True)]
        weight = FEED[one.label] / met[one.label] if natural else 1.0
        _count(engine, one, prior, weight)
        _count(used, one, summed(prior, added, model.label_share, model.complaint_share), weight)
        _count(whole, one, summed(prior, added, 1.0, 1.0), weight)
    return engine.macro_f1, used.macro_f1, whole.macro_f1, used.complaint_f1 - engine.complaint_f1


def _count(tally: Tally, one: Lesson, said: Sequence[float], weight: float) -> None:
    tally.labels[LABELS.index(one.label)][best(said)] += weight
    tally.complaints[one.complaint][said[COMPLAINT] >= 0] += weight


def as_in_a_feed(lessons: Sequence[Lesson]) -> list[Lesson]:
    """Gives as many of the lessons as have the shares of a feed, in their order; the others stay to be judged on."""
    by_label = {label: [one for one in lessons if one.label is label] for label in LABELS}
    most = min(len(by_label[label]) * 0.6 / share for label, share in FEED.items())
    kept = {id(one) for label, share in FEED.items() for one in by_label[label][: round(most * share)]}
    return [one for one in lessons if id(one) in kept]


def curve(lessons: Sequence[Lesson], splits: int, *, only_wrong: bool, natural: bool) -> dict[int, Means]:
    """Gives the sums by the number of texts that an agent has looked at."""
    found: dict[int, Means] = {}
    held = max(100, len(lessons) // 4)
    for split in range(splits):
        order = random.Random(split).sample(lessons, len(lessons))
        test, rest = order[:held], order[held:]
        if natural:
            rest = as_in_a_feed(order)
            looked_at = set(map(id, rest))
            test = [one for one in order if id(one) not in looked_at]
        for size in dict.fromkeys(min(size, len(rest)) for size in SIZES):
            told = [one for one in rest[:size] if not only_wrong or _is_wrong(one)]
            engine, used, whole, complaints = judged(learn(told), test, natural=natural)
            before = found.get(size, Means())
            found[size] = Means(
                before.engine + engine,
                before.used + used,
                before.whole + whole,
                before.complaints + complaints,
                before.splits + 1,
            )
    return found


def _is_wrong(one: Lesson) -> bool:
    return LABELS[best(engine_says(one.compound, one.probability))] is not one.label


def speed(path: Path) -> None:
    """Prints texts a second of the engine alone and with a model of half of the file."""
    lessons = lessons_in(path)
    model = learn(lessons[: len(lessons) // 2]).model
    model.label_share = model.complaint_share = 1.0
    items = [Assessable(text=text, language=path.stem) for _, text in labelled(path)]
    rates = []
    for judge in (Assessor(), LearnedAssessor({family_of(path.stem): model})):
        best_rate = 0.0
        for _ in range(3):
            start = time.process_time()
            list(judge.assess(items))
            best_rate = max(best_rate, len(items) / (time.process_time() - start))
        rates.append(best_rate)
    print(f"| {path.stem} | {rates[0]:,.0f} | {rates[1]:,.0f} | {rates[1] / rates[0]:.2f} |")


def main() -> None:
    """Runs what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", type=Path, required=True, help="a folder with <language>.jsonl or .tsv")
    parser.add_argument("--splits", type=int, default=8)
    parser.add_argument("--only-wrong", action="store_true", help="confirm nothing: the corrections are errors alone")
    parser.add_argument("--natural", action="store_true", help=f"corrected and judged with {NATURAL:.0%} negatives")
    parser.add_argument("--speed", action="store_true")
    arguments = parser.parse_args()
    paths = files_in(arguments.dev)
    if arguments.speed:
        print("| file | engine, texts/s | with a model | ratio |\n|---|--:|--:|--:|")
        for path in paths:
            speed(path)
        return
    print("| file | corrections | engine | learned | gain | whole | complaints' F1 gain |\n|---" + "|--:" * 6 + "|")
    for path in paths:
        for size, sums in curve(
            lessons_in(path), arguments.splits, only_wrong=arguments.only_wrong, natural=arguments.natural
        ).items():
            engine, used, whole, complaints = (each / sums.splits for each in sums[:4])
            cells = [f"{engine:.3f}", f"{used:.3f}", f"{used - engine:+.3f}", f"{whole:.3f}", f"{complaints:+.3f}"]
            print(f"| {path.stem} | {size} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

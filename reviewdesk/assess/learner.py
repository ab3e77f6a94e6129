"""A small linear model that learns from people's corrections, one after the other. Pure, without libraries.

It is a logistic regression on top of the engine: for each label, and for "is it a complaint?", it adds to what the
engine says the weights of the hashed pieces of the words and of the engine's own signals. Without a correction all of
them are 0, and the word is the engine's. Each correction is first judged and then learned, with a few earlier ones
again; what was judged so tells how good the model is on texts that it does not know, and how much of it is used.
"""

from __future__ import annotations

import math
import random
import sys
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import mul
from typing import NamedTuple

from reviewdesk.assess.traits import COLUMNS, SIGNALS, columns_of
from reviewdesk.model import Label

LABELS = (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)
WAYS = len(LABELS) + 1
"""What each column has a weight for: the three labels, and "it is a complaint"."""
COMPLAINT = len(LABELS)

STEEP = 4.0
"""How sure the engine counts as: its compound times this speaks for "positive", and against "negative"."""
_NEUTRAL = 0.05 * STEEP
_SURE_MOST = 4.0

_HOLDS_BACK, _HOLDS_BACK_FEW, _HOLDS_BACK_ONE_SIDED = 3.0, 150.0, 10.0
"""How strongly the weights are held at zero: the engine's word needs that much evidence to be overruled, more while
corrections are few (the second, shared among them), and more where nothing but its errors is told."""
_WORDS_WEIGH, _SIGNALS_WEIGH = 2.8, 0.7
"""How far the words of a whole text, and each of the engine's signals, reach."""
_COMMON_TELLS = 0.3
_AGAIN = 3
_REVISIONS = 4
_RARE_COUNTS_MOST = 6.0

SHARES = (0.0, 0.5, 1.0)
"""How much of the model can be used; what was judged before it was learned decides."""
_TRUSTED_FROM = 20
_LABELS_OF_CHANCE, _COMPLAINTS_OF_CHANCE = 1 / 3, 2.0
"""What a lead must be worth, in texts of the rarest label (one moves their mean F1 by a third of itself), and in
complaints: where there are few, less is chance."""
_FORGETS = 0.997
_CONFIRMED_LEAST = 0.25
LESSONS_MOST = 2_000
"""The newest corrections of a language that are learned from."""

Four = tuple[float, float, float, float]
_ZERO: Four = (0.0, 0.0, 0.0, 0.0)


class Lesson(NamedTuple):
    """One correction, as the learner sees it.

    Attributes:
        keys: `traits.keys_of`.
        signals: `traits.signals_of`.
        compound, probability: the engine's word.
        label, complaint: the person's word; one that agrees with the engine confirms it, and counts as well.
        language: as assessed.
    """

    keys: tuple[str, ...]
    signals: tuple[float, ...]
    compound: float
    probability: float
    label: Label
    complaint: bool
    language: str = ""


class Tally:
    """How often which label was said where which was right, and the same of complaints.

    Attributes:
        labels: by the right label and the said one.
        complaints: by what is right and what was said.
    """

    def __init__(self, labels: Sequence[Sequence[float]] = (), complaints: Sequence[Sequence[float]] = ()) -> None:
        self.labels = [list(row) for row in labels] or [[0.0] * len(LABELS) for _ in LABELS]
        self.complaints = [list(row) for row in complaints] or [[0.0, 0.0], [0.0, 0.0]]

    def count(self, lesson: Lesson, said: Sequence[float], *, forgets: float = 1.0) -> None:
        """Counts what was said, as scores of the labels and of a complaint; what came before counts `forgets` times."""
        if forgets != 1.0:
            for row in (*self.labels, *self.complaints):
                row[:] = [each * forgets for each in row]
        self.labels[LABELS.index(lesson.label)][best(said)] += 1
        self.complaints[lesson.complaint][said[COMPLAINT] >= 0] += 1

    @property
    def counted(self) -> float:
        """How many were counted."""
        return sum(map(sum, self.labels))

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the labels that were right or said at least once; 0 where nothing was counted."""
        found = [f1(self.labels, place) for place in range(len(LABELS)) if _met(self.labels, place)]
        return sum(found) / len(found) if found else 0.0

    @property
    def complaint_f1(self) -> float:
        """The F1 of complaints; 1 where there were none and none was said."""
        return f1(self.complaints, 1) if _met(self.complaints, 1) else 1.0

    def complaint_rates(self) -> tuple[float | None, float | None]:
        """Gives precision and recall of complaints; None where none was said, or none was right."""
        (_, wrongly), (missed, found) = self.complaints
        said, right = wrongly + found, missed + found
        return (found / said if said else None), (found / right if right else None)


def f1(counts: Sequence[Sequence[float]], place: int) -> float:
    """Gives the F1 of one class of a table by the right one and the said one."""
    both = 2 * counts[place][place]
    met = _met(counts, place)
    return both / met if met else 0.0


def _met(counts: Sequence[Sequence[float]], place: int) -> float:
    return sum(counts[place]) + sum(row[place] for row in counts)


def engine_says(compound: float, probability: float) -> Four:
    """Gives the engine's word as scores: the highest of the first three is its label, the last is over 0 for a
    complaint."""
    likely = min(max(probability, 1e-3), 1 - 1e-3)
    sure = math.log(likely / (1 - likely))
    return (-STEEP * compound, _NEUTRAL, STEEP * compound, min(max(sure, -_SURE_MOST), _SURE_MOST))


def best(scores: Sequence[float]) -> int:
    """Gives the place of the label with the highest score; "neutral" only where it is higher than both others."""
    sides = 0 if scores[0] >= scores[2] else 2
    return 1 if scores[1] > scores[sides] else sides


class Model:
    """What was learned of one language.

    Attributes:
        columns: the weights of the hashed pieces, `WAYS` for each column.
        signals: the weights of the engine's signals, `WAYS` for each.
        label_share, complaint_share: how much of it is used, out of `SHARES`.
    """

    def __init__(
        self, columns: array[float], signals: Sequence[float], *, label_share: float, complaint_share: float
    ) -> None:
        self.columns = columns
        self.signals = tuple(signals)
        self.label_share = label_share
        self.complaint_share = complaint_share

    def packed(self) -> bytes:
        """Gives it as bytes, for `unpacked`; there is no text in them."""
        numbers = array("f", [self.label_share, self.complaint_share, *self.signals]) + self.columns
        if sys.byteorder == "big":
            numbers.byteswap()
        return zlib.compress(numbers.tobytes(), 1)

    @classmethod
    def unpacked(cls, packed: bytes) -> Model:
        """Gives a model from its bytes.

        Raises:
            ValueError: they are no model's.
        """
        numbers = array("f")
        try:
            numbers.frombytes(zlib.decompress(packed))
        except zlib.error as error:
            raise ValueError("damaged") from error
        if len(numbers) != 2 + SIGNALS * WAYS + COLUMNS * WAYS:
            raise ValueError("of another size")
        if sys.byteorder == "big":
            numbers.byteswap()
        label, complaint = numbers[:2]
        signals, columns = numbers[2 : 2 + SIGNALS * WAYS], numbers[2 + SIGNALS * WAYS :]
        return cls(columns, signals, label_share=label, complaint_share=complaint)

    @property
    def used(self) -> bool:
        """False for a model that does not pay and so says nothing."""
        return bool(self.label_share or self.complaint_share)

    def piece_says(self, key: str) -> Four:
        """Gives what a piece adds to each score, before `scale` makes it a part of its text's."""
        a = b = c = d = 0.0
        columns = self.columns
        for column in columns_of(key):
            at = column * WAYS
            a += columns[at]
            b += columns[at + 1]
            c += columns[at + 2]
            d += columns[at + 3]
        return a, b, c, d

    def signals_say(self, signals: Sequence[float]) -> Four:
        """Gives what the engine's signals add to each score."""
        a, b, c, d = (sum(map(mul, signals, self.signals[way::WAYS])) for way in range(WAYS))
        return a, b, c, d


def scale(keys: Iterable[str]) -> float:
    """Gives the weight of each column in a text of these pieces: the longer, the less each says."""
    return scale_of(sum(len(columns_of(key)) for key in keys))


def scale_of(columns: int) -> float:
    """Gives the same by the number of columns."""
    return _WORDS_WEIGH / math.sqrt(columns) if columns else 0.0


class _Prepared(NamedTuple):
    """A lesson as it is learned: with `held`, what it has put into the weights so far, for each way."""

    lesson: Lesson
    right: int
    columns: tuple[tuple[int, float], ...]
    signals: tuple[float, ...]
    prior: Four
    size: float
    held: list[float]


class Learning(NamedTuple):
    """What came of corrections.

    Attributes:
        engine, learned: by language, how each judged every correction before it was learned.
    """

    model: Model
    engine: dict[str, Tally]
    learned: dict[str, Tally]


def learn(lessons: Sequence[Lesson]) -> Learning:
    """Learns from corrections in their order; of very many from the newest `LESSONS_MOST`. The same ones give the same.

    Where hardly any correction confirms the engine they say what it gets wrong and not what it gets right. Then the
    words alone are learned, and at most half of them is used.
    """
    lessons = lessons[-LESSONS_MOST:]
    confirmed = sum(best(engine_says(each.compound, each.probability)) == LABELS.index(each.label) for each in lessons)
    one_sided = confirmed < _CONFIRMED_LEAST * len(lessons)
    tells = _telling(lessons, len(lessons))
    return _Course(len(lessons), one_sided, tells).run([_prepared(each, tells, one_sided) for each in lessons])


def _prepared(lesson: Lesson, tells: Mapping[int, float], one_sided: bool) -> _Prepared:
    counts = Counter(column for key in lesson.keys for column in columns_of(key))
    scale = scale_of(counts.total())
    columns = tuple((column, count * tells[column] * scale) for column, count in counts.items())
    signals = () if one_sided else tuple(each * _SIGNALS_WEIGH for each in lesson.signals)
    size = sum(value * value for _, value in columns) + sum(each * each for each in signals)
    prior = engine_says(lesson.compound, lesson.probability)
    return _Prepared(lesson, LABELS.index(lesson.label), columns, signals, prior, size, [0.0] * WAYS)


def _telling(lessons: Iterable[Lesson], count: int) -> dict[int, float]:
    """Gives how much each column tells: 1 for one that a single text has, next to nothing for one that all have."""
    texts = Counter(
        column for lesson in lessons for column in {column for key in lesson.keys for column in columns_of(key)}
    )
    most = math.log((count + 1) / 2) + _COMMON_TELLS
    return {column: (math.log((count + 1) / (met + 1)) + _COMMON_TELLS) / most for column, met in texts.items()}


class _Course:
    """One run through the corrections, by steps in the dual: each lesson holds what it has put into the weights, and a
    step brings that to where the lesson's own error and the pull towards zero are even. There is no rate to choose."""

    def __init__(self, count: int, one_sided: bool, tells: Mapping[int, float]) -> None:
        self.tells = tells
        self.holds_back = _HOLDS_BACK_ONE_SIDED if one_sided else _HOLDS_BACK + _HOLDS_BACK_FEW / max(count, 1)
        self.shares = tuple(share for share in SHARES if share < 1 or not one_sided)
        self.columns: dict[int, list[float]] = {}
        self.signals = [[0.0] * WAYS for _ in range(SIGNALS)]
        self.met = [0] * WAYS
        self.trials = {share: Tally() for share in self.shares}
        self.label_share = self.complaint_share = 0.0
        self.engine: dict[str, Tally] = {}
        self.learned: dict[str, Tally] = {}

    def run(self, lessons: Sequence[_Prepared]) -> Learning:
        for count, one in enumerate(lessons):
            self.judge(count, one)
            self.met[one.right] += 1
            self.met[COMPLAINT] += one.lesson.complaint
            self.take(one)
            again = random.Random(count)  # noqa: S311 - the same corrections give the same model
            for _ in range(_AGAIN):
                self.take(lessons[again.randrange(count + 1)])
        order = random.Random(len(lessons))  # noqa: S311 - as above
        for _ in range(_REVISIONS):
            for one in order.sample(lessons, len(lessons)):
                self.take(one)
        columns = array("f", bytes(4 * WAYS * COLUMNS))
        for column, row in self.columns.items():
            tells = self.tells[column]
            columns[column * WAYS : (column + 1) * WAYS] = array("f", [weight * tells for weight in row])
        signals = [weight * _SIGNALS_WEIGH for row in self.signals for weight in row]
        model = Model(columns, signals, label_share=self.label_share, complaint_share=self.complaint_share)
        return Learning(model, self.engine, self.learned)

    def judge(self, count: int, one: _Prepared) -> None:
        added = self.scores(one)
        prior = one.prior
        label, complaint = self.label_share, self.complaint_share
        spoken = one.lesson.language
        self.engine.setdefault(spoken, Tally()).count(one.lesson, prior)
        self.learned.setdefault(spoken, Tally()).count(one.lesson, summed(prior, added, label, complaint))
        for share, tally in self.trials.items():
            tally.count(one.lesson, summed(prior, added, share, share), forgets=_FORGETS)
        if count + 1 >= _TRUSTED_FROM:
            rarest = min(met for met in self.met[:COMPLAINT] if met)
            self.label_share = self.chosen(
                {share: each.macro_f1 for share, each in self.trials.items()}, _LABELS_OF_CHANCE / rarest
            )
            rarer = max(min(self.met[COMPLAINT], count - self.met[COMPLAINT]), 1)
            self.complaint_share = self.chosen(
                {share: each.complaint_f1 for share, each in self.trials.items()}, _COMPLAINTS_OF_CHANCE / rarer
            )

    @staticmethod
    def chosen(worth: dict[float, float], chance: float) -> float:
        """Gives the share that was best, none where its lead is no more than chance; of equal ones the smallest."""
        return max(worth, key=lambda share: (worth[share] - (chance if share else 0.0), -share))

    def scores(self, one: _Prepared) -> list[float]:
        """Gives what the weights add to each score of a lesson's mention."""
        a = b = c = d = 0.0
        of = self.columns.get
        for column, value in one.columns:
            if (row := of(column)) is not None:
                a += row[0] * value
                b += row[1] * value
                c += row[2] * value
                d += row[3] * value
        sums = [a, b, c, d]
        for signal, row in zip(one.signals, self.signals, strict=False):
            for way, weight in enumerate(row):
                sums[way] += signal * weight
        return sums

    def take(self, one: _Prepared) -> None:
        """Moves the weights a step towards what a person said of one mention."""
        scores = summed(one.prior, self.scores(one), 1.0, 1.0)
        top = max(scores[:COMPLAINT])
        likely = [math.exp(score - top) for score in scores[:COMPLAINT]]
        total, seen = sum(likely), sum(self.met[:COMPLAINT])
        rare = min((seen + len(LABELS)) / (len(LABELS) * (self.met[one.right] + 1)), _RARE_COUNTS_MOST)
        errors = [(rare, each / total - (way == one.right)) for way, each in enumerate(likely)]
        same = self.met[COMPLAINT] if one.lesson.complaint else seen - self.met[COMPLAINT]
        rare = min((seen + 2) / (2 * (same + 1)), _RARE_COUNTS_MOST)
        errors.append((rare, 1 / (1 + math.exp(-scores[COMPLAINT])) - one.lesson.complaint))
        moved = [
            -(self.holds_back * held + rare * error) / (self.holds_back + 0.5 * rare * one.size)
            for held, (rare, error) in zip(one.held, errors, strict=True)
        ]
        one.held[:] = [held + move for held, move in zip(one.held, moved, strict=True)]
        a, b, c, d = moved
        columns = self.columns
        for column, value in one.columns:
            row = columns.get(column)
            if row is None:
                columns[column] = [a * value, b * value, c * value, d * value]
            else:
                row[0] += a * value
                row[1] += b * value
                row[2] += c * value
                row[3] += d * value
        for signal, row in zip(one.signals, self.signals, strict=False):
            for way, move in enumerate(moved):
                row[way] += signal * move


def summed(prior: Sequence[float], added: Sequence[float], label: float, complaint: float) -> Four:
    """Gives the scores with these shares of what was learned added to the engine's."""
    return (
        prior[0] + label * added[0],
        prior[1] + label * added[1],
        prior[2] + label * added[2],
        prior[3] + complaint * added[3],
    )

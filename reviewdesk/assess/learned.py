"""The engine's assessments with what was learned from corrections on top, and reasons that say so. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from heapq import nlargest

import msgspec

from reviewdesk.assess import Assessor, weights
from reviewdesk.assess.assessable import Assessable
from reviewdesk.assess.combine import compound, most_weighty
from reviewdesk.assess.language import lexicon_of
from reviewdesk.assess.learner import COMPLAINT, STEEP, Four, Model, best, engine_says, scale_of, summed
from reviewdesk.assess.tokens import Memory, Tokens
from reviewdesk.assess.traits import COLUMNS_OF, Pieces, signals_of, total_of
from reviewdesk.model import Assessment, Intent, Label, Reason, Severity

NOTE = "learned"
_TOLD_MOST = 3
_WORTH_TELLING = 0.1
"""How many points what was learned must move a sum that keeps its label."""
_NEUTRAL_MOST, _SIDE_LEAST, _MOST = 0.04, 0.06, 0.98


def family_of(language: str) -> str:
    """Gives what corrections in a language teach: the languages that are read with the same words."""
    return lexicon_of(language) or language


class LearnedAssessor(Assessor):
    """Assesses as the engine does and adds what was learned of the language, where there is something.

    Args:
        models: by family (`family_of`).
    """

    def __init__(self, models: Mapping[str, Model]) -> None:
        self._voices = {family: _Voice(model) for family, model in models.items() if model.used}

    def assess(self, items: Iterable[Assessable]) -> Iterator[Assessment]:
        """Gives one assessment for each item, as `Assessor.assess` does."""
        for item in items:
            assessment, tokens = self._assessed(item)
            voice = self._voices.get(family_of(assessment.language))
            yield assessment if voice is None else voice.on(item, tokens, assessment)


class _Voice:
    """One model's word on mentions; what it says of a piece is looked up once and remembered."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._said: Memory[Four | None] = Memory(self._look_up)

    def _look_up(self, piece: str) -> Four | None:
        """Gives what the model says of a piece; None for nothing, as of most pairs of words."""
        said = self._model.piece_says(piece)
        return said if any(said) else None

    def on(self, item: Assessable, tokens: Tokens, assessment: Assessment) -> Assessment:
        """Gives the assessment with what was learned on top; the engine's where there are no words."""
        pieces = Pieces(item, tokens)
        if not pieces.words:
            return assessment  # what was learned was learned of words
        keys = pieces.words + pieces.pairs
        said = [(key, four) for key, four in zip(keys, map(self._said.__getitem__, keys), strict=True) if four]
        a = b = c = d = 0.0
        for _, (negative, neutral, positive, complaint) in said:
            a += negative
            b += neutral
            c += positive
            d += complaint
        size = scale_of(sum([len(COLUMNS_OF[word]) for word in pieces.words]) + len(pieces.pairs))
        signals = self._model.signals_say(signals_of(item, assessment))
        added = [each * size + signal for each, signal in zip((a, b, c, d), signals, strict=True)]
        prior = engine_says(assessment.compound or 0.0, assessment.probability)
        scores = summed(prior, added, self._model.label_share, self._model.complaint_share)
        if self._model.label_share:
            assessment = self._moved(pieces, said, assessment, prior, scores)
        if self._model.complaint_share:
            assessment = decided(item, assessment, 1 / (1 + math.exp(-scores[COMPLAINT])))
        return assessment

    @staticmethod
    def _moved(
        pieces: Pieces, said: list[tuple[str, Four]], assessment: Assessment, prior: Four, scores: Four
    ) -> Assessment:
        """Gives the assessment with its compound where the labels' scores put it."""
        before, after = best(prior), best(scores)
        shifted = ((scores[2] - scores[0]) - (prior[2] - prior[0])) / (2 * STEEP)
        wanted = _within(after, (assessment.compound or 0.0) + shifted)
        total = math.fsum(reason.share for reason in assessment.reasons)
        moved = total_of(wanted) - total
        if before == after and abs(moved) < _WORTH_TELLING:
            return assessment
        way, against = (after, before) if after != before else (2, 0) if moved > 0 else (0, 2)
        voices = [(weight, key) for key, four in said if (weight := four[way] - four[against]) > 0]
        reasons = _learned_reasons(pieces, moved, voices)
        kept = most_weighty([*assessment.reasons, *reasons])
        return msgspec.structs.replace(
            assessment, compound=compound(math.fsum(reason.share for reason in kept)), reasons=kept
        )


def _within(place: int, wanted: float) -> float:
    """Gives the compound nearest to `wanted` that has a label."""
    if place == 1:
        return min(max(wanted, -_NEUTRAL_MOST), _NEUTRAL_MOST)
    return max(min(wanted, -_SIDE_LEAST), -_MOST) if place == 0 else min(max(wanted, _SIDE_LEAST), _MOST)


def _learned_reasons(pieces: Pieces, moved: float, voices: list[tuple[float, str]]) -> list[Reason]:
    """Gives the reasons of a move: the pieces that weighed most in its direction, and the others together."""
    whole = math.fsum(weight for weight, _ in voices)
    told: list[Reason] = []
    for weight, key in nlargest(_TOLD_MOST, voices):
        place = pieces.place(key)
        if place is not None:
            told.append(
                Reason(
                    field=place.field,
                    share=moved * weight / whole,
                    evidence=place.evidence,
                    start=place.start,
                    end=place.end,
                    note=NOTE,
                )
            )
    rest = moved - math.fsum(reason.share for reason in told)
    if len(voices) > len(told) or not told:
        count = len(voices) - len(told)
        evidence = f"{count} more" if count else "the whole"
        told.append(Reason(field="text", share=rest, evidence=evidence, note=f"{NOTE}, the rest together"))
    return told


def decided(item: Assessable, assessment: Assessment, likely: float) -> Assessment:
    """Gives the assessment with another probability of a complaint, and what follows from it.

    What the engine calls critical, or what has one or two stars, stays a complaint.
    """
    stays = assessment.severity is Severity.CRITICAL or (item.rating is not None and item.rating <= 2)
    if stays:
        likely = max(likely, assessment.probability)
    complaint = likely >= 0.5
    low, high = weights.UNSURE
    changed = msgspec.structs.replace(
        assessment,
        complaint=complaint,
        probability=likely,
        unsure=assessment.unsure or low < likely < high,
    )
    if complaint == assessment.complaint:
        return changed
    if complaint:
        return msgspec.structs.replace(changed, severity=Severity.MILD, intent=Intent.COMPLAINT)
    intent = assessment.intent
    if intent is Intent.COMPLAINT:
        intent = Intent.PRAISE if changed.label is Label.POSITIVE else Intent.OTHER
    return msgspec.structs.replace(changed, severity=Severity.NONE, intent=intent)

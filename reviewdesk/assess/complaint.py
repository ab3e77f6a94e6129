"""Whether a mention is a complaint, how likely, how severe, about what, and what its writer wants. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Set
from typing import NamedTuple

from reviewdesk.assess import weights
from reviewdesk.model import Intent, Reason, Severity, Topic


class Evidence(NamedTuple):
    """What the decision rests on.

    Attributes:
        total: the sum of all shares, those of the cons in part.
        text_total: the sum of the words' shares in text and title.
        phrase: the worst complaint phrase's severity; `Severity.NONE` without one.
        question: the text asks something and holds no complaint phrase.
        rating: stars from 1 to 5, None where not rated.
        recommends: the answer, None where not asked.
        praise: the sum of the good words' shares.
    """

    total: float
    text_total: float
    phrase: Severity
    question: bool
    rating: float | None
    recommends: bool | None
    praise: float = 0.0


def probability(evidence: Evidence) -> float:
    """Gives how likely the mention is a complaint, 0 to 1. At a half and over it is called one."""
    likely = 1 / (
        1 + math.exp(-(weights.COMPLAINT_BIAS - weights.COMPLAINT_SLOPE * max(min(evidence.total, 20.0), -20.0)))
    )
    bad_stars = evidence.rating is not None and evidence.rating <= 2
    good_stars = evidence.rating is not None and evidence.rating >= 4
    strong = evidence.phrase.rank >= Severity.SERIOUS.rank or evidence.text_total <= weights.FURIOUS
    praised = evidence.phrase is Severity.MILD and evidence.text_total >= weights.PRAISED
    if evidence.phrase is not Severity.NONE and not praised:
        least = weights.LEAST_WITH_PHRASE[evidence.phrase]
        likely = least + (1 - least) * likely
    if good_stars and not strong:
        return min(likely, weights.MOST_WITH_GOOD_STARS)
    if good_stars:
        return max(likely, weights.LEAST_WITH_PHRASE[Severity.MILD])
    if evidence.rating is not None and bad_stars:
        least = next(least for stars, least in sorted(weights.LEAST_WITH_STARS.items()) if evidence.rating <= stars)
        return max(likely, least)
    if evidence.question and evidence.rating is None and evidence.text_total > weights.ASKED_BLAME * weights.ASKED:
        return min(likely, weights.MOST_FOR_QUESTION)
    return likely


def severity(evidence: Evidence) -> Severity:
    """Gives how much a complaint hurts.

    Critical and serious by the complaint phrases; serious also with one star, or with a furious text; else mild.
    """
    if evidence.phrase.rank >= Severity.SERIOUS.rank:
        return evidence.phrase
    one_star = evidence.rating is not None and evidence.rating < 2
    return Severity.SERIOUS if one_star or evidence.text_total <= weights.FURIOUS else Severity.MILD


def intent(evidence: Evidence, said: Set[Intent], *, complaint: bool, link: bool) -> Intent:
    """Gives what the writer wants.

    Args:
        evidence: what the decision about the complaint rested on.
        said: what the writer says to want.
        complaint: it is one; only an insult without any complaint phrase is none.
        link: the text has a link, which makes an advertisement spam.
    """
    phrased = evidence.phrase is not Severity.NONE
    if Intent.SPAM in said and not phrased and (link or not complaint):
        return Intent.SPAM
    if Intent.ABUSE in said and not phrased and evidence.rating is None:
        return Intent.ABUSE
    if complaint:
        return Intent.COMPLAINT
    for one in (Intent.REQUEST, Intent.QUESTION):
        if one in said:
            return one
    return Intent.PRAISE if evidence.total >= weights.PRAISED else Intent.OTHER


def unsure(evidence: Evidence, reasons: Iterable[Reason], likely: float) -> bool:
    """Tells whether a person should look: next to nothing was said, it is near a half, or good and bad stand together.

    Stars that nobody contradicts leave no doubt.
    """
    if evidence.rating is not None:
        return any(reason.note == weights.DISAGREEMENT_NOTE for reason in reasons)
    low, high = weights.UNSURE
    irony = evidence.phrase is not Severity.NONE and evidence.praise >= weights.PRAISED
    return low < likely < high or irony or any(reason.note == weights.MIXED_NOTE for reason in reasons)


def topics(reasons: Iterable[Reason]) -> tuple[Topic, ...]:
    """Gives the topics that the reasons speak for, the most weighty first."""
    weight: dict[Topic, float] = {}
    for reason in reasons:
        if reason.topic is not None:
            weight[reason.topic] = weight.get(reason.topic, 0.0) + max(abs(reason.share), weights.MENTIONED)
    return tuple(sorted(weight, key=lambda topic: (-weight[topic], topic)))

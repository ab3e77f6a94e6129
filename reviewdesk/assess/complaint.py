"""Whether a mention is a complaint, how likely, how severe, about what, and what its writer wants. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Set

import msgspec

from reviewdesk.assess import weights
from reviewdesk.model import Intent, Reason, Severity, Topic

# Named once, as naming a member of an enumeration is a search through it before Python 3.12.
_NO_PHRASE, _MILD, _SERIOUS = Severity.NONE, Severity.MILD, Severity.SERIOUS
_SPAM, _ABUSE, _COMPLAINT = Intent.SPAM, Intent.ABUSE, Intent.COMPLAINT
_PRAISE, _NOTHING_OF_THESE = Intent.PRAISE, Intent.OTHER
_WANTED = (Intent.REQUEST, Intent.QUESTION)


class Evidence(msgspec.Struct, frozen=True, gc=False):
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
    rating, phrase, text_total = evidence.rating, evidence.phrase, evidence.text_total
    likely = 1 / (
        1 + math.exp(-(weights.COMPLAINT_BIAS - weights.COMPLAINT_SLOPE * max(min(evidence.total, 20.0), -20.0)))
    )
    if phrase is not _NO_PHRASE and not (phrase is _MILD and text_total >= weights.PRAISED):
        least = weights.LEAST_WITH_PHRASE[phrase]
        likely = least + (1 - least) * likely
    if rating is None:
        asked = evidence.question and text_total > weights.ASKED_BLAME * weights.ASKED
        return min(likely, weights.MOST_FOR_QUESTION) if asked else likely
    if rating >= weights.GOOD_STARS:
        strong = phrase in weights.GRAVE or text_total <= weights.FURIOUS
        return max(likely, weights.LEAST_WITH_PHRASE[_MILD]) if strong else min(likely, weights.MOST_WITH_GOOD_STARS)
    if rating <= 2:
        least = next(least for stars, least in sorted(weights.LEAST_WITH_STARS.items()) if rating <= stars)
        return max(likely, least)
    return likely


def severity(evidence: Evidence) -> Severity:
    """Gives how much a complaint hurts.

    Critical and serious by the complaint phrases; serious also with one star, or with a furious text; else mild.
    """
    if evidence.phrase in weights.GRAVE:
        return evidence.phrase
    one_star = evidence.rating is not None and evidence.rating < 2
    return _SERIOUS if one_star or evidence.text_total <= weights.FURIOUS else _MILD


def intent(evidence: Evidence, said: Set[Intent], *, complaint: bool, link: bool) -> Intent:
    """Gives what the writer wants.

    Args:
        evidence: what the decision about the complaint rested on.
        said: what the writer says to want.
        complaint: it is one; only an insult without any complaint phrase is none.
        link: the text has a link, which makes an advertisement spam.
    """
    if said:
        phrased = evidence.phrase is not _NO_PHRASE
        if _SPAM in said and not phrased and (link or not complaint):
            return _SPAM
        if _ABUSE in said and not phrased and evidence.rating is None:
            return _ABUSE
        if not complaint:
            for one in _WANTED:
                if one in said:
                    return one
    if complaint:
        return _COMPLAINT
    return _PRAISE if evidence.total >= weights.PRAISED else _NOTHING_OF_THESE


def unsure(evidence: Evidence, reasons: Iterable[Reason], likely: float) -> bool:
    """Tells whether a person should look: next to nothing was said, it is near a half, or good and bad stand together.

    Stars that nobody contradicts leave no doubt.
    """
    if evidence.rating is not None:
        return any(reason.note in weights.DISAGREEMENT_NOTES for reason in reasons)
    low, high = weights.UNSURE
    irony = evidence.phrase is not _NO_PHRASE and evidence.praise >= weights.PRAISED
    return low < likely < high or irony or weights.MIXED_NOTE in [reason.note for reason in reasons]


def topics(reasons: Iterable[Reason]) -> tuple[Topic, ...]:
    """Gives the topics that the reasons speak for, the most weighty first."""
    weight: dict[Topic, float] = {}
    for reason in reasons:
        if reason.topic is not None:
            weight[reason.topic] = weight.get(reason.topic, 0.0) + max(abs(reason.share), weights.MENTIONED)
    if len(weight) < 2:
        return tuple(weight)
    return tuple(sorted(sorted(weight), key=weight.__getitem__, reverse=True))

"""Stars, recommendations, sub-ratings, pros and cons as evidence. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from reviewdesk.assess import weights
from reviewdesk.assess.grades import star_share
from reviewdesk.assess.none import Field, says_none
from reviewdesk.assess.reading import TextReading
from reviewdesk.assess.sentiment import read_tokens
from reviewdesk.assess.tokens import tokens_of
from reviewdesk.model import Reason, Topic

_TOPICS_OF_SUB_RATINGS = {
    Topic.DELIVERY: ("deliver", "transport", "shipping", "doprav", "dodan", "dostaw", "courier"),
    Topic.STAFF: ("communic", "service", "support", "staff", "komunik", "obsluh", "podpor"),
    Topic.WEBSITE: ("web", "prehled", "clarity", "interface", "e-shop", "eshop"),
    Topic.PRODUCT: ("product", "quality", "goods", "kvalit", "zboz"),
    Topic.PRICE: ("price", "cena", "value"),
    Topic.RETURNS: ("return", "refund", "reklam", "complaint", "claim"),
    Topic.PAYMENT: ("pay", "plat"),
}


_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


def rating_reason(rating: float, raw: str) -> Reason:
    """Gives the reason that a rating is, in stars, and as the platform wrote it where that is not a mere number."""
    stars = f"{rating:g} of 5 stars"
    told = raw.strip()
    evidence = stars if not told or _NUMBER.fullmatch(told) else f"{told} ({stars})"
    return Reason(field="rating", share=star_share(rating), evidence=evidence)


def recommends_reason(recommends: bool) -> Reason:
    """Gives the reason that an answer to "would you recommend it?" is."""
    evidence = "recommends" if recommends else "does not recommend"
    return Reason(field="recommends", share=weights.RECOMMENDS[recommends], evidence=evidence)


def sub_rating_reasons(ratings: Mapping[str, float]) -> list[Reason]:
    """Gives one reason for each sub-rating; together they weigh as much as their average."""
    worth = weights.SUB_RATING / len(ratings) if ratings else 0.0
    return [
        Reason(
            field="sub_ratings",
            share=(min(max(rating, 1.0), 5.0) - 3.0) * worth,
            evidence=f"{name}: {rating:g} of 5",
            topic=_topic_of(name),
        )
        for name, rating in list(ratings.items())[: weights.ITEMS_MOST]
    ]


def _topic_of(name: str) -> Topic | None:
    name = name.lower()
    return next((topic for topic, parts in _TOPICS_OF_SUB_RATINGS.items() if any(part in name for part in parts)), None)


def list_reasons(field: Field, items: Sequence[str], language: str) -> tuple[list[Reason], list[TextReading]]:
    """Gives what pros or cons say.

    Args:
        field: "pros" or "cons".
        items: one point each, as the platform gives them; one that comes twice counts once.
        language: what they are written in.

    Returns:
        The reasons, their sum bounded by `weights.PROS_MOST` or `weights.CONS_MOST`, with spans in the item that
        `evidence` was cut from left out; and the reading of each real answer.
    """
    if not items:
        return [], []
    filled, most = (
        (weights.PROS_FILLED, weights.PROS_MOST) if field == "pros" else (weights.CONS_FILLED, weights.CONS_MOST)
    )
    reasons: list[Reason] = []
    readings: list[TextReading] = []
    real: list[str] = []
    for item in list(dict.fromkeys(items))[: weights.ITEMS_MOST]:
        item = item[: weights.ITEM_CHARACTERS_MOST]
        tokens = tokens_of(item)
        if says_none(tokens, field):
            if item.strip():
                reasons.append(Reason(field=field, share=0.0, evidence=item.strip()[:80], note="answered 'none'"))
            continue
        real.append(item)
        reading = read_tokens(tokens, language)
        readings.append(reading)
        for hit in reading.hits:
            evidence, share = item[hit.start : hit.end], hit.share * weights.FIELD_WORDS
            reasons.append(Reason(field=field, share=share, evidence=evidence, note=hit.note, topic=hit.topic))
    if real:
        reasons.append(Reason(field=field, share=filled, evidence=real[0].strip()[:80], note=f"{field} filled in"))
    return _bounded(reasons, most), readings


def _bounded(reasons: list[Reason], most: float) -> list[Reason]:
    """Pros never weigh towards a complaint and cons never against one; neither weighs more than its bound."""
    total = sum(reason.share for reason in reasons)
    bound = min(max(total, 0.0), most) if most > 0 else max(min(total, 0.0), most)
    if total == bound:
        return reasons
    scale = bound / total
    return [msgspec.structs.replace(reason, share=reason.share * scale) for reason in reasons]

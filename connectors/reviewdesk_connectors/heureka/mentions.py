"""A review of an export as mentions: the review itself and, where the shop has answered it, the shop's reaction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from reviewdesk.connector import Author, JsonObject, Kind, Mention
from reviewdesk_connectors.heureka.payloads import Export, Product, Review

SUB_RATINGS = (
    "delivery_time", "transport_quality", "web_usability", "communication", "pickup_time", "pickup_quality",
)  # fmt: skip
REACTION = ":reaction"
_NUMBER = re.compile(r"(\d{1,6}(?:[.,]\d{1,6})?)\s*(%?)")
_BULLET = re.compile(r"^(?:\s*[-–—•*])+\s*")
_IN_ATTRIBUTES = frozenset(
    ("rating_id", "unix_timestamp", "name", "total_rating", "rating", "pros", "cons", "summary", "reaction", "order_id")
)
_YES_NO = {"1": True, "0": False}


def shop_id(rating_id: str) -> str:
    """Gives the id of the mention that a review of the shop becomes."""
    return f"{Export.SHOP}:{rating_id}"


def mentions_of(
    review: Review, id: str, *, language: str, url: str = "", others: Sequence[Product] = ()
) -> tuple[Mention, ...]:
    """Gives the review and, where there is one, the shop's reaction to it.

    Args:
        id: of the review's mention; the reaction's is the same with ":reaction" behind it.
        language: ISO 639-1.
        url: the public page.
        others: further products under which the same review stands.
    """
    facts = review.facts
    product = review.product
    rated = facts.get("total_rating") or facts.get("rating") or ""
    fields = _fields(review)
    if others:
        fields["also_reviewed"] = "\n".join(each.get("product_name") or each.get("url") for each in others)
    name = facts.get("name", "")
    mention = Mention(
        id=id,
        kind=Kind.REVIEW,
        text=facts.get("summary", ""),
        created_at=_moment(review.timestamp),
        author=Author(name=name) if name else None,
        rating=stars(rated),
        rating_raw=rated,
        sub_ratings={tag: value for tag in SUB_RATINGS if (value := stars(facts.get(tag, ""))) is not None},
        recommends=_YES_NO.get(facts.get("recommends", "")),
        pros=points(facts.get("pros", "")),
        cons=points(facts.get("cons", "")),
        order_id=review.order_id,
        product=product.get("product_name") if product else "",
        product_url=product.get("url") if product else "",
        url=url,
        language=language,
        fields=fields,
        raw=_raw(review, others),
    )
    reaction = facts.get("reaction", "")
    if not reaction:
        return (mention,)
    return mention, Mention(
        id=id + REACTION, kind=Kind.COMMENT, text=reaction, ours=True, thread_id=id, parent_id=id, url=url,
        order_id=review.order_id, language=language,
    )  # fmt: skip


def stars(text: str) -> float | None:
    """Gives a rating in stars from 1 to 5: half steps, a decimal comma, and percent (over 5, or with the sign).

    Heureka's scale begins at half a star, which is 1 with us. None for what is no rating, and for 0, which it lacks.
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    value = float(match[1].replace(",", "."))
    if match[2] or value > 5:
        value /= 20
    return max(1.0, value) if 0 < value <= 5 else None


def points(text: str) -> tuple[str, ...]:
    """Gives the points of `pros` or `cons`: one a line, without the bullets that some people type."""
    lines = (_BULLET.sub("", line).strip() for line in text.splitlines())
    return tuple(line for line in lines if line)


def _raw(review: Review, others: Sequence[Product]) -> JsonObject:
    if review.product is None:
        return {"review": review.facts}
    raw: JsonObject = {
        "product": {**dict(review.product.facts), "order_id": review.order_id},
        "review": review.facts,
    }
    if others:
        raw["also"] = [dict(each.facts) for each in others]
    return raw


def _fields(review: Review) -> dict[str, str]:
    fields: dict[str, str] = {}
    if review.product:
        fields = {tag: text for tag, text in review.product.facts if text and tag not in ("product_name", "url")}
        if fields.get("cena") == fields.get("price"):
            fields.pop("cena", None)
    for tag, text in review.facts.items():
        if not text or tag in _IN_ATTRIBUTES:
            continue
        if (tag in SUB_RATINGS and stars(text) is not None) or (tag == "recommends" and text in _YES_NO):
            continue
        moment = _moment(text) if tag == "ordered" else None
        fields[tag] = moment.date().isoformat() if moment else text
    return fields


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(text), UTC) if text.isascii() and text.isdigit() else None
    except (ValueError, OverflowError, OSError):
        return None

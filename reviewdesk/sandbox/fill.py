"""Fills a database with mentions as a shop of some years has them: six languages, stars, answered and open ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from reviewdesk.connector import Capabilities, ReplyMode
from reviewdesk.model import Author, Kind, Mention
from reviewdesk.sandbox.customers import Role, script
from reviewdesk.store.db import Store

BATCH = 2000
_SOURCES = (
    ("facebook", Kind.COMMENT, Capabilities(reply=ReplyMode.API, find_reply=True, reply_length=8000)),
    ("heureka", Kind.REVIEW, Capabilities(reply=ReplyMode.HAND_OFF)),
    ("reddit", Kind.COMMENT, Capabilities(reply=ReplyMode.API, find_reply=True, reply_length=10_000)),
    ("feed", Kind.REVIEW, Capabilities()),
)
_DETAILS = {
    "cs": "Číslo objednávky {order}, psal jsem už {n}×.",
    "sk": "Číslo objednávky {order}, písal som už {n}×.",
    "pl": "Numer zamówienia {order}, pisałem już {n} razy.",
    "uk": "Номер замовлення {order}, писав уже {n} разів.",
    "de": "Bestellnummer {order}, ich habe schon {n}-mal geschrieben.",
    "en": "Order {order}, I have written {n} times already.",
}
_COMPLAINTS = 0.12
_ANSWERED = 0.7


def mentions(count: int, *, seed: int, newest: datetime) -> Iterator[tuple[str, list[Mention]]]:
    """Gives `count` customers' mentions in batches, each with its source; answered ones come with the shop's reply.

    Some 12% are complaints and most of the old ones are answered, as in a real shop. The same seed gives the same.
    """
    chance = random.Random(seed)  # noqa: S311 - a play, not a secret
    roles = script().customer
    bad = [role for role in roles if role.mood in ("angry", "mild")]
    good = [role for role in roles if role.mood in ("praise", "question")]
    made = 0
    while made < count:
        source, kind, _ = chance.choice(_SOURCES)
        batch: list[Mention] = []
        for number in range(made, min(made + BATCH, count)):
            role = chance.choice(bad if chance.random() < _COMPLAINTS else good)
            batch += _mention(number, role, kind, chance, newest - timedelta(minutes=3 * number))
        made = min(made + BATCH, count)
        yield source, batch


def _mention(number: int, role: Role, kind: Kind, chance: random.Random, written: datetime) -> list[Mention]:
    order = f"{chance.randrange(10_000, 99_999)}"
    more = chance.random() < 0.6 and role.mood != "praise"
    detail = _DETAILS[role.language].format(order=order, n=chance.randint(2, 6)) if more else ""
    id = f"fill-{number}"
    mention = Mention(
        id=id,
        kind=kind,
        text=f"{role.text} {detail}".strip(),
        created_at=written,
        author=Author(id=f"customer-{chance.randrange(200_000)}", name=role.author),
        rating=role.rating if kind is Kind.REVIEW else None,
        pros=role.pros if kind is Kind.REVIEW else (),
        cons=role.cons if kind is Kind.REVIEW else (),
        order_id=order if kind is Kind.REVIEW else "",
        product=role.product,
        language=role.language,
        url=f"https://example.com/{id}",
    )
    if number < 2000 or chance.random() > _ANSWERED:
        return [mention]
    reply = Mention(
        id=f"{id}:reply",
        kind=kind,
        text="✓",
        created_at=written + timedelta(hours=chance.randint(1, 30)),
        parent_id=id,
        thread_id=id,
        ours=True,
    )
    return [mention, reply]


def fill(store: Store, count: int, *, seed: int, tell: Callable[[int], None] = lambda done: None) -> None:
    """Fills a store.

    Args:
        tell: is called with how many are in after each batch.
    """
    for id, _, able in _SOURCES:
        store.sources.register(id, id, id.capitalize(), msgspec.to_builtins(able))
    done = 0
    for source, batch in mentions(count, seed=seed, newest=datetime.now(UTC)):
        store.mentions.ingest(source, batch)
        done += sum(not mention.ours for mention in batch)
        tell(done)

"""Fills a database with mentions as a shop of some years has them: six languages, stars, answered and open ones."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.config import Config
from reviewdesk.connector import Capabilities, ReplyMode
from reviewdesk.desk.assessing import assess_pending
from reviewdesk.model import Assessment, Author, Kind, Mention
from reviewdesk.sandbox.customers import Role, script
from reviewdesk.store.db import Store

BATCH = 8000
_SOURCES = {
    "facebook": (Kind.COMMENT, Capabilities(reply=ReplyMode.API, find_reply=True, reply_length=8000)),
    "feed": (Kind.REVIEW, Capabilities()),
    "heureka": (Kind.REVIEW, Capabilities(reply=ReplyMode.HAND_OFF)),
    "reddit": (Kind.COMMENT, Capabilities(reply=ReplyMode.API, find_reply=True, reply_length=10_000)),
}
_SHARES = (30, 10, 50, 10)
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
_NEWEST_OPEN = 2000
_PAUSE = timedelta(minutes=3)
_ORDER = re.compile(r"\b\d{5}\b")


def mentions(count: int, *, seed: int, newest: datetime) -> Iterator[dict[str, list[Mention]]]:
    """Gives `count` customers' mentions in batches by source; answered ones come with the shop's reply.

    Some 12% are complaints, most of the old ones are answered, half are reviews of which half have no name, as in a
    real shop. The same seed gives the same, back from `newest`.
    """
    chance = random.Random(seed)  # noqa: S311 - a play, not a secret
    roles = script().customer
    bad = [role for role in roles if role.mood in ("angry", "mild")]
    good = [role for role in roles if role.mood in ("praise", "question")]
    names = _names(roles)
    for first in range(0, count, BATCH):
        batch: dict[str, list[Mention]] = {source: [] for source in _SOURCES}
        numbers = range(first, min(first + BATCH, count))
        for number, source in zip(numbers, chance.choices(list(_SOURCES), _SHARES, k=len(numbers)), strict=True):
            role = chance.choice(bad if chance.random() < _COMPLAINTS else good)
            batch[source] += _mention(number, source, role, names[role.language], chance, newest - _PAUSE * number)
        yield batch


def _names(roles: Iterable[Role]) -> Mapping[str, Sequence[str]]:
    """Gives every first name with every family name of a language. Families that only women have stay with women."""
    pairs: dict[str, list[tuple[str, str]]] = {}
    for role in roles:
        first, _, last = role.author.partition(" ")
        pairs.setdefault(role.language, []).append((first, last))
    return {
        language: [
            f"{first} {last}" for first, own in known for _, last in known if last[-1] not in "aá" or own[-1] in "aá"
        ]
        for language, known in pairs.items()
    }


def _mention(
    number: int, source: str, role: Role, names: Sequence[str], chance: random.Random, written: datetime
) -> list[Mention]:
    kind, _ = _SOURCES[source]
    order = f"{chance.randrange(10_000, 99_999)}"
    detail = ""
    if role.mood != "praise" and chance.random() < 0.6:
        detail = _DETAILS[role.language].format(order=order, n=chance.randint(2, 6))
    id = f"fill-{number}"
    review = kind is Kind.REVIEW
    mention = Mention(
        id=id,
        kind=kind,
        text=f"{role.text} {detail}".strip(),
        created_at=written,
        author=_author(source, names, chance),
        rating=role.rating if review else None,
        pros=role.pros if review else (),
        cons=role.cons if review else (),
        order_id=order if review else "",
        product=role.product,
        language=role.language,
        url=f"https://example.com/{id}",
    )
    if number < _NEWEST_OPEN or chance.random() > _ANSWERED:
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


def _author(source: str, names: Sequence[str], chance: random.Random) -> Author | None:
    customer, name = chance.randrange(200_000), chance.choice(names)
    match source:
        case "heureka":
            return Author(name=name) if customer % 2 else None
        case "reddit":
            return Author(id=f"t2_{customer}", name=f"shopper_{customer}")
        case _:
            return Author(id=f"customer-{customer}", name=name)


class _Remembering(Assessor):
    """Assesses each of the script's sentences once: an order number decides nothing."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, float | None, tuple[str, ...]], Assessment] = {}

    def assess(self, items: Iterable[Assessable]) -> Iterator[Assessment]:
        for item in items:
            key = (_ORDER.sub("", item.text), item.rating, item.pros)
            if key not in self._known:
                self._known[key] = next(super().assess([item]))
            yield self._known[key]


def fill(
    store: Store,
    count: int,
    *,
    seed: int,
    config: Config | None = None,
    tell: Callable[[int], None] = lambda done: None,
) -> None:
    """Fills a store that is new; one that was filled in part is good for nothing.

    Args:
        config: assesses the mentions as a poll with this configuration would; None leaves them unassessed.
        tell: is called with how many are in after each batch.
    """
    for id, (_, able) in _SOURCES.items():
        store.sources.register(id, id, id.capitalize(), msgspec.to_builtins(able))
    store.hurry()
    judge, done = _Remembering(), 0
    for batch in mentions(count, seed=seed, newest=datetime.now(UTC)):
        with store.transaction():
            for source, written in batch.items():
                store.mentions.ingest(source, written)
            if config is not None:
                assess_pending(config, store, judge=judge)
        done += sum(not mention.ours for written in batch.values() for mention in written)
        tell(done)

"""Which product review is which, though Heureka's `rating_id` does not say so.

The same review stands under several products with one id, one id stands for several reviews, and a review's id changes
when Heureka pairs an offer with a product of its catalogue. So a review is known by its `rating_id`, time and order
together with a fingerprint of its words, and what is not exactly as known waits until the whole export has been read:
only then is it plain whether it is the changed form of a known one, or another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from itertools import chain
from pathlib import Path

import msgspec

from reviewdesk_connectors.heureka.memory import recall, replace
from reviewdesk_connectors.heureka.mentions import shop_id
from reviewdesk_connectors.heureka.payloads import Export, Review

_WORDS = ("rating", "pros", "cons", "summary", "recommends")


class _Known(msgspec.Struct, frozen=True, array_like=True):
    """One line of the file: digests of the review with and without its `rating_id`, its time, and its id with us."""

    exact: str
    moved: str
    timestamp: str
    id: str


class Identities:
    """Gives each review of one export the id of its mention. Reviews of the shop have a safe number.

    Args:
        path: the file that holds what earlier polls knew; None knows nothing, and then a review whose `rating_id`
            changes comes as a second one.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._by_exact: dict[str, _Known] = {}
        self._by_moved: dict[str, list[str]] = {}
        self._claimed: set[str] = set()
        self._waiting: list[Review] = []
        self._here: dict[str, _Known] = {}
        self._ids_here: set[str] = set()
        for known in recall(path, _Known):
            self._by_exact[known.exact] = known
            self._by_moved.setdefault(known.moved, []).append(known.id)
            self._claimed.add(known.id)

    def identify(self, review: Review) -> str | None:
        """Gives the id; None makes the review wait for `settle`."""
        if review.export is Export.SHOP:
            return shop_id(review.rating_id)
        exact, moved, _ = _digests(review)
        known = self._here.get(exact) or self._by_exact.get(exact)
        if known:
            return self._take(exact, moved, review, known.id)
        plain = _plain_id(review)
        if plain in self._claimed or moved in self._by_moved:
            self._waiting.append(review)
            return None
        return self._take(exact, moved, review, plain)

    def settle(self) -> Iterator[tuple[Review, str]]:
        """Gives the reviews that waited, with their ids, once the export was read to its end."""
        for review in self._waiting:
            exact, moved, words = _digests(review)
            found = plain = _plain_id(review)
            if exact in self._here:
                found = self._here[exact].id
            elif plain in self._ids_here or plain not in self._claimed:
                other = f"{plain}#{words}" if plain in self._ids_here else plain
                found = next((old for old in self._by_moved.get(moved, ()) if old not in self._ids_here), other)
            yield review, self._take(exact, moved, review, found)
        self._waiting = []

    def keep(self, *, since: int) -> None:
        """Writes what is known now; what was not in the export is kept while it is younger than `since` (unix time)."""
        if self._path is None:
            return
        older = (
            known
            for known in self._by_exact.values()
            if known.id not in self._ids_here and known.timestamp.isdigit() and int(known.timestamp) >= since
        )
        replace(self._path, chain(self._here.values(), older))

    def _take(self, exact: str, moved: str, review: Review, id: str) -> str:
        self._here[exact] = _Known(exact, moved, review.timestamp, id)
        self._ids_here.add(id)
        self._claimed.add(id)
        return id


def _plain_id(review: Review) -> str:
    return f"product:{review.rating_id}:{review.timestamp}:{review.order_id}"


def _digests(review: Review) -> tuple[str, str, str]:
    """Gives the fingerprints of the whole, of what stays when its `rating_id` moves, and of the words alone."""
    words = [review.facts.get(tag, "") for tag in _WORDS]
    moved = [review.timestamp, review.order_id, *words]
    return _digest([review.rating_id, *moved]), _digest(moved), _digest(words)


def _digest(parts: list[str]) -> str:
    return blake2b(msgspec.json.encode(parts), digest_size=8).hexdigest()

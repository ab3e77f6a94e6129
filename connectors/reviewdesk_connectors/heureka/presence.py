"""Which ids an export held, from poll to poll, and when to believe that one is gone.

Heureka does not tell deletions: a deleted review is no longer in the export. But an export that is empty or has shrunk
may as well be Heureka's mistake, so a large loss counts only when the next poll finds the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import chain
from pathlib import Path

import msgspec

from reviewdesk_connectors.heureka.memory import recall, replace

BELIEVABLE = 0.10
"""The share of the known ids that may be gone at once without a second look."""


class _Known(msgspec.Struct, frozen=True, array_like=True):
    id: str
    doubted: bool = False


class Verdict(msgspec.Struct, frozen=True):
    """What a comparison says: the ids that are gone, and those that are missing but not yet believed to be gone."""

    gone: Collection[str]
    doubted: Collection[str]


class Presence:
    """The ids of one export at the last poll.

    Args:
        path: the file that holds them; None remembers nothing, and so nothing is ever found gone.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def compare(self, here: Collection[str], expected: Callable[[str], bool]) -> Verdict:
        """Compares with the ids that are here now, after an export was read to its end.

        Args:
            expected: tells of a missing id whether the export should still hold it.
        """
        known = 0
        missing: dict[str, bool] = {}
        for one in recall(self._path, _Known):
            known += 1
            if one.id not in here and expected(one.id):
                missing[one.id] = one.doubted
        fresh = [each for each, doubted in missing.items() if not doubted]
        if len(fresh) > known * BELIEVABLE or not here:
            return Verdict(sorted(missing.keys() - set(fresh)), fresh)
        return Verdict(sorted(missing), ())

    def keep(self, here: Collection[str], doubted: Collection[str]) -> None:
        """Remembers this poll's ids, and the doubted ones for another look."""
        if self._path is not None:
            replace(self._path, chain(map(_Known, here), (_Known(each, True) for each in doubted)))

"""Work that has piled up, shared out among the cores of the machine, in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Generic, TypeVar

from reviewdesk.errors import ReviewdeskError

_Piece = TypeVar("_Piece")
_Done = TypeVar("_Done")

_AHEAD = 3


def cores() -> int:
    """Gives how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class Cores(Generic[_Piece, _Done]):
    """Does pieces of work in as many processes as there are cores; they start with the first piece.

    They end with the block they were made in, and with the process that made them, whatever ended it.

    Args:
        work: what to do with a piece. It, the pieces and what comes of them are sent between processes (pickled).
        count: how many processes; None for one on each core.
    """

    def __init__(self, work: Callable[[_Piece], _Done], count: int | None = None) -> None:
        # A process that is forked from one with threads may hang; a new one does not.
        self._pool = ProcessPoolExecutor(
            count or cores(), multiprocessing.get_context("spawn"), initializer=_begin, initargs=(work,)
        )
        self._ahead = _AHEAD * (count or cores())
        self._under_way: deque[Future[_Done]] = deque()

    def __enter__(self) -> Cores[_Piece, _Done]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def begin(self, piece: _Piece) -> None:
        """Hands a piece over; `next_done` gives what came of it, in the same order."""
        self._under_way.append(self._pool.submit(_do, piece))

    @property
    def full(self) -> bool:
        """Whether enough is under way to keep every core busy."""
        return len(self._under_way) >= self._ahead

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._under_way)

    def next_done(self) -> _Done:
        """Gives what came of the oldest piece under way, and waits for it.

        Raises: what the work raised; ReviewdeskError where a process was killed.
        """
        try:
            return self._under_way.popleft().result()
        except BrokenExecutor as broken:
            raise ReviewdeskError(
                "A process that assessed texts was ended from outside.",
                hint="The machine may be short of memory. What was assessed before is kept; try again.",
            ) from broken

    def map(self, pieces: Iterable[_Piece]) -> Iterator[_Done]:
        """Gives what came of each piece, in order; only as many as keep the cores busy are taken ahead."""
        for piece in pieces:
            if self.full:
                yield self.next_done()
            self.begin(piece)
        while self.busy:
            yield self.next_done()


_work: Callable[[Any], Any]


def _begin(work: Callable[[Any], Any]) -> None:
    global _work
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever is at the keyboard speaks to the one that started this
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _do(piece: Any) -> Any:
    return _work(piece)

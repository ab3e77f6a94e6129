"""Measures what the desk's own code costs the event loop, apart from Textual's painting."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from textual._compositor import Compositor
from textual.screen import Screen


class Callbacks:
    """What ran on the event loop, in seconds of the thread's own time: other processes do not count.

    Attributes:
        longest: the longest one by the name of what ran.
    """

    def __init__(self) -> None:
        self.longest: dict[str, float] = {}
        self._painting = 0.0

    def ran(self, name: str, seconds: float) -> None:
        self.longest[name] = max(seconds, self.longest.get(name, 0.0))

    def worst(self) -> tuple[float, str]:
        return max(((seconds, name) for name, seconds in self.longest.items()), default=(0.0, ""))


@contextmanager
def measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callbacks]:
    """Measures each callback of the event loop until the block ends; Textual's layout and painting are left out."""
    found = Callbacks()
    run = asyncio.events.Handle._run  # type: ignore[attr-defined]

    def timed(handle: Any) -> None:
        found._painting = 0.0
        before = time.thread_time()
        run(handle)
        spent = time.thread_time() - before - found._painting
        callback = handle._callback
        owner = getattr(callback, "__self__", None)
        name = owner.get_name() if isinstance(owner, asyncio.Task) else getattr(callback, "__qualname__", str(callback))
        found.ran(name, spent)

    def left_out(function: Callable[..., Any]) -> Callable[..., Any]:
        def painting(*args: Any, **kwargs: Any) -> Any:
            before, already = time.thread_time(), found._painting
            try:
                return function(*args, **kwargs)
            finally:
                found._painting = already + time.thread_time() - before

        return painting

    with monkeypatch.context() as patched:
        patched.setattr(asyncio.events.Handle, "_run", timed)
        for owner, name in (
            (Compositor, "render_update"),
            (Compositor, "reflow"),
            (Compositor, "reflow_visible"),
            (Screen, "_refresh_layout"),
            (Screen, "_update_focus_styles"),
        ):
            patched.setattr(owner, name, left_out(getattr(owner, name)))
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            yield found
        finally:
            gc.enable()
            gc.unfreeze()

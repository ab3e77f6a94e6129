"""A screen that is left once, however often the key that leaves it is pressed."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import Screen

T = TypeVar("T")


class LeftOnce(Screen[T]):
    """A screen on top of others. Two presses that come together must not leave what lies below it as well."""

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Leaves with a result, where the screen is still on top."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()

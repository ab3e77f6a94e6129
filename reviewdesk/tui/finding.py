"""A list that is filtered by typing: the letters go into a line, the arrows move the choice, enter takes it."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList

from reviewdesk.tui.leaving import LeftOnce

T = TypeVar("T")


class Finder(ModalScreen[T | None], LeftOnce[T | None]):
    """Asks for one of the options that fit what is typed; gives None when left. Has an `Input` and an `OptionList`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("down,ctrl+n,ctrl+j", "move(1)", "Down", show=False),
        Binding("up,ctrl+p,ctrl+k", "move(-1)", "Up", show=False),
        Binding("pagedown", "move(10)", "Page down", show=False),
        Binding("pageup", "move(-10)", "Page up", show=False),
    ]

    def on_mount(self) -> None:
        """Offers everything; the keyboard stays in the line."""
        self.offered.can_focus = False
        self.offer("")

    @property
    def offered(self) -> OptionList:
        """The options that fit."""
        return self.query_one(OptionList)

    @abstractmethod
    def offer(self, typed: str) -> None:
        """Puts the options that fit into the list, the first one chosen."""

    @abstractmethod
    def take(self, place: int) -> None:
        """Gives the option at a place, counted from 0."""

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.offer(event.value)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if self.offered.highlighted is not None:
            self.take(self.offered.highlighted)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.take(event.option_index)

    def action_move(self, by: int) -> None:
        """Moves the choice."""
        if self.offered.option_count:
            place = (self.offered.highlighted or 0) + by
            self.offered.highlighted = max(0, min(self.offered.option_count - 1, place))

    def action_leave(self) -> None:
        """Leaves without a choice."""
        self.dismiss(None)

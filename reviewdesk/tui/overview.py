"""A page of entries on top of the inbox: a line that sums up, the entries, and the keys that work on the one chosen."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from reviewdesk.commands import PANES
from reviewdesk.tui.footer import KeyLine
from reviewdesk.tui.keys import bindings
from reviewdesk.tui.leaving import LeftOnce
from reviewdesk.tui.line import Surroundings


class Entries(OptionList, inherit_bindings=False):
    """The entries. Has no keys of its own: those of the registry move its cursor."""

    DEFAULT_CSS = """
    Entries {
        height: 1fr;
        border: none;
        padding: 0 1;
        background: $surface;
        scrollbar-size-vertical: 1;
        &:focus { border: none; background-tint: $foreground 0%; }
        & > .option-list--option-highlighted, &:focus > .option-list--option-highlighted {
            background: $primary 22%;
            color: $foreground;
            text-style: none;
        }
    }
    """


class Overview(LeftOnce[None]):
    """Shows entries, one of which is under the cursor.

    Args:
        around: gives the time and the shop's timezone, at the time of painting.
    """

    BINDINGS = bindings(*PANES)
    AUTO_FOCUS = "Entries"
    DEFAULT_CSS = """
    Overview { background: $surface; }
    Overview #title { height: 1; padding: 0 1; background: $panel; }
    """

    def __init__(self, around: Callable[[], Surroundings]) -> None:
        super().__init__()
        self.around = around
        self.entries = Entries(markup=False)
        self.title_line = Static(id="title", markup=False)

    def compose(self) -> ComposeResult:
        """Lays the page out."""
        yield self.title_line
        yield self.entries
        yield KeyLine()

    @property
    def room(self) -> int:
        """How many cells a line of an entry may have."""
        return max(20, self.entries.scrollable_content_region.width - 2)

    def on_resize(self) -> None:
        """Breaks the lines anew."""
        self.repaint()

    @abstractmethod
    def repaint(self) -> None:
        """Shows the entries again, for the time and the width that there are now."""

    @property
    def place(self) -> int:
        """Where the cursor is, counted from 0; -1 where there is no entry."""
        return -1 if self.entries.highlighted is None else self.entries.highlighted

    def put(self, title: Content, entries: Sequence[Content], place: int | None) -> None:
        """Shows entries with the cursor at `place`, counted from 0; not before the page is laid out.

        Args:
            place: None where the entry under the cursor is gone: the one that has moved up to its place is next.
        """
        if not self.entries.is_attached:
            return
        if place is None:
            place = max(0, min(self.place, len(entries) - 1))
        self.title_line.update(title)
        self.entries.set_options([Option(entry) for entry in entries])
        self.entries.highlighted = place if entries else None
        self.refresh_bindings()

    def on_option_list_option_highlighted(self) -> None:
        """Shows the keys that work on the entry."""
        self.refresh_bindings()

    def _move(self, by: int) -> None:
        if self.place >= 0:
            self.entries.highlighted = max(0, min(self.entries.option_count - 1, self.place + by))

    @property
    def _page(self) -> int:
        """How many entries fill the screen, as near as matters."""
        lines = max(1, self.entries.virtual_size.height)
        return max(1, self.entries.option_count * self.entries.size.height // lines)

    def do_cursor_down(self) -> None:
        """Goes one entry down."""
        self._move(1)

    def do_cursor_up(self) -> None:
        """Goes one entry up."""
        self._move(-1)

    def do_cursor_page_down(self) -> None:
        """Goes one screen down."""
        self._move(self._page)

    def do_cursor_page_up(self) -> None:
        """Goes one screen up."""
        self._move(-self._page)

    def do_cursor_first(self) -> None:
        """Goes to the first entry."""
        self._move(-self.place)

    def do_cursor_last(self) -> None:
        """Goes to the last entry."""
        self._move(self.entries.option_count)

    def do_pane_back(self) -> None:
        """Goes back to the inbox."""
        self.dismiss()

    def do_desk_quit(self) -> None:
        """Goes back to the inbox: what lies on top is left first."""
        self.dismiss()

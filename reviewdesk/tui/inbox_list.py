"""The list of mentions: virtual, with cursor and selection by id; works the same with ten and with a million."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from reviewdesk.commands import Context
from reviewdesk.store.records import Row
from reviewdesk.text import cut
from reviewdesk.tui.keys import bindings
from reviewdesk.tui.line import PARTS, TWO_LINES_BELOW, Piece, Surroundings, lines, waiting
from reviewdesk.tui.reader import PAGE, OrderRead, Reader, position

MOST_SELECTED = 10_000
"""How many mentions can be selected at once."""
_NEIGHBOURS = 100
_NEAR = 2_000
"""How far around its old place a mention is looked for, both ways."""
_STRIPS_KEPT = 1024


class MentionList(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows the order that a reader gives.

    Args:
        reader: where rows come from.
        around: gives what lines are painted for, at the time of painting.
    """

    BINDINGS = bindings(Context.LIST)
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "list--line",
        "list--cursor",
        "list--selected",
        *(f"list--{p}" for p in PARTS),
    }
    DEFAULT_CSS = """
    MentionList {
        background: $surface;
        color: $foreground;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        overflow-x: hidden;
        .list--line { color: $foreground; }
        .list--cursor { background: $panel; }
        .list--selected { background: $secondary 20%; }
        .list--critical { color: $error; text-style: bold; }
        .list--serious { color: $error; }
        .list--mild { color: $warning; }
        .list--new { color: $accent; }
        .list--chosen { color: $accent; }
        .list--stars { color: $warning; }
        .list--stars-low { color: $error; }
        .list--author { color: $foreground; }
        .list--author-new { color: $foreground; text-style: bold; }
        .list--faint { color: $faint; }
        .list--text { color: $foreground; }
        .list--text-gone { color: $faint; text-style: strike; }
        .list--late { color: $error; text-style: bold; }
        .list--soon { color: $warning; }
        .list--good { color: $success; }
        .list--bad { color: $error; }
        .list--tag { color: $secondary; }
        &:focus .list--cursor { background: $primary 35%; }
    }
    """

    @dataclass
    class CursorMoved(Message):
        """The cursor stands on another mention; 0 for none."""

        id: int

        def can_replace(self, message: Message) -> bool:
            """Only where the cursor stands at last counts."""
            return isinstance(message, MentionList.CursorMoved)

    @dataclass
    class Opened(Message):
        """The user wants to read this mention."""

        id: int

    @dataclass
    class SelectionChanged(Message):
        """This many mentions are selected."""

        count: int

    @dataclass
    class Unseen(Message):
        """So many new mentions stand above and below what is on the screen, and have not been on it."""

        above: int
        below: int

    def __init__(self, reader: Reader, around: Callable[[], Surroundings], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.empty_text = ""
        self.selected: set[int] = set()
        self._reader = reader
        self._around = around
        self._ids = array("q")
        self._generation = 0
        self._known = False
        self._complete = False
        self._at = 0
        self._fresh = array("q")
        self._unseen = (0, 0)
        self._strips: LRUCache[tuple[object, ...], tuple[Row, Surroundings, list[Strip]]] = LRUCache(_STRIPS_KEPT)
        self._surroundings = around()
        self._styles: dict[tuple[str, bool, bool, bool], Style] = {}

    @property
    def ids(self) -> array[int]:
        """The ids in the order of the list; not to be changed."""
        return self._ids

    @property
    def cursor(self) -> int:
        """The id of the mention under the cursor; 0 where the list is empty."""
        return self._ids[self._at] if self._ids else 0

    @property
    def row_height(self) -> int:
        """How many lines a mention takes."""
        return 2 if self.scrollable_content_region.width < TWO_LINES_BELOW else 1

    def acknowledge(self) -> None:
        """Takes all that is new as seen."""
        self._fresh = array("q")
        self._reader.acknowledge()
        self._look()

    def expect(self, generation: int) -> None:
        """Empties the list for an order that was asked for."""
        self._generation = generation
        self._known = self._complete = False
        self._ids, self._fresh = array("q"), array("q")
        self._at = 0
        self.clear_selection()
        self._lay_out(0)

    def set_order(self, order: OrderRead) -> None:
        """Takes a new order. The mention under the cursor stays where it is on the screen, whatever came or went."""
        if order.generation != self._generation:
            return
        before, at = self._ids, self._at
        self._ids, self._known, self._complete = order.ids, True, order.complete
        self._fresh = order.fresh
        if not before:
            self._at = 0
            self._lay_out(0)
        else:
            height, top = self.row_height, self.scroll_offset.y
            held = at if top <= at * height < top + self.size.height else min(len(before) - 1, -(-top // height))
            self._at = self._place_of(before, at, order)
            place = self._at if held == at else self._place_of(before, held, order)
            self._lay_out(place * height - (held * height - top))
        survivors = self.selected
        if order.complete and survivors and len(self._ids) <= MOST_SELECTED:
            survivors = self.selected.intersection(self._ids)
        if survivors != self.selected:
            self.selected = survivors
            self.post_message(self.SelectionChanged(len(survivors)))
        self._told_cursor()

    def _place_of(self, before: array[int], at: int, order: OrderRead) -> int:
        """Where the mention that stood at `at` stands now; where it is gone, the one that followed it."""
        after = order.ids
        if not after:
            return 0
        id = before[at]
        if 0 <= order.anchor < len(after) and after[order.anchor] == id:
            return order.anchor
        moved = order.anchor - self._at if order.anchor >= 0 else 0
        start = max(0, at + moved - _NEAR)
        near = {other: place for place, other in enumerate(after[start : max(0, at + moved) + _NEAR], start)}
        following = before[at + 1 : at + _NEIGHBOURS]
        preceding = before[max(0, at - _NEIGHBOURS) : at][::-1]
        for candidate in (id, *following, *preceding):
            if candidate in near:
                return near[candidate]
        found = position(after, id)
        return found if found >= 0 else min(at, len(after) - 1)

    def drop(self, ids: Iterable[int]) -> None:
        """Takes mentions out that will not come again with the next order; the cursor goes to the one that follows."""
        gone = set(ids)
        start = max(0, self._at - _NEAR)
        near = self._ids[start : self._at + _NEAR]
        left = array("q", self._ids)
        left[start : start + len(near)] = array("q", [id for id in near if id not in gone])
        lost = [place for place, id in enumerate(near, start) if id in gone]
        fresh = array("q", [place - bisect_left(lost, place) for place in self._fresh if self._ids[place] not in gone])
        self.set_order(
            OrderRead(generation=self._generation, ids=left, complete=self._complete, anchor=-1, fresh=fresh)
        )

    def show_rows(self, ids: tuple[int, ...]) -> None:
        """Paints again where one of these is on the screen."""
        if not set(ids).isdisjoint(self._visible()):
            self.refresh()

    def repaint(self) -> None:
        """Paints everything again: the time, the sources' names or the theme have changed."""
        self._surroundings = self._around()
        self._strips.clear()
        self._styles.clear()
        self.refresh()

    def move(self, by: int) -> None:
        """Moves the cursor by so many mentions, as far as there are any."""
        self.move_to(self._at + by)

    def move_to(self, place: int) -> None:
        """Moves the cursor to a place, counted from 0; a negative one counts from the end."""
        if not self._ids:
            return
        before = self._at
        self._at = max(0, min(len(self._ids) - 1, place))
        self._show_cursor()
        self._refresh_row(before)
        self._refresh_row(self._at)
        self._told_cursor()

    def go_to(self, id: int) -> bool:
        """Moves the cursor to a mention; False where it is not in the list."""
        found = position(self._ids, id)
        if found >= 0:
            self.move_to(found)
        return found >= 0

    @property
    def page_size(self) -> int:
        """How many mentions fit on the screen."""
        return max(1, self.size.height // self.row_height)

    def toggle(self) -> None:
        """Selects the mention under the cursor, or no longer."""
        if self.cursor:
            self.selected ^= {self.cursor}
            self._refresh_row(self._at)
            self.post_message(self.SelectionChanged(len(self.selected)))

    def extend(self, by: int) -> None:
        """Selects the mention under the cursor and the one to which the cursor moves."""
        if self.cursor:
            self.selected.add(self.cursor)
            self.move(by)
            self.selected.add(self.cursor)
            self._refresh_row(self._at)
            self.post_message(self.SelectionChanged(len(self.selected)))

    def select_all(self) -> bool:
        """Selects everything in the list; False where that is more than `MOST_SELECTED`."""
        if len(self._ids) > MOST_SELECTED or not self._complete:
            return False
        self.selected = set(self._ids)
        self.refresh()
        self.post_message(self.SelectionChanged(len(self.selected)))
        return True

    def clear_selection(self) -> bool:
        """Selects nothing; False where nothing was selected."""
        if not self.selected:
            return False
        self.selected = set()
        self.refresh()
        self.post_message(self.SelectionChanged(0))
        return True

    def _told_cursor(self) -> None:
        self._reader.anchor = self.cursor
        self.post_message(self.CursorMoved(self.cursor))

    def _lay_out(self, top: int) -> None:
        width = self.scrollable_content_region.width
        self.virtual_size = Size(width, len(self._ids) * self.row_height)
        self.scroll_to(y=max(0, top), animate=False, force=True, immediate=True)
        self._look()
        self.refresh()

    def _show_cursor(self) -> None:
        height, top, seen = self.row_height, self.scroll_offset.y, self.size.height
        first, last = self._at * height, self._at * height + height
        if first < top:
            self.scroll_to(y=first, animate=False, force=True, immediate=True)
        elif last > top + seen:
            self.scroll_to(y=last - seen, animate=False, force=True, immediate=True)

    def _refresh_row(self, place: int) -> None:
        self.refresh_lines(place * self.row_height, self.row_height)

    def _visible(self) -> array[int]:
        height, top = self.row_height, self.scroll_offset.y
        return self._ids[top // height : (top + self.size.height) // height + 1]

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Tells the reader which rows are on the screen."""
        super().watch_scroll_y(old_value, new_value)
        self._look()

    def _look(self) -> None:
        """Tells what is on the screen, and which of the new ones are not."""
        self._reader.watch(self._visible())
        unseen = (0, 0)
        if self._fresh:
            first = self.scroll_offset.y // self.row_height
            above = bisect_left(self._fresh, first)
            below = bisect_left(self._fresh, first + -(-self.size.height // self.row_height))
            if below > above:
                self._reader.seen(self._ids[place] for place in self._fresh[above:below])
                del self._fresh[above:below]
            unseen = (above, len(self._fresh) - above)
        if unseen != self._unseen:
            self._unseen = unseen
            self.post_message(self.Unseen(*unseen))

    def on_resize(self) -> None:
        """Lays the lines out for the new width; the cursor stays in sight."""
        if self._ids:
            self._strips.clear()
            self._lay_out(self.scroll_offset.y)
            self._show_cursor()

    def on_focus(self) -> None:
        """Paints the cursor bright."""
        self._refresh_row(self._at)

    def on_blur(self) -> None:
        """Paints the cursor dim."""
        self._refresh_row(self._at)

    def on_click(self, event: events.Click) -> None:
        """Moves the cursor to the mention; a second click opens it."""
        place = (event.y + self.scroll_offset.y) // self.row_height
        if 0 <= place < len(self._ids):
            self.move_to(place)
            if event.chain == 2:
                self.post_message(self.Opened(self.cursor))

    def render_line(self, y: int) -> Strip:
        """Gives one line of the screen."""
        width = self.scrollable_content_region.width
        height = self.row_height
        place, line = divmod(y + self.scroll_offset.y, height)
        if place >= len(self._ids):
            return self._beyond(y, width)
        at_cursor, chosen = place == self._at, self._ids[place] in self.selected
        row = self._row(place)
        if row is None:
            return self._strip(waiting(width, height)[line], width, at_cursor, chosen)
        key = (row.id, width, at_cursor, chosen, self.has_focus)
        known = self._strips.get(key)
        if known is None or known[0] != row:
            painted = [
                self._strip(pieces, width, at_cursor, chosen)
                for pieces in lines(row, width, self._surroundings, chosen=chosen)
            ]
            known = (row, self._surroundings, painted)
            self._strips[key] = known
        return known[2][line]

    def _row(self, place: int) -> Row | None:
        id = self._ids[place]
        row = self._reader.row(id)
        if row is None:
            page = place - place % PAGE
            self._reader.want(self._ids[page : page + PAGE].tolist())
            row = self._reader.row(id)
        return row

    def _beyond(self, y: int, width: int) -> Strip:
        text = ""
        if self._known and not self._ids:
            sentences = self.empty_text.split("\n")
            line = y - max(0, (self.size.height - len(sentences)) // 2)
            if 0 <= line < len(sentences):
                text = cut(sentences[line], width)
                text = " " * ((width - len(text)) // 2) + text
        return self._strip([Piece(text, "faint")], width, False, False)

    def _strip(self, pieces: list[Piece], width: int, at_cursor: bool, chosen: bool) -> Strip:
        segments = [Segment(piece.text, self._style(piece.part, at_cursor, chosen)) for piece in pieces]
        return Strip(segments).adjust_cell_length(width, self._style("", at_cursor, chosen))

    def _style(self, part: str, at_cursor: bool, chosen: bool) -> Style:
        key = (part, at_cursor, chosen, self.has_focus)
        style = self._styles.get(key)
        if style is None:
            ground = "list--cursor" if at_cursor else "list--selected" if chosen else "list--line"
            style = self.get_component_rich_style(ground)
            if part:
                style += self.get_component_rich_style(f"list--{part}", partial=True)
            self._styles[key] = style
        return style

"""The conversation: one mention with all that is known around it, the reasons of its assessment marked in its words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.cache import LRUCache
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style

from reviewdesk.store.records import Conversation
from reviewdesk.tui.document import Block, document, heading
from reviewdesk.tui.line import Surroundings
from reviewdesk.tui.marking import lines

_SLICE = 0.003
"""For how many seconds the layout of a long conversation may hold the keys up at a time."""
_LOW = 12
"""A pane with fewer lines than this keeps only two of them for the heading."""


@dataclass
class _Line:
    content: Content
    mention: int = 0


class ConversationPane(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows a conversation below a heading that stays. Scrolls by the desk's commands and the mouse.

    Args:
        around: gives the time, the shop's timezone, the agent and the sources' names, at the time of painting.
    """

    DEFAULT_CSS = """
    ConversationPane {
        background: $surface;
        color: $foreground;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        overflow-x: hidden;
        overflow-y: auto;
    }
    """

    @dataclass
    class Opened(Message):
        """The user wants to read this other mention of the customer or of the thread."""

        id: int

    def __init__(self, around: Callable[[], Surroundings], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.empty_text = "Nothing is chosen."
        self._around = around
        self._conversation: Conversation | None = None
        self._head: list[Content] = []
        self._lines: list[_Line] = []
        self._coming: list[_Line] = []
        self._blocks: Iterator[_Line] = iter(())
        self._round = 0
        self._focus_line = 0
        self._place = 0
        self._strips: LRUCache[tuple[int, int], Strip] = LRUCache(512)

    @property
    def conversation(self) -> Conversation | None:
        """What is shown."""
        return self._conversation

    def show(self, conversation: Conversation | None) -> None:
        """Shows a conversation, or that none is chosen. The same mention again keeps its place on the screen."""
        before = self._conversation
        self._conversation = conversation
        if before is None or conversation is None or before.focus.id != conversation.focus.id:
            self._lines, self._place = [], self.scroll_offset.y
        self._start()

    def move(self, by: int) -> None:
        """Scrolls by so many lines, as far as there are any."""
        self.scroll_to(y=self.scroll_offset.y + by, animate=False, force=True)

    @property
    def page_size(self) -> int:
        """How many lines are seen at once below the heading; one stays in sight from page to page."""
        return max(1, self.size.height - len(self._head) - 1)

    def repaint(self) -> None:
        """Paints again in place: time has passed, or the sources' names have changed."""
        self._start()

    @property
    def text(self) -> str:
        """What the pane says, line by line, as far as it is laid out."""
        return "\n".join(line.content.plain for line in [*(_Line(each) for each in self._head), *self._lines])

    def _start(self) -> None:
        self._round += 1
        width = self.scrollable_content_region.width
        if not width:
            return
        self._coming = []
        self._focus_line = 0
        if self._conversation is None:
            self._head, self._blocks = [], iter(())
        else:
            around = self._around()
            head = [self._one_line(block, width) for block in heading(self._conversation, around)]
            if self.size.height < _LOW:
                head = head[:2]
            self._head = [*head, Content.styled("─" * width, "$foreground 20%")]
            self._blocks = self._laid_out(document(self._conversation, around), width)
        self._go_on(self._round)

    def _go_on(self, round: int) -> None:
        """Lays out for a few milliseconds, then lets keys come first."""
        if round != self._round:
            return
        until = time.perf_counter() + _SLICE
        whole = True
        for line in self._blocks:
            self._coming.append(line)
            if time.perf_counter() > until:
                whole = False
                break
        # What is being read stays until all of what replaces it is there.
        if whole or not self._lines or self._lines is self._coming:
            self._show()
        if not whole:
            self.call_later(self._go_on, round)

    def _show(self) -> None:
        moved = self.scroll_offset.y != self._place
        room = max(1, self.size.height - len(self._head))
        # The thread before the mention is shown as far as the mention itself has the better half of the room.
        place = self.scroll_offset.y if moved else max(0, self._focus_line - 1) if self._focus_line > room // 2 else 0
        self._lines = self._coming
        self._strips.clear()
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._head) + len(self._lines))
        self.scroll_to(y=place, animate=False, force=True, immediate=True)
        if not moved:
            self._place = self.scroll_offset.y
        self.refresh()

    def _laid_out(self, blocks: Iterator[Block], width: int) -> Iterator[_Line]:
        for block in blocks:
            if block.focus:
                self._focus_line = len(self._coming)
            if block.right is not None:
                yield _Line(self._one_line(block, width), block.mention)
                continue
            gutter = Content.styled(block.gutter, block.gutter_style)
            for line in lines(block.content, width - gutter.cell_length - 1):
                yield _Line(gutter + line, block.mention)

    def _one_line(self, block: Block, width: int) -> Content:
        right = block.right or Content("")
        room = width - 2 - right.cell_length - (1 if right else 0)
        if room < width // 3:
            right, room = Content(""), width - 2
        left = block.content.truncate(room, ellipsis=True)
        return Content(" ") + left.pad_right(room - left.cell_length + (1 if right else 0)) + right

    def on_resize(self) -> None:
        """Lays the text out for the new width."""
        self._start()

    def notify_style_update(self) -> None:
        """Forgets colours of the theme before."""
        super().notify_style_update()
        self._strips.clear()

    def on_click(self, event: events.Click) -> None:
        """Opens the other mention that was clicked."""
        line = self._line_at(event.y)
        if line is not None and line.mention and event.chain == 1:
            self.post_message(self.Opened(line.mention))

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Gives the text that was selected with the mouse."""
        return selection.extract(self.text), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Paints what is selected."""
        self._strips.clear()
        self.refresh()

    def _line_at(self, y: int) -> _Line | None:
        if y < len(self._head):
            return _Line(self._head[y])
        place = y - len(self._head) + self.scroll_offset.y
        return self._lines[place] if 0 <= place < len(self._lines) else None

    def render_line(self, y: int) -> Strip:
        """Gives one line of the screen."""
        width = self.scrollable_content_region.width
        place = y if y < len(self._head) else y + self.scroll_offset.y
        strip = self._strips.get((place, width))
        if strip is None:
            strip = self._strip(self._line_at(y), place, y, width)
            self._strips[place, width] = strip
        return strip

    def _strip(self, line: _Line | None, place: int, y: int, width: int) -> Strip:
        base = self.visual_style
        content = line.content if line else Content("")
        if self._conversation is None and y == self.size.height // 2:
            content = Content.styled(self.empty_text, "$faint").center(width)
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(place)) is not None:
            chosen = Style.from_rich_style(self.screen.get_component_rich_style("screen--selection"))
            start, end = span
            content = content.stylize(chosen, start, len(content.plain) if end == -1 else end)
        segments = [
            Segment(text, (base + style).rich_style)
            for text, style in content.render(base, end="", parse_style=self.app.stylesheet.parse_style)
        ]
        strip = Strip(segments).adjust_cell_length(width, base.rich_style)
        return strip.apply_offsets(0, place)

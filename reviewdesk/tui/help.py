"""The help screen: every command with its keys, by where it works, in as many columns as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, zip_longest
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from reviewdesk.commands import PANES, Command, Context, key_label
from reviewdesk.text import cut
from reviewdesk.tui.leaving import LeftOnce

_SECTIONS: tuple[tuple[str, tuple[tuple[Context, ...], ...]], ...] = (
    ("A mention", ((Context.LIST, Context.CONVERSATION),)),
    ("The list", ((Context.LIST,),)),
    ("Writing a reply", ((Context.COMPOSER,),)),
    ("The sources", ((Context.SOURCES,),)),
    ("The outbox", ((Context.OUTBOX,),)),
    ("Everywhere", (PANES, (Context.ANYWHERE,))),
)
_KEYS, _TITLE, _GAP = 13, 15, 3
_MOVES: Mapping[str, Callable[[VerticalScroll], None]] = {
    "cursor.down": lambda page: page.scroll_down(animate=False),
    "cursor.up": lambda page: page.scroll_up(animate=False),
    "cursor.page_down": lambda page: page.scroll_page_down(animate=False),
    "cursor.page_up": lambda page: page.scroll_page_up(animate=False),
    "cursor.first": lambda page: page.scroll_home(animate=False),
    "cursor.last": lambda page: page.scroll_end(animate=False),
}
_COLUMN = 64
"""A column narrower than this would break most sentences."""


class HelpScreen(ModalScreen[None], LeftOnce[None]):
    """Shows the commands.

    Args:
        commands: with the keys that the user has given them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss", "Close", show=False)]
    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        #help {
            width: 96%;
            max-width: 220;
            height: 94%;
            background: $surface;
            border: round $primary;
            border-title-color: $foreground;
            padding: 0 1;
            scrollbar-size-vertical: 1;
        }
        Static { width: 1fr; height: auto; }
    }
    """

    def __init__(self, commands: Iterable[Command]) -> None:
        super().__init__()
        self._commands = tuple(commands)
        self._own = {key for each in self._commands if each.id == "help.show" for key in each.keys}
        self._moves = {key: _MOVES[each.id] for each in self._commands if each.id in _MOVES for key in each.keys}

    def compose(self) -> ComposeResult:
        """Lays the page out."""
        with VerticalScroll(id="help") as page:
            page.border_title = "Help"
            yield _Page(self._commands)

    def on_mount(self) -> None:
        """Says whether there is more below."""
        self.watch(self.query_one("#help"), "show_vertical_scrollbar", self._tell_rest)

    def _tell_rest(self, more: bool) -> None:
        self.query_one("#help").border_subtitle = "↓ more · esc closes" if more else "esc closes"

    def on_key(self, event: events.Key) -> None:
        """Closes by the key that opens, and goes up and down by the keys that do so elsewhere."""
        if event.key in self._own:
            event.stop()
            self.dismiss()
        elif move := self._moves.get(event.key):
            event.stop()
            move(self.query_one("#help", VerticalScroll))


class _Page(Static):
    """All commands, laid out for its width."""

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__()
        self._commands = commands
        self._width = 0

    def on_resize(self, event: events.Resize) -> None:
        if event.size.width != self._width:
            self._width = event.size.width
            self.update(help_text(self._commands, self._width))


def help_text(commands: Iterable[Command], width: int) -> Content:
    """Gives every command's keys, title and sentence, by where they work, in lines of at most `width` cells."""
    commands = tuple(commands)
    number = max(1, (width + _GAP) // (_COLUMN + _GAP))
    column = (width - _GAP * (number - 1)) // number
    sections = [
        _section(title, [each for each in commands if each.contexts in where], column) for title, where in _SECTIONS
    ]
    rows = zip_longest(*_columns(sections, number), fillvalue=Content(""))
    return Content("\n").join(
        Content(" " * _GAP).join(line.pad_right(column - line.cell_length) for line in row) for row in rows
    )


def _section(title: str, commands: Iterable[Command], width: int) -> list[Content]:
    lines = [Content.styled(title, "bold $accent")]
    indent = _KEYS + 2 + _TITLE + 1
    if width - indent < 20:
        indent = _KEYS + 2
    for each in commands:
        keys = cut(" ".join(key_label(key) for key in each.keys), _KEYS)
        named = Content.assemble((f"{keys:>{_KEYS}}", "bold"), f"  {each.title:<{_TITLE}} ")
        told = Content.styled(each.help, "$faint").wrap(max(10, width - indent))
        if indent == named.cell_length:
            lines.append(named + told.pop(0))
        else:
            lines.append(named)
        lines += [Content(" " * indent) + line for line in told]
    return [*lines, Content("")]


def _columns(sections: Sequence[list[Content]], number: int) -> list[list[Content]]:
    """Gives the sections one below the other in so many columns, the longest of which is as short as can be."""
    ways = [
        [
            [line for section in sections[start:stop] for line in section]
            for start, stop in zip((0, *breaks), (*breaks, len(sections)), strict=True)
        ]
        for breaks in combinations(range(1, len(sections)), min(number, len(sections)) - 1)
    ]
    return min(ways, key=lambda columns: max(map(len, columns)))

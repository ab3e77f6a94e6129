"""The views with their live counts: a column where there is room, otherwise a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from reviewdesk.commands import Command, key_label
from reviewdesk.store.records import View

_SHORT = {View.NEEDS_REPLY: "Reply"}
_ALARMING = (View.COMPLAINTS, View.OVERDUE)


class Views(Widget):
    """Lists the views; a click chooses one.

    Args:
        commands: those that choose views among them, with the user's keys.
    """

    DEFAULT_CSS = """
    Views {
        background: $surface;
        color: $foreground;
        text-wrap: nowrap;
        height: 1;
        width: 1fr;
    }
    """

    @dataclass
    class Chosen(Message):
        """The user wants to see this view."""

        view: View

    counts: reactive[Mapping[View, int]] = reactive({})
    current: reactive[View] = reactive(View.COMPLAINTS)

    def __init__(self, commands: Iterable[Command]) -> None:
        super().__init__()
        self._titles_and_keys = {
            each.id: (each.title, key_label(each.keys[0]) if each.keys else "") for each in commands
        }

    def _title_and_key(self, view: View) -> tuple[str, str]:
        return self._titles_and_keys[f"view.{view.value}"]

    def render(self) -> Content:
        """Gives the views as a column or as one line, by the widget's height."""
        if self.size.height > 1:
            return Content("\n").join([Content(""), *(self._in_column(view) for view in View)])
        return Content("").join(self._in_line())

    def on_click(self, event: events.Click) -> None:
        """Chooses the view that was clicked."""
        if self.size.height > 1:
            places = [(view, event.y == place) for place, view in enumerate(View, start=1)]
        else:
            start, places = 0, []
            for view, content in zip(View, self._in_line(), strict=True):
                places.append((view, start <= event.x < start + content.cell_length))
                start += content.cell_length
        for view, hit in places:
            if hit:
                self.post_message(self.Chosen(view))

    def _in_column(self, view: View) -> Content:
        room = self.size.width - 2
        title, key = self._title_and_key(view)
        number = f"{self.counts[view]:,}" if view in self.counts else ""
        title = f" {key} {title}"
        return Content.assemble(
            " ",
            (title.ljust(room - len(number) - 1), self._style(view)),
            (f"{number} ", self._count_style(view)),
        )

    def _in_line(self) -> list[Content]:
        whole = [self._tab(view, {}) for view in View]
        if sum(content.cell_length for content in whole) <= self.size.width:
            return whole
        return [self._tab(view, _SHORT) for view in View]

    def _tab(self, view: View, titles: Mapping[View, str]) -> Content:
        title, key = self._title_and_key(view)
        number = compact(self.counts[view]) if self.counts.get(view) else ""
        return Content.assemble(
            (f" {key}", self._style(view, faint=True)),
            (titles.get(view, title) if titles else f" {title}", self._style(view)),
            (f" {number}" if number else "", self._count_style(view)),
            (" " if not titles or view is self.current else "", self._style(view)),
        )

    def _style(self, view: View, *, faint: bool = False) -> str:
        if view is self.current:
            return "bold $foreground on $primary 45%"
        return "$faint" if faint or not self.counts.get(view) else "$foreground"

    def _count_style(self, view: View) -> str:
        ground = " on $primary 45%" if view is self.current else ""
        if not self.counts.get(view):
            return f"$faint{ground}"
        return f"{'bold $error' if view in _ALARMING else '$faint'}{ground}"


def compact(number: int) -> str:
    """Gives a number in at most four cells: 999, 12k, 1.2M."""
    if number < 1000:
        return str(number)
    if number < 1_000_000:
        return f"{number / 1000:.1f}k" if number < 9950 else f"{number // 1000}k"
    return f"{number / 1_000_000:.1f}M"

"""The line at the bottom: the keys that work now. Textual's own is made of a widget for each key, which costs 10 ms."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget


class KeyLine(Widget):
    """Shows the keys that work where the keyboard is; a click presses one."""

    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; background: $panel; color: $foreground; text-wrap: nowrap; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: list[tuple[str, Content]] = []

    def on_mount(self) -> None:
        """Follows the keys."""
        self.screen.bindings_updated_signal.subscribe(self, self._take)

    def _take(self, screen: Screen[object]) -> None:
        if screen is not self.screen:
            return
        shown: dict[str, tuple[str, Content]] = {}
        # While a question stands on top, the keys are its own.
        for _, binding, enabled, _ in screen.active_bindings.values() if screen.is_active else ():
            if binding.show and enabled:
                label = Content.assemble(
                    (f" {self.app.get_key_display(binding)}", "bold $accent"), f" {binding.description}"
                )
                shown.setdefault(binding.action, (binding.key, label))
        if list(shown.values()) != self._keys:
            self._keys = list(shown.values())
            self.refresh()

    def render(self) -> Content:
        """Gives the line."""
        return Content(self._gap).join(label for _, label in self._keys)

    @property
    def _gap(self) -> str:
        """What stands between keys: a blank where there is room for it."""
        whole = sum(label.cell_length + 1 for _, label in self._keys)
        return " " if whole <= self.size.width else ""

    def on_click(self, event: events.Click) -> None:
        """Presses the key that was clicked."""
        start = 0
        for key, label in self._keys:
            if start <= event.x < start + label.cell_length:
                self.app.simulate_key(key)
                return
            start += label.cell_length + len(self._gap)

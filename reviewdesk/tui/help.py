"""The help screen: every command with its keys, by where it works."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from reviewdesk.commands import Command, Context, key_label
from reviewdesk.tui.keys import modal_bindings

_TITLES = {
    (Context.LIST, Context.CONVERSATION): "A mention",
    (Context.LIST,): "The list",
    (Context.COMPOSER,): "Writing a reply",
    (Context.SOURCES,): "The sources",
    (Context.ANYWHERE,): "Anywhere",
}


class HelpScreen(ModalScreen[None]):
    """Shows the commands.

    Args:
        commands: with the keys that the user has given them.
    """

    BINDINGS = modal_bindings("dismiss", "escape,q,question_mark,f1", "Close")
    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        #help {
            width: 90%;
            max-width: 100;
            height: 90%;
            background: $surface;
            border: round $primary;
            border-title-color: $foreground;
            padding: 0 2;
            scrollbar-size-vertical: 1;
        }
        Static { width: 1fr; height: auto; }
    }
    """

    def __init__(self, commands: Iterable[Command]) -> None:
        super().__init__()
        self._commands = tuple(commands)

    def compose(self) -> ComposeResult:
        """Lays the page out."""
        with VerticalScroll(id="help") as page:
            page.border_title = "Help"
            page.border_subtitle = "esc closes"
            yield Static(help_text(self._commands))


def help_text(commands: Iterable[Command]) -> Content:
    """Gives every command's keys, title and sentence, by where they work."""
    commands = tuple(commands)
    lines: list[Content] = []
    for contexts, title in _TITLES.items():
        lines.append(Content.styled(f"\n{title}", "bold $accent"))
        for each in commands:
            if each.contexts == contexts:
                keys = " ".join(key_label(key) for key in each.keys)
                lines.append(
                    Content.assemble((f"{keys:>14}", "bold"), f"  {each.title:<16}", (f"  {each.help}", "$faint"))
                )
    return Content("\n").join(lines)

"""The command palette: every command that works now, found by a few letters of its name or its help."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider

from reviewdesk.commands import Command, key_label
from reviewdesk.tui.leaving import LeftOnce

if TYPE_CHECKING:
    from reviewdesk.tui.app import ReviewdeskApp


class DeskCommands(Provider):
    """Gives the palette the registry's commands."""

    async def discover(self) -> Hits:
        """Gives every command that works now."""
        for each in self._commands():
            yield DiscoveryHit(_named(each), partial(self._desk.run_command, each.id), text=each.title, help=each.help)

    async def search(self, query: str) -> Hits:
        """Gives the commands whose title or help fits `query`."""
        matcher = self.matcher(query)
        for each in self._commands():
            score = max(matcher.match(each.title), 0.6 * matcher.match(each.help))
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(_named(each)),
                    partial(self._desk.run_command, each.id),
                    text=each.title,
                    help=each.help,
                )

    @property
    def _desk(self) -> ReviewdeskApp:
        return cast("ReviewdeskApp", self.app)

    def _commands(self) -> list[Command]:
        return [each for each in self._desk.commands_for(self.screen) if each.id != "palette.open"]


class _Palette(CommandPalette, LeftOnce[None]):
    """Textual's palette, left once."""


def palette() -> CommandPalette:
    """Gives the palette, to be pushed as a screen."""
    return _Palette([DeskCommands], placeholder="What do you want to do?")


def _named(command: Command) -> str:
    keys = ", ".join(key_label(key) for key in command.keys[:2])
    return f"{command.title}  ({keys})" if keys else command.title

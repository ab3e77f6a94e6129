"""Commands of the registry as Textual's bindings. Each binding bears its command's id, so that `[keys]` can name it."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding, BindingType

from reviewdesk.commands import COMMANDS, Command, Context


def bindings(*contexts: Context) -> list[BindingType]:
    """Gives the bindings of the commands that work in exactly these contexts; the app runs them.

    One node of the screen holds the commands of one set of contexts, so that a key may mean something else in another.
    """
    return [_binding(each) for each in COMMANDS if set(each.contexts) == set(contexts)]


def keymap(commands: Iterable[Command]) -> dict[str, str]:
    """Gives the keys of commands as `App.set_keymap` takes them."""
    return {each.id: ",".join(each.keys) or "none" for each in commands}


def _binding(command: Command) -> Binding:
    return Binding(
        ",".join(command.keys),
        f"app.command('{command.id}')",
        command.title,
        id=command.id,
        show=command.show_in_footer,
        tooltip=command.help,
    )

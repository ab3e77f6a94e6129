"""The page of all commands, made from their own help: `python -m reviewdesk.cli.reference > docs/commands.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from reviewdesk.cli import cli

_INTRODUCTION = """# Commands

Written by `python -m reviewdesk.cli.reference` from the commands' own help; a test holds it up to date.
What the exit codes mean, and who acts on which, is in [operations.md](operations.md).
"""
_WIDTH = 78
"""Of a help text on a terminal of 80 columns."""


def reference() -> str:
    """Gives the whole page: the help of every command as `--help` prints it on a terminal of 80 columns."""
    helps = ((path, context.get_help().rstrip()) for path, context in contexts())
    return "\n".join([_INTRODUCTION, *(f"## {path}\n\n```text\n{text}\n```\n" for path, text in helps)])


def contexts() -> Iterator[tuple[str, click.Context]]:
    """Gives each command as it is typed ("reviewdesk outbox settle"), with a context to look at its parameters.

    Subcommands follow their group.
    """
    yield from _below(
        "reviewdesk", click.Context(cli, None, "reviewdesk", terminal_width=_WIDTH, **cli.context_settings)
    )


def _below(path: str, context: click.Context) -> Iterator[tuple[str, click.Context]]:
    yield path, context
    group = context.command
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None:
            yield from _below(f"{path} {name}", click.Context(command, context, name, terminal_width=_WIDTH))


if __name__ == "__main__":
    sys.stdout.write(reference())

"""The command line. stdout is data, stderr is narration, and the exit codes are an API (see `reviewdesk.cli.exits`).

Each command lives in a module that is imported only when the command is called, so that `--help` costs what click does.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any

import click

from reviewdesk import __version__
from reviewdesk.cli.exits import exit_with, gone_readers_told

COMMANDS: dict[str, tuple[str, str]] = {
    "assess": ("assess", "Tell what the desk thinks of texts: JSON lines in and out."),
    "backup": ("backup", "Write a whole copy of the database while others use it."),
    "connector": ("connector", "Hold a connector to the rules, or begin a new one."),
    "connectors": ("connectors", "List the connectors that are installed."),
    "correct": ("correct", "Say how a mention should be read."),
    "coverage": ("coverage", "Show what the last polls asked for and got, and the gaps."),
    "delete-reply": ("moderate", "Delete a reply of ours from its platform."),
    "demo": ("demo", "Look around on emulated platforms, with nothing to set up."),
    "doctor": ("doctor", "Look whether all is in order, and say how to mend it."),
    "edit-reply": ("moderate", "Change the text of a reply of ours on its platform."),
    "erase": ("erase", "Erase a person and all that they wrote."),
    "export": ("export", "Write mentions to a file as JSON lines or CSV."),
    "hide": ("moderate", "Hide a mention from the public on its platform."),
    "import": ("importing", "Take in a saved export or API answer."),
    "init": ("init", "Write a commented reviewdesk.toml to begin with."),
    "learning": ("learning", "Show and forget what was learned from corrections."),
    "like": ("moderate", "Like a mention as the shop."),
    "list": ("listing", "List mentions."),
    "outbox": ("outbox", "Show the replies on their way, and decide unclear ones."),
    "poll": ("poll", "Ask the sources for what is new, assess it, send replies."),
    "quarantine": ("quarantine", "Show what could not be read, and try it again."),
    "reply": ("reply", "Reply to a mention."),
    "sandbox": ("sandbox", "Run the emulated platforms on this machine."),
    "send": ("send", "Take the outbox to the platforms."),
    "show": ("show", "Show one mention with its conversation and the reasons."),
    "sources": ("sources", "Show the state of each source."),
    "templates": ("templates", "List, show, add and remove reply templates."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called; their short helps stand in `COMMANDS`."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Reads the command line; a help that nobody reads to its end is no fault."""
        with gone_readers_told():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; an output that nobody reads to its end is no fault."""
        with gone_readers_told():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Gives the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports and gives one command; None where there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        module = import_module(f"reviewdesk.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_") + "_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command that is called.

        Raises:
            click.UsageError: there is none; the sentence names the nearest one.
        """
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else "`reviewdesk --help` lists the commands."
            ctx.fail(f"There is no command {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the commands with their short helps, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Without a command the desk itself opens. --config and --db may stand before or after a command. "
    "Exit codes: 0 all well, 1 a fault in reviewdesk, 2 wrong usage, 3 configuration, 4 a platform is out of reach for "
    "now, 5 something waits for a person, 6 database or file, 130 interrupted.",
)
@click.option("--config", metavar="FILE", help="The configuration; else $REVIEWDESK_CONFIG or ./reviewdesk.toml.")
@click.option("--db", metavar="FILE", help="The database; else $REVIEWDESK_DB or what the configuration says.")
@click.version_option(__version__, message="%(version)s")
@click.pass_context
def cli(ctx: click.Context, config: str | None, db: str | None) -> None:
    """Answer what the public writes about your shop, from one terminal window: complaints on top and the reason why,
    and replies that are never posted twice.
    """
    from reviewdesk.cli.session import Session

    ctx.obj = Session(config, db)
    if ctx.invoked_subcommand is None:
        from reviewdesk.cli.desk import open_desk

        ctx.exit(open_desk(ctx.obj))


class _Narration(FileIO):
    """stderr, to which nobody has to listen: a reader who has gone, or a log on a full disk, stops no poll."""

    def write(self, data: Any) -> int:
        with suppress(OSError):
            return super().write(data) or len(data)
        return len(data)


def main() -> None:
    """Runs the command line and ends the process with a documented exit code.

    Data to and from files and other programs is UTF-8 whatever the locale says; a terminal gets what it can show.
    """
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115 - likewise
    if isinstance(sys.stderr, TextIOWrapper) and sys.stderr is sys.__stderr__:
        told = BufferedWriter(_Narration(sys.stderr.fileno(), "w", closefd=False))
        sys.stderr = TextIOWrapper(told, sys.stderr.encoding, line_buffering=True)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            encoding = stream.encoding if stream.isatty() or stream is sys.stderr else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
    if isinstance(sys.stdin, TextIOWrapper) and not sys.stdin.isatty():
        sys.stdin.reconfigure(encoding="utf-8", errors="strict")
    exit_with(lambda: cli.main(standalone_mode=False, prog_name="reviewdesk"))

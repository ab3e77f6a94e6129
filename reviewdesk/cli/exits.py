"""How a command ends: the exit codes, and errors as one clear sentence on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum

import click

from reviewdesk.errors import Actor, ConfigError, ReviewdeskError, StoreError


class Exit(IntEnum):
    """The exit codes; scripts and cron rely on them. docs/operations.md says who acts on which."""

    OK = 0
    FAULT = 1
    USAGE = 2
    CONFIG = 3
    LATER = 4
    PERSON = 5
    STORE = 6
    INTERRUPTED = 130


class ReaderGone(Exception):
    """Who reads our output (head, less) has seen enough; all is well."""


@contextmanager
def gone_readers_told() -> Iterator[None]:
    """Raises `ReaderGone` for a broken pipe: Click would end the process with 1, as if something were wrong."""
    try:
        yield
    except BrokenPipeError:
        raise ReaderGone from None


def exit_for(error: ReviewdeskError) -> Exit:
    """Gives the exit code of an error by who must act."""
    if isinstance(error, ConfigError):
        return Exit.CONFIG
    if isinstance(error, StoreError):
        return Exit.STORE
    return Exit.LATER if error.actor is Actor.TIME else Exit.PERSON


def exit_with(run: Callable[[], object]) -> None:
    """Runs a command and ends the process; no traceback reaches a user for anything that the desk foresees."""
    try:
        code = run()
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt) as error:
        if isinstance(error.__context__, EOFError):
            click.echo(err=True)
            _say("There is nobody here to answer that, and nothing was done. --help shows the option that answers it.")
            sys.exit(Exit.USAGE)
        click.echo("Interrupted.", err=True)
        # Python would wait for a connector's thread that waits for its platform. All that is kept is on disk.
        os._exit(Exit.INTERRUPTED)
    except (BrokenPipeError, ReaderGone):
        # Python must not complain when it closes stdout.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.OK)
    except ReviewdeskError as error:
        _say(str(error))
        sys.exit(exit_for(error))
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not error.filename:  # only of the current folder nobody says a name
            _say("The folder that this runs in is not there any more. Go to another one.")
        else:
            _say(f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}.")
        sys.exit(Exit.STORE)
    except Exception as error:
        _say(f"a fault in reviewdesk: {_told(error)}")
        sys.exit(Exit.FAULT)
    sys.exit(code if isinstance(code, int) else Exit.OK)


def _say(sentence: str) -> None:
    from reviewdesk.secrets import redact
    from reviewdesk.text import safe

    click.echo(f"Error: {safe(redact(sentence))}", err=True)


def _told(error: Exception) -> str:
    """Gives the error in a line, and where the log with the whole of it lies."""
    import traceback

    from reviewdesk.cli.logs import log_file
    from reviewdesk.secrets import redact
    from reviewdesk.text import one_line, safe

    said = f"{type(error).__name__}: {one_line(redact(str(error)))[:200]}."
    try:
        path = log_file()
        with path.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(safe(redact("".join(traceback.format_exception(error)))))
    except (ReviewdeskError, OSError):
        return f"{said} There is no log to write the details to; name one with REVIEWDESK_LOG."
    return f"{said} The details are in {path}."

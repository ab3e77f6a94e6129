"""`reviewdesk demo`: the whole desk on emulated platforms, with nothing to set up."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import click

from reviewdesk.cli.desk import open_desk, require_terminal
from reviewdesk.cli.output import say
from reviewdesk.cli.session import DeskCommand, Session, pass_session
from reviewdesk.errors import ReviewdeskError
from reviewdesk.folders import make_folder

_PROGRAM = [sys.executable, "-P", "-m", "reviewdesk"]
"""-P: what lies in the current folder is no part of the program."""
_POLL_SECONDS, _LOOKS_EVERY = 120, 0.1


@click.command(
    "demo",
    cls=DeskCommand,
    examples=(
        "reviewdesk demo",
        "reviewdesk demo --folder try --every 2",
    ),
)
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="Keep the demo here; else it is thrown away."
)
@click.option(
    "--every",
    type=click.FloatRange(0, min_open=True),
    default=6.0,
    metavar="SECONDS",
    show_default=True,
    help="Scripted customers write every so many seconds.",
)
@click.option("--seed", default=0, metavar="N", show_default=True, help="The same seed plays the same customers.")
@click.option("--no-window", is_flag=True, help="Only make the first poll, without opening the desk.")
@pass_session
def demo_command(session: Session, folder: Path | None, every: float, seed: int, no_window: bool) -> int:
    """Look around on emulated platforms, with nothing to set up.

    The platforms run on this machine with a fresh database. Scripted customers go on writing in six languages and
    answer your replies. No account and no network are needed, and nothing leaves this machine.
    """
    if not no_window:
        require_terminal()
    ended: list[int] = []
    _when_ended(ended.append)  # no exception yet: one that comes while a process starts would leave it running
    with _folder(folder) as place, _platforms(place, every, seed) as environment:
        os.environ.update(environment)
        _first_poll(ended)
        _when_ended(lambda number: sys.exit(128 + number))  # what starts from here on ends with this process
        if ended:
            return 128 + ended[0]
        if no_window:
            say(f"The demo lies in {place}." if folder else "The demo works; --folder would have kept it.")
            return 0
        with _cron(None if folder else place):
            return open_desk(Session(environment["REVIEWDESK_CONFIG"], environment["REVIEWDESK_DB"]), demo=True)


def _when_ended(do: Callable[[int], object]) -> None:
    """Has somebody who ends the desk from outside end it well; the window has ways of its own."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: do(number))


def _first_poll(ended: Sequence[int]) -> None:
    """Polls once, as long as nobody has ended the demo."""
    late = monotonic() + _POLL_SECONDS
    with subprocess.Popen([*_PROGRAM, "poll", "--now", "--quiet"], env=os.environ) as poll:  # noqa: S603 - ours
        try:
            while poll.poll() is None and not ended and monotonic() < late:
                with suppress(subprocess.TimeoutExpired):
                    poll.wait(_LOOKS_EVERY)
        finally:
            poll.kill()
    if poll.returncode and not ended:
        raise ReviewdeskError("The demo's first poll failed.", hint="What it said stands above.")


@contextmanager
def _folder(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        make_folder(folder)
        yield folder.absolute()
        return
    place = Path(tempfile.mkdtemp(prefix="reviewdesk-demo-"))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _platforms(place: Path, every: float, seed: int) -> Iterator[dict[str, str]]:
    """Runs the sandbox in a process of its own, and gives the environment for a desk that speaks to it."""
    command = [*_PROGRAM, "sandbox", "--json", "--port", "0", "--customers", str(every), "--seed", str(seed)]
    # Its standard input ends with this process, however that ends.
    command += ["--configuration", str(place / "reviewdesk.toml"), "--while-stdin"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as sandbox:  # noqa: S603 - ours
        try:
            line = sandbox.stdout.readline() if sandbox.stdout else b""
            if not line:
                raise ReviewdeskError("The emulated platforms did not start.", hint="Run: reviewdesk sandbox")
            yield {
                **json.loads(line)["environment"],
                "REVIEWDESK_CONFIG": str(place / "reviewdesk.toml"),
                "REVIEWDESK_DB": str(place / "reviewdesk.db"),
                "REVIEWDESK_LOG": str(place / "reviewdesk.log"),
            }
        finally:
            sandbox.terminate()


@contextmanager
def _cron(thrown_away: Path | None, *, every: float = 2) -> Iterator[None]:
    """Polls every few seconds from outside, as cron does every few minutes, for as long as this process lives.

    Args:
        thrown_away: the folder that goes with the last poll, also where this process has no time to do it.
        every: how many seconds.
    """
    loop = (
        "import shutil, subprocess, sys, threading\n"
        "ended = threading.Event()\n"
        "threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()\n"
        "while not ended.is_set():\n"
        "    poll = subprocess.Popen([*sys.argv[2:], 'poll', '--now', '--quiet'], stderr=subprocess.DEVNULL)\n"
        f"    while not ended.wait({every}) and poll.poll() is None:\n"
        "        pass\n"
        "    poll.kill()\n"
        "    poll.wait()\n"
        "if sys.argv[1]:\n"
        "    shutil.rmtree(sys.argv[1], ignore_errors=True)\n"
    )
    polling = [sys.executable, "-P", "-c", loop, str(thrown_away or ""), *_PROGRAM]
    # Its standard input ends with this process, however that ends.
    with subprocess.Popen(polling, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True):  # noqa: S603 - ours
        yield

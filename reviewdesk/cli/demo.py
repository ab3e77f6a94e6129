"""`reviewdesk demo`: the whole desk on emulated platforms, with nothing to set up."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from reviewdesk.cli.desk import open_desk, require_terminal
from reviewdesk.cli.output import say
from reviewdesk.cli.session import DeskCommand, Session, pass_session
from reviewdesk.errors import ReviewdeskError
from reviewdesk.folders import make_folder

_PROGRAM = [sys.executable, "-P", "-m", "reviewdesk"]
"""-P: what lies in the current folder is no part of the program."""


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
    for number in (signal.SIGTERM, signal.SIGHUP):  # so that nothing is left; the window has its own ways
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    with _folder(folder) as place, _platforms(place, every, seed) as environment:
        os.environ.update(environment)
        first = subprocess.run(  # noqa: S603 - our own program
            [*_PROGRAM, "poll", "--now", "--quiet"], env=os.environ, check=False, timeout=120
        )
        if first.returncode:
            raise ReviewdeskError("The demo's first poll failed.", hint="What it said stands above.")
        if no_window:
            say(f"The demo lies in {place}." if folder else "The demo works; --folder would have kept it.")
            return 0
        with _cron(None if folder else place):
            return open_desk(Session(environment["REVIEWDESK_CONFIG"], environment["REVIEWDESK_DB"]), demo=True)


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

"""The desk in a real terminal: killed, hung up on, small, without colour, without UTF-8, inside tmux."""

from __future__ import annotations

import os
import re
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reviewdesk.store.db import Store
from tests.tui.desks import CONFIG, Fixture

fcntl = pytest.importorskip("fcntl", reason="Windows has no such terminals")
termios = pytest.importorskip("termios", reason="Windows has no such terminals")

BOUND = 0.3
"""Seconds after which what was typed is on its way to the disk, however long somebody types without a rest."""
SLOW = 2.0
"""Seconds that a busy machine may take for the rest: the key's way to the window, and the commit."""
_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|P[^\x1b]*\x1b\\|[()][0-9A-B]|[=>])"
)


class Terminal:
    """A terminal of its own with the desk in it."""

    def __init__(self, db: Path, size: tuple[int, int] = (80, 24), **environment: str) -> None:
        config = db.with_suffix(".toml")
        config.write_text(CONFIG.replace("[desk]", '[desk]\nagent = "jana"'), encoding="utf-8")
        self.master, slave = os.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reviewdesk", "--config", str(config), "--db", str(db)],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, "TERM": "xterm-256color", **environment},
        )  # fmt: skip
        os.close(slave)
        self.out = b""

    @property
    def text(self) -> str:
        """All that was ever painted, in the order of painting."""
        return _ESCAPES.sub(b"", self.out).decode("utf-8", "replace")

    def look(self, seconds: float = 0.05) -> bool:
        """Takes in what is painted within some time; False where the desk has closed the terminal."""
        if select.select([self.master], [], [], seconds)[0]:
            try:
                self.out += os.read(self.master, 65_536)
            except OSError:
                return False
        return True

    def until(self, condition: Callable[[], object], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.text[-2000:]
            self.look()

    def shows(self, words: str) -> None:
        self.until(lambda: words in self.text)

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def compose(self) -> None:
        """Opens the composer on the first mention."""
        self.shows("Mention number 0")
        self.type("r")
        self.shows("Write the reply")

    def ends(self) -> int:
        while self.process.poll() is None and self.look():
            continue
        return self.process.wait(30)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.master >= 0:
            os.close(self.master)


@pytest.fixture
def terminal(filled: Fixture) -> Iterator[Callable[..., Terminal]]:
    filled.add_many(1)
    opened: list[Terminal] = []

    def open_one(size: tuple[int, int] = (80, 24), **environment: str) -> Terminal:
        opened.append(Terminal(filled.path, size, **environment))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def draft(store: Store) -> str:
    return next((each.text for each in store.outbox.drafts(1)), "")


def test_a_window_that_is_killed_keeps_what_was_typed_and_shows_it_again(
    terminal: Callable[..., Terminal], filled: Fixture
) -> None:
    first = terminal()
    first.compose()
    typed, times = "", []
    began = time.monotonic()
    while time.monotonic() - began < BOUND + SLOW + 0.7:  # without a rest that is as long as the bound
        letter = "abcdefghij"[len(typed) % 10]
        first.type(letter)
        typed += letter
        times.append(time.monotonic())
        first.look(0.03)
    first.process.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    first.process.wait()
    old = sum(killed - moment > BOUND + SLOW for moment in times)
    kept = draft(filled.store)
    assert old > 5
    assert typed.startswith(kept)
    assert len(kept) >= old
    (writer,) = filled.store.outbox.writers(1)
    assert writer.until is None, "a dead window writes no more"
    second = terminal()
    second.shows("Mention number 0")
    second.type("r")
    second.shows(kept[:20])


@pytest.mark.parametrize("end", ["hang up", "terminate"])
def test_a_terminal_that_goes_away_keeps_every_letter_that_was_shown(
    terminal: Callable[..., Terminal], filled: Fixture, end: str
) -> None:
    there = terminal()
    there.compose()
    there.type("x")
    there.until(lambda: draft(filled.store) == "x")
    there.type("~#")
    there.shows("~#")  # on the screen, not yet due on the disk
    if end == "hang up":
        os.close(there.master)
        there.master = -1
        assert there.process.wait(30) == 128 + signal.SIGHUP
    else:
        there.process.terminate()
        assert there.ends() == 128 + signal.SIGTERM
        assert b"\x1b[?1049l" in there.out, "the screen of before is back"
    assert draft(filled.store) == "x~#"
    assert filled.store.outbox.writers(1)[0].until is None


def test_bytes_that_are_no_utf_8_end_nothing(terminal: Callable[..., Terminal], filled: Fixture) -> None:
    there = terminal()
    there.compose()
    os.write(there.master, "\x1b[200~Rozbit\u00e1 \u017elut\u00e1".encode("iso-8859-2") + b" \x9b31m\x1b[201~")
    there.type("x~#")
    there.until(lambda: draft(filled.store).endswith("x~#"))
    assert draft(filled.store) == "Rozbit\ufffd \ufffdlut\ufffd \ufffd31mx~#"


@pytest.mark.parametrize("size", [(20, 5), (39, 24), (80, 7), (1, 1)], ids=str)
def test_a_window_that_is_too_small_is_a_sentence_and_can_be_left(
    terminal: Callable[..., Terminal], size: tuple[int, int]
) -> None:
    there = terminal(size)
    if size[0] > 10:
        there.shows("This window is too")
    else:
        there.until(lambda: there.out)
    there.type("q")
    assert there.ends() == 0
    assert "Traceback" not in there.text


@pytest.mark.parametrize(
    "environment",
    [
        {"NO_COLOR": "1", "COLORTERM": "truecolor"},
        {"TERM": "screen-256color", "TMUX": "/tmp/tmux,1,0"},
        {"TERM": "linux"},
        {"TERM": "vt100", "COLORTERM": ""},
        {"TERM": ""},
        {"LC_ALL": "C", "LANG": "C"},
        {"COLUMNS": "10", "LINES": "3"},
    ],
    ids=lambda environment: " ".join(f"{name}={value}" for name, value in environment.items()),
)
def test_whatever_the_terminal_says_of_itself_the_desk_is_there(
    terminal: Callable[..., Terminal], environment: dict[str, str]
) -> None:
    there = terminal(**environment)
    there.shows("Mention number 0")
    there.shows("★")
    there.type("q")
    assert there.ends() == 0
    if "NO_COLOR" in environment:
        rgb = re.findall(rb"[34]8;2;(\d+);(\d+);(\d+)", there.out)
        assert rgb
        assert all(len(set(parts)) == 1 for parts in rgb), "greys only"


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"TERM": "dumb"}, "This terminal (TERM=dumb) cannot show the desk."),
        ({"PYTHONIOENCODING": "iso-8859-2"}, "The locale is for iso8859-2, and the desk needs UTF-8."),
        ({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, "and the desk needs UTF-8."),
    ],
)
def test_a_terminal_that_cannot_show_the_desk_is_a_sentence(
    terminal: Callable[..., Terminal], environment: dict[str, str], sentence: str
) -> None:
    there = terminal(**environment)
    assert there.ends() == 5
    assert sentence in " ".join(there.text.split())
    assert "reviewdesk list" in there.text


def test_without_a_terminal_the_desk_is_a_sentence(filled: Fixture) -> None:
    config = filled.path.with_suffix(".toml")
    config.write_text(CONFIG, encoding="utf-8")
    words = [sys.executable, "-m", "reviewdesk", "--config", str(config), "--db", str(filled.path)]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
    assert "The desk needs a terminal, and there is none here." in done.stderr
    assert not done.stdout


@pytest.mark.skipif(not any(Path(p, "tmux").exists() for p in os.environ["PATH"].split(":")), reason="needs tmux")
def test_inside_tmux_it_is_shown_and_survives_its_windows_sizes(filled: Fixture, tmp_path: Path) -> None:
    filled.add_many(1)
    config = filled.path.with_suffix(".toml")
    config.write_text(CONFIG, encoding="utf-8")

    def tmux(*words: str) -> str:
        command = ["tmux", "-u", "-S", str(tmp_path / "tmux"), "-f", os.devnull, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout

    def until(words: str) -> None:
        end, screen = time.monotonic() + 30, ""
        while words not in (screen := " ".join(tmux("capture-pane", "-p").split())):
            assert time.monotonic() < end, screen
            select.select([], [], [], 0.1)

    desk = f"{sys.executable} -m reviewdesk --config {config} --db {filled.path}"
    tmux("new-session", "-d", "-x", "80", "-y", "24", desk)
    try:
        until("Mention number 0")
        tmux("send-keys", "r")
        until("Write the reply")
        tmux("send-keys", "-l", "Half a word")
        until("Half a word")
        tmux("resize-window", "-x", "20", "-y", "5")
        until("is too small")
        tmux("resize-window", "-x", "200", "-y", "60")
        until("Half a word")
        tmux("kill-session")
    finally:
        subprocess.run(["tmux", "-S", str(tmp_path / "tmux"), "kill-server"], capture_output=True, check=False)
    end = time.monotonic() + 30
    while draft(filled.store) != "Half a word":
        assert time.monotonic() < end
        select.select([], [], [], 0.05)

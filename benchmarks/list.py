"""How long the desk takes from a key to the screen, through a pseudo-terminal of 120x40, next to a bare Textual app.

python benchmarks/list.py                       # 10,000 mentions
python benchmarks/list.py 10000 1000000         # and a million; writing that database takes some minutes
python benchmarks/list.py --db large.db         # a database that is there already
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import random
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

COLUMNS, LINES = 120, 40
QUIET = 0.12
"""Seconds without a byte after which the screen has settled."""
LONGEST = 30.0
KEYS = {"down": b"j", "page down": b"\x1b[6~", "end": b"G", "top": b"g"}
BARE = """
import sys
from rich.segment import Segment
from textual.app import App
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

class Rows(ScrollView, can_focus=True):
    BINDINGS = [Binding("j", "go(1)"), Binding("pagedown", "go(36)"), Binding("G", "go(1000000000)"),
                Binding("g", "go(-1000000000)"), Binding("enter", "go(0)")]
    at = 0
    def on_mount(self):
        self.virtual_size = Size(100, int(sys.argv[1]))
    def action_go(self, by):
        self.at = max(0, min(int(sys.argv[1]) - 1, self.at + by))
        self.scroll_to(y=self.at - 10, animate=False, force=True)
        self.refresh()
    def render_line(self, y):
        place = y + self.scroll_offset.y
        return Strip([Segment(f"{'>' if place == self.at else ' '} ★★★★★ row {place:,} " + "of some text " * 5)])

class Bare(App):
    def compose(self):
        yield Rows()

Bare().run()
"""


class Terminal:
    """A program in a pseudo-terminal.

    Args:
        words: its command.
        folder: where it finds no configuration and no data of the user's.
    """

    def __init__(self, words: list[str], folder: Path) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        home = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")}
        environ = {**os.environ, **home, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            words, stdin=slave, stdout=slave, stderr=slave, env=environ, cwd=folder, start_new_session=True
        )
        os.close(slave)

    def send(self, keys: bytes) -> None:
        """Types."""
        os.write(self._master, keys)

    def read_until(self, enough: Callable[[bytes, float], bool]) -> tuple[float, float]:
        """Reads until it is enough. Gives when the first and the last bytes came.

        Raises:
            TimeoutError: nothing of the kind came.
        """
        began = time.perf_counter()
        first = last = 0.0
        seen = b""
        while time.perf_counter() - began < LONGEST:
            if select.select([self._master], [], [], 0.01)[0]:
                seen += os.read(self._master, 65536)
                last = time.perf_counter()
                first = first or last
            if enough(seen, time.perf_counter() - (last or began)):
                return first, last
        raise TimeoutError(f"never came; the last words: {seen[-300:]!r}")

    def press(self, keys: bytes) -> tuple[float, float]:
        """Types, and gives after how many seconds the screen changed first, and last."""
        began = time.perf_counter()
        self.send(keys)
        first, last = self.read_until(lambda seen, quiet: bool(seen) and quiet > QUIET)
        return first - began, last - began

    def memory(self) -> int:
        """How many bytes the program has in memory."""
        fields = Path(f"/proc/{self._process.pid}/status").read_text().split("VmRSS:")[1]
        return int(fields.split()[0]) * 1024

    def close(self) -> None:
        """Ends the program."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._master)


@contextmanager
def running(words: list[str], folder: Path) -> Iterator[Terminal]:
    """Runs a program in a terminal until the block ends."""
    terminal = Terminal(words, folder)
    try:
        yield terminal
    finally:
        terminal.close()


def drag(column: int, line: int) -> bytes:
    """Gives what the mouse tells when it drags the scrollbar's thumb from the top to a line."""
    top, there = f"{column};4", f"{column};{line}"
    return f"\x1b[<0;{top}M\x1b[<32;{there}M\x1b[<0;{there}m".encode()


def tour(words: list[str], folder: Path, runs: int, column: int, chance: random.Random) -> dict[str, list[float]]:
    """Gives the seconds, and the bytes of memory, of every step of every run."""
    found: dict[str, list[float]] = {}

    def keep(step: str, *values: float) -> None:
        for name, value in zip((step, f"{step}, settled"), values, strict=False):
            found.setdefault(name, []).append(value)

    for _ in range(runs):
        with running(words, folder) as terminal:
            terminal.read_until(lambda seen, quiet: "★".encode() in seen)
            keep("first rows", time.perf_counter() - terminal.began)
            terminal.read_until(lambda seen, quiet: quiet > 3 * QUIET)
            terminal.send(b"7")
            terminal.read_until(lambda seen, quiet: quiet > 3 * QUIET)
            keep("memory at first", terminal.memory())
            for name, key in KEYS.items():
                for _ in range(5 if name in ("down", "page down") else 1):
                    keep(name, *terminal.press(key))
            for _ in range(3):
                keep("random jump", *terminal.press(drag(column, chance.randint(10, LINES - 3))))
                terminal.press(b"g")
            keep("conversation", *terminal.press(b"\r"))
            keep("memory at last", terminal.memory())
    return found


def table(columns: dict[str, dict[str, list[float]]]) -> str:
    """Gives the medians, and the slowest of each step, as a table in Markdown."""
    steps = list(dict.fromkeys(step for found in columns.values() for step in found))
    lines = ["| median (slowest) | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    for step in steps:
        cells = []
        for found in columns.values():
            values = found.get(step, [])
            scale, unit = (1 / 2**20, "MB") if step.startswith("memory") else (1000, "ms")
            cells.append(
                f"{statistics.median(values) * scale:,.0f} {unit} ({max(values) * scale:,.0f})" if values else ""
            )
        lines.append(f"| {step} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mentions", nargs="*", type=int, default=[10_000])
    parser.add_argument("--db", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    desk = [sys.executable, "-m", "reviewdesk"]
    columns: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "reviewdesk.toml").write_text('[[agent]]\nid = "jana"\n', encoding="utf-8")
        databases = {f"the desk, {told.db.name}": told.db.absolute()} if told.db else {}
        for number in [] if told.db else told.mentions:
            path = databases[f"the desk, {number:,}"] = folder / f"{number}.db"
            fill = ["sandbox", "fill", "--mentions", str(number), "--db", str(path), "--seed", str(told.seed)]
            subprocess.run([*desk, *fill], check=True, cwd=folder)
        for title, path in databases.items():
            # The list takes nine twentieths of this width; its scrollbar is its last column.
            columns[title] = tour(
                [*desk, "--db", str(path)], folder, told.runs, COLUMNS * 9 // 20, random.Random(told.seed)
            )
        bare = [sys.executable, "-c", BARE, str(max(told.mentions))]
        columns["bare Textual"] = tour(bare, folder, told.runs, COLUMNS, random.Random(told.seed))
    print(table(columns))


if __name__ == "__main__":
    main()

"""How long commands take to start, against an empty Python and against importing what a poll would need.

python benchmarks/startup.py            # the fastest and the median of 15 starts each
python benchmarks/startup.py --runs 50
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reviewdesk.store.db import Store

CONFIG = """[desk]
database = "shop.db"

[[source]]
id = "heureka"
connector = "heureka"
key = "env:HEUREKA_KEY"
"""


def main() -> None:
    """Measures and prints a table; the cases take turns, so that a busy moment hits all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    desk = [sys.executable, "-m", "reviewdesk"]
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        cases: dict[str, Sequence[str]] = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "import click": [sys.executable, "-c", "import click"],
            "reviewdesk --help": [*desk, "--help"],
            "import httpx, sqlite_utils": [sys.executable, "-c", "import httpx, sqlite_utils"],
            "reviewdesk poll, nothing due": [*desk, "poll"],
            "reviewdesk list, 1 mention": [*desk, "list"],
        }
        taken: dict[str, list[float]] = {name: [] for name in cases}
        for turn in range(runs + 1):
            for name, command in cases.items():
                seconds = one(command, folder)
                if turn:  # The first turn fills the caches.
                    taken[name].append(seconds)
    print(f"{'':32}{'fastest':>10}{'median':>10}")
    for name, all_of_it in taken.items():
        print(f"{name:32}{min(all_of_it) * 1000:>7.0f} ms{statistics.median(all_of_it) * 1000:>7.0f} ms")
    poll, imports = min(taken["reviewdesk poll, nothing due"]), min(taken["import httpx, sqlite_utils"])
    print(f"\nA poll with nothing due takes {poll / imports:.2f} times the imports.")


def prepare(folder: Path) -> None:
    """Writes a configuration, and a database in which the only source is not due."""
    (folder / "reviewdesk.toml").write_text(CONFIG, encoding="utf-8")
    with Store(folder / "shop.db") as store:
        store.sources.register("heureka", "heureka", "Heureka")
        store.sources.take("heureka", "benchmark", seconds=60)
        poll = store.sources.begin_poll("heureka")
        store.sources.finish_poll("heureka", "benchmark", poll, next_at=datetime.now(UTC) + timedelta(days=1))


def one(command: Sequence[str], folder: str) -> float:
    """Gives the seconds that one start takes."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REVIEWDESK_")}
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

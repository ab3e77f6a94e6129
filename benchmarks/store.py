"""How fast the store takes in and shows, against plain SQLite on the same machine.

python benchmarks/store.py                      # 100,000 mentions
python benchmarks/store.py --mentions 1000000
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from reviewdesk.config import load
from reviewdesk.desk.assessing import assess_pending
from reviewdesk.sandbox.fill import fill, mentions
from reviewdesk.store.db import Store
from reviewdesk.store.records import Filter, View

TAKEN_IN = 20_000
REPEATS = 20
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def main() -> None:
    """Measures and prints two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mentions", type=int, default=100_000)
    count = parser.parse_args().mentions
    with tempfile.TemporaryDirectory() as folder:
        print("Taking in                              rows a second (CPU)")
        taking_in(Path(folder))
        print(f"\nWith {count:,} mentions                    median   slowest")
        showing(Path(folder), count)


def taking_in(folder: Path) -> None:
    """Takes the same mentions in by the store, again without news, and by a plain upsert into one table."""
    batches = list(mentions(TAKEN_IN, seed=0, newest=NOW))
    rows = sum(len(written) for batch in batches for written in batch.values())
    with Store(folder / "ingest.db") as store:
        for source in batches[0]:
            store.sources.register(source, source, source)
        for what in ("store: new, with versions and search", "store: the same once more"):
            with timed(what, rows):
                for batch in batches:
                    for source, written in batch.items():
                        store.mentions.ingest(source, written)
        with timed("store: assessed", TAKEN_IN):
            assess_pending(load(optional=True), store)
    plain = sqlite3.connect(folder / "plain.db", isolation_level=None)
    plain.execute("PRAGMA journal_mode = WAL")
    plain.execute("CREATE TABLE t (source, id, text, author, at, rating, url, UNIQUE (source, id))")
    with timed("sqlite3: plain upsert of seven columns", rows):
        for batch in batches:
            for source, written in batch.items():
                plain.execute("BEGIN IMMEDIATE")
                plain.executemany(
                    """INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, id) DO UPDATE SET
                         text = excluded.text, author = excluded.author, at = excluded.at, rating = excluded.rating,
                         url = excluded.url""",
                    [
                        (source, each.id, each.text, each.author and each.author.name, str(each.created_at),
                         each.rating, each.url)
                        for each in written
                    ],
                )  # fmt: skip
                plain.execute("COMMIT")
    plain.close()


def showing(folder: Path, count: int) -> None:
    """Fills a large database and asks it what the window asks."""
    began = time.process_time()
    with Store(folder / "large.db") as store:
        fill(store, count, seed=0, config=load(optional=True))
    print(f"{'sandbox fill, assessed':36}{count / (time.process_time() - began):>9,.0f} mentions a second of CPU")
    with Store(folder / "large.db", read_only=True) as store:
        everything = store.mentions.ids(Filter())
        for place, start in (("first", 0), ("middle", count // 2), ("last", count - 50)):
            page = everything[start : start + 50]
            ask(f"a page of 50 by key, {place}", lambda page=page: store.mentions.rows(page))
        ask("all ids, newest first", lambda: store.mentions.ids(Filter()), repeats=3)
        ask("the ids of Needs reply", lambda: store.mentions.ids(Filter(view=View.NEEDS_REPLY)), repeats=3)
        ask("the first 50 of Complaints", lambda: store.mentions.ids(Filter(view=View.COMPLAINTS), limit=50))
        ask("the counts of all views", lambda: store.mentions.counts("jana"), repeats=5)
        ask("a conversation", lambda: store.mentions.conversation(everything[count // 3]))
        ask("search for a rare word, first 50", lambda: store.mentions.ids(Filter(search="KV-220 12345"), limit=50))
        ask("search for a common word, first 50", lambda: store.mentions.ids(Filter(search="balik"), limit=50), 5)


def ask(what: str, question: Callable[[], object], repeats: int = REPEATS) -> None:
    """Asks some times and prints the median and the slowest."""
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        question()
        taken.append((time.perf_counter() - began) * 1000)
    print(f"{what:36}{statistics.median(taken):>6.1f} ms{max(taken):>7.1f} ms")


@contextmanager
def timed(what: str, rows: int) -> Iterator[None]:
    """Prints how many rows a second of CPU the block takes in."""
    began = time.process_time()
    yield
    print(f"{what:42}{rows / (time.process_time() - began):>9,.0f}")


if __name__ == "__main__":
    main()

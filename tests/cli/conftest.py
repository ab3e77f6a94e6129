"""The command line through its public door, and a small shop to call it on."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
import pytest

from reviewdesk import cli
from reviewdesk.cli.logs import log_file
from reviewdesk.config import load
from reviewdesk.connector import Capabilities, ReplyMode
from reviewdesk.desk.assessing import assess_pending
from reviewdesk.model import Author, Kind, Mention, SetAside
from reviewdesk.store.db import Store

NOW = datetime.now(UTC).replace(microsecond=0)
HOSTILE = "=HYPERLINK('http://x') \x1b]0;owned\x07 [@click=app.quit]x[/] \u202etxt.exe {{ 7*7 }}\nsecond line"
CONFIG = """
[shop]
name = "Hrnce"
contact = "podpora@example.com"
signature = "Jana, Hrnce"

[desk]
agent = "jana"
"""


class Told(NamedTuple):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


class Run(Protocol):
    def __call__(self, *args: object, stdin: bytes = b"") -> Told: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Run]:
    """Gives what calls `reviewdesk` as its script does, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    log_file.cache_clear()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def run(*args: object, stdin: bytes = b"") -> Told:
        monkeypatch.setattr(sys, "argv", ["reviewdesk", *map(str, args)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        with pytest.raises(SystemExit) as end:
            cli.main()
        for handler in root.handlers:
            if handler not in handlers:
                handler.close()
        root.handlers[:] = handlers
        out, err = capsys.readouterr()
        told = Told(int(end.value.code or 0), out, err)
        assert "Traceback" not in told.out + told.err
        assert "\x1b" not in told.out + told.err
        return told

    yield run
    root.setLevel(level)
    log_file.cache_clear()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Gives a database with three sources: one that is answered by API, one by hand, one not at all."""
    path = tmp_path / "shop.db"
    (tmp_path / "reviewdesk.toml").write_text(CONFIG, encoding="utf-8")
    with Store(path) as store:
        for id, able in (
            ("facebook", Capabilities(reply=ReplyMode.API, find_reply=True, reply_length=300)),
            ("heureka", Capabilities(reply=ReplyMode.HAND_OFF)),
            ("feed", Capabilities()),
        ):
            store.sources.register(id, id, id.capitalize(), msgspec.to_builtins(able))
        store.mentions.ingest("facebook", [
            Mention(id="f1", kind=Kind.COMMENT, text="Balík nedorazil a nikdo neodpovídá. Vraťte mi peníze!",
                    created_at=NOW - timedelta(hours=2), author=Author(id="7", name="Petr Svoboda"), raw={"id": "f1"}),
            Mention(id="f2", kind=Kind.COMMENT, text=HOSTILE, created_at=NOW - timedelta(hours=1),
                    author=Author(id="8", name="[red]Eva[/red]"), language="en"),
        ])  # fmt: skip
        store.mentions.ingest("heureka", [
            Mention(id="h1", kind=Kind.REVIEW, text="Skvělý obchod, doporučuji.", rating=5,
                    created_at=NOW - timedelta(days=400), pros=("rychlé dodání",), order_id="A-1",
                    reply_url="https://example.com/admin/h1"),
        ])  # fmt: skip
        store.mentions.ingest(
            "feed",
            [Mention(id="p1", kind=Kind.POST, text="A post.", created_at=NOW - timedelta(minutes=5))],
            set_aside=[SetAside(id="p2", reason="the date is no date", raw='{"date": "soon"}')],
        )
        assess_pending(load(tmp_path / "reviewdesk.toml", db=path), store)
    return path


def process(*args: object, env: dict[str, str] | None = None, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """Runs `reviewdesk` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "reviewdesk", *map(str, args)],
        env={**os.environ, **(env or {})},
        capture_output=True,
        timeout=30,
        check=False,
        **more,
    )

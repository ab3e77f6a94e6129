"""What every test stands on: no developer's configuration, no data of theirs, and no real waiting."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import pytest
import stamina
from sqlite_utils import Database

from reviewdesk import secrets
from reviewdesk.store.db import Store

# httpcore looks for it several times with each request, along the whole path; a sixth of the time of the connectors'
# tests went into not finding it.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

# How long an example takes depends on who else is using the machine. The examples are the same at each run, so that a
# change is judged by what it changes; HYPOTHESIS_PROFILE=explore looks for new ones.
hypothesis.settings.register_profile("desk", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "desk"))


@pytest.fixture(autouse=True)
def nobodys_machine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gives a home folder that is empty; no REVIEWDESK_* variable is set, and nobody is logged in."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith("REVIEWDESK_") or name in ("USER", "LOGNAME", "USERNAME"):
            monkeypatch.delenv(name)
    for name, folder in {
        "HOME": "",
        "USERPROFILE": "",
        "APPDATA": "config",
        "LOCALAPPDATA": "data",
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_HOME": "data",
        "XDG_STATE_HOME": "state",
        "XDG_CACHE_HOME": "cache",
    }.items():
        monkeypatch.setenv(name, str(home / folder))
    return home


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """No secret of another test is known; each of thousands would be looked for in all that is logged and stored."""
    monkeypatch.setattr(secrets, "_revealed", frozenset())
    monkeypatch.setattr(secrets, "_pattern", re.compile(re.escape(secrets.HIDDEN)))


@pytest.fixture(autouse=True)
def new_databases_are_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a new database of this process begin as a copy of an empty one, and nobody wait for the disk.

    Making the tables takes ten times as long, and thousands of tests begin with it. `tests/store` makes them as users'
    databases are made, and so do the processes of their own that other tests start. Without waiting for the disk
    everything is kept that outlives a killed process; what has to outlive a power cut is tried in such processes.
    """
    opened = Store._open_writer

    def open_copy(store: Store) -> Database:
        if not store.path.exists() and store.path.parent.is_dir():
            with os.fdopen(os.open(store.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(_empty_database())
        db = opened(store)
        db.conn.execute("PRAGMA synchronous = OFF")
        return db

    _empty_database()
    monkeypatch.setattr(Store, "_open_writer", open_copy)


@cache
def _empty_database() -> bytes:
    with TemporaryDirectory() as folder:
        with Store(Path(folder) / "empty.db") as store:
            path = store.path
        return path.read_bytes()


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """Lets reads be tried again at once, three times in all."""
    with stamina.set_testing(True, attempts=3):
        yield

"""What every test stands on: no developer's configuration, no data of theirs, and no real waiting."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import stamina

from reviewdesk import secrets

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
    monkeypatch.setattr(secrets, "_revealed", set())
    monkeypatch.setattr(secrets, "_pattern", re.compile(re.escape(secrets.HIDDEN)))


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """Lets reads be tried again at once, three times in all."""
    with stamina.set_testing(True, attempts=3):
        yield

"""The walls between the rooms: the contracts in pyproject.toml, and what importing a room really pulls in."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {
    "textual",
    "rich",
    "httpx",
    "praw",
    "vaderSentiment",
    "sqlite_utils",
    "jinja2",
    "lxml",
    "feedparser",
    "uvicorn",
}
LIGHT_ROOMS = [
    "reviewdesk",
    "reviewdesk.cli",
    "reviewdesk.commands",
    "reviewdesk.config",
    "reviewdesk.errors",
    "reviewdesk.model",
    "reviewdesk.plugins",
    "reviewdesk.secrets",
    "reviewdesk.text",
]
# What a room may not pull in even though it needs some of the heavy ones.
OFF_THE_WINDOW = {"httpx", "praw", "vaderSentiment", "lxml", "uvicorn", "reviewdesk.connector", "reviewdesk.assess"}
KEPT_OUT = {
    "reviewdesk.connector": HEAVY - {"httpx", "rich"},  # httpx brings rich where it finds it
    "reviewdesk.tui.processes": OFF_THE_WINDOW,
    "reviewdesk.tui.reader": OFF_THE_WINDOW,
    "reviewdesk.tui.writer": OFF_THE_WINDOW,
}


def imported_with(room: str) -> set[str]:
    code = f"import sys, {room}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


@pytest.mark.parametrize("room", LIGHT_ROOMS)
def test_light_rooms_stay_light(room: str) -> None:
    assert not HEAVY & imported_with(room)


@pytest.mark.parametrize("room", KEPT_OUT)
def test_rooms_pull_in_no_more_than_they_need(room: str) -> None:
    assert not KEPT_OUT[room] & imported_with(room)


def test_contracts() -> None:
    """Runs in a process of its own: import-linter reads the tree below the current folder."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--no-cache", "--no-logo"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_holds_both_packages_and_nothing_else(tmp_path: Path) -> None:
    if find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed; constraints-dev.txt brings it")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, capture_output=True, check=True, cwd=ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"reviewdesk", "reviewdesk_connectors"}
    assert {"reviewdesk/py.typed", "reviewdesk_connectors/py.typed"} <= set(names)

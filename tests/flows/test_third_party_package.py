"""A stranger's package in an environment of its own, beside the desk: found, tried, read with and replied through."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reviewdesk.model import DeliveryState
from reviewdesk.sandbox import Fault, FaultKind
from reviewdesk.store.db import Store

NAME = "othershop"
PACKAGE = "reviewdesk-othershop"
INSTALL = ("install", "--no-deps", "--no-build-isolation", "--no-index", f"./{PACKAGE}")
REPLY = "Dobrý den, omlouváme se a hned vám pošleme nové zboží."


class Stranger:
    """A virtual environment that sees the desk of this one, with a package of its own.

    Args:
        folder: an empty one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        place = folder / "environment"
        venv.create(place, with_pip=False, symlinks=os.name != "nt")
        base = {"base": str(place), "platbase": str(place)}
        self.python = Path(sysconfig.get_path("scripts", "venv", base)) / Path(sys.executable).name
        self.own = Path(sysconfig.get_path("purelib", "venv", base))
        beside = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        lines = "".join(f"import site; site.addsitedir({path!r})\n" for path in sorted(beside))
        (self.own / "beside.pth").write_text(lines, encoding="utf-8")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("REVIEWDESK_", "PYTHON"))},
            "REVIEWDESK_LOG": str(folder / "log"),
        }

    def pip(self, *command: str) -> None:
        """Runs pip for this environment, offline."""
        done = subprocess.run(
            [sys.executable, "-m", "pip", "--python", str(self.python), "--quiet", *command],
            cwd=self.folder,
            env=self.environment | {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Starts `reviewdesk` there."""
        return subprocess.Popen(
            [self.python, "-m", "reviewdesk", *command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, *command: str, code: int = 0) -> str:
        """Runs `reviewdesk` to its end, and gives what it told."""
        process = self.start(*command)
        out, err = process.communicate(timeout=100)
        assert process.returncode == code, (out, err)
        return out + err


class Platform:
    """The emulated platform, served by `reviewdesk sandbox` of that environment, through its stage door."""

    def __init__(self, base: str) -> None:
        self.base = base

    def ask(self, door: str, value: Any = None) -> Any:
        body = None if value is None else json.dumps(value).encode()
        with urllib.request.urlopen(f"{self.base}/_sandbox/{door}", body, timeout=20) as answer:
            told = answer.read()
        return json.loads(told) if told else None

    def write(self, text: str) -> str:
        id: str = self.ask("write", {"author": "Jana", "text": text, "language": "cs", "rating": 1})["id"]
        return id

    def fail(self, fault: Fault) -> None:
        self.ask("faults", {"kind": fault.kind, "match": fault.match, "times": fault.times})

    @property
    def replies(self) -> list[str]:
        return [each["text"] for each in self.ask("replies")]

    def posts(self) -> int:
        return sum(line.startswith("POST ") for line in self.ask("requests"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    """Gives an environment into which a new package was installed, as its README says, from its own folder."""
    stranger = Stranger(tmp_path_factory.mktemp("stranger"))
    stranger.run("connector", "new", NAME, "--data", "json", "--login", "bearer", "--paging", "link", "--reply")
    stranger.pip(*INSTALL)
    return stranger


@pytest.fixture
def platform(installed: Stranger, tmp_path: Path) -> Iterator[Platform]:
    """Gives its platform, and a configuration and an empty store for it."""
    toml = tmp_path / "reviewdesk.toml"
    installed.environment |= {"REVIEWDESK_CONFIG": str(toml), "REVIEWDESK_DB": str(tmp_path / "desk.db")}
    command = ("sandbox", "--port", "0", "--only", NAME, "--json", "--configuration", str(toml))
    with installed.start(*command) as sandbox:
        try:
            assert sandbox.stdout is not None
            told = json.loads(sandbox.stdout.readline())
            installed.environment |= told["environment"]
            written = toml.read_text(encoding="utf-8")
            toml.write_text(written.replace("undo_seconds = 5", "undo_seconds = 0"), encoding="utf-8")
            yield Platform(told["platforms"][NAME]["base"])
        finally:
            sandbox.terminate()


def test_it_is_found_with_the_package_that_brings_it(installed: Stranger) -> None:
    assert (installed.own / "reviewdesk_othershop-0.1.0.dist-info" / "entry_points.txt").exists()
    found = [json.loads(line) for line in installed.run("connectors", "--json").splitlines()]
    (told,) = [each for each in found if each["name"] == NAME]
    assert (told["distribution"], told["version"], told["tier"]) == (PACKAGE, "0.1.0", "platinum")
    assert told["fault"] is None
    assert {each["distribution"] for each in found if each["name"] != NAME} == {"reviewdesk"}


def test_it_is_tried(installed: Stranger) -> None:
    assert f"{NAME}: platinum" in installed.run("connector", "test", NAME, "--items", "2000")


def test_it_is_read_with_and_replied_through(installed: Stranger, platform: Platform) -> None:
    platform.write("Zboží přišlo rozbité, nikdo neodpovídá.")
    told = installed.run("poll", "--trace")
    assert f"{NAME}: GET {platform.base}/reviews 200" in told
    assert f"{NAME}: 1 new" in told
    assert installed.environment["REVIEWDESK_SANDBOX_OTHERSHOP_KEY"] not in told
    with store(installed) as opened:
        assert [each.tier for each in opened.sources.states()] == ["platinum"]
    installed.run("reply", "1", REPLY, "--despite-warnings")
    assert platform.replies == [], "nothing goes out before it is sent"
    assert "reply 1 to mention 1 is posted" in installed.run("send")
    installed.run("send")
    assert platform.replies == [REPLY]
    installed.run("poll", "--source", NAME)
    assert state(installed) is DeliveryState.VISIBLE
    installed.run("send")
    assert platform.posts() == 1


def test_a_reply_whose_answer_is_lost_is_found_and_stands_once(installed: Stranger, platform: Platform) -> None:
    platform.write("Nefunguje to.")
    installed.run("poll")
    installed.run("reply", "1", REPLY, "--despite-warnings")
    platform.fail(Fault(kind=FaultKind.LOST, match="POST "))
    installed.run("send", code=4)
    assert state(installed) is DeliveryState.UNKNOWN
    with store(installed) as opened, opened.transaction() as conn:
        conn.execute("UPDATE reply SET attempted_at = attempted_at - 600000")
    assert "is posted" in installed.run("send")
    assert platform.replies == [REPLY]
    assert platform.posts() == 1


def test_without_its_package_its_source_says_so_and_what_is_known_stays(
    installed: Stranger, platform: Platform
) -> None:
    platform.write("Nefunguje to.")
    installed.run("poll")
    installed.pip("uninstall", "--yes", PACKAGE)
    try:
        told = installed.run("poll", "--source", NAME, code=3)
        assert 'no connector is named "othershop"' in told
        assert "Nefunguje to." in installed.run("list")
    finally:
        installed.pip(*INSTALL)
    assert f"{NAME}: " in installed.run("poll", "--source", NAME)


def store(installed: Stranger) -> Store:
    return Store(Path(installed.environment["REVIEWDESK_DB"]))


def state(installed: Stranger) -> DeliveryState:
    with store(installed) as opened:
        return opened.outbox.get(1).state

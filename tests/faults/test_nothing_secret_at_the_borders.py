"""Whatever is raised, and with whatever in it: a person reads one sentence, the log the rest, and neither a secret."""

from __future__ import annotations

import asyncio
import base64
import functools
import logging
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from textual.app import App

from reviewdesk.cli import exits
from reviewdesk.cli.logs import log_file, log_to_file
from reviewdesk.desk import connecting
from reviewdesk.desk.poll import poll_here
from reviewdesk.errors import BadAnswer, ReviewdeskError
from reviewdesk.secrets import Secret
from reviewdesk.store.db import Store
from reviewdesk.tui import app as window
from tests.desk.shops import Clock, Memory, Platform, config_with, load_memory, registered

SECRET = "EAAB-tajné/heslo+7&<x>'\"ž"


def plain() -> None:
    raise RuntimeError(f"token {SECRET} was refused")


def in_an_address() -> None:
    raise RuntimeError(f"GET https://graph.example/me?access_token={quote(SECRET, safe='')}")


def in_bytes() -> None:
    raise RuntimeError(f"{SECRET.encode()!r} {SECRET!r}")


def in_base64() -> None:
    pair = f"client:{SECRET}".encode()
    raise RuntimeError(f"Basic {base64.b64encode(pair).decode()} {base64.urlsafe_b64encode(pair).decode()}")


def as_arguments() -> None:
    raise OSError(5, SECRET, f"/tmp/{SECRET}")


def in_the_cause() -> None:
    try:
        plain()
    except RuntimeError as error:
        raise ValueError("something else") from error


def in_the_context() -> None:
    try:
        plain()
    except RuntimeError:
        raise KeyError(SECRET)  # noqa: B904 - that is the case


def in_a_group() -> None:
    raise ExceptionGroup(SECRET, [ValueError(SECRET), KeyError(SECRET)])


def in_a_note() -> None:
    error = ValueError("x")
    error.add_note(SECRET)
    raise error


def in_a_local_variable() -> None:
    token = SECRET
    raise ValueError(len(token))


def in_an_error_of_ours() -> None:
    raise BadAnswer(f"It said {SECRET}.", hint=f"See https://x.example/?key={quote(SECRET)}")


RAISING = [
    plain,
    in_an_address,
    in_bytes,
    in_base64,
    as_arguments,
    in_the_cause,
    in_the_context,
    in_a_group,
    in_a_note,
    in_a_local_variable,
    in_an_error_of_ours,
]


def leaks(text: str) -> list[str]:
    """Gives the forms of the secret that stand in a text; of base64 the letters that are its own."""
    forms = {SECRET, quote(SECRET), quote(SECRET, safe=""), repr(SECRET)[1:-1], repr(SECRET.encode())[2:-1]}
    for before in range(3):
        whole = base64.b64encode(bytes(before) + SECRET.encode()).decode()[4:-4]
        forms |= {whole, whole.replace("+", "-").replace("/", "_")}
    return [form for form in forms if form in text]


@pytest.fixture(autouse=True)
def logged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Makes the secret known and gives what is in the log."""
    monkeypatch.setenv("THE_SECRET", SECRET)
    monkeypatch.setenv("REVIEWDESK_LOG", str(tmp_path / "log"))
    log_file.cache_clear()
    root = logging.getLogger()
    before = list(root.handlers), root.level
    Secret("env:THE_SECRET").reveal()
    log_to_file(logging.DEBUG)
    yield lambda: (tmp_path / "log").read_text(encoding="utf-8")
    for handler in root.handlers:
        handler.close()
    root.handlers[:], root.level = before
    log_file.cache_clear()


@pytest.mark.parametrize("raising", RAISING)
def test_a_command(raising: Callable[[], None], capsys: pytest.CaptureFixture[str], logged: Callable[[], str]) -> None:
    with pytest.raises(SystemExit) as ended:
        exits.exit_with(raising)
    told = capsys.readouterr()
    assert ended.value.code
    assert leaks(told.out + told.err + logged()) == []
    assert "Traceback" not in told.err
    assert len(told.err.splitlines()) == 1
    if ended.value.code == exits.Exit.FAULT:
        assert raising.__name__ in logged(), "the log has the traceback"


@pytest.mark.parametrize("raising", RAISING)
def test_a_connector(
    raising: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
) -> None:
    clock = Clock()
    platform = Memory.platforms["m"] = Platform(clock)
    platform.on_poll = raising
    monkeypatch.setattr(connecting, "load_source", load_memory)
    config = config_with(tmp_path, "m")
    with Store(config.database, clock=clock) as store:
        registered(store, "m", platform.capabilities)
        polled = asyncio.run(poll_here(config, store, config.source("m"), tell=lambda step: None))
        assert isinstance(polled.error, ReviewdeskError)
        assert leaks(str(polled.error) + logged()) == []
        store.empty_log()
        assert leaks(config.database.read_bytes().decode("utf-8", "replace")) == []


@pytest.mark.parametrize("raising", RAISING)
def test_the_window(
    raising: Callable[[], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    logged: Callable[[], str],
) -> None:
    config = config_with(tmp_path)

    def fail(self: object) -> None:
        token = SECRET
        assert token
        raising()

    monkeypatch.setattr(window.ReviewdeskApp, "on_mount", fail)
    monkeypatch.setattr(window.ReviewdeskApp, "run", functools.partialmethod(App.run, headless=True))
    with pytest.raises(SystemExit) as ended:
        exits.exit_with(lambda: window.run(config, db=config.database, agent="jana"))
    told = capsys.readouterr()
    assert ended.value.code
    assert leaks(told.out + told.err + logged()) == []
    assert "Traceback" not in told.out + told.err
    assert "locals" not in told.out + told.err
    assert len(told.err.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="there is no umask elsewhere")
def test_what_the_desk_makes_is_its_owners_alone_from_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nobodys_machine: Path
) -> None:
    """Looked at when each file and folder is made, so that no moment is left in which others could open it."""
    made: dict[str, int] = {}
    true_open, true_mkdir = os.open, os.mkdir

    def opened(path: object, flags: int, mode: int = 0o777, **more: object) -> int:
        handle = true_open(path, flags, mode, **more)  # type: ignore[arg-type]
        if flags & os.O_CREAT:
            made[os.fspath(path)] = stat.S_IMODE(os.fstat(handle).st_mode)  # type: ignore[arg-type,call-overload]
        return handle

    def mkdir(path: object, mode: int = 0o777, **more: object) -> None:
        true_mkdir(path, mode, **more)  # type: ignore[arg-type]
        made[os.fspath(path)] = stat.S_IMODE(os.stat(path).st_mode)  # type: ignore[arg-type,call-overload]

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "mkdir", mkdir)
    monkeypatch.delenv("REVIEWDESK_LOG")
    log_file.cache_clear()
    monkeypatch.chdir(tmp_path)
    before = os.umask(0)
    try:
        for words in (
            ["init"],
            ["list", "--db", "new/desk.db"],
            ["import", "heureka", str(_saved(tmp_path)), "--set", "key=env:THE_SECRET", "--db", "new/desk.db"],
            ["backup", "copy.db", "--db", "new/desk.db"],
            ["export", "all.csv", "--csv", "--db", "new/desk.db"],
            ["export", "all.jsonl", "--db", "new/desk.db"],
            ["erase", "Eva", "--yes", "--db", "new/desk.db"],
        ):
            monkeypatch.setattr(sys, "argv", ["reviewdesk", *words])
            from reviewdesk import cli

            with pytest.raises(SystemExit):
                cli.main()
            for handler in logging.getLogger().handlers:
                handler.close()
        with Store(Path("new/desk.db")) as store:
            store.people.log("open", agent="jana")
            beside = {each.name: stat.S_IMODE(each.stat().st_mode) for each in Path("new").iterdir()}
        folder = connecting._made(Path("new/desk.db-sources") / "heureka")
    finally:
        os.umask(before)
    assert folder.parent.stat().st_mode & 0o077 == 0
    assert {"desk.db", "desk.db-wal", "desk.db-shm"} <= beside.keys()
    assert [name for name, mode in beside.items() if mode & 0o077] == []
    own = {path: mode for path, mode in made.items() if "pytest" not in Path(path).name and "null" not in path}
    assert {"reviewdesk.toml", "copy.db", "all.csv", "all.jsonl", "reviewdesk.log"} <= {Path(each).name for each in own}
    assert [path for path, mode in own.items() if mode & 0o077 and "__pycache__" not in path] == []


def _saved(folder: Path) -> Path:
    path = folder / "saved.xml"
    path.write_text("<reviews><review><rating_id>1</rating_id><summary>Dobré</summary></review></reviews>")
    path.chmod(0o600)
    return path

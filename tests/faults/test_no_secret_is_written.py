"""After a day of the desk, with all that can fail, no file and no line that it wrote holds a secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.responses import HTMLResponse

from reviewdesk.sandbox import CustomerText, FaultKind
from tests.flows.street import Street

PLATFORMS = ("facebook", "feed", "heureka", "reddit")
PROVOKED = (
    (FaultKind.EXPIRED_TOKEN, PLATFORMS),
    (FaultKind.LOGIN_PAGE, PLATFORMS),
    # These are tried again after some seconds.
    (FaultKind.CUT, ("feed", "heureka")),
    (FaultKind.SERVER_ERROR, ("feed",)),
)


def forms(secret: str) -> Iterable[bytes]:
    """Gives a secret as it may be written: plain, in an address, in JSON, and in base64 at each offset."""
    yield secret.encode()
    yield quote(secret, safe="").encode()
    yield json.dumps(secret)[1:-1].encode()
    for before in (b"", b"x", b"xx"):
        # What surrounds the secret touches the first and the last letters of its base64.
        yield base64.b64encode(before + secret.encode())[4:-4]


def secrets_of(shop: Street) -> set[str]:
    told = {value for each in shop.running.values() for value in each.emulator.secrets().values()}
    reddit = shop.emulator("reddit")
    pair = base64.b64encode(f"{reddit.CLIENT_ID}:{reddit.CLIENT_SECRET}".encode()).decode()
    return told | set(reddit._tokens) | {pair}


def leaks(place: str, content: bytes, secrets: Iterable[str]) -> list[str]:
    return [f"{place} holds {secret}" for secret in secrets for form in forms(secret) if form and form in content]


@pytest.fixture
def shop(street) -> Street:
    opened: Street = street(*PLATFORMS)
    for number in range(40):
        for platform in PLATFORMS:
            opened.write(platform, f"Číslo {number}: přišlo to rozbité.", author=f"Zákazník {number}", rating=2)
    opened.emulator("heureka").write(CustomerText(author="Eva", text="Vracím.", language="cs", product="Konvice"))
    return opened


@pytest.mark.timeout(180)
def test_no_file_and_no_line_holds_a_secret(shop: Street, nobodys_machine: Path) -> None:
    told: list[tuple[str, str]] = []

    def run(*command: str) -> int:
        code, out, err = shop.run(*command)
        told.extend(((" ".join(command) + ": stdout", out), (" ".join(command) + ": stderr", err)))
        return code

    assert run("poll", "--now", "--json") == 0
    for platform in ("facebook", "reddit"):
        found = shop.store.db.conn.execute(
            "SELECT id FROM mention WHERE source_id = ? AND ours = 0 LIMIT 2", (platform,)
        ).fetchall()
        for (id,) in found:
            assert run("reply", str(id), f"Omlouváme se, {platform} {id}.", "--despite-warnings") == 0
    with shop.store.transaction() as conn:
        conn.execute("UPDATE reply SET send_after = 0")
    assert run("send", "--json") == 0
    assert len(shop.texts("facebook")) == len(shop.texts("reddit")) == 2
    _provoke(shop, run)
    assert run("export", str(shop.folder / "all.jsonl")) == 0
    assert run("export", "--csv", str(shop.folder / "all.csv")) == 0
    assert run("backup", str(shop.folder / "copy.db")) == 0
    for command in (("list",), ("show", "1"), ("sources",), ("outbox", "--all"), ("doctor",), ("connectors",)):
        run(*command)
    secrets = secrets_of(shop)
    assert len(secrets) > 5
    files = [each for root in (shop.folder, nobodys_machine) for each in root.rglob("*") if each.is_file()]
    names = {each.name for each in files}
    assert {"desk.db", "copy.db", "all.jsonl", "all.csv", "log"} <= names
    found = [leak for each in files for leak in leaks(str(each), each.read_bytes(), secrets)]
    found += [leak for place, text in told for leak in leaks(place, text.encode(), secrets)]
    assert found == []
    readable = [each.name for each in files if each.suffix in (".db", ".jsonl", ".csv") and each.stat().st_mode & 0o077]
    assert readable == []


def _provoke(shop: Street, run: Any) -> None:
    """Lets each platform fail in each way, and say the desk's own secret back to it where it can."""
    for platform in PLATFORMS:
        emulator = shop.emulator(platform)
        said = " ".join(emulator.secrets().values())
        emulator.login_page = lambda said=said: HTMLResponse(f"<title>{said}</title><a href='/?key={said}'>{said}</a>")
    for kind, platforms in PROVOKED:
        for platform in platforms:
            shop.fail(platform, kind, times=-1)
        assert run("poll", "--now", *(each for platform in platforms for each in ("--source", platform))) in (4, 5)
        for platform in PLATFORMS:
            shop.heal(platform)
    for platform in PLATFORMS:
        shop.fail(platform, FaultKind.LOGIN_PAGE, times=-1)
    run("doctor")
    for platform in PLATFORMS:
        shop.heal(platform)
    assert run("poll", "--now", *(each for platform in PLATFORMS for each in ("--source", platform))) == 0

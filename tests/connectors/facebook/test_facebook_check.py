from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from reviewdesk.connector import Finding, Level, Secret
from reviewdesk.sandbox import Fault, FaultKind


def _faults(findings: list[Finding]) -> list[str]:
    return [finding.sentence for finding in findings if finding.level is Level.FAULT]


def _warnings(findings: list[Finding]) -> list[str]:
    return [finding.sentence for finding in findings if finding.level is Level.WARNING]


async def test_a_sound_page_has_no_faults_and_says_when_data_access_lapses(world: Any) -> None:
    world.write("Dobrý den")
    findings = await world.connector().check()
    assert {finding.level for finding in findings} == {Level.OK}
    [lapse] = [finding for finding in findings if finding.expires_at]
    assert lapse.expires_at == world.clock.now + timedelta(days=80)
    assert "80" in lapse.sentence


@pytest.mark.parametrize(
    ("days", "level"), [(15, Level.OK), (13, Level.WARNING), (1, Level.WARNING), (-1, Level.FAULT)]
)
async def test_the_end_of_data_access_is_warned_of_in_time(world: Any, days: int, level: Level) -> None:
    world.emulator.data_access_days = days
    [lapse] = [finding for finding in await world.connector().check() if finding.expires_at]
    assert lapse.level is level


async def test_missing_permissions_are_named(world: Any) -> None:
    world.emulator.scopes = ["pages_read_engagement"]
    findings = await world.connector().check()
    told = " ".join(_faults(findings))
    assert "pages_read_user_content" in told
    assert "pages_manage_engagement" in told
    assert "pages_read_engagement" not in told
    assert "pages_messaging" in " ".join(_warnings(findings))


async def test_permissions_for_other_pages_only_are_missing_ones(world: Any) -> None:
    world.emulator.target_pages = ["999"]
    assert sum("other Pages only" in sentence for sentence in _faults(await world.connector().check())) == 3


@pytest.mark.parametrize("kind", ["USER", "SYSTEM_USER", "APP", ""])
async def test_a_token_of_another_type_is_a_fault(world: Any, kind: str) -> None:
    world.emulator.token_type = kind
    assert any("not PAGE" in sentence for sentence in _faults(await world.connector().check()))


async def test_another_pages_token_is_a_fault(world: Any) -> None:
    findings = await world.connector(page_id="42").check()
    assert any("not to 42" in sentence for sentence in _faults(findings))


async def test_the_silent_empty_list_is_detected(world: Any, scripted: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/debug_token"):
            return httpx.Response(200, json={"data": {"is_valid": True, "type": "PAGE"}})
        if path.endswith("/feed"):
            row = {"id": "1_2", "comments": {"data": [], "summary": {"total_count": 7}}}
            return httpx.Response(200, json={"data": [row]})
        return httpx.Response(200, json={"data": [], "id": "1015550001", "name": "Shop Demo"})

    findings = await scripted(answer).check()
    assert any("hands out none" in sentence for sentence in _faults(findings))


async def test_a_persons_token_that_sees_nothing_is_told(world: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv(next(iter(world.emulator.secrets())), world.emulator.person_token)
    findings = await world.connector().check()
    assert _faults(findings) + _warnings(findings)


async def test_the_version_that_really_answered_is_compared(world: Any) -> None:
    world.emulator.served = "v26.0"
    assert any("v26.0" in sentence for sentence in _warnings(await world.connector().check()))


async def test_dead_reviews_and_a_nearly_spent_budget_are_told(world: Any) -> None:
    world.emulator.ratings_up_to = ""
    world.emulator.usage = 80
    told = " ".join(_warnings(await world.connector().check()))
    assert "open them in the browser" in told
    assert "80%" in told


async def test_the_app_looks_into_the_token_where_its_secret_is_set(world: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("FB_APP_SECRET", "app-secret-of-the-tests")
    app = {"app_id": world.emulator.app_id, "app_secret": Secret("env:FB_APP_SECRET")}
    findings = await world.connector(**app).check()
    assert _faults(findings) == []
    [asked] = [request for request in world.emulator.requests if request.path.endswith("/debug_token")]
    assert asked.headers["authorization"] == f"Bearer {world.emulator.app_id}|app-secret-of-the-tests"
    assert "app-secret" not in asked.query


async def test_check_tells_and_never_raises(world: Any, monkeypatch: Any) -> None:
    world.emulator.faults.append(Fault(kind=FaultKind.EXPIRED_TOKEN, times=-1))
    assert any("expired" in sentence for sentence in _faults(await world.connector().check()))
    world.emulator.faults.clear()
    for kind in (FaultKind.SERVER_ERROR, FaultKind.LOGIN_PAGE, FaultKind.CUT, FaultKind.RATE_LIMIT):
        world.emulator.faults[:] = [Fault(kind=kind, times=-1)]
        assert _faults(await world.connector().check())
    world.emulator.faults.clear()
    monkeypatch.delenv(next(iter(world.emulator.secrets())))
    [missing] = await world.connector().check()
    assert missing.level is Level.FAULT
    assert "Set the environment variable" in missing.sentence + missing.hint


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"code": 190, "subcode": 463, "message": "x"}, "expired"),
        ({"code": 190, "subcode": 460, "message": "x"}, "password"),
        (None, "does not accept"),
    ],
)
async def test_an_invalid_token_says_why(scripted: Any, error: Any, words: str) -> None:
    body = {"data": {"is_valid": False, "app_id": 5, "scopes": [], **({"error": error} if error else {})}}
    findings = await scripted(lambda request: httpx.Response(200, json=body)).check()
    assert words in _faults(findings)[0]

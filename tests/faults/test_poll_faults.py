"""Polls that overlap and polls that are killed give the store that one undisturbed poll gives."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from msgspec.structs import replace

from reviewdesk.desk.poll import Outcome, poll_round
from reviewdesk.sandbox import CustomerText, FaultKind
from reviewdesk.store.db import Store
from tests.flows.street import Street, dump, until

PLATFORMS = ("facebook", "feed", "heureka", "reddit")
SLOWLY = {"facebook": "/comments", "feed": "", "heureka": "export-product", "reddit": "/new"}
"""A request in the middle of each platform's poll."""


@pytest.fixture
def shop(street) -> Street:
    shop: Street = street(*PLATFORMS)
    for number in range(12):
        for platform in PLATFORMS:
            shop.write(
                platform, f"Číslo {number}: přišlo to rozbité.", author=f"Zákazník {number}", rating=1 + number % 5
            )
    shop.emulator("heureka").write(
        CustomerText(author="Eva", text="Vrátila jsem to.", language="cs", rating=2, product="Konvice")
    )
    return shop


async def undisturbed(shop: Street) -> dict[str, list[tuple[Any, ...]]]:
    """Gives what a store holds after one poll that nothing disturbs."""
    with Store(shop.folder / "undisturbed.db", clock=shop.clock) as store:
        await poll_round(replace(shop.config, database=store.path), store)
        return dump(store.path)


def in_mid_poll(shop: Street, platform: str) -> None:
    seen = [f"{each.method} {each.path}" for each in shop.emulator(platform).requests]
    before = sum(SLOWLY[platform] in line for line in seen)
    until(
        lambda: (
            sum(SLOWLY[platform] in f"{each.method} {each.path}" for each in list(shop.emulator(platform).requests))
            > before
        )
    )


async def test_two_polls_at_once_share_the_work(shop: Street) -> None:
    whole = await undisturbed(shop)
    for platform in PLATFORMS:
        shop.fail(platform, FaultKind.SLOW, SLOWLY[platform], seconds=2)
    first, second = shop.start("poll", "--now", "--json"), shop.start("poll", "--now", "--json")
    outcomes = [process.communicate(timeout=40)[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0)
    assert sum(each.count(b'"busy"') for each in outcomes) >= 1, "they never met"
    assert dump(shop.config.database) == whole


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_one_killed_in_mid_poll_and_the_next_goes_on(shop: Street, platform: str) -> None:
    whole = await undisturbed(shop)
    shop.fail(platform, FaultKind.SLOW, SLOWLY[platform], seconds=20)
    process = shop.start("poll", "--now", "--quiet")
    in_mid_poll(shop, platform)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    shop.heal(platform)
    polled = await shop.poll()
    assert polled[platform].outcome is Outcome.DONE, "a dead process is in nobody's way"
    assert dump(shop.config.database) == whole
    assert shop.store.health.damage() == []


async def test_one_of_two_is_killed(shop: Street) -> None:
    whole = await undisturbed(shop)
    shop.fail("reddit", FaultKind.SLOW, SLOWLY["reddit"], seconds=20)
    doomed = shop.start("poll", "--now", "--quiet")
    in_mid_poll(shop, "reddit")
    other = shop.start("poll", "--now", "--quiet")
    doomed.send_signal(signal.SIGKILL)
    doomed.communicate(timeout=10)
    other.communicate(timeout=40)
    assert other.returncode == 0
    await shop.poll()
    assert dump(shop.config.database) == whole


async def test_a_copy_taken_in_mid_poll_goes_on_from_there(shop: Street) -> None:
    whole = await undisturbed(shop)
    shop.fail("reddit", FaultKind.SLOW, SLOWLY["reddit"], seconds=20)
    process = shop.start("poll", "--now", "--quiet")
    in_mid_poll(shop, "reddit")
    shop.store.backup(shop.folder / "copy.db")
    process.kill()
    process.communicate(timeout=10)
    shop.heal("reddit")
    with Store(shop.folder / "copy.db", clock=shop.clock) as copy:
        await poll_round(replace(shop.config, database=copy.path), copy, now=True)
        assert dump(copy.path) == whole


@pytest.mark.parametrize("platform", ["facebook", "reddit"])
async def test_interrupted_it_ends_at_once_and_gives_back_its_sources(street, platform: str) -> None:
    shop: Street = street(platform)
    shop.write(platform)
    shop.fail(platform, FaultKind.SLOW, SLOWLY[platform], seconds=15)
    process = shop.start("poll", "--now")
    in_mid_poll(shop, platform)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=8)
    assert (process.returncode, out) == (130, b""), err
    assert b"Traceback" not in err
    assert err.endswith(b"Interrupted.\n")
    (state,) = shop.store.sources.states()
    assert state.leased_until is None

"""The kill harness itself: some two hundred kills for every change, and proof that it would see what it looks for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from reviewdesk.desk import guard
from reviewdesk.desk.deliver import deliver
from reviewdesk.desk.poll import poll_round
from reviewdesk.model import Change, What
from tests.faults.kill import run
from tests.faults.world import World, world

linux_only = pytest.mark.skipif(
    not hasattr(os, "pidfd_open") or sys.platform != "linux", reason="kills by pidfd, which only Linux has"
)


@linux_only
@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_doubled_or_unapproved(tmp_path: Path, seed: int) -> None:
    figures = run(110, seed, ("facebook", "feed", "heureka", "reddit"), tmp_path)
    assert figures.verdict.sentences == []
    assert figures.broken == []
    assert figures.kills.total() >= 110
    assert figures.verdict.replies > 3


async def settled(here: World) -> None:
    here.clock.forward(minutes=3)
    await poll_round(here.config, here.store, now=True)
    here.settled()
    await deliver(here.config, here.store)


async def test_what_goes_wrong_is_seen(tmp_path: Path) -> None:
    with world(tmp_path, 5, ("facebook", "reddit")) as here:
        here.customer_writes("reddit")
        here.customer_writes("facebook")
        await settled(here)
        here.agent_approves()
        here.agent_approves()
        await settled(here)
        assert here.compare().sentences == []
        emulator = here.running["reddit"].emulator
        (reply,) = emulator.shop_replies()
        emulator.comment(emulator.ACCOUNT, reply.text, reply.to)
        assert [len(each) for each in (here.compare().lost, here.compare().doubled)] == [0, 1]
        emulator.comment(emulator.ACCOUNT, "Nikdo to neschválil.", reply.to)
        assert len(here.compare().unapproved) == 1
        shop = here.running["facebook"].emulator.shop
        (standing,) = here.running["facebook"].emulator.shop_replies()
        shop.remove(shop.found(standing.id).id)
        assert len(here.compare().lost) == 1
        here.customer_writes("reddit")
        here.settled()
        assert len(here.compare().lost) == 2
        with here.store.transaction() as conn:
            conn.execute("UPDATE mention_version SET text = 'anders'")
        assert len(here.compare().lost) > 3


async def approved(here: World, platform: str) -> None:
    here.customer_writes(platform)
    await settled(here)
    here.agent_approves()
    here.clock.forward(seconds=30)


def written_again(here: World) -> None:
    while len(here.written) < 2:
        here.customer_goes_on()


HAPPENS = {
    "it said": World.customer_edits,
    "had written": written_again,
    "the shop had": World.shop_answers_by_hand,
}


@pytest.mark.parametrize("words", HAPPENS)
async def test_a_guard_that_sleeps_is_seen(tmp_path: Path, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "changes", lambda *args, **more: ())
    with world(tmp_path, 7, ("reddit",)) as here:
        await approved(here, "reddit")
        HAPPENS[words](here)
        await deliver(here.config, here.store)
        (found,) = here.compare().unguarded
        assert words in found


async def test_a_guard_that_holds_everything_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change = Change(what=What.WROTE_AGAIN, after="Nikdo to nenapsal.")
    with world(tmp_path, 7, ("facebook",)) as here:
        await approved(here, "facebook")
        monkeypatch.setattr(guard, "changes", lambda *args, **more: (change,))
        await deliver(here.config, here.store)
        here.agent_decides()
        assert len(here.compare().misheld) == 1
        assert here.compare().lost, "and it is not sent"

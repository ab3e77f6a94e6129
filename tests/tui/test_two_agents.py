"""Two agents on one mention: each sees the other within about a second, and nobody answers twice unawares."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.widgets import Static

from reviewdesk.config import load
from reviewdesk.desk.respond import Respond
from reviewdesk.model import DeliveryState
from reviewdesk.store.db import Store
from tests.tui.desks import HUGE, SMALL, Desk, Fixture, desk, mention

both_sizes = pytest.mark.parametrize("size", [SMALL, HUGE], ids=["80x24", "200x60"])
SOON = 10.0
"""Seconds in which a colleague is seen; about one, and room for a busy machine. Without looking it would be twenty."""


class Petr:
    """A colleague at another machine: another connection, another process for all that the desk knows."""

    def __init__(self, filled: Fixture) -> None:
        file = filled.path.with_name("petr.toml")
        file.write_text(
            '[shop]\nname = "Shop"\n[desk]\nundo_seconds = 0\n[[agent]]\nid = "petr"\nname = "Petr Novák"\n'
        )
        self.store = Store(filled.path)
        self.respond = Respond(self.store, "petr", load(file, db=filled.path))

    def posts(self, id: int, text: str) -> None:
        self.respond.send(id, text, despite_warnings=True)
        claimed = self.store.outbox.claim("petr's send", lease_seconds=60)
        assert claimed
        assert self.store.outbox.move(claimed, DeliveryState.POSTED, posted_at=self.store.clock(), remote_id="r1")


@pytest.fixture
def petr(filled: Fixture) -> AsyncIterator[Petr]:
    colleague = Petr(filled)
    yield colleague  # type: ignore[misc]
    colleague.store.close()


@asynccontextmanager
async def composing(filled: Fixture, size: tuple[int, int], text: str = "Mine.") -> AsyncIterator[Desk]:
    """Jana's desk with the composer open and a text in it."""
    async with desk(filled.path, size) as running:
        await running.press("r")
        await running.until(lambda: running.inbox.context == "composer")
        await running.press(*text)
        yield running


@both_sizes
async def test_a_colleague_who_writes_is_seen_in_the_list_and_in_the_conversation(
    filled: Fixture, petr: Petr, size: tuple[int, int]
) -> None:
    (id,) = filled.add_many(1)
    async with desk(filled.path, size) as running:
        began = time.monotonic()
        petr.respond.begin_writing(id)
        petr.respond.save_draft(id, "A secret thought")
        await running.until(lambda: "Petr is writing since " in "".join(running.lines()))
        assert time.monotonic() - began < SOON
        await running.press("enter")
        await running.until(lambda: "Petr Novák is writing since " in running.text())
        assert "A secret thought" not in running.text()
        petr.respond.stop_writing(id)
        await running.until(lambda: "Petr Novák has a draft, last changed " in running.text())
        petr.respond.save_draft(id, "")
        await running.until(lambda: "Petr" not in running.text())


async def test_who_has_a_reply_open_in_two_windows_is_told_in_both(
    filled: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reviewdesk.tui.replying.WRITING_AGAIN", 0.05)
    (id,) = filled.add_many(1)
    config = load(None, db=filled.path, environ={}, optional=True)
    with Store(filled.path) as store:
        other = Respond(store, "jana", config)
        assert not other.begin_writing(id)
        assert not other.begin_writing(id), "it is the same window"
        async with composing(filled, SMALL, text="") as running:
            await running.until(lambda: any("another window too" in each for each in running.toasts()))
            await running.until(lambda: other.begin_writing(id))


@pytest.mark.parametrize("typed_here", ["", "!"])
async def test_a_window_that_is_left_does_not_write_over_what_was_typed_last_in_another(
    filled: Fixture, typed_here: str
) -> None:
    (id,) = filled.add_many(1)
    filled.store.outbox.save_draft(id, "jana", "Mine")
    async with composing(filled, SMALL, text=typed_here) as running:
        await running.until(lambda: filled.store.outbox.drafts(id)[0].text == "Mine" + typed_here)
        await running.until(lambda: not running.inbox.replying._unkept)
        filled.store.outbox.save_draft(id, "jana", "Mine, and more")
    assert filled.store.outbox.drafts(id)[0].text == "Mine, and more"
    assert not filled.store.outbox.writers(id)[0].is_writing(filled.store.clock())


@both_sizes
async def test_whoever_writes_sees_a_colleague_begin_and_is_seen(
    filled: Fixture, petr: Petr, size: tuple[int, int]
) -> None:
    (id,) = filled.add_many(1)
    async with composing(filled, size) as running:
        assert [each.agent for each in petr.respond.writing_too(id)] == ["jana"]
        petr.respond.begin_writing(id)
        await running.until(lambda: "Petr Novák is writing since" in running.text())
        assert running.inbox.composer.text == "Mine."
        await running.press("escape")
        await running.until(lambda: petr.respond.writing_too(id) == [])
        assert petr.store.outbox.drafts(id)[0].text == "Mine."
        await running.press("r")
        await running.until(lambda: petr.respond.writing_too(id))
    assert petr.respond.writing_too(id) == [], "a desk that was left writes nothing"


async def test_a_window_that_is_still_open_says_so_again_and_a_dead_one_is_forgotten(
    filled: Fixture, petr: Petr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reviewdesk.tui.replying.WRITING_AGAIN", 0.05)
    monkeypatch.setattr("reviewdesk.desk.respond._WRITING_LEASE", 0.5)
    (id,) = filled.add_many(1)
    async with composing(filled, SMALL) as running:
        (first,) = petr.respond.writing_too(id)
        await running.until(lambda: petr.respond.writing_too(id)[0].until > first.until)  # type: ignore[operator]
        assert petr.respond.writing_too(id)[0].since == first.since
        running.inbox.replying._heartbeat.stop()  # as a machine that has lost its power
        await running.until(lambda: petr.respond.writing_too(id) == [])


@both_sizes
async def test_when_a_colleague_has_sent_the_composer_says_so_and_sending_is_held(
    filled: Fixture, petr: Petr, size: tuple[int, int]
) -> None:
    (id,) = filled.add_many(1)
    async with composing(filled, size) as running:
        began = time.monotonic()
        petr.posts(id, "Petr was here, the parcel is on its way.")
        await running.until(lambda: "A colleague has replied." in running.text())
        assert time.monotonic() - began < SOON
        assert "Petr was here, the parcel is on its way." in running.text()
        await running.press("ctrl+s")
        await running.until(lambda: "Send again" in running.text())
        assert len(filled.store.outbox.replies_to(id)) == 1
        assert running.inbox.composer.text == "Mine."
        await running.press("ctrl+s")
        await running.until(lambda: len(filled.store.outbox.replies_to(id)) == 2)


async def test_while_a_colleagues_reply_is_on_its_way_ones_own_stays_a_draft(filled: Fixture, petr: Petr) -> None:
    (id,) = filled.add_many(1)
    async with composing(filled, SMALL) as running:
        petr.respond.send(id, "Petr's answer", despite_warnings=True)
        for _ in range(2):
            await running.press("ctrl+s")
            await running.until(lambda: "Petr Novák has a reply on its way" in running.text())
        assert [each.agent for each in filled.store.outbox.replies_to(id)] == ["petr"]
        assert running.inbox.composer.text == "Mine."
        assert filled.store.outbox.drafts(id)[0].text == "Mine."


async def test_what_happens_between_the_last_look_and_the_sending_holds_it(
    filled: Fixture, petr: Petr, monkeypatch: pytest.MonkeyPatch
) -> None:
    (id,) = filled.add_many(1)
    async with composing(filled, SMALL) as running:
        monkeypatch.setattr(running.inbox.composer, "take", lambda conversation: None)  # the news is late
        filled.store.mentions.ingest("shop", [mention(0, "All is well now.")])
        await running.press("ctrl+s")
        await running.until(lambda: "The customer changed the text." in running.text())
        assert not filled.store.outbox.replies_to(id)


@both_sizes
async def test_a_text_that_the_customer_changes_is_shown_with_its_difference(
    filled: Fixture, size: tuple[int, int]
) -> None:
    (id,) = filled.add_many(1)
    async with composing(filled, size) as running:
        filled.store.mentions.ingest("shop", [mention(0, "Mention number nothing")])
        await running.until(lambda: "now │" in running.text())
        assert "Mention number nothing" in running.text()
        await running.press("ctrl+s")
        await running.until(lambda: "Send again" in running.text())
        filled.store.mentions.ingest("shop", [mention(0, "Changed once more")])
        await running.until(lambda: "Changed once more" in running.text())
        await running.press("ctrl+s")  # what was waved through was something else
        await running.until(lambda: "Send again" in running.text())
        assert not filled.store.outbox.replies_to(id)
        await running.press("ctrl+s")
        await running.until(lambda: filled.store.outbox.replies_to(id))


async def test_a_mention_that_disappears_keeps_the_draft_and_holds_the_sending(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    async with composing(filled, SMALL) as running:
        filled.store.mentions.ingest("shop", (), gone=["m0"])
        await running.until(lambda: "gone from the platform" in running.text())
        for _ in range(2):
            await running.press("ctrl+s")
        await running.until(lambda: "nothing to reply to" in running.text())
        assert not filled.store.outbox.replies_to(id)
        assert filled.store.outbox.drafts(id)[0].text == "Mine."
    async with desk(filled.path) as running:  # and it says so again to whoever comes back to it
        await running.press("r")
        await running.until(lambda: "gone from the platform" in running.text())
        assert running.inbox.composer.text == "Mine."


async def test_a_mention_that_is_erased_is_not_shown_again_and_keeps_nothing(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    async with composing(filled, HUGE) as running:
        filled.store.erasing.erase(filled.store.erasing.of([id]), agent="petr")
        await running.until(lambda: "The mention was erased." in running.text())
        assert "Mention number" not in str(running.inbox.composer.query_one("#news", Static).content)
        await running.press(*" More.", "escape")
        await running.until(lambda: running.inbox.context != "composer")
    assert filled.store.outbox.drafts(id) == ()


async def test_a_mention_that_is_closed_or_given_to_another_keeps_the_draft_and_says_so(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    async with composing(filled, SMALL) as running:
        filled.store.mentions.change([id], {"assignee": "petr"}, agent="petr", what="assigned")
        await running.until(lambda: "assigned to Petr Novák meanwhile" in running.text())
        filled.store.mentions.change([id], {"status": "closed"}, agent="petr", what="closed")
        await running.until(lambda: "The mention is closed" in running.text())
        assert running.inbox.composer.text == "Mine."
        await running.press(*" More.")
        await running.until(lambda: [each.text for each in filled.store.outbox.drafts(id)] == ["Mine. More."])
        await running.press("ctrl+s")
        await running.until(lambda: filled.store.outbox.replies_to(id))


async def test_an_erased_mention_ends_no_desk(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    async with composing(filled, SMALL) as running:
        filled.store.db.execute("DELETE FROM mention WHERE id = ?", (id,))
        await running.press(*"x", "ctrl+s")
        await running.until(lambda: any("no mention" in toast for toast in running.toasts()))
        assert running.inbox.composer.text == "Mine.x"

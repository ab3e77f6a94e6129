"""After the send key: once is once, undo as long as it can, and then what the platform still lets one do."""

from __future__ import annotations

import asyncio
import threading

import pytest
from msgspec.structs import replace
from textual.widgets import OptionList

from reviewdesk.model import Change, DeliveryState, Status, What
from reviewdesk.store.records import Reply
from reviewdesk.tui.amending import Rewrite
from reviewdesk.tui.composer import ReplyText
from reviewdesk.tui.prompts import Choose, Confirm
from tests.tui.desks import HUGE, SMALL, Desk, Fixture, desk, mention

both_sizes = pytest.mark.parametrize("size", [SMALL, HUGE], ids=["80x24", "200x60"])


async def send(running: Desk, text: str = "Sorry") -> None:
    await running.until(lambda: len(running.list.ids))  # a view that was just chosen is empty until it was read
    await running.press("r")
    await running.until(lambda: running.inbox.context == "composer")
    await running.press(*text)
    await running.press("ctrl+s")
    await running.until(lambda: running.inbox.context == "list")


def gone_out(filled: Fixture, id: int, state: DeliveryState = DeliveryState.POSTED) -> Reply:
    """Lets another process have sent the reply to a mention."""
    (reply,) = filled.store.outbox.replies_to(id)
    filled.store.db.execute("UPDATE reply SET send_after = 0 WHERE id = ?", (reply.id,))
    claimed = filled.store.outbox.claim("a process", lease_seconds=60)
    assert claimed
    if state is not DeliveryState.SENDING:
        filled.store.outbox.move(claimed, state, remote_id="r1", posted_at=filled.store.clock(), remote_text="Sorry.")
    return filled.store.outbox.get(reply.id)


def can(filled: Fixture, **abilities: bool) -> None:
    filled.store.sources.register("shop", "shop", "Shop", {"reply": "api", "reply_length": 500, **abilities})


def options(running: Desk) -> list[str]:
    return [str(option.prompt) for option in running.app.screen.query_one(OptionList).options]


@both_sizes
async def test_the_send_key_pressed_often_sends_once(filled: Fixture, size: tuple[int, int]) -> None:
    ids = filled.add_many(3)
    async with desk(filled.path, size) as running:
        await running.press("r")
        await running.until(lambda: running.inbox.context == "composer")
        await running.press(*"Sorry", *["ctrl+s"] * 5)
        await running.until(lambda: running.inbox.context == "list")
        await running.press(*["ctrl+s"] * 3)
        assert [len(filled.store.outbox.replies_to(id)) for id in ids] == [1, 0, 0]
        assert not filled.store.outbox.drafts(ids[0])
        assert not [toast for toast in running.toasts() if "on its way" in toast], "one send, and no complaint"


async def test_undo_after_it_has_gone_offers_to_change_it_where_the_platform_can(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    can(filled, edit_reply=True, delete_reply=True)
    async with desk(filled.path) as running:
        await send(running)
        reply = gone_out(filled, id)
        await running.press("u")
        await running.until(lambda: isinstance(running.app.screen, Choose))
        assert options(running) == ["Change its text there", "Delete it there"]
        await running.press("enter")
        await running.until(lambda: isinstance(running.app.screen, Rewrite))
        assert "Sorry." in running.text()
        await running.press("backspace", *", truly")
        await running.press("ctrl+s")
        wanted = ("edit-reply", "--", str(reply.id), "Sorry, truly")
        await running.until(lambda: wanted in running.started)  # type: ignore[attr-defined]
        await running.until(lambda: "The reply on Shop is changed." in running.toasts())


async def test_undo_after_it_has_gone_deletes_only_after_a_yes(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    can(filled, delete_reply=True)
    async with desk(filled.path) as running:
        await send(running)
        reply = gone_out(filled, id)
        for answer in ("escape", "enter"):
            await running.press("O")
            await running.until(lambda: "posted" in running.text())
            await running.press("X")
            await running.until(lambda: isinstance(running.app.screen, Confirm))
            assert not [words for words in running.started if words[0] == "delete-reply"]  # type: ignore[attr-defined]
            await running.press(answer, "escape")
        wanted = ("delete-reply", "--yes", str(reply.id))
        await running.until(lambda: wanted in running.started)  # type: ignore[attr-defined]


async def test_undo_after_it_has_gone_says_so_where_the_platform_can_nothing(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    can(filled)
    async with desk(filled.path) as running:
        await send(running)
        gone_out(filled, id)
        await running.press("u")
        await running.until(lambda: any("no way for the desk to change or delete" in t for t in running.toasts()))
        assert filled.store.outbox.replies_to(id)[0].state is DeliveryState.POSTED


async def test_undo_while_it_is_being_sent_waits_for_what_becomes_of_it(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    async with desk(filled.path) as running:
        await send(running)
        gone_out(filled, id, DeliveryState.SENDING)
        await running.press("u")
        await running.until(lambda: any("being sent just now" in toast for toast in running.toasts()))
        assert running.inbox.can_undo
        assert filled.store.outbox.replies_to(id)[0].state is DeliveryState.SENDING


async def test_undo_takes_back_what_was_done_last_and_a_reply_that_is_running_out_first(filled: Fixture) -> None:
    first, second = filled.add_many(2)
    async with desk(filled.path) as running:
        await running.press("2")
        await send(running)
        await running.press("G", "e")
        await running.until(lambda: filled.store.mentions.get(second).status is Status.CLOSED)
        await running.press("u")  # the reply: its seconds are running out, as the header says
        await running.until(lambda: filled.store.outbox.replies_to(first)[0].state is DeliveryState.WITHDRAWN)
        await running.until(lambda: running.inbox.context == "composer")
        await running.press("escape", "escape", "u")
        await running.until(lambda: filled.store.mentions.get(second).status is not Status.CLOSED)
        await running.until(lambda: not running.inbox.can_undo)


async def test_a_reply_that_was_taken_back_elsewhere_is_no_undo(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    async with desk(filled.path) as running:
        await send(running)
        await running.press("O")
        await running.until(lambda: "goes out" in running.text())
        await running.press("d")
        await running.until(lambda: filled.store.outbox.replies_to(id)[0].state is DeliveryState.WITHDRAWN)
        assert not filled.store.outbox.drafts(id)
        await running.press("escape", "u")
        await running.until(lambda: "There is nothing to take back." in running.toasts())


def hold(filled: Fixture, id: int) -> Reply:
    filled.store.outbox.put(id, "We are sorry.", agent="jana")
    claimed = filled.store.outbox.claim("a process", lease_seconds=60)
    assert claimed
    edited = Change(what=What.EDITED, who="Jan", before="It is broken.", after="It works now.")
    filled.store.outbox.move(claimed, DeliveryState.HELD, changes=(edited,), fault="Held back.")
    return filled.store.outbox.get(claimed.id)


@both_sizes
async def test_a_held_reply_is_told_in_list_header_and_conversation(filled: Fixture, size: tuple[int, int]) -> None:
    (id,) = filled.add_many(1)
    async with desk(filled.path, size) as running:
        hold(filled, id)
        await running.until(lambda: "‖ held" in "".join(running.lines()))
        await running.until(lambda: "1 reply waits (O)" in running.text())
        await running.press("enter")
        await running.until(lambda: "was │ It is broken." in running.inbox.pane.text)
        assert "now │ It works now." in running.inbox.pane.text
        assert "y decides" in running.inbox.pane.text
        await running.press("escape", "6")
        await running.until(lambda: list(running.list.ids) == [id])


@pytest.mark.parametrize("place", ["outbox", "conversation"])
@pytest.mark.parametrize("decision", ["send", "change", "drop"])
async def test_a_held_reply_is_sent_changed_or_dropped_by_one_key(filled: Fixture, place: str, decision: str) -> None:
    (id,) = filled.add_many(1)
    reply = hold(filled, id)
    async with desk(filled.path) as running:
        if place == "outbox":
            await running.press("O")
            await running.until(lambda: "r sends it all the same" in running.text())
            await running.press({"send": "r", "change": "w", "drop": "d"}[decision])
        else:
            await running.press("y")
            await running.until(lambda: isinstance(running.app.screen, Choose))
            await running.press(*["down"] * ["send", "change", "drop"].index(decision), "enter")
        state = DeliveryState.QUEUED if decision == "send" else DeliveryState.WITHDRAWN
        await running.until(lambda: filled.store.outbox.get(reply.id).state is state)
        if decision == "send":
            await running.until(lambda: ("send", "--json") in running.started)  # type: ignore[attr-defined]
        elif decision == "change":
            await running.until(lambda: running.inbox.composer.text == "We are sorry.")
        else:
            assert not filled.store.outbox.drafts(id)


@pytest.mark.parametrize("state", [DeliveryState.HANDED_OFF, DeliveryState.UNKNOWN])
async def test_undo_after_a_word_on_a_colleagues_reply_is_for_that_word(filled: Fixture, state: DeliveryState) -> None:
    closed, id = filled.add_many(2, "byhand")
    reply = filled.store.outbox.put(id, "We are sorry.", agent="petr", state=state)
    async with desk(filled.path) as running:
        running.inbox.list.go_to(closed)
        await running.press("e")
        await running.until(lambda: filled.store.mentions.get(closed).status is Status.CLOSED)
        await running.press("O")
        await running.until(lambda: "y" in running.text() and "We are sorry." in running.text())
        await running.press("y")
        await running.until(lambda: filled.store.outbox.get(reply.id).state is DeliveryState.POSTED)
        await running.press("u")
        await running.until(lambda: "It is not there" in running.text())
        assert filled.store.mentions.get(closed).status is Status.CLOSED
        await running.press("escape", "u")
        await running.until(lambda: filled.store.mentions.get(closed).status is not Status.CLOSED)


async def test_a_text_that_is_too_long_or_empty_does_not_replace_what_stands_there(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    filled.store.sources.register("shop", "shop", "Shop", {"reply": "api", "reply_length": 10, "edit_reply": True})
    reply = replace(filled.store.outbox.put(id, "Sorry", agent="jana"), remote_id="r1", state=DeliveryState.POSTED)
    async with desk(filled.path) as running:
        running.app.run_told(running.inbox.amending.edit(reply))
        await running.until(lambda: isinstance(running.app.screen, Rewrite))
        await running.press(*" again and again", "ctrl+s")
        await running.until(lambda: "Too long: 21 of 10" in running.text())
        await running.press("ctrl+a", "delete", "ctrl+s")
        assert isinstance(running.app.screen, Rewrite)
        await running.press("escape")
        assert not [words for words in running.started if words[0] == "edit-reply"]  # type: ignore[attr-defined]


async def test_a_change_that_the_platform_does_not_take_is_not_lost(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    can(filled, edit_reply=True)
    reply = replace(filled.store.outbox.put(id, "Sorry", agent="jana"), remote_id="r1", state=DeliveryState.POSTED)
    async with desk(filled.path) as running:
        running.app.command_line = lambda *words: ["false"]
        running.app.run_told(running.inbox.amending.edit(reply))
        await running.until(lambda: isinstance(running.app.screen, Rewrite))
        await running.press(*", truly", "ctrl+s")
        await running.until(lambda: any("is copied" in toast for toast in running.toasts()))
        assert running.app.clipboard == "Sorry, truly"


async def test_a_change_that_is_left_half_written_is_there_again(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    can(filled, edit_reply=True)
    reply = replace(filled.store.outbox.put(id, "Sorry", agent="jana"), remote_id="r1", state=DeliveryState.POSTED)
    async with desk(filled.path) as running:
        for typed, text in ((", truly", "Sorry, truly"), (" so", "Sorry, truly so")):
            running.app.run_told(running.inbox.amending.edit(reply))
            await running.until(lambda: isinstance(running.app.screen, Rewrite))
            await running.press(*typed)
            assert running.app.screen.query_one(ReplyText).text == text
            await running.press("escape")
            await running.until(lambda: running.app.screen is running.inbox)
        assert any("is kept" in toast for toast in running.toasts())


async def test_what_is_typed_before_the_composer_is_open_is_written_and_commands_nothing(
    filled: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = filled.add_many(3)
    let_go = threading.Event()
    async with desk(filled.path) as running:
        running.app.writer.hand_over(lambda _: let_go.wait(20))  # the disk is slow just now
        await running.press("r", *"Dear e A")
        assert running.inbox.context == "list"
        let_go.set()
        await running.until(lambda: running.inbox.composer.text == "Dear e A")
        await running.press("x")
        assert running.inbox.composer.text == "Dear e Ax"
        assert {filled.store.mentions.get(id).status for id in ids} == {Status.NEW}
        assert filled.store.mentions.get(ids[0]).assignee == ""
        await running.press("escape", "escape", "x")
        assert running.list.selected, "letters are commands again"


async def test_the_key_after_the_one_that_opens_the_outbox_is_meant_for_the_outbox(filled: Fixture) -> None:
    ids = filled.add_many(3)
    let_go = threading.Event()
    async with desk(filled.path) as running:
        running.app.writer.hand_over(lambda _: let_go.wait(20))
        await running.press("O", "e", "e")
        assert running.app.screen is not running.inbox
        let_go.set()
        await running.until(lambda: "every reply has arrived" in running.text())
        assert {filled.store.mentions.get(id).status for id in ids} == {Status.NEW}


async def test_a_database_that_another_process_keeps_busy_does_not_keep_the_composer_closed(filled: Fixture) -> None:
    filled.add_many(1)
    async with desk(filled.path) as running:
        await running.until(lambda: len(running.list.ids))
        filled.store.db.conn.execute("BEGIN IMMEDIATE")
        try:
            await running.press("r")
            await running.until(lambda: running.inbox.context == "composer")
        finally:
            filled.store.db.conn.execute("ROLLBACK")


@pytest.mark.parametrize("turns", range(6))
async def test_a_window_that_is_left_while_a_delivery_starts_leaves_nothing_running(
    filled: Fixture, turns: int
) -> None:
    before = asyncio.all_tasks()
    async with desk(filled.path) as running:
        running.app.command_line = lambda *words: ["sleep", "60"]
        running.app.run_told(running.app.send())
        for _ in range(turns):  # each turn of the loop is another step of the start of a process
            await asyncio.sleep(0)
    left = {task for task in asyncio.all_tasks() - before if "Worker" in repr(task.get_coro())}
    assert not left


async def test_no_work_begins_in_a_window_that_was_left(filled: Fixture) -> None:
    begun = []

    async def late() -> None:
        begun.append(True)

    async with desk(filled.path) as running:
        pass
    running.app.run_told(late())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not begun


async def test_what_is_not_sent_after_its_composer_was_left_says_so(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    async with desk(filled.path) as running:
        await running.until(lambda: len(running.list.ids))
        await running.press("r")
        await running.until(lambda: running.inbox.context == "composer")
        await running.press(*"Sorry")
        gate = threading.Event()
        running.app.writer._thread.submit(gate.wait, 10)
        filled.store.mentions.ingest("shop", [mention(0, "All is well now.")])
        await running.pilot.press("ctrl+s", "escape")
        await running.until(lambda: not running.inbox.composer.display)
        gate.set()
        await running.until(lambda: any("was not sent" in toast for toast in running.toasts()))
        assert not filled.store.outbox.replies_to(id)
        assert filled.store.outbox.drafts(id)[0].text == "Sorry"
        assert running.inbox.context != "composer"


async def test_a_composer_that_goes_on_to_another_mention_keeps_the_keyboard(filled: Fixture) -> None:
    filled.add_many(2)
    async with desk(filled.path, HUGE) as running:
        await send_nothing(running)
        other = next(id for id in running.list.ids if id != running.inbox.composer.mention_id)
        await running.inbox.replying.write(other)
        await running.until(lambda: running.inbox.composer.mention_id == other)
        await running.press("x", "e")
        assert running.inbox.composer.text == "xe"
        assert running.inbox.context == "composer"


async def send_nothing(running: Desk) -> None:
    await running.until(lambda: len(running.list.ids))
    await running.press("r")
    await running.until(lambda: running.inbox.context == "composer")
    await running.press(*"Mine")


async def test_what_is_to_be_sent_while_a_delivery_runs_goes_out_after_it(filled: Fixture) -> None:
    async with desk(filled.path) as running:
        app, gate, began = running.app, asyncio.Event(), []

        async def deliver(title: str, *words: str) -> int:
            began.append(words)
            app._under_way.add(words)
            await gate.wait()
            app._under_way.discard(words)
            return 0

        app._run_process = deliver
        first = asyncio.ensure_future(app.send())
        await asyncio.sleep(0)
        await app.send()
        assert len(began) == 1
        gate.set()
        await first
        assert len(began) == 2

"""What is done at once on a platform, while a poll goes on beside it."""

from __future__ import annotations

import msgspec
import pytest

from reviewdesk.config import Config
from reviewdesk.desk.delivery import require
from reviewdesk.desk.moderate import delete_reply, edit_reply
from reviewdesk.errors import NotAllowed
from reviewdesk.model import DeliveryState, PostedReply
from reviewdesk.store.db import Store
from tests.desk.shops import Memory, Platform, registered


@pytest.fixture
async def reply(config: Config, store: Store, there: Platform, monkeypatch: pytest.MonkeyPatch) -> int:
    """A posted reply that a poll sees on its platform just while it is changed or deleted there."""
    there.capabilities = msgspec.structs.replace(there.capabilities, edit_reply=True, delete_reply=True)
    there.write("a")
    store.mentions.ingest("fb", list(there.customers.values()))
    store.outbox.put(1, "Omlouváme se.", agent="jana")
    claimed = store.outbox.claim("x", lease_seconds=60)
    assert claimed is not None
    store.outbox.move(claimed, DeliveryState.POSTED, holder="x", remote_id="r1", remote_text="Omlouváme se.")

    def seen(to: DeliveryState) -> None:
        now = store.outbox.get(claimed.id)
        assert store.outbox.move(now, require(now.state, to))

    async def edited(self: Memory, reply: PostedReply, text: str) -> PostedReply:
        seen(DeliveryState.VISIBLE)
        return msgspec.structs.replace(reply, text=text)

    async def deleted(self: Memory, reply: PostedReply) -> None:
        seen(DeliveryState.WITHDRAWN if there.visible is False else DeliveryState.VISIBLE)

    monkeypatch.setattr(Memory, "edit_reply", edited)
    monkeypatch.setattr(Memory, "delete_reply", deleted)
    return claimed.id


async def test_a_change_is_noted_though_a_poll_saw_the_reply_meanwhile(
    config: Config, store: Store, reply: int
) -> None:
    await edit_reply(config, store, "jana", reply, "Jinak.")
    assert store.outbox.get(reply).remote_text == "Jinak."
    assert store.outbox.get(reply).state is DeliveryState.VISIBLE


@pytest.mark.parametrize("text", [" ", "Objednávka […order_id…]", "Dobrý den, {{ author }}", "a\x1b[31mb", "x" * 21])
async def test_what_could_not_be_sent_is_no_change_either(
    config: Config, store: Store, there: Platform, reply: int, text: str
) -> None:
    registered(store, "fb", msgspec.structs.replace(there.capabilities, reply_length=20))
    with pytest.raises(NotAllowed):
        await edit_reply(config, store, "jana", reply, text)
    assert store.outbox.get(reply).remote_text == "Omlouváme se."


async def test_a_deletion_is_noted_though_a_poll_saw_the_reply_meanwhile(
    config: Config, store: Store, reply: int
) -> None:
    await delete_reply(config, store, "jana", reply)
    assert store.outbox.get(reply).state is DeliveryState.WITHDRAWN


async def test_two_who_delete_one_reply_are_both_right(
    config: Config, store: Store, there: Platform, reply: int
) -> None:
    there.visible = False
    await delete_reply(config, store, "jana", reply)
    assert store.outbox.get(reply).state is DeliveryState.WITHDRAWN

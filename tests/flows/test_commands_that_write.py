"""Commands that change something on a platform, from the command line to what stands there."""

from __future__ import annotations

import json

import pytest

from reviewdesk.model import DeliveryState, Status
from reviewdesk.sandbox import FaultKind
from tests.flows.street import Street


@pytest.fixture
async def shop(street) -> Street:
    shop: Street = street("facebook")
    shop.write("facebook")
    await shop.poll()
    return shop


def the_customers(shop: Street):
    return next(each for each in shop.emulator("facebook").shop.comments.values() if each.author.name != "Shop Demo")


def number(shop: Street) -> str:
    return str(shop.store.db.conn.execute("SELECT id FROM mention WHERE ours = 0").fetchone()[0])


def test_hide_and_like_and_back(shop: Street) -> None:
    for command, field in (("hide", "hidden"), ("like", "liked")):
        assert shop.run(command, number(shop))[0] == 0
        assert getattr(the_customers(shop), field) is True
        assert shop.run(command, number(shop), "--show" if command == "hide" else "--take-back")[0] == 0
        assert getattr(the_customers(shop), field) is False


def test_hiding_what_is_gone_says_so(shop: Street) -> None:
    shop.emulator("facebook").shop.remove(the_customers(shop).id)
    code, out, err = shop.run("hide", number(shop))
    assert (code, out) == (5, "")
    assert "gone" in err


async def test_a_reply_is_written_changed_and_deleted(shop: Street) -> None:
    code, _, err = shop.run("reply", number(shop), "Omlouváme se.")
    assert code == 0, err
    with shop.store.transaction() as conn:
        conn.execute("UPDATE reply SET send_after = 0")
    code, _, err = shop.run("edit-reply", "1", "Lépe.")
    assert code == 5
    assert "does not stand" in err
    assert shop.run("send", "--quiet") == (0, "", "")
    assert shop.run("edit-reply", "1", "Omlouváme se, pošleme nový kus.")[0] == 0
    assert shop.texts("facebook") == ["Omlouváme se, pošleme nový kus."]
    await shop.poll()
    assert shop.state(shop.store.outbox.get(1)) is DeliveryState.VISIBLE
    assert shop.store.mentions.get(int(number(shop))).status is Status.ANSWERED
    assert shop.run("delete-reply", "1", "--yes")[0] == 0
    assert shop.texts("facebook") == []
    assert shop.store.outbox.get(1).state is DeliveryState.WITHDRAWN
    code, _, err = shop.run("delete-reply", "1", "--yes")
    assert code == 5
    assert "withdrawn" in err


def test_from_a_template_and_only_to_look(shop: Street) -> None:
    code, out, err = shop.run("reply", number(shop), "--template", "no-such")
    assert code == 5
    assert "templates" in err
    _, told, _ = shop.run("templates", "--json")
    name = next(each["name"] for each in map(json.loads, told.splitlines()) if each["language"] == "cs")
    code, out, err = shop.run("reply", number(shop), "--template", name, "--dry-run")
    assert code == 0, err
    assert out.startswith("Dobrý den")
    assert shop.store.outbox.replies_to(int(number(shop))) == ()


def test_neither_or_both_is_wrong_usage(shop: Street) -> None:
    assert shop.run("reply", number(shop))[0] == 2
    assert shop.run("reply", number(shop), "x", "--template", "y")[0] == 2
    assert shop.run("reply", "999", "x")[0] == 5
    assert shop.run("outbox", "settle", "1")[0] == 2
    assert shop.run("send", "--source", "nowhere")[0] == 3


async def test_two_senders_at_once_send_each_reply_once(street) -> None:
    shop: Street = street("facebook", "reddit")
    replies = {}
    for count in range(8):
        for platform in shop.running:
            replies[platform, count] = shop.write(platform, f"Rozbité, číslo {count}.")
    await shop.poll()
    for (platform, count), id in replies.items():
        shop.reply(platform, id, f"Omlouváme se, číslo {count}.")
    with shop.store.transaction() as conn:
        conn.execute("UPDATE reply SET send_after = 0")
    for platform in shop.running:
        shop.fail(platform, FaultKind.SLOW, "POST", seconds=0.05, times=-1)
    senders = [shop.start("send", "--json") for _ in range(2)]
    told = [process.communicate(timeout=40)[0].count(b'"posted"') for process in senders]
    assert [process.returncode for process in senders] == [0, 0]
    assert sum(told) == 16
    for platform in shop.running:
        assert sorted(shop.texts(platform)) == [f"Omlouváme se, číslo {count}." for count in range(8)]

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reviewdesk.commands import Keys
from reviewdesk.model import Budget, Change, DeliveryState, Kind, Mention, What
from reviewdesk.store.db import Store
from reviewdesk.tui import app
from reviewdesk.tui.outbox import OutboxScreen, describe
from reviewdesk.tui.sources import SourcesScreen
from tests.tui.conversations import HOSTILE, NOW, Host, around, reply, row, source

SIZES = [(80, 24), (200, 60)]
PARKED = source(
    id="fb",
    title="Shop page",
    connector="facebook",
    parked=True,
    fault_kind="AuthFailed",
    fault="The token has expired.",
    fault_hint="Make a new one.",
    failures=3,
    set_aside=2,
    budget=Budget(used=0.82, until=NOW + timedelta(minutes=20), note="calls"),
)


@pytest.mark.parametrize("size", SIZES)
async def test_a_broken_source_stands_first_with_what_to_do(size: tuple[int, int]) -> None:
    app = Host()
    async with app.run_test(size=size) as pilot:
        screen = SourcesScreen(around)
        screen.show(
            [source(), PARKED, source(id="new", succeeded_at=None), source(id="run", leased_until=NOW + timedelta(1))]
        )
        app.push_screen(screen)
        await pilot.pause()
        said = app.screen_text()
        for part in (
            "1 of them not well", "parked", "The token has expired.", "3 times in a row", "→ Make a new one.", "82%",
            "2 set aside", "12,034 mentions, 17 open", "next in 4 min", "last well 6 min ago",
            "docs/platforms/facebook.md",
        ):  # fmt: skip
            assert part in said
        assert said.index("Shop page") < said.index("Heureka CZ")
        assert screen.state == PARKED
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is not screen


@pytest.mark.parametrize("size", [(80, 24), (160, 40)])
async def test_the_tier_of_its_connector_stands_beside_it(size: tuple[int, int]) -> None:
    app = Host()
    async with app.run_test(size=size) as pilot:
        screen = SourcesScreen(around)
        screen.show([source(id="cz", tier="platinum"), source(id="sk", title="Heureka SK")])
        app.push_screen(screen)
        await pilot.pause()
        lines = app.screen_text().splitlines()
        assert any("Heureka CZ  cz · heureka · platinum" in line for line in lines)
        (untried,) = [line for line in lines if "Heureka SK" in line]
        assert "sk · heureka" in untried
        assert "heureka ·" not in untried


async def test_the_cursor_stays_on_its_source_and_its_keys_ask_for_it() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = SourcesScreen(around)
        app.push_screen(screen)
        screen.show([source(id="a"), source(id="b")])
        await pilot.pause()
        await pilot.press("down")
        screen.show([PARKED, source(id="a"), source(id="b")])
        await pilot.pause()
        assert screen.state is not None
        assert screen.state.id == "b"
        screen.do_source_poll()
        screen.do_source_resume()
        await pilot.press("home")
        screen.do_source_resume()
        await pilot.pause()
        assert [message.source for message in app.of(SourcesScreen.PollWanted)] == ["b"]
        assert [message.source for message in app.of(SourcesScreen.ResumeWanted)] == ["fb"]


async def test_without_a_source_it_says_how_to_get_one() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = SourcesScreen(around)
        app.push_screen(screen)
        await pilot.pause()
        assert "[[source]]" in app.screen_text()
        screen.do_source_poll()
        screen.do_source_resume()
        await pilot.pause()
        assert not app.of(SourcesScreen.PollWanted)


@pytest.mark.parametrize("text", [each[:50_000] for each in HOSTILE], ids=range(len(HOSTILE)))
async def test_hostile_faults_and_replies_are_text(text: str) -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        sources = SourcesScreen(around)
        bad = {"title": text, "connector": text, "fault_kind": "Unreachable", "fault": text, "fault_hint": text}
        sources.show([source(**bad, parked=True, budget=Budget(used=9.0, note=text))])
        outbox = OutboxScreen(around)
        unknown = {"state": DeliveryState.UNKNOWN, "text": text, "remote_text": text, "agent": text, "fault": text}
        outbox.show([reply(**unknown, fault_hint=text)])
        for screen in (sources, outbox):
            app.push_screen(screen)
            await pilot.pause()
            assert app.screen is screen
            assert not any(char in app.screen_text() for char in "\x1b\x9b\x00\x07\u202e\u2066")


def test_the_heading_of_an_unknown_reply_stands_on_its_text() -> None:
    unknown = reply(state=DeliveryState.UNKNOWN, text="Sorry.")
    said = [line.strip(" │") for line in describe(unknown, around(), Keys(), 70, row(author="Eva")).plain.split("\n")]
    assert said[said.index("Ours:") + 1] == "Sorry."


@pytest.mark.parametrize("size", SIZES)
async def test_what_waits_for_a_person_stands_first_with_both_texts(size: tuple[int, int]) -> None:
    app = Host()
    async with app.run_test(size=size) as pilot:
        screen = OutboxScreen(around)
        screen.show(
            [
                reply(id=1),
                reply(
                    id=2, state=DeliveryState.UNKNOWN, text="Ours.", remote_text="Theirs.", attempts=1, attempted_at=NOW
                ),
                reply(id=3, state=DeliveryState.HANDED_OFF),
            ]
        )
        app.push_screen(screen)
        await pilot.pause()
        said = app.screen_text()
        for part in (
            "2 wait for your word",
            "nobody knows",
            "Ours.",
            "On the platform",
            "Theirs.",
            "tried 1×",
            "in 8 s",
        ):
            assert part in said
        assert screen.reply is not None
        assert screen.reply.id == 2
        assert "It is posted" in said


@pytest.mark.parametrize(
    ("state", "key", "message", "expected"),
    [
        (DeliveryState.UNKNOWN, "y", OutboxScreen.Settled, {"posted": True}),
        (DeliveryState.UNKNOWN, "n", OutboxScreen.Settled, {"posted": False}),
        (DeliveryState.UNKNOWN, "w", None, {}),
        (DeliveryState.HANDED_OFF, "y", OutboxScreen.HandOffConfirmed, {}),
        (DeliveryState.HANDED_OFF, "n", None, {}),
        (DeliveryState.HANDED_OFF, "w", OutboxScreen.TakenBack, {}),
        (DeliveryState.QUEUED, "w", OutboxScreen.TakenBack, {}),
        (DeliveryState.QUEUED, "r", None, {}),
        (DeliveryState.HELD, "r", OutboxScreen.Released, {}),
        (DeliveryState.HELD, "w", OutboxScreen.TakenBack, {}),
        (DeliveryState.HELD, "y", None, {}),
        (DeliveryState.QUEUED, "y", None, {}),
        (DeliveryState.SENDING, "w", None, {}),
        (DeliveryState.REFUSED, "enter", OutboxScreen.MentionWanted, {"mention_id": 3}),
        (DeliveryState.REFUSED, "o", OutboxScreen.MentionWanted, {"mention_id": 3}),
    ],
)
async def test_each_key_asks_only_for_what_its_reply_allows(
    state: DeliveryState, key: str, message: type[Any] | None, expected: dict[str, Any]
) -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = OutboxScreen(around)
        screen.show([reply(state=state)])
        app.push_screen(screen)
        await pilot.pause()
        await pilot.press(key)
        await pilot.pause()
        asked = [each for each in app.heard if type(each).__qualname__.startswith("OutboxScreen.")]
        assert [type(each) for each in asked] == ([message] if message else [])
        for name, value in expected.items():
            assert getattr(asked[0], name) == value


@pytest.mark.parametrize("size", SIZES)
async def test_a_held_reply_shows_what_changed_and_the_keys_that_decide(size: tuple[int, int]) -> None:
    app = Host()
    async with app.run_test(size=size) as pilot:
        screen = OutboxScreen(around)
        edited = Change(what=What.EDITED, who="Jana", before="It is broken.", after="It works now.", at=NOW)
        held = reply(state=DeliveryState.HELD, changes=(edited,), fault="Held back.", fault_hint="Look again.")
        screen.show([held])
        app.push_screen(screen)
        await pilot.pause()
        said = app.screen_text()
        for part in (
            "1 waits for your word", "The customer changed the text.  Jana, today 14:40", "was │ It is broken.",
            "now │ It works now.", "Your reply:", "We are sorry.", "r sends it all the same",
            "w makes it a draft to change", "d drops it",
        ):  # fmt: skip
            assert part in said
        assert "Held back." not in said, "the same is not told twice"
        await pilot.press("d", "r", "w", "e", "X")
        await pilot.pause()
        kinds = [type(message) for message in app.heard]
        assert kinds == [OutboxScreen.Dropped, OutboxScreen.Released, OutboxScreen.TakenBack]


async def test_an_empty_outbox_says_so_and_a_new_state_keeps_the_cursor() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = OutboxScreen(around)
        app.push_screen(screen)
        await pilot.pause()
        assert "every reply has arrived" not in app.screen_text(), "nobody knows yet"
        screen.show([])
        await pilot.pause()
        assert "every reply has arrived" in app.screen_text()
        await pilot.press("y", "n", "w", "enter", "j", "k")
        screen.show([reply(id=1), reply(id=2)])
        await pilot.pause()
        await pilot.press("j")
        screen.show([reply(id=3, state=DeliveryState.UNKNOWN), reply(id=1), reply(id=2)])
        await pilot.pause()
        assert screen.reply is not None
        assert screen.reply.id == 2


async def test_where_an_entry_is_gone_the_next_one_is_under_the_cursor() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = OutboxScreen(around)
        app.push_screen(screen)
        await pilot.pause()
        screen.show([reply(id=number) for number in (1, 2, 3, 4)])
        await pilot.pause()
        await pilot.press("j", "j")
        assert screen.reply is not None
        assert screen.reply.id == 3
        for gone, left in (([1, 2, 4], 4), ([1, 2], 2), ([1], 1), ([], None)):
            screen.show([reply(id=number) for number in gone])
            await pilot.pause()
            assert (screen.reply.id if screen.reply else None) == left


def test_what_waits_for_a_person_is_shown_however_much_was_posted_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_LATEST_SHOWN", 1)
    with Store(tmp_path / "desk.db") as store:
        store.sources.register("fb", "facebook", "")
        store.mentions.ingest("fb", [Mention(id=id, kind=Kind.COMMENT, text="x") for id in "abc"])
        store.outbox.put(1, "by hand", agent="petr", state=DeliveryState.HANDED_OFF)
        for mention in (2, 3):
            store.outbox.put(mention, f"to {mention}", agent="petr", state=DeliveryState.POSTED)
        replies, answered = app._replies_to_show(SimpleNamespace(store=store))
    assert [each.text for each in replies] == ["by hand", "to 3"]
    assert set(answered) == {1, 3}

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Input

from reviewdesk.errors import NotAllowed
from reviewdesk.tui.prompts import Ask, Choose, Confirm, fitting, parse_wake, snooze_question, wake_times
from tests.tui.conversations import HOSTILE, NOW, PRAGUE, Host


def prague(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PRAGUE).astimezone(UTC)


async def answer(screen: Any, *keys: str, text: str | None = None) -> Any:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        answers: list[Any] = []
        app.push_screen(screen, answers.append)
        await pilot.pause()
        if text is not None:
            app.screen.query_one(Input).value = text
            await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        return answers[0] if answers else app.screen_text()


OPTIONS = [("petr", "Petr Novák"), ("eva", "Eva Žáková"), ("-", "Nobody")]


async def test_an_option_is_chosen_by_letters_arrows_and_left_by_escape() -> None:
    assert await answer(Choose("Assign", OPTIONS), "enter") == "petr"
    assert await answer(Choose("Assign", OPTIONS), "down", "down", "enter") == "-"
    assert await answer(Choose("Assign", OPTIONS), *"zak", "enter") == "eva"
    assert await answer(Choose("Assign", OPTIONS), "escape") is None
    assert "Petr" not in await answer(Choose("Assign", OPTIONS), *"qqq", "enter")


async def test_something_new_may_be_typed_only_where_it_is_allowed() -> None:
    assert await answer(Choose("Tag", [("vip", "#vip")], allow_new=True), *"bulk", "enter") == "bulk"
    assert await answer(Choose("Tag", [("vip", "#vip")], allow_new=True), *"vip", "enter") == "vip"
    assert await answer(Choose("Tag", [], allow_new=True), *"x", "enter") == "x"
    assert isinstance(await answer(Choose("Tag", [("vip", "#vip")]), *"bulk", "enter"), str)


def test_what_fits_best_comes_first() -> None:
    assert fitting("", OPTIONS) == OPTIONS
    assert fitting("EVA", OPTIONS)[0][0] == "eva"
    assert fitting("qqq", OPTIONS) == []


@pytest.mark.parametrize("text", [each[:5_000] for each in HOSTILE], ids=range(len(HOSTILE)))
async def test_hostile_titles_and_options_are_text(text: str) -> None:
    for screen in (Choose(text, [(text or "x", text)], True), Ask(text, text), Confirm(text, text, text)):
        app = Host()
        async with app.run_test(size=(80, 24)) as pilot:
            app.push_screen(screen)
            await pilot.pause()
            assert app.screen is screen
            assert not any(char in app.screen_text() for char in "\x1b\x9b\x00\x07\u202e\u2066")


async def test_a_line_is_asked_for() -> None:
    assert await answer(Ask("Note", "be"), *"gun", "enter") == "begun"
    assert await answer(Ask("Note"), "escape") is None


async def test_a_question_is_answered() -> None:
    assert await answer(Confirm("Sure?", "Really?"), "enter") is True
    assert await answer(Confirm("Sure?", "Really?"), "y") is True
    assert await answer(Confirm("Sure?", "Really?"), "escape") is False


# Snoozing; in Prague the clocks go back on 25 October 2026 and forward on 28 March 2027


def test_the_times_offered_are_the_shops_and_still_to_come() -> None:
    morning = prague("2026-11-25 08:00")
    assert [(wake.title, wake.moment) for wake in wake_times(morning, PRAGUE)] == [
        ("later today, 16:00", prague("2026-11-25 16:00")),
        ("tomorrow, 9:00", prague("2026-11-26 09:00")),
        ("Monday, 9:00", prague("2026-11-30 09:00")),
        ("in a week", prague("2026-12-02 09:00")),
    ]
    evening = prague("2026-11-25 18:00")
    assert wake_times(evening, PRAGUE)[0].title == "tomorrow, 9:00"


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001 - bounds have none
def test_every_time_offered_is_later_different_and_understood(naive: datetime) -> None:
    now = naive.replace(tzinfo=UTC)
    offered = wake_times(now, PRAGUE)
    assert len({wake.moment for wake in offered}) == len(offered) >= 2
    for wake in offered:
        assert wake.moment > now
        assert parse_wake(wake.title, now, PRAGUE) == wake.moment
        assert wake.moment.astimezone(PRAGUE).hour in (9, 16)


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2h", NOW + timedelta(hours=2)),
        (" 45 min ", NOW + timedelta(minutes=45)),
        ("3d", NOW + timedelta(days=3)),
        ("1w", NOW + timedelta(days=7)),
        ("2026-12-01", prague("2026-12-01 09:00")),
        ("2026-12-01 14:30", prague("2026-12-01 14:30")),
        ("2026-12-01T14:30+00:00", datetime(2026, 12, 1, 14, 30, tzinfo=UTC)),
        ("1.12.2026", prague("2026-12-01 09:00")),
        ("24. 12. 14:30", prague("2026-12-24 14:30")),
        ("5.1.", prague("2027-01-05 09:00")),
        ("23.11. 15.00", prague("2026-11-23 15:00")),
        ("15:00", prague("2026-11-23 15:00")),
        ("9:00", prague("2026-11-24 09:00")),
    ],
)
def test_a_time_of_ones_own_is_understood(typed: str, moment: datetime) -> None:
    assert parse_wake(typed, NOW, PRAGUE) == moment


def test_days_keep_the_clock_and_hours_the_span_where_the_clocks_change() -> None:
    before = prague("2026-10-24 12:00")
    assert parse_wake("1d", before, PRAGUE) == prague("2026-10-25 12:00") == before + timedelta(hours=25)
    assert parse_wake("24h", before, PRAGUE) == before + timedelta(hours=24)
    assert parse_wake("tomorrow, 9:00", before, PRAGUE) == datetime(2026, 10, 25, 8, tzinfo=UTC)
    in_march = prague("2027-03-27 12:00")
    assert parse_wake("1d", in_march, PRAGUE) == in_march + timedelta(hours=23)


def test_a_time_that_does_not_exist_moves_on_and_one_that_comes_twice_is_the_first() -> None:
    assert parse_wake("2027-03-28 02:30", NOW, PRAGUE).astimezone(PRAGUE).hour == 3
    assert parse_wake("2026-10-25 02:30", prague("2026-10-20 12:00"), PRAGUE) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "soon",
        "25:00",
        "2026-13-01",
        "0h",
        "2020-01-01",
        "9999w",
        "9999-12-31",
        "[/x]",
        "٣d",
        "31.2.",
        "24.12. 25:00",
    ],
)
def test_what_is_no_time_to_come_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(NotAllowed) as raised:
        parse_wake(typed, NOW, PRAGUE)
    assert raised.value.sentence
    assert raised.value.hint


@given(st.text(max_size=30))
def test_whatever_is_typed_gives_a_moment_to_come_or_a_sentence(typed: str) -> None:
    with suppress(NotAllowed):
        assert parse_wake(typed, NOW, PRAGUE) > NOW


async def test_until_when_is_asked_with_days_and_a_wrong_answer_may_be_mended() -> None:
    assert await answer(snooze_question(NOW, PRAGUE), "enter") == "later today, 16:00"
    assert await answer(snooze_question(NOW, PRAGUE), *"3d", "enter") == "3d"
    assert await answer(snooze_question(NOW, PRAGUE), *"9:00", "enter") == "9:00", "not the next best option"
    assert await answer(snooze_question(NOW, PRAGUE), *"monday", "enter") == "Monday, 9:00"
    shown = await answer(snooze_question(NOW, PRAGUE), "enter", text="2020-01-01")
    assert "is still to come" in shown
    assert "Tue 24 Nov 9:00" in await answer(snooze_question(NOW, PRAGUE), "down")

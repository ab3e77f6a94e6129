"""The table of delivery: what may follow what, and what each error means for a reply."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk import errors
from reviewdesk.cli.delivery_page import made, renewed
from reviewdesk.desk.delivery import (
    LONGEST_PAUSE,
    LONGEST_QUIET,
    MEANINGS,
    TRANSITIONS,
    after_failure,
    next_look,
    next_try,
    require,
)
from reviewdesk.model import DeliveryState as State

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALLOWED = {
    "queued": "sending visible withdrawn",
    "sending": "posted visible refused queued unknown held",
    "held": "queued visible withdrawn",
    "unknown": "posted visible queued",
    "posted": "visible withdrawn",
    "visible": "withdrawn",
    "refused": "withdrawn",
    "handed_off": "posted visible withdrawn",
    "withdrawn": "",
}
AFTER = {
    errors.RateLimited: State.QUEUED,
    errors.Unreachable: State.QUEUED,
    errors.AuthFailed: State.QUEUED,
    errors.ConfigError: State.QUEUED,
    errors.MissingSecret: State.QUEUED,
    errors.PrivateNetwork: State.QUEUED,
    errors.Refused: State.REFUSED,
    errors.NotThere: State.REFUSED,
    errors.PermissionMissing: State.REFUSED,
    errors.Unsupported: State.REFUSED,
    errors.NotAllowed: State.REFUSED,
    errors.OutcomeUnknown: State.UNKNOWN,
    errors.BadAnswer: State.UNKNOWN,
    errors.PluginError: State.UNKNOWN,
    errors.StoreError: State.UNKNOWN,
    errors.Damaged: State.UNKNOWN,
    errors.ConnectorError: State.UNKNOWN,
    errors.ReviewdeskError: State.UNKNOWN,
}


@pytest.mark.parametrize(("was", "to"), [(was, to) for was, to in product(State, State)])
def test_every_pair_of_states_is_allowed_or_forbidden_on_purpose(was: State, to: State) -> None:
    if to.value in ALLOWED[was.value].split():
        assert require(was, to) is to
    else:
        with pytest.raises(errors.NotAllowed, match="cannot become"):
            require(was, to)


def test_every_state_has_a_row_and_all_but_the_last_lead_on() -> None:
    assert set(TRANSITIONS) == set(State)
    assert [state for state, following in TRANSITIONS.items() if not following] == [State.WITHDRAWN]


def test_nothing_is_sent_that_stands_or_may_stand_there() -> None:
    """A way back to the queue goes through a certain "not posted" only; what is held was never sent."""
    back = {was for was, following in TRANSITIONS.items() if State.QUEUED in following}
    assert back == {State.SENDING, State.UNKNOWN, State.HELD}
    assert {was for was, following in TRANSITIONS.items() if State.SENDING in following} == {State.QUEUED}


def test_each_error_of_the_desk_is_decided() -> None:
    known = {each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, Exception)}
    assert known == set(AFTER), "a new error: decide what it means for a reply that was being sent"


@pytest.mark.parametrize("error", AFTER, ids=lambda error: error.__name__)
def test_after_a_failure(error: type[errors.ReviewdeskError]) -> None:
    assert after_failure(error("It went wrong.")) is AFTER[error]


@pytest.mark.parametrize("error", [TimeoutError(), ValueError("x"), OSError(), RuntimeError(), KeyError("id")])
def test_what_the_desk_does_not_know_is_unclear(error: Exception) -> None:
    assert after_failure(error) is State.UNKNOWN


@given(attempts=st.integers(0, 10_000), later=st.integers(0, 100))
def test_pauses_grow_and_end_at_an_hour(attempts: int, later: int) -> None:
    first = next_try(attempts, NOON, errors.Unreachable("")) - NOON
    second = next_try(attempts + later, NOON, errors.Unreachable("")) - NOON
    assert timedelta(minutes=1) <= first <= second <= LONGEST_PAUSE


@pytest.mark.parametrize(("attempts", "minutes"), [(0, 1), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60)])
def test_each_pause_is_twice_the_last(attempts: int, minutes: int) -> None:
    assert next_try(attempts, NOON, errors.Unreachable("")) == NOON + timedelta(minutes=minutes)


@pytest.mark.parametrize(("waited", "pause"), [(1, 5), (20, 5), (40, 10), (24 * 60, 360), (30 * 24 * 60, 360)])
def test_what_is_held_back_is_looked_for_ever_more_seldom(waited: int, pause: int) -> None:
    posted = NOON - timedelta(minutes=waited)
    assert next_look(posted, NOON) == NOON + timedelta(minutes=pause)


@given(seconds=st.integers(-10_000, 10_000_000), attempts=st.integers(0, 100))
def test_a_wait_that_is_told_is_kept_to_the_second(seconds: int, attempts: int) -> None:
    until = NOON + timedelta(seconds=seconds)
    assert next_try(attempts, NOON, errors.RateLimited("", until=until)) == min(max(until, NOON), NOON + LONGEST_QUIET)


def test_the_page_shows_the_table_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs/delivery.md").read_text(encoding="utf-8")
    assert page == renewed(page), "run: python -m reviewdesk.cli.delivery_page docs/delivery.md"
    for state in State:
        assert f"| **{state.value.replace('_', ' ')}** |" in page


def test_each_way_on_is_shown_with_its_reason() -> None:
    assert set(MEANINGS) == set(State)
    for was, following in TRANSITIONS.items():
        for to, why in following.items():
            assert f"    {was.value} --> {to.value}: {why}\n" in made()

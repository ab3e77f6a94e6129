from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from reviewdesk.model import DeliveryState, Kind, Severity, Status
from reviewdesk.store.records import Row, Writer
from reviewdesk.tui.line import PARTS, TWO_LINES_BELOW, Surroundings, age, lines, waiting

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AROUND = Surroundings(NOW, UTC, "jana", {})

anything = st.text(max_size=60) | st.sampled_from(
    [
        "[red]x[/]",
        "[@click=app.quit]x",
        "\x1b]0;t\x07",
        "\u202eevil",
        "很差的服务" * 9,
        "👨‍👩‍👧" * 9,
        "a" * 400,
        "\x00",
        "e\u0301" * 50,
    ]
)
moments = st.timedeltas(timedelta(days=-9000), timedelta(days=9000)).map(lambda span: NOW + span)
rows = st.builds(
    Row,
    id=st.integers(1),
    source=anything,
    connector=anything,
    kind=st.sampled_from(Kind),
    author=anything,
    excerpt=anything,
    created_at=moments,
    due_at=st.none() | moments,
    rating=st.none() | st.sampled_from([1.0, 1.5, 2.75, 4.0, 5.0]),
    status=st.sampled_from(Status),
    complaint=st.booleans(),
    severity=st.sampled_from(Severity),
    compound=st.none(),
    assignee=anything,
    snoozed_until=st.none() | moments,
    gone=st.booleans(),
    edited=st.booleans(),
    writers=st.lists(st.builds(Writer, agent=anything, since=moments, until=st.none() | moments), max_size=3).map(
        tuple
    ),
    reply_state=st.none() | st.sampled_from(DeliveryState),
    tags=st.lists(anything, max_size=5).map(tuple),
)


@given(rows, st.integers(20, 250), st.booleans())
def test_each_line_is_as_wide_as_the_list_and_holds_nothing_that_a_terminal_obeys(
    row: Row, width: int, chosen: bool
) -> None:
    painted = lines(row, width, AROUND, chosen=chosen)
    assert len(painted) == (1 if width >= TWO_LINES_BELOW else 2)
    for pieces in painted:
        text = "".join(piece.text for piece in pieces)
        assert cell_len(text) == width
        assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cs")]
        assert not set(text) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069")
        assert all(piece.part in ("", *PARTS) for piece in pieces)


@given(st.integers(1, 300), st.integers(1, 2))
def test_what_is_not_yet_read_is_as_wide(width: int, height: int) -> None:
    assert [cell_len("".join(piece.text for piece in line)) for line in waiting(width, height)] == [width] * height


@given(st.timedeltas(timedelta(days=-5), timedelta(days=40_000)))
def test_an_age_takes_at_most_four_cells(span: timedelta) -> None:
    assert 2 <= len(age(span)) <= 4


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (timedelta(seconds=30), "now"),
        (timedelta(minutes=59), "59m"),
        (timedelta(hours=3, minutes=50), "3h"),
        (timedelta(days=3), "3d"),
        (timedelta(days=60), "8w"),
        (timedelta(days=800), "2y"),
    ],
)
def test_ages(span: timedelta, shown: str) -> None:
    assert age(span) == shown

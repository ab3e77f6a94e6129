from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.connector import BadAnswer, numbered, pages, windows

START = datetime(2026, 1, 1, tzinfo=UTC)


def linked(*following: str | None):
    """Gives the reader of a list whose pages name these places, one after the other."""
    answers = iter(following)

    async def read(place: str) -> tuple[str, str | None]:
        return place, next(answers)

    return read


async def places(*following: str | None) -> list[str]:
    return [page[0] async for page in pages(linked(*following), lambda page: page[1], start="first")]


@pytest.mark.parametrize("end", [None, ""])
async def test_pages_are_read_to_the_end(end: str | None) -> None:
    assert await places("b", "c", end) == ["first", "b", "c"]


async def test_a_page_that_comes_twice_is_no_end() -> None:
    assert await places("b", "b", "c", None) == ["first", "b", "b", "c"]


@pytest.mark.parametrize("circle", [["first"] * 9, ["b"] * 9, ["b", "c"] * 9, ["b", "first"] * 9])
async def test_a_circle_is_told_after_what_was_read(circle: list[str]) -> None:
    seen: list[str] = []

    async def read_all() -> None:
        async for page in pages(linked(*circle), lambda page: page[1], start="first"):
            seen.append(page[0])  # noqa: PERF401 - what came before the error counts

    with pytest.raises(BadAnswer, match="lead back to themselves"):
        await read_all()
    assert seen[:1] == ["first"]
    assert len(seen) <= 5


async def test_numbered_pages_end_with_the_last() -> None:
    answers: Sequence[list[int]] = [[1, 2], [3], []]

    async def read(number: int) -> list[int]:
        return answers[number - 1]

    assert [page async for page in numbered(read, lambda page: not page)] == [[1, 2], [3], []]


async def test_a_number_that_brings_the_page_before_is_a_circle() -> None:
    async def read(number: int) -> list[int]:
        return [1, 2]

    with pytest.raises(BadAnswer, match="lead back"):
        assert [page async for page in numbered(read, lambda page: not page)] == []


@given(
    st.integers(0, 10_000).map(lambda hours: timedelta(hours=hours)),
    st.integers(1, 900).map(lambda hours: timedelta(hours=hours)),
    st.integers(0, 90).map(lambda minutes: timedelta(minutes=minutes)),
)
def test_windows_cover_everything_once_and_the_overlap_twice(
    whole: timedelta, length: timedelta, overlap: timedelta
) -> None:
    spans = list(windows(START, START + whole, length=length, overlap=overlap))
    assert bool(spans) is bool(whole)
    for number, (begin, end) in enumerate(spans):
        assert begin == START + number * length - overlap
        assert end == min(START + (number + 1) * length, START + whole)
    assert not spans or spans[-1][1] == START + whole

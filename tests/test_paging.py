from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.connector import Answer, BadAnswer, Http, link_at, next_link, numbered, pages, windows

T = TypeVar("T")

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


async def until_it_fails(found: AsyncIterator[T], expected: str) -> list[T]:
    """Gives what came before the failure."""
    given: list[T] = []

    async def read() -> None:
        async for page in found:
            given.append(page)  # noqa: PERF401 - what came before is wanted

    with pytest.raises(BadAnswer, match=expected):
        await read()
    return given


async def test_pages_without_end() -> None:
    async def read(place: str) -> int:
        return int(place or 0)

    assert await until_it_fails(pages(read, lambda page: str(page + 1), most=5), "more than 5 pages") == [0, 1, 2, 3, 4]


async def test_numbers_without_end() -> None:
    async def read(number: int) -> int:
        return number

    assert await until_it_fails(numbered(read, lambda page: False, 0, most=3), "more than 3 pages") == [0, 1, 2]


@given(st.lists(st.lists(st.integers(), max_size=3), min_size=1, max_size=20), st.data())
async def test_every_item_once_from_wherever_it_begins(lists: list[list[int]], data: st.DataObject) -> None:
    async def read(place: str) -> tuple[int, list[int]]:
        return int(place or 0), lists[int(place or 0)]

    def following(page: tuple[int, list[int]]) -> str | None:
        return str(page[0] + 1) if page[0] + 1 < len(lists) else None

    begin = data.draw(st.integers(0, len(lists) - 1))
    assert [page[1] async for page in pages(read, following, str(begin))] == lists[begin:]


class TestLinks:
    async def test_in_the_header_by_the_client_and_never_to_another_host(self) -> None:
        def platform(request: httpx.Request) -> httpx.Response:
            following = {"/a": "</b?page=2>", "/b": "<https://evil.example/c>"}[request.url.path]
            return httpx.Response(200, headers={"link": f'{following}; rel="next"'}, json=request.url.path)

        http = Http("https://shop.example", clock=lambda: START, transport=httpx.MockTransport(platform))
        given = await until_it_fails(pages(http.get, lambda page: next_link(page.headers), "a"), "another place")
        await http.close()
        assert [page.json() for page in given] == ["/a", "/b"]

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"paging": {"next": "b"}}, "b"),
            *((body, None) for body in (None, 5, [], {}, {"paging": 5}, {"paging": {"next": 5}}, {"paging": []})),
        ],
    )
    def test_in_the_body(self, body: object, expected: str | None) -> None:
        answer = Answer(
            method="GET", url="a", status=200, headers={}, body=msgspec.json.encode(body), received_at=START
        )
        assert link_at("paging", "next")(answer) == expected

    @pytest.mark.parametrize(
        ("header", "expected"),
        [
            ("", ""),
            ('<b>; rel="next"', "b"),
            ("<b>; rel=next", "b"),
            ("<a>; rel=prev, <b>; rel=next", "b"),
            ('<b>; title="x, <c>; rel=next"; rel="last next"', "b"),
            ('<b>; title="an \\" in it"; rel="NEXT"', "b"),
            ("<b>; rel=nextish", ""),
            ("<b>; rel=prev; rel=next", ""),
            ('<https://x.example/?a=1,2;b=3>; foo; rel="next"', "https://x.example/?a=1,2;b=3"),
            ("<b", ""),
            ("b; rel=next", ""),
        ],
    )
    def test_the_header_is_read_as_rfc_8288_says(self, header: str, expected: str) -> None:
        assert next_link({"link": header}) == expected

    @given(st.text(alphabet='<>;," =\\relnxtab', max_size=80))
    def test_no_header_is_too_odd(self, header: str) -> None:
        assert isinstance(next_link({"link": header}), str)

    @pytest.mark.parametrize("header", ["<a>" + '; x="' * 20_000, "<a>;" + " " * 50_000, "<a>" * 30_000])
    def test_a_hostile_header_takes_no_time(self, header: str) -> None:
        assert next_link({"link": header}) == ""


@pytest.mark.parametrize(("length", "overlap"), [(0, 0), (-1, 0), (1, -1)])
def test_windows_that_would_never_end(length: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="window"):
        list(windows(START, START + timedelta(1), length=timedelta(length), overlap=timedelta(overlap)))

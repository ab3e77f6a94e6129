"""`Http.download`: the body goes to a file, with the manners of every other read."""

import io
from datetime import UTC, datetime

import httpx
import pytest

from reviewdesk.errors import BadAnswer, NotThere, Unreachable
from reviewdesk.http import Http, Limits

pytestmark = pytest.mark.usefixtures("no_waiting")


def client(answer, **limits) -> Http:
    return Http(
        "https://portal.example",
        clock=lambda: datetime(2026, 11, 23, tzinfo=UTC),
        hosts=["cdn.example"],
        limits=Limits(**limits),
        transport=httpx.MockTransport(answer),
    )


async def test_the_body_lands_in_the_file_and_only_there():
    into = io.BytesIO(b"something older and longer")
    answer = await client(lambda _: httpx.Response(200, content=b"new", headers={"ETag": '"1"'})).download("x", into)
    assert (into.getvalue(), answer.body, answer.headers["etag"]) == (b"new", b"", '"1"')


async def test_a_second_try_starts_the_file_anew():
    answers = iter([httpx.Response(500, content=b"a long page about trouble"), httpx.Response(200, content=b"good")])
    into = io.BytesIO()
    await client(lambda _: next(answers)).download("x", into)
    assert into.getvalue() == b"good"


async def test_what_is_too_large_is_refused():
    with pytest.raises(BadAnswer, match="more than"):
        await client(lambda _: httpx.Response(200, content=b"x" * 101), max_bytes=100).download("x", io.BytesIO())


async def test_statuses_are_told_apart():
    with pytest.raises(NotThere):
        await client(lambda _: httpx.Response(404)).download("x", io.BytesIO())
    with pytest.raises(Unreachable):
        await client(lambda _: httpx.Response(502)).download("x", io.BytesIO())
    assert (await client(lambda _: httpx.Response(410)).download("x", io.BytesIO(), check=False)).status == 410


async def test_a_redirect_to_another_host_names_that_host():
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.host, request.headers["host"]))
        if request.url.host == "portal.example":
            return httpx.Response(301, headers={"location": "https://cdn.example/x"})
        return httpx.Response(200, content=b"there")

    told = await client(answer).download("x", io.BytesIO())
    assert seen == [("portal.example", "portal.example"), ("cdn.example", "cdn.example")]
    assert told.moved_to == "https://cdn.example/x"

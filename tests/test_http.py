from __future__ import annotations

import asyncio
import gzip
import logging
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from reviewdesk.errors import (
    AuthFailed,
    BadAnswer,
    ConfigError,
    ConnectorError,
    NotThere,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    Refused,
    Unreachable,
)
from reviewdesk.http import MEGABYTE, Answer, Http, Limits, retry_after
from reviewdesk.sandbox import Emulator, Fault, FaultKind, Running, serve

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Platform(Emulator):
    """A platform that answers whatever is asked of it: `/echo`, `/status/{code}`, `/to?url=`, `/body?…`."""

    platform = "test"

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[bytes] = []

    def routes(self) -> Sequence[Route]:
        return [
            Route("/echo", self.echo, methods=["GET", "POST", "PUT", "DELETE"]),
            Route("/status/{code:int}", self.status, methods=["GET", "POST"]),
            Route("/to", self.to, methods=["GET", "POST"]),
            Route("/body/{name}", self.body, methods=["GET", "POST"]),
        ]

    async def echo(self, request: Request) -> Response:
        body = await request.body()
        if request.method == "POST":
            self.posted.append(body)
        return JSONResponse(
            {
                "method": request.method,
                "query": dict(request.query_params),
                "headers": dict(request.headers),
                "body": body.decode(),
            }
        )

    async def status(self, request: Request) -> Response:
        headers = {"retry-after": request.query_params["wait"]} if "wait" in request.query_params else {}
        return Response("words", request.path_params["code"], headers)

    async def to(self, request: Request) -> Response:
        return RedirectResponse(request.query_params["url"], int(request.query_params.get("status", 302)))

    async def body(self, request: Request) -> Response:
        match request.path_params["name"]:
            case "bomb":
                return Response(gzip.compress(bytes(30 * MEGABYTE)), headers={"content-encoding": "gzip"})
            case "deflated":
                return Response(zlib.compress(bytes(30 * MEGABYTE)), headers={"content-encoding": "deflate"})
            case "brotli":
                return Response(b"x", headers={"content-encoding": "br"})
            case "drip":
                return StreamingResponse(drip(b"x"))
            case "drip-of-nothing":  # what decompresses to nothing reaches no counter of bytes
                return StreamingResponse(drip(b"\x00\x00\x00\xff\xff"), headers={"content-encoding": "deflate"})
            case "nested":
                twice = gzip.compress(gzip.compress(bytes(30 * MEGABYTE)))
                return Response(twice, headers={"content-encoding": "gzip, gzip"})
            case "not-gzip":
                return Response(b"plain", headers={"content-encoding": "gzip"})
            case "large":
                return StreamingResponse(iter([bytes(1 << 16)] * 64))
            case "bom":
                return Response(b'\xef\xbb\xbf{"a": 1}', media_type="application/json")
            case "html":
                return Response("<!doctype html><title>x</title>", media_type="application/json")
            case "deep":
                return Response("[" * 100_000, media_type="application/json")
            case _:
                return Response(b"[1, 2", media_type="application/json")


async def drip(piece: bytes) -> AsyncIterator[bytes]:
    """Sends a little, ever and ever again, so that no silence is too long."""
    for _ in range(200):
        yield piece
        await asyncio.sleep(0.02)


@pytest.fixture
def platform() -> Iterator[Running]:
    with serve(Platform()) as running:
        yield running


Make = Callable[..., Http]


@pytest.fixture
async def make(platform: Running, no_waiting: None) -> AsyncIterator[Make]:
    """Gives what makes a client of the emulated platform."""
    made: list[Http] = []

    def make(**kwargs: Any) -> Http:
        made.append(
            Http(
                platform.base,
                **{"clock": lambda: NOW, "private_network": True, "limits": Limits(read_seconds=5), **kwargs},
            )
        )
        return made[-1]

    yield make
    for client in made:
        await client.close()


def strike(platform: Running, kind: FaultKind, **kwargs: Any) -> None:
    platform.emulator.faults.append(Fault(kind=kind, **kwargs))


def seen(platform: Running) -> int:
    return len(platform.emulator.requests)


PASSING = [FaultKind.SERVER_ERROR, FaultKind.CUT, FaultKind.LOST, FaultKind.DROPPED]


class TestReads:
    @pytest.mark.parametrize("kind", PASSING)
    async def test_are_tried_again(self, platform: Running, make: Make, kind: FaultKind) -> None:
        strike(platform, kind, times=2)
        answer = await make().get("echo", params={"q": "ž &"})
        assert answer.json()["query"] == {"q": "ž &"}
        assert seen(platform) == 3

    @pytest.mark.parametrize("kind", PASSING)
    async def test_end_as_unreachable(self, platform: Running, make: Make, kind: FaultKind) -> None:
        strike(platform, kind, times=-1)
        with pytest.raises(Unreachable):
            await make().get("echo")
        assert seen(platform) == 3

    async def test_a_silent_platform_is_left(self, platform: Running, make: Make) -> None:
        strike(platform, FaultKind.SLOW, seconds=30, times=-1)
        with pytest.raises(Unreachable):
            await make(limits=Limits(read_seconds=0.1, attempts=2)).get("echo")

    async def test_a_post_that_only_reads_is_tried_again(self, platform: Running, make: Make) -> None:
        strike(platform, FaultKind.DROPPED)
        await make().request("POST", "echo", form={"a": "1"}, read_only=True)
        assert seen(platform) == 2

    async def test_nobody_listens(self, no_waiting: None) -> None:
        client = Http("http://127.0.0.1:1", clock=lambda: NOW, private_network=True)
        for method in ("GET", "POST"):
            with pytest.raises(Unreachable, match="No connection"):
                await client.request(method, "x")
        await client.close()

    async def test_limits_and_refusals_are_not_tried_again(self, platform: Running, make: Make) -> None:
        for code in (400, 401, 404, 429):
            with pytest.raises(ConnectorError):
                await make().get(f"status/{code}")
        assert seen(platform) == 4


class TestWrites:
    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
    @pytest.mark.parametrize("kind", PASSING)
    async def test_are_sent_once_and_an_unclear_end_is_told(
        self, platform: Running, make: Make, method: str, kind: FaultKind
    ) -> None:
        strike(platform, kind, times=1)
        with pytest.raises(OutcomeUnknown):
            await make().request(method, "echo", json={"text": "Děkujeme"})
        assert seen(platform) == 1

    @pytest.mark.parametrize("name", ["bomb", "nested", "not-gzip", "large"])
    async def test_an_answer_that_cannot_be_read_says_nothing_of_the_outcome(self, make: Make, name: str) -> None:
        with pytest.raises(OutcomeUnknown):
            await make(limits=Limits(max_bytes=MEGABYTE)).post(f"body/{name}")

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_redirects_are_not_followed_and_not_called_refusals(
        self, platform: Running, make: Make, status: int
    ) -> None:
        with pytest.raises(OutcomeUnknown):
            await make().post("to", params={"url": "/echo", "status": status})
        assert seen(platform) == 1

    @pytest.mark.parametrize(
        ("code", "error"),
        [
            (400, Refused),
            (401, AuthFailed),
            (403, PermissionMissing),
            (404, NotThere),
            (408, OutcomeUnknown),
            (409, Refused),
            (420, RateLimited),
            (429, RateLimited),
            (500, OutcomeUnknown),
            (503, OutcomeUnknown),
        ],
    )
    async def test_statuses(self, make: Make, code: int, error: type[ConnectorError]) -> None:
        for wait in ({}, {"wait": "5"}):
            with pytest.raises(ConnectorError) as caught:
                await make().post(f"status/{code}", params=wait)
            assert type(caught.value) is error

    async def test_form_json_and_credentials_arrive(self, platform: Running, make: Make) -> None:
        client = make(headers={"authorization": "Bearer t"})
        form = (await client.post("echo", form={"text": "a b&c"})).json()
        assert form["body"] == "text=a+b%26c"
        assert form["headers"]["authorization"] == "Bearer t"
        sent = (await client.post("echo", json={"text": "ž"}, auth=("u", "p"))).json()
        assert (sent["body"], sent["headers"]["content-type"]) == ('{"text":"ž"}', "application/json")
        assert sent["headers"]["authorization"] == "Basic dTpw"


async def read_stream(client: Http, path: str, max_bytes: int) -> bytes:
    async with client.stream(path, max_bytes=max_bytes) as (_, pieces):
        parts = [piece async for piece in pieces]
    assert all(len(part) <= 1 << 16 for part in parts)
    return b"".join(parts)


class TestLimits:
    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("bomb", "grows beyond measure"),
            ("deflated", "grows beyond measure"),
            ("nested", "encoding"),
            ("brotli", "encoding"),
            ("not-gzip", "does not decompress"),
            ("large", "more than 1 MB"),
        ],
    )
    async def test_bodies(self, make: Make, name: str, words: str) -> None:
        limits = Limits(max_bytes=MEGABYTE if name == "large" else 100 * MEGABYTE)
        with pytest.raises(BadAnswer, match=words):
            await make(limits=limits).get(f"body/{name}")
        with pytest.raises(BadAnswer, match=words):
            await read_stream(make(limits=limits), f"body/{name}", limits.max_bytes)

    @pytest.mark.parametrize("name", ["drip", "drip-of-nothing"])
    async def test_a_little_now_and_then_is_not_enough(self, make: Make, name: str) -> None:
        """Each piece comes long before a silence would be too long."""
        slow = make(limits=Limits(total_seconds=0.3, attempts=1))
        with pytest.raises(Unreachable):
            await slow.get(f"body/{name}")
        with pytest.raises(OutcomeUnknown):
            await slow.post(f"body/{name}")
        with pytest.raises(Unreachable, match="broke off"):
            await read_stream(slow, f"body/{name}", MEGABYTE)

    async def test_a_stream_to_nobody_is_no_connection_as_any_read(self) -> None:
        def nobody(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused", request=request)

        lonely = Http("https://portal.example", clock=lambda: NOW, transport=httpx.MockTransport(nobody))
        with pytest.raises(Unreachable, match="No connection to portal"):
            await read_stream(lonely, "export", MEGABYTE)

    async def test_a_stream_that_keeps_its_speed_may_take_its_time(self, make: Make) -> None:
        patient = make(limits=Limits(total_seconds=0.3, bytes_per_second=10))
        assert await read_stream(patient, "body/drip", MEGABYTE) == b"x" * 200

    async def test_who_takes_long_to_read_is_not_the_platforms_fault(self, make: Make) -> None:
        client, parts = make(limits=Limits(total_seconds=0.2)), []
        async with client.stream("body/large", max_bytes=100 * MEGABYTE) as (_, pieces):
            async for piece in pieces:
                if not parts:
                    await asyncio.sleep(0.4)
                parts.append(len(piece))
        assert sum(parts) == 4 * MEGABYTE
        assert max(parts) <= 1 << 16

    async def test_a_stream_that_never_begins_is_left(self, platform: Running, make: Make) -> None:
        strike(platform, FaultKind.SLOW, seconds=2)
        with pytest.raises(Unreachable):
            await read_stream(make(limits=Limits(total_seconds=0.3)), "echo", MEGABYTE)

    async def test_only_encodings_are_asked_for_that_can_be_bounded(self, make: Make) -> None:
        assert (await make().get("echo")).json()["headers"]["accept-encoding"] == "gzip, deflate"

    @pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.LOST, FaultKind.DROPPED])
    async def test_a_stream_that_breaks_off_is_told(self, platform: Running, make: Make, kind: FaultKind) -> None:
        strike(platform, kind)
        with pytest.raises(Unreachable):
            await read_stream(make(), "body/large", MEGABYTE * 100)

    async def test_a_stream_gives_the_status_unchecked(self, make: Make) -> None:
        async with make().stream("status/404") as (answer, pieces):
            assert answer.status == 404
            assert b"".join([piece async for piece in pieces]) == b"words"

    async def test_a_large_stream_arrives_whole(self, make: Make) -> None:
        assert len(await read_stream(make(), "body/large", 100 * MEGABYTE)) == 64 << 16


class TestJson:
    @pytest.mark.parametrize(("name", "words"), [("html", "web page"), ("cut", "unreadable"), ("deep", "unreadable")])
    async def test_what_is_none(self, make: Make, name: str, words: str) -> None:
        with pytest.raises(BadAnswer, match=words):
            (await make().get(f"body/{name}")).json()

    async def test_byte_order_mark(self, make: Make) -> None:
        assert (await make().get("body/bom")).json() == {"a": 1}

    async def test_a_login_page(self, platform: Running, make: Make) -> None:
        strike(platform, FaultKind.LOGIN_PAGE)
        with pytest.raises(BadAnswer, match="web page"):
            (await make().get("echo")).json()


def answer(**kwargs: Any) -> Answer:
    values = {"method": "GET", "url": "https://a.cz/x", "status": 200, "headers": {}, "body": b"", "received_at": NOW}
    return Answer(**{**values, **kwargs})


class TestText:
    @pytest.mark.parametrize(
        ("content_type", "body", "text"),
        [
            ("text/html; charset=windows-1250", "žluť".encode("cp1250"), "žluť"),
            ('text/html; CHARSET="utf-16"; x=y', "žluť".encode("utf-16"), "žluť"),
            ("text/html", "žluť".encode(), "žluť"),
            ("text/html; charset=nothing", "žluť".encode(), "žluť"),
            ("text/html; charset=undefined", b"a", "a"),
            ("text/html; charset=idna", b"a\xff", "a\ufffd"),
            ("text/html; charset=zip", b"a", "a"),
            ("text/html; charset=", b"\xff", "\ufffd"),
        ],
    )
    def test_charsets(self, content_type: str, body: bytes, text: str) -> None:
        assert answer(headers={"content-type": content_type}, body=body).text == text

    @given(st.text(st.characters(max_codepoint=255), max_size=20), st.binary(max_size=20))
    def test_never_raises(self, charset: str, body: bytes) -> None:
        assert isinstance(answer(headers={"content-type": f"text/plain; charset={charset}"}, body=body).text, str)


class TestLinks:
    @pytest.mark.parametrize(
        "link",
        [
            "https://evil.example/",
            "//evil.example/",
            "http://127.0.0.1:1/",
            "http://localhost/",
            "https://127.0.0.1/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "http://[::1",
            "http://a\u2024cz/",
            "https://xn--/",
            "http://127.0.0.1\\@evil.example/",
        ],
    )
    async def test_lead_nowhere_else(self, platform: Running, make: Make, link: str) -> None:
        client = make(headers={"authorization": "Bearer t"})
        with pytest.raises(BadAnswer):
            await client.get(link)
        with pytest.raises((BadAnswer, Unreachable)):
            await client.get("to", params={"url": link})
        with pytest.raises((BadAnswer, Unreachable)):
            await read_stream(client, f"to?url={quote(link)}", MEGABYTE)
        assert all(request.path == "/to" for request in platform.emulator.requests)

    @given(
        st.text(max_size=30), st.sampled_from(["", "https://", "https://graph.example", "//", "https://graph.example@"])
    )
    def test_resolve_gives_a_pinned_address_or_bad_answer(self, link: str, start: str) -> None:
        client = Http("https://graph.example/v25.0", clock=lambda: NOW, transport=httpx.MockTransport(Response))
        try:
            url = httpx.URL(client.resolve(start + link))
        except BadAnswer:
            return
        except httpx.InvalidURL as error:
            raise AssertionError("httpx refuses what was resolved") from error
        assert (url.scheme, url.host, url.port) == ("https", "graph.example", None)

    async def test_are_followed_at_the_same_place(self, platform: Running, make: Make) -> None:
        landed = await make().get("to", params={"url": "/echo?a=1&token=hide"})
        assert landed.json()["query"] == {"a": "1", "token": "hide"}
        assert landed.url == f"{platform.base}/echo?a=1"
        assert landed.moved_to == ""
        moved = await make().get("to", params={"url": "/echo", "status": 308})
        assert moved.moved_to == f"{platform.base}/echo"
        async with make().stream("to", params={"url": "/echo"}) as (head, _):
            assert head.url == f"{platform.base}/echo"

    async def test_too_many_in_a_row(self, make: Make) -> None:
        url = "/echo"
        for _ in range(8):
            url = f"/to?url={quote(url, safe='')}"
        with pytest.raises(BadAnswer, match="circle"):
            await make().get(url)
        with pytest.raises(BadAnswer, match="circle"):
            await read_stream(make(), url, MEGABYTE)

    async def test_named_hosts_are_reached_under_their_own_name(self) -> None:
        hosts: list[str] = []

        def platform(request: httpx.Request) -> httpx.Response:
            hosts.append(request.headers["host"])
            if request.url.host == "a.example":
                return httpx.Response(302, headers={"location": "https://Data.a.example:443/x"})
            return httpx.Response(200, content=b"{}")

        client = Http(
            "https://A.example",
            clock=lambda: NOW,
            hosts=["DATA.a.example:443"],
            transport=httpx.MockTransport(platform),
        )
        assert (await client.get("x")).ok
        assert hosts == ["a.example", "data.a.example"]
        await client.close()

    @pytest.mark.parametrize("base", ["", "graph.example", "ftp://graph.example", "https://[::1"])
    def test_a_base_that_is_no_address(self, base: str) -> None:
        with pytest.raises(ConfigError, match="no web address"):
            Http(base, clock=lambda: NOW)


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("120", NOW + timedelta(seconds=120)),
            ("1.5", NOW + timedelta(seconds=1.5)),
            ("0", NOW),
            (format_datetime(NOW + timedelta(hours=1), usegmt=True), NOW + timedelta(hours=1)),
            ("Mon, 23 Nov 2026 14:00:00 +0100", NOW + timedelta(hours=1)),
            ("Mon, 23 Nov 2026 13:00:00 -0000", NOW + timedelta(hours=1)),
            ("Mon, 23 Nov 2020 13:00:00 GMT", NOW),
            ("Mon, 23 Nov 2099 13:00:00 GMT", NOW + timedelta(days=7)),
            ("99999999999999999999", NOW + timedelta(days=7)),
            ("9" * 400, NOW + timedelta(days=7)),
            ("", None),
            ("-5", None),
            ("soon", None),
            ("²", None),
        ],
    )
    def test_known(self, value: str, expected: datetime | None) -> None:
        assert retry_after({"retry-after": value}, now=NOW) == expected
        assert retry_after({}, now=NOW) is None

    @given(st.text() | st.datetimes(timezones=st.just(UTC)).map(lambda moment: format_datetime(moment, usegmt=True)))
    def test_is_within_a_week_or_none(self, value: str) -> None:
        moment = retry_after({"retry-after": value}, now=NOW)
        assert moment is None or NOW <= moment <= NOW + timedelta(days=7)

    async def test_reaches_the_error(self, make: Make) -> None:
        for code in (429, 503):
            with pytest.raises(RateLimited) as caught:
                await make().get(f"status/{code}", params={"wait": "90"})
            assert caught.value.until == NOW + timedelta(seconds=90)


class TestSecrets:
    async def test_are_in_no_log_error_or_answer(
        self, platform: Running, make: Make, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        answer = await make().get("echo", params={"access_token": "hide-me", "page": "2"})
        assert urlsplit(answer.url).query == "page=2"
        with pytest.raises(ConnectorError) as caught:
            await make().get("status/400", params={"access_token": "hide-me"})
        ours = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
        assert any("page=2" in line for line in ours)
        assert "hide-me" not in "".join([*ours, str(caught.value)])

    def test_platforms_words_are_one_short_line(self) -> None:
        error = answer(status=400).error("\x1b]0;x\x07\n" * 10_000)
        assert len(str(error)) < 600
        assert "\n" not in str(error)
        assert "\x1b" not in str(error)


async def test_encryption_that_breaks_while_an_answer_is_read_is_trouble_of_the_network() -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise ssl.SSLError(1, "decryption failed or bad record mac")

    client = Http(
        "https://graph.example/", clock=lambda: NOW, limits=Limits(attempts=1), transport=httpx.MockTransport(broken),
        private_network=True,
    )  # fmt: skip
    with pytest.raises(Unreachable):
        await client.get("x")
    with pytest.raises(OutcomeUnknown):
        await client.post("x", json={})
    with pytest.raises(Unreachable):
        async with client.stream("x"):
            pass
    await client.close()

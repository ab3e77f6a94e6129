"""The only user of httpx: one client for a source, with the manners that every connector gets for nothing.

Reads are tried again after network trouble and 5xx; writes are sent once, ever, and an unclear end is told as
`OutcomeUnknown`. Answers are limited in size, in growth by decompression, and in time. An absolute link (a paging
link, a redirect) is followed only to the hosts the client was made for, so a credential cannot be led away; and none
of them may stand in the private network, unless the client was made for that.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from base64 import b64encode
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import IO, Any, TypeVar, overload
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec
import stamina

from reviewdesk import __version__
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
from reviewdesk.network import addresses_written, ensure_public
from reviewdesk.secrets import redact, safe_url
from reviewdesk.text import cut

log = logging.getLogger(__name__)
# httpx writes each URL to its log, and URLs hold keys on some platforms.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)
stamina.instrumentation.set_on_retry_hooks([])

USER_AGENT = f"reviewdesk/{__version__}"
MEGABYTE = 1 << 20
_PIECE = 1 << 16
_READS = frozenset(("GET", "HEAD", "OPTIONS"))
_ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
T = TypeVar("T")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one request may cost.

    Attributes:
        max_bytes: of the decoded body.
        max_growth: decoded bytes for each byte on the wire, looked at from one megabyte on.
        connect_seconds, read_seconds: the longest silence while connecting and between two pieces of the body.
        total_seconds: for the whole answer; a streamed one may take longer while it keeps its speed.
        bytes_per_second: the least speed of a streamed body, once `total_seconds` are used up.
        attempts: how often a read is tried.
    """

    max_bytes: int = 20 * MEGABYTE
    max_growth: int = 200
    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    total_seconds: float = 120.0
    bytes_per_second: int = 4096
    attempts: int = 3


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a platform answered: status, headers (names in lower case), body, and the URL without secrets.

    `moved_to` is the new address where the answer came after permanent redirects only, else "".
    """

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    moved_to: str = ""

    @property
    def ok(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text, by the charset of the content type, else UTF-8; what does not decode is U+FFFD."""
        charset = self.headers.get("content-type", "").lower().partition("charset=")[2].split(";")[0]
        try:
            return self.body.decode(charset.strip(" \"'") or "utf-8", "replace")
        except (LookupError, ValueError):
            return self.body.decode("utf-8", "replace")

    @overload
    def json(self) -> Any: ...
    @overload
    def json(self, type: type[T]) -> T: ...
    def json(self, type: Any = Any) -> Any:
        """Gives the body read as JSON into `type`.

        Raises:
            BadAnswer: it is not JSON, or not of that shape. After a write this says nothing about its outcome.
        """
        try:
            return msgspec.json.decode(self.body.removeprefix(BOM_UTF8), type=type)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            what = "a web page instead of data" if self.body.lstrip()[:1] == b"<" else "something unreadable"
            raise BadAnswer(
                f"{urlsplit(self.url).hostname} answered {what} ({redact(str(error))}).",
                hint="If it stays so, its API has changed or a login page stands in between.",
            ) from None

    def check(self) -> Answer:
        """Gives the answer itself where it is a success.

        Raises:
            ConnectorError: the one that fits the status; for a write, 5xx and 408 are `OutcomeUnknown`.
        """
        if self.ok or self.status == 304:
            return self
        raise self.error()

    def error(self, detail: str = "") -> ConnectorError:
        """Gives the error that fits the status, with the platform's own words in `detail`."""
        host = urlsplit(self.url).hostname or "The platform"
        said = f" It said: {cut(redact(detail), 500)}" if detail else ""
        write = self.method not in _READS
        if self.status in (420, 429) or (self.status == 503 and "retry-after" in self.headers and not write):
            return RateLimited(
                f"{host} wants fewer requests ({self.status}).{said}",
                until=retry_after(self.headers, now=self.received_at),
            )
        if self.status == 401:
            return AuthFailed(f"{host} does not accept the key or token (401).{said}", hint="Renew it.")
        if self.status == 403:
            return PermissionMissing(f"{host} does not permit this (403).{said}")
        if self.status in (404, 410):
            return NotThere(f"{host} has nothing at this address ({self.status}).{said}")
        if self.status == 408 or self.status >= 500:
            sentence = f"{host} is in trouble ({self.status}).{said}"
            return OutcomeUnknown(sentence) if write else Unreachable(sentence)
        if write and self.status < 400:
            return OutcomeUnknown(f"{host} answered by pointing elsewhere ({self.status}).{said}")
        if write:
            return Refused(f"{host} refused it ({self.status}).{said}")
        return BadAnswer(f"{host} answered {self.status}.{said}")


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request and how it ended, for who traces a poll.

    Attributes:
        url: without secrets.
        status: 0 where no answer came.
        milliseconds: until the answer was read or given up.
        bytes: of the body, on the wire.
        fault: why no answer came, or the whole of it did not; else "".
    """

    method: str
    url: str
    status: int
    milliseconds: int
    bytes: int = 0
    fault: str = ""


Observer = Callable[[Exchange], None]
"""Is called with each request when it has ended."""


def retry_after(headers: Mapping[str, str], *, now: datetime) -> datetime | None:
    """Gives the time a Retry-After header names, in either form of RFC 9110 (seconds or a date); None without one.

    It is never before `now` and at most a week after: a slip of the platform's must not silence a source for years.
    """
    value = headers.get("retry-after", "").strip()
    longest = now + timedelta(days=7)
    try:
        if value.replace(".", "", 1).isdigit():
            return now + timedelta(seconds=min(float(value), 7 * 86400))
        moment = parsedate_to_datetime(value)
        return min(max(moment if moment.tzinfo else moment.replace(tzinfo=UTC), now), longest).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


@cache
def _tls() -> ssl.SSLContext:
    """The one set of trusted authorities: reading them takes longer than many a poll."""
    return httpx.create_ssl_context()


class _TryAgain(Exception):
    """A read that failed in a way that may pass within seconds; carries what to raise when it does not."""

    def __init__(self, error: ConnectorError) -> None:
        super().__init__(str(error))
        self.error = error


class _Gate:
    """Stands in the way of a connection: what its name stands for before it is dialled, and who has really answered.

    A name may stand for another address a moment later (DNS rebinding), so the second look is the one that counts; TLS
    and the request itself begin only after it. Where a proxy dials, it alone knows the address, and only those that are
    spelt out were looked at.

    Args:
        found: names that were found to be public, which are not asked for again.
    """

    def __init__(self, url: httpx.URL, found: set[str]) -> None:
        self._host = url.raw_host.decode("ascii").strip("[]")
        self._found = found
        self._direct = True

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Hears what httpcore is about to do (https://www.encode.io/httpcore/extensions/#trace).

        Raises:
            PrivateNetwork: the connection leads into the private network.
        """
        if event.endswith("connect_tcp.started"):
            self._direct = info["host"] == self._host
            if self._direct and self._host not in self._found:
                ensure_public(self._host, await _addresses(self._host, info["port"]))
                self._found.add(self._host)
        elif event.endswith("connect_tcp.complete") and self._direct:
            stream = info["return_value"]
            try:
                ensure_public(self._host, [stream.get_extra_info("server_addr")[0]])
            except BaseException:
                await stream.aclose()
                raise


async def _addresses(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []  # Who dials will say so.
    return [str(address[0]) for *_, address in found]


class Http:
    """A client pinned to a base address.

    Args:
        base: the API's root; relative paths are joined to it, and its scheme, host and port are pinned.
        clock: gives the time, aware and in UTC.
        headers: sent with each request; a credential belongs here, never in a URL.
        hosts: further host names (port optional) that links and redirects may lead to.
        limits: see `Limits`.
        transport: another httpx transport, for tests.
        observer: is called with each request when it has ended; redirects and repeated tries are requests of their own.
        leaving: is called before each request that writes; what it raises keeps the request back.
        private_network: addresses that only this machine or its network can reach may be asked as well.

    Raises:
        ConfigError: the base is no web address.

    Every request raises `PrivateNetwork`, before anything is sent, where its address may not be asked.
    """

    def __init__(
        self,
        base: str,
        *,
        clock: Callable[[], datetime],
        headers: Mapping[str, str] | None = None,
        hosts: Collection[str] = (),
        limits: Limits | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        observer: Observer | None = None,
        leaving: Callable[[], None] = lambda: None,
        private_network: bool = False,
    ) -> None:
        self._observer = observer
        self._leaving = leaving
        self._private_network = private_network
        self._found_public: set[str] = set()
        self.base = base if base.endswith("/") else base + "/"
        self.limits = limits or Limits()
        self._clock = clock
        try:
            self._pinned = {_origin(self.base), *(_origin(f"https://{host}") for host in hosts)}
        except (httpx.InvalidURL, ValueError):
            raise ConfigError(
                f"{safe_url(base)} is no web address.", hint="It begins with https:// and a host."
            ) from None
        if not self.base.startswith(("https://", "http://")):
            raise ConfigError(f"{safe_url(base)} is no web address.", hint="It begins with https:// and a host.")
        self._client = httpx.AsyncClient(
            headers={"user-agent": USER_AGENT, "accept-encoding": "gzip, deflate", **(headers or {})},
            timeout=httpx.Timeout(
                self.limits.read_seconds, connect=self.limits.connect_seconds, pool=self.limits.total_seconds
            ),
            # Each request has a connection of its own: what is left over in a reused one would be read as the answer to
            # another question, and one that the host has just closed would leave a reply unknown.
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=0),
            follow_redirects=False,
            verify=_tls(),
            transport=transport,
            trust_env=transport is None and urlsplit(base).hostname not in ("127.0.0.1", "localhost", "::1"),
        )

    async def get(self, path: str = "", *, check: bool = True, **kwargs: Any) -> Answer:
        """Reads; see `request`."""
        return await self.request("GET", path, check=check, **kwargs)

    async def post(self, path: str = "", *, check: bool = True, **kwargs: Any) -> Answer:
        """Writes once; see `request`."""
        return await self.request("POST", path, check=check, **kwargs)

    async def put(self, path: str = "", *, check: bool = True, **kwargs: Any) -> Answer:
        """Writes once; see `request`."""
        return await self.request("PUT", path, check=check, **kwargs)

    async def delete(self, path: str = "", *, check: bool = True, **kwargs: Any) -> Answer:
        """Deletes once; see `request`."""
        return await self.request("DELETE", path, check=check, **kwargs)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | None = None,
        auth: tuple[str, str] | None = None,
        read_only: bool = False,
        check: bool = True,
    ) -> Answer:
        """Sends one request and gives its whole answer.

        Args:
            path: relative to the base, or an absolute link to a pinned host.
            params: joined to those of the path, in place of those of the same name.
            headers, form, json, content, auth: as in httpx; at most one of form, json and content.
            read_only: a POST that changes nothing (a token request) and so may be tried again like a read.
            check: raise for statuses other than 2xx and 304; otherwise they are given as they are, but 5xx of a
                read are still tried again first.

        Raises:
            Unreachable: no connection or a cut answer; for a write only when it is certain that nothing was sent.
            OutcomeUnknown: a write was sent and its answer did not arrive whole.
            BadAnswer: too large, grows too much, or a link leads to a host that is not pinned.
            ConnectorError: with `check`, what fits the status.
        """
        body = None if json is None else msgspec.json.encode(json)
        extra = dict(headers or {})
        if body is not None:
            extra.setdefault("content-type", "application/json")
        request = self._client.build_request(
            method, self._address(path, params), headers=extra, data=form, content=body or content
        )
        if auth:
            request.headers["authorization"] = "Basic " + b64encode(":".join(auth).encode()).decode()
        if method in _READS or read_only:
            answer = await self._read(request)
        else:
            answer = await self._once(request)
        return answer.check() if check else answer

    async def download(
        self,
        path: str,
        into: IO[bytes],
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> Answer:
        """Reads as `request` does, tries again included, but writes the body to `into` and gives the answer without it.

        Args:
            into: a seekable file; each try starts it anew, and it stands at its end afterwards.

        Raises:
            Unreachable, BadAnswer, ConnectorError: as in `request`.
        """
        request = self._client.build_request("GET", self._address(path, params), headers=headers)
        answer = await self._read(request, into)
        return answer.check() if check else answer

    async def _read(self, request: httpx.Request, into: IO[bytes] | None = None) -> Answer:
        answer: Answer | None = None
        try:
            async for attempt in stamina.retry_context(
                on=_TryAgain,
                attempts=self.limits.attempts,
                timeout=self.limits.total_seconds,
                wait_initial=0.5,
                wait_max=8.0,
            ):
                with attempt:
                    answer = await self._once(request, read=True, into=into)
                    if answer.status >= 500 and "retry-after" not in answer.headers:
                        raise _TryAgain(Unreachable(f"{request.url.host} is in trouble ({answer.status})."))
        except _TryAgain as failure:
            if answer is not None and answer.status >= 500:
                return answer
            raise failure.error from None
        if answer is None:
            raise Unreachable(f"{request.url.host} did not answer.")
        return answer

    async def _once(self, request: httpx.Request, *, read: bool = False, into: IO[bytes] | None = None) -> Answer:
        if not read:
            self._leaving()
        try:
            async with asyncio.timeout(self.limits.total_seconds):
                return await self._follow(request, into)
        except _NOT_CONNECTED as error:
            failure: ConnectorError = _unconnected(request.url.host, error)
        except (httpx.HTTPError, ssl.SSLError, TimeoutError) as error:
            sentence = f"{request.url.host} broke off in mid-answer ({type(error).__name__})."
            failure = Unreachable(sentence) if read else OutcomeUnknown(sentence)
        except BadAnswer as error:
            if read:
                raise
            failure = OutcomeUnknown(error.sentence)
        if read:
            raise _TryAgain(failure)
        raise failure

    async def _follow(self, request: httpx.Request, into: IO[bytes] | None = None) -> Answer:
        moved_to, permanent = "", True
        for _ in range(6):
            async with self._open(request) as response:
                status = response.status_code
                target = response.headers.get("location", "")
                if status not in _REDIRECTS or not target or request.method not in _READS:
                    body = await self._body(response, into)
                    return Answer(
                        method=request.method,
                        url=safe_url(str(request.url)),
                        status=status,
                        headers={name.lower(): value for name, value in response.headers.items()},
                        body=body,
                        received_at=self._clock(),
                        moved_to=moved_to if permanent else "",
                    )
            link = self.resolve(target, base=str(request.url))
            permanent = permanent and status in (301, 308)
            moved_to = safe_url(link)
            request = self._client.build_request(request.method, link, headers=_for_another_host(request.headers))
        raise BadAnswer(f"{request.url.host} redirects in a circle.")

    async def _body(self, response: httpx.Response, into: IO[bytes] | None) -> bytes:
        parts = self._bounded(response, self.limits.max_bytes)
        if into is None:
            return b"".join([part async for part in parts])
        into.seek(0)
        into.truncate()
        async for part in parts:
            into.write(part)
        return b""

    @asynccontextmanager
    async def _open(self, request: httpx.Request) -> AsyncIterator[httpx.Response]:
        started = asyncio.get_running_loop().time()
        response: httpx.Response | None = None
        fault = ""
        try:
            if not self._private_network:
                ensure_public(request.url.host, addresses_written(request.url.host))
                request.extensions["trace"] = _Gate(request.url, self._found_public)
            try:
                async with asyncio.timeout(self.limits.total_seconds):
                    response = await self._client.send(request, stream=True)
            except TimeoutError:
                raise httpx.ReadTimeout("too slow", request=request) from None
            except (httpx.InvalidURL, ValueError):  # httpx reads the address of a redirect that it does not follow, too
                raise BadAnswer(f"{request.url.host} points to something that is no address.") from None
            yield response
        except BaseException as error:
            fault = type(error).__name__
            raise
        finally:
            if response is not None:
                await response.aclose()
            self._observe(request, response, (asyncio.get_running_loop().time() - started) * 1000, fault)

    def _observe(
        self, request: httpx.Request, response: httpx.Response | None, milliseconds: float, fault: str
    ) -> None:
        status, url = response.status_code if response is not None else 0, safe_url(str(request.url))
        log.debug("%s %s -> %d in %.0f ms %s", request.method, url, status, milliseconds, fault)
        if self._observer is not None:
            size = response.num_bytes_downloaded if response is not None else 0
            self._observer(
                Exchange(
                    method=request.method,
                    url=url,
                    status=status,
                    milliseconds=round(milliseconds),
                    bytes=size,
                    fault=fault,
                )
            )

    async def _bounded(self, response: httpx.Response, max_bytes: int) -> AsyncIterator[bytes]:
        host = response.url.host
        if response.headers.get("content-encoding", "identity").strip().lower() not in _ENCODINGS:
            raise BadAnswer(f"{host} sent a body in an encoding that was not asked for.")  # such as gzip within gzip
        received = 0
        try:
            async for part in self._in_time(response):
                received += len(part)
                if received > max_bytes:
                    raise BadAnswer(
                        f"{host} sent more than {max_bytes // MEGABYTE or 1} MB.", hint="Nothing was stored."
                    )
                if received > MEGABYTE and received > self.limits.max_growth * max(1, response.num_bytes_downloaded):
                    raise BadAnswer(f"{host} sent a compressed body that grows beyond measure.")
                for start in range(0, len(part), _PIECE):
                    yield part[start : start + _PIECE]
        except httpx.DecodingError:
            raise BadAnswer(f"{host} sent a body that does not decompress.") from None

    async def _in_time(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """Gives the decoded parts as they come. Each counts only for as long as it was waited for."""
        parts = response.aiter_bytes()
        now = asyncio.get_running_loop().time
        left, part = self.limits.total_seconds, b""
        while True:
            began = now()
            try:
                async with asyncio.timeout(left):
                    part = await anext(parts, b"")
            except TimeoutError:
                raise httpx.ReadTimeout("too slow", request=response.request) from None
            if not part:
                return
            left += len(part) / self.limits.bytes_per_second - (now() - began)
            yield part

    @asynccontextmanager
    async def stream(
        self,
        path: str = "",
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = 2048 * MEGABYTE,
    ) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        """Opens a large answer: gives it without its body, and the body in pieces of at most 64 KB.

        The status is not checked and nothing is tried again: the reader decides, since a piece may have been used.

        Raises:
            Unreachable, BadAnswer: as in `request`, also while the pieces are read.
        """
        request = self._client.build_request("GET", self._address(path, params), headers=headers)
        try:
            for _ in range(6):
                async with self._open(request) as response:
                    target = response.headers.get("location", "")
                    if response.status_code in _REDIRECTS and target:
                        link = self.resolve(target, base=str(request.url))
                        request = self._client.build_request("GET", link, headers=_for_another_host(request.headers))
                        continue
                    answer = Answer(
                        method="GET",
                        url=safe_url(str(request.url)),
                        status=response.status_code,
                        headers={name.lower(): value for name, value in response.headers.items()},
                        body=b"",
                        received_at=self._clock(),
                    )
                    yield answer, self._bounded(response, max_bytes)
                    return
            raise BadAnswer(f"{request.url.host} redirects in a circle.")
        except _NOT_CONNECTED as error:
            raise _unconnected(request.url.host, error) from None
        except (httpx.HTTPError, ssl.SSLError) as error:  # httpx lets broken encryption through as it is
            raise Unreachable(f"{request.url.host} broke off ({type(error).__name__}).") from None

    def _address(self, path: str, params: Mapping[str, Any] | None) -> httpx.URL:
        """Joins parameters to those that the link has already; httpx itself would replace them."""
        url = httpx.URL(self.resolve(path))
        return url.copy_merge_params(params) if params else url

    def resolve(self, path: str, *, base: str = "") -> str:
        """Gives the absolute URL of a path or link, relative to the client's base or another.

        Raises:
            BadAnswer: the link is unreadable or leads to a host, port or scheme that this client is not pinned to.
        """
        try:
            url = urljoin(base or self.base, path)
            origin = _origin(url)
        except (httpx.InvalidURL, ValueError):
            raise BadAnswer("A link that is no address was not followed.") from None
        if origin not in self._pinned:
            raise BadAnswer(
                f"A link to another place ({cut(origin, 80)}) was not followed.",
                hint="If that host belongs to the platform, name it in the source's settings.",
            )
        return url

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()


def _unconnected(host: str, error: Exception) -> Unreachable:
    return Unreachable(
        f"No connection to {host} ({type(error).__name__}).", hint="Is the network there? Is the address right?"
    )


def _origin(url: str) -> str:
    """Gives scheme, host and port of a URL as httpx reads it, since it is httpx that will connect."""
    parts = httpx.URL(url)
    return str(httpx.URL(scheme=parts.scheme, host=parts.host, port=parts.port))


def _for_another_host(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "host"}

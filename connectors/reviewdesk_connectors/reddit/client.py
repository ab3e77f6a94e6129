"""PRAW itself, told to behave: for one thread at a time, and the only module that imports it.

What is changed in its manners, each for a reason found in its code and seen in its requests: nothing is sent twice by
itself, since Reddit knows no idempotency key; timeouts are real, since PRAW's own setting is not handed on; it never
sleeps for a rate limit, since a sleeping thread can neither be interrupted nor shown; no file and no variable of the
environment decides where credentials go; and plain data comes back, since PRAW's objects ask the network for an
attribute that is missing.
"""

from __future__ import annotations

import io
import logging
import re
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import praw
import praw.exceptions
import prawcore
import requests
import urllib3.exceptions
from prawcore.const import ACCESS_TOKEN_PATH

from reviewdesk.connector import (
    AuthFailed,
    BadAnswer,
    ConfigError,
    ConnectorError,
    Exchange,
    NotThere,
    Observer,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    Refused,
    Unreachable,
    ensure_public_url,
    one_line,
    redact,
    remember,
    retry_after,
)
from reviewdesk_connectors.reddit.allowance import Allowance
from reviewdesk_connectors.reddit.settings import RedditSettings

# At DEBUG both write what is sent, and that is what customers and agents wrote.
logging.getLogger("praw").setLevel(logging.WARNING)
logging.getLogger("prawcore").setLevel(logging.WARNING)

T = TypeVar("T")

TIMEOUT = (5.0, 20.0)
"""Seconds to connect, and of silence between two pieces of an answer."""
TOTAL_SECONDS = 60.0
MAX_BYTES = 20 << 20
_REPLY_FIELDS = ("id", "name", "created_utc", "body", "permalink", "link_id", "parent_id", "removed", "spam")
_UNITS = {"millisecond": 0.001, "second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
_WAIT = re.compile(rf"(\d{{1,5}})\s*({'|'.join(_UNITS)})(?:s|\(s\))?\b", re.IGNORECASE)
_GONE_CODES = frozenset(("DELETED_COMMENT", "DELETED_LINK", "NO_THING_ID"))
_NEVER_SENT = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
SIGN_IN = "Set refresh_token, or username and password."
RENEW = "Check client_id, client_secret and the account's token or password; a new application needs Reddit's approval."


class Wire:
    """What has gone over the wire: handed to each `Requestor` of a client, and read when something went wrong.

    Attributes:
        allowance: what Reddit said last of the remaining calls.
        wrote: True when a write has been handed to the network since `begin`.
        last: the last answer since `begin`, with all its headers.
        leaving: is called before a write is handed to the network; what it raises keeps it back.
        observer: is called with each request, in the account's thread; None where nobody traces.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.allowance = Allowance()
        self.wrote = False
        self.last: requests.Response | None = None
        self.leaving: Callable[[], None] = lambda: None
        self.observer: Observer | None = None

    def begin(self) -> None:
        """Forgets the last call; the allowance stays."""
        self.wrote, self.last = False, None


class TokenRefused(Exception):
    """The API answered 401, so it is certain that nothing was done."""


class Requestor(prawcore.Requestor):
    """Sends each request once, in bounded time and size, and keeps what Reddit says of the remaining calls.

    Args:
        wire: where it is kept.
        private_network: the addresses may lead into the private network.
        oauth_url, reddit_url, session, user_agent: as in prawcore.
    """

    def __init__(self, *, wire: Wire, private_network: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._private_network = private_network
        self._wire = wire

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """Sends one request and gives its whole answer, without the headers that would make prawcore sleep.

        What prawcore would send again after a sleep leaves here as an error of our own, which it lets pass.

        Raises:
            Unreachable: nothing was sent, or a read got no whole answer.
            OutcomeUnknown: a write was sent and its end is not clear.
            TokenRefused: the API does not know the token any more.
            PrivateNetwork: the address leads there and may not.
        """
        if not self._private_network:
            ensure_public_url(url)
        is_token = url.endswith(ACCESS_TOKEN_PATH)
        is_write = method.upper() != "GET" and not is_token
        if is_write:
            self._wire.leaving()
        self._wire.wrote |= is_write
        # A token request that followed a redirect would take the password along.
        kwargs |= {"timeout": TIMEOUT, "allow_redirects": False, "stream": True}
        status, body, fault, started = 0, b"", "", time.monotonic()
        try:
            with super().request(method, url, **kwargs) as streamed:
                status = streamed.status_code
                body = _bounded(streamed)
        except (prawcore.RequestException, requests.RequestException) as error:
            cause = error.original_exception if isinstance(error, prawcore.RequestException) else error
            fault = type(cause).__name__
            raise _broken(cause, is_write) from None
        finally:
            if self._wire.observer is not None:
                address = requests.Request(method, url, params=kwargs.get("params")).prepare().url or url
                spent = round((time.monotonic() - started) * 1000)
                self._wire.observer(
                    Exchange(
                        method=method.upper(),
                        url=address,
                        status=status,
                        milliseconds=spent,
                        bytes=len(body),
                        fault=fault,
                    )
                )
        whole = self._wire.last = _whole(streamed, body, streamed.headers)
        self._wire.allowance = self._wire.allowance.told(whole.status_code, whole.headers, wait_named(whole))
        if is_token:
            _remember_token(whole)
        elif whole.status_code == 401:
            raise TokenRefused
        if whole.status_code == 408 or whole.status_code >= 500:
            raise by_status(whole, is_write, self._wire.clock())
        quiet = {name: value for name, value in whole.headers.items() if not name.lower().startswith("x-ratelimit")}
        return _whole(streamed, body, quiet)


def _bounded(streamed: requests.Response) -> bytes:
    body, deadline = bytearray(), time.monotonic() + TOTAL_SECONDS
    for piece in streamed.iter_content(1 << 16):
        body += piece
        if len(body) > MAX_BYTES:
            raise requests.exceptions.ContentDecodingError(f"more than {MAX_BYTES >> 20} MB")
        if time.monotonic() > deadline:
            raise requests.exceptions.ReadTimeout(f"not whole after {TOTAL_SECONDS:.0f} seconds")
    return bytes(body)


def _whole(streamed: requests.Response, body: bytes, headers: Mapping[str, str]) -> requests.Response:
    whole = requests.Response()
    whole.status_code, whole.reason, whole.url = streamed.status_code, streamed.reason, streamed.url
    whole.encoding, whole.request = streamed.encoding, streamed.request
    whole.headers.update(headers)
    whole.raw = io.BytesIO(body)
    _ = whole.content  # read now, since a raw body can be read but once
    return whole


def _remember_token(response: requests.Response) -> None:
    try:
        told = response.json()
    except (ValueError, RecursionError):
        return
    for name in ("access_token", "refresh_token"):
        if isinstance(told, dict) and isinstance(told.get(name), str):
            remember(told[name])


def _broken(error: Exception, is_write: bool) -> ConnectorError:
    """Gives what a request without a whole answer means."""
    if not isinstance(error, requests.RequestException):
        return OutcomeUnknown(_cut(error)) if is_write else Unreachable(_cut(error))
    if _was_never_sent(error):
        return Unreachable(
            f"No connection to Reddit ({type(error).__name__}).", hint="Is the network there? Is the address right?"
        )
    return OutcomeUnknown(_cut(error)) if is_write else Unreachable(_cut(error))


def _cut(error: Exception) -> str:
    return f"Reddit broke off in mid-answer ({type(error).__name__})."


def _was_never_sent(error: requests.RequestException) -> bool:
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.InvalidURL):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    if isinstance(error, requests.exceptions.SSLError):
        # Encryption may also break while the answer is read; only a certificate is refused before anything is sent.
        return any(isinstance(each, ssl.SSLCertVerificationError) for each in getattr(reason, "args", ()))
    return isinstance(reason, _NEVER_SENT)


def wait_named(response: requests.Response) -> float | None:
    """Gives the seconds that the words of a 429 name ("please wait 4 second(s)"); None where they name none."""
    return wait_in(response.text) if response.status_code == 429 else None


def wait_in(words: str | None) -> float | None:
    """Gives the seconds in a sentence such as "Take a break for 9 minutes before trying again."; None without any."""
    found = _WAIT.search(words or "")
    return int(found[1]) * _UNITS[found[2].lower()] if found else None


class Client:
    """One account's PRAW. Made and used by one thread.

    Args:
        settings: who signs in, and where.
        clock: gives the time, aware and in UTC.
        private_network: the addresses may lead into the private network.

    Raises:
        MissingSecret: a secret is not where the settings say.
    """

    def __init__(
        self, settings: RedditSettings, clock: Callable[[], datetime], *, private_network: bool = False
    ) -> None:
        self._settings = settings
        self._private_network = private_network
        self._wire = Wire(clock)
        self._http = requests.Session()
        self._http.trust_env = not settings.on_loopback
        self._http.auth = _leave_as_it_is
        self._reddit = self._sign_in()

    def _sign_in(self) -> praw.Reddit:
        """Gives a PRAW without a token yet. Every setting is a keyword, so no praw.ini and no variable decides."""
        settings = self._settings
        return praw.Reddit(
            site_name="DEFAULT",
            client_id=settings.client_id,
            client_secret=settings.client_secret.reveal() if settings.client_secret else None,
            refresh_token=settings.refresh_token.reveal() if settings.refresh_token else None,
            username=settings.username or None,
            password=settings.password.reveal() if settings.password else None,
            user_agent=settings.user_agent.strip(),
            redirect_uri=None,
            oauth_url=settings.oauth_url.rstrip("/") + "/",
            reddit_url=settings.reddit_url.rstrip("/"),
            short_url="https://redd.it",
            check_for_updates=False,
            check_for_async=False,
            ratelimit_seconds=-1,
            timeout=int(TIMEOUT[1]),
            window_size=600,
            comment_kind="t1",
            redditor_kind="t2",
            submission_kind="t3",
            message_kind="t4",
            subreddit_kind="t5",
            trophy_kind="t6",
            requestor_class=Requestor,
            requestor_kwargs={
                "session": self._http,
                "wire": self._wire,
                "private_network": self._private_network,
            },
        )

    @property
    def allowance(self) -> Allowance:
        """What Reddit said last of the remaining calls."""
        return self._wire.allowance

    def observe(self, observer: Observer) -> None:
        """Lets `observer` be called with each request from now on, in this thread."""
        self._wire.observer = observer

    def get(self, path: str, params: Mapping[str, str | int]) -> Any:
        """Reads; gives the answer as parsed JSON.

        Args:
            path: below the API's address, without a slash in front.
        """
        return self._do(lambda reddit: reddit.request(method="GET", path=path, params=dict(params)))

    def reply(self, fullname: str, text: str, leaving: Callable[[], None] = lambda: None) -> dict[str, Any] | None:
        """Posts a comment under a comment or post; gives its fields, or None where Reddit does not show it.

        Args:
            leaving: is called right before it is sent; what it raises keeps it back.

        Raises:
            OutcomeUnknown: it may stand there.
            ConnectorError: any other kind promises that it does not.
        """

        def post(reddit: praw.Reddit) -> dict[str, Any] | None:
            kind, _, short = fullname.partition("_")
            made = (reddit.submission(short) if kind == "t3" else reddit.comment(short)).reply(text)
            return None if made is None else _fields(made)

        self._wire.leaving = leaving
        try:
            return self._do(post)
        finally:
            self._wire.leaving = lambda: None

    def edit(self, fullname: str, text: str) -> dict[str, Any]:
        """Changes a comment of ours; gives its fields. Errors as in `reply`."""
        return self._do(lambda reddit: _fields(reddit.comment(fullname.partition("_")[2]).edit(text)))

    def delete(self, fullname: str) -> None:
        """Deletes a comment of ours; Reddit says yes to one that is gone, too. Errors as in `reply`."""
        self._do(lambda reddit: reddit.comment(fullname.partition("_")[2]).delete())

    def scopes(self) -> frozenset[str]:
        """Gives what the token may do; `*` is everything."""
        return self._do(lambda reddit: frozenset(reddit.auth.scopes()))

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def _do(self, work: Callable[[praw.Reddit], T]) -> T:
        """Does `work`, with a fresh token and once more where the old one was refused."""
        self._wire.begin()
        try:
            try:
                return work(self._reddit)
            except TokenRefused:
                self._reddit = self._sign_in()
                return work(self._reddit)
        except (ConnectorError, ConfigError):
            raise
        except Exception as error:
            # Bare KeyError, ValueError and their like escape from praw where an answer is not as it expects.
            raise translated(error, self._wire.last, self._wire.wrote, self._wire.clock()) from None


def _leave_as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """An authentication that does nothing, so that no .netrc entry takes the place of the token."""
    return request


def _fields(made: Any) -> dict[str, Any]:
    told = vars(made)
    return {name: told[name] for name in _REPLY_FIELDS if name in told}


def translated(error: Exception, last: requests.Response | None, wrote: bool, now: datetime) -> ConnectorError:
    """Gives the desk's error for whatever praw and prawcore raise.

    Args:
        last: the last answer that arrived, None without any.
        wrote: whether a write was handed to the network.
        now: aware, in UTC.
    """
    if isinstance(error, praw.exceptions.RedditAPIException):
        return _by_code(error, now)
    if isinstance(error, prawcore.OAuthException):
        return AuthFailed(f"Reddit gives no token ({redact(str(error))}).", hint=RENEW)
    if isinstance(error, prawcore.RequestException):
        return _broken(error.original_exception, wrote)
    if isinstance(error, praw.exceptions.ReadOnlyException):
        return PermissionMissing("Nobody is signed in, so Reddit can only be read.", hint=SIGN_IN)
    # The exception's own answer has lost the headers that would make prawcore sleep.
    response = error.response if last is None and isinstance(error, prawcore.ResponseException) else last
    if response is not None and not 200 <= response.status_code < 300:
        return by_status(response, wrote, now)
    if wrote:
        return OutcomeUnknown(f"Reddit's answer to the write cannot be read ({type(error).__name__}).")
    what = "a web page instead of data" if response is not None and _is_page(response) else "something unreadable"
    return BadAnswer(
        f"Reddit answered {what} ({one_line(redact(str(error)))[:200] or type(error).__name__}).",
        hint="If it stays so, its API has changed or a login page stands in between.",
    )


def by_status(response: requests.Response, wrote: bool, now: datetime) -> ConnectorError:
    """Gives the error that fits an answer's status."""
    status, said = response.status_code, _said(response)
    if status == 429 or (status == 503 and not wrote and "retry-after" in response.headers):
        return RateLimited(f"Reddit wants fewer requests ({status}).", until=_until(response, now))
    if status == 408 or status >= 500:
        sentence = f"Reddit is in trouble ({status})."
        return OutcomeUnknown(sentence) if wrote else Unreachable(sentence)
    if "insufficient_scope" in response.headers.get("www-authenticate", ""):
        return PermissionMissing(
            "Reddit's token was not given the scope for this.",
            hint="Ask for a token with: identity, read, submit, edit, history, privatemessages.",
        )
    if status == 401 or (response.url or "").endswith(ACCESS_TOKEN_PATH):
        return AuthFailed(f"Reddit does not accept the application or its token ({status}).{said}", hint=RENEW)
    if 300 <= status < 400:
        target = response.headers.get("location", "")
        if "/login" in target:
            return PermissionMissing("Reddit wants somebody to sign in for this.", hint=SIGN_IN)
        return NotThere("Reddit has no such community (it leads to its search).", hint="Is the name spelt right?")
    if status == 403:
        if wrote:
            return Refused(f"Reddit does not permit it here (403).{said}")
        return PermissionMissing(
            f"Reddit does not permit this (403).{said}", hint="The community may be private, banned or quarantined."
        )
    if status in (404, 410, 451):
        return NotThere(f"Reddit has nothing at this address ({status}).{said}")
    return Refused(f"Reddit refused it ({status}).{said}") if wrote else BadAnswer(f"Reddit answered {status}.{said}")


def _by_code(error: praw.exceptions.RedditAPIException, now: datetime) -> ConnectorError:
    words = "; ".join(one_line(item.message or item.error_type) for item in error.items)
    codes = [str(item.error_type) for item in error.items]
    told = f"Reddit said: {redact(words)[:500]} ({', '.join(codes)})"
    if "RATELIMIT" in codes:
        wait = next((wait for item in error.items if (wait := wait_in(item.message)) is not None), None)
        return RateLimited(told, until=None if wait is None else now + timedelta(seconds=wait))
    if not _GONE_CODES.isdisjoint(codes):
        return NotThere(told)
    if "USER_REQUIRED" in codes:
        return AuthFailed(told, hint=RENEW)
    return Refused(told)


def _until(response: requests.Response, now: datetime) -> datetime | None:
    named = retry_after({name.lower(): value for name, value in response.headers.items()}, now=now)
    if named is not None:
        return named
    wait = Allowance().told(response.status_code, response.headers, wait_named(response)).wait(reserve=0)
    return now + timedelta(seconds=wait) if wait > 0 else None


def _is_page(response: requests.Response) -> bool:
    return response.content.lstrip()[:1] == b"<"


def _said(response: requests.Response) -> str:
    """Gives Reddit's own words, where the answer is data: " It said: …"."""
    try:
        told = response.json()
    except (ValueError, RecursionError):
        return ""
    words = [told.get(name) for name in ("explanation", "message", "reason")] if isinstance(told, dict) else []
    said = "; ".join(word for word in words if isinstance(word, str) and word)
    return f" It said: {one_line(redact(said))[:300].rstrip('.')}." if said else ""

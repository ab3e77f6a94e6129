"""Whatever praw and prawcore can raise becomes one of the desk's errors."""

from __future__ import annotations

import inspect
import io
from datetime import UTC, datetime
from ssl import SSLCertVerificationError, SSLEOFError, SSLError

import praw.exceptions
import prawcore
import prawcore.exceptions
import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError
from urllib3.exceptions import SSLError as TlsError

from reviewdesk.connector import (
    AuthFailed,
    BadAnswer,
    ConnectorError,
    NotThere,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    Refused,
    Unreachable,
)
from reviewdesk_connectors.reddit.client import by_status, translated

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def answered(
    status: int, body: bytes = b"{}", url: str = "https://oauth.reddit.com/x", **headers: str
) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url = status, url
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    response.raw = io.BytesIO(body)
    return response


RESPONSES = {
    prawcore.BadJSON: answered(200, b"<html>"),
    prawcore.BadRequest: answered(400),
    prawcore.Conflict: answered(409),
    prawcore.Forbidden: answered(403),
    prawcore.InsufficientScope: answered(403, www_authenticate='Bearer realm="reddit", error="insufficient_scope"'),
    prawcore.InvalidToken: answered(401),
    prawcore.NotFound: answered(404),
    prawcore.Redirect: answered(302, location="/subreddits/search?q=x"),
    prawcore.ResponseException: answered(418),
    prawcore.ServerError: answered(502),
    prawcore.SpecialError: answered(415, b'{"message": "no", "reason": "spam"}'),
    prawcore.TooLarge: answered(413),
    prawcore.TooManyRequests: answered(429, retry_after="7"),
    prawcore.URITooLong: answered(414),
    prawcore.exceptions.UnavailableForLegalReasons: answered(451),
}
READ = {
    prawcore.Forbidden: PermissionMissing,
    prawcore.InsufficientScope: PermissionMissing,
    prawcore.InvalidToken: AuthFailed,
    prawcore.NotFound: NotThere,
    prawcore.OAuthException: AuthFailed,
    prawcore.Redirect: NotThere,
    prawcore.RequestException: Unreachable,
    prawcore.ServerError: Unreachable,
    prawcore.TooManyRequests: RateLimited,
    prawcore.exceptions.UnavailableForLegalReasons: NotThere,
}
WRITE = READ | {
    prawcore.BadRequest: Refused,
    prawcore.Conflict: Refused,
    prawcore.Forbidden: Refused,
    prawcore.RequestException: OutcomeUnknown,
    prawcore.ResponseException: Refused,
    prawcore.ServerError: OutcomeUnknown,
    prawcore.SpecialError: Refused,
    prawcore.TooLarge: Refused,
    prawcore.URITooLong: Refused,
    prawcore.BadJSON: OutcomeUnknown,
    prawcore.InvalidInvocation: OutcomeUnknown,
    prawcore.PrawcoreException: OutcomeUnknown,
}


def classes(module) -> list[type[Exception]]:
    return [
        each
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, Exception) and each.__module__ == module.__name__
    ]


def raised(kind: type[Exception]) -> Exception:
    if issubclass(kind, prawcore.exceptions.ResponseException):
        return kind(RESPONSES[kind])
    if kind is prawcore.OAuthException:
        return kind(answered(200), "invalid_grant", "wrong password")
    if kind is prawcore.RequestException:
        return kind(requests.ReadTimeout("slow"), (), {})
    return kind("x")


@pytest.mark.parametrize("kind", classes(prawcore.exceptions), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("wrote", [False, True])
def test_each_exception_of_prawcore(kind, wrote):
    error = translated(raised(kind), None, wrote, NOW)
    assert isinstance(error, ConnectorError)
    assert type(error) is (WRITE if wrote else READ).get(kind, BadAnswer)
    assert error.sentence.endswith((".", ")"))


@pytest.mark.parametrize("kind", classes(praw.exceptions), ids=lambda kind: kind.__name__)
def test_each_exception_of_praw(kind):
    made = {
        praw.exceptions.RedditAPIException: lambda: kind([["TOO_OLD", "history", "parent"]]),
        praw.exceptions.TooLargeMediaException: lambda: kind(actual=2, maximum_size=1),
        praw.exceptions.DuplicateReplaceException: kind,
        praw.exceptions.InvalidImplicitAuth: kind,
        praw.exceptions.MediaPostFailed: kind,
    }.get(kind, lambda: kind("x"))()
    error = translated(made, None, False, NOW)
    assert isinstance(error, ConnectorError)
    if kind is praw.exceptions.ReadOnlyException:
        assert isinstance(error, PermissionMissing)


@pytest.mark.parametrize("trap", [ValueError("date"), KeyError(401), IndexError(), AssertionError(), RecursionError()])
@pytest.mark.parametrize(
    ("last", "read", "write"),
    [
        (answered(429, retry_after="Sun, 01 Mar 2026 12:01:00 GMT"), RateLimited, RateLimited),
        (answered(401), AuthFailed, AuthFailed),
        (answered(200, b"<html>"), BadAnswer, OutcomeUnknown),
        (None, BadAnswer, OutcomeUnknown),
    ],
)
def test_the_bare_exceptions_that_escape_from_praw(trap, last, read, write):
    assert type(translated(trap, last, False, NOW)) is read
    error = translated(trap, last, True, NOW)
    assert type(error) is write
    if isinstance(error, RateLimited):
        assert error.until == datetime(2026, 3, 1, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("original", "never_sent"),
    [
        (requests.ConnectTimeout(), True),
        (
            requests.exceptions.SSLError(MaxRetryError(None, "/", TlsError(SSLCertVerificationError("self-signed")))),
            True,
        ),
        (requests.exceptions.SSLError(MaxRetryError(None, "/", TlsError(SSLEOFError("EOF occurred")))), False),
        (requests.exceptions.SSLError(SSLError("bad record mac")), False),
        (requests.ConnectionError(MaxRetryError(None, "/", NewConnectionError(None, "x"))), True),
        (requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError())), False),
        (requests.exceptions.ProxyError(), False),
        (requests.exceptions.ChunkedEncodingError(), False),
        (requests.ReadTimeout(), False),
        (RuntimeError("anything"), False),
    ],
)
def test_only_what_was_certainly_never_sent_may_be_sent_again(original, never_sent):
    error = translated(prawcore.RequestException(original, (), {}), None, True, NOW)
    assert type(error) is (Unreachable if never_sent else OutcomeUnknown)


def test_a_login_page_that_a_redirect_leads_to_is_a_missing_account():
    assert type(by_status(answered(302, location="/login/?dest=x"), True, NOW)) is PermissionMissing


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_whatever_the_token_address_refuses_is_about_the_credentials(status):
    error = by_status(answered(status, url="https://www.reddit.com/api/v1/access_token"), False, NOW)
    assert type(error) is AuthFailed
    assert "approval" in error.hint


def test_503_with_a_time_is_a_wait_for_a_read_and_unclear_for_a_write():
    busy = answered(503, retry_after="30")
    assert type(by_status(busy, False, NOW)) is RateLimited
    assert type(by_status(busy, True, NOW)) is OutcomeUnknown


def test_reddits_words_are_one_line_in_a_sentence():
    error = by_status(answered(403, b'{"message": "Forbidden\\u001b[31m", "reason": "private"}'), False, NOW)
    assert "private" in error.sentence
    assert "\x1b" not in error.sentence


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"[" * 100_000, b'{"message": 5}'])
def test_any_body_of_a_refusal_can_be_read(body):
    assert isinstance(by_status(answered(403, body), True, NOW), Refused)

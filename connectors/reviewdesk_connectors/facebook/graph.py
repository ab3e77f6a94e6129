"""The Graph API over HTTP: where the token travels, versions, errors, usage, and lists page by page."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import msgspec

from reviewdesk.connector import (
    Answer,
    BadAnswer,
    ConnectorError,
    Context,
    Http,
    NotThere,
    OutcomeUnknown,
    RateLimited,
    remember,
    safe,
)
from reviewdesk_connectors.facebook.errors import Trouble, error_of, quiet_until, trouble_of
from reviewdesk_connectors.facebook.payloads import ErrorBody, Listing, clean, decode, read
from reviewdesk_connectors.facebook.settings import FacebookSettings
from reviewdesk_connectors.facebook.usage import BUSY, SPENT, Usage, read_usage

PAGE_SIZE = 50
"""Rows asked for at once; more makes comment lists fail with code 1."""

# An object's id and one of its lists; an id from a file or a store cannot lead the call elsewhere.
_PATH = re.compile(r"[A-Za-z0-9_-]+(/[a-z_]+)?")


class Rows(msgspec.Struct, frozen=True):
    """One page of a list.

    Attributes:
        rows: as they came.
        total: how many there are by the platform's count, which is at least what it hands out; None where not told.
        position: the parameters that ask for the next page; empty at the end.
    """

    rows: list[Any]
    total: int | None
    position: dict[str, str]


class Graph:
    """Calls the Graph API as the Page."""

    def __init__(self, context: Context[FacebookSettings]) -> None:
        self.context = context
        self.config = context.settings
        self.usage: Usage | None = None
        self.served_version = ""
        self._http: Http | None = None

    @property
    def busy(self) -> bool:
        """True while so much of the allowance is used that what can wait should."""
        return self.usage is not None and self.usage.used >= BUSY

    def mind_the_limits(self) -> None:
        """Stops reading before the limit does.

        Raises:
            RateLimited: nearly all of the allowance is used.
        """
        if self.usage is not None and self.usage.used >= SPENT:
            raise RateLimited(
                f"{self.usage.used:.0%} of the calls that Facebook allows are used; the rest is kept for replies.",
                until=quiet_until(self.context.clock(), self.usage),
            )

    async def get(self, path: str, params: Mapping[str, Any] | None = None, *, version: str = "") -> dict[str, Any]:
        """Reads one object.

        Raises:
            ConnectorError: by the API's code; see `errors`.
        """
        return await self._call("GET", path, params or {}, version=version)

    async def post(self, path: str, form: Mapping[str, Any]) -> dict[str, Any]:
        """Writes once.

        Raises:
            OutcomeUnknown: it may have been done.
            ConnectorError: any other kind: it was not.
        """
        return await self._call("POST", path, form)

    async def delete(self, path: str) -> dict[str, Any]:
        """Deletes; errors as in `post`."""
        return await self._call("DELETE", path, {})

    async def inspect_token(self) -> dict[str, Any]:
        """Asks what the token is good for: as the app where its id and secret are set, else by the token itself."""
        token = self.config.token.reveal()
        judge = token
        if self.config.app_id and self.config.app_secret is not None:
            judge = f"{self.config.app_id}|{self.config.app_secret.reveal()}"
            remember(judge)
        return await self._call("GET", "debug_token", {"input_token": token}, token=judge)

    async def pages(
        self,
        path: str,
        params: Mapping[str, Any],
        *,
        position: Mapping[str, str] | None = None,
        limit: int = PAGE_SIZE,
        version: str = "",
    ) -> AsyncGenerator[Rows]:
        """Gives a list page by page; asks for smaller pages where the platform finds them too much.

        The links between pages are never followed: only their cursor is used, on the path that was asked for.

        Args:
            position: where to go on, as an earlier page gave it.
        """
        now = dict(position or {})
        sent: list[dict[str, str]] = []
        while True:
            try:
                body = await self.get(path, {**params, **now, "limit": limit}, version=version)
            except ConnectorError as error:
                if trouble_of(error) is Trouble.TOO_MUCH and limit > 5:
                    limit //= 2
                    continue
                if trouble_of(error) is Trouble.PARAMETER and sent:
                    # Very deep lists end with a refusal of their own next cursor.
                    self.context.log.warning("Facebook ends the list %s early: %s", path, error)
                    yield Rows([], None, {})
                    return
                raise
            listing = _listing(body)
            sent.append(now)
            now = listing.paging.position()
            if now in sent:
                now = {}
            yield Rows(listing.data, listing.summary.total_count if listing.summary else None, now)
            if not now:
                return

    async def _call(
        self, method: str, path: str, params: Mapping[str, Any], *, version: str = "", token: str = ""
    ) -> dict[str, Any]:
        if not _PATH.fullmatch(path):
            raise NotThere(f"Facebook knows nothing under the id {safe(path.partition('/')[0][:80])!r}.")
        credentials = self._credentials(token or self.config.token.reveal())
        headers = {"authorization": credentials.pop("authorization")} if "authorization" in credentials else {}
        values = {**params, **credentials}
        if self._http is None:
            self._http = self.context.http(self.config.api)
        answer = await self._http.request(
            method,
            f"{version or self.config.api_version}/{path}",
            params=values if method != "POST" else None,
            form=values if method == "POST" else None,
            headers=headers,
            check=False,
        )
        return self._read(answer, asked=version or self.config.api_version)

    def _credentials(self, token: str) -> dict[str, str]:
        in_header = self.config.token_in == "header"  # noqa: S105 - a place, not a token
        credentials = {"authorization": f"Bearer {token}"} if in_header else {"access_token": token}
        if self.config.app_secret is not None and "|" not in token:
            key = self.config.app_secret.reveal().encode()
            proof = hmac.new(key, token.encode(), hashlib.sha256).hexdigest()
            remember(proof)
            credentials["appsecret_proof"] = proof
        return credentials

    def _read(self, answer: Answer, *, asked: str) -> dict[str, Any]:
        usage = read_usage(answer.headers)
        if usage is not None:
            self.usage = usage
            self.context.report_budget(usage.budget(answer.received_at))
        if asked == self.config.api_version:
            self.served_version = answer.headers.get("facebook-api-version", "")
        writing = answer.method != "GET"
        try:
            body = decode(answer)
        except BadAnswer as error:
            if writing:
                raise OutcomeUnknown(f"{error.sentence} Whether it was done is not certain.") from None
            if not answer.ok:
                raise answer.error() from None
            raise
        if isinstance(body, dict) and body.get("error"):
            raise error_of(_error(body["error"]), answer, usage)
        if not answer.ok:
            raise OutcomeUnknown(f"Facebook answered {answer.status}.") if writing else answer.error()
        if not isinstance(body, dict):
            if writing:
                # The API's oldest writes answer with a bare `true`.
                return {"success": body}
            raise BadAnswer("Facebook answered something other than an object.")
        return body


def _error(value: Any) -> ErrorBody:
    try:
        return read(clean(value), ErrorBody)
    except (msgspec.ValidationError, RecursionError):
        return ErrorBody(message=str(value)[:300])


def _listing(body: dict[str, Any]) -> Listing:
    try:
        listing = read(body, Listing)
    except msgspec.ValidationError as error:
        raise BadAnswer(f"Facebook's list has another shape than its API says ({error}).") from None
    if "data" not in body:
        raise BadAnswer("Facebook's answer has no list in it.")
    return listing

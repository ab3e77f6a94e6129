"""Asks for a feed: its address, its credential, its validators, and how long it wants to be left alone."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import IO
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from reviewdesk.connector import (
    Answer,
    ConnectorError,
    Context,
    Http,
    JsonObject,
    Limits,
    NotThere,
    redact,
    remember,
    safe_url,
)
from reviewdesk_connectors.feed import paging
from reviewdesk_connectors.feed.document import Document
from reviewdesk_connectors.feed.progress import Progress
from reviewdesk_connectors.feed.settings import FeedSettings

_STREAMED = ("xml", "jsonl", "csv")
_ACCEPT = {
    "feed": "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.8",
    "xml": "application/xml, text/xml, */*;q=0.8",
    "json": "application/json, */*;q=0.8",
    "jsonl": "application/jsonl, application/x-ndjson, */*;q=0.8",
    "csv": "text/csv, */*;q=0.8",
}


class Fetcher:
    """Fetches the pages of one source."""

    def __init__(self, context: Context[FeedSettings]) -> None:
        self._context = context
        self._settings = context.settings
        self._client: Http | None = None
        self._remember_secrets_in_the_address()

    def _remember_secrets_in_the_address(self) -> None:
        """Makes sure that a key which somebody wrote into the address is struck from all that is kept."""
        parts = urlsplit(self._settings.url)
        shown = dict(parse_qsl(urlsplit(safe_url(self._settings.url)).query, keep_blank_values=True))
        for name, value in parse_qsl(parts.query):
            if name not in shown and len(value) >= 6:
                remember(value)
        if parts.password:
            remember(parts.password)

    @property
    def secret_in_address(self) -> bool:
        """True where the address itself seems to hold a credential."""
        return "{" not in self._settings.url and safe_url(self._settings.url) != self._settings.url

    def _http(self) -> Http:
        if self._client is None:
            settings = self._settings
            megabytes = settings.max_megabytes or (1024 if settings.format in _STREAMED else 20)
            self._client = self._context.http(
                urlunsplit((*urlsplit(settings.url)[:2], "", "", "")),
                headers={"accept": _ACCEPT[settings.format], **self._credential()},
                # The own host is named so that a move from http to https is followed.
                hosts=[*settings.hosts, urlsplit(settings.url).hostname or ""],
                limits=Limits(max_bytes=megabytes << 20, total_seconds=max(120.0, megabytes * 2.0)),
            )
        return self._client

    def _credential(self) -> dict[str, str]:
        where, _, name = self._settings.secret_in.partition(":")
        if self._settings.secret is None or where == "query":
            return {}
        value = self._settings.secret.reveal()
        if where == "bearer":
            return {"authorization": f"Bearer {value}"}
        if where == "basic":
            encoded = b64encode(f"{name}:{value}".encode()).decode()
            remember(encoded)
            return {"authorization": f"Basic {encoded}"}
        return {name: value}

    def _secret_parameter(self) -> dict[str, str]:
        where, _, name = self._settings.secret_in.partition(":")
        if self._settings.secret is None or where != "query":
            return {}
        return {name: self._settings.secret.reveal()}

    def address(self, progress: Progress) -> str:
        """Gives the address of the page that is next, without what is added as parameters."""
        if link := progress.place.get("url"):
            return str(link)
        since = datetime(1970, 1, 1, tzinfo=UTC)
        if progress.polled_at is not None:
            since = progress.polled_at - timedelta(hours=self._settings.overlap_hours)
        words = {
            "since_iso": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "since_date": since.strftime("%Y-%m-%d"),
            "since_epoch": str(int(since.timestamp())),
        }
        return re.sub(r"\{(\w+)\}", lambda hole: words[hole[1]], progress.moved_to or self._settings.url)

    async def fetch(self, progress: Progress, body: IO[bytes], *, conditional: bool) -> tuple[Answer, Document]:
        """Asks for the page that is next.

        Args:
            body: where the document goes.
            conditional: only if it has changed since the last whole poll; the answer is 304 otherwise.

        Raises:
            NotThere: 404; 410 says that it will stay so.
            ConnectorError: as `Http` tells.
        """
        headers = {}
        if conditional and progress.etag:
            headers["if-none-match"] = progress.etag
        if conditional and progress.modified:
            headers["if-modified-since"] = progress.modified
        address = self.address(progress)
        asked = {**paging.parameters(self._settings.paging, progress.place), **self._secret_parameter()}
        try:
            answer = await self._http().download(address, body, params=asked, headers=headers, check=False)
        except OSError as error:
            raise ConnectorError(
                f"The feed could not be laid down on disk while it is read ({error.strerror}).",
                hint="Make room in the folder for temporary files.",
            ) from None
        if answer.status == 410:
            raise NotThere(
                f"{safe_url(address)} is gone for good (410).", hint="Give the source its new address, or remove it."
            )
        answer.check()
        document = Document(
            body=body,
            place=urlsplit(answer.url).hostname or "The feed",
            headers=answer.headers,
            encoding=self._settings.encoding,
            moved_to=self._moved(answer, frozenset(asked)),
            notes=[],
        )
        return answer, document

    def _moved(self, answer: Answer, asked: frozenset[str]) -> str:
        if not answer.moved_to or self.secret_in_address or "{" in self._settings.url:
            return ""
        return _without(answer.moved_to, asked)

    def link(self, progress: Progress, link: str) -> str:
        """Gives a paging link as an absolute address, without the credential that it may repeat."""
        return _without(urljoin(self.address(progress), link), frozenset(self._secret_parameter()))

    def storable(self, place: JsonObject) -> bool:
        """Tells whether a place may be kept in a cursor: not if there seems to be a secret in it."""
        link = str(place.get("url", ""))
        return redact(str(place)) == str(place) and dict(parse_qsl(urlsplit(link).query)) == dict(
            parse_qsl(urlsplit(safe_url(link)).query)
        )

    def quiet_until(self, answer: Answer, document: Document) -> datetime | None:
        """Gives the time before which the feed does not want to be asked again: by `ttl`, `max-age`, `Retry-After`."""
        control = answer.headers.get("cache-control", "").lower()
        age = re.search(r"max-age\s*=\s*\"?(\d{1,9})", control)
        seconds = document.wait_minutes * 60
        if age and "no-cache" not in control and "no-store" not in control:
            seconds = max(seconds, float(age[1]))
        later = answer.headers.get("retry-after", "")
        seconds = max(seconds, float(later) if later.isdecimal() else 0.0)
        seconds = min(seconds, self._settings.max_wait_minutes * 60.0)
        return self._context.clock() + timedelta(seconds=seconds) if seconds else None


def _without(url: str, names: frozenset[str]) -> str:
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if names.isdisjoint(name for name, _ in pairs):
        return url
    return urlunsplit(parts._replace(query=urlencode([(name, value) for name, value in pairs if name not in names])))

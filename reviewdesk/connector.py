"""The SDK: all that the author of a connector imports. Version 1.

A connector is one class. It says what it is (`platform`, `settings`, `capabilities`), gives what is new in
batches (`poll`), and, where the platform can do it, writes (`reply` and its siblings). It gets a `Context` with
everything it may use: its settings, an HTTP client with manners, a clock, a log. It keeps no state of its own
between polls: what it must remember is the cursor, which the desk commits together with the mentions.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import httpx
import msgspec

from reviewdesk.errors import (
    Actor,
    AuthFailed,
    BadAnswer,
    ConfigError,
    ConnectorError,
    MissingSecret,
    NotThere,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    Refused,
    Unreachable,
    Unsupported,
)
from reviewdesk.http import Answer, Exchange, Http, Limits, Observer, retry_after
from reviewdesk.model import (
    Attachment,
    Author,
    Budget,
    Channel,
    Finding,
    JsonObject,
    Kind,
    LengthUnit,
    Level,
    Mention,
    PostedReply,
    Record,
    SetAside,
)
from reviewdesk.network import ensure_public_url
from reviewdesk.paging import link_at, next_link, numbered, pages, windows
from reviewdesk.secrets import Secret, redact, remember, safe_url
from reviewdesk.text import fold, html_to_text, one_line, safe, same_text
from reviewdesk.times import read_time
from reviewdesk.xml import read_xml

SDK_VERSION = 1
"""The version of this contract; a connector written for another one is not loaded."""

__all__ = [
    "SDK_VERSION", "Actor", "Answer", "Attachment", "AuthFailed", "Author", "BadAnswer", "Batch", "Budget",
    "Capabilities", "Channel", "ConfigError", "Connector", "ConnectorError", "Context", "Cursor", "Exchange",
    "Finding", "Http", "JsonObject", "Kind", "LengthUnit", "Level", "Limits", "Mention", "MissingSecret",
    "NotThere", "Observer", "OutcomeUnknown", "PermissionMissing", "PostedReply", "RateLimited", "Record",
    "Refused", "ReplyMode", "Secret", "SetAside", "Settings", "Unreachable", "Unsupported", "ensure_public_url",
    "fold", "html_to_text", "link_at", "next_link", "numbered", "one_line", "pages", "read_time", "read_xml",
    "redact", "remember", "retry_after", "safe", "safe_url", "same_text", "windows",
]  # fmt: skip

Cursor = JsonObject
"""Where a poll goes on: a JSON object of the connector's own making, stored and handed back unread."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of a connector's settings: the keys of its `[[source]]` table, typed.

    A field of type `Secret` holds a reference (`env:NAME`, `file:PATH`, `keyring:SERVICE/USER`); where the table leaves
    it out and it has no default, the variable `REVIEWDESK_<SOURCE ID>_<KEY>` is looked at. A field may be described by
    `Annotated[T, msgspec.Meta(description=…, ge=…, le=…)]`. `__post_init__` may raise `ValueError` with a sentence for
    what no type can say.
    """


class ReplyMode(StrEnum):
    """How a reply gets to the platform."""

    NONE = "none"
    API = "api"
    HAND_OFF = "hand_off"


class Capabilities(Record, frozen=True, kw_only=True):
    """What can be done at a source. A connector may narrow its class's capabilities for one source in `__init__`.

    Attributes:
        reply: by the API, by handing the text to the platform's own page, or not at all.
        find_reply: can be asked whether a reply of ours is there (needed to settle an unknown outcome).
        reread: can read a mention and what stands under it again, just before a reply goes out.
        edit_reply, delete_reply: of our own replies.
        hide, like: of customers' mentions.
        private_reply: one private message in answer to a public mention.
        import_file: can read a saved export or API answer.
        reply_length: the longest reply, in `reply_length_unit`; None where there is no limit.
        idempotent_reply: the platform takes `key` and posts once however often it is sent.
        moderated: replies may be held back before they are visible.
        flat: answers do not branch: who goes on may do so anywhere under the same post, and what is answered below the
            second level moves up.
        poll_seconds: how often asking makes sense, at the least; the configuration may only make it longer.
    """

    reply: ReplyMode = ReplyMode.NONE
    find_reply: bool = False
    reread: bool = False
    edit_reply: bool = False
    delete_reply: bool = False
    hide: bool = False
    like: bool = False
    private_reply: bool = False
    import_file: bool = False
    reply_length: int | None = None
    reply_length_unit: LengthUnit = LengthUnit.CHARACTERS
    idempotent_reply: bool = False
    moderated: bool = False
    flat: bool = False
    poll_seconds: int = 300


class Batch(Record, frozen=True, kw_only=True):
    """A piece of a poll that is committed as one.

    Attributes:
        mentions: in any order; the same one may come again in a later batch or poll.
        cursor: where to go on after this batch; None keeps the one before (a later batch will bring it).
        set_aside: items that could not be read, with their reasons; they never stop the others.
        gone: platform ids that are no longer there.
        total: how many items the platform says there are in this poll, for the progress bar; None where unknown.
    """

    mentions: Sequence[Mention] = ()
    cursor: Cursor | None = None
    set_aside: Sequence[SetAside] = ()
    gone: Sequence[str] = ()
    total: int | None = None


S = TypeVar("S", bound=Settings)


class Context(Generic[S]):
    """Everything a connector may use. Made by the desk; tests make their own.

    Args:
        source: the id of the source in the configuration.
        settings: the checked settings.
        clock: gives the time, aware and in UTC; never ask the system for it.
        log: a logger whose records are redacted.
        data: a folder of the source's own for files too large for the cursor; None where there is none.
        transport: replaces the network in tests.
        observer: is called with each request; the desk traces polls with it.
        private_network: the source may lead into the private network, as its configuration says. `http` minds it; who
            speaks through another client calls `ensure_public_url` before each request where this is False.

    Attributes:
        leaving: is called right before a request that writes leaves the process, and raises `Unreachable` where it
            comes too late: the machine slept, and another process may have taken the reply over. `http` does it; a
            connector with a client of its own does it itself.
    """

    def __init__(
        self,
        source: str,
        settings: S,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        log: logging.Logger | None = None,
        data: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        observer: Observer | None = None,
        private_network: bool = False,
    ) -> None:
        self.private_network = private_network
        self.source = source
        self.settings = settings
        self.clock = clock
        self.log = log or logging.getLogger(f"reviewdesk.source.{source}")
        self.data = data
        self.budget: Budget | None = None
        self.leaving: Callable[[], None] = lambda: None
        self._transport = transport
        self._observer = observer
        self._clients: list[Http] = []

    def http(
        self,
        base: str,
        *,
        headers: Mapping[str, str] | None = None,
        hosts: Collection[str] = (),
        limits: Limits | None = None,
    ) -> Http:
        """Gives an HTTP client pinned to `base`; the desk closes it after the poll."""
        client = Http(
            base,
            clock=self.clock,
            headers=headers,
            hosts=hosts,
            limits=limits,
            transport=self._transport,
            observer=self._observer,
            leaving=lambda: self.leaving(),
            private_network=self.private_network,
        )
        self._clients.append(client)
        return client

    def report_budget(self, budget: Budget) -> None:
        """Tells the desk what the platform says of the remaining calls; shown on the sources screen."""
        self.budget = budget

    def report_request(self, exchange: Exchange) -> None:
        """Tells the desk of a request that went through another client than `http`'s; shown where a poll is traced.

        A connector whose library speaks for itself calls it once for each request, from the event loop's thread. What
        is secret in the address is struck out here.
        """
        if self._observer is not None:
            told = msgspec.structs.replace(exchange, url=safe_url(exchange.url), fault=safe(redact(exchange.fault)))
            self._observer(told)

    async def close(self) -> None:
        """Closes every client that was given out."""
        while self._clients:
            await self._clients.pop().close()


class Connector(Generic[S]):
    """The base of every connector. Override `poll` and what the capabilities promise.

    Attributes:
        platform: the platform's id in lower case, as in `connector = "heureka"`.
        title: its name for people.
        settings: the type that a `[[source]]` table is checked against.
        capabilities: what can be done there.
        sdk: the version of this contract that the connector was written for.
        tier: what it has earned by `reviewdesk connector test`, for people to see; "" where nobody has tried.
        exempt: rules of the conformance kit that cannot be kept on this platform, each with the reason.
    """

    platform: ClassVar[str]
    title: ClassVar[str] = ""
    settings: ClassVar[type[Settings]]
    capabilities: Capabilities = Capabilities()
    sdk: ClassVar[int] = SDK_VERSION
    tier: ClassVar[str] = ""
    exempt: ClassVar[Mapping[str, str]] = {}

    def __init__(self, context: Context[S]) -> None:
        self.context = context
        self.config: S = context.settings

    def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        """Gives what is new since `cursor` (None at the first poll), in batches.

        Asking again from any batch's cursor must lose nothing; handing something over twice is harmless.

        Raises:
            ConnectorError: the kind says what happens next: `Unreachable` and `RateLimited` wait, `AuthFailed` parks
                the source until a person acts, `BadAnswer` is shown. What was already yielded stays.
        """
        raise Unsupported(f"{self.title or self.platform} cannot be polled.")

    async def reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        """Posts `text` in answer to `mention`, once.

        Args:
            key: unique to this reply and the same at each attempt, for platforms that know idempotency keys.

        Raises:
            OutcomeUnknown: it may have been posted; the desk will look for it and never re-send it blindly.
            ConnectorError: any other kind promises that nothing was posted.
        """
        raise Unsupported(f"{self.title or self.platform} has no replies by API.")

    async def find_reply(self, mention: Mention, text: str, since: datetime) -> PostedReply | None:
        """Looks whether our reply with this text stands under `mention`, posted at `since` or later.

        Gives None where it is certainly not there (yet). Raises `ConnectorError` where that cannot be told.
        """
        raise Unsupported(f"{self.title or self.platform} cannot tell whether a reply is there.")

    async def reread(self, mention: Mention) -> Sequence[Mention]:
        """Gives the mention as it stands now, and the texts under it, the shop's own among them.

        They are taken in like those of a poll, so they must have the same fields. Asked just before a reply goes out.

        Raises:
            NotThere: it is certain that the mention is gone.
            Unsupported: this kind of mention cannot be read by itself.
        """
        raise Unsupported(f"{self.title or self.platform} cannot read a thread again.")

    async def private_reply(self, mention: Mention, text: str, key: str) -> PostedReply:
        """Sends one private message in answer to a public mention. Errors as in `reply`."""
        raise Unsupported(f"{self.title or self.platform} has no private replies.")

    async def edit_reply(self, reply: PostedReply, text: str) -> PostedReply:
        """Changes the text of a reply of ours. Repeating it is harmless."""
        raise Unsupported(f"{self.title or self.platform} cannot edit replies.")

    async def delete_reply(self, reply: PostedReply) -> None:
        """Deletes a reply of ours. One that is already gone counts as deleted."""
        raise Unsupported(f"{self.title or self.platform} cannot delete replies.")

    async def hide(self, mention: Mention, hidden: bool) -> None:
        """Hides a customer's mention from the public, or shows it again. Repeating it is harmless."""
        raise Unsupported(f"{self.title or self.platform} cannot hide mentions.")

    async def like(self, mention: Mention, liked: bool) -> None:
        """Likes a mention as the shop, or takes it back. Repeating it is harmless."""
        raise Unsupported(f"{self.title or self.platform} has no likes.")

    def reply_page(self, mention: Mention) -> str:
        """Gives the page where a person can reply by hand, for a hand-off; the mention's own page by default."""
        return mention.url

    def import_file(self, path: Path) -> AsyncIterator[Batch]:
        """Gives the mentions in a saved export or API answer. The cursors in its batches are not used.

        Raises:
            BadAnswer: the file is not one of this platform's.
        """
        raise Unsupported(f"{self.title or self.platform} reads no files.")

    def read_item(self, raw: str) -> Sequence[Mention]:
        """Reads one item again that was set aside, from the payload that `problem` kept; no network.

        Raises:
            Unsupported: a single payload is not enough for it.
            Exception: any other means that it still cannot be read, and says why.
        """
        raise Unsupported(
            f"{self.title or self.platform} cannot read a single item again.",
            hint="Once its connector can read it, the next poll or import that brings it takes it in.",
        )

    async def check(self) -> list[Finding]:
        """Looks whether everything is in order: token, permissions, limits, expiry. Never raises for what it finds."""
        return []

    async def close(self) -> None:
        """Gives back what the connector itself has opened (threads, sessions), not the context's clients."""

    def problem(self, raw: Any, error: Exception, id: str = "") -> SetAside:
        """Gives an item set aside: its payload without secrets and the reason in a sentence."""
        try:
            payload = raw if isinstance(raw, str) else msgspec.json.encode(raw).decode()
        except (TypeError, msgspec.MsgspecError, UnicodeError):
            payload = repr(raw)
        reason = str(error) or type(error).__name__
        return SetAside(reason=safe(redact(reason)), raw=redact(payload), id=id)

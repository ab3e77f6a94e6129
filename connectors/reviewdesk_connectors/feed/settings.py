"""The keys of a feed's `[[source]]` table. All mistakes in them are found when they are read, and told at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from reviewdesk.connector import Kind, Secret, Settings

URL_WORDS = ("since_iso", "since_date", "since_epoch")


class FieldMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How one target field is made out of an item. Either `select`, `const` or `template` says where from.

    The steps are done in this order: `select`, `clean`, `regex`, `strip`, `join`, `split`, `default`, `values`, `as`
    with `formats`, `scale` and `to`.

    Attributes:
        select: an expression, or several: XPath for XML, JMESPath for JSON, a column's name for CSV.
        const: the same text for every item.
        template: a text with `{target}` for other fields, such as "https://portal.example/r/{id}".
        join: puts all selected values together with this between them; without it the first that is not empty counts.
        split: cuts a value into several, for `pros`, `cons` and `attachments`.
        clean: "html" makes text of HTML; "html_twice" of HTML that was escaped twice.
        regex: with one group; keeps what the group holds.
        strip: characters to take off at both ends.
        values: a table from words to what they mean; upper case and diacritics do not count.
        as_: `as` in the table: text, number, rating, date, epoch_s, epoch_ms or boolean; the target knows its own.
        formats: of dates: "iso", "rfc822", "epoch", "epoch_s", "epoch_ms", or patterns such as "%d. %B %Y %H:%M".
        scale, to: the platform's lowest and highest rating, and what they become.
        default: where nothing was found.
    """

    select: str | list[str] = []
    const: str | int | float | None = None
    template: str = ""
    join: str | None = None
    split: str = ""
    clean: str = ""
    regex: str = ""
    strip: str = ""
    values: dict[str, str | int | float | bool] = {}
    as_: str = msgspec.field(default="", name="as")
    formats: list[str] = []
    scale: tuple[float, float] | None = None
    to: tuple[float, float] = (1.0, 5.0)
    default: str | int | float | None = None

    @property
    def expressions(self) -> list[str]:
        """The selectors, in order."""
        return [self.select] if isinstance(self.select, str) else list(self.select)


class Paging(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How to get from one page of a feed to the next.

    Attributes:
        style: "none"; "page" counts pages and "offset" items in a query parameter; "cursor" sends back a value out of
            the answer; "link" follows the header `Link: <…>; rel="next"`; "next" an address out of the answer. Empty
            follows what RSS, Atom and JSON Feed say themselves, for the first poll.
        parameter: the query parameter; "page", "offset" or "cursor" where it is left out.
        first: the first page's number or offset.
        size, size_parameter: how many items to ask for, where the platform lets one choose.
        next: the expression that gives the cursor or the next address, from the whole answer.
        max_pages: where to stop in any case; what is behind is told in the log.
    """

    style: Literal["", "none", "page", "offset", "cursor", "link", "next"] = ""
    parameter: str = ""
    first: Annotated[int, msgspec.Meta(ge=0)] | None = None
    size: Annotated[int, msgspec.Meta(ge=1)] | None = None
    size_parameter: str = ""
    next: str = ""
    max_pages: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100


class FeedSettings(Settings, frozen=True, kw_only=True):
    """A feed: where it is, what it looks like, and what its parts mean.

    Attributes:
        url: its address; `{since_iso}`, `{since_date}` and `{since_epoch}` become the time of the last poll less
            `overlap_hours`. A credential does not belong here, but in `secret`.
        file: a local file in the place of a URL, relative to the configuration.
        format: "feed" for RSS, Atom and JSON Feed (told apart by themselves); "xml", "json", "jsonl", "csv" for what
            `fields` describe.
        items: where the items are: XPath for XML, JMESPath for JSON (left out where the root is the list).
        fields: from target to selector or `FieldMap`; in format "feed" they add to what is known already.
        namespaces: prefixes for XPath.
        kind: what the items are; reviews where they are described by `fields`, else posts.
        encoding: where neither the byte order mark, the HTTP header nor the document itself tells it right.
        timezone: of times that name no zone.
        delimiter: of CSV; found out where it is left out.
        columns: the names of CSV columns, where there is no header line.
        paging: see `Paging`.
        secret: a key, token or password.
        secret_in: where it goes: "bearer", "header:X-Api-Key", "query:key" or "basic:user".
        hosts: further hosts that links and redirects may lead to.
        complete: the feed always holds everything, so what vanishes from it was deleted.
        stop_when_known: the newest come first, so reading may end at the first item that was there at the last poll.
        overlap_hours: how far before the last poll `{since_…}` reaches back.
        reply: "hand_off" opens the platform's page for replies, "none" where the shop cannot reply.
        reply_page: where to reply, with `{id}`, `{url}`, `{order_id}`, `{author_id}` or `{fields.NAME}`; the item's
            own page where it is left out.
        allow_doctype: reads XML that declares entities of its own.
        max_megabytes: the largest document; 20 for what is read as a whole, 1024 for what is read as a stream.
        max_wait_minutes: how long the feed's own `ttl` or `max-age` may keep the next poll from asking.
    """

    url: str = ""
    file: Path | None = None
    format: Literal["feed", "xml", "json", "jsonl", "csv"] = "feed"
    items: str = ""
    fields: dict[str, str | FieldMap] = msgspec.field(default_factory=dict)
    namespaces: dict[str, str] = msgspec.field(default_factory=dict)
    kind: Kind | None = None
    encoding: str = ""
    timezone: str = "UTC"
    delimiter: str = ""
    columns: list[str] = msgspec.field(default_factory=list)
    paging: Paging = Paging()
    secret: Secret | None = None
    secret_in: str = ""
    hosts: list[str] = msgspec.field(default_factory=list)
    complete: bool = False
    stop_when_known: bool = False
    overlap_hours: Annotated[float, msgspec.Meta(ge=0)] = 48.0
    reply: Literal["hand_off", "none"] = "hand_off"
    reply_page: str = ""
    allow_doctype: bool = False
    max_megabytes: Annotated[int, msgspec.Meta(ge=1)] | None = None
    max_wait_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 60

    def __post_init__(self) -> None:
        """Looks for every mistake that no type can say.

        Raises:
            ValueError: with all of them, one sentence each.
        """
        from reviewdesk_connectors.feed.mapping import mistakes

        found = [*self._place(), *self._reading(), *self._paging(), *self._secret(), *mistakes(self)]
        if found:
            raise ValueError("; ".join(found))

    def _place(self) -> list[str]:
        found = []
        if self.url and self.file:
            found.append("give either `url` or `file`, not both")
        if self.url:
            try:
                parts = urlsplit(self.url)
                right = parts.scheme in ("http", "https") and bool(parts.hostname)
            except ValueError:
                right = False
            if not right:
                found.append("`url` must be a whole address that begins with https:// or http://")
        known = ", ".join(f"{{{each}}}" for each in URL_WORDS)
        holes = re.findall(r"\{([^{}]*)\}", self.url)
        return [*found, *(f"`url` has {{{each}}} in it; known are {known}" for each in holes if each not in URL_WORDS)]

    def _reading(self) -> list[str]:
        found = []
        if self.encoding:
            try:
                "".encode(self.encoding)
            except LookupError:
                found.append(f"there is no encoding {self.encoding!r}")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            found.append(f"there is no timezone {self.timezone!r}; write it like Europe/Prague")
        if self.format != "csv" and (self.delimiter or self.columns):
            found.append('`delimiter` and `columns` are for format = "csv"')
        if len(self.delimiter) > 1 and self.delimiter != "tab":
            found.append('`delimiter` is one character, or "tab"')
        if self.format != "xml" and self.namespaces:
            found.append('`namespaces` are for format = "xml"')
        if self.complete and (self.stop_when_known or "{since_" in self.url):
            found.append("`complete` needs everything at each poll: it fits neither `stop_when_known` nor {since_…}")
        return found

    def _paging(self) -> list[str]:
        paging = self.paging
        found = []
        if paging.style in ("cursor", "next") and not paging.next:
            found.append(f'`paging.next` must say where the answer holds what style = "{paging.style}" follows')
        if paging.style not in ("cursor", "next") and paging.next:
            found.append('`paging.next` is for style = "cursor" or "next"')
        if paging.next and self.format not in ("xml", "json"):
            found.append('`paging.next` can be looked up in formats "xml" and "json"')
        if paging.style not in ("", "none") and self.file:
            found.append("a `file` has no paging")
        if paging.size_parameter and paging.size is None:
            found.append("`paging.size_parameter` needs `paging.size`")
        return found

    def _secret(self) -> list[str]:
        where, _, name = self.secret_in.partition(":")
        if self.secret is not None and not self.secret_in:
            return ['`secret_in` must say where the secret goes: "bearer", "header:NAME", "query:NAME" or "basic:USER"']
        if self.secret_in and (
            where not in ("bearer", "header", "query", "basic") or (where != "bearer") != bool(name)
        ):
            return [f'`secret_in` is "bearer", "header:NAME", "query:NAME" or "basic:USER", not {self.secret_in!r}']
        if self.secret_in and self.secret is None:
            return ["`secret` is missing, which `secret_in` speaks of"]
        if where == "header" and not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
            return [f"{name!r} is no name of a header"]
        return []

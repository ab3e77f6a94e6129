"""The connector: polls the exports, reads saved ones, and leads to the page where a person replies."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, ClassVar, Literal
from urllib.parse import quote, urlsplit

import msgspec

from reviewdesk.connector import (
    Answer,
    AuthFailed,
    BadAnswer,
    Batch,
    Capabilities,
    ConfigError,
    Connector,
    ConnectorError,
    Context,
    Cursor,
    Finding,
    Level,
    Mention,
    NotThere,
    PostedReply,
    RateLimited,
    ReplyMode,
    Secret,
    SetAside,
    Settings,
    Unsupported,
    retry_after,
)
from reviewdesk_connectors.heureka.identity import Identities
from reviewdesk_connectors.heureka.mentions import REACTION, mentions_of, shop_id
from reviewdesk_connectors.heureka.payloads import PIECE, Export, ExportParser, Product, Review, Unreadable
from reviewdesk_connectors.heureka.presence import Presence

READER = 2
"""The version of the reading; raising it makes an unchanged export be read once more."""
BATCH = 500
HOUR = 3600
_IN_MEMORY = 4 << 20
_LARGEST = 2048 << 20
# Product reviews leave the export when they are some six months old; only younger ones can be missed.
_WINDOW = timedelta(days=150)
_REMEMBERED = timedelta(days=400)
_LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))
_CHECK_KEY = (
    "Check the key and the country: each country has a key of its own, "
    "in the shop's administration under Ověřeno zákazníky."
)


class HeurekaSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a `[[source]]` table with `connector = "heureka"`.

    Attributes:
        key: the access key of the exports, one for each country.
        country: Heureka.cz or Heureka.sk; gives the host and the language of the reviews.
        exports: which of the two to read.
        shop: the shop's name in the address of its public page (`obchody.heureka.cz/NAME/recenze/`).
        admin_url: the page to reply on, for a hand-off; `{id}` and `{order_id}` in it are filled in.
        language: of the reviews, ISO 639-1; by the country where empty.
        rebuild_seconds: how often Heureka makes the exports anew, and so how often asking makes sense.
        api: the host to ask, where it is not Heureka's own.
    """

    key: Secret
    country: Literal["cz", "sk"] = "cz"
    exports: tuple[Export, ...] = (Export.SHOP, Export.PRODUCTS)
    shop: str = ""
    admin_url: str = ""
    language: str = ""
    rebuild_seconds: Annotated[int, msgspec.Meta(ge=0)] = 6 * HOUR
    api: str = ""

    def __post_init__(self) -> None:
        if not self.exports or len(set(self.exports)) < len(self.exports):
            raise ValueError("exports names each wanted export once: shop, products")
        if self.rebuild_seconds < HOUR and urlsplit(self.base).hostname not in _LOOPBACK:
            raise ValueError(f"rebuild_seconds is at least {HOUR}: the exports are made anew every six hours or so")
        if urlsplit(self.base).scheme not in ("http", "https") or urlsplit(self.base).query:
            raise ValueError("api is an address that begins with https:// and holds no query")
        if self.admin_url and urlsplit(self.admin_url).scheme not in ("http", "https"):
            raise ValueError("admin_url is an address that begins with https://")

    @property
    def base(self) -> str:
        """The address that the exports lie under."""
        return self.api or f"https://www.heureka.{self.country}"

    @property
    def page(self) -> str:
        """The public page of the shop's reviews, "" where the shop's name is not set."""
        return f"https://obchody.heureka.{self.country}/{quote(self.shop, safe='')}/recenze/" if self.shop else ""

    @property
    def written_in(self) -> str:
        """The language of the reviews."""
        return self.language or {"cz": "cs", "sk": "sk"}[self.country]


class Heureka(Connector[HeurekaSettings]):
    """Reviews of a shop and of its products on Heureka.cz or Heureka.sk."""

    platform = "heureka"
    title = "Heureka"
    settings = HeurekaSettings
    tier = "platinum"
    capabilities = Capabilities(
        reply=ReplyMode.HAND_OFF, find_reply=True, import_file=True, poll_seconds=6 * HOUR
    )  # fmt: skip

    exempt: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            ("rate-limit-seconds", "rate-limit-date", "rate-limit-silent"),
            "The exports are made anew every six hours, so every refusal means at least an hour of quiet.",
        ),
        "token-dies": "Heureka answers a dead key with a web page and status 200, as it does when it is unwell.",
    }

    def __init__(self, context: Context[HeurekaSettings]) -> None:
        super().__init__(context)
        self.capabilities = msgspec.structs.replace(
            type(self).capabilities, poll_seconds=max(1, self.config.rebuild_seconds)
        )

    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        """Gives all that the exports hold, unless they are byte for byte those of the last poll.

        The cursor holds a hash for each export and moves only after the last batch of one, so that whatever broke off
        is read again. A fault of one export does not keep the other from being read.
        """
        position = dict(cursor or {})
        fault: ConnectorError | None = None
        for export in self.config.exports:
            try:
                async for batch in self._poll(export, position):
                    yield batch
            except RateLimited:
                raise
            except ConnectorError as error:
                fault = fault or error
        if fault:
            raise fault

    async def _poll(self, export: Export, position: Cursor) -> AsyncIterator[Batch]:
        async with self._downloaded(export) as (file, digest):
            if position.get(export.value) == digest:
                return
            identities = Identities(self._memory(f"{export}.identities"))
            presence = Presence(self._memory(f"{export}.present"))
            here: set[str] = set()
            async for batch in self._batches(_pieces(file), self._parser(export), identities):
                here.update(mention.id for mention in batch.mentions)
                yield batch
        verdict = presence.compare(here, self._expected(export))
        position.pop(export.value, None)
        if not verdict.doubted:
            # Without its hash the export is read again even if unchanged, which is what settles a doubt.
            position[export.value] = digest
        if verdict.gone:
            yield Batch(gone=list(verdict.gone))
        # Only now are the batches in the store: to say twice that something is gone does no harm, never would. The
        # cursor comes last, since the desk may end a poll there.
        presence.keep(here, verdict.doubted)
        identities.keep(since=int((self.context.clock() - _REMEMBERED).timestamp()))
        yield Batch(cursor=dict(position))

    async def find_reply(self, mention: Mention, text: str, since: datetime) -> PostedReply | None:
        """Gives the reaction that the export shows under a review of the shop, whatever its text; None without one.

        The export tells neither when a reaction was written nor what stands under product reviews.
        """
        if not mention.id.startswith(f"{Export.SHOP}:"):
            raise Unsupported(
                "Heureka's export does not show what the shop has replied to product reviews.",
                hint="Look at the page and confirm it by hand.",
            )
        async with self._downloaded(Export.SHOP) as (file, _):
            async for item in _items(_pieces(file), self._parser(Export.SHOP)):
                if isinstance(item, Review) and shop_id(item.rating_id) == mention.id:
                    reaction = item.facts.get("reaction")
                    if not reaction:
                        return None
                    return PostedReply(id=mention.id + REACTION, text=reaction, url=self.config.page)
        raise NotThere("The review is no longer in Heureka's export.")

    def reply_page(self, mention: Mention) -> str:
        """Gives the page of the administration where a person replies."""
        page = self.config.admin_url or f"https://sluzby.heureka.{self.config.country}/"
        rating_id = mention.id.split(":")[1] if ":" in mention.id else mention.id
        return page.replace("{id}", quote(rating_id, safe="")).replace("{order_id}", quote(mention.order_id, safe=""))

    async def import_file(self, path: Path) -> AsyncIterator[Batch]:
        """Gives the reviews of a saved export of either kind, also packed by gzip; the root element tells which."""
        parser = ExportParser(f"The file {path.name}", hint="Save the export as it comes from Heureka, as XML.")
        identities = Identities(self._memory(f"{Export.PRODUCTS}.identities"))
        async for batch in self._batches(_saved(path), parser, identities):
            yield batch

    async def check(self) -> list[Finding]:
        """Asks for each export and reads no more than its beginning."""
        found = [await self._look(export) for export in self.config.exports]
        return list(dict.fromkeys(found))  # what keeps all of them closed is told once

    async def _look(self, export: Export) -> Finding:
        try:
            parser = self._parser(export)
            async with self._opened(export) as pieces:
                async for piece in pieces:
                    next(parser.feed(piece), None)
                    if parser.export:
                        break
                else:
                    next(parser.close(), None)
        except (ConnectorError, ConfigError) as error:
            return Finding(level=Level.FAULT, sentence=error.sentence, hint=error.hint)
        return Finding(level=Level.OK, sentence=f"The key opens the {export.label}.")

    async def _batches(
        self, pieces: Iterator[bytes], parser: ExportParser, identities: Identities
    ) -> AsyncIterator[Batch]:
        """Gives what an export holds; what was read before a fault is given before the fault is raised."""
        mentions: dict[str, Mention] = {}
        set_aside: list[SetAside] = []
        variants = _Variants()
        fault: ConnectorError | None = None
        try:
            async for found in _identified(_items(pieces, parser), identities):
                if isinstance(found, Unreadable):
                    set_aside.append(self.problem(found.raw, BadAnswer(found.reason)))
                else:
                    review, others = variants.gather(*found)
                    for mention in mentions_of(
                        review, found[1], language=self.config.written_in, url=self._page(review), others=others
                    ):
                        mentions[mention.id] = mention
                if len(mentions) + len(set_aside) >= BATCH:
                    yield Batch(mentions=list(mentions.values()), set_aside=set_aside)
                    mentions, set_aside = {}, []
        except ConnectorError as error:
            fault = error
        if mentions or set_aside:
            yield Batch(mentions=list(mentions.values()), set_aside=set_aside)
        if fault:
            raise fault

    def _page(self, review: Review) -> str:
        return self.config.page if review.export is Export.SHOP else ""

    def _parser(self, export: Export) -> ExportParser:
        return ExportParser("Heureka's answer", export, hint=_CHECK_KEY)

    def _memory(self, name: str) -> Path | None:
        return self.context.data / name if self.context.data else None

    def _expected(self, export: Export) -> Callable[[str], bool]:
        if export is Export.SHOP:
            return lambda _: True
        oldest = (self.context.clock() - _WINDOW).timestamp()

        def young(id: str) -> bool:
            written = id.split(":")[2]
            return written.isdigit() and int(written) > oldest

        return young

    @asynccontextmanager
    async def _opened(self, export: Export) -> AsyncIterator[AsyncIterator[bytes]]:
        http = self.context.http(self.config.base)
        async with http.stream(export.path, params={"key": self.config.key.reveal()}) as (answer, pieces):
            _accept(answer)
            yield pieces

    @asynccontextmanager
    async def _downloaded(self, export: Export) -> AsyncIterator[tuple[IO[bytes], str]]:
        """Gives the whole export in a file that lives for the block, and its hash.

        It lies on disk so that an unchanged one is known before it is parsed, and so that no connection waits for the
        store.
        """
        folder = self.context.data
        hashed = blake2b(f"{READER} {self.config.country}".encode(), digest_size=16)
        try:
            if folder:
                folder.mkdir(parents=True, exist_ok=True)
            with SpooledTemporaryFile(_IN_MEMORY, dir=str(folder) if folder else None) as file:
                async with self._opened(export) as pieces:
                    async for piece in pieces:
                        hashed.update(piece)
                        file.write(piece)
                file.seek(0)
                yield file, hashed.hexdigest()
        except OSError as error:
            raise ConnectorError(
                f"The {export.label} could not be laid down on disk while it is read ({error.strerror}).",
                hint=f"Make room in {folder or 'the folder for temporary files'}.",
            ) from None


class _Variants:
    """Gathers the products under which one and the same review stands."""

    def __init__(self) -> None:
        self._products: dict[Product, Product] = {}
        self._under: dict[str, list[Product]] = {}

    def gather(self, review: Review, id: str) -> tuple[Review, list[Product]]:
        """Gives the review under the product it was first seen with, and the others so far."""
        if review.product is None:
            return review, []
        product = self._products.setdefault(review.product, review.product)
        under = self._under.setdefault(id, [])
        if product not in under:
            under.append(product)
        return msgspec.structs.replace(review, product=under[0]), under[1:]


def _accept(answer: Answer) -> None:
    if answer.status in (403, 420, 429, 503):
        pause = answer.received_at + timedelta(seconds=HOUR)
        told = retry_after(answer.headers, now=answer.received_at)
        raise RateLimited(
            f"Heureka wants fewer requests ({answer.status}).",
            until=max(pause, told) if told else pause,
            hint=_CHECK_KEY if answer.status == 403 else "",
        )
    if answer.status == 401:
        raise AuthFailed("Heureka does not accept the key (401).", hint=_CHECK_KEY)
    if answer.status != 200:
        raise answer.error()


async def _items(pieces: Iterator[bytes], parser: ExportParser) -> AsyncIterator[Review | Unreadable]:
    for piece in pieces:
        for item in parser.feed(piece):
            yield item
        await asyncio.sleep(0)
    for item in parser.close():
        yield item


async def _identified(
    items: AsyncIterator[Review | Unreadable], identities: Identities
) -> AsyncIterator[tuple[Review, str] | Unreadable]:
    async for item in items:
        if isinstance(item, Unreadable):
            yield item
        elif known_as := identities.identify(item):
            yield item, known_as
    for settled in identities.settle():
        yield settled


def _pieces(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def _saved(path: Path) -> Iterator[bytes]:
    read = 0
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            for piece in _pieces(gzip.GzipFile(fileobj=file) if packed else file):
                read += len(piece)
                if read > _LARGEST:
                    raise BadAnswer(f"The file {path.name} is larger than {_LARGEST >> 20} MB.")
                yield piece
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise BadAnswer(f"The file {path.name} cannot be read ({reason}).") from None

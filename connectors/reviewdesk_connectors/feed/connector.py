"""The plugin: polls a feed page by page, remembers where it was, and gives batches of mentions."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from reviewdesk.connector import (
    BadAnswer,
    Batch,
    Capabilities,
    Connector,
    ConnectorError,
    Context,
    Cursor,
    Finding,
    JsonObject,
    Level,
    Mention,
    MissingSecret,
    NotThere,
    PostedReply,
    RateLimited,
    ReplyMode,
    SetAside,
    redact,
    same_text,
)
from reviewdesk_connectors.feed import mapping, paging
from reviewdesk_connectors.feed.document import Document
from reviewdesk_connectors.feed.fetching import Fetcher
from reviewdesk_connectors.feed.formats import Unreadable
from reviewdesk_connectors.feed.mapping import MentionMap, NoMention, Trouble
from reviewdesk_connectors.feed.progress import Progress
from reviewdesk_connectors.feed.settings import FeedSettings

BATCH = 500
_BELIEVED_LOSS = 0.9
_SPOOLED = 4 << 20


class _Reading:
    """One document being read: what it gives, and what there is to say about it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.items = 0
        self.ids: list[str] = []
        self.met_known = False
        self.set_aside: list[SetAside] = []
        self.troubles: Counter[str] = Counter()
        self.example: dict[str, Trouble] = {}

    def note(self, mentions: list[Mention], troubles: list[Trouble]) -> None:
        self.ids.extend(mention.id for mention in mentions)
        for trouble in troubles:
            self.troubles[trouble.field] += 1
            self.example.setdefault(trouble.field, trouble)

    def remarks(self) -> list[str]:
        """Gives a sentence for each thing that was wrong though the document could be read."""
        unread = [
            f"`{field}` could not be read in {count} items; the first says: {self.example[field].reason}."
            for field, count in self.troubles.items()
        ]
        again = len(self.ids) - len(set(self.ids))
        repeated = [f"{again} items have an id that another one has too; is `id` the right part?"] if again else []
        return [redact(remark) for remark in (*self.document.notes, *unread, *repeated)]


class Feed(Connector[FeedSettings]):
    """Any feed, from a URL or a file. Replies are handed off to the page of the item or to `reply_page`."""

    platform = "feed"
    title = "Feed"
    settings = FeedSettings
    tier = "platinum"
    capabilities = Capabilities(reply=ReplyMode.HAND_OFF, find_reply=True, import_file=True)

    def __init__(self, context: Context[FeedSettings]) -> None:
        super().__init__(context)
        self._fetcher = Fetcher(context)
        self._map = MentionMap(self.config, self.config.url)
        targets = self._map.targets
        has_page = bool(self.config.reply_page) or "url" in targets
        self.capabilities = msgspec.structs.replace(
            type(self).capabilities,
            reply=ReplyMode.HAND_OFF if self.config.reply == "hand_off" and has_page else ReplyMode.NONE,
            find_reply="reply" in targets and bool(self.config.url or self.config.file),
        )

    # Reading one document.

    def _items(self, document: Document) -> Iterator[Any]:
        if self.config.format != "feed":
            return self._map.format.items(document, self._map.following)
        from reviewdesk_connectors.feed.syndication import entries

        return iter(entries(document, allow_doctype=self.config.allow_doctype))

    def _batches(self, reading: _Reading, known: frozenset[str] = frozenset()) -> Iterator[tuple[Batch, bool]]:
        """Gives what a document holds in batches without a cursor, and whether each is the last; at least one.

        Stops at the first known id. Where the document breaks off, what was whole is given before the error is raised.
        """
        mentions: list[Mention] = []
        set_aside: list[SetAside] = []
        try:
            for item in self._items(reading.document):
                if len(mentions) + len(set_aside) >= BATCH:
                    yield Batch(mentions=mentions, set_aside=set_aside, total=reading.document.total), False
                    mentions, set_aside = [], []
                reading.items += 1
                read = self._read(item)
                if isinstance(read, SetAside):
                    set_aside.append(read)
                    reading.set_aside.append(read)
                    continue
                mentions.extend(read[0])
                reading.note(*read)
                if read[0][0].id in known:
                    reading.met_known = True
                    break
        except BadAnswer:
            if mentions or set_aside:
                yield Batch(mentions=mentions, set_aside=set_aside), False
            raise
        yield Batch(mentions=mentions, set_aside=set_aside, total=reading.document.total), True

    def _read(self, item: Any) -> tuple[list[Mention], list[Trouble]] | SetAside:
        if isinstance(item, Unreadable):
            return self.problem(item.raw, ValueError(item.reason))
        raw = item.get("entry") if self.config.format == "feed" else None
        try:
            return self._map.mentions(item, raw)
        except NoMention as error:
            return self.problem(self._map.format.raw(item) if raw is None else raw, error)

    def _tell(self, reading: _Reading) -> None:
        for remark in reading.remarks():
            self.context.log.warning("%s: %s", reading.document.place, remark)

    # Polling.

    async def poll(self, cursor: Cursor | None) -> AsyncIterator[Batch]:
        """See `Connector.poll`. The last batch of each page brings a cursor.

        Raises:
            NotThere: the feed is gone (410), or the file is; neither passes by itself.
            BadAnswer: it is not what the settings describe, or a complete feed has lost nearly everything.
            ConnectorError: as `Http` tells.
        """
        progress = Progress.of(cursor, self._fingerprint())
        if self._must_wait(progress.wait_until):
            return
        progress.wait_until = None
        if self.config.file:
            steps = self._poll_file(self.config.file, progress)
        elif self.config.url:
            steps = self._poll_pages(progress)
        else:
            raise NotThere("The source says neither `url` nor `file`.", hint="Add one of them to its [[source]] table.")
        async for batch in steps:
            yield batch

    def _fingerprint(self) -> str:
        keys = msgspec.to_builtins(msgspec.structs.replace(self.config, secret=None, secret_in="", file=None))
        built = msgspec.json.encode({**keys, "file": str(self.config.file or "")}, order="sorted")
        return hashlib.sha256(built).hexdigest()[:16]

    def _must_wait(self, until: datetime | None) -> bool:
        now = self.context.clock()
        # A time further ahead than anybody may ask for comes from a clock that was wrong.
        return until is not None and now < until <= now + timedelta(minutes=self.config.max_wait_minutes)

    async def _poll_file(self, path: Path, progress: Progress) -> AsyncIterator[Batch]:
        with self._file(path) as document:
            stat = os.fstat(document.body.fileno())
            stamp = [stat.st_mtime_ns, stat.st_size]
            if stamp == progress.stamp:
                return
            progress.begin(self.context.clock())
            progress.stamp = stamp
            reading = _Reading(document)
            last = Batch()
            for batch, is_last in self._batches(reading, self._known(progress)):
                if is_last:
                    last = batch
                else:
                    yield batch
            self._learn(progress, reading)
            for batch in self._ended(progress, last, None):
                yield batch

    async def _poll_pages(self, progress: Progress) -> AsyncIterator[Batch]:
        try:
            async for batch in self._pages(progress):
                yield batch
        except ConnectorError as error:
            if progress.place or not progress.moved_to or isinstance(error, RateLimited):
                raise
            # It need not have moved for as long as it said.
            self.context.log.warning("Its new address fails, so it is asked at `url` again: %s", error.sentence)
            progress.forget_move()
            async for batch in self._pages(progress):
                yield batch

    async def _pages(self, progress: Progress) -> AsyncIterator[Batch]:
        visited: set[str] = set()
        resuming = bool(progress.place)
        while True:
            with tempfile.SpooledTemporaryFile(_SPOOLED) as body:
                first = not progress.place
                if first:
                    progress.begin(self.context.clock())
                try:
                    answer, document = await self._fetcher.fetch(
                        progress, body, conditional=first and not self._needs_every_page()
                    )
                except (BadAnswer, NotThere):
                    if not resuming:
                        raise
                    # The page at which the last poll was interrupted is not there any more: its link has expired.
                    progress.rest()
                    resuming = False
                    continue
                resuming = False
                if answer.status == 304:
                    progress.polled_at, progress.wait_until = (
                        progress.began_at,
                        self._fetcher.quiet_until(answer, document),
                    )
                    progress.rest()
                    yield Batch(cursor=progress.cursor())
                    return
                if first:
                    progress.new_etag = answer.headers.get("etag", "")
                    progress.new_modified = answer.headers.get("last-modified", "")
                reading = _Reading(document)
                last = Batch()
                for batch, is_last in self._batches(reading, self._known(progress)):
                    if is_last:
                        last = batch
                    else:
                        yield batch
                place = self._next_place(progress, reading, visited)
                progress.moved_to = (document.moved_to if first else "") or progress.moved_to
                self._learn(progress, reading)
                if place is None:
                    for batch in self._ended(progress, last, self._fetcher.quiet_until(answer, document)):
                        yield batch
                    return
                progress.place = place
                cursor = progress.cursor() if self._fetcher.storable(place) else None
                yield msgspec.structs.replace(last, cursor=cursor)

    def _needs_every_page(self) -> bool:
        """True where an unchanged first page says nothing about the others."""
        return self.config.complete and self.config.paging.style not in ("", "none")

    def _known(self, progress: Progress) -> frozenset[str]:
        return frozenset(progress.known) if self.config.stop_when_known else frozenset()

    def _learn(self, progress: Progress, reading: _Reading) -> None:
        progress.pages += 1
        progress.see(reading.ids, all=self.config.complete)
        # What was set aside may be any of the known ones.
        progress.unsure = progress.unsure or bool(reading.set_aside) or bool(reading.document.notes)
        if reading.document.notes:
            # What is broken now may be whole at the next poll, with nothing else changed.
            progress.new_etag = progress.new_modified = ""
        self._tell(reading)

    def _next_place(self, progress: Progress, reading: _Reading, visited: set[str]) -> JsonObject | None:
        """Gives the page that follows, None where the poll ends: no more pages, nothing new on them, or too many."""
        place = paging.following(
            self.config.paging, progress.place, reading.document, reading.items, first_poll=progress.first_poll
        )
        if place is None or reading.met_known:
            return None
        if "url" in place:
            place = {"url": self._fetcher.link(progress, place["url"])}
        repeated = bool(reading.ids) and visited.issuperset(reading.ids)
        mark = f"page {place}"
        if mark in visited or repeated:
            self.context.log.warning("%s: its pages repeat themselves; stopped there.", reading.document.place)
            return None
        visited.update((mark, *reading.ids))
        if progress.pages + 1 >= self.config.paging.max_pages:
            self.context.log.warning("%s: stopped after %d pages.", reading.document.place, progress.pages + 1)
            progress.unsure = True
            return None
        return place

    def _ended(self, progress: Progress, last: Batch, wait_until: datetime | None) -> Iterator[Batch]:
        gone: list[str] = []
        if self.config.complete and not progress.unsure:
            gone = progress.lost()
            if gone and len(gone) > _BELIEVED_LOSS * len(progress.known):
                yield last
                raise BadAnswer(
                    f"{len(gone)} of {len(progress.known)} items have vanished from the feed, which is hardly true.",
                    hint="If they were really deleted, set complete = false until the next poll was well.",
                )
        progress.end(all=self.config.complete, wait_until=wait_until)
        yield msgspec.structs.replace(last, cursor=progress.cursor(), gone=gone)

    # Files.

    @contextmanager
    def _file(self, path: Path) -> Iterator[Document]:
        try:
            body = path.open("rb") if path.is_file() else None
        except OSError as error:
            raise NotThere(f"The file {path} cannot be read: {error.strerror}.") from None
        if body is None:
            raise NotThere(f"There is no file {path}.", hint="Look at its name and folder.")
        with body:
            yield Document(body=body, place=path.name, encoding=self.config.encoding, notes=[])

    async def import_file(self, path: Path) -> AsyncIterator[Batch]:
        """Gives the mentions in a saved feed: RSS, Atom, JSON Feed without any settings, else by the source's mapping.

        Raises:
            BadAnswer: it is not what the settings describe.
            NotThere: there is no such file.
        """
        with self._file(path) as document:
            reading = _Reading(document)
            for batch, _ in self._batches(reading):
                yield batch
            self._tell(reading)

    # Replies.

    def reply_page(self, mention: Mention) -> str:
        """Gives the page of the setting `reply_page`, else the item's own."""
        if not self.config.reply_page:
            return mention.url
        return mapping.reply_page(self.config.reply_page, mention) or mention.url

    async def find_reply(self, mention: Mention, text: str, since: datetime) -> PostedReply | None:
        """Looks for our answer in the feed itself.

        Raises:
            NotThere: the mention is not in the feed any more, so nobody can tell.
            ConnectorError: as in `poll`.
        """
        async for batch in self._everything():
            ids = {each.id: each for each in batch.mentions}
            if mention.id not in ids:
                continue
            reply = ids.get(f"{mention.id}:reply")
            if reply is None or not same_text(reply.text, text):
                return None
            return PostedReply(id=reply.id, posted_at=reply.created_at, text=reply.text, url=reply.url)
        raise NotThere(f"{mention.id} is not in the feed any more.", hint="Look at the platform's page yourself.")

    async def _everything(self) -> AsyncIterator[Batch]:
        fresh = Progress(settings=self._fingerprint())
        async for batch in self._poll_file(self.config.file, fresh) if self.config.file else self._poll_pages(fresh):
            yield batch

    # Looking whether all is well.

    async def check(self) -> list[Finding]:
        """Fetches the feed once, and tells what came of it: how many items, what failed, which fields stay empty."""
        findings = []
        if self.config.secret is not None and self.config.url.startswith("http://") and not _is_local(self.config.url):
            findings.append(
                Finding(level=Level.WARNING, sentence="The key travels unencrypted.", hint="Use https:// in `url`.")
            )
        if self._fetcher.secret_in_address:
            findings.append(
                Finding(
                    level=Level.WARNING,
                    sentence="There seems to be a key in `url`, readable for all who can read the configuration.",
                    hint='Take it out and set secret = "env:NAME" and secret_in = "query:NAME OF THE PARAMETER".',
                )
            )
        try:
            findings += await self._look()
        except (ConnectorError, MissingSecret) as error:
            findings.append(Finding(level=Level.FAULT, sentence=error.sentence, hint=error.hint))
        return findings

    async def _look(self) -> list[Finding]:
        if self.config.file:
            with self._file(self.config.file) as document:
                return self._report(document)
        if not self.config.url:
            raise NotThere("The source says neither `url` nor `file`.", hint="Add one of them to its [[source]] table.")
        with tempfile.SpooledTemporaryFile(_SPOOLED) as body:
            _, document = await self._fetcher.fetch(Progress(), body, conditional=False)
            return self._report(document)

    def _empty(self) -> str:
        elsewhere = f" Or are the items elsewhere than at `{self.config.items}`?" if self.config.items else ""
        return f"Is the feed really empty?{elsewhere}"

    def _report(self, document: Document) -> list[Finding]:
        reading = _Reading(document)
        held: set[str] = set()
        mapped = 0
        for batch, _ in self._batches(reading):
            for mention in batch.mentions:
                mapped += not mention.ours
                held |= mapping.held_targets(mention)
                held |= {"reply"} if mention.ours else set()
                held |= {"replied_at"} if mention.ours and mention.created_at else set()
        level = Level.OK if mapped else Level.WARNING
        sentence = f"{mapped} of {reading.items} items were read from {document.place}."
        findings = [Finding(level=level, sentence=sentence, hint="" if mapped else self._empty())]
        for reason, count in Counter(each.reason for each in reading.set_aside).items():
            findings.append(Finding(level=Level.WARNING, sentence=f"{count} items were set aside: {reason}."))
        findings += [Finding(level=Level.WARNING, sentence=remark) for remark in reading.remarks()]
        empty = [target for target in self.config.fields if target not in held]
        if mapped and empty:
            findings.append(
                Finding(
                    level=Level.WARNING,
                    sentence=f"Empty in all items: {', '.join(empty)}.",
                    hint="Compare their selectors with the document.",
                )
            )
        return findings


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")

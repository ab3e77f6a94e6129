"""One poll of a Page: which lists are read, how far, and in which batches.

A round asks /feed for counts alone, then reads the comments of those posts whose `updated_time` or count has changed.
Once an hour it sweeps the whole watched window, the ads, the tagged posts and the recommendations; once a day each
watched post's comments are read anew to the end, since the API shows an edit or a deletion in no other way.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from reviewdesk.connector import (
    AuthFailed,
    BadAnswer,
    Batch,
    ConnectorError,
    Context,
    Cursor,
    Mention,
    NotThere,
    PermissionMissing,
    RateLimited,
    SetAside,
    Unreachable,
)
from reviewdesk_connectors.facebook.errors import Trouble, trouble_of
from reviewdesk_connectors.facebook.graph import Graph
from reviewdesk_connectors.facebook.lists import Lists, Read
from reviewdesk_connectors.facebook.mentions import Reader
from reviewdesk_connectors.facebook.payloads import Post, clean, last_part, moment, read
from reviewdesk_connectors.facebook.settings import FacebookSettings
from reviewdesk_connectors.facebook.state import Reading, State, Watched

HOUR, DAY = 3600, 86400
MONTH = 30 * DAY
RESUME_WITHIN = 6 * HOUR
"""How long a list's position is trusted; positions break when what they point at vanishes."""
REREADS = 5
"""Posts read anew in one round because a day has passed, so that a day's rereads are spread over its rounds."""
LOOKUPS = 20
"""Missing items asked for one by one in one list."""
IN_A_ROW = 3
"""Posts failing one after the other before the round is given up."""
RATINGS_VERSION = "v21.0"
"""The last version that is sure to give recommendations."""
RATINGS_GONE = "Facebook reviews cannot be read through the API; open them in the browser."

_ATTACHMENTS = "attachments{media_type,title,description,url}"
POST_FIELDS = (
    "id,message,story,created_time,updated_time,from,admin_creator,permalink_url,status_type,is_hidden,"
    f"{_ATTACHMENTS},comments.filter(stream).limit(0).summary(true)"
)
TAGGED_FIELDS = f"id,message,story,created_time,tagged_time,from,permalink_url,{_ATTACHMENTS}"
COMMENT_FIELDS = (
    "id,message,created_time,from,parent{id,parent{id}},permalink_url,is_hidden,is_private,can_comment,can_hide,"
    "can_remove,can_reply_privately,comment_count,like_count,attachment,message_tags,admin_creator"
)
RATING_FIELDS = (
    "created_time,has_rating,has_review,rating,recommendation_type,review_text,reviewer,"
    "open_graph_story{id,start_time,comments.limit(25){id,from,message,created_time}}"
)
COMMENTS = {"fields": COMMENT_FIELDS, "filter": "stream", "order": "reverse_chronological", "summary": "true"}


class Poll:
    """One round.

    Args:
        problem: makes a `SetAside` of a payload and the reason.
    """

    def __init__(
        self,
        context: Context[FacebookSettings],
        graph: Graph,
        reader: Reader,
        problem: Callable[[Any, Exception], SetAside],
        cursor: Cursor | None,
    ) -> None:
        self.config = context.settings
        self.log = context.log
        self.graph = graph
        self.reader = reader
        self.state = State.of(cursor)
        self.now = int(context.clock().timestamp())
        self.lists = Lists(graph, problem, self.now)
        self.since = self.now - self.config.watch_days * DAY
        self.state.forget_positions(before=self.now - RESUME_WITHIN)
        self.failures: list[ConnectorError] = []
        self.silent: list[str] = []
        self.heard = False

    async def batches(self) -> AsyncIterator[Batch]:
        """Gives the round's batches; each one's cursor holds what was read up to it, and no more.

        Raises:
            ConnectorError: what stopped the round, or what failed in it while the rest went on.
        """
        page = self.config.page_id
        sweep = self._is_due("sweep")
        if sweep:
            self.state.due["sweep"] = self.now + HOUR
        async for batch in self._posts(f"{page}/feed", self.state.feed, ad=False, whole=sweep):
            yield batch
        if self.config.ads and self._is_due("ads") and not self.graph.busy:
            async for batch in self._slowly(
                "ads", self._posts(f"{page}/ads_posts", self.state.ads, ad=True, whole=True)
            ):
                yield batch
        async for batch in self._discussions(self._changed()):
            yield batch
        if self.config.tagged and self._is_due("tagged") and not self.graph.busy:
            async for batch in self._slowly("tagged", self._tagged()):
                yield batch
        if self.config.ratings and self._is_due("ratings") and not self.graph.busy:
            async for batch in self._slowly("ratings", self._ratings()):
                yield batch
        if not self.graph.busy:
            async for batch in self._discussions(self._rereads()):
                yield batch
        yield self._batch()
        self._conclude()

    def _conclude(self) -> None:
        if self.failures:
            raise self.failures[0]
        if len(self.silent) >= IN_A_ROW and not self.heard:
            raise BadAnswer(
                f"Facebook counts comments under {len(self.silent)} posts and hands out none of them.",
                hint="The token is probably a person's instead of the Page's: run `reviewdesk doctor`.",
            )

    def _is_due(self, name: str) -> bool:
        return self.now >= self.state.due.get(name, 0)

    def _batch(
        self, mentions: Iterable[Mention] = (), set_aside: Iterable[SetAside] = (), gone: Iterable[str] = ()
    ) -> Batch:
        return Batch(mentions=tuple(mentions), set_aside=tuple(set_aside), gone=tuple(gone), cursor=self.state.cursor())

    async def _slowly(self, name: str, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
        """Runs a list of the slow rhythm; one that Facebook does not give rests for a day and stops nothing else.

        It is due again in an hour however it ends; where it broke off, it goes on then.
        """
        self.state.due[name] = self.now + HOUR
        self.state.notices.pop(name, None)
        try:
            async for batch in batches:
                yield batch
        except (RateLimited, AuthFailed):
            raise
        except Unreachable as error:
            self.failures.append(error)
        except ConnectorError as error:
            self.log.warning("Facebook's %s are left out for a day: %s", name, error)
            self.state.notices[name] = str(error)
            self.state.due[name] = self.now + DAY
            yield self._batch()

    async def _posts(self, path: str, reading: Reading, *, ad: bool, whole: bool) -> AsyncIterator[Batch]:
        """Reads posts with their counts, newest first: until nothing has changed, or to the window's end."""
        whole = whole or reading.unfinished
        reading.unfinished = True
        listed: set[str] = set()
        params = {"fields": POST_FIELDS, **({"include_inline_create": "true"} if ad else {})}
        async with aclosing(self.graph.pages(path, params)) as pages:
            async for page in pages:
                before = {post_id: (post.updated, post.total) for post_id, post in self.state.posts.items()}
                watch = partial(self._watch, ad=ad, listed=listed)
                mentions, set_aside = self.lists.sift(page.rows, watch, reading.known, set())
                changed = bool(mentions) or any(
                    before.get(post_id) != (post.updated, post.total)
                    for post_id, post in self.state.posts.items()
                    if post_id in listed
                )
                alive = bool(set_aside) or any(_row_id(row) in listed for row in page.rows)
                done = not page.position or (bool(page.rows) and (not alive or not (whole or changed)))
                if done:
                    reading.finish()
                yield self._batch(mentions, set_aside)
                self.graph.mind_the_limits()
                if done:
                    break
        if whole:
            async for batch in self._missing_posts(reading, listed, ad=ad):
                yield batch

    def _watch(self, row: Any, *, ad: bool, listed: set[str]) -> Iterable[Mention]:
        """Notes a post's signs of life, and gives it where it is not too old."""
        mention = self.reader.post(row, ours=True if ad else None)
        post = read(clean(row), Post)
        times = [int(each.timestamp()) for each in map(moment, (post.created_time, post.updated_time)) if each]
        alive_at = max(times, default=self.now)
        if alive_at < self.since:
            self.state.posts.pop(mention.id, None)
            return
        listed.add(mention.id)
        new = mention.id not in self.state.posts
        watched = self.state.posts.setdefault(mention.id, Watched(ad=ad))
        summary = post.comments.summary if post.comments else None
        total = summary.total_count if summary else None
        count = watched.total if total is None else total
        if new or (post.updated_time, count) != (watched.updated, watched.total):
            watched.dirty = watched.dirty or total != 0 or bool(watched.known)
            if count < watched.total:
                # Something vanished: only a reading to the end shows what.
                watched.read_at = 0
        watched.updated, watched.total, watched.alive_at, watched.ours = (
            post.updated_time,
            count,
            alive_at,
            mention.ours,
        )
        yield mention

    async def _missing_posts(self, reading: Reading, listed: set[str], *, ad: bool) -> AsyncIterator[Batch]:
        """Asks one by one for the watched posts that a whole sweep did not list."""
        missing = [post_id for post_id, post in self.state.posts.items() if post.ad is ad and post_id not in listed]
        found: list[Any] = []
        gone: list[str] = []
        for post_id in _some(missing):
            if self.state.posts[post_id].alive_at < self.since:
                del self.state.posts[post_id]
                continue
            try:
                found.append(await self.graph.get(post_id, {"fields": POST_FIELDS}))
            except NotThere:
                gone.append(post_id)
            except (PermissionMissing, BadAnswer) as error:
                self.log.warning("whether %s is gone cannot be told: %s", post_id, error)
        if not listed or len(gone) > max(IN_A_ROW, len(listed)):
            # So many at once speak of a token that lost its rights, not of deleted posts.
            gone = []
        comments = [key for post_id in gone for key in self.state.posts.pop(post_id).known if key.isdigit()]
        mentions, set_aside = self.lists.sift(found, partial(self._watch, ad=ad, listed=listed), reading.known, set())
        if mentions or set_aside or gone:
            yield self._batch(mentions, set_aside, [*gone, *comments])

    def _changed(self) -> list[str]:
        dirty = [(post.alive_at, post_id) for post_id, post in self.state.posts.items() if post.dirty]
        return [post_id for _, post_id in sorted(dirty, reverse=True)]

    def _rereads(self) -> list[str]:
        stale = [
            (post.read_at, post_id)
            for post_id, post in self.state.posts.items()
            if not post.dirty and (post.total or post.known) and post.read_at <= self.now - DAY
        ]
        return [post_id for _, post_id in sorted(stale)[:REREADS]]

    async def _discussions(self, ids: Iterable[str]) -> AsyncIterator[Batch]:
        """Reads the comments of posts, one after the other; one that fails is tried again next time."""
        in_a_row = 0
        for post_id in ids:
            try:
                resumed = True
                while resumed:
                    post = self.state.posts[post_id]
                    resumed = bool(post.position)
                    async for batch in self._comments(post_id, post):
                        yield batch
                in_a_row = 0
            except (RateLimited, AuthFailed):
                raise
            except NotThere:
                # Whether the post is gone is told by the sweep, which can tell it from a loss of rights.
                self.state.posts[post_id].dirty = False
            except ConnectorError as error:
                self.failures.append(error)
                in_a_row += 1
                if in_a_row >= IN_A_ROW:
                    raise

    async def _comments(self, post_id: str, post: Watched) -> AsyncIterator[Batch]:
        whole = post.unfinished or post.read_at <= self.now - DAY
        resumed = bool(post.position)

        def one(row: Any) -> Iterable[Mention]:
            yield self.reader.comment(row, post=post_id, ours_post=post.ours)

        async for step in self.lists.walk(post, f"{post_id}/comments", COMMENTS, one, whole=whole):
            gone: list[str] = []
            if step.done:
                total = post.total if step.total is None else step.total
                if whole and not resumed:
                    gone = await self._vanished(post_id, post, step.seen, total)
                if whole and not step.seen and total > 0 and not resumed:
                    self.silent.append(post_id)
                self.heard = self.heard or bool(step.seen)
                post.finish()
                # What was written above the position since it was noted has still to be read.
                post.dirty = resumed
                post.read_at = self.now if whole else post.read_at
            yield self._batch(step.mentions, step.set_aside, gone)
            self.graph.mind_the_limits()

    async def _vanished(self, post_id: str, post: Watched, seen: set[str], total: int) -> list[str]:
        """Gives the comments that were there and certainly are not now.

        Missing in a list that was read to its end is not enough, since the API also leaves out what it filters: each is
        asked for by itself. An empty list where comments are counted is no witness.
        """
        if not seen and total:
            return []
        gone = []
        for key in _some([key for key in post.known if key.isdigit() and key not in seen]):
            try:
                await self.graph.get(f"{last_part(post_id)}_{key}", {"fields": "id"})
            except NotThere:
                gone.append(key)
                del post.known[key]
            except (PermissionMissing, BadAnswer) as error:
                self.log.warning("whether %s is gone cannot be told: %s", key, error)
        return gone

    async def _tagged(self) -> AsyncIterator[Batch]:
        def one(row: Any) -> Iterable[Mention]:
            mention = self.reader.post(row)
            # The feed tells more of the posts that are in both lists.
            if mention.id not in self.state.posts:
                yield mention

        path = f"{self.config.page_id}/tagged"
        async for batch in self._list(self.state.tagged, path, {"fields": TAGGED_FIELDS}, one):
            yield batch

    async def _ratings(self) -> AsyncIterator[Batch]:
        path, params = f"{self.config.page_id}/ratings", {"fields": RATING_FIELDS}
        first = self.state.ratings_version or self.config.api_version
        for version in dict.fromkeys((first, RATINGS_VERSION)):
            try:
                async for batch in self._list(self.state.ratings, path, params, self.reader.rating, version=version):
                    self.state.ratings_version = "" if version == self.config.api_version else version
                    yield batch
            except ConnectorError as error:
                if trouble_of(error) is not Trouble.NO_FUNCTION:
                    raise
            else:
                return
        self.log.warning(RATINGS_GONE)
        self.state.ratings_version = ""
        self.state.notices["ratings"] = RATINGS_GONE
        self.state.due["ratings"] = self.now + MONTH
        yield self._batch()

    async def _list(
        self, reading: Reading, path: str, params: dict[str, str], one: Read, *, version: str = ""
    ) -> AsyncIterator[Batch]:
        async for step in self.lists.walk(reading, path, params, one, whole=False, version=version):
            if step.done:
                reading.finish()
            yield self._batch(step.mentions, step.set_aside)
            self.graph.mind_the_limits()


def _some(missing: Sequence[str]) -> list[str]:
    """Gives as many as are asked for one by one: others in each round, so that those that are there hide none."""
    return random.sample(missing, min(LOOKUPS, len(missing)))


def _row_id(row: Any) -> str:
    return str(row.get("id", "")) if isinstance(row, dict) else ""

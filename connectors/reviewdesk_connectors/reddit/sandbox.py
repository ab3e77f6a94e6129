"""The emulated Reddit: one community, one shop's account, and customers who write comments, posts and answers.

Shapes, paths and headers are those of recorded exchanges (github.com/praw-dev) and of Reddit's Data API Wiki.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from reviewdesk.sandbox import CustomerText, Emulator, Fault, FaultKind, ShopReply

Headers = dict[str, str]
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FIRST_ID = int("mz10000", 36)
_WINDOW = 600
_CEILING = 1000
_PAGE = 100
_INBOX_FIELDS = (
    "id", "name", "parent_id", "author", "author_fullname", "body", "body_html", "created", "created_utc", "subreddit",
    "subreddit_name_prefixed", "score", "likes", "link_title", "num_comments", "replies", "distinguished",
)  # fmt: skip


class Thing(msgspec.Struct, kw_only=True):
    """A comment (`t1`) or post (`t3`) that stands on the emulated platform; `parent` is "" for a post."""

    id: str
    kind: str
    author: str
    text: str
    created: float
    title: str = ""
    url: str = ""
    parent: str = ""
    link: str = ""
    edited: float = 0.0
    told_time: str | None = None
    author_gone: bool = False
    deleted: bool = False
    removed: bool = False

    @property
    def name(self) -> str:
        """Its fullname."""
        return f"{self.kind}_{self.id}"

    @property
    def stands(self) -> bool:
        """True while its text can be read."""
        return not (self.deleted or self.removed)


class RedditEmulator(Emulator):
    """Reddit with the community r/eshopy and the account u/desk_shop.

    Attributes:
        scopes: what tokens are given, separated by spaces.
        allowance: calls in a window of ten minutes.
        things: everything that was ever written, oldest first, by fullname.
    """

    platform: ClassVar[str] = "reddit"
    capacity: ClassVar[int] = _CEILING
    COMMUNITY: ClassVar[str] = "eshopy"
    ACCOUNT: ClassVar[str] = "desk_shop"
    CLIENT_ID: ClassVar[str] = "sandbox-client"
    CLIENT_SECRET: ClassVar[str] = "sandbox-client-secret"  # noqa: S105 - opens nothing
    PASSWORD: ClassVar[str] = "sandbox-password"  # noqa: S105 - opens nothing
    REFRESH_TOKEN: ClassVar[str] = "sandbox-refresh-token"  # noqa: S105 - opens nothing

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(clock=clock)
        self.scopes = "*"
        self.allowance = 600
        self.things: dict[str, Thing] = {}
        self._tokens: dict[str, str] = {}
        self._refusals: list[tuple[str, str, str]] = []
        self._silent_replies = 0
        self._used = 0
        self._window_ends = 0.0
        self._square = self.post(self.ACCOUNT, "Zkušenosti s naším obchodem", "Pochvala i stížnost patří sem.")

    # -- what tests and customers do -----------------------------------------------------------------------------------

    def post(self, author: str, title: str, text: str, *, url: str = "") -> str:
        """Writes a post; gives its fullname."""
        return self._add("t3", author, text, title=title, url=url)

    def comment(self, author: str, text: str, parent: str) -> str:
        """Writes a comment under a comment or post; gives its fullname."""
        above = self.things[parent]
        return self._add("t1", author, text, parent=parent, link=above.link or above.name)

    def edit(self, name: str, text: str) -> None:
        """Its author changes a text."""
        self.things[name].text = text
        self.things[name].edited = self.clock().timestamp()

    def delete(self, name: str) -> None:
        """Its author deletes a text."""
        self.things[name].deleted = True

    def remove(self, name: str) -> None:
        """A moderator removes a text."""
        self.things[name].removed = True

    def delete_account(self, author: str) -> None:
        """An author deletes the account; the texts stay."""
        for thing in self.things.values():
            thing.author_gone = thing.author_gone or thing.author == author

    def refuse(self, code: str, words: str, field: str = "parent") -> None:
        """Lets the next write be refused with 200 and an error inside, as for THREAD_LOCKED."""
        self._refusals.append((code, words, field))

    def refuse_next(self, words: str) -> None:
        """Lets the next write be refused by the community's rules."""
        self.refuse("DOMAIN_BANNED", words)

    def mistime(self, id: str, written: str) -> None:
        """The API gives these characters for the time of a text."""
        self.things[id].told_time = written

    def hide_next_reply(self) -> None:
        """Lets the next reply be posted without being shown in the answer, as in quarantined communities."""
        self._silent_replies += 1

    def use_up(self) -> None:
        """Lets no call remain in this window."""
        self._used, self._window_ends = self.allowance, self.clock().timestamp() + _WINDOW

    def quicken(self) -> None:
        """Allows a hundred times as many calls."""
        self.allowance *= 100

    def write(self, words: CustomerText) -> str:
        """A customer writes: a post where there is a title, else a comment in the standing thread."""
        if words.title:
            return self.post(words.author, words.title, words.text)
        return self.comment(words.author, words.text, self._square)

    def answer(self, reply: ShopReply, words: CustomerText) -> str | None:
        """A customer answers the shop's reply; it is in the thread and in the shop's inbox."""
        return self.comment(words.author, words.text, reply.id)

    def shop_replies(self) -> Sequence[ShopReply]:
        """What the shop's account has written that still stands."""
        return [
            ShopReply(id=each.name, to=each.parent, text=each.text)
            for each in list(self.things.values())
            if each.author == self.ACCOUNT and each.parent and each.stands
        ]

    def source(self, base: str) -> dict[str, Any]:
        """A source that listens to the community and the inbox as the shop's account."""
        return {
            "connector": self.platform,
            "client_id": self.CLIENT_ID,
            "client_secret": "env:REVIEWDESK_SANDBOX_REDDIT_SECRET",
            "username": self.ACCOUNT,
            "password": "env:REVIEWDESK_SANDBOX_REDDIT_PASSWORD",
            "user_agent": "linux:reviewdesk-sandbox:1.0 (by /u/desk_shop)",
            "subreddits": [self.COMMUNITY],
            "recheck_minutes": 5,
            "oauth_url": base,
            "reddit_url": base,
        }

    def secrets(self) -> dict[str, str]:
        """The application's secret and the account's password."""
        return {
            "REVIEWDESK_SANDBOX_REDDIT_SECRET": self.CLIENT_SECRET,
            "REVIEWDESK_SANDBOX_REDDIT_PASSWORD": self.PASSWORD,
        }

    def _add(
        self, kind: str, author: str, text: str, *, title: str = "", url: str = "", parent: str = "", link: str = ""
    ) -> str:
        number, short = _FIRST_ID + len(self.things) * 37, ""
        while number:
            number, digit = divmod(number, 36)
            short = _DIGITS[digit] + short
        thing = Thing(
            id=short,
            kind=kind,
            author=author,
            text=text,
            created=float(int(self.clock().timestamp())),
            title=title,
            url=url,
            parent=parent,
            link=link,
        )
        self.things[thing.name] = thing
        return thing.name

    # -- the endpoints -------------------------------------------------------------------------------------------------

    def routes(self) -> Sequence[BaseRoute]:
        """The endpoints of the token and of the API, on one address."""
        reads = {
            "/r/all/search/": self._search,
            "/r/{names}/comments/": self._comments,
            "/r/{names}/new": self._new,
            "/r/{names}/about/": self._about,
            "/domain/{domain}/new": self._domain,
            "/message/mentions": self._mentions,
            "/message/comments/": self._comment_replies,
            "/message/selfreply/": self._post_replies,
            "/user/{user}/comments/": self._history,
            "/comments/{post}": self._thread,
            "/api/info/": self._info,
            "/api/v1/me": self._me,
        }
        writes = {
            "/api/comment/": self._comment,
            "/api/editusertext/": self._edit,
            "/api/del/": self._delete,
        }
        return [
            Route("/api/v1/access_token", self._token, methods=["POST"]),
            *(Route(path, self._metered(answer), methods=["GET"]) for path, answer in reads.items()),
            *(Route(path, self._metered(answer), methods=["POST"]) for path, answer in writes.items()),
        ]

    def refusal(self, fault: Fault, request: Request) -> Response:
        """A 429 as Reddit's own web page, or a 401 as its API says it."""
        if fault.kind is FaultKind.RATE_LIMIT:
            wait = int(fault.seconds)
            named = {"retry-after": str(wait), "x-ratelimit-reset": str(wait)} if wait else {}
            counts = {"x-ratelimit-remaining": "0", "x-ratelimit-used": str(self.allowance)} if wait else {}
            page = (
                "<!doctype html><html><head><title>Too Many Requests</title></head><body><h1>whoa there, pardner!</h1>"
                "<p>we're sorry, but you appear to be a bot and we've seen too many requests from you lately.</p>"
                "</body></html>"
            )
            return HTMLResponse(page, 429, counts | named)
        return _unauthorized()

    def login_page(self) -> Response:
        """What a program sees when a login stands in between."""
        return HTMLResponse("<!doctype html><html><head><title>reddit.com: Log in</title></head></html>")

    async def _token(self, request: Request) -> Response:
        form = await _form(request)
        scheme, _, told = request.headers.get("authorization", "").partition(" ")
        wanted = base64.b64encode(f"{self.CLIENT_ID}:{self.CLIENT_SECRET}".encode()).decode()
        if scheme.lower() != "basic" or told != wanted:
            return _json({"message": "Unauthorized", "error": 401}, 401)
        grant = form.get("grant_type")
        user = ""
        if grant == "password":
            if (form.get("username"), form.get("password")) != (self.ACCOUNT, self.PASSWORD):
                return _json({"error": "invalid_grant"})
            user = self.ACCOUNT
        elif grant == "refresh_token":
            if form.get("refresh_token") != self.REFRESH_TOKEN:
                return _json({"message": "Bad Request", "error": 400}, 400)
            user = self.ACCOUNT
        elif grant != "client_credentials":
            return _json({"error": "unsupported_grant_type"})
        token = "sandbox-" + secrets.token_urlsafe(16)
        self._tokens[token] = user
        answer = {"access_token": token, "token_type": "bearer", "expires_in": 86400, "scope": self.scopes}
        if grant == "refresh_token":
            answer["refresh_token"] = self.REFRESH_TOKEN
        return _json(answer)

    def _metered(self, answer: Callable[[Request, str], Any]) -> Callable[[Request], Any]:
        """Gives an endpoint that wants a token and counts against the allowance."""

        async def endpoint(request: Request) -> Response:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            if scheme != "bearer" or token not in self._tokens:
                return _unauthorized()
            now = self.clock().timestamp()
            if now >= self._window_ends:
                self._window_ends, self._used = now + _WINDOW, 0
            self._used += 1
            headers = {
                "x-ratelimit-used": str(min(self._used, self.allowance)),
                "x-ratelimit-remaining": f"{max(0, self.allowance - self._used):.1f}",
                "x-ratelimit-reset": str(int(self._window_ends - now)),
            }
            if self._used > self.allowance:
                return _json({"message": "Too Many Requests", "error": 429}, 429, headers)
            response: Response = await answer(request, self._tokens[token])
            response.headers.update(headers)
            return response

        return endpoint

    async def _comments(self, request: Request, user: str) -> Response:
        if not self._is_here(request):
            return _no_community()
        return self._listing(request, (each for each in self._newest("t1") if each.stands))

    async def _new(self, request: Request, user: str) -> Response:
        if not self._is_here(request):
            return _no_community()
        return self._listing(request, (each for each in self._newest("t3") if each.stands))

    async def _about(self, request: Request, user: str) -> Response:
        if not self._is_here(request):
            return _no_community()
        return _json({"kind": "t5", "data": {"display_name": self.COMMUNITY, "subreddit_type": "public"}})

    async def _search(self, request: Request, user: str) -> Response:
        words = request.query_params.get("q", "").strip('"').casefold()
        posts = (each for each in self._newest("t3") if each.stands)
        return self._listing(request, (each for each in posts if words in f"{each.title} {each.text}".casefold()))

    async def _domain(self, request: Request, user: str) -> Response:
        domain = request.path_params["domain"]
        return self._listing(request, (each for each in self._newest("t3") if each.stands and domain in each.url))

    async def _mentions(self, request: Request, user: str) -> Response:
        name = re.compile(rf"\bu/{re.escape(user)}\b", re.IGNORECASE)
        named = (each for each in self._newest("t1") if each.author != user and name.search(each.text))
        return self._inbox(request, user, named, "username_mention", "username mention")

    async def _comment_replies(self, request: Request, user: str) -> Response:
        return self._inbox(request, user, self._answers(user, "t1"), "comment_reply", "comment reply")

    async def _post_replies(self, request: Request, user: str) -> Response:
        return self._inbox(request, user, self._answers(user, "t3"), "post_reply", "post reply")

    async def _history(self, request: Request, user: str) -> Response:
        name = request.path_params["user"].casefold()
        own = (each for each in self._newest("t1") if each.author.casefold() == name and not each.deleted)
        return self._listing(request, own)

    async def _info(self, request: Request, user: str) -> Response:
        names = request.query_params.get("id", "").split(",")[:_PAGE]
        found = [self._data(self.things[name], request, link=False) for name in names if name in self.things]
        return _envelope(found, None)

    async def _thread(self, request: Request, user: str) -> Response:
        post = self.things.get(f"t3_{request.path_params['post']}")
        if post is None:
            return _json({"message": "Not Found", "error": 404}, 404)
        only = request.query_params.get("comment")
        top = [each for each in self._newest("t1") if (each.id == only if only else each.parent == post.name)]
        shown = [self._data(each, request, link=False) for each in top if self._is_shown(each)]
        for each in shown:
            self._add_answers(each, request)
        listings = [_envelope([self._data(post, request)], None), _envelope(shown, None)]
        return _json([json.loads(bytes(each.body)) for each in listings])

    def _is_shown(self, thing: Thing) -> bool:
        """Tells whether a thread shows a comment: it stands, or it is the stub above one that does."""
        below = (each for each in self.things.values() if each.parent == thing.name)
        return thing.stands or any(map(self._is_shown, below))

    def _add_answers(self, row: dict[str, Any], request: Request) -> None:
        below = [each for each in self._newest("t1") if each.parent == row["data"]["name"] and self._is_shown(each)]
        rows = [self._data(each, request, link=False) for each in below]
        for each in rows:
            self._add_answers(each, request)
        if rows:
            row["data"]["replies"] = json.loads(bytes(_envelope(rows, None).body))

    async def _me(self, request: Request, user: str) -> Response:
        if not user:
            return _forbidden()
        return _json({"name": user, "id": "9desk", "is_suspended": False, "has_verified_email": True})

    async def _comment(self, request: Request, user: str) -> Response:
        form = await _form(request)
        if not user:
            return _forbidden()
        refused = self._refused(form.get("text", ""), form.get("thing_id", ""))
        if refused is not None:
            return refused
        made = self.things[self.comment(user, form["text"], form["thing_id"])]
        shown = [] if self._silent_replies else [self._data(made, request, link=False)]
        self._silent_replies = max(0, self._silent_replies - 1)
        return _json({"json": {"errors": [], "data": {"things": shown}}})

    async def _edit(self, request: Request, user: str) -> Response:
        form = await _form(request)
        thing = self.things.get(form.get("thing_id", ""))
        if not user or thing is None or thing.author != user:
            return _forbidden()
        refused = self._refused(form.get("text", ""), thing.name)
        if refused is not None:
            return refused
        self.edit(thing.name, form["text"])
        shown = [self._data(thing, request, link=False)]
        return _json({"json": {"errors": [], "data": {"things": shown}}})

    async def _delete(self, request: Request, user: str) -> Response:
        thing = self.things.get((await _form(request)).get("id", ""))
        if thing is not None and user and thing.author != user:
            return _forbidden()
        if thing is not None and user:
            thing.deleted = True
        return _json({})

    def _refused(self, text: str, target: str) -> Response | None:
        thing = self.things.get(target)
        if self._refusals:
            error = self._refusals.pop(0)
        elif not text.strip():
            error = ("NO_TEXT", "we need something here", "text")
        elif len(text) > 10_000:
            error = ("TOO_LONG", "this is too long (max: 10000)", "text")
        elif thing is None:
            return _json({"message": "Not Found", "error": 404}, 404)
        elif not thing.stands:
            error = (
                ("DELETED_COMMENT", "that comment has been deleted", "parent")
                if thing.kind == "t1"
                else ("DELETED_LINK", "the link you are commenting on has been deleted", "parent")
            )
        else:
            return None
        return _json({"json": {"errors": [list(error)]}})

    # -- the shapes ----------------------------------------------------------------------------------------------------

    def _newest(self, kind: str) -> Iterable[Thing]:
        return [each for each in reversed(list(self.things.values())) if each.kind == kind]

    def _answers(self, user: str, to: str) -> Iterable[Thing]:
        for each in self._newest("t1"):
            above = self.things.get(each.parent)
            if above is not None and above.kind == to and above.author == user and each.author != user:
                yield each

    def _is_here(self, request: Request) -> bool:
        names = request.path_params["names"].casefold().split("+")
        return self.COMMUNITY in names or "all" in names

    def _listing(self, request: Request, things: Iterable[Thing]) -> Response:
        page, after = _cut(request, list(things), self.page_size or _PAGE)
        return _envelope([self._data(each, request) for each in page], after)

    def _inbox(self, request: Request, user: str, things: Iterable[Thing], type: str, subject: str) -> Response:
        if not user:
            return _forbidden()
        page, after = _cut(request, [each for each in things if each.stands], self.page_size or _PAGE)
        children = []
        for each in page:
            post = self.things[each.link]
            told = self._data(each, request)["data"]
            shown = {name: told[name] for name in _INBOX_FIELDS if name in told} | {
                "type": type,
                "subject": subject,
                "new": True,
                "was_comment": True,
                "dest": user,
                "first_message": None,
                "first_message_name": None,
                "context": f"{self._path(post)}{each.id}/?context=3",
            }
            children.append({"kind": "t1", "data": shown})
        return _envelope(children, after)

    def _path(self, post: Thing) -> str:
        slug = re.sub(r"\W+", "_", post.title.casefold()).strip("_")[:50]
        return f"/r/{self.COMMUNITY}/comments/{post.id}/{slug}/"

    def _data(self, thing: Thing, request: Request, *, link: bool = True) -> dict[str, Any]:
        escaped = html.escape if request.query_params.get("raw_json") != "1" else _as_it_is
        stub = "[deleted]" if thing.deleted else "[removed]" if thing.removed else ""
        author = "[deleted]" if stub or thing.author_gone or not thing.author else thing.author
        text = stub or escaped(thing.text, quote=False)
        common = {
            "id": thing.id,
            "name": thing.name,
            "author": author,
            "author_fullname": f"t2_{hashlib.blake2s(thing.author.encode(), digest_size=5).hexdigest()}",
            "created": thing.created,
            "created_utc": thing.created if thing.told_time is None else thing.told_time,
            "edited": thing.edited or False,
            "subreddit": self.COMMUNITY,
            "subreddit_id": "t5_2eshop",
            "subreddit_name_prefixed": f"r/{self.COMMUNITY}",
            "subreddit_type": "public",
            "score": 1,
            "ups": 1,
            "downs": 0,
            "likes": None,
            "distinguished": None,
            "stickied": False,
            "locked": False,
            "archived": False,
            "saved": False,
            "over_18": False,
            "quarantine": False,
            "num_reports": None,
            "mod_reports": [],
            "user_reports": [],
            "removal_reason": None,
            "banned_by": None,
            "approved_by": None,
        }
        if author == "[deleted]":
            del common["author_fullname"]
        if thing.kind == "t3":
            return {"kind": "t3", "data": common | self._post_fields(thing, text, escaped)}
        post = self.things[thing.link]
        fields = {
            "body": text,
            "body_html": f'<div class="md"><p>{html.escape(stub or thing.text)}</p>\n</div>',
            "parent_id": thing.parent,
            "link_id": thing.link,
            "permalink": f"{self._path(post)}{thing.id}/",
            "replies": "",
            "is_submitter": thing.author == post.author,
            "score_hidden": False,
            "controversiality": 0,
            "collapsed": False,
            "no_follow": True,
            "send_replies": True,
        }
        if link:
            fields |= {
                "link_title": escaped(post.title, quote=False),
                "link_author": post.author,
                "link_permalink": f"https://www.reddit.com{self._path(post)}",
                "link_url": post.url or f"https://www.reddit.com{self._path(post)}",
                "num_comments": self._count(post),
            }
        return {"kind": "t1", "data": common | fields}

    def _post_fields(self, thing: Thing, text: str, escaped: Callable[..., str]) -> dict[str, Any]:
        return {
            "title": escaped(thing.title, quote=False),
            "selftext": text,
            "selftext_html": f'<div class="md"><p>{html.escape(text)}</p>\n</div>',
            "is_self": not thing.url,
            "url": thing.url or f"https://www.reddit.com{self._path(thing)}",
            "permalink": self._path(thing),
            "num_comments": self._count(thing),
            "upvote_ratio": 1.0,
            "removed_by_category": "deleted" if thing.deleted else "moderator" if thing.removed else None,
        }

    def _count(self, post: Thing) -> int:
        return sum(1 for each in list(self.things.values()) if each.link == post.name)


def _json(content: Any, status: int = 200, headers: Headers | None = None) -> Response:
    """Gives data in ASCII with escapes, as Reddit writes it."""
    return Response(json.dumps(content), status, headers, media_type="application/json")


def _as_it_is(text: str, *, quote: bool) -> str:
    return text


def _cut(request: Request, things: Sequence[Thing], most: int) -> tuple[Sequence[Thing], str | None]:
    """Gives a page and the fullname after which the next begins; an unknown one leads to nothing, as on Reddit."""
    things = things[:_CEILING]
    names = [each.name for each in things]
    limit = min(int(request.query_params.get("limit", "25")), most)
    after, before = request.query_params.get("after"), request.query_params.get("before")
    start = 0
    if after or before:
        anchor = after or before or ""
        if anchor not in names:
            return [], None
        start = names.index(anchor) + 1 if after else max(0, names.index(anchor) - limit)
        things = things if after else things[: names.index(anchor)]
    page = things[start : start + limit]
    return page, page[-1].name if page and start + limit < len(things) else None


def _envelope(children: Sequence[dict[str, Any]], after: str | None) -> Response:
    data = {"modhash": None, "dist": len(children), "children": children, "after": after, "before": None}
    return _json({"kind": "Listing", "data": {**data, "geo_filter": ""}})


def _unauthorized() -> Response:
    told = {"www-authenticate": 'Bearer realm="reddit", error="invalid_token"'}
    return _json({"message": "Unauthorized", "error": 401}, 401, told)


def _forbidden() -> Response:
    return _json({"message": "Forbidden", "error": 403}, 403)


def _no_community() -> Response:
    return Response(status_code=302, headers={"location": "/subreddits/search?q=unknown"})


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))

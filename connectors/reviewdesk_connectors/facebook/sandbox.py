"""The emulated Facebook: a Page with its posts, comments and recommendations behind the Graph API's shapes.

What it answers follows the reference (page feed, comment, recommendation, debug_token, private replies, error
handling): only the fields asked for, `+0000` times, cursors with a `next` link that holds the token, ids in two parts.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from reviewdesk.sandbox import CustomerText, Emulator, Fault, FaultKind, ShopReply

PAGE_ID = "1015550001"
PAGE_NAME = "Shop Demo"
TOKEN_NAME = "REVIEWDESK_SANDBOX_FACEBOOK_TOKEN"  # noqa: S105 - the name of a variable
PRIVATE_REPLY_DAYS = 7
_ANNOUNCEMENTS = (
    "Od pondělí doručujeme i do výdejních boxů.",
    "Nová kolekce bot je na e-shopu. Která barva se vám líbí?",
    "New delivery terms from Monday",
)

Answered = Callable[["Call"], Response]


class Person(msgspec.Struct, frozen=True):
    """Somebody who writes."""

    id: str
    name: str


class Comment(msgspec.Struct):
    """A comment; `parent` is the top-level comment it answers, `target` what the shop's call was sent to."""

    id: str
    post: str
    message: str
    created: datetime
    author: Person
    parent: str = ""
    target: str = ""
    hidden: bool = False
    liked: bool = False
    written_to: bool = False
    attachment: dict[str, Any] | None = None


class Post(msgspec.Struct):
    """A post; `edge` is the list it is in."""

    id: str
    message: str
    created: datetime
    updated: datetime
    author: Person
    edge: str = "feed"
    hidden: bool = False


class Rating(msgspec.Struct):
    """A recommendation and its story's id."""

    story: str
    text: str
    positive: bool
    created: datetime
    author: Person


class Message(msgspec.Struct):
    """A private message that the shop sent in answer to a comment or post."""

    to: str
    text: str


class Refusal(Exception):
    """An answer in the Graph API's error shape."""

    def __init__(self, code: int, message: str, subcode: int = 0, status: int = 400, **more: Any) -> None:
        super().__init__(message)
        self.code, self.subcode, self.status = code, subcode, status
        kind = "GraphMethodException" if (code, subcode) == (100, 33) else "OAuthException"
        body = {"message": message, "type": kind, "code": code, **({"error_subcode": subcode} if subcode else {})}
        self.body = {"error": {**body, **more, "fbtrace_id": "AbCdEfGh123"}}


class Call(msgspec.Struct):
    """One call: its parameters from the query and the form, and the token it came with."""

    request: Request
    params: dict[str, str]
    token: str

    @property
    def id(self) -> str:
        """The object that the path names."""
        return str(self.request.path_params.get("id", ""))

    @property
    def version(self) -> str:
        """The API version in the path."""
        return str(self.request.path_params["version"])


class FacebookEmulator(Emulator):
    """One Page of a shop.

    Attributes that tests and demos may turn:
        authors_hidden: leave out who wrote comments.
        ratings_up_to: the last version whose /ratings answers; "" for none.
        usage: percent of the Page's calls used, told in the headers where it is 1 or more.
        minutes: what the headers name as the wait, 0 for none.
        served: the version that answers; "" for the one asked for.
        token_type, scopes, target_pages, data_access_days: what debug_token tells.
        app_secret: where set, every call needs its proof.
    """

    platform: ClassVar[str] = "facebook"
    token = "EAABsandboxPageToken"  # noqa: S105 - opens nothing but this emulator
    person_token = "EAABsandboxPersonToken"  # noqa: S105 - a valid token of the wrong kind
    app_id = "1112223334"

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(clock=clock)
        self.page = Person(PAGE_ID, PAGE_NAME)
        self.posts: dict[str, Post] = {}
        self.comments: dict[str, Comment] = {}
        self.ratings: list[Rating] = []
        self.messages: list[Message] = []
        self.authors_hidden = False
        self.ratings_up_to = "v21.0"
        self.usage = 0
        self.minutes = 0
        self.served = ""
        self.token_type = "PAGE"  # noqa: S105 - a kind of token
        self.scopes = [
            "pages_show_list",
            "pages_read_engagement",
            "pages_read_user_content",
            "pages_manage_engagement",
            "pages_manage_metadata",
            "pages_messaging",
        ]
        self.target_pages: list[str] = [PAGE_ID]
        self.data_access_days = 80
        self.app_secret = ""
        self._number = 0
        now = clock()
        for age, text in zip((9, 4, 1), _ANNOUNCEMENTS, strict=True):
            self._post(text, self.page, created=now - timedelta(days=age))

    def source(self, base: str) -> dict[str, Any]:
        """Gives a table for this Page."""
        return {"connector": "facebook", "page_id": PAGE_ID, "api": base, "token": f"env:{TOKEN_NAME}"}

    def secrets(self) -> dict[str, str]:
        """Gives the Page's token."""
        return {TOKEN_NAME: self.token}

    def write(self, words: CustomerText) -> str:
        """A customer comments on the shop's latest post."""
        latest = max((post for post in self.posts.values() if self._is_announcement(post)), key=_when)
        return _bare(self.comment(latest.id, words.text, words.author).id)

    def answer(self, reply: ShopReply, words: CustomerText) -> str | None:
        """The customer goes on in the thread of the shop's reply."""
        shop = next((each for each in self.comments.values() if _bare(each.id) == reply.id), None)
        if shop is None:
            return None
        return _bare(self.comment(shop.post, words.text, words.author, under=shop.id).id)

    def shop_replies(self) -> Sequence[ShopReply]:
        """Gives what came by the API, with ids as the connector knows them."""
        return [
            ShopReply(
                id=_bare(each.id),
                to=each.target if each.target in self.posts else _bare(each.target),
                text=each.message,
            )
            for each in self.comments.values()
            if each.target
        ]

    def comment(
        self,
        post: str,
        text: str,
        author: str,
        *,
        under: str = "",
        attachment: dict[str, Any] | None = None,
    ) -> Comment:
        """Somebody comments on a post, or answers the comment `under`."""
        return self._comment(post, text, self._person(author), under=under, attachment=attachment)

    def visit(self, text: str, author: str) -> Post:
        """A visitor writes on the Page."""
        return self._post(text, self._person(author))

    def tag(self, text: str, author: str) -> Post:
        """Somebody tags the Page in a post of their own."""
        return self._post(text, self._person(author), edge="tagged")

    def advertise(self, text: str) -> Post:
        """The shop runs an ad; it is in no list but the ads'."""
        return self._post(text, self.page, edge="ads_posts")

    def recommend(self, text: str, author: str, *, positive: bool) -> Rating:
        """A customer recommends the Page, or does not."""
        self._number += 1
        rating = Rating(f"10150{self._number:06d}", text, positive, self.clock(), self._person(author))
        self.ratings.append(rating)
        return rating

    def refusal(self, fault: Fault, request: Request) -> Response:
        """Answers as the Graph API does: by code, with HTTP 400."""
        if fault.kind is FaultKind.EXPIRED_TOKEN:
            return self._respond(
                Refusal(190, "Error validating access token: Session has expired on Wednesday, 01-May-24.", 463)
            )
        if not fault.seconds:
            return self._respond(Refusal(4, "(#4) Application request limit reached"))
        minutes = math.ceil(fault.seconds / 60)
        response = self._respond(Refusal(32, "(#32) Page request limit reached", is_transient=True))
        response.headers["x-business-use-case-usage"] = self._usage_header(100, minutes)
        return response

    def routes(self) -> Sequence[BaseRoute]:
        """Gives the endpoints for every version."""
        table: list[tuple[str, str, Answered]] = [
            ("GET", "/{version}/debug_token", self._debug_token),
            ("GET", "/{version}/{id}/feed", lambda call: self._list_posts(call, "feed")),
            ("GET", "/{version}/{id}/ads_posts", lambda call: self._list_posts(call, "ads_posts")),
            ("GET", "/{version}/{id}/tagged", lambda call: self._list_posts(call, "tagged")),
            ("GET", "/{version}/{id}/ratings", self._list_ratings),
            ("GET", "/{version}/{id}/comments", self._list_comments),
            ("POST", "/{version}/{id}/comments", self._create_comment),
            ("POST", "/{version}/{id}/likes", lambda call: self._like(call, True)),
            ("DELETE", "/{version}/{id}/likes", lambda call: self._like(call, False)),
            ("POST", "/{version}/{id}/messages", self._send_message),
            ("GET", "/{version}/{id}", self._get_object),
            ("POST", "/{version}/{id}", self._update_comment),
            ("DELETE", "/{version}/{id}", self._delete_comment),
        ]
        return [Route(path, self._endpoint(method, answered), methods=[method]) for method, path, answered in table]

    def _endpoint(self, method: str, answered: Answered) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
            params = {**request.query_params, **form}
            bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
            call = Call(request=request, params=params, token=bearer or params.get("access_token", ""))
            try:
                self._authorise(call)
                response = answered(call)
            except Refusal as refusal:
                response = self._respond(refusal)
            response.headers["facebook-api-version"] = self.served or call.version
            if self.usage:
                response.headers["x-app-usage"] = _dump({"call_count": 1, "total_time": 1, "total_cputime": 1})
                response.headers["x-business-use-case-usage"] = self._usage_header(self.usage, self.minutes)
            return response

        endpoint.__name__ = f"{method.lower()}_{getattr(answered, '__name__', 'list')}"
        return endpoint

    def _usage_header(self, percent: int, minutes: int) -> str:
        entry = {"type": "pages", "call_count": percent, "total_cputime": 23, "total_time": 23}
        return _dump({PAGE_ID: [{**entry, "estimated_time_to_regain_access": minutes}]})

    def _authorise(self, call: Call) -> None:
        if call.token.partition("|")[0] == self.app_id and call.request.url.path.endswith("/debug_token"):
            return
        if not call.token:
            raise Refusal(2500, "An active access token must be used to query information about the current user.")
        if call.token not in (self.token, self.person_token):
            raise Refusal(190, "Invalid OAuth access token - Cannot parse access token", status=401)
        if self.app_secret:
            proof = hmac.new(self.app_secret.encode(), call.token.encode(), hashlib.sha256).hexdigest()
            if call.params.get("appsecret_proof") != proof:
                raise Refusal(100, "API calls from the server require an appsecret_proof argument")

    def _debug_token(self, call: Call) -> Response:
        if call.params.get("input_token") != self.token:
            invalid = {"code": 190, "message": "The access token could not be decrypted", "subcode": 467}
            return self._json({"data": {"error": invalid, "is_valid": False, "scopes": []}})
        ends = self.clock() + timedelta(days=self.data_access_days)
        return self._json(
            {
                "data": {
                    "app_id": self.app_id,
                    "type": self.token_type,
                    "application": "Shop desk",
                    "profile_id": PAGE_ID,
                    "data_access_expires_at": int(ends.timestamp()),
                    "expires_at": 0,
                    "is_valid": True,
                    "issued_at": 1714567000,
                    "user_id": "777",
                    "scopes": self.scopes,
                    "granular_scopes": [{"scope": each, "target_ids": self.target_pages} for each in self.scopes],
                }
            }
        )

    def _list_posts(self, call: Call, edge: str) -> Response:
        rows = sorted((post for post in self.posts.values() if post.edge == edge), key=_when, reverse=True)
        return self._page(call, rows, lambda post: self._post_row(post, tagged=edge == "tagged"), lambda post: post.id)

    def _post_row(self, post: Post, *, tagged: bool = False) -> dict[str, Any]:
        under = [each for each in self.comments.values() if each.post == post.id]
        row: dict[str, Any] = {
            "id": post.id,
            "message": post.message,
            "created_time": _time(post.created),
            "updated_time": _time(post.updated),
            "from": {"name": post.author.name, "id": post.author.id},
            "permalink_url": f"https://www.facebook.com/{PAGE_ID}/posts/{_bare(post.id)}",
            "status_type": "mobile_status_update" if post.author == self.page else "wall_post",
            "is_hidden": post.hidden,
            "comments": {
                "data": [],
                "summary": {"order": "chronological", "total_count": len(under), "can_comment": True},
            },
        }
        if tagged:
            del row["from"], row["comments"]
            row["tagged_time"] = row["created_time"]
        return row

    def _list_ratings(self, call: Call) -> Response:
        if not self.ratings_up_to or _version(call.version) > _version(self.ratings_up_to):
            raise Refusal(12, "(#12) Recommendation is deprecated for versions v22.0 and higher")
        rows = sorted(self.ratings, key=_when, reverse=True)
        return self._page(call, rows, self._rating_row, lambda rating: rating.story)

    def _rating_row(self, rating: Rating) -> dict[str, Any]:
        comments = [self._comment_row(each) for each in self.comments.values() if each.post == rating.story]
        story: dict[str, Any] = {"id": rating.story, "start_time": _time(rating.created)}
        if comments:
            kept = ("id", "from", "message", "created_time")
            story["comments"] = {"data": [{key: row[key] for key in kept if key in row} for row in comments]}
        return {
            "created_time": _time(rating.created),
            "has_rating": False,
            "has_review": bool(rating.text),
            "recommendation_type": "positive" if rating.positive else "negative",
            "review_text": rating.text,
            "reviewer": {"name": rating.author.name, "id": rating.author.id},
            "open_graph_story": story,
        }

    def _list_comments(self, call: Call) -> Response:
        if call.id in self.posts or any(rating.story == call.id for rating in self.ratings):
            rows = [each for each in self.comments.values() if each.post == call.id]
            if call.params.get("filter", "toplevel") == "toplevel":
                rows = [each for each in rows if not each.parent]
        else:
            rows = [each for each in self.comments.values() if each.parent == self._found(call.id).id]
        rows.sort(key=_when, reverse=call.params.get("order") == "reverse_chronological")
        summary = None
        if call.params.get("summary") in ("true", "1"):
            order = call.params.get("order", "chronological")
            summary = {"order": order, "total_count": len(rows), "can_comment": True}
        return self._page(call, rows, self._comment_row, lambda each: each.id, summary)

    def _comment_row(self, comment: Comment) -> dict[str, Any]:
        shop = comment.author == self.page
        answers = [each for each in self.comments.values() if each.parent == comment.id]
        query = {"comment_id": _bare(comment.parent or comment.id)}
        if comment.parent:
            query["reply_comment_id"] = _bare(comment.id)
        row: dict[str, Any] = {
            "id": comment.id,
            "message": comment.message,
            "created_time": _time(comment.created),
            "from": {"name": comment.author.name, "id": comment.author.id},
            "permalink_url": f"https://www.facebook.com/{PAGE_ID}/posts/{_bare(comment.post)}?{urlencode(query)}",
            "is_hidden": comment.hidden,
            "is_private": False,
            "can_comment": True,
            "can_hide": not shop,
            "can_remove": True,
            "can_reply_privately": not shop and not comment.written_to,
            "comment_count": len(answers),
            "like_count": int(comment.liked),
        }
        if comment.parent:
            row["parent"] = {"id": comment.parent}
        if comment.attachment is not None:
            row["attachment"] = comment.attachment
        if self.authors_hidden and not shop:
            del row["from"]
        return row

    def _create_comment(self, call: Call) -> Response:
        text = call.params.get("message", "")
        if not text:
            raise Refusal(100, "(#100) Missing message or attachment")
        is_story = any(rating.story == call.id for rating in self.ratings)
        target = None if call.id in self.posts or is_story else self._found(call.id)
        post = target.post if target else call.id
        made = self._comment(
            post, text, self.page, under=target.id if target else "", target=target.id if target else post
        )
        return self._json(_only(self._comment_row(made), call.params.get("fields", "id")))

    def _like(self, call: Call, liked: bool) -> Response:
        if call.id not in self.posts:
            self._found(call.id).liked = liked
        return self._json({"success": True})

    def _send_message(self, call: Call) -> Response:
        recipient = json.loads(call.params.get("recipient", "{}"))
        text = json.loads(call.params.get("message", "{}")).get("text", "")
        to = recipient.get("comment_id") or recipient.get("post_id") or ""
        if to in self.posts:
            created = self.posts[to].created
            done = any(message.to == to for message in self.messages)
        else:
            comment = self._found(to)
            to, created, done = comment.id, comment.created, comment.written_to
            comment.written_to = True
        if done:
            raise Refusal(10900, "(#10900) Activity already replied to")
        if self.clock() - created > timedelta(days=PRIVATE_REPLY_DAYS):
            raise Refusal(10, "(#10) This message is sent outside of allowed window.", 2018278)
        self.messages.append(Message(to, text))
        return self._json({"recipient_id": "6660001", "message_id": f"m_{len(self.messages)}"})

    def _get_object(self, call: Call) -> Response:
        fields = call.params.get("fields", "id,name,message,created_time")
        if call.id in (PAGE_ID, "me"):
            page = {
                "id": PAGE_ID,
                "name": PAGE_NAME,
                "is_published": True,
                "has_transitioned_to_new_page_experience": True,
                "overall_star_rating": 4.2,
                "rating_count": len(self.ratings),
                "unread_message_count": 2,
            }
            return self._json(_only(page, fields))
        if call.id in self.posts:
            return self._json(_only(self._post_row(self.posts[call.id]), fields))
        return self._json(_only(self._comment_row(self._found(call.id)), fields))

    def _update_comment(self, call: Call) -> Response:
        comment = self._found(call.id)
        if "message" in call.params:
            if comment.author != self.page:
                raise Refusal(200, "(#200) Permissions error")
            comment.message = call.params["message"]
        if "is_hidden" in call.params:
            if comment.author == self.page:
                raise Refusal(100, "(#100) You cannot hide your own comment")
            comment.hidden = call.params["is_hidden"] == "true"
        return self._json({"success": True})

    def _delete_comment(self, call: Call) -> Response:
        self.remove(self._found(call.id).id)
        return self._json({"success": True})

    def remove(self, id: str) -> None:
        """A comment with its answers, or a post with its comments, goes."""
        self.posts.pop(id, None)
        for key in [key for key, each in self.comments.items() if id in (key, each.parent, each.post)]:
            del self.comments[key]

    def _found(self, id: str) -> Comment:
        """Finds a comment by its whole or bare id."""
        found = self.comments.get(id) or next((each for each in self.comments.values() if _bare(each.id) == id), None)
        if found is None:
            raise Refusal(
                100,
                f"Unsupported request. Object with ID '{id}' does not exist or cannot be loaded",
                33,
            )
        return found

    def _page(
        self,
        call: Call,
        items: Sequence[Any],
        row: Callable[[Any], dict[str, Any]],
        key: Callable[[Any], str],
        summary: dict[str, Any] | None = None,
    ) -> Response:
        if call.token == self.person_token:
            items = []
        limit = min(int(call.params.get("limit", "25")), 100)
        start = 0
        if "after" in call.params:
            keys = [key(item) for item in items]
            try:
                start = keys.index(_uncursor(call.params["after"])) + 1
            except ValueError:
                raise Refusal(100, "(#100) Invalid cursors values") from None
        shown = items[start : start + limit]
        body: dict[str, Any] = {"data": [_only(row(item), call.params.get("fields", "")) for item in shown]}
        if shown:
            after = _cursor(key(shown[-1]))
            body["paging"] = {"cursors": {"before": _cursor(key(shown[0])), "after": after}}
            if start + limit < len(items):
                query = {**call.params, "access_token": call.token, "limit": str(limit), "after": after}
                body["paging"]["next"] = (
                    f"https://graph.facebook.com{call.request.url.path}?{urlencode(query, safe='{}(),')}"
                )
        if summary is not None:
            body["summary"] = summary
        return self._json(body)

    def _post(self, text: str, author: Person, *, edge: str = "feed", created: datetime | None = None) -> Post:
        self._number += 1
        owner = author.id if edge == "tagged" else PAGE_ID
        made = created or self.clock()
        post = Post(f"{owner}_222{self._number:06d}", text, made, made, author, edge)
        self.posts[post.id] = post
        return post

    def _comment(
        self,
        post: str,
        text: str,
        author: Person,
        *,
        under: str = "",
        target: str = "",
        attachment: dict[str, Any] | None = None,
    ) -> Comment:
        self._number += 1
        above = self.comments.get(under)
        comment = Comment(
            id=f"{_bare(post)}_900{self._number:06d}",
            post=post,
            message=text,
            created=self.clock(),
            author=author,
            # Facebook shows two levels: an answer to an answer hangs on the top-level comment.
            parent=(above.parent or above.id) if above else "",
            target=target,
            attachment=attachment,
        )
        self.comments[comment.id] = comment
        if post in self.posts:
            self.posts[post].updated = comment.created
        return comment

    def _is_announcement(self, post: Post) -> bool:
        return post.author == self.page and post.edge == "feed"

    def _person(self, name: str) -> Person:
        number = int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=5).digest(), "big")
        return Person(f"555{number}", name)

    def _json(self, value: Any) -> Response:
        return Response(_dump(value), media_type="application/json; charset=UTF-8")

    def _respond(self, refusal: Refusal) -> Response:
        response = Response(_dump(refusal.body), refusal.status, media_type="application/json; charset=UTF-8")
        kind = "invalid_token" if refusal.code == 190 else "invalid_request"
        response.headers["www-authenticate"] = f'OAuth "Facebook Platform" "{kind}" "{refusal}"'
        return response


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


def _time(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def _when(item: Any) -> datetime:
    created: datetime = item.created
    return created


def _bare(id: str) -> str:
    return id.rpartition("_")[2]


def _cursor(key: str) -> str:
    return urlsafe_b64encode(f"cursor:{key}".encode()).decode().rstrip("=")


def _uncursor(cursor: str) -> str:
    return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().removeprefix("cursor:")


def _version(text: str) -> float:
    return float(text.removeprefix("v"))


def _only(row: dict[str, Any], fields: str) -> dict[str, Any]:
    """Gives the fields that were asked for; without any the API gives a few, and the id always."""
    names = set(_names(fields)) | {"id"} if fields else {"id", "message", "created_time"}
    return {key: value for key, value in row.items() if key in names}


def _names(fields: str) -> Iterable[str]:
    """Gives the top-level names of a field expansion such as `id,parent{id},comments.limit(0)`."""
    depth, name = 0, ""
    for char in fields + ",":
        depth += (char in "{(") - (char in "})")
        if char == "," and depth == 0:
            yield re.split(r"[.{(]", name)[0].strip()
            name = ""
        else:
            name += char

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
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from reviewdesk.sandbox import CustomerText, Emulator, Fault, FaultKind, ShopReply
from reviewdesk_connectors.facebook.sandbox_page import PAGE_ID, PAGE_NAME, Comment, Message, Refusal, SandboxPage, bare

TOKEN_NAME = "REVIEWDESK_SANDBOX_FACEBOOK_TOKEN"  # noqa: S105 - the name of a variable
PRIVATE_REPLY_DAYS = 7
Answered = Callable[["Call"], Response]


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
        shop: the Page with its posts, comments and recommendations, and who writes them.
        ratings_up_to: the last version whose /ratings answers; "" for none.
        usage: percent of the Page's calls used, told in the headers where it is 1 or more.
        minutes: what the headers name as the wait, 0 for none.
        served: the version that answers; "" for the one asked for.
        token_type, scopes, target_pages, data_access_days: what debug_token tells; the days count from the beginning.
        app_secret: where set, every call needs its proof.
    """

    platform: ClassVar[str] = "facebook"
    token = "EAABsandboxPageToken"  # noqa: S105 - opens nothing but this emulator
    person_token = "EAABsandboxPersonToken"  # noqa: S105 - a valid token of the wrong kind
    app_id = "1112223334"

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(clock=clock)
        self.shop = SandboxPage(clock)
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
        self._began = clock()
        self.app_secret = ""
        self._refusals: list[str] = []
        self._listed: tuple[tuple[str, ...], list[Comment], dict[str, int]] | None = None

    def source(self, base: str) -> dict[str, Any]:
        """Gives a table for this Page."""
        return {"connector": "facebook", "page_id": PAGE_ID, "api": base, "token": f"env:{TOKEN_NAME}"}

    def secrets(self) -> dict[str, str]:
        """Gives the Page's token."""
        return {TOKEN_NAME: self.token}

    def write(self, words: CustomerText) -> str:
        """A customer comments on the shop's latest post."""
        latest = max((post for post in self.shop.posts.values() if self.shop.is_announcement(post)), key=when)
        return bare(self.shop.comment(latest.id, words.text, words.author).id)

    def answer(self, reply: ShopReply, words: CustomerText) -> str | None:
        """The customer goes on in the thread of the shop's reply."""
        shop = next((each for each in self.shop.comments.values() if bare(each.id) == reply.id), None)
        if shop is None:
            return None
        return bare(self.shop.comment(shop.post, words.text, words.author, under=shop.id).id)

    def shop_replies(self) -> Sequence[ShopReply]:
        """Gives what came by the API, with ids as the connector knows them."""
        return [
            ShopReply(
                id=bare(each.id),
                to=each.target if each.target in self.shop.posts else bare(each.target),
                text=each.message,
            )
            for each in self.shop.comments.values()
            if each.target
        ]

    def edit(self, id: str, text: str) -> None:
        """A customer changes a comment."""
        self.shop.found(id).message = text

    def delete(self, id: str) -> None:
        """A customer deletes a comment; its answers go with it."""
        self.shop.remove(self.shop.found(id).id)

    def mistime(self, id: str, written: str) -> None:
        """The API gives these characters for the time of a comment."""
        self.shop.found(id).told_time = written

    def refuse_next(self, words: str) -> None:
        """The next reply is refused for a link in it."""
        self._refusals.append(words)

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
        ends = self._began + timedelta(days=self.data_access_days)
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
        rows = sorted((post for post in self.shop.posts.values() if post.edge == edge), key=when, reverse=True)
        return self._page(
            call, rows, lambda post: self.shop.post_row(post, tagged=edge == "tagged"), lambda post: post.id
        )

    def _list_ratings(self, call: Call) -> Response:
        if not self.ratings_up_to or _version(call.version) > _version(self.ratings_up_to):
            raise Refusal(12, "(#12) Recommendation is deprecated for versions v22.0 and higher")
        rows = sorted(self.shop.ratings, key=when, reverse=True)
        return self._page(call, rows, self.shop.rating_row, lambda rating: rating.story)

    def _list_comments(self, call: Call) -> Response:
        rows, places = self._comments(call)
        summary = None
        if call.params.get("summary") in ("true", "1"):
            order = call.params.get("order", "chronological")
            summary = {"order": order, "total_count": len(rows), "can_comment": True}
        return self._page(call, rows, self.shop.comment_row, lambda each: each.id, summary, places)

    def _comments(self, call: Call) -> tuple[list[Comment], dict[str, int]]:
        """Gives the comments of a list in order, and where each id stands; kept for the list's other pages."""
        whole, order = call.params.get("filter", "toplevel"), call.params.get("order", "")
        asked = (call.id, whole, order, str(self.shop.version))
        if self._listed is None or self._listed[0] != asked:
            everything = self.shop.comments.values()
            if call.id in self.shop.posts or any(rating.story == call.id for rating in self.shop.ratings):
                rows = [each for each in everything if each.post == call.id]
                if whole == "toplevel":
                    rows = [each for each in rows if not each.parent]
            else:
                above = self.shop.found(call.id).id
                rows = [each for each in everything if each.parent == above]
            rows.sort(key=when, reverse=order == "reverse_chronological")
            self._listed = asked, rows, {each.id: place for place, each in enumerate(rows)}
        return self._listed[1:]

    def _create_comment(self, call: Call) -> Response:
        text = call.params.get("message", "")
        if not text:
            raise Refusal(100, "(#100) Missing message or attachment")
        if self._refusals:
            raise Refusal(1609005, f"(#1609005) {self._refusals.pop(0)}")
        is_story = any(rating.story == call.id for rating in self.shop.ratings)
        target = None if call.id in self.shop.posts or is_story else self.shop.found(call.id)
        post = target.post if target else call.id
        made = self.shop.add_comment(
            post, text, self.shop.owner, under=target.id if target else "", target=target.id if target else post
        )
        return self._json(_only(self.shop.comment_row(made), _asked(call.params.get("fields", "id"))))

    def _like(self, call: Call, liked: bool) -> Response:
        if call.id not in self.shop.posts:
            self.shop.found(call.id).liked = liked
        return self._json({"success": True})

    def _send_message(self, call: Call) -> Response:
        recipient = json.loads(call.params.get("recipient", "{}"))
        text = json.loads(call.params.get("message", "{}")).get("text", "")
        to = recipient.get("comment_id") or recipient.get("post_id") or ""
        if to in self.shop.posts:
            created = self.shop.posts[to].created
            done = any(message.to == to for message in self.shop.messages)
        else:
            comment = self.shop.found(to)
            to, created, done = comment.id, comment.created, comment.written_to
            comment.written_to = True
        if done:
            raise Refusal(10900, "(#10900) Activity already replied to")
        if self.clock() - created > timedelta(days=PRIVATE_REPLY_DAYS):
            raise Refusal(10, "(#10) This message is sent outside of allowed window.", 2018278)
        self.shop.messages.append(Message(to, text))
        return self._json({"recipient_id": "6660001", "message_id": f"m_{len(self.shop.messages)}"})

    def _get_object(self, call: Call) -> Response:
        fields = call.params.get("fields", "id,name,message,created_time")
        if call.id in (PAGE_ID, "me"):
            page = {
                "id": PAGE_ID,
                "name": PAGE_NAME,
                "is_published": True,
                "has_transitioned_to_new_page_experience": True,
                "overall_star_rating": 4.2,
                "rating_count": len(self.shop.ratings),
                "unread_message_count": 2,
            }
            return self._json(_only(page, _asked(fields)))
        if call.id in self.shop.posts:
            return self._json(_only(self.shop.post_row(self.shop.posts[call.id]), _asked(fields)))
        return self._json(_only(self.shop.comment_row(self.shop.found(call.id)), _asked(fields)))

    def _update_comment(self, call: Call) -> Response:
        comment = self.shop.found(call.id)
        if "message" in call.params:
            if comment.author != self.shop.owner:
                raise Refusal(200, "(#200) Permissions error")
            comment.message = call.params["message"]
        if "is_hidden" in call.params:
            if comment.author == self.shop.owner:
                raise Refusal(100, "(#100) You cannot hide your own comment")
            comment.hidden = call.params["is_hidden"] == "true"
        return self._json({"success": True})

    def _delete_comment(self, call: Call) -> Response:
        self.shop.remove(self.shop.found(call.id).id)
        return self._json({"success": True})

    def _page(
        self,
        call: Call,
        items: Sequence[Any],
        row: Callable[[Any], dict[str, Any]],
        key: Callable[[Any], str],
        summary: dict[str, Any] | None = None,
        places: Mapping[str, int] | None = None,
    ) -> Response:
        if call.token == self.person_token:
            items = []
        limit = min(int(call.params.get("limit", "25")), self.page_size or 100)
        start = 0
        if "after" in call.params:
            if places is None:
                places = {key(item): place for place, item in enumerate(items)}
            try:
                start = places[_uncursor(call.params["after"])] + 1
            except (KeyError, ValueError):
                raise Refusal(100, "(#100) Invalid cursors values") from None
        shown = items[start : start + limit]
        names = _asked(call.params.get("fields", ""))
        body: dict[str, Any] = {"data": [_only(row(item), names) for item in shown]}
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

    def _json(self, value: Any) -> Response:
        return Response(_dump(value), media_type="application/json; charset=UTF-8")

    def _respond(self, refusal: Refusal) -> Response:
        response = Response(_dump(refusal.body), refusal.status, media_type="application/json; charset=UTF-8")
        kind = "invalid_token" if refusal.code == 190 else "invalid_request"
        response.headers["www-authenticate"] = f'OAuth "Facebook Platform" "{kind}" "{refusal}"'
        return response


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


def when(item: Any) -> datetime:
    """Gives the time by which lists are ordered."""
    created: datetime = item.created
    return created


def _cursor(key: str) -> str:
    return urlsafe_b64encode(f"cursor:{key}".encode()).decode().rstrip("=")


def _uncursor(cursor: str) -> str:
    return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().removeprefix("cursor:")


def _version(text: str) -> float:
    return float(text.removeprefix("v"))


def _asked(fields: str) -> set[str]:
    """Gives the names of the fields that were asked for; without any the API gives a few, and the id always."""
    return {*_names(fields), "id"} if fields else {"id", "message", "created_time"}


def _only(row: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
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

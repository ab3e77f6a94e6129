"""Recorded exchanges, replayed through the real connector."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from reviewdesk.connector import BadAnswer, Kind, Mention, RateLimited
from reviewdesk.sandbox import serve
from reviewdesk_connectors.reddit.sandbox import RedditEmulator

RECORDINGS = Path(__file__).parents[4] / "shared/real/reddit"
pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="the recorded exchanges are not at ../shared/real/reddit"
)


class Replay(RedditEmulator):
    """Answers with what was recorded: the token first, everything else with the second exchange."""

    def __init__(self, name: str, clock) -> None:
        super().__init__(clock=clock)
        self.token, self.recorded = (
            each["response"] for each in json.loads((RECORDINGS / name).read_text(encoding="utf-8"))["interactions"]
        )

    def routes(self) -> Sequence[BaseRoute]:
        async def token(request: Request) -> Response:
            return self.play(self.token)

        async def recorded(request: Request) -> Response:
            return self.play(self.recorded)

        return [
            Route("/api/v1/access_token", token, methods=["POST"]),
            Route("/{path:path}", recorded, methods=["GET", "POST"]),
        ]

    @staticmethod
    def play(answer: dict[str, Any]) -> Response:
        kept = ("retry-after", "x-ratelimit-used", "x-ratelimit-remaining", "x-ratelimit-reset", "content-type")
        headers = {
            name.lower(): value[0] if isinstance(value, list) else value
            for name, value in answer["headers"].items()
            if name.lower() in kept
        }
        return Response(answer["body"]["string"].encode(), answer["status"]["code"], headers)

    @property
    def body(self) -> Any:
        return json.loads(self.recorded["body"]["string"])


@pytest.fixture
async def replay(clock, monkeypatch, make):
    """Serves a recording and makes connectors to it."""
    stack = []

    def start(name: str, **changes: Any):
        emulator = Replay(name, clock)
        context = serve(emulator)
        served = context.__enter__()
        stack.append(context)
        return emulator, make(oauth_url=served.base, reddit_url=served.base, **changes)

    yield start
    for context in stack:
        context.__exit__(None, None, None)


async def test_a_hundred_recorded_comments_come_in_once_each_with_every_field(replay, clock):
    clock.now = datetime(2020, 7, 10, 23, 46, tzinfo=UTC)
    emulator, connector = replay(
        "TestSubredditListings.test_comments.json", mentions=False, subreddits=["askreddit"], first_days=0
    )
    walk = connector.poll(None)
    first = await anext(walk)
    await walk.aclose()
    recorded = {child["data"]["name"]: child["data"] for child in emulator.body["data"]["children"]}
    assert len(recorded) == len(first.mentions) == 100
    assert not first.set_aside
    for mention in first.mentions:
        data = recorded[mention.id]
        assert mention.kind is Kind.COMMENT
        assert mention.raw == data
        assert mention.text == data["body"]
        assert mention.author.name == data["author"]
        assert mention.author.id == data["author_fullname"]
        assert mention.created_at == datetime.fromtimestamp(data["created_utc"], UTC)
        assert mention.title == data["link_title"]
        assert mention.thread_id == data["link_id"]
        assert mention.parent_id == data["parent_id"]
        assert mention.url == "https://www.reddit.com" + data["permalink"]
        assert mention.fields["subreddit"] == "r/AskReddit"
    assert connector.context.budget.used == pytest.approx(6 / 600)


async def test_the_same_recorded_page_again_and_again_ends(replay, clock, store):
    _, connector = replay("TestSubredditListings.test_comments.json", mentions=False, subreddits=["askreddit"])
    clock.now = datetime(2020, 7, 10, 23, 46, tzinfo=UTC)
    with pytest.raises(BadAnswer, match="lead back to themselves"):
        await store.poll(connector)
    assert len(store.mentions) == 100


async def test_the_recorded_reply_is_a_posted_reply(replay):
    _, connector = replay("TestComment.test_reply.json")
    mention = Mention(id="t1_fx1ec2p", kind=Kind.COMMENT)
    reply = await connector.reply(mention, "Comment reply", "k")
    assert reply.id == "t1_fx1ie8s"
    assert reply.text == "Comment reply"
    assert reply.visible
    assert reply.posted_at == datetime.fromtimestamp(1593988097, UTC)
    assert reply.url == "https://www.reddit.com/r/Lil_SpazJoekp/comments/gx8r8z/test/fx1ie8s/"


async def test_the_recorded_429_is_a_wait_of_four_seconds(replay, clock, store):
    _, connector = replay("TestSession.test_request__too__many_requests__with_retry_headers.json")
    with pytest.raises(RateLimited) as caught:
        await store.poll(connector)
    assert (caught.value.until - clock.now).total_seconds() == 4


async def test_a_recorded_answer_saved_to_a_file_is_imported(make, tmp_path):
    recorded = json.loads((RECORDINGS / "TestSubredditListings.test_comments.json").read_text(encoding="utf-8"))
    saved = tmp_path / "comments.json"
    saved.write_text(recorded["interactions"][1]["response"]["body"]["string"], encoding="utf-8")
    [batch] = [batch async for batch in make().import_file(saved)]
    assert len(batch.mentions) == batch.total == 100

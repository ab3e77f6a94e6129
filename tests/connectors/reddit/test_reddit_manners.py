"""What PRAW does by itself, and what it may not do here."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import praw
import pytest
from praw.config import Config
from starlette.responses import Response
from starlette.routing import Route

from reviewdesk.connector import (
    AuthFailed,
    BadAnswer,
    ConnectorError,
    Context,
    Exchange,
    MissingSecret,
    RateLimited,
    Unreachable,
)
from reviewdesk.sandbox import CustomerText, Fault, FaultKind, serve
from reviewdesk_connectors.reddit import client as client_module
from reviewdesk_connectors.reddit import session
from reviewdesk_connectors.reddit.allowance import Allowance
from reviewdesk_connectors.reddit.client import Client, wait_in
from reviewdesk_connectors.reddit.sandbox import RedditEmulator
from reviewdesk_connectors.reddit.settings import RedditSettings


def write(emulator, text="Kde je balík?"):
    return emulator.write(CustomerText(author="jana_k", text=text, language="cs"))


async def test_a_long_wait_is_told_and_not_slept(make, emulator, store, clock):
    write(emulator)
    connector = make(mentions=False)
    emulator.use_up()
    with pytest.raises(RateLimited) as caught:
        await store.poll(connector)
    assert caught.value.until is not None
    assert timedelta(seconds=595) < caught.value.until - clock.now <= timedelta(seconds=600)
    sent = len(emulator.requests)
    with pytest.raises(RateLimited, match="used up"):
        await store.poll(connector)
    assert len(emulator.requests) == sent, "nothing is sent before the time"
    assert connector.context.budget.used == 1.0 or connector.context.budget.note.startswith("0 of")


async def test_a_short_wait_is_waited_in_the_event_loop(make, emulator, store, monkeypatch):
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    connector = make(mentions=False)
    await store.poll(connector)
    emulator.faults.append(Fault(kind=FaultKind.RATE_LIMIT, seconds=12))
    with pytest.raises(RateLimited):
        await store.poll(connector)
    monkeypatch.setattr(session.asyncio, "sleep", sleep)
    name = write(emulator)
    await store.poll(connector)
    assert name in store.mentions
    assert 11 < waited[0] <= 12


async def test_reading_leaves_the_last_calls_to_replies(make, emulator, store, clock):
    write(emulator)
    connector = make(mentions=False)
    await store.poll(connector)
    emulator._used = emulator.allowance - 4
    mention = next(iter(store.mentions.values()))
    await connector.reply(mention, "Omlouváme se.", "k")
    with pytest.raises(RateLimited):
        await store.poll(connector)
    await connector.reply(mention, "Ještě jednou.", "k2")


@pytest.mark.parametrize(("seconds", "told"), [(90, 90), (0, None)])
async def test_a_429_is_told_with_its_time(make, emulator, store, clock, seconds, told):
    emulator.faults.append(Fault(kind=FaultKind.RATE_LIMIT, match="/comments/", seconds=seconds, times=-1))
    with pytest.raises(RateLimited) as caught:
        await store.poll(make())
    assert caught.value.until == (None if told is None else clock.now + timedelta(seconds=told))


async def test_no_update_is_looked_for(make, emulator, store, monkeypatch):
    def ask(**_):
        raise AssertionError("asked for updates")

    monkeypatch.setattr("praw.reddit.update_check", ask)
    monkeypatch.setattr(praw.Reddit, "update_checked", False)
    monkeypatch.setenv("praw_check_for_updates", "1")
    await store.poll(make())


async def test_neither_a_file_nor_the_environment_decides_anything(make, emulator, store, monkeypatch, tmp_path):
    (tmp_path / "praw.ini").write_text(
        "[DEFAULT]\noauth_url=http://127.0.0.1:1\nreddit_url=http://127.0.0.1:1\nusername=evil\npassword=evil\n"
        "refresh_token=evil\nclient_secret=evil\ncheck_for_async=true\nratelimit_seconds=600\ncomment_kind=t9\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Config, "CONFIG", None)
    monkeypatch.setenv("PRAW_ALLOW_ENDPOINT_OVERRIDE", "1")
    for name in ("client_id", "client_secret", "username", "password", "refresh_token", "user_agent", "site"):
        monkeypatch.setenv(f"praw_{name}", "evil")
    name = write(emulator)
    connector = make()
    await store.poll(connector)
    await connector.reply(store.mentions[name], "Omlouváme se.", "k")
    assert len(emulator.shop_replies()) == 1
    read_only = make(username=None, password=None)
    await store.poll(read_only)
    assert all(b"evil" not in seen.body for seen in emulator.requests)


async def test_a_proxy_and_a_netrc_do_not_come_in_between(make, emulator, store, monkeypatch, tmp_path):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login evil password evil\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    write(emulator)
    await store.poll(make())
    for seen in emulator.requests:
        assert (
            seen.headers["authorization"]
            .lower()
            .startswith("basic" if seen.path == "/api/v1/access_token" else "bearer")
        )


async def test_where_proxies_count_a_netrc_still_does_not_replace_the_token(
    make, emulator, store, monkeypatch, tmp_path
):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login evil password evil\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr(RedditSettings, "on_loopback", False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    name = write(emulator)
    await store.poll(make())
    assert name in store.mentions


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_leads_neither_the_password_nor_the_token_away(make, emulator, store, status, monkeypatch):
    async def move(request):
        return Response(status_code=status, headers={"location": thief.base + request.url.path})

    class Moved(RedditEmulator):
        def routes(self):
            return [Route("/{path:path}", move, methods=["GET", "POST"])]

    class TokenOnly(RedditEmulator):
        def routes(self):
            return [super().routes()[0], *Moved.routes(self)]

    with serve(emulator_of_thief := RedditEmulator()) as thief:
        for kind in (Moved, TokenOnly):
            with serve(kind()) as moved, pytest.raises(ConnectorError):
                await store.poll(make(oauth_url=moved.base, reddit_url=moved.base))
    assert not emulator_of_thief.requests


async def test_the_user_agent_says_who_asks(make, emulator, store):
    await store.poll(make())
    assert emulator.requests[0].headers["user-agent"].startswith("linux:reviewdesk-sandbox:1.0 (by /u/desk_shop) PRAW/")


async def test_plain_data_comes_out_of_the_thread_and_nothing_more_is_asked(make, emulator, store):
    write(emulator)
    connector = make(mentions=False)
    await store.poll(connector)
    assert [seen.path for seen in emulator.requests] == [
        "/api/v1/access_token",
        "/r/eshopy/comments/",
        "/r/eshopy/new",
    ]
    for mention in store.mentions.values():
        assert type(mention.raw) is dict
    reply = await connector.reply(next(iter(store.mentions.values())), "Dobrý den", "k")
    assert emulator.requests[-1].path == "/api/comment/"
    assert type(reply.text) is str


async def test_everything_of_an_account_runs_in_one_thread_beside_the_loop(make, emulator, store):
    import threading

    connector = make()
    threads = set()
    await asyncio.gather(
        *(connector.account.call(lambda client: threads.add(threading.get_ident()), emulator.clock) for _ in range(8))
    )
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_the_loop_goes_on_while_reddit_is_slow(make, emulator, store):
    emulator.faults.append(Fault(kind=FaultKind.SLOW, match="/comments/", seconds=0.4))
    poll = asyncio.ensure_future(store.poll(make(mentions=False)))
    longest, last = 0.0, time.monotonic()
    while not poll.done():
        await asyncio.sleep(0.01)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    await poll
    assert longest < 0.35


def test_importing_the_connector_does_not_import_praw():
    program = (
        "import sys, reviewdesk_connectors.reddit.connector as c, reviewdesk_connectors.reddit.sandbox;"
        "print([name for name in ('praw', 'prawcore', 'requests', 'urllib3') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_guide_says_that_access_must_be_approved():
    guide = (Path(__file__).parents[3] / "docs/platforms/reddit.md").read_text(encoding="utf-8")
    assert "approv" in guide
    assert "contract" in guide
    assert "approval" in client_module.RENEW


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "unknown"}, AuthFailed),
        ({"username": "somebody_else"}, AuthFailed),
        ({"password": None, "refresh_token": "dead-token"}, AuthFailed),
    ],
)
async def test_dead_credentials_are_told(make, emulator, store, changes, error):
    with pytest.raises(error, match=r"Check client_id") as caught:
        await store.poll(make(**changes))
    assert "sandbox-" not in str(caught.value)


async def test_a_missing_secret_names_its_variable(make, emulator, store, monkeypatch):
    monkeypatch.delenv("REVIEWDESK_SANDBOX_REDDIT_PASSWORD")
    with pytest.raises(MissingSecret, match="REVIEWDESK_SANDBOX_REDDIT_PASSWORD"):
        await store.poll(make())


@pytest.mark.parametrize("kind", [FaultKind.LOGIN_PAGE, FaultKind.CUT, FaultKind.LOST, FaultKind.DROPPED])
@pytest.mark.parametrize("where", ["/access_token", "/comments/"])
async def test_rubbish_keeps_the_cursor_and_is_one_sentence(make, emulator, store, kind, where):
    connector = make(mentions=False)
    emulator.faults.append(Fault(kind=kind, match=where, times=-1))
    with pytest.raises(ConnectorError) as caught:
        await store.poll(connector)
    assert isinstance(caught.value, BadAnswer if kind is FaultKind.LOGIN_PAGE else Unreachable)
    assert "\n" not in caught.value.sentence
    assert not any("comments/" in key for key in (store.cursor or {}).get("marks", {}))


async def test_an_answer_without_measure_is_not_read_whole(make, emulator, store, monkeypatch):
    monkeypatch.setattr(client_module, "MAX_BYTES", 1000)
    for number in range(5):
        write(emulator, f"stížnost {number}")
    with pytest.raises(Unreachable):
        await store.poll(make(mentions=False))


async def test_secrets_and_customers_words_stay_out_of_the_logs(make, emulator, store, caplog):
    caplog.set_level(logging.DEBUG)
    name = write(emulator)
    connector = make()
    await store.poll(connector)
    await connector.reply(store.mentions[name], "Vaše objednávka 123", "k")
    for word in ("Vaše objednávka", emulator.PASSWORD, emulator.CLIENT_SECRET, *emulator._tokens):
        assert word not in caplog.text


def test_a_token_that_was_issued_is_struck_from_texts(make, emulator):
    from reviewdesk.secrets import redact

    connector = make()
    client = Client(connector.config, emulator.clock, private_network=True)
    client.scopes()
    client.close()
    [token] = emulator._tokens
    assert token not in redact(f"bearer {token}")


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, 0),
        ({"x-ratelimit-remaining": "598.0", "x-ratelimit-used": "2", "x-ratelimit-reset": "600"}, 0),
        ({"x-ratelimit-remaining": "0.0", "x-ratelimit-used": "600", "x-ratelimit-reset": "17"}, 17),
        ({"x-ratelimit-remaining": "0.0"}, 0),
        ({"x-ratelimit-remaining": "nan", "x-ratelimit-used": "?", "x-ratelimit-reset": "-5"}, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-used": "1", "x-ratelimit-reset": "1e300"}, 7 * 86400),
    ],
)
def test_the_wait_is_read_from_the_headers(headers, wait):
    assert Allowance().told(200, headers).wait(reserve=0) == pytest.approx(wait, abs=1)


def test_what_is_left_is_told_as_far_as_it_is_known():
    now = datetime(2026, 11, 23, tzinfo=UTC)
    headers = {"x-ratelimit-remaining": "598.0", "x-ratelimit-used": "2", "x-ratelimit-reset": "600"}
    counted = Allowance().told(200, headers)
    assert counted.budget(now).note == "598 of 600 calls left for 600 s"
    for before in (Allowance(), counted):
        budget = before.told(429, {"retry-after": "17"}).budget(now)
        assert (budget.note, budget.used) == ("no calls left for 17 s", 1.0)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("please wait 4 second(s) and try again", 4),
        ("in 14 minutes.", 840),
        ("", None),
        (None, None),
        ("12 monkeys", None),
    ],
)
def test_a_wait_in_words(words, seconds):
    assert wait_in(words) == seconds


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Exchange]:
    """What the desk is told of each request."""
    heard: list[Exchange] = []
    real = Context.__init__

    def observed(self, *args, **more):
        real(self, *args, **more, observer=heard.append)

    monkeypatch.setattr(Context, "__init__", observed)
    return heard


async def test_each_request_is_reported_without_secrets(told, make, emulator, store):
    write(emulator)
    await store.poll(make())
    assert [each.method for each in told if "access_token" in each.url] == ["POST"]
    reads = [each for each in told if each.method == "GET"]
    assert len(told) == len(emulator.requests)
    assert all(each.status == 200 and each.bytes and not each.fault for each in reads)
    assert any("limit=100" in each.url for each in reads), "what was asked for can be seen"
    assert not [secret for secret in emulator.secrets().values() if secret in repr(told)]


async def test_a_request_without_an_answer_is_reported_with_its_fault(told, make, emulator, store, monkeypatch):
    monkeypatch.setattr(session, "READ_AGAIN_AFTER", ())
    emulator.faults.append(Fault(kind=FaultKind.DROPPED, match="GET ", times=-1))
    with pytest.raises(Unreachable):
        await store.poll(make())
    assert (told[-1].method, told[-1].status) == ("GET", 0)
    assert told[-1].fault

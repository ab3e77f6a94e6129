from __future__ import annotations

import msgspec
import pytest

from reviewdesk.connector import Level, Secret
from reviewdesk.sandbox import Fault, FaultKind
from reviewdesk_connectors.reddit import checkup
from reviewdesk_connectors.reddit.sandbox import RedditEmulator
from reviewdesk_connectors.reddit.settings import RedditSettings

GOOD = {"client_id": "abc", "user_agent": "linux:shop-desk:1.0 (by /u/shop)", "subreddits": ["czech"]}


def read(**changes) -> RedditSettings:
    table = {key: value for key, value in (GOOD | changes).items() if value is not None}
    return msgspec.convert(table, RedditSettings, dec_hook=lambda _, value: Secret(value))


def test_the_least_that_works():
    assert not read().signs_in


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"user_agent": ""}, "user_agent must say who asks"),
        ({"user_agent": "      "}, "user_agent must say who asks"),
        ({"user_agent": "linux:desk:1.0\r\nX-Evil: 1"}, "user_agent must say who asks"),
        ({"user_agent": "linux:náš-obchod:1.0"}, "plain ASCII"),
        ({"client_id": " "}, "client_id is blank"),
        ({"subreddits": ["r/czech"]}, "write it without r/"),
        ({"subreddits": ["czech/../../api"]}, "no community's name"),
        ({"domains": ["https://shop.example/"]}, "no domain"),
        ({"subreddits": None}, "nothing to listen to"),
        ({"search": [" "]}, "blank words"),
        ({"password": "env:X"}, "username and client_secret"),
        ({"username": "shop"}, "refresh_token, or a password"),
        ({"username": "shop", "client_secret": "env:S", "password": "env:X", "refresh_token": "env:Y"}, "not both"),
        ({"oauth_url": "http://evil.example"}, "https"),
        ({"oauth_url": "ftp://127.0.0.1"}, "https"),
        ({"first_days": -1}, "first_days"),
        ({"subredits": ["czech"]}, "subredits"),
    ],
)
def test_each_mistake_has_its_sentence(changes, words):
    with pytest.raises(msgspec.ValidationError, match=words):
        read(**changes)


async def test_the_checkup_of_a_healthy_source(make, emulator):
    findings = await make().check()
    assert {finding.level for finding in findings} == {Level.OK}
    assert any("u/desk_shop" in finding.sentence for finding in findings)
    assert any("r/eshopy can be read" in finding.sentence for finding in findings)
    assert any("calls left" in finding.sentence for finding in findings)


async def faults(connector) -> str:
    return " ".join(each.sentence + each.hint for each in await connector.check() if each.level is Level.FAULT)


async def test_the_checkup_finds_a_misspelt_community_among_good_ones(make):
    assert "r/neni_tady" in await faults(make(subreddits=["eshopy", "neni_tady"]))


async def test_the_checkup_finds_missing_scopes(make, emulator):
    emulator.scopes = "identity read"
    told = await faults(make())
    assert "submit, edit, history, privatemessages" in told
    emulator.scopes = "read"


async def test_the_checkup_finds_a_placeholder(make):
    assert "placeholder" in await faults(make(user_agent="<platform>:<app ID>:<version>"))


async def test_the_checkup_of_a_platform_in_trouble_is_a_warning(make, emulator):
    emulator.faults.append(Fault(kind=FaultKind.SERVER_ERROR, times=-1, status=502))
    [finding] = await make().check()
    assert (finding.level, finding.sentence) == (Level.WARNING, "Reddit is in trouble (502).")


async def test_the_checkup_warns_of_reading_only(make):
    findings = await make(username=None, password=None).check()
    assert [each.level for each in findings if "only read" in each.sentence] == [Level.WARNING]


async def test_the_checkup_finds_the_wrong_account(make, emulator):
    connector = make(username="another", password=None, refresh_token=emulator.REFRESH_TOKEN)
    assert "u/desk_shop" in await faults(connector)


async def test_the_checkup_tells_dead_credentials_and_missing_secrets(make, emulator, monkeypatch):
    assert "approval" in await faults(make(client_id="unknown"))
    monkeypatch.delenv("REVIEWDESK_SANDBOX_REDDIT_SECRET")
    assert "REVIEWDESK_SANDBOX_REDDIT_SECRET" in await faults(make(client_id="other"))


def test_the_example_user_agent_is_a_placeholder_and_the_sandboxs_is_not():
    assert checkup._PLACEHOLDER.search("linux:my-shop-desk:1.0 (by /u/our_account)")
    assert not checkup._PLACEHOLDER.search(RedditEmulator().source("http://127.0.0.1")["user_agent"])

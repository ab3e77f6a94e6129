"""The emulated portal over real HTTP: the same reviews through each of its feeds, answered and found again."""

import json
from datetime import timedelta

import msgspec
import pytest

from reviewdesk.connector import AuthFailed, BadAnswer, RateLimited, ReplyMode, Unreachable
from reviewdesk.sandbox import CustomerText, Fault, FaultKind, serve
from reviewdesk_connectors.feed.sandbox import FeedEmulator

EXPORTS = ("xml", "json", "jsonl", "csv")
VARIANTS = (*EXPORTS, "rss", "atom", "json_feed")
WORDS = [
    CustomerText(author="Олена", text="Посилка запізнилась на тиждень.", language="uk", rating=1, cons=("доставка",)),
    CustomerText(author="Łukasz", text="Świetny sklep, polecam & pozdrawiam <3", language="pl", rating=5,
                 title="Super"),
    CustomerText(author="Jörg", text="Ware kaputt;\n\"nie wieder\"", language="de", rating=2.5, order_id="A-7",
                 pros=("Preis", "Größe")),
    CustomerText(author="[bold]Jana", text="=HYPERLINK(1) \x1b[31m ]]> &nbsp; příšerný", language="cs", title="x"),
]  # fmt: skip


@pytest.fixture
def portal(clock, monkeypatch):
    emulator = FeedEmulator(clock=clock)
    for name, value in emulator.secrets().items():
        monkeypatch.setenv(name, value)
    for words in WORDS:
        emulator.write(words)
        clock.pass_by(minutes=1)
    with serve(emulator) as running:
        yield running


def source(feed, portal, variant="xml", **more):
    portal.emulator.variant = variant
    return feed(portal.emulator.source(portal.base) | more)


@pytest.mark.parametrize("variant", VARIANTS)
async def test_every_feed_of_the_portal_tells_the_same(feed, poll, portal, variant):
    told = await poll(source(feed, portal, variant))
    assert told.ids == ["r-1004", "r-1003", "r-1002", "r-1001"]
    assert told.set_aside == []
    by_id = {mention.id: mention for mention in told.mentions}
    assert by_id["r-1001"].text == WORDS[0].text
    assert by_id["r-1002"].text == WORDS[1].text
    assert by_id["r-1003"].author is not None
    assert by_id["r-1003"].author.name == "Jörg"
    assert by_id["r-1001"].created_at == portal.emulator.reviews[0].created_at
    if variant in EXPORTS:
        ratings = [by_id[f"r-{number}"].rating for number in (1001, 1002, 1003, 1004)]
        assert ratings == [1, 5, pytest.approx(2.5, abs=0.03), None]
        assert (by_id["r-1003"].pros, by_id["r-1003"].order_id) == (("Preis", "Größe"), "A-7")


@pytest.mark.parametrize("variant", EXPORTS)
async def test_an_answer_by_hand_is_in_the_next_export(feed, poll, portal, clock, variant):
    connector = source(feed, portal, variant)
    assert connector.capabilities.reply is ReplyMode.HAND_OFF
    first = await poll(connector)
    assert (await poll(connector, first.cursor)).mentions == []
    mention = next(each for each in first.mentions if each.id == "r-1001")
    assert connector.reply_page(mention) == f"{portal.base}/admin/reviews/r-1001"
    assert await connector.find_reply(mention, "Перепрошуємо!", clock()) is None
    portal.emulator.hand_off("r-1001", "Перепрошуємо!")
    second = await poll(connector, first.cursor)
    [reply] = [each for each in second.mentions if each.ours]
    assert (reply.id, reply.parent_id, reply.text) == ("r-1001:reply", "r-1001", "Перепрошуємо!")
    found = await connector.find_reply(mention, "Перепрошуємо!", clock() - timedelta(hours=1))
    assert found is not None
    assert [each.text for each in portal.emulator.shop_replies()] == ["Перепрошуємо!"]


async def test_a_customer_goes_on_in_the_same_thread(feed, poll, portal):
    portal.emulator.hand_off("r-1001", "Sorry")
    added = portal.emulator.answer(portal.emulator.shop_replies()[0], WORDS[1])
    for variant in ("xml", "json"):
        told = {each.id: each for each in (await poll(source(feed, portal, variant))).mentions}
        assert (told[added].thread_id, told[added].parent_id) == ("r-1001", "r-1001")


@pytest.mark.parametrize(
    "paging",
    [
        {"style": "page", "size": 2, "size_parameter": "limit"},
        {"style": "offset", "size": 3, "size_parameter": "limit"},
        {"style": "cursor", "next": "paging.cursor", "size": 1, "size_parameter": "limit"},
        {"style": "next", "next": "paging.next", "size": 2, "size_parameter": "limit"},
        {"style": "link", "size": 2, "size_parameter": "limit"},
    ],
)
async def test_the_portals_pages(feed, poll, portal, paging):
    told = await poll(source(feed, portal, "json", paging=paging))
    assert told.ids == ["r-1004", "r-1003", "r-1002", "r-1001"]
    assert all("portal-key" not in request.path for request in portal.emulator.requests)
    assert "portal-key" not in json.dumps([batch.cursor for batch in told.batches])


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(kind=FaultKind.EXPIRED_TOKEN), AuthFailed), (Fault(kind=FaultKind.RATE_LIMIT, seconds=9), RateLimited),
        (Fault(kind=FaultKind.SERVER_ERROR, times=-1), Unreachable), (Fault(kind=FaultKind.CUT, times=-1), Unreachable),
        (Fault(kind=FaultKind.DROPPED, times=-1), Unreachable), (Fault(kind=FaultKind.LOGIN_PAGE), BadAnswer),
    ],
)  # fmt: skip
@pytest.mark.parametrize("variant", ["xml", "csv", "rss"])
async def test_faults_of_the_portal_lose_nothing(feed, poll, portal, fault, error, variant):
    connector = source(feed, portal, variant)
    portal.emulator.faults.append(msgspec.structs.replace(fault))
    with pytest.raises(error):
        await poll(connector)
    portal.emulator.faults.clear()
    assert len((await poll(connector)).mentions) == 4


async def test_a_fault_that_passes_at_once_is_not_noticed(feed, poll, portal):
    portal.emulator.faults.append(Fault(kind=FaultKind.CUT))
    assert len((await poll(source(feed, portal))).mentions) == 4


async def test_a_wrong_key_is_told_as_such(feed, poll, portal, monkeypatch):
    monkeypatch.setenv("REVIEWDESK_SANDBOX_FEED_KEY", "wrong-key")
    with pytest.raises(AuthFailed):
        await poll(source(feed, portal))


async def test_a_deleted_review_is_gone_from_a_complete_export(feed, poll, portal):
    connector = source(feed, portal, complete=True)
    first = await poll(connector)
    portal.emulator.delete("r-1002")
    assert (await poll(connector, first.cursor)).gone == ["r-1002"]


async def test_all_is_well_with_the_portal(feed, portal):
    findings = await source(feed, portal, "json").check()
    assert findings[0].sentence.startswith("4 of 4 items")

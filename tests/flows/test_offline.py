"""Without a network everything works but the network; when it is back, nothing is sent unseen and nobody is stormed."""

from __future__ import annotations

import socket
from collections import Counter
from datetime import timedelta

import pytest

from reviewdesk.cli.narrate import Narrator
from reviewdesk.desk.poll import Outcome, poll_round
from reviewdesk.desk.triage import Triage
from reviewdesk.errors import Unreachable
from reviewdesk.model import DeliveryState, Status
from reviewdesk.store.records import Filter, View
from tests.flows.street import Street

PLATFORMS = ("facebook", "feed", "heureka", "reddit")


class Network:
    """The cable, which can be pulled out."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.there = True
        self.tried = 0
        connect = socket.socket.connect

        def through(sock: socket.socket, address: object) -> None:
            if not self.there and sock.family in (socket.AF_INET, socket.AF_INET6):
                self.tried += 1
                raise OSError(101, "Network is unreachable")
            connect(sock, address)  # type: ignore[arg-type]

        patch.setattr(socket.socket, "connect", through)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    return Network(monkeypatch)


@pytest.fixture
def shop(street, network: Network, monkeypatch: pytest.MonkeyPatch) -> Street:
    monkeypatch.setattr("reviewdesk_connectors.reddit.session.READ_AGAIN_AFTER", (0, 0))
    return street(*PLATFORMS)


def requests(shop: Street) -> Counter[str]:
    return Counter({platform: len(shop.emulator(platform).requests) for platform in PLATFORMS})


async def test_reading_searching_triage_drafts_and_the_queue_need_no_network(shop: Street, network: Network) -> None:
    ids = {platform: shop.write(platform, rating=1.0) for platform in PLATFORMS}
    await shop.poll()
    network.there = False
    mention = shop.stored("facebook", ids["facebook"]).id
    assert shop.run("list", "--search", "rozbity")[0] == 0
    assert shop.store.mentions.count(Filter(search="rozbity", view=View.COMPLAINTS)) == len(PLATFORMS)
    assert shop.store.mentions.conversation(mention).focus.id == mention
    Triage(shop.store, "jana").close([shop.stored("feed", ids["feed"]).id])
    assert shop.stored("feed", ids["feed"]).status is Status.CLOSED
    shop.store.outbox.save_draft(mention, "jana", "Rozepsáno")
    assert [each.text for each in shop.store.outbox.drafts(mention)] == ["Rozepsáno"]
    reply = shop.reply("facebook", ids["facebook"])
    assert network.tried == 0, "none of it has even asked"
    for _ in range(3):
        (told,) = await shop.deliver()
        assert (told.state, shop.state(reply)) == (DeliveryState.QUEUED, DeliveryState.QUEUED)
        shop.clock.forward(hours=2)
    network.there = True
    assert [each.state for each in await shop.deliver()] == [DeliveryState.POSTED]
    assert shop.texts("facebook") == [reply.text]


async def test_on_return_the_guard_looks_before_anything_goes_out(shop: Street, network: Network) -> None:
    id = shop.write("reddit")
    await shop.poll("reddit")
    network.there = False
    reply = shop.reply("reddit", id)
    await shop.deliver()
    shop.emulator("reddit").edit(id, "Už je to vyřízeno, děkuji!")
    shop.clock.forward(hours=9)
    network.there = True
    (told,) = await shop.deliver()
    assert (told.state, shop.state(reply), shop.texts("reddit")) == (DeliveryState.HELD, DeliveryState.HELD, [])


async def test_an_outage_is_one_line_and_its_end_is_one(
    shop: Street, network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    async def cron() -> str:
        with Narrator(as_json=False, quiet=True, terminal=False) as narrator:
            await poll_round(shop.config, shop.store, now=True, tell=narrator)
        return capsys.readouterr().err

    assert await cron() == ""
    network.there = False
    line = await cron()
    assert line.startswith("facebook, feed, heureka, reddit: out of reach; is there a network?")
    assert line.count("\n") == 1
    assert await cron() == "", "once"
    network.there = True
    assert await cron() == "facebook, feed, heureka, reddit: work again.\n"


async def test_a_long_outage_ends_without_a_storm_and_with_everything(shop: Street, network: Network) -> None:
    await shop.poll()
    before = requests(shop)
    await poll_round(shop.config, shop.store, now=True)
    usual = requests(shop) - before
    network.there = False
    for _ in range(3 * 6):
        polled = await poll_round(shop.config, shop.store)
        assert all(isinstance(each.error, Unreachable) for each in polled if each.outcome is Outcome.FAILED)
        shop.clock.forward(minutes=20)
    waiting = [state.next_at - shop.clock() for state in shop.store.sources.states() if state.next_at]
    assert len(set(waiting)) == len(PLATFORMS), "not all at the same moment"
    ids = {platform: [shop.write(platform, rating=1.0) for _ in range(5)] for platform in PLATFORMS}
    written = shop.clock()
    network.there = True
    before = requests(shop)
    for _ in range(40):
        await poll_round(shop.config, shop.store)
        if not any(state.fault for state in shop.store.sources.states()):
            break
        shop.clock.forward(minutes=2)
    assert shop.clock() - written < timedelta(minutes=80)
    for platform, made in (requests(shop) - before).items():
        assert made <= 3 * usual[platform] + 15, f"{platform} was asked {made} times, usually {usual[platform]}"
    for platform, some in ids.items():
        assert all(shop.stored(platform, id).assessment for id in some)
    shop.clock.forward(days=3)
    overdue = shop.store.mentions.count(Filter(view=View.OVERDUE))
    assert overdue >= 4 * len(PLATFORMS), "their time runs from when they were written"


async def test_the_first_that_answers_wakes_the_others_soon(shop: Street, network: Network) -> None:
    await shop.poll()
    network.there = False
    for _ in range(6):
        await shop.poll()
    network.there = True
    now = shop.clock()
    await poll_round(shop.config, shop.store, only=["feed"])
    due = {state.id: state.next_at for state in shop.store.sources.states() if state.fault}
    assert len(due) == 3
    assert all(each is not None and each <= now + timedelta(minutes=6) for each in due.values())

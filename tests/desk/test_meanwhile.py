"""What a mention has become while its reply was being written, and colleagues who answer the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from reviewdesk.config import Config
from reviewdesk.desk.deliver import deliver
from reviewdesk.desk.guard import meanwhile
from reviewdesk.desk.poll import poll_round
from reviewdesk.desk.respond import Respond
from reviewdesk.errors import NotAllowed
from reviewdesk.model import Author, DeliveryState, Level, What
from reviewdesk.store.db import Store
from tests.desk.shops import Clock, Platform

CUSTOMER = Author(id="c1", name="Karel")


@pytest.fixture
def id(store: Store, config: Config, there: Platform) -> int:
    there.write("a", author=CUSTOMER)
    asyncio.run(poll_round(config, store, now=True))
    found = store.mentions.find("fb", "a")
    assert found is not None
    return found.id


def edit(there: Platform, store: Store, config: Config) -> None:
    there.write("a", "Už to přišlo.", author=CUSTOMER)
    asyncio.run(poll_round(config, store, now=True))


def more(there: Platform, store: Store, config: Config) -> None:
    there.write("b", "Haló?", author=CUSTOMER, parent_id="a", thread_id="a")
    asyncio.run(poll_round(config, store, now=True))


def answer(there: Platform, store: Store, config: Config) -> None:
    there.post("a", "Voláme vám.")
    asyncio.run(poll_round(config, store, now=True))


def colleague(there: Platform, store: Store, config: Config) -> None:
    mention = store.mentions.find("fb", "a")
    assert mention
    Respond(store, "petr", config).send(mention.id, "Píše Petr.", despite_warnings=True)


def gone(there: Platform, store: Store, config: Config) -> None:
    store.mentions.ingest("fb", (), gone=["a"])


@pytest.mark.parametrize(
    ("event", "what", "texts"),
    [
        (edit, What.EDITED, ("Nefunguje to.", "Už to přišlo.")),
        (more, What.WROTE_AGAIN, ("", "Haló?")),
        (answer, What.ANSWERED, ("", "Voláme vám.")),
        (colleague, What.COLLEAGUE, ("", "Píše Petr.")),
        (gone, What.GONE, ("Nefunguje to.", "")),
    ],
)
def test_whoever_writes_is_told_what_happens_meanwhile(
    store: Store,
    config: Config,
    there: Platform,
    clock: Clock,
    id: int,
    event: Callable[[Platform, Store, Config], None],
    what: What,
    texts: tuple[str, str],
) -> None:
    before = store.mentions.conversation(id)
    assert meanwhile(before, store.mentions.conversation(id), "jana") == ()
    clock.forward(minutes=1)
    event(there, store, config)
    (change,) = meanwhile(before, store.mentions.conversation(id), "jana")
    assert change.what is what
    assert texts[0] in change.before
    assert texts[1] in change.after
    after = store.mentions.conversation(id)
    assert meanwhile(after, after, "jana") == (), "what was there at the beginning is no news"


def test_ones_own_replies_and_those_taken_back_are_no_news(store: Store, config: Config, id: int) -> None:
    before = store.mentions.conversation(id)
    petr, jana = Respond(store, "petr", config), Respond(store, "jana", config)
    petr.drop(petr.send(id, "Píše Petr.", despite_warnings=True))
    jana.send(id, "Píše Jana.", despite_warnings=True)
    assert meanwhile(before, store.mentions.conversation(id), "jana") == ()


def test_a_reply_that_the_desk_posted_was_not_written_past_it(
    store: Store, config: Config, there: Platform, clock: Clock, id: int
) -> None:
    before = store.mentions.conversation(id)
    Respond(store, "petr", config).send(id, "Píše Petr.", despite_warnings=True)
    clock.forward(minutes=1)
    asyncio.run(deliver(config, store))
    asyncio.run(poll_round(config, store, now=True))
    now = store.mentions.conversation(id)
    assert "Píše Petr." in [each.mention.text for each in now.thread], "the poll has brought it"
    assert [each.what for each in meanwhile(before, now, "jana")] == [What.COLLEAGUE]
    assert meanwhile(before, now, "petr") == ()


def test_what_is_erased_meanwhile_is_shown_and_kept_nowhere(store: Store, config: Config, id: int) -> None:
    before = store.mentions.conversation(id)
    store.erasing.erase(store.erasing.of([id]), agent="jana")
    Respond(store, "jana", config).save_draft(id, "Vážený pane Karle")
    assert store.outbox.drafts(id) == ()
    (change,) = meanwhile(before, store.mentions.conversation(id), "jana")
    assert (change.what, change.before, change.after) == (What.GONE, "", "")


def test_a_second_reply_waits_for_the_first_and_then_for_a_word(
    store: Store, config: Config, clock: Clock, id: int
) -> None:
    petr, jana = Respond(store, "petr", config), Respond(store, "jana", config)
    petr.begin_writing(id)
    jana.begin_writing(id)
    assert [each.agent for each in jana.writing_too(id)] == ["petr"]
    petr.send(id, "Píše Petr.", despite_warnings=True)
    assert jana.writing_too(id) == [], "who has sent writes no more"
    (problem,) = [each for each in jana.problems(id, "Píše Jana.") if "on its way" in each.sentence]
    assert problem.level is Level.FAULT
    assert "Píše Petr." in problem.sentence
    with pytest.raises(NotAllowed, match="on its way"):
        jana.send(id, "Píše Jana.", despite_warnings=True)
    clock.forward(minutes=1)
    asyncio.run(deliver(config, store))
    problem = next(each for each in jana.problems(id, "Píše Jana.") if "has replied already" in each.sentence)
    assert problem.level is Level.WARNING


def test_a_colleagues_reply_that_is_held_back_is_told_as_such(
    store: Store, config: Config, there: Platform, clock: Clock, id: int
) -> None:
    Respond(store, "petr", config).send(id, "Píše Petr.", despite_warnings=True)
    edit(there, store, config)
    clock.forward(minutes=1)
    asyncio.run(deliver(config, store))
    assert store.outbox.replies_to(id)[0].state is DeliveryState.HELD
    (problem,) = [each for each in Respond(store, "jana", config).problems(id, "Píše Jana.") if "Petr" in each.sentence]
    assert problem.sentence.endswith("has a reply held back: “Píše Petr.” Yours stays here as a draft.")


def test_dropping_withdraws_and_leaves_no_draft(store: Store, config: Config, clock: Clock, id: int) -> None:
    jana = Respond(store, "jana", config)
    reply = jana.send(id, "Píše Jana.", despite_warnings=True)
    jana.drop(reply)
    assert store.outbox.get(reply.id).state is DeliveryState.WITHDRAWN
    assert store.outbox.drafts(id) == ()
    with pytest.raises(NotAllowed):
        jana.drop(store.outbox.get(reply.id))
    clock.forward(minutes=1)
    assert asyncio.run(deliver(config, store)) == []

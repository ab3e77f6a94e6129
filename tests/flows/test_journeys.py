"""Whole journeys: from what a customer writes to a reply that stands on the platform, and what comes after it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from reviewdesk.desk.poll import Outcome
from reviewdesk.desk.respond import Respond
from reviewdesk.errors import AuthFailed, MissingSecret, NotAllowed, RateLimited
from reviewdesk.model import DeliveryState, Status
from reviewdesk.replies.render import render
from reviewdesk.replies.templates import bundled
from reviewdesk.sandbox import CustomerText, FaultKind
from reviewdesk.store.records import Filter, View
from tests.flows.street import ANGRY, Street, lines


@pytest.mark.parametrize("platform", ["facebook", "reddit"])
async def test_a_complaint_is_answered_from_a_template_and_the_customer_goes_on(street, platform: str) -> None:
    shop: Street = street(platform)
    shop.clock.forward(minutes=1)
    shop.write(platform, "Děkuji, super obchod, rychlé dodání!", author="Petr Malý")
    id = shop.write(platform)
    await shop.poll()
    first = shop.store.mentions.ids(Filter(view=View.COMPLAINTS))[0]
    stored = shop.store.mentions.get(first)
    assert stored.mention.id == id, "the complaint stands first"
    assert stored.assessment is not None
    assert stored.assessment.complaint
    assert stored.assessment.reasons
    assert stored.due_at is not None

    respond = Respond(shop.store, "jana", shop.config)
    template = next(each for each in bundled() if each.language == "cs" and each.purpose == "apologise")
    text = render(template.body, respond.values(first)).text
    assert "{{" not in text
    reply = respond.send(first, text, language="cs", despite_warnings=True)
    assert await shop.deliver() == [], "the undo seconds are not over"
    shop.clock.forward(seconds=shop.config.desk.undo_seconds + 1)
    (told,) = await shop.deliver()
    assert told.state is DeliveryState.POSTED
    assert shop.texts(platform) == [text]

    shop.clock.forward(minutes=1)
    await shop.poll()
    assert shop.state(reply) is DeliveryState.VISIBLE
    assert shop.stored(platform, id).status is Status.ANSWERED
    assert shop.store.mentions.count(Filter(view=View.COMPLAINTS)) == 0

    shop.clock.forward(minutes=1)
    emulator = shop.emulator(platform)
    answer = emulator.answer(emulator.shop_replies()[0], _words("To nestačí, chci peníze zpět!"))
    await shop.poll()
    came = shop.stored(platform, answer)
    assert came.status is Status.NEW
    thread = [each.mention.text for each in shop.store.mentions.conversation(came.id).thread]
    assert thread[-3:] == [ANGRY, text, "To nestačí, chci peníze zpět!"]


def _words(text: str) -> CustomerText:
    return CustomerText(author="Jana Nováková", text=text, language="cs", rating=1.0)


async def test_a_hand_off_is_confirmed_by_the_next_export(street) -> None:
    shop: Street = street("heureka")
    id = shop.write("heureka", rating=1.0)
    await shop.poll()
    reply = shop.reply("heureka", id)
    assert reply.state is DeliveryState.HANDED_OFF
    assert await shop.deliver() == [], "a person posts it"
    await shop.poll()
    assert shop.state(reply) is DeliveryState.HANDED_OFF
    shop.emulator("heureka").hand_off(id, "Omlouváme se (a o slovo jinak).")
    shop.clock.forward(seconds=5)
    await shop.poll()
    assert shop.state(reply) is DeliveryState.VISIBLE
    assert shop.stored("heureka", id).status is Status.ANSWERED


async def test_an_older_reaction_does_not_confirm_a_new_hand_off(street) -> None:
    shop: Street = street("heureka")
    id = shop.write("heureka", rating=1.0)
    shop.emulator("heureka").hand_off(id, "Děkujeme.")
    await shop.poll()
    reply = shop.reply("heureka", id, "Omlouváme se, pošleme nový kus.")
    shop.write("heureka", "Jiný zákazník, a export je proto nový.", rating=5.0)
    shop.clock.forward(seconds=5)
    await shop.poll()
    assert shop.state(reply) is DeliveryState.HANDED_OFF
    shop.emulator("heureka").hand_off(id, reply.text)
    shop.clock.forward(seconds=5)
    await shop.poll()
    assert shop.state(reply) is DeliveryState.VISIBLE


async def test_two_customers_in_one_thread_get_the_same_words_and_one_is_lost(street) -> None:
    """The reply that stands there is the first one's; it must not be taken for the second's."""
    shop: Street = street("facebook")
    page = shop.emulator("facebook").shop
    top = shop.write("facebook")
    whole = next(each.id for each in page.comments.values() if each.id.endswith(top))
    below = page.comment(page.comments[whole].post, "Mně taky!", "Petr Malý", under=whole).id.rpartition("_")[2]
    await shop.poll()
    first = shop.reply("facebook", top, "Omlouváme se.")
    await shop.deliver()
    second = shop.reply("facebook", below, "Omlouváme se.")
    shop.fail("facebook", FaultKind.DROPPED, "POST /v25.0")
    await shop.deliver()
    for _ in range(3):
        shop.clock.forward(minutes=3)
        await shop.deliver()
        await shop.poll()
    assert shop.state(first) is DeliveryState.VISIBLE
    assert shop.state(second) is not DeliveryState.VISIBLE, "nothing of it stands there"
    assert shop.state(second) is not DeliveryState.POSTED
    assert len(shop.texts("facebook")) in (1, 2)


async def test_a_reply_to_what_changed_meanwhile_is_held(street) -> None:
    shop: Street = street("facebook")
    id = shop.write("facebook")
    await shop.poll()
    reply = shop.reply("facebook", id)
    page = shop.emulator("facebook").shop
    comment = next(each for each in page.comments.values() if each.id.endswith(id))
    comment.message = "Omlouvám se, byla to chyba dopravce. Vše v pořádku."
    page.posts[comment.post].updated = shop.clock()
    shop.clock.forward(days=1, hours=1)
    await shop.poll()
    assert shop.stored("facebook", id).version == 2
    (told,) = await shop.deliver()
    assert told.state is DeliveryState.HELD
    assert "changed" in told.fault
    assert shop.texts("facebook") == []
    Respond(shop.store, "jana", shop.config).release(shop.store.outbox.get(reply.id))
    await shop.deliver()
    assert shop.state(reply) is DeliveryState.POSTED


async def test_one_failing_source_never_stops_the_others(street) -> None:
    shop: Street = street("facebook", "feed", "heureka", "reddit")
    ids = {platform: shop.write(platform, rating=1.0) for platform in shop.running}
    shop.fail("heureka", FaultKind.LOGIN_PAGE, times=-1)
    shop.fail("facebook", FaultKind.SERVER_ERROR, times=-1)
    polled = await shop.poll()
    assert {id: each.outcome for id, each in polled.items()} == {
        "facebook": Outcome.FAILED,
        "feed": Outcome.DONE,
        "heureka": Outcome.FAILED,
        "reddit": Outcome.DONE,
    }
    for platform in ("feed", "reddit"):
        assert shop.stored(platform, ids[platform]).assessment is not None
    shop.heal("heureka")
    shop.heal("facebook")
    polled = await shop.poll()
    assert all(each.outcome is Outcome.DONE for each in polled.values())
    assert all(polled[id].mended for id in ("facebook", "heureka"))
    for platform, id in ids.items():
        assert shop.stored(platform, id).assessment is not None


async def test_rate_limited_waits_as_told(street) -> None:
    shop: Street = street("facebook")
    shop.fail("facebook", FaultKind.RATE_LIMIT, seconds=1800)
    before = shop.clock()
    (polled,) = (await shop.poll()).values()
    assert isinstance(polled.error, RateLimited)
    (state,) = shop.store.sources.states()
    assert state.next_at is not None
    assert 1790 < (state.next_at - before).total_seconds() < 1860
    assert not shop.store.sources.is_due("facebook")
    shop.clock.forward(minutes=31)
    assert shop.store.sources.is_due("facebook")


async def test_a_dead_token_parks_the_source_until_a_person_acts(street) -> None:
    shop: Street = street("facebook")
    shop.fail("facebook", FaultKind.EXPIRED_TOKEN, times=-1)
    (polled,) = (await shop.poll()).values()
    assert isinstance(polled.error, AuthFailed)
    asked = len(shop.emulator("facebook").requests)
    shop.clock.forward(days=1)
    (polled,) = (await shop.poll()).values()
    assert polled.outcome is Outcome.PARKED
    assert len(shop.emulator("facebook").requests) == asked, "a parked source is left alone"
    assert shop.run("poll", "--quiet") == (5, "", "")
    shop.heal("facebook")
    code, _, err = shop.run("sources", "resume", "facebook")
    assert code == 0, err
    (polled,) = (await shop.poll()).values()
    assert polled.outcome is Outcome.DONE
    assert polled.mended


async def test_a_missing_secret_names_the_variable(street, monkeypatch: pytest.MonkeyPatch) -> None:
    shop: Street = street("facebook")
    monkeypatch.delenv("REVIEWDESK_SANDBOX_FACEBOOK_TOKEN")
    (polled,) = (await shop.poll()).values()
    assert isinstance(polled.error, MissingSecret)
    assert "REVIEWDESK_SANDBOX_FACEBOOK_TOKEN" in str(polled.error)
    code, _, err = shop.run("poll", "--now")
    assert code == 3
    assert "REVIEWDESK_SANDBOX_FACEBOOK_TOKEN" in err


def test_cron_hears_of_a_failure_once_and_of_its_end_once(street) -> None:
    shop: Street = street("heureka")
    assert shop.run("poll", "--now", "--quiet") == (0, "", "")
    shop.fail("heureka", FaultKind.LOGIN_PAGE, times=-1)
    code, out, err = shop.run("poll", "--now", "--quiet")
    assert (code, out) == (5, "")
    assert err.count("\n") == 1
    assert err.startswith("heureka: ")
    assert shop.run("poll", "--now", "--quiet") == (5, "", "")
    shop.heal("heureka")
    assert shop.run("poll", "--now", "--quiet") == (0, "", "heureka: works again.\n")
    assert shop.run("poll", "--now", "--quiet") == (0, "", "")


def test_cron_hears_once_of_a_reply_that_waits_for_a_person(street) -> None:
    shop: Street = street("facebook")
    id = shop.write("facebook")
    assert shop.run("poll", "--now", "--quiet")[0] == 0
    code, _, err = shop.run(
        "reply", str(shop.stored("facebook", id).id), "Napíšeme vám.", "--private", "--despite-warnings"
    )
    assert code == 0, err
    with shop.store.transaction() as conn:
        conn.execute("UPDATE reply SET send_after = 0")
    shop.fail("facebook", FaultKind.LOST, "POST /v25.0")
    code, _, err = shop.run("poll", "--quiet")
    assert code == 5
    assert "may or may not have been posted" in err
    with shop.store.transaction() as conn:
        conn.execute("UPDATE reply SET attempted_at = 0")
    assert "settle" in shop.run("poll", "--quiet")[2]
    assert shop.run("poll", "--quiet") == (5, "", "")
    code, out, _ = shop.run("outbox", "--json")
    assert [each["state"] for each in lines(out)] == ["unknown"]
    assert shop.run("outbox", "settle", "1", "--posted")[0] == 0
    assert shop.run("poll", "--quiet") == (0, "", "")


@pytest.mark.parametrize(
    ("kind", "code"), [(FaultKind.SERVER_ERROR, 4), (FaultKind.RATE_LIMIT, 4), (FaultKind.EXPIRED_TOKEN, 5)]
)
def test_exit_codes_tell_who_must_act(street, kind: FaultKind, code: int) -> None:
    shop: Street = street("reddit")
    shop.fail("reddit", kind, times=-1, seconds=600)
    told = shop.run("poll", "--json")
    assert told[0] == code
    (step,) = [each for each in lines(told[1]) if each["event"] == "source"]
    assert step["outcome"] == "failed"
    assert step["fault"]["sentence"]


async def test_what_a_killed_poll_left_unassessed_is_assessed_by_the_next(street) -> None:
    shop: Street = street("heureka")
    shop.write("heureka", rating=1.0)
    await shop.poll()
    with shop.store.transaction() as conn:
        conn.execute("DELETE FROM assessment")
        conn.execute("UPDATE mention SET assessed = '', complaint = 0")
        conn.execute("UPDATE source SET next_at = 99999999999999")
    assert shop.run("poll", "--quiet") == (0, "", "")
    assert shop.store.mentions.count(Filter(view=View.COMPLAINTS)) == 1


def test_nothing_due_imports_nothing_heavy(street) -> None:
    shop: Street = street("facebook")
    assert shop.run("poll", "--quiet")[0] == 0
    with shop.store.transaction() as conn:
        conn.execute("UPDATE source SET next_at = 99999999999999")
    code = (
        "import sys\n"
        "from reviewdesk.cli import cli\n"
        "assert cli.main(['poll', '--quiet'], standalone_mode=False) == 0\n"
        "heavy = ('httpx', 'praw', 'vaderSentiment', 'textual', 'rich', 'lxml')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=shop.environment(), capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


async def test_taken_back_too_late(street) -> None:
    shop: Street = street("facebook")
    id = shop.write("facebook")
    await shop.poll()
    reply = shop.reply("facebook", id)
    await shop.deliver()
    code, _, err = shop.run("outbox", "withdraw", str(reply.id))
    assert code == 5
    assert "posted" in err
    assert shop.state(reply) is DeliveryState.POSTED
    with pytest.raises(NotAllowed):
        Respond(shop.store, "jana", shop.config).take_back(reply)

"""From a draft to a reply on its way: what speaks against it, taking back, hand-off, and what a person decides."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from reviewdesk.config import Agent, Config
from reviewdesk.connector import Capabilities, ReplyMode
from reviewdesk.desk.deliver import deliver
from reviewdesk.desk.delivery import NOT_OUT
from reviewdesk.desk.poll import poll_round
from reviewdesk.desk.respond import Respond
from reviewdesk.errors import NotAllowed, OutcomeUnknown, Refused
from reviewdesk.model import Assessment, Author, Channel, DeliveryState, Kind, Level, Mention, Severity, Status, Topic
from reviewdesk.store.db import Store
from tests.desk.shops import Clock, Platform, registered

TEXT = "Omlouváme se, napíšeme vám."


@pytest.fixture
def jana(store: Store, config: Config) -> Respond:
    return Respond(store, "jana", config)


@pytest.fixture
def petr(store: Store, config: Config) -> Respond:
    return Respond(store, "petr", config)


@pytest.fixture
def id(store: Store, config: Config, there: Platform) -> int:
    there.write("a")
    asyncio.run(poll_round(config, store, now=True))
    found = store.mentions.find("fb", "a")
    assert found is not None
    return found.id


def run(config: Config, store: Store) -> list[DeliveryState]:
    return [each.state for each in asyncio.run(deliver(config, store))]


def send(jana: Respond, clock: Clock, id: int, text: str = TEXT, channel: Channel = Channel.PUBLIC):
    reply = jana.send(id, text, channel=channel, despite_warnings=True)
    clock.forward(seconds=11)
    return reply


def test_the_undo_seconds_are_the_shops(store: Store, config: Config, jana: Respond, id: int, clock: Clock) -> None:
    reply = jana.send(id, TEXT)
    assert reply.send_after == clock.now + timedelta(seconds=10)
    clock.forward(seconds=9.9)
    assert run(config, store) == []
    draft = jana.take_back(reply)
    assert (draft.text, draft.agent) == (TEXT, "jana")
    clock.forward(minutes=1)
    assert run(config, store) == []


def test_no_undo_seconds_means_at_once(store: Store, config: Config, id: int) -> None:
    at_once = replace(config, desk=replace(config.desk, undo_seconds=0))
    Respond(store, "jana", at_once).send(id, TEXT)
    assert run(config, store) == [DeliveryState.POSTED]


def test_what_was_begun_since_is_kept_when_a_reply_is_taken_back(jana: Respond, petr: Respond, id: int) -> None:
    reply = jana.send(id, TEXT)
    petr.save_draft(id, "Můj koncept.")
    assert petr.take_back(reply).text == f"{TEXT}\n\nMůj koncept."


def test_taken_back_twice(store: Store, jana: Respond, petr: Respond, id: int) -> None:
    reply = jana.send(id, TEXT)
    jana.take_back(reply)
    with pytest.raises(NotAllowed, match="moved on"):
        petr.take_back(reply)
    with pytest.raises(NotAllowed, match="withdrawn"):
        petr.take_back(store.outbox.get(reply.id))


@pytest.mark.parametrize(
    "state", [each for each in DeliveryState if each.value not in ("queued", "refused", "held", "handed_off")]
)
def test_what_is_or_may_be_out_is_not_taken_back(store: Store, jana: Respond, id: int, state: DeliveryState) -> None:
    reply = replace(jana.send(id, TEXT), state=state)
    with store.transaction() as conn:
        conn.execute("UPDATE reply SET state = ?", (state.value,))
    with pytest.raises(NotAllowed, match="cannot be taken back"):
        jana.take_back(reply)
    assert store.outbox.get(reply.id).state is state


@pytest.mark.parametrize("state", [each for each in DeliveryState if each is not DeliveryState.UNKNOWN])
@pytest.mark.parametrize("posted", [True, False])
def test_only_an_unknown_reply_is_settled(
    store: Store, jana: Respond, id: int, state: DeliveryState, posted: bool
) -> None:
    reply = replace(jana.send(id, TEXT), state=state)
    with store.transaction() as conn:
        conn.execute("UPDATE reply SET state = ?", (state.value,))
    with pytest.raises(NotAllowed):
        jana.settle(reply, posted)
    assert store.outbox.get(reply.id).state is state


@pytest.mark.parametrize("state", [each for each in DeliveryState if each is not DeliveryState.HANDED_OFF])
def test_only_a_handed_off_reply_is_confirmed(store: Store, jana: Respond, id: int, state: DeliveryState) -> None:
    reply = replace(jana.send(id, TEXT), state=state)
    with store.transaction() as conn:
        conn.execute("UPDATE reply SET state = ?", (state.value,))
    with pytest.raises(NotAllowed):
        jana.confirm_hand_off(reply)
    assert store.outbox.get(reply.id).state is state


@pytest.mark.parametrize("state", DeliveryState)
def test_only_what_is_not_out_is_dropped_and_only_what_is_held_is_released(
    store: Store, jana: Respond, id: int, state: DeliveryState
) -> None:
    reply = replace(jana.send(id, TEXT), state=state)
    for act, allowed, then in (
        (jana.release, (DeliveryState.HELD,), DeliveryState.QUEUED),
        (jana.drop, NOT_OUT, DeliveryState.WITHDRAWN),
    ):
        with store.transaction() as conn:
            conn.execute("UPDATE reply SET state = ?", (state.value,))
        if state in allowed:
            act(reply)
            assert store.outbox.get(reply.id).state is then
        else:
            with pytest.raises(NotAllowed):
                act(reply)
            assert store.outbox.get(reply.id).state is state


class TestSettle:
    """A private reply cannot be looked for, so a person decides."""

    @pytest.fixture
    def unknown(self, store: Store, config: Config, there: Platform, jana: Respond, id: int, clock: Clock):
        def cut(to: str, text: str) -> None:
            raise OutcomeUnknown("Cut.")

        there.on_reply = cut
        send(jana, clock, id, channel=Channel.PRIVATE)
        assert run(config, store) == [DeliveryState.UNKNOWN]
        there.quiet()
        clock.forward(hours=1)
        assert run(config, store) == [DeliveryState.UNKNOWN], "the desk does not guess"
        return store.outbox.replies_to(id)[0]

    def test_it_was_posted(self, store: Store, jana: Respond, unknown) -> None:
        jana.settle(unknown, True)
        assert store.outbox.get(unknown.id).state is DeliveryState.POSTED
        assert store.mentions.get(unknown.mention_id).status is Status.ANSWERED
        with pytest.raises(NotAllowed):
            jana.settle(unknown, False)

    def test_it_was_not(self, store: Store, config: Config, there: Platform, jana: Respond, unknown) -> None:
        jana.settle(unknown, False)
        assert run(config, store) == [DeliveryState.POSTED]
        assert there.texts("a") == [TEXT]

    def test_two_people_decide(self, store: Store, jana: Respond, petr: Respond, unknown) -> None:
        jana.settle(unknown, True)
        with pytest.raises(NotAllowed, match="moved on"):
            petr.settle(unknown, False)
        assert store.outbox.get(unknown.id).state is DeliveryState.POSTED


def test_what_may_have_gone_out_cannot_be_withdrawn_first(store: Store, jana: Respond, id: int, clock: Clock) -> None:
    send(jana, clock, id)
    with pytest.raises(NotAllowed, match="Withdraw it first"):
        jana.send(id, "Dobrý den!")
    assert store.outbox.claim("w", lease_seconds=60)
    with pytest.raises(NotAllowed, match="It may be there already"):
        jana.send(id, "Dobrý den!")


def test_the_second_of_two_agents_is_held(jana: Respond, petr: Respond, id: int) -> None:
    jana.send(id, TEXT)
    petr.save_draft(id, "Dobrý den, mrzí nás to.")
    with pytest.raises(NotAllowed, match="on its way"):
        petr.send(id, "Dobrý den, mrzí nás to.")
    assert petr.take_back(jana.send(id, "Soukromě.", channel=Channel.PRIVATE)).agent == "petr"


def test_what_a_colleague_has_sent_is_told_before_a_second_goes_out(
    store: Store, config: Config, there: Platform, jana: Respond, petr: Respond, id: int, clock: Clock
) -> None:
    send(jana, clock, id)
    run(config, store)
    with pytest.raises(NotAllowed, match=f"jana has replied already: “{TEXT}”"):
        petr.send(id, "Dobrý den, mrzí nás to.")
    assert petr.problems(id, "Soukromě.", Channel.PRIVATE) == []
    assert jana.problems(id, "A ještě jedna věc.") == []
    petr.send(id, "Dobrý den, mrzí nás to.", despite_warnings=True)


def test_a_refused_reply_can_be_sent_again_word_for_word(
    store: Store, config: Config, there: Platform, jana: Respond, id: int, clock: Clock
) -> None:
    def refuse(to: str, text: str) -> None:
        raise Refused("No links, please.")

    there.on_reply = refuse
    send(jana, clock, id)
    assert run(config, store) == [DeliveryState.REFUSED]
    there.quiet()
    assert jana.problems(id, TEXT) == []
    clock.forward(seconds=1)
    jana.send(id, TEXT)
    clock.forward(seconds=11)
    assert run(config, store) == [DeliveryState.POSTED]


class TestProblems:
    """What speaks against a reply."""

    def faults(self, respond: Respond, id: int, text: str, channel: Channel = Channel.PUBLIC) -> str:
        found = respond.problems(id, text, channel)
        return " ".join(each.sentence for each in found if each.level is Level.FAULT)

    def test_too_long_in_the_platforms_unit(self, store: Store, jana: Respond, id: int) -> None:
        registered(store, "fb", Capabilities(reply=ReplyMode.API, reply_length=10))
        assert "too long" in self.faults(jana, id, "x" * 11)
        assert self.faults(jana, id, "x" * 10) == ""

    def test_gone(self, store: Store, jana: Respond, id: int) -> None:
        store.mentions.ingest("fb", [], gone=["a"])
        assert "gone" in self.faults(jana, id, TEXT)
        with pytest.raises(NotAllowed, match="gone"):
            jana.send(id, TEXT, despite_warnings=True)

    def test_a_source_without_replies(self, store: Store, jana: Respond, id: int) -> None:
        registered(store, "fb", Capabilities())
        assert "no replies" in self.faults(jana, id, TEXT)
        assert "no private replies" in self.faults(jana, id, TEXT, Channel.PRIVATE)

    def test_a_source_with_private_replies_alone(self, store: Store, jana: Respond, id: int) -> None:
        registered(store, "fb", Capabilities(private_reply=True))
        assert self.faults(jana, id, TEXT, Channel.PRIVATE) == ""

    def test_a_customer_who_cannot_be_written_to(self, store: Store, jana: Respond, id: int) -> None:
        one = Mention(id="b", kind=Kind.COMMENT, text="x", can_private_reply=False)
        store.mentions.ingest("fb", [one])
        found = store.mentions.find("fb", "b")
        assert found is not None
        assert "privately" in self.faults(jana, found.id, TEXT, Channel.PRIVATE)

    def test_who_cannot_be_written_to_is_answered_in_public(self, store: Store, jana: Respond, id: int) -> None:
        store.mentions.ingest("fb", [Mention(id="b", kind=Kind.COMMENT, text="x", can_private_reply=False)])
        found = store.mentions.find("fb", "b")
        assert found is not None
        assert self.faults(jana, found.id, TEXT) == ""

    @pytest.mark.parametrize("text", ["", " \n", "Dobrý den, {{ author }}", "a\x1b[31mb", "\x00"])
    def test_never_out(self, store: Store, jana: Respond, id: int, text: str) -> None:
        with pytest.raises(NotAllowed):
            jana.send(id, text, despite_warnings=True)
        assert store.outbox.replies_to(id) == ()

    def test_a_warning_asks_once(self, jana: Respond, id: int) -> None:
        text = "Napište na jan.novak@example.com."
        with pytest.raises(NotAllowed, match="e-mail"):
            jana.send(id, text)
        assert jana.send(id, text, despite_warnings=True).text == text


class TestHandOff:
    """Where a person posts the reply on the platform's own page."""

    @pytest.fixture(autouse=True)
    def by_hand(self, store: Store, there: Platform, id: int) -> None:
        there.capabilities = Capabilities(reply=ReplyMode.HAND_OFF, poll_seconds=1)
        registered(store, "fb", there.capabilities)

    def test_it_never_goes_out_by_itself(
        self, store: Store, config: Config, there: Platform, jana: Respond, id: int, clock: Clock
    ) -> None:
        reply = send(jana, clock, id)
        assert reply.state is DeliveryState.HANDED_OFF
        assert run(config, store) == []
        jana.confirm_hand_off(reply)
        assert store.outbox.get(reply.id).state is DeliveryState.POSTED
        assert store.mentions.get(id).status is Status.ANSWERED
        assert there.replies == []
        with pytest.raises(NotAllowed):
            jana.confirm_hand_off(reply)

    def test_a_better_text_takes_its_place(self, store: Store, jana: Respond, id: int, clock: Clock) -> None:
        first, second = send(jana, clock, id), send(jana, clock, id, "Lépe.")
        assert store.outbox.get(first.id).state is DeliveryState.WITHDRAWN
        assert store.outbox.get(second.id).state is DeliveryState.HANDED_OFF

    def test_a_word_that_it_is_posted_can_be_taken_back(
        self, store: Store, jana: Respond, id: int, clock: Clock
    ) -> None:
        jana.confirm_hand_off(send(jana, clock, id))
        (said,) = store.outbox.replies_to(id)
        assert jana.take_back(said).text == TEXT
        assert store.outbox.get(said.id).state is DeliveryState.WITHDRAWN
        assert store.mentions.get(id).status is Status.OPEN
        assert store.mentions.get(id).answered_at is None

    def test_one_that_the_platform_has_shown_cannot(self, store: Store, jana: Respond, id: int, clock: Clock) -> None:
        jana.confirm_hand_off(send(jana, clock, id))
        (said,) = store.outbox.replies_to(id)
        store.outbox.move(said, DeliveryState.VISIBLE, remote_id="r1")
        with pytest.raises(NotAllowed):
            jana.take_back(store.outbox.get(said.id))

    def test_a_private_reply_goes_out_by_itself(
        self, store: Store, config: Config, there: Platform, jana: Respond, id: int, clock: Clock
    ) -> None:
        there.capabilities = replace(there.capabilities, private_reply=True)
        registered(store, "fb", there.capabilities)
        assert send(jana, clock, id, channel=Channel.PRIVATE).state is DeliveryState.QUEUED
        assert run(config, store) == [DeliveryState.POSTED]

    def test_it_can_be_taken_back(self, jana: Respond, id: int, clock: Clock) -> None:
        assert jana.take_back(send(jana, clock, id)).text == TEXT


def test_a_greeting_for_the_customer_answered_before_is_warned_of(
    store: Store, jana: Respond, petr: Respond, clock: Clock, id: int
) -> None:
    people = {"b": "Petr Svoboda", "c": "Eva Malá", "d": "Jana Horká"}
    for key, name in people.items():
        mention = Mention(id=key, kind=Kind.REVIEW, text="Nefunguje.", author=Author(name=name), language="cs")
        store.mentions.ingest("fb", [mention])
    numbers = {key: found.id for key in people if (found := store.mentions.find("fb", key))}
    for key in ("b", "d"):
        send(jana, clock, numbers[key], f"Omlouváme se ({key}).")

    def warned(who: Respond, text: str) -> list[str]:
        return [each.sentence for each in who.problems(numbers["c"], text)]

    assert "Petr Svoboda" in warned(jana, "Dobrý den, pane Svobodo,\n\nnapíšeme vám.")[0]
    assert warned(jana, "Dobrý den, paní Malá,\n\nnapíšeme vám.") == []
    assert warned(jana, "Dobrý den, napíšeme vám. jana, Obchod") == [], "the agent has a customer's name"
    assert warned(petr, "Dobrý den, pane Svobodo,\n\nnapíšeme vám.") == [], "it was somebody else who answered him"


def test_templates_get_plain_values(store: Store, config: Config, jana: Respond, id: int, tmp_path: Path) -> None:
    values = jana.values(id)
    assert values["shop"] == "Obchod"
    assert values["greeting"].startswith("Dobrý den")
    assert all(isinstance(value, str) for value in values.values())


@pytest.mark.parametrize(("language", "word"), [("cs", "doručení"), ("de", "Lieferung"), ("fr", "delivery")])
def test_the_topic_is_called_by_a_word_of_the_replys_language(
    store: Store, jana: Respond, id: int, language: str, word: str
) -> None:
    judged = Assessment(
        language=language,
        compound=-0.5,
        complaint=True,
        probability=0.9,
        severity=Severity.MILD,
        topics=(Topic.DELIVERY,),
        assessor="t/1",
    )
    store.mentions.put_assessments([(id, store.mentions.get(id).version, judged, None)])
    assert jana.values(id)["topic"] == word


@pytest.mark.parametrize(("own", "shops", "closing"), [
    ("S pozdravem {agent}", "{shop}", "S pozdravem Jana"), ("", "{agent}, {shop}", "Jana, Obchod"),
])  # fmt: skip
def test_who_signs_and_what_it_is_about(
    store: Store, config: Config, id: int, own: str, shops: str, closing: str
) -> None:
    config = replace(
        config,
        shop=replace(config.shop, signature=shops),
        agents=(
            Agent(id="petr", name="Petr", signature="P."),
            Agent(id="jana", name="Jana", signature=own),
        ),
        sources=tuple(replace(each, title=each.id.upper()) for each in config.sources),
    )
    stored = store.mentions.get(id)
    judged = Assessment(
        language="fr", compound=-0.5, complaint=True, probability=1, severity=Severity.MILD, assessor="t/1",
        topics=(Topic.RETURNS, Topic.PRICE),
    )  # fmt: skip
    store.mentions.put_assessments([(id, stored.version, judged, None)])
    values = Respond(store, "jana", config).values(id)
    assert (values["signature"], values["topic"], values["source_title"]) == (closing, "returns", "FB")


@pytest.mark.parametrize(("told", "spoken"), [("pl", "pl"), ("other", "de"), (None, "de")])
def test_the_shops_language_answers_what_nobody_could_tell(
    store: Store, config: Config, id: int, told: str | None, spoken: str
) -> None:
    german = replace(config, shop=replace(config.shop, language="de"))
    stored = store.mentions.get(id)
    unread = replace(stored, assessment=None, mention=replace(stored.mention, language=told))
    assert Respond(store, "jana", german).language(unread) == spoken


@pytest.mark.parametrize(("can", "url", "mode"), [
    (None, "https://x.example/b", "api"), (True, "https://x.example/b", "api"),
    (False, "https://x.example/b", "hand_off"), (False, "", "api"),
])  # fmt: skip
def test_what_cannot_be_answered_by_the_api_is_answered_on_its_page_where_it_has_one(
    store: Store, jana: Respond, id: int, can: bool | None, url: str, mode: str
) -> None:
    store.mentions.ingest("fb", [Mention(id="b", kind=Kind.COMMENT, text="x", can_reply=can, url=url)])
    found = store.mentions.find("fb", "b")
    assert found is not None
    assert (jana.reply_mode(found.id), jana.reply_page(found.id)) == (mode, url)
    registered(store, "fb", Capabilities())
    assert jana.reply_mode(found.id) == "none"
    page = Mention(id="c", kind=Kind.COMMENT, text="x", url=url, reply_url="https://x.example/reply")
    store.mentions.ingest("fb", [page])
    found = store.mentions.find("fb", "c")
    assert found is not None
    assert jana.reply_page(found.id) == "https://x.example/reply"


@pytest.mark.parametrize(
    ("read", "told", "warned"), [("en", "cs", False), ("cs", "en", True), ("other", None, False), ("other", "cs", True)]
)
def test_a_reply_is_compared_with_the_text_then_the_source_and_never_with_the_shop(
    store: Store, jana: Respond, read: str, told: str | None, warned: bool
) -> None:
    store.sources.register("fb", "memory", "")
    store.mentions.ingest("fb", [Mention(id="l", kind=Kind.COMMENT, text="Hm.", language=told)])
    stored = store.mentions.find("fb", "l")
    assert stored is not None
    judged = Assessment(
        language=read, compound=None, complaint=False, probability=0, severity=Severity.NONE, assessor="t/1"
    )
    store.mentions.put_assessments([(stored.id, stored.version, judged, None)])
    found = [each.sentence for each in jana.problems(stored.id, "We are sorry to hear that.", language="en")]
    assert any("the customer wrote in" in sentence for sentence in found) is warned

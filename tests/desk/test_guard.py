"""The guard: a reply goes out only into the thread that its agent knew."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.config import Config, load
from reviewdesk.desk import guard
from reviewdesk.desk.deliver import Delivered, deliver
from reviewdesk.desk.poll import poll_round
from reviewdesk.desk.respond import Respond
from reviewdesk.errors import (
    Actor,
    AuthFailed,
    BadAnswer,
    ConfigError,
    NotAllowed,
    NotThere,
    PermissionMissing,
    RateLimited,
    StoreError,
    Unreachable,
    Unsupported,
)
from reviewdesk.model import Author, Channel, DeliveryState, Guard, Kind, Mention, Status, What
from reviewdesk.store.db import Store
from reviewdesk.store.records import Reply, Stored, Version
from tests.desk.shops import MONDAY_NOON, Clock, Platform, config_with

JANA = Author(id="c1", name="Jana")


class Desk:
    """One source that can be read again, with one mention by Jana in it."""

    def __init__(self, config: Config, store: Store, there: Platform, clock: Clock) -> None:
        self.config, self.store, self.there, self.clock = config, store, there, clock
        there.capabilities = msgspec.structs.replace(there.capabilities, reread=True)
        there.write("a", author=JANA)

    async def start(self, text: str = "Omlouváme se.", agent: str = "jana") -> Reply:
        if self.store.mentions.find("fb", "a") is None:
            await poll_round(self.config, self.store, now=True)
        self.clock.forward(minutes=1)
        reply = Respond(self.store, agent, self.config).send(self.stored().id, text, despite_warnings=True)
        self.clock.forward(minutes=1)
        return reply

    def stored(self) -> Stored:
        found = self.store.mentions.find("fb", "a")
        assert found is not None
        return found

    async def deliver(self) -> list[Delivered]:
        return await deliver(self.config, self.store)

    def reply(self, reply: Reply) -> Reply:
        return self.store.outbox.get(reply.id)

    def release(self, reply: Reply) -> None:
        Respond(self.store, "jana", self.config).release(self.reply(reply))


@pytest.fixture
def desk(config: Config, store: Store, there: Platform, clock: Clock) -> Desk:
    return Desk(config, store, there, clock)


def answered(desk: Desk) -> None:
    desk.there.post("a", "Už jsme volali.")


def edited(desk: Desk) -> None:
    desk.there.write("a", "Už to funguje.", author=JANA, created_at=MONDAY_NOON)


def wrote_again(desk: Desk) -> None:
    desk.there.write("a2", "A ještě něco.", author=JANA, thread_id="a", parent_id="a")


def deleted(desk: Desk) -> None:
    del desk.there.customers["a"]


HAPPENED = {
    What.ANSWERED: (answered, "", "Už jsme volali."),
    What.EDITED: (edited, "Nefunguje to.", "Už to funguje."),
    What.WROTE_AGAIN: (wrote_again, "", "A ještě něco."),
    What.GONE: (deleted, "Nefunguje to.", ""),
}


async def test_a_quiet_thread_is_read_again_and_the_reply_goes_out(desk: Desk) -> None:
    read = []
    desk.there.on_reread = lambda: read.append(1)
    reply = await desk.start()
    assert [each.state for each in await desk.deliver()] == [DeliveryState.POSTED]
    assert read == [1]
    assert desk.there.texts("a") == [reply.text]
    assert desk.stored().version == 1, "reading again makes no version of the same text"


@pytest.mark.parametrize("what", HAPPENED)
async def test_what_happened_meanwhile_holds_the_reply_and_is_shown(desk: Desk, what: What) -> None:
    happen, before, after = HAPPENED[what]
    reply = await desk.start()
    happen(desk)
    standing = list(desk.there.replies)
    (told,) = await desk.deliver()
    assert (told.state, told.actor) == (DeliveryState.HELD, Actor.USER)
    assert "Held back" in told.fault
    assert f"outbox release {reply.id}" in told.hint
    (change,) = desk.reply(reply).changes
    assert (change.what, change.before, change.after) == (what, before, after)
    assert desk.there.replies == standing, "nothing was sent"
    assert await desk.deliver() == [], "and nothing is sent by itself later"


@pytest.mark.parametrize("what", [What.ANSWERED, What.EDITED, What.WROTE_AGAIN])
async def test_a_person_sends_it_all_the_same_and_what_comes_then_holds_it_again(desk: Desk, what: What) -> None:
    reply = await desk.start()
    HAPPENED[what][0](desk)
    await desk.deliver()
    desk.clock.forward(minutes=1)
    desk.release(reply)
    desk.there.write("later", "Haló?", author=JANA, thread_id="a", parent_id="a")
    desk.clock.forward(minutes=1)
    assert [each.state for each in await desk.deliver()] == [DeliveryState.HELD]
    assert [each.after for each in desk.reply(reply).changes] == ["Haló?"], "only what is new is shown"
    desk.clock.forward(minutes=1)
    desk.release(reply)
    assert [each.state for each in await desk.deliver()] == [DeliveryState.POSTED]
    assert desk.there.texts("a").count(reply.text) == 1


async def test_a_held_reply_can_be_taken_back_and_only_one_is_on_its_way(desk: Desk) -> None:
    reply = await desk.start()
    answered(desk)
    await desk.deliver()
    with pytest.raises(NotAllowed, match="held back"):
        Respond(desk.store, "petr", desk.config).send(desk.stored().id, "Jiná odpověď.", despite_warnings=True)
    draft = Respond(desk.store, "jana", desk.config).take_back(desk.reply(reply))
    assert draft.text == reply.text
    with pytest.raises(NotAllowed, match="not held"):
        desk.release(reply)


async def test_what_the_poll_has_seen_counts_where_nothing_can_be_read_again(desk: Desk) -> None:
    desk.there.capabilities = msgspec.structs.replace(desk.there.capabilities, reread=False)
    reply = await desk.start()
    answered(desk)
    await poll_round(desk.config, desk.store, now=True)
    assert [each.state for each in await desk.deliver()] == [DeliveryState.HELD]
    assert [each.what for each in desk.reply(reply).changes] == [What.ANSWERED]


async def test_what_was_known_when_it_was_approved_holds_nothing(desk: Desk) -> None:
    answered(desk)
    wrote_again(desk)
    await desk.start()
    assert [each.state for each in await desk.deliver()] == [DeliveryState.POSTED]


async def test_other_customers_in_the_thread_hold_nothing(desk: Desk) -> None:
    await desk.start()
    desk.there.write("b1", "Mně taky ne.", author=Author(id="c2", name="Jana"), thread_id="a", parent_id="a")
    assert [each.state for each in await desk.deliver()] == [DeliveryState.POSTED]


async def test_who_is_hidden_may_be_the_customer(desk: Desk) -> None:
    await desk.start()
    desk.there.write("b1", "Vyřešeno, díky.", thread_id="a", parent_id="a")
    assert [each.state for each in await desk.deliver()] == [DeliveryState.HELD]


async def test_a_colleagues_private_reply_holds_the_public_one(desk: Desk) -> None:
    reply = await desk.start()
    petr = Respond(desk.store, "petr", desk.config)
    petr.send(desk.stored().id, "Píšu soukromě.", channel=Channel.PRIVATE, despite_warnings=True)
    desk.store.outbox.postpone("fb", desk.clock())
    desk.clock.forward(minutes=1)
    desk.store.db.conn.execute("UPDATE reply SET send_after = send_after + 30000 WHERE id = ?", (reply.id,))
    told = {each.reply: each.state for each in await desk.deliver()}
    assert told[reply.id] is DeliveryState.HELD
    assert [each.who for each in desk.reply(reply).changes] == ["petr"]


@pytest.mark.parametrize(("level", "held"), [("edits", [What.EDITED, What.GONE]), ("off", [])])
@pytest.mark.parametrize("what", HAPPENED)
async def test_the_switch_says_how_strict(desk: Desk, level: str, held: list[What], what: What) -> None:
    path = desk.config.path
    path.write_text(path.read_text().replace('connector = "memory"', f'connector = "memory"\nguard = "{level}"'))
    desk.config = load(path, db=desk.config.database, environ={})
    read = []
    desk.there.on_reread = lambda: read.append(1)
    await desk.start()
    HAPPENED[what][0](desk)
    expected = DeliveryState.HELD if what in held else DeliveryState.POSTED
    assert [each.state for each in await desk.deliver()] == [expected]
    assert bool(read) is (level != "off")


@pytest.mark.parametrize(
    "error", [Unreachable("Cut."), RateLimited("Wait."), AuthFailed("Dead."), BadAnswer("Rubbish."), ValueError("x")]
)
async def test_a_thread_that_cannot_be_read_for_now_sends_nothing_and_is_tried_again(
    desk: Desk, error: Exception
) -> None:
    def fail() -> None:
        raise error

    reply = await desk.start()
    desk.there.on_reread = fail
    assert [each.state for each in await desk.deliver()] == [DeliveryState.QUEUED]
    assert desk.there.texts("a") == []
    desk.there.quiet()
    desk.clock.forward(hours=2)
    assert [each.state for each in await desk.deliver()] == [DeliveryState.POSTED]
    assert desk.there.texts("a") == [reply.text]


async def test_a_thread_that_may_not_be_read_waits_for_a_person_once(desk: Desk) -> None:
    def fail() -> None:
        raise PermissionMissing("The scope is missing.")

    reply = await desk.start()
    desk.there.on_reread = fail
    assert [each.state for each in await desk.deliver()] == [DeliveryState.HELD]
    assert [each.after for each in desk.reply(reply).changes] == ["The scope is missing."]
    desk.clock.forward(minutes=1)
    desk.release(reply)
    assert [each.state for each in await desk.deliver()] == [DeliveryState.POSTED]


async def test_a_kind_that_cannot_be_read_by_itself_is_judged_by_the_last_poll(desk: Desk) -> None:
    def fail() -> None:
        raise Unsupported("Not this kind.")

    await desk.start()
    desk.there.on_reread = fail
    assert [each.state for each in await desk.deliver()] == [DeliveryState.POSTED]


async def test_a_clock_that_is_set_back_hides_no_change(desk: Desk) -> None:
    await desk.start()
    edited(desk)
    wrote_again(desk)
    desk.clock.forward(hours=-3)
    await poll_round(desk.config, desk.store, now=True)
    desk.clock.forward(hours=3)
    assert [each.state for each in await desk.deliver()] == [DeliveryState.HELD]


async def test_a_mention_that_is_gone_is_held_once(desk: Desk) -> None:
    reply = await desk.start()
    deleted(desk)
    await desk.deliver()
    desk.release(reply)
    assert [each.state for each in await desk.deliver()] == [DeliveryState.POSTED], "the platform has the last word"


async def test_that_it_is_gone_is_told_once_whatever_holds_the_reply_afterwards(desk: Desk) -> None:
    def polled(desk: Desk) -> None:
        later = Mention(id="a2", kind=Kind.COMMENT, text="Haló?", author=JANA, thread_id="a", parent_id="a")
        desk.store.mentions.ingest("fb", [later])

    reply = await desk.start()
    for happen, what in ((deleted, What.GONE), (polled, What.WROTE_AGAIN)):
        happen(desk)
        assert [each.state for each in await desk.deliver()] == [DeliveryState.HELD]
        assert [each.what for each in desk.reply(reply).changes] == [what]
        desk.clock.forward(minutes=1)
        desk.release(reply)
        desk.clock.forward(minutes=1)
    assert [each.state for each in await desk.deliver()] == [DeliveryState.POSTED]


async def test_gone_is_noted_in_the_store(desk: Desk) -> None:
    def fail() -> None:
        raise NotThere("Deleted.")

    await desk.start()
    desk.there.on_reread = fail
    await desk.deliver()
    assert desk.stored().gone_at is not None


texts = st.text(max_size=20)


@given(level=st.sampled_from(Guard), ours=st.booleans(), below=st.booleans(), before=texts, after=texts)
def test_looser_never_holds_more(level: Guard, ours: bool, below: bool, before: str, after: str) -> None:
    mention = Mention(id="a", kind=Kind.COMMENT, text=after, author=JANA, created_at=MONDAY_NOON)
    other = Mention(id="b", kind=Kind.COMMENT, ours=ours, parent_id="a" if below else "x", created_at=MONDAY_NOON)
    told = {
        strictness: guard.changes(
            strictness,
            reply_of(),
            stored_of(mention, 2),
            known=Version(version=1, seen_at=MONDAY_NOON, title="", text=before, pros=(), cons=(), rating=None),
            came=[stored_of(other, 1)],
            replies=[],
            shape=guard.Shape(),
        )
        for strictness in Guard
    }
    assert told[Guard.OFF] == ()
    assert set(told[Guard.EDITS]) <= set(told[Guard.STRICT])
    assert bool(told[Guard.EDITS]) is (before != after), "an edit to the same words is none"
    assert set(told[level]) <= set(told[Guard.STRICT])


TREE = {
    "top": "post",
    "other top": "post",
    "mention": "top",
    "beside": "top",
    "answer": "mention",
    "deep": "answer",
    "elsewhere": "other top",
}
IN_BRANCH = {"beside", "answer", "deep", "top"}


def text_of(id: str, *, ours: bool = False, author: Author | None = JANA) -> Mention:
    return Mention(
        id=id,
        kind=Kind.COMMENT,
        thread_id="post",
        parent_id=TREE.get(id),
        ours=ours,
        author=None if ours else author,
        created_at=MONDAY_NOON,
    )


def weighed(mention: Mention, came: Mention, *, flat: bool = False, authors: dict[str, Author] | None = None) -> bool:
    shape = guard.Shape(above=TREE, authors=authors or {}, flat=flat)
    return bool(
        guard.changes(
            Guard.STRICT,
            reply_of(),
            stored_of(mention, 1),
            known=None,
            came=[stored_of(came, 1)],
            replies=[],
            shape=shape,
        )
    )


@pytest.mark.parametrize("id", [each for each in TREE if each != "mention"])
def test_more_from_the_customer_counts_in_the_branch_alone(id: str) -> None:
    assert weighed(text_of("mention"), text_of(id)) is (id in IN_BRANCH)
    assert not weighed(text_of("mention"), text_of(id, author=Author(id="c2", name="Petr")))


def test_a_branch_that_was_begun_later_is_not_the_mentions_even_where_that_one_is_not_known() -> None:
    mention = msgspec.structs.replace(text_of("mention"), parent_id="deleted before it was ever seen")
    begun = text_of("other top")
    assert weighed(mention, begun), "of the same second"
    later = msgspec.structs.replace(begun, created_at=MONDAY_NOON + timedelta(seconds=1))
    assert not weighed(mention, later)
    assert weighed(mention, msgspec.structs.replace(later, parent_id="deleted as well"))


@pytest.mark.parametrize("id", list(TREE))
def test_everything_by_its_author_is_below_the_start_of_a_thread(id: str) -> None:
    assert weighed(text_of("post"), text_of(id))


@pytest.mark.parametrize("id", ["other top", "elsewhere"])
def test_a_comment_of_its_own_is_another_conversation_unless_the_platform_is_flat(id: str) -> None:
    assert not weighed(text_of("top"), text_of(id))
    assert weighed(text_of("top"), text_of(id), flat=True) is (id == "other top")


def test_on_a_flat_platform_a_thread_of_its_own_under_the_same_post_counts_for_the_customer_alone() -> None:
    mention = msgspec.structs.replace(text_of("top"), thread_id="top")
    other = msgspec.structs.replace(text_of("other top"), thread_id="other top")
    assert weighed(mention, other, flat=True)
    assert not weighed(mention, other)
    shop = msgspec.structs.replace(text_of("other top", ours=True), thread_id="other top")
    assert not weighed(mention, shop, flat=True), "what the shop writes under its own post is no answer"


@pytest.mark.parametrize(("flat", "id", "counts"), [
    (False, "answer", True), (True, "answer", True), (False, "beside", False), (True, "beside", True),
    (False, "elsewhere", False), (True, "elsewhere", False), (False, "deep", False),
])  # fmt: skip
def test_the_shop_answers_whom_it_answers(flat: bool, id: str, counts: bool) -> None:
    assert weighed(text_of("mention"), text_of(id, ours=True), flat=flat) is counts


def test_an_answer_to_what_the_customer_went_on_with_is_one_too() -> None:
    assert weighed(text_of("mention"), text_of("deep", ours=True), authors={"answer": JANA})
    assert not weighed(text_of("mention"), text_of("deep", ours=True), authors={"answer": Author(id="c2", name="P")})
    assert not weighed(text_of("mention"), text_of("elsewhere", ours=True), authors={"other top": JANA})


def test_without_branches_the_whole_thread_counts() -> None:
    for ours in (True, False):
        loose = msgspec.structs.replace(text_of("x", ours=ours), parent_id=None)
        assert weighed(text_of("mention"), loose)
        message = msgspec.structs.replace(text_of("mention"), kind=Kind.MESSAGE)
        assert weighed(message, text_of("elsewhere", ours=ours))


@pytest.mark.parametrize(("kind", "thread", "counts"), [
    (Kind.MESSAGE, "post", True), (Kind.MESSAGE, "another", False), (Kind.COMMENT, "post", False),
])  # fmt: skip
def test_who_is_hidden_may_be_the_customer_in_the_same_messages_alone(kind: Kind, thread: str, counts: bool) -> None:
    mention = msgspec.structs.replace(text_of("mention"), kind=kind)
    hidden = msgspec.structs.replace(text_of("elsewhere", author=None), kind=kind, thread_id=thread)
    assert weighed(mention, hidden) is counts
    assert (
        weighed(msgspec.structs.replace(mention, author=None), msgspec.structs.replace(hidden, author=JANA)) is counts
    )


def test_another_thread_is_another_conversation_though_it_does_not_tell_what_it_answers() -> None:
    for ours in (True, False):
        loose = msgspec.structs.replace(text_of("x", ours=ours), parent_id=None, thread_id="another")
        assert not weighed(text_of("mention"), loose)


def test_a_text_is_the_start_of_its_own_thread() -> None:
    alone = msgspec.structs.replace(text_of("post"), thread_id=None)
    assert weighed(alone, text_of("top"))
    assert weighed(text_of("mention"), alone, authors={})
    assert not weighed(text_of("mention"), msgspec.structs.replace(alone, id="another"))


def test_a_text_without_a_time_may_be_later() -> None:
    assert weighed(text_of("mention"), msgspec.structs.replace(text_of("answer"), created_at=None))
    assert weighed(msgspec.structs.replace(text_of("mention"), created_at=None), text_of("answer"))


def test_a_circle_is_walked_once() -> None:
    assert guard.Shape(above={"b": "c", "c": "a"}).way_up(
        msgspec.structs.replace(text_of("mention"), id="a", parent_id="b")
    ) == ["b", "c"]
    assert guard.Shape(above={"b": "c", "c": "b"}).way_up(
        msgspec.structs.replace(text_of("mention"), id="a", parent_id="b")
    ) == ["b", "c"]
    assert guard.Shape().way_up(msgspec.structs.replace(text_of("mention"), parent_id=None)) == []


def test_who_is_not_told_is_nobody() -> None:
    assert not guard.same_author(None, None)
    assert not guard.same_author(JANA, None)
    assert not guard.same_author(None, JANA)


ids = st.sampled_from(["post", "a", "b", "c", "d", "unknown", "nowhere"])
trees = st.dictionaries(st.sampled_from(["a", "b", "c", "d", "unknown"]), ids)


@given(above=trees, one=st.sampled_from("abcd"), other=st.sampled_from("abcd"), flat=st.booleans())
def test_any_shape_is_weighed_and_what_is_below_always_counts(
    above: dict[str, str], one: str, other: str, flat: bool
) -> None:
    """Circles and holes in a hostile tree end, and make the guard stricter, never looser."""
    shape = guard.Shape(above=above, flat=flat)

    def text(id: str) -> Mention:
        return msgspec.structs.replace(text_of("mention"), id=id, parent_id=above.get(id))

    mention, came = text(one), text(other)
    held = bool(
        guard.changes(
            Guard.STRICT,
            reply_of(),
            stored_of(mention, 1),
            known=None,
            came=[stored_of(came, 1)],
            replies=[],
            shape=shape,
        )
    )
    way = shape.way_up(came)
    assert len(way) == len(set(way))
    if one in way:
        assert held
    tops = [([each.id, *shape.way_up(each)], each) for each in (mention, came)]
    if any("post" not in path for path, _ in tops):
        assert held, "a branch whose upper end is not known may be this one"


async def test_a_crowd_does_not_hide_the_customer(desk: Desk) -> None:
    reply = await desk.start()
    for number in range(60):
        crowd = Author(id=f"x{number}", name=f"Dav {number}")
        desk.there.write(f"b{number:02}", "Mně taky ne.", author=crowd, thread_id="a", parent_id="a")
    wrote_again(desk)
    assert [each.state for each in await desk.deliver()] == [DeliveryState.HELD]
    assert [each.after for each in desk.reply(reply).changes] == ["A ještě něco."]


async def test_what_may_not_be_read_does_not_hide_what_was_polled(desk: Desk) -> None:
    """The agent once released a reply that was held as unreadable, and the edit that the poll had seen was skipped."""

    def fail() -> None:
        raise PermissionMissing("The scope is missing.")

    reply = await desk.start()
    edited(desk)
    await poll_round(desk.config, desk.store, now=True)
    desk.there.on_reread = fail
    await desk.deliver()
    assert [each.what for each in desk.reply(reply).changes] == [What.UNREADABLE, What.EDITED]


async def test_words_that_stand_there_already_are_not_sent_again(desk: Desk) -> None:
    """An earlier attempt counted as lost and arrived after all: the guard's look finds it."""
    reply = await desk.start()
    desk.there.on_reply = lambda to, text: (_ for _ in ()).throw(Unreachable("Cut."))
    await desk.deliver()
    desk.there.quiet()
    desk.there.post("a", reply.text)
    desk.clock.forward(hours=1)
    assert [each.state for each in await desk.deliver()] == [DeliveryState.VISIBLE]
    assert desk.there.texts("a") == [reply.text]


async def test_what_a_colleagues_process_is_just_posting_is_not_taken_for_a_strangers(desk: Desk) -> None:
    """Two replies into one thread: the first was read before its id was known, and the second was held for it."""
    await desk.start()
    desk.there.write("a2", "A kdy?", author=JANA, thread_id="a", parent_id="a")
    await poll_round(desk.config, desk.store, now=True)
    desk.clock.forward(minutes=1)
    second = desk.store.mentions.find("fb", "a2")
    assert second is not None
    Respond(desk.store, "jana", desk.config).send(second.id, "Zítra.", despite_warnings=True)
    desk.clock.forward(minutes=1)
    first = desk.store.outbox.claim("another", lease_seconds=300)
    assert first is not None
    assert first.mention_id == desk.stored().id
    desk.there.post("a", first.text)
    assert [each.state for each in await desk.deliver()] == [DeliveryState.POSTED]


async def test_nothing_comes_in_between_weighing_and_holding(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the agent is shown and what counts as shown are one thing: what a poll brought in between once was not."""
    await desk.start()
    edited(desk)
    weigh, locked = guard.changes, []

    def meanwhile(*args, **more):
        with Store(desk.config.database, clock=desk.clock) as other:
            other.db.conn.execute("PRAGMA busy_timeout = 20")
            with pytest.raises(StoreError):
                other.mentions.ingest("fb", [text_of("late")])
            locked.append(True)
        return weigh(*args, **more)

    monkeypatch.setattr(guard, "changes", meanwhile)
    assert [each.state for each in await desk.deliver()] == [DeliveryState.HELD]
    assert locked


def reply_of() -> Reply:
    return Reply(
        id=1, mention_id=1, key="k", channel=Channel.PUBLIC, agent="jana", text="x", state=DeliveryState.SENDING,
        created_at=MONDAY_NOON, updated_at=MONDAY_NOON, send_after=MONDAY_NOON, attempts=1, attempted_at=MONDAY_NOON,
        remote_id="", remote_url="", remote_text=None, posted_at=None, fault="", fault_hint="", seen_until=MONDAY_NOON,
        seen_version=1, seen_mention=1, changes=(),
    )  # fmt: skip


def stored_of(mention: Mention, version: int) -> Stored:
    return Stored(
        id=1, source="fb", connector="memory", mention=mention, thread=1, version=version, status=Status.NEW,
        assignee="", seen_at=MONDAY_NOON + timedelta(minutes=1), changed_at=MONDAY_NOON, due_at=None,
        snoozed_until=None, answered_at=None, closed_at=None, gone_at=None, liked=False, assessment=None,
    )  # fmt: skip


def test_a_source_says_how_strict(tmp_path) -> None:
    config = config_with(tmp_path, "fb")
    assert config.source("fb").guard is Guard.STRICT
    path = config.path
    path.write_text(path.read_text() + 'guard = "sometimes"\n')
    with pytest.raises(ConfigError) as raised:
        load(path, db=tmp_path / "x.db", environ={})
    assert "guard" in str(raised.value.problems)

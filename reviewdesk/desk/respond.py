"""From a draft to a reply on its way: checks, seconds to take it back, hand-off, and what only a person can decide."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from reviewdesk.config import Config
from reviewdesk.desk.delivery import NOT_OUT, THERE, require
from reviewdesk.errors import NotAllowed
from reviewdesk.model import Channel, DeliveryState, LengthUnit, Level, Status
from reviewdesk.replies.checks import Problem, check_reply
from reviewdesk.replies.personalise import greeting
from reviewdesk.replies.topics import topic_word
from reviewdesk.store.db import Store, to_ms
from reviewdesk.store.holders import new_holder
from reviewdesk.store.records import Draft, Reply, Stored, Writer
from reviewdesk.text import cut

WRITING_AGAIN = 15.0
_WRITING_LEASE = 40.0
_ON_ITS_WAY = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.HELD)
_OUT = (*THERE, DeliveryState.HANDED_OFF)
"""States in which the customer has a reply, or a person is posting it."""


def stops(problem: Problem, despite_warnings: bool) -> bool:
    """Tells whether a reply does not go out for a problem: faults always stop it, warnings until waved through."""
    return problem.level is Level.FAULT or not despite_warnings


class Respond:
    """Replying by one agent.

    Args:
        store: of the calling thread.
        agent: who writes.
        config: for the shop's name, contact and signature, and the undo window.
    """

    def __init__(self, store: Store, agent: str, config: Config) -> None:
        self._store = store
        self._agent = agent
        self._config = config
        self._holder = new_holder()

    def save_draft(self, id: int, text: str, template: str = "") -> None:
        """Keeps what was written so far; an empty text removes the draft."""
        self._store.outbox.save_draft(id, self._agent, text, template)

    def begin_writing(self, id: int) -> bool:
        """Tells colleagues that a reply to this mention is open here; say it again every `WRITING_AGAIN` seconds.

        A window that dies is believed for at most `_WRITING_LEASE` seconds, on the same machine not at all. Gives
        whether the agent has it open in another window as well, where it would be the same draft.
        """
        return self._store.outbox.keep_open(id, self._agent, self._holder, seconds=_WRITING_LEASE)

    def stop_writing(self, id: int) -> None:
        """Tells colleagues that the reply is no longer open here; what was written stays a draft."""
        self._store.outbox.let_go(id, self._agent, self._holder)

    def writing_too(self, id: int) -> list[Writer]:
        """Gives the colleagues who have a reply to this mention open now."""
        now = self._store.clock()
        return [each for each in self._store.outbox.writers(id) if each.agent != self._agent and each.is_writing(now)]

    def reply_mode(self, id: int) -> str:
        """Gives "api", "hand_off" or "none": how a reply to this mention gets to its platform."""
        stored = self._store.mentions.get(id)
        mode = str(self._store.sources.capabilities(stored.source).get("reply", "none"))
        return "hand_off" if mode == "api" and stored.mention.can_reply is False and stored.mention.url else mode

    def reply_limit(self, id: int) -> tuple[int | None, LengthUnit]:
        """Gives the longest reply and what the platform counts; None where there is no limit."""
        told = self._store.sources.capabilities(self._store.mentions.get(id).source)
        return told.get("reply_length"), LengthUnit(told.get("reply_length_unit", LengthUnit.CHARACTERS))

    def reply_page(self, id: int) -> str:
        """Gives the page on which a person replies by hand; "" where none is known."""
        mention = self._store.mentions.get(id).mention
        return mention.reply_url or mention.url

    def values(self, id: int) -> Mapping[str, str]:
        """Gives the variables of templates for this mention, as plain text; greeting and topic are in its language."""
        stored = self._store.mentions.get(id)
        mention, shop = stored.mention, self._config.shop
        agent = next((each for each in self._config.agents if each.id == self._agent), None)
        name = self._config.agent_name(self._agent)
        signature = (agent.signature if agent else "") or shop.signature
        author = mention.author.name if mention.author else ""
        topics = stored.assessment.topics if stored.assessment else ()
        return {
            "greeting": greeting(author or None, self.language(stored)),
            "author": author,
            "shop": shop.name,
            "agent": name,
            "signature": signature.replace("{agent}", name).replace("{shop}", shop.name).strip(" ,"),
            "contact": shop.contact,
            "order_id": mention.order_id,
            "product": mention.product,
            "topic": topic_word(topics[0], self.language(stored)) if topics else "",
            "source_title": next((each.title for each in self._config.sources if each.id == stored.source), "")
            or stored.source,
        }

    def language(self, stored: Stored) -> str:
        """Gives the language to answer in: that of the text where the desk could tell it, else the source's, else the
        shop's.
        """
        return _spoken(stored) or self._config.shop.language

    def problems(
        self, id: int, text: str, channel: Channel = Channel.PUBLIC, *, language: str | None = None
    ) -> list[Problem]:
        """Gives what speaks against sending this text, faults before warnings.

        Args:
            language: of the template that the text came from, where it came from one.
        """
        stored = self._store.mentions.get(id)
        limit, unit = self.reply_limit(id)
        found = check_reply(
            text,
            limit=limit,
            unit=unit,
            channel=channel,
            language=language,
            mention_language=_spoken(stored),
            customer=stored.mention.author.name if stored.mention.author else None,
            other_names=self._store.mentions.names_near(stored, self._agent),
            own_names=(self._config.shop.name, self._config.agent_name(self._agent)),
            order_id=stored.mention.order_id,
            own_contacts=(self._config.shop.contact, self._config.shop.signature),
            recent=self._store.outbox.recent_texts(self._agent),
        )
        for earlier in self._store.outbox.replies_to(id):
            if earlier.channel is not channel:
                continue
            mine = earlier.agent == self._agent
            name, words = self._config.agent_name(earlier.agent), cut(earlier.text, 60)
            if earlier.state in _ON_ITS_WAY:
                where = "held back" if earlier.state is DeliveryState.HELD else "on its way"
                has = "You have" if mine else f"{name} has"
                stays = "Yours stays here as a draft."
                if mine:
                    stays = "Withdraw it first." if earlier.state in NOT_OUT else "It may be there already."
                found.insert(0, _fault(f"{has} a reply {where}: “{words}” {stays}"))
            elif earlier.state in _OUT and not mine:
                found.append(Problem(level=Level.WARNING, sentence=f"{name} has replied already: “{words}”"))
        if stored.gone_at:
            found.insert(0, _fault("The mention is gone from the platform; there is nothing to reply to."))
        if channel is Channel.PUBLIC and self.reply_mode(id) == "none":
            found.insert(0, _fault("This source takes no replies."))
        if channel is Channel.PRIVATE and not self._store.sources.capabilities(stored.source).get("private_reply"):
            found.insert(0, _fault("This source has no private replies."))
        elif channel is Channel.PRIVATE and stored.mention.can_private_reply is False:
            found.insert(0, _fault("This customer cannot be written to privately."))
        return found

    def send(
        self,
        id: int,
        text: str,
        *,
        channel: Channel = Channel.PUBLIC,
        language: str | None = None,
        despite_warnings: bool = False,
    ) -> Reply:
        """Puts the text on its way, word for word. It waits for the undo seconds before it may go out.

        Where the source takes replies only by hand it becomes `handed_off`: the caller copies the text and opens
        `reply_page`.

        Raises:
            NotAllowed: a fault speaks against it, or a warning not waved through; or another one is on its way.
        """
        for problem in self.problems(id, text, channel, language=language):
            if stops(problem, despite_warnings):
                raise NotAllowed(problem.sentence)
        if self.reply_mode(id) == "hand_off" and channel is Channel.PUBLIC:
            return self._hand_off(id, text)
        after = self._store.clock() + timedelta(seconds=self._config.desk.undo_seconds)
        return self._store.outbox.put(id, text, agent=self._agent, channel=channel, send_after=after)

    def _hand_off(self, id: int, text: str) -> Reply:
        with self._store.transaction():
            for earlier in self._store.outbox.replies_to(id):
                if earlier.state is DeliveryState.HANDED_OFF:
                    self._move(earlier, DeliveryState.WITHDRAWN)
            return self._store.outbox.put(id, text, agent=self._agent, state=DeliveryState.HANDED_OFF)

    def take_back(self, reply: Reply) -> Draft:
        """Withdraws a reply that has not gone out, and gives its text back as the draft, above what the agent may have
        begun to write since. So does it with one of which only a person's word says that it was posted by hand.

        Raises:
            NotAllowed: it has gone out already, is going out just now, or nobody knows.
        """
        by_hand = self.is_posted_by_word(reply)
        if not by_hand:
            _require_state(reply, NOT_OUT, "cannot be taken back")
        with self._store.transaction():
            self._move(reply, DeliveryState.WITHDRAWN)
            if by_hand:
                reopen_unanswered(self._store, reply, self._agent)
            begun = [each.text for each in self._own_drafts(reply) if each.text != reply.text]
            self._store.outbox.save_draft(reply.mention_id, self._agent, "\n\n".join((reply.text, *begun)))
        return self._own_drafts(reply)[0]

    def is_posted_by_word(self, reply: Reply) -> bool:
        """Tells whether nothing but a person's word says that a reply was posted by hand."""
        by_word = reply.state is DeliveryState.POSTED and not reply.remote_id
        return by_word and self.reply_mode(reply.mention_id) == "hand_off"

    def drop(self, reply: Reply) -> None:
        """Withdraws a reply that has not gone out. Its text stays in the conversation, as one that was taken back.

        Raises:
            NotAllowed: as in `take_back`.
        """
        _require_state(reply, NOT_OUT, "cannot be withdrawn")
        self._move(reply, DeliveryState.WITHDRAWN)

    def _own_drafts(self, reply: Reply) -> list[Draft]:
        return [each for each in self._store.outbox.drafts(reply.mention_id) if each.agent == self._agent]

    def confirm_hand_off(self, reply: Reply) -> None:
        """Notes that a person has posted a handed-off reply on the platform's own page.

        Raises:
            NotAllowed: it is not handed off (any more).
        """
        _require_state(reply, (DeliveryState.HANDED_OFF,), "was not handed off")
        with self._store.transaction():
            self._move(reply, DeliveryState.POSTED, posted_at=self._store.clock())
            self._answered(reply)

    def settle(self, reply: Reply, posted: bool) -> None:
        """Lets a person decide an unknown reply: it was posted, or it was not and goes out again.

        Raises:
            NotAllowed: it is not unknown (any more).
        """
        _require_state(reply, (DeliveryState.UNKNOWN,), "is not one that a person decides")
        with self._store.transaction():
            if posted:
                self._move(reply, DeliveryState.POSTED, posted_at=reply.attempted_at)
                self._answered(reply)
            else:
                self._move(reply, DeliveryState.QUEUED, send_after=self._store.clock())

    def release(self, reply: Reply) -> None:
        """Lets a held reply go out at the next sending, whatever it was held for; what comes after that holds it again.

        Raises:
            NotAllowed: it is not held (any more).
        """
        _require_state(reply, (DeliveryState.HELD,), "is not held")
        self._move(reply, DeliveryState.QUEUED, send_after=self._store.clock())

    def _move(self, reply: Reply, to: DeliveryState, **columns: Any) -> None:
        require(reply.state, to)
        if not self._store.outbox.move(reply, to, agent=self._agent, fault="", fault_hint="", **columns):
            raise NotAllowed("The reply has moved on meanwhile.", hint="Look at it again.")

    def _answered(self, reply: Reply) -> None:
        now = to_ms(self._store.clock())
        self._store.mentions.change(
            [reply.mention_id],
            {"status": Status.ANSWERED.value, "answered_at": now},
            agent=self._agent,
            what="answered",
        )


def reopen_unanswered(store: Store, gone: Reply, agent: str) -> None:
    """Opens the mention of a reply that is not there (any more), where nothing else of ours answers it."""
    now = store.mentions.conversation(gone.mention_id)
    if now.focus.status is not Status.ANSWERED or any(each.state in THERE for each in now.replies):
        return
    if not any(
        each.mention.ours
        and not each.gone_at
        and each.mention.parent_id == now.focus.mention.id
        and each.mention.id != gone.remote_id
        for each in now.thread
    ):
        back = {"status": Status.OPEN.value, "answered_at": None}
        store.mentions.change([gone.mention_id], back, agent=agent, what="reopened")


def _require_state(reply: Reply, states: Collection[DeliveryState], otherwise: str) -> None:
    if reply.state not in states:
        raise NotAllowed(
            f"Reply {reply.id} {otherwise}: it is {reply.state.words}.",
            hint="`reviewdesk outbox --all` shows where each reply stands.",
        )


def _spoken(stored: Stored) -> str | None:
    """Gives the customer's language: the text's own where the desk could tell it, else what the source says."""
    told = (stored.assessment.language if stored.assessment else None, stored.mention.language)
    return next((each for each in told if each and each != "other"), None)


def _fault(sentence: str) -> Problem:
    return Problem(level=Level.FAULT, sentence=sentence)

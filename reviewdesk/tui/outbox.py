"""The outbox screen: the replies on their way, and those that only a person can settle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.message import Message

from reviewdesk.commands import Context, Keys
from reviewdesk.desk.delivery import NOT_OUT, THERE
from reviewdesk.model import Channel, DeliveryState
from reviewdesk.store.outbox import WAITING
from reviewdesk.store.records import Reply, Row
from reviewdesk.text import cut, one_line, safe, width
from reviewdesk.tui import difference
from reviewdesk.tui.difference import hanging, quoted
from reviewdesk.tui.keys import bindings
from reviewdesk.tui.line import Surroundings
from reviewdesk.tui.overview import Overview
from reviewdesk.tui.wording import ago, clock, delivery, source_label, standing_text

_TEXT_MOST = 600
_ORDER = (
    DeliveryState.UNKNOWN,
    DeliveryState.HELD,
    DeliveryState.REFUSED,
    DeliveryState.HANDED_OFF,
    DeliveryState.SENDING,
    DeliveryState.QUEUED,
    DeliveryState.POSTED,
    DeliveryState.VISIBLE,
    DeliveryState.WITHDRAWN,
)
_WORKS = {
    "outbox.posted": (DeliveryState.UNKNOWN, DeliveryState.HANDED_OFF),
    "outbox.missing": (DeliveryState.UNKNOWN,),
    "outbox.release": (DeliveryState.HELD,),
    "outbox.take_back": NOT_OUT,
    "outbox.drop": NOT_OUT,
    "outbox.amend": THERE,
    "outbox.delete": THERE,
    "outbox.open": tuple(DeliveryState),
}
"""On replies of which states a command works."""


class OutboxScreen(Overview):
    """Lists the replies that `show` was given, first those that wait for a person. Does nothing itself: it asks.

    Args:
        around: gives the time and the shop's timezone, at the time of painting.
        keys: for the sentences that name them.
    """

    context = Context.OUTBOX
    BINDINGS = bindings(Context.OUTBOX)

    @dataclass
    class Settled(Message):
        """A person has looked: the unknown reply is on the platform, or it is not and may go out again."""

        reply: Reply
        posted: bool

    @dataclass
    class HandOffConfirmed(Message):
        """A person has posted the handed-off reply on the platform's own page."""

        reply: Reply

    @dataclass
    class Released(Message):
        """The reply that is held is to go out all the same."""

        reply: Reply

    @dataclass
    class TakenBack(Message):
        """The reply that has not gone out is to become a draft again."""

        reply: Reply

    @dataclass
    class Dropped(Message):
        """The reply that has not gone out is not to go out; its text is no draft."""

        reply: Reply

    @dataclass
    class AmendWanted(Message):
        """The user wants to change or delete the reply where it stands, on its platform."""

        reply: Reply
        delete: bool

    @dataclass
    class MentionWanted(Message):
        """The user wants to read the mention that the reply answers."""

        mention_id: int

    def __init__(self, around: Callable[[], Surroundings], keys: Keys | None = None) -> None:
        super().__init__(around)
        self._keys = keys or Keys()
        self._known = False
        self._replies: list[Reply] = []
        self._answered: Mapping[int, Row] = {}

    def repaint(self) -> None:
        """Shows the replies again, for the time and the width that there are now."""
        if self._known:
            self.show(self._replies)

    @property
    def reply(self) -> Reply | None:
        """The reply under the cursor; None where there is none."""
        return self._replies[self.place] if 0 <= self.place < len(self._replies) else None

    def show(self, replies: Sequence[Reply], answered: Mapping[int, Row] | None = None) -> None:
        """Shows the replies; the cursor stays on its reply.

        Args:
            answered: the mentions that they answer, by id, as far as they are known; None for those told last.
        """
        before, self._known = self.reply, True
        self._answered = self._answered if answered is None else answered
        self._replies = sorted(replies, key=lambda reply: (_ORDER.index(reply.state), reply.created_at))
        places = [place for place, reply in enumerate(self._replies) if before and reply.id == before.id]
        waiting = sum(reply.state in WAITING for reply in self._replies)
        said = f"{waiting} wait{'s' if waiting == 1 else ''} for your word" if waiting else "nothing waits for you"
        title = Content.assemble(
            ("Outbox", "bold"), f"  {len(self._replies):,}, ", (said, "bold $warning" if waiting else "$success")
        )
        if not self._replies:
            title = Content.styled("The outbox is empty: every reply has arrived.", "$success")
        around = self.around()
        entries = [
            describe(reply, around, self._keys, self.room, self._answered.get(reply.mention_id))
            for reply in self._replies
        ]
        self.put(title, entries, places[0] if places else None)

    def works(self, id: str) -> bool:
        """Tells whether a command works on the reply under the cursor."""
        state = self.reply.state if self.reply else None
        return state in _WORKS[id] if id in _WORKS else True

    def on_option_list_option_selected(self) -> None:
        """Opens the mention that was clicked."""
        self.do_outbox_open()

    def do_outbox_posted(self) -> None:
        """Says that the reply is on its platform."""
        if self.reply and self.reply.state is DeliveryState.HANDED_OFF:
            self.post_message(self.HandOffConfirmed(self.reply))
        elif self.reply:
            self.post_message(self.Settled(self.reply, True))

    def do_outbox_missing(self) -> None:
        """Says that the reply is not on its platform."""
        if self.reply:
            self.post_message(self.Settled(self.reply, False))

    def do_outbox_release(self) -> None:
        """Wants the held reply to go out all the same."""
        if self.reply:
            self.post_message(self.Released(self.reply))

    def do_outbox_take_back(self) -> None:
        """Wants the reply back as a draft."""
        if self.reply:
            self.post_message(self.TakenBack(self.reply))

    def do_outbox_drop(self) -> None:
        """Wants the reply not to go out."""
        if self.reply:
            self.post_message(self.Dropped(self.reply))

    def do_outbox_amend(self) -> None:
        """Wants to change the reply on its platform."""
        if self.reply:
            self.post_message(self.AmendWanted(self.reply, delete=False))

    def do_outbox_delete(self) -> None:
        """Wants to delete the reply from its platform."""
        if self.reply:
            self.post_message(self.AmendWanted(self.reply, delete=True))

    def do_outbox_open(self) -> None:
        """Wants to read the mention."""
        if self.reply:
            self.post_message(self.MentionWanted(self.reply.mention_id))


def describe(reply: Reply, around: Surroundings, keys: Keys, room: int, answered: Row | None = None) -> Content:
    """Gives all that is to be said about a reply, in lines of at most `room` cells; of an unknown one both texts.

    Args:
        answered: the mention that it answers.
    """
    words, style = delivery(reply, around)
    private = "  private" if reply.channel is Channel.PRIVATE else ""
    name = around.people.get(reply.agent, reply.agent)
    written = f"{cut(name, 24)} · written {ago(reply.created_at, around)}{_tried(reply, around)}"
    lines = [Content.assemble((words, f"bold {style}"), (private, "$warning")), *_told(written, "$faint", room)]
    if answered:
        who = (
            f"to {cut(answered.author or 'someone', 30)} · {source_label(answered.source, answered.connector, around)}"
        )
        words = cut(one_line(answered.excerpt), max(8, room - width(who) - 6))
        lines.append(Content.assemble("  ", who, (f"  “{words}”" if words else "", "$faint")))
    if reply.state is DeliveryState.HELD:
        for change in reply.changes:
            lines += difference.told(change, around, room)
        lines += _told("Your reply:", "bold", room)
    if reply.state is DeliveryState.UNKNOWN:
        lines += _told("Ours:", "bold", room)
    lines += _quoted(standing_text(reply), style, room)
    if reply.state is DeliveryState.UNKNOWN:
        seen = f", {clock(reply.posted_at, around)}" if reply.posted_at else ""
        found = f"On the platform{seen}:" if reply.remote_text else "Nothing like it was seen on the platform yet."
        lines += _told(found, "bold", room)
        lines += _quoted(reply.remote_text or "", "$accent", room)
        asked = "Look at its page, then press {outbox.posted}: it is there, or {outbox.missing}: send it again."
        lines += _told(keys.put_into(asked), "$faint", room)
    if reply.fault and reply.state is not DeliveryState.HELD:
        lines += _told(f"✗ {cut(reply.fault, 400)}", "$error", room)
        if reply.fault_hint:
            lines += _told(f"→ {cut(reply.fault_hint, 400)}", "", room)
    if reply.state is DeliveryState.HELD:
        ways = "{outbox.release} sends it all the same, {outbox.take_back} makes it a draft to change, "
        lines += _told(keys.put_into(ways + "{outbox.drop} drops it."), "$accent", room)
    return Content("\n").join([*lines, Content("")])


def _told(sentence: str, style: str, room: int) -> list[Content]:
    return hanging(Content("  "), Content.styled(sentence, style), room)


def _tried(reply: Reply, around: Surroundings) -> str:
    if not reply.attempts:
        return ""
    last = f", last {clock(reply.attempted_at, around)}" if reply.attempted_at else ""
    return f" · tried {reply.attempts:,}×{last}"


def _quoted(text: str, style: str, room: int) -> list[Content]:
    if not text:
        return []
    shown = safe(text[:_TEXT_MOST]) + ("…" if len(text) > _TEXT_MOST else "")
    return quoted("", Content(shown), style, room)

"""The outbox screen: the replies on their way, and those that only a person can settle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from reviewdesk.model import Channel, DeliveryState
from reviewdesk.store.records import Reply
from reviewdesk.text import cut, safe
from reviewdesk.tui.line import Surroundings
from reviewdesk.tui.wording import ago, clock, delivery

_TEXT_MOST = 600
_ORDER = (
    DeliveryState.UNKNOWN,
    DeliveryState.REFUSED,
    DeliveryState.HANDED_OFF,
    DeliveryState.SENDING,
    DeliveryState.QUEUED,
    DeliveryState.POSTED,
    DeliveryState.VISIBLE,
    DeliveryState.WITHDRAWN,
)


class OutboxScreen(Screen[None]):
    """Lists the replies that `show` was given, first those that wait for a person. Does nothing itself: it asks.

    Args:
        around: gives the time and the shop's timezone, at the time of painting.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "settle(True)", "It is posted", id="outbox.posted"),
        Binding("n", "settle(False)", "Not posted", id="outbox.not_posted"),
        Binding("w", "take_back", "Take back", id="outbox.take_back"),
        Binding("enter,o", "open", "Open mention", id="outbox.open"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
        Binding("escape,q", "dismiss", "Back", id="outbox.back"),
    ]
    DEFAULT_CSS = """
    OutboxScreen {
        background: $surface;
        #title { height: 1; padding: 0 1; background: $panel; }
        OptionList { height: 1fr; border: none; padding: 0 1; background: $surface; scrollbar-size-vertical: 1; }
        OptionList:focus { border: none; background-tint: $foreground 0%; }
        OptionList > .option-list--option-highlighted,
        OptionList:focus > .option-list--option-highlighted {
            background: $primary 22%;
            color: $foreground;
            text-style: none;
        }
    }
    """

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
    class TakenBack(Message):
        """The reply that has not gone out is to become a draft again."""

        reply: Reply

    @dataclass
    class MentionWanted(Message):
        """The user wants to read the mention that the reply answers."""

        mention_id: int

    def __init__(self, around: Callable[[], Surroundings] | None = None) -> None:
        super().__init__()
        self._around = around or (lambda: Surroundings(datetime.now(UTC), UTC, "", {}))
        self._replies: list[Reply] = []

    def compose(self) -> ComposeResult:
        """Lays the screen out."""
        yield Static(id="title", markup=False)
        yield OptionList(markup=False)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Shows what was given before."""
        self.show(self._replies)
        self.query_one(OptionList).focus()

    @property
    def reply(self) -> Reply | None:
        """The reply under the cursor."""
        place = self.query_one(OptionList).highlighted if self.query(OptionList) else None
        return self._replies[place] if place is not None and place < len(self._replies) else None

    def show(self, replies: Sequence[Reply]) -> None:
        """Shows the replies; the cursor stays on its reply."""
        before = self.reply
        self._replies = sorted(replies, key=lambda reply: (_ORDER.index(reply.state), reply.created_at))
        if not self.query(OptionList):
            return
        around = self._around()
        offered = self.query_one(OptionList)
        offered.set_options([Option(describe(reply, around)) for reply in self._replies])
        places = [place for place, reply in enumerate(self._replies) if before and reply.id == before.id]
        offered.highlighted = places[0] if places else 0 if self._replies else None
        waiting = sum(reply.state in (DeliveryState.UNKNOWN, DeliveryState.HANDED_OFF) for reply in self._replies)
        said = f"{waiting} wait for your word" if waiting else "nothing waits for you"
        title = Content.assemble(
            ("Outbox", "bold"), f"  {len(self._replies):,}, ", (said, "bold $warning" if waiting else "$success")
        )
        self.query_one("#title", Static).update(
            title if self._replies else Content.styled("The outbox is empty: every reply has arrived.", "$success")
        )
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tells which keys work on the reply under the cursor."""
        reply = self.reply
        state = reply.state if reply else None
        if action == "settle":
            by_hand = parameters == (True,) and state is DeliveryState.HANDED_OFF
            return state is DeliveryState.UNKNOWN or by_hand or None
        if action == "take_back":
            return state in (DeliveryState.QUEUED, DeliveryState.HANDED_OFF) or None
        return reply is not None or None if action == "open" else True

    def on_option_list_option_highlighted(self) -> None:
        """Shows the keys that work now."""
        self.refresh_bindings()

    def on_option_list_option_selected(self) -> None:
        """Opens the mention."""
        self.action_open()

    def action_settle(self, posted: bool) -> None:
        """Says what became of the reply."""
        if self.reply and self.reply.state is DeliveryState.HANDED_OFF:
            self.post_message(self.HandOffConfirmed(self.reply))
        elif self.reply:
            self.post_message(self.Settled(self.reply, posted))

    def action_take_back(self) -> None:
        """Wants the reply back as a draft."""
        if self.reply:
            self.post_message(self.TakenBack(self.reply))

    def action_open(self) -> None:
        """Wants to read the mention."""
        if self.reply:
            self.post_message(self.MentionWanted(self.reply.mention_id))

    def action_move(self, by: int) -> None:
        """Moves the cursor."""
        offered = self.query_one(OptionList)
        if offered.highlighted is not None:
            offered.highlighted = max(0, min(offered.option_count - 1, offered.highlighted + by))


def describe(reply: Reply, around: Surroundings) -> Content:
    """Gives all that is to be said about a reply; of an unknown one what was sent and what is seen."""
    words, style = delivery(reply, around)
    private = "  private" if reply.channel is Channel.PRIVATE else ""
    written = f"  {cut(reply.agent, 24)} · written {ago(reply.created_at, around)}{_tried(reply, around)}"
    lines = [
        Content.assemble((words, f"bold {style}"), (private, "$warning")),
        Content.styled(written, "$faint"),
    ]
    if reply.state is DeliveryState.UNKNOWN:
        lines.append(Content.styled("  Ours:", "bold"))
    lines += _quoted(reply.text, style)
    if reply.state is DeliveryState.UNKNOWN:
        seen = f", {clock(reply.posted_at, around)}" if reply.posted_at else ""
        found = f"  On the platform{seen}:" if reply.remote_text else "  Nothing like it was seen on the platform yet."
        lines.append(Content.styled(found, "bold"))
        lines += _quoted(reply.remote_text or "", "$accent")
        lines.append(Content.styled("  Look at its page, then press y: it is there, or n: send it again.", "$faint"))
    if reply.fault:
        lines.append(Content.styled(f"  ✗ {cut(reply.fault, 400)}", "$error"))
        if reply.fault_hint:
            lines.append(Content(f"  → {cut(reply.fault_hint, 400)}"))
    lines.append(Content(""))
    return Content("\n").join(lines)


def _tried(reply: Reply, around: Surroundings) -> str:
    if not reply.attempts:
        return ""
    last = f", last {clock(reply.attempted_at, around)}" if reply.attempted_at else ""
    return f" · tried {reply.attempts:,}×{last}"


def _quoted(text: str, style: str) -> list[Content]:
    if not text:
        return []
    shown = safe(text[:_TEXT_MOST]) + ("…" if len(text) > _TEXT_MOST else "")
    return [Content.assemble(("  │ ", style), line) for line in shown.split("\n")[:12]]

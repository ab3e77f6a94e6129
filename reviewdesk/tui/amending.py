"""What can still be done about a reply that has gone out: changed or deleted where it stands, on its platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from reviewdesk.commands import Keys, command
from reviewdesk.model import Channel, LengthUnit, Record
from reviewdesk.replies.checks import length
from reviewdesk.store.records import Reply
from reviewdesk.text import cut, safe
from reviewdesk.tui.composer import ReplyText
from reviewdesk.tui.frame import Frame
from reviewdesk.tui.leaving import LeftOnce
from reviewdesk.tui.line import Surroundings
from reviewdesk.tui.prompts import Choose, Confirm
from reviewdesk.tui.wording import source_label, standing_text
from reviewdesk.tui.writer import Desk

if TYPE_CHECKING:
    from reviewdesk.tui.app import ReviewdeskApp

_BODY_MOST = 400


class _Platform(Record, frozen=True, kw_only=True):
    """What the platform of a reply can do about it."""

    name: str
    edit: bool
    delete: bool
    by_word: bool
    limit: int | None
    unit: LengthUnit
    page: str


class Amending:
    """Changes and deletes replies that stand on their platform."""

    def __init__(self, desk: ReviewdeskApp) -> None:
        self._desk = desk
        self._begun: dict[tuple[int, str], str] = {}

    async def offer(self, reply: Reply) -> None:
        """Offers what the reply's platform can do about it, where it can be taken back no more."""
        platform = await self._platform(reply)
        ways = [("edit", "Change its text there")] * platform.edit + [("delete", "Delete it there")] * platform.delete
        ways += [("draft", "It is not there: make it a draft again")] * platform.by_word
        if not ways:
            await self._tell_page(platform, "change or delete replies")
            return
        chosen = await self._desk.push_screen_wait(Choose(f"The reply is on {platform.name} already", ways))
        if chosen == "edit":
            await self.edit(reply)
        elif chosen == "delete":
            await self.delete(reply)
        elif chosen == "draft":
            await self._desk.inbox.replying.take_back(reply)

    async def edit(self, reply: Reply) -> None:
        """Lets the user change the text, and changes it on the platform. What was left half-written is there again."""
        platform = await self._platform(reply)
        if not platform.edit:
            await self._tell_page(platform, "change replies")
            return
        standing = standing_text(reply)
        begun = self._begun.pop((reply.id, standing), standing)
        screen = Rewrite(f"Your reply on {platform.name}", begun, platform.limit, platform.unit, self._desk.keys)
        text = await self._desk.push_screen_wait(screen)
        if text is None and screen.text != safe(standing):
            self._begun[reply.id, standing] = screen.text
            self._desk.say("The reply stands there as it was. What you wrote is kept until you leave the desk.")
        if not text or text == standing:
            return
        if await self._desk.moderate("edit-reply", "--", str(reply.id), text, silent=True):
            self._desk.say(f"The reply on {platform.name} is changed.")
        else:
            self._desk.copy_to_clipboard(text)
            self._desk.say("The reply stands there as it was. What you wrote is copied.", "warning")

    async def delete(self, reply: Reply) -> None:
        """Asks, and deletes the reply from its platform."""
        platform = await self._platform(reply)
        if not platform.delete:
            await self._tell_page(platform, "delete replies")
            return
        body = f"{cut(standing_text(reply), _BODY_MOST)}\n\nThe public will see it no more."
        question = Confirm(f"Delete the reply from {platform.name}?", body, "Delete")
        if await self._desk.push_screen_wait(question) and await self._desk.moderate(
            "delete-reply", "--yes", str(reply.id), silent=True
        ):
            self._desk.say(f"The reply is deleted from {platform.name}.")

    async def _platform(self, reply: Reply) -> _Platform:
        around = self._desk.inbox.surroundings()
        return await self._desk.writer.do(lambda desk: _platform(desk, reply, around))

    async def _tell_page(self, platform: _Platform, what: str) -> None:
        page = f" Its page may: {cut(platform.page, 200)}" if platform.page else ""
        self._desk.say(f"The reply is on {platform.name}, which has no way for the desk to {what}.{page}", "warning")


def _platform(desk: Desk, reply: Reply, around: Surroundings) -> _Platform:
    stored = desk.store.mentions.get(reply.mention_id)
    can = desk.store.sources.capabilities(stored.source)
    limit, unit = desk.respond.reply_limit(stored.id)
    known = bool(reply.remote_id) and reply.channel is Channel.PUBLIC
    return _Platform(
        name=source_label(stored.source, stored.connector, around),
        edit=known and bool(can.get("edit_reply")),
        delete=known and bool(can.get("delete_reply")),
        by_word=desk.respond.is_posted_by_word(reply),
        limit=limit,
        unit=unit,
        page=reply.remote_url or stored.mention.url,
    )


class Rewrite(ModalScreen[str | None], LeftOnce[str | None]):
    """Lets the user change a text of several lines; gives it, None when left.

    Args:
        title: what it is.
        initial: the text as it stands.
        limit: its greatest length, counted in `unit`; None where there is none.
        keys: for the keys that take it and leave it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(command("reply.send").keys), "take", "Take", id="reply.send", show=False, priority=True),
        Binding(",".join(command("reply.leave").keys), "leave", "Leave", id="reply.leave", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    Rewrite {
        align: center middle;
        background: $background 60%;
        Frame {
            width: 90%;
            max-width: 100;
            height: 80%;
            max-height: 24;
        }
        ReplyText { height: 1fr; border: none; padding: 0; background: $surface; }
        #count { height: 1; color: $faint; }
    }
    """

    def __init__(self, title: str, initial: str, limit: int | None, unit: LengthUnit, keys: Keys) -> None:
        super().__init__()
        self._title = title
        self._limit = limit
        self._unit = unit
        self._keys = keys
        self._area = ReplyText(safe(initial), soft_wrap=True, compact=True, highlight_cursor_line=False)

    def compose(self) -> ComposeResult:
        """Lays the text out."""
        with Frame(self._title, self._keys.put_into("{reply.send} changes it there · {reply.leave} leaves it")):
            yield self._area
            yield Static(id="count", markup=False)

    def on_mount(self) -> None:
        """Puts the cursor behind the last word."""
        self._area.move_cursor(self._area.document.end)
        self._area.focus()

    @property
    def text(self) -> str:
        """What is written so far."""
        return self._area.text

    @property
    def _over(self) -> int:
        """By how much the text is too long."""
        return max(0, length(self._area.text, self._unit) - self._limit) if self._limit is not None else 0

    @on(TextArea.Changed)
    def _changed(self) -> None:
        limit = f" of {self._limit:,}" if self._limit is not None else ""
        count = f"{length(self._area.text, self._unit):,}{limit}"
        self.query_one("#count", Static).update(
            Content.styled(f"Too long: {count}", "bold $error") if self._over else Content(count)
        )

    def action_take(self) -> None:
        """Gives the text, where it is one that can stand there."""
        if not self._over and self._area.text.strip():
            self.dismiss(self._area.text.strip())
        else:
            self.app.bell()

    def action_leave(self) -> None:
        """Leaves it as it stands."""
        self.dismiss(None)

"""The commands of replying: the composer with its draft, sending with seconds to take it back, and what is by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from textual.timer import Timer

from reviewdesk.model import Channel, DeliveryState, LengthUnit, Level, Template
from reviewdesk.store.records import Conversation, Draft, Reply
from reviewdesk.tui.composer import Composer
from reviewdesk.tui.prompts import Choose, Confirm
from reviewdesk.tui.writer import Desk

if TYPE_CHECKING:
    from reviewdesk.tui.app import ReviewdeskApp
    from reviewdesk.tui.inbox import InboxScreen

_DRAFT_SECONDS = 0.4


class _Prepared(NamedTuple):
    """What the composer needs to know of a mention."""

    conversation: Conversation
    draft: Draft | None
    limit: int | None
    unit: LengthUnit
    mode: str
    templates: list[Template]
    values: dict[str, str]


class Replying:
    """Runs the commands that concern replies.

    Attributes:
        undoable: the replies that wait for being sent and can be taken back, the last one at the end.
    """

    def __init__(self, desk: ReviewdeskApp, inbox: InboxScreen) -> None:
        self._desk = desk
        self._inbox = inbox
        self.undoable: list[Reply] = []
        self._unsaved: tuple[int, str] | None = None
        self._timer: Timer | None = None
        self._countdown: Timer | None = None

    @property
    def _composer(self) -> Composer:
        return self._inbox.composer

    # Writing

    async def do_reply_write(self) -> None:
        """Opens the composer on the mention, with the draft where there is one."""
        await self.write(self._inbox.target)

    async def do_reply_template(self) -> None:
        """Opens the composer and its template picker."""
        if await self.write(self._inbox.target):
            self._composer.pick_template()

    async def write(self, id: int) -> bool:
        """Opens the composer on a mention; False where its source takes no replies."""
        if not id:
            return False
        await self._save_now()
        agent = self._desk.agent
        prepared = await self._desk.writer.do(lambda desk: _prepare(desk, id, agent))
        if prepared.mode == "none":
            self._desk.say("This source takes no replies.", "warning")
            return False
        self._inbox.read(id)
        self._composer.open(
            prepared.conversation,
            draft=prepared.draft.text if prepared.draft else "",
            limit=prepared.limit,
            unit=prepared.unit,
            mode=prepared.mode,
            templates=prepared.templates,
            values=prepared.values,
        )
        self._inbox.refresh_bindings()
        return True

    def changed(self, mention: int, text: str) -> None:
        """Keeps a draft as soon as the typing pauses."""
        self._unsaved = (mention, text)
        if self._timer:
            self._timer.stop()
        self._timer = self._inbox.set_timer(_DRAFT_SECONDS, lambda: self._desk.run_told(self._save_now()))

    async def _save_now(self) -> None:
        if self._unsaved:
            (mention, text), self._unsaved = self._unsaved, None
            await self._desk.writer.do(lambda desk: desk.respond.save_draft(mention, text))

    def keep_draft(self) -> None:
        """Hands over what is half-written without waiting."""
        if self._unsaved:
            (mention, text), self._unsaved = self._unsaved, None
            self._desk.writer.hand_over(lambda desk: desk.respond.save_draft(mention, text))

    def leave(self) -> None:
        """Closes the composer; the draft is kept."""
        self.keep_draft()
        self._composer.close()

    def left(self) -> None:
        """Goes on after the composer was closed."""
        self.keep_draft()
        self._inbox.pane.focus()
        self._inbox.refresh_bindings()

    # Sending

    async def send(self, id: int, text: str, channel: Channel) -> None:
        """Checks the text, asks once where there are warnings, and puts it on its way."""
        problems = await self._desk.writer.do(lambda desk: desk.respond.problems(id, text, channel))
        faults = [problem.sentence for problem in problems if problem.level is Level.FAULT]
        if faults:
            self._desk.say("\n".join(faults), "error")
            return
        warnings = [problem.sentence for problem in problems]
        if warnings and not await self._desk.push_screen_wait(Confirm("Send it nevertheless?", "\n".join(warnings))):
            return
        self._unsaved = None
        reply = await self._desk.do(lambda desk: desk.respond.send(id, text, channel=channel, despite_warnings=True))
        self._composer.close()
        self._inbox.back_to_list()
        if reply.state is DeliveryState.HANDED_OFF:
            await self._hand_off(reply)
        else:
            self._wait(reply)

    def _wait(self, reply: Reply) -> None:
        self.undoable.append(reply)
        self._desk.send_at(reply.send_after)
        self._count_down()
        self._inbox.refresh_bindings()

    def _count_down(self) -> None:
        now = self._desk.clock()
        self.undoable = [reply for reply in self.undoable if reply.send_after > now]
        if self._countdown:
            self._countdown.stop()
        if self.undoable:
            self._inbox.header.sending = f"Sends in {_seconds(self.undoable[-1].send_after - now)} s, u takes it back"
            self._countdown = self._inbox.set_timer(1, self._count_down)
        else:
            self._inbox.header.sending = ""
            self._inbox.refresh_bindings()

    async def _hand_off(self, reply: Reply) -> None:
        self._desk.copy_to_clipboard(reply.text)
        page = await self._desk.writer.do(lambda desk: desk.respond.reply_page(reply.mention_id))
        await self._inbox.triaging.open_page(page)
        self._desk.say("The reply is copied. Paste it on the platform's page, then press y here.")

    async def undo(self) -> bool:
        """Takes the last reply back, and opens the composer on its text; False where none can be taken back."""
        if not self.undoable:
            return False
        reply = self.undoable.pop()
        await self._desk.do(lambda desk: desk.respond.take_back(reply))
        self._count_down()
        self._desk.say("The reply was taken back; it is your draft again.")
        self._desk.to_inbox()
        self._inbox.list.go_to(reply.mention_id)
        await self.write(reply.mention_id)
        return True

    async def do_reply_confirm(self) -> None:
        """Lets the user say what became of a reply."""
        id = self._inbox.target
        replies = await self._desk.writer.do(lambda desk: desk.store.outbox.replies_to(id)) if id else ()
        open_ones = [each for each in replies if each.state in (DeliveryState.HANDED_OFF, DeliveryState.UNKNOWN)]
        if not open_ones:
            self._desk.say("No reply to this mention waits for your word.")
            return
        reply = open_ones[-1]
        if reply.state is DeliveryState.HANDED_OFF:
            await self._desk.do(lambda desk: desk.respond.confirm_hand_off(reply))
            self._desk.say("Noted as posted.")
            return
        options = [("yes", "Yes, it is there"), ("no", "No, send it again")]
        chosen = await self._desk.push_screen_wait(Choose("Is the reply on the platform?", options))
        if chosen:
            await self._desk.do(lambda desk: desk.respond.settle(reply, chosen == "yes"))
            if chosen == "no":
                await self._desk.send()


def _prepare(desk: Desk, id: int, agent: str) -> _Prepared:
    from reviewdesk.replies.templates import bundled, suggest

    conversation = desk.store.mentions.conversation(id)
    stored = conversation.focus
    limit, unit = desk.respond.reply_limit(id)
    assessment = stored.assessment
    return _Prepared(
        conversation=conversation,
        draft=next((draft for draft in conversation.drafts if draft.agent == agent), None),
        limit=limit,
        unit=unit,
        mode=desk.respond.reply_mode(id),
        templates=suggest(
            (*bundled(), *desk.store.people.templates()),
            language=desk.respond.language(stored),
            topics=assessment.topics if assessment else (),
            complaint=assessment.complaint if assessment else False,
            rating=stored.mention.rating,
        ),
        values=dict(desk.respond.values(id)),
    )


def _seconds(span: timedelta) -> int:
    return max(1, round(span.total_seconds()))

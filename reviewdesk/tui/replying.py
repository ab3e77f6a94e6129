"""The commands of replying: the composer with its draft, sending with seconds to take it back, and what is by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from textual.timer import Timer

from reviewdesk.commands import Context
from reviewdesk.desk.delivery import THERE
from reviewdesk.desk.guard import meanwhile, summary
from reviewdesk.desk.respond import WRITING_AGAIN
from reviewdesk.model import DeliveryState, LengthUnit, Level, Template, What
from reviewdesk.replies.checks import Problem
from reviewdesk.store.records import Conversation, Draft, Reply
from reviewdesk.text import cut, one_line
from reviewdesk.tui.browser import open_page
from reviewdesk.tui.composer import Composer
from reviewdesk.tui.prompts import Choose
from reviewdesk.tui.writer import Desk

if TYPE_CHECKING:
    from reviewdesk.tui.app import ReviewdeskApp
    from reviewdesk.tui.inbox import InboxScreen


_TWO_WINDOWS = (
    "You have this reply open in another window too. It is one draft, and what is typed last is kept: "
    "write in one of them."
)


class _Prepared(NamedTuple):
    """What the composer needs to know of a mention."""

    conversation: Conversation
    draft: Draft | None
    limit: int | None
    unit: LengthUnit
    mode: str
    templates: list[Template]
    values: dict[str, str]
    private: bool


class _Held(NamedTuple):
    """Why a text was not sent, and how the mention stands now."""

    conversation: Conversation
    problems: list[Problem]


class Replying:
    """Runs the commands that concern replies.

    Attributes:
        waiting: the replies whose seconds in which they can be taken back run out, the last one at the end.
    """

    def __init__(self, desk: ReviewdeskApp, inbox: InboxScreen) -> None:
        self._desk = desk
        self._inbox = inbox
        self.waiting: list[Reply] = []
        self._unkept: dict[int, tuple[str, str]] = {}  # drafts that are not in the database (yet): its disk may be full
        self._kept = (0, "")  # the mention being answered, and its draft as this window has read or written it last
        self._told_of_two: set[int] = set()
        self._just_sent = 0
        self._sending = False
        self._countdown: Timer | None = None
        self._heartbeat: Timer | None = None

    @property
    def _composer(self) -> Composer:
        return self._inbox.composer

    # Writing

    def do_reply_write(self) -> Awaitable[object]:
        """Opens the composer on the mention, with the draft where there is one."""
        return self.write(self._inbox.target)

    def do_reply_template(self) -> Awaitable[object]:
        """Opens the composer and its template picker."""
        return self._write_from_template()

    async def _write_from_template(self) -> None:
        if await self.write(self._inbox.target):
            self._composer.pick_template()

    async def write(self, id: int) -> bool:
        """Opens the composer on a mention; False where its source takes no replies."""
        agent = self._desk.agent
        if not id:
            return False
        prepared = await self._desk.writer.do(lambda desk: _prepare(desk, id, agent))
        if prepared.mode == "none":
            self._desk.say("This source takes no replies.", "warning")
            return False
        self._inbox.read(id)
        was_open = self._composer.mention_id == id
        self._composer.open(
            prepared.conversation,
            draft=self._unkept[id][0] if id in self._unkept else prepared.draft.text if prepared.draft else "",
            limit=prepared.limit,
            unit=prepared.unit,
            mode=prepared.mode,
            templates=prepared.templates,
            values=prepared.values,
            private=prepared.private,
        )
        self._still_writing()
        if not was_open:
            self._kept = (0, "") if id in self._unkept else (id, self._composer.text)
        if id in self._unkept:
            self.changed(id, *self._unkept[id])
        if self._heartbeat is None:
            self._heartbeat = self._inbox.set_interval(WRITING_AGAIN, self._still_writing)
        self._inbox.refresh_bindings()
        return True

    def changed(self, mention: int, text: str, template: str) -> None:
        """Keeps a draft."""
        self._unkept[mention] = text, template
        self._desk.run_told(self._keep(mention, text, template))

    async def _keep(self, mention: int, text: str, template: str) -> None:
        await self._desk.writer.do(lambda desk: desk.respond.save_draft(mention, text, template))
        if mention == self._composer.mention_id:
            self._kept = mention, text
        if self._unkept.get(mention) == (text, template):
            del self._unkept[mention]

    def keep_draft(self) -> None:
        """Hands over what is half-written without waiting, for the end of the program.

        What this window has kept already may have been written on in another one since, and is left as it stands.
        """
        texts: dict[int, str | None] = {mention: text for mention, (text, _) in self._unkept.items()}
        if mention := self._composer.mention_id:
            text = self._composer.text
            texts[mention] = text if mention in texts or (mention, text) != self._kept else None
        for mention, words in texts.items():
            self._desk.writer.hand_over(partial(_keep, agent=self._desk.agent, mention=mention, text=words))

    def _still_writing(self) -> None:
        """Tells colleagues that the composer is still open."""
        if mention := self._composer.mention_id:
            self._desk.run_told(self._begin_writing(mention))

    async def _begin_writing(self, mention: int) -> None:
        elsewhere = await self._desk.writer.do(lambda desk: desk.respond.begin_writing(mention))
        if elsewhere and mention not in self._told_of_two:
            self._told_of_two.add(mention)
            self._desk.say(_TWO_WINDOWS, "warning")

    def left(self, mention: int) -> None:
        """Goes on after the composer was closed: after sending in the list, else in the conversation."""
        self._told_of_two.discard(mention)
        self._desk.run_told(self._desk.do(lambda desk: desk.respond.stop_writing(mention)))
        sent, self._just_sent = mention == self._just_sent, 0
        if self._composer.mention_id:
            pass  # It is open on another mention by now, and keeps the keyboard.
        elif sent:
            self._inbox.back_to_list()
        elif self._inbox.focused is None or self._inbox.context is Context.COMPOSER:
            self._inbox.pane.focus()
        self._inbox.refresh_bindings()

    # Sending

    async def send(self, sent: Composer.Sent) -> None:
        """Checks the text and puts it on its way; the composer shows what speaks against it.

        The send key pressed again while that is being done, or after it, means nothing more.
        """
        if self._sending or self._composer.mention_id != sent.mention_id:
            return
        self._sending = True
        try:
            held = await self._desk.do(lambda desk: _send(desk, sent, self._desk.agent))
        finally:
            self._sending = False
        still_open = self._composer.mention_id == sent.mention_id
        if isinstance(held, _Held):
            if still_open:
                self._composer.take(held.conversation)
                self._composer.refuse(held.problems, of=(sent.text, sent.channel))
            else:
                self._desk.say(f"The reply was not sent; it is kept as a draft. {held.problems[0].sentence}", "warning")
            return
        reply = held
        if still_open:
            self._just_sent = sent.mention_id
            self._composer.close()
        self._unkept.pop(sent.mention_id, None)
        if reply.state is DeliveryState.HANDED_OFF:
            await self._hand_off(reply)
        else:
            self._wait(reply)

    def _wait(self, reply: Reply) -> None:
        self.waiting.append(reply)
        self._inbox.note_done(reply)
        self._desk.send_at(reply.send_after)
        self._count_down()
        self._inbox.refresh_bindings()

    def _count_down(self) -> None:
        now = self._desk.clock()
        self.waiting = [reply for reply in self.waiting if reply.send_after > now]
        if self._countdown:
            self._countdown.stop()
        if self.waiting:
            self._inbox.header.sending = self._desk.keys.put_into(
                f"Sends in {_seconds(self.waiting[-1].send_after - now)} s, {{change.undo}} takes it back"
            )
            self._countdown = self._inbox.set_timer(1, self._count_down)
        else:
            self._inbox.header.sending = ""
            self._inbox.refresh_bindings()

    async def _hand_off(self, reply: Reply) -> None:
        self._inbox.note_done(reply)
        self._desk.copy_to_clipboard(reply.text)
        page = await self._desk.writer.do(lambda desk: desk.respond.reply_page(reply.mention_id))
        opened = await self._desk.aside(lambda: open_page(page))
        where = "the page that was opened" if opened else cut(page, 200) or "the platform's own page"
        confirm = self._desk.keys["reply.confirm"]
        self._desk.say(f"The reply is copied. Paste it on {where}, then press {confirm} here.")

    async def undo(self, reply: Reply) -> bool:
        """Takes a reply back and opens the composer on its text; where it has gone out, offers what can be done still.

        False where it was taken back before.
        """
        now = await self._desk.writer.do(lambda desk: desk.store.outbox.get(reply.id))
        if now.state is DeliveryState.WITHDRAWN:
            return False
        if now.state in THERE:
            await self._inbox.amending.offer(now)
        elif now.state in (DeliveryState.SENDING, DeliveryState.UNKNOWN):
            where = self._desk.keys["outbox.list"]
            self._desk.say(f"The reply is being sent just now; {where} shows what becomes of it.", "warning")
            self._inbox.note_done(reply)
        else:
            await self.take_back(now)
        return True

    async def drop(self, reply: Reply) -> None:
        """Withdraws a reply that has not gone out; its text is no draft."""
        await self._desk.do(lambda desk: desk.respond.drop(reply))
        self._stop_waiting(reply)
        self._desk.say("The reply is withdrawn; its text stays in the conversation.")

    def _stop_waiting(self, reply: Reply) -> None:
        self.waiting = [each for each in self.waiting if each.id != reply.id]
        self._count_down()

    async def take_back(self, reply: Reply) -> None:
        """Withdraws a reply that has not gone out, and opens the composer on its text."""
        await self._desk.do(lambda desk: desk.respond.take_back(reply))
        self._stop_waiting(reply)
        self._desk.say("The reply was taken back; it is your draft again.")
        self._desk.to_inbox()
        self._inbox.list.go_to(reply.mention_id)
        await self.write(reply.mention_id)

    async def do_reply_confirm(self) -> None:
        """Takes the user's word for replies: handed-off ones are posted, unknown and held ones are asked about."""
        ids = self._inbox.targets
        found = await self._desk.writer.do(
            lambda desk: [each for id in ids for each in desk.store.outbox.replies_to(id)]
        )
        by_hand = [each for each in found if each.state is DeliveryState.HANDED_OFF]
        unknown = [each for each in found if each.state is DeliveryState.UNKNOWN]
        held = [each for each in found if each.state is DeliveryState.HELD]
        if not by_hand and not unknown and not held:
            self._desk.say("No reply here waits for your word.")
            return
        await self.confirm(*by_hand)
        for reply in unknown:
            options = [("yes", "Yes, it is there"), ("no", "No, send it again")]
            question = f"Is “{cut(one_line(reply.text[:200]), 24)}” on the platform?"
            if chosen := await self._desk.push_screen_wait(Choose(question, options)):
                await self.settle(reply, chosen == "yes")
        for reply in held:
            options = [("send", "Send it all the same"), ("change", "Make it a draft to change"), ("drop", "Drop it")]
            chosen = await self._desk.push_screen_wait(Choose(summary(reply.changes), options))
            if chosen:
                await {"send": self.release, "change": self.take_back, "drop": self.drop}[chosen](reply)

    async def confirm(self, *replies: Reply) -> None:
        """Notes that handed-off replies were posted by hand."""
        await self._desk.do(lambda desk: _confirm(desk, replies))
        self._decided(*replies)
        if replies:
            self._desk.say("Noted as posted." if len(replies) == 1 else f"{len(replies):,} replies noted as posted.")

    async def settle(self, reply: Reply, posted: bool) -> None:
        """Notes whether an unknown reply is on the platform; where it is not, it goes out again."""
        await self._desk.do(lambda desk: desk.respond.settle(reply, posted))
        self._decided(reply)
        self._desk.say("Noted as posted." if posted else "It goes out again.")
        if not posted:
            await self._desk.send()

    async def release(self, reply: Reply) -> None:
        """Lets a held reply go out all the same."""
        await self._desk.do(lambda desk: desk.respond.release(reply))
        self._decided(reply)
        self._desk.say("It goes out.")
        await self._desk.send()

    def _decided(self, *replies: Reply) -> None:
        # Undo is for this word, and not for what was done before it.
        for reply in replies:
            self._inbox.note_done(reply)


def _prepare(desk: Desk, id: int, agent: str) -> _Prepared:
    from reviewdesk.replies.templates import bundled, suggest

    conversation = desk.store.mentions.conversation(id)
    stored = conversation.focus
    limit, unit = desk.respond.reply_limit(id)
    assessment = stored.assessment
    told = desk.store.sources.capabilities(stored.source)
    return _Prepared(
        conversation=conversation,
        draft=desk.store.outbox.draft(id, agent),
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
        private=bool(told.get("private_reply")) and stored.mention.can_private_reply is not False,
    )


def _send(desk: Desk, sent: Composer.Sent, agent: str) -> Reply | _Held:
    """Sends, unless something speaks against it that the agent has not been shown and waved through."""
    id, text, channel, language = sent.mention_id, sent.text, sent.channel, sent.language
    with desk.store.transaction():
        now = desk.store.mentions.conversation(id)
        problems = desk.respond.problems(id, text, channel, language=language)
        changes = meanwhile(sent.opened, now, agent)
        told = bool(problems) and all(change.what is What.COLLEAGUE for change in changes)
        if changes and not told:
            problems.append(Problem(level=Level.WARNING, sentence=f"{summary(changes)} Look at it above."))
        known = sent.despite_warnings and changes == sent.changes
        if any(problem.level is Level.FAULT for problem in problems) or (problems and not known):
            return _Held(now, problems)
        return desk.respond.send(id, text, channel=channel, language=language, despite_warnings=True)


def _confirm(desk: Desk, replies: Sequence[Reply]) -> None:
    for reply in replies:
        desk.respond.confirm_hand_off(reply)


def _keep(desk: Desk, agent: str, mention: int, text: str | None) -> None:
    kept = desk.store.outbox.draft(mention, agent)
    if text is not None and text != (kept.text if kept else ""):
        desk.respond.save_draft(mention, text, kept.template if kept else "")
    desk.respond.stop_writing(mention)


def _seconds(span: timedelta) -> int:
    return max(1, round(span.total_seconds()))

"""The commands of triage: close, snooze, assign, tag, note; each asks what it must and tells what it did."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reviewdesk.desk.triage import Done
from reviewdesk.store.records import Stored
from reviewdesk.text import cut
from reviewdesk.tui.browser import open_page
from reviewdesk.tui.prompts import Ask, Choose, parse_wake, snooze_question
from reviewdesk.tui.writer import Desk

if TYPE_CHECKING:
    from reviewdesk.tui.app import ReviewdeskApp
    from reviewdesk.tui.inbox import InboxScreen

_NOBODY = "-"
_UNDO_KEPT = 50


class Triaging:
    """Runs the commands that work on mentions.

    Attributes:
        undoable: what can be taken back, the last one at the end.
    """

    def __init__(self, desk: ReviewdeskApp, inbox: InboxScreen) -> None:
        self._desk = desk
        self._inbox = inbox
        self.undoable: list[Done] = []

    async def undo(self) -> None:
        """Takes the last change back."""
        if not self.undoable:
            self._desk.say("There is nothing to take back.")
            return
        last = self.undoable.pop()
        undone = await self._desk.do(lambda desk: desk.triage.undo(last))
        self._desk.say(undone.sentence)
        self._inbox.refresh_bindings()

    async def do_mention_close(self) -> None:
        """Closes."""
        ids = self._inbox.targets
        if ids and await self._change(lambda desk: desk.triage.close(ids)):
            self._inbox.removed(ids)

    async def do_mention_reopen(self) -> None:
        """Opens again."""
        ids = self._inbox.targets
        if ids:
            await self._change(lambda desk: desk.triage.reopen(ids))

    async def do_mention_snooze(self) -> None:
        """Asks until when, and snoozes."""
        ids = self._inbox.targets
        now, zone = self._desk.clock(), self._desk.config.shop.timezone
        if ids and (chosen := await self._desk.push_screen_wait(snooze_question(now, zone))):
            until = parse_wake(chosen, now, zone)
            if await self._change(lambda desk: desk.triage.snooze(ids, until)):
                self._inbox.removed(ids)

    async def do_mention_assign(self) -> None:
        """Asks to whom, and assigns."""
        ids = self._inbox.targets
        agents = [(agent.id, agent.name or agent.id) for agent in self._desk.config.agents]
        if self._desk.agent not in dict(agents):
            agents.insert(0, (self._desk.agent, self._desk.agent))
        options = [(id, f"{name} (you)" if id == self._desk.agent else name) for id, name in agents]
        question = Choose("Assign to", [*options, (_NOBODY, "Nobody")])
        if ids and (chosen := await self._desk.push_screen_wait(question)):
            to = "" if chosen == _NOBODY else chosen
            await self._change(lambda desk: desk.triage.assign(ids, to))

    async def do_mention_take(self) -> None:
        """Assigns to the agent at work."""
        ids = self._inbox.targets
        if ids:
            await self._change(lambda desk: desk.triage.assign(ids, self._desk.agent))

    async def do_mention_tag(self) -> None:
        """Asks which tag, a known or a new one, and puts it on."""
        ids = self._inbox.targets
        known = await self._desk.writer.do(lambda desk: desk.store.people.all_tags())
        options = [(tag, f"#{tag}  ({count})") for tag, count in known]
        if ids and (chosen := await self._desk.push_screen_wait(Choose("Tag", options, allow_new=True))):
            await self._change(lambda desk: desk.triage.tag(ids, chosen))

    async def do_mention_untag(self) -> None:
        """Asks which tag, and takes it off."""
        ids = self._inbox.targets
        rows = await self._desk.writer.do(lambda desk: desk.store.mentions.rows(ids))
        tags = sorted({tag for row in rows.values() for tag in row.tags})
        if not tags:
            self._desk.say("There is no tag to take off.")
            return
        chosen = await self._desk.push_screen_wait(Choose("Remove tag", [(tag, f"#{tag}") for tag in tags]))
        if chosen:
            await self._change(lambda desk: desk.triage.tag(ids, chosen, on=False))

    async def do_mention_note(self) -> None:
        """Asks for a note, and keeps it."""
        id = self._inbox.target
        if id and (text := await self._desk.push_screen_wait(Ask("Note for colleagues"))):
            await self._change(lambda desk: desk.triage.note(id, text))

    async def do_mention_browse(self) -> None:
        """Opens the mention's page; where a reply waits for being posted by hand, the page for that."""
        id = self._inbox.target
        if id:
            await self.open_page(await self._desk.writer.do(lambda desk: desk.respond.reply_page(id)))

    async def open_page(self, url: str) -> None:
        """Opens a page in the browser; where there is none, copies its address."""
        if not url:
            self._desk.say("The platform tells no page for this mention.", "warning")
        elif await self._desk.aside(lambda: open_page(url)):
            self._desk.say("Opened in the browser.")
        else:
            self._desk.copy_to_clipboard(url)
            self._desk.say(f"No browser could be opened. The address was copied: {cut(url, 200)}", "warning")

    async def do_mention_copy(self) -> None:
        """Copies the customer's text."""
        id = self._inbox.target
        if id:
            stored = await self._desk.writer.do(lambda desk: desk.store.mentions.get(id))
            mention = stored.mention
            parts = (mention.title, mention.text, *(f"+ {pro}" for pro in mention.pros))
            text = "\n".join(part for part in (*parts, *(f"- {con}" for con in mention.cons)) if part)
            self._desk.copy_to_clipboard(text)
            self._desk.say("Copied.")

    async def do_mention_hide(self) -> None:
        """Hides the mention on its platform, or shows it again."""
        if stored := await self._that_can("hide", "hide mentions"):
            await self._desk.moderate("hide", str(stored.id), *(("--show",) if stored.mention.hidden else ()))

    async def do_mention_like(self) -> None:
        """Likes the mention on its platform, or takes that back."""
        if stored := await self._that_can("like", "like mentions"):
            await self._desk.moderate("like", str(stored.id), *(("--take-back",) if stored.liked else ()))

    async def _that_can(self, capability: str, what: str) -> Stored | None:
        """Gives the mention where its platform has the function; says so where it has not."""
        id = self._inbox.target
        if not id:
            return None
        stored = await self._desk.writer.do(lambda desk: desk.store.mentions.get(id))
        told = await self._desk.writer.do(lambda desk: desk.store.sources.capabilities(stored.source))
        if not told.get(capability):
            self._desk.say(f"{stored.connector.capitalize()} has no way to {what}.", "warning")
            return None
        return stored

    async def _change(self, work: Callable[[Desk], Done]) -> bool:
        done = await self._desk.do(work)
        if done.action:
            self.undoable = [*self.undoable[1 - _UNDO_KEPT :], done]
        self._desk.say(done.sentence)
        self._inbox.refresh_bindings()
        return done.count > 0

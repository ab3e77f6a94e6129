"""The commands of triage: close, snooze, assign, tag, note; each asks what it must and tells what it did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from reviewdesk.desk.triage import Done
from reviewdesk.model import Label, Mention
from reviewdesk.store.records import Stored
from reviewdesk.text import cut
from reviewdesk.tui.browser import open_page
from reviewdesk.tui.prompts import Ask, Choose, Confirm, parse_wake, snooze_question
from reviewdesk.tui.wording import clock, source_label
from reviewdesk.tui.writer import Desk

if TYPE_CHECKING:
    from reviewdesk.tui.app import ReviewdeskApp
    from reviewdesk.tui.inbox import InboxScreen

_NOBODY = "-"
_PAGES_MOST = 10
_COPIED_MOST = 100
_READINGS = [
    ("neg complaint", "A complaint"),
    ("neg", "Negative, but no complaint"),
    ("neu", "Neutral"),
    ("pos", "Positive"),
    ("neu complaint", "Neutral in tone, but a complaint"),
]


class Triaging:
    """Runs the commands that work on mentions."""

    def __init__(self, desk: ReviewdeskApp, inbox: InboxScreen) -> None:
        self._desk = desk
        self._inbox = inbox

    async def undo(self, done: Done) -> None:
        """Takes a change back."""
        undone = await self._desk.do(lambda desk: desk.triage.undo(done))
        self._desk.say(undone.sentence)

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
        if ids and (chosen := await self._desk.push_screen_wait(snooze_question(now, zone, of=_of(ids)))):
            until = parse_wake(chosen, now, zone)
            called = clock(until, self._inbox.surroundings())
            if await self._change(lambda desk: desk.triage.snooze(ids, until, called=called)):
                self._inbox.removed(ids)

    async def do_mention_assign(self) -> None:
        """Asks to whom, and assigns."""
        ids = self._inbox.targets
        agents = [(agent.id, agent.name or agent.id) for agent in self._desk.config.agents]
        if self._desk.agent not in dict(agents):
            agents.insert(0, (self._desk.agent, self._desk.agent))
        options = [(id, f"{name} (you)" if id == self._desk.agent else name) for id, name in agents]
        question = Choose(f"Assign{_of(ids)} to", [*options, (_NOBODY, "Nobody")])
        if ids and (chosen := await self._desk.push_screen_wait(question)):
            to = "" if chosen == _NOBODY else chosen
            called = self._desk.config.agent_name(to) if to else ""
            await self._change(lambda desk: desk.triage.assign(ids, to, called=called))

    async def do_mention_take(self) -> None:
        """Assigns to the agent at work."""
        ids = self._inbox.targets
        if ids:
            agent = self._desk.agent
            await self._change(lambda desk: desk.triage.assign(ids, agent, called=self._desk.config.agent_name(agent)))

    async def do_mention_tag(self) -> None:
        """Asks which tag, a known or a new one, and puts it on."""
        ids = self._inbox.targets
        known = await self._desk.writer.do(lambda desk: desk.store.people.all_tags())
        options = [(tag, f"#{tag}  ({count})") for tag, count in known]
        if ids and (chosen := await self._desk.push_screen_wait(Choose(f"Tag{_of(ids)}", options, allow_new=True))):
            await self._change(lambda desk: desk.triage.tag(ids, chosen))

    async def do_mention_untag(self) -> None:
        """Asks which tag, and takes it off."""
        ids = self._inbox.targets
        rows = await self._desk.writer.do(lambda desk: desk.store.mentions.rows(ids))
        tags = sorted({tag for row in rows.values() for tag in row.tags})
        if not tags:
            self._desk.say("There is no tag to take off.")
            return
        chosen = await self._desk.push_screen_wait(
            Choose(f"Remove tag{_of(ids, 'from')}", [(tag, f"#{tag}") for tag in tags])
        )
        if chosen:
            await self._change(lambda desk: desk.triage.tag(ids, chosen, on=False))

    async def do_mention_note(self) -> None:
        """Asks for a note, and keeps it."""
        ids = self._inbox.targets
        if ids and (text := await self._desk.push_screen_wait(Ask(f"Note for colleagues{_of(ids, 'on')}"))):
            await self._change(lambda desk: desk.triage.note(ids, text))

    async def do_mention_correct(self) -> None:
        """Asks how the mentions should have been read, and keeps it."""
        ids = self._inbox.targets
        if ids and (
            chosen := await self._desk.push_screen_wait(Choose(f"Should be read as{_of(ids, ':')}", _READINGS))
        ):
            label, _, complaint = chosen.partition(" ")
            await self._change(lambda desk: desk.triage.correct(ids, Label(label), bool(complaint)))

    async def do_mention_complaint(self) -> None:
        """Says that the mentions are complaints, or that they are none: the opposite of what stands."""
        ids = self._inbox.targets
        if ids:
            await self._change(lambda desk: desk.triage.correct_complaint(ids))

    async def do_mention_confirm(self) -> None:
        """Says that the desk has read the mentions rightly."""
        ids = self._inbox.targets
        if ids:
            await self._change(lambda desk: desk.triage.confirm(ids))

    async def do_mention_browse(self) -> None:
        """Opens the mentions' pages; where a reply waits for being posted by hand, the page for that."""
        ids = self._inbox.targets
        if self._too_many(ids, _PAGES_MOST, "opened"):
            return
        for page in await self._desk.writer.do(lambda desk: [desk.respond.reply_page(id) for id in ids]):
            await self.open_page(page)

    def _too_many(self, ids: Sequence[int], most: int, done: str) -> bool:
        if len(ids) > most:
            self._desk.say(f"At most {most} are {done} at once, and {len(ids):,} are selected.", "warning")
        return len(ids) > most

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
        """Copies the customers' texts."""
        ids = self._inbox.targets
        if ids and not self._too_many(ids, _COPIED_MOST, "copied"):
            found = await self._desk.writer.do(lambda desk: desk.store.mentions.all_stored(ids))
            self._desk.copy_to_clipboard("\n\n".join(_text(each.mention) for each in found))
            self._desk.say("Copied." if len(found) == 1 else f"{len(found):,} texts copied.")

    async def do_mention_hide(self) -> None:
        """Hides the mentions on their platform, or shows them again."""
        for stored in await self._those_that_can("hide", "hide mentions"):
            await self._desk.moderate("hide", str(stored.id), *(("--show",) if stored.mention.hidden else ()))

    async def do_mention_like(self) -> None:
        """Likes the mentions on their platform, or takes that back."""
        for stored in await self._those_that_can("like", "like mentions"):
            await self._desk.moderate("like", str(stored.id), *(("--take-back",) if stored.liked else ()))

    async def _those_that_can(self, capability: str, what: str) -> list[Stored]:
        """Gives the mentions whose platform has the function; asks before many, and tells of those without."""
        ids = self._inbox.targets
        found = await self._desk.writer.do(lambda desk: desk.store.mentions.all_stored(ids))
        able = await self._desk.writer.do(
            lambda desk: [each for each in found if desk.store.sources.capabilities(each.source).get(capability)]
        )
        around = self._inbox.surroundings()
        unable = sorted({source_label(each.source, each.connector, around) for each in found if each not in able})
        if unable:
            self._desk.say(f"{cut(', '.join(unable), 60)} has no way to {what}.", "warning")
        if len(able) > 1:
            body = "The platforms are asked one after the other."
            title = f"{capability.capitalize()} {len(able):,} mentions?"
            if not await self._desk.push_screen_wait(Confirm(title, body, capability.capitalize())):
                return []
        return able

    async def _change(self, work: Callable[[Desk], Done]) -> bool:
        done = await self._desk.do(work)
        if done.action:
            self._inbox.note_done(done)
        self._desk.say(done.sentence)
        return done.count > 0


def _of(ids: Sequence[int], word: str = "") -> str:
    """Gives how many mentions are meant, for a question; "" for one."""
    return f" {word} {len(ids):,} mentions".replace("  ", " ") if len(ids) > 1 else ""


def _text(mention: Mention) -> str:
    parts = (mention.title, mention.text, *(f"+ {pro}" for pro in mention.pros))
    return "\n".join(part for part in (*parts, *(f"- {con}" for con in mention.cons)) if part)

"""The terminal desk: starts the readers and the writer, runs commands, and never lets a failure end it."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widgets import Input, TextArea

from reviewdesk.commands import Command, Context, Keys, command, in_context, key_label, with_keys
from reviewdesk.config import Config
from reviewdesk.desk.delivery import THERE
from reviewdesk.errors import ReviewdeskError
from reviewdesk.model import DeliveryState
from reviewdesk.store.db import Store
from reviewdesk.store.records import Reply, Row
from reviewdesk.text import cut
from reviewdesk.tui import bytes_typed, processes
from reviewdesk.tui.help import HelpScreen
from reviewdesk.tui.inbox import InboxScreen
from reviewdesk.tui.keys import bindings, keymap
from reviewdesk.tui.outbox import OutboxScreen
from reviewdesk.tui.palette import palette
from reviewdesk.tui.prompts import Choose
from reviewdesk.tui.reader import News, Reader, StateRead
from reviewdesk.tui.sources import SourcesScreen
from reviewdesk.tui.theme import OWN, VARIABLES
from reviewdesk.tui.writer import Desk, Writer

log = logging.getLogger(__name__)
T = TypeVar("T")
_SEND = ("send", "--json")
_TIME_PASSES_SECONDS = 30
_WARNING_SECONDS = 8
_LATEST_SHOWN = 500
"""How many of the replies that stand on their platform are shown; of all others none is left out."""
_BY_WIDTH = [(0, "-tiny"), (40, "-narrow"), (100, "-medium"), (150, "-wide")]
_BY_HEIGHT = [(0, "-flat"), (8, "-tall")]


class ReviewdeskApp(App[int]):
    """The desk of one agent.

    Args:
        config: of the shop.
        db: the database, which exists.
        agent: who works.
        demo: whether the platforms are emulated ones; the header says so.
        clock: gives the time, aware and in UTC.

    Raises:
        ConfigError: `[keys]` has mistakes.
    """

    TITLE = "reviewdesk"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = bindings(Context.ANYWHERE)
    HORIZONTAL_BREAKPOINTS = _BY_WIDTH
    VERTICAL_BREAKPOINTS = _BY_HEIGHT
    CSS = """
    Toast { max-width: 70; }
    """

    class Heard(Message):
        """Something was read."""

        def __init__(self, news: News) -> None:
            super().__init__()
            self.news = news

    def __init__(
        self,
        config: Config,
        *,
        db: Path,
        agent: str,
        demo: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self.config = config
        self.db = db
        self.agent = agent
        self.demo = demo
        self.clock = clock
        self.commands = with_keys(config.keys, at=lambda name: config.document.at(("keys", name)))
        self.keys = Keys(self.commands)
        self._under_way: set[tuple[str, ...]] = set()
        self._send_wanted = False
        self._ending = False
        self._asking = False
        self._acted = False
        self._warned_until = 0.0
        self._ahead: list[events.Key] = []
        self.reader = Reader(lambda: Store(db, read_only=True, clock=clock), self._heard, agent=agent)
        self.writer = Writer(lambda: Store(db, clock=clock), agent, config)
        self.inbox = InboxScreen(self)
        for theme in OWN:
            self.register_theme(theme)
        self.theme = config.desk.theme if config.desk.theme in self.available_themes else OWN[0].name

    def get_default_screen(self) -> Screen[Any]:
        """Gives the inbox."""
        return self.inbox

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Gives the colours of the desk's own that a theme may lack."""
        return VARIABLES

    def on_mount(self) -> None:
        """Starts what reads, and the clock."""
        self.set_keymap(keymap(each for each in self.commands if each.id in self.config.keys))
        self.reader.start()
        self.screen_change_signal.subscribe(
            self, lambda screen: screen.call_after_refresh(self._hand_ahead_over) if self._asking else None
        )
        self.set_interval(_TIME_PASSES_SECONDS, self._time_passes)
        self._time_passes()
        if not self.is_headless:
            self._follow_signals()
        if (wanted := self.config.desk.theme) and wanted not in self.available_themes:
            self.say(
                f'There is no theme "{cut(wanted, 40)}"; {self.keys["theme.change"]} shows which there are.', "warning"
            )
        self.run_told(self._send_what_is_left())

    async def on_unmount(self) -> None:
        """Keeps what is half-written, and ends the other processes and the threads."""
        self.inbox.keep_draft()
        self._ending = True
        await self._end_work()
        self.reader.stop()
        self.writer.close()

    async def _end_work(self) -> None:
        # While the loop still turns: closing it cancels everything at once, also asyncio's own task that opens
        # the pipes of a process just started, and then the wait for that process never ends (Python 3.11 to 3.13).
        workers = list(self.workers)
        for worker in workers:
            if not worker.is_cancelled:
                worker.cancel()
        await asyncio.gather(*(worker.wait() for worker in workers), return_exceptions=True)

    def _follow_signals(self) -> None:
        """Keeps the last letters also where the terminal goes away or somebody ends the desk from outside."""
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError):  # Windows has no such signals
            loop.add_signal_handler(signal.SIGTERM, self.exit, 128 + signal.SIGTERM)
            loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    def _hang_up(self) -> None:
        """Ends at once: there is no terminal any more that could be put in order."""
        self.inbox.keep_draft()
        self.writer.close()
        os._exit(128 + signal.SIGHUP)

    def _heard(self, news: News) -> None:
        self.post_message(self.Heard(news))

    def on_reviewdesk_app_heard(self, message: Heard) -> None:
        """Hands what was read to the inbox, and to the screen that lies on it."""
        self.inbox.take_news(message.news)
        if isinstance(message.news, StateRead):
            self.run_told(self._refresh_screen())

    async def do(self, work: Callable[[Desk], T]) -> T:
        """Runs a use case in the writing thread; what is shown follows at once.

        Raises:
            ReviewdeskError: as the use case raises it.
        """
        try:
            return await self.writer.do(work)
        finally:
            self.reader.refresh()

    async def aside(self, work: Callable[[], T]) -> T:
        """Runs in another thread what may take long and touches neither screen nor store."""
        return await asyncio.to_thread(work)

    def say(self, sentence: str, severity: SeverityLevel = "information") -> None:
        """Shows a sentence for a few seconds, in the place of what the commands before have said.

        Warnings stay out their time.
        """
        now = monotonic()
        if self._acted and now > self._warned_until:
            self.clear_notifications()
        self._acted = False
        if severity != "information":
            self._warned_until = now + _WARNING_SECONDS
        self.notify(
            sentence, severity=severity, markup=False, timeout=4 if severity == "information" else _WARNING_SECONDS
        )

    def get_key_display(self, binding: Binding) -> str:
        """Gives a key as the registry shows it."""
        return binding.key_display or key_label(binding.key)

    # Commands

    def run_command(self, id: str) -> None:
        """Runs a command of the registry, as its key does."""
        self._acted = True
        handler = self.handler(id)
        if handler is None:
            self.bell()
            return
        try:
            result = handler()
        except Exception as error:
            self._tell_failure(error)
            return
        if inspect.isawaitable(result):
            self._asking = command(id).asks
            self.run_told(self._asked(result) if self._asking else result)

    async def on_event(self, event: events.Event) -> None:
        """Keeps what is typed behind a command that asks, until it can be answered: letters must not become commands.

        A slow line brings several keys at once.
        """
        if self._asking and isinstance(event, events.Key) and event.is_forwarded and _is_typed(event):
            self._ahead.append(event)
            return
        await super().on_event(event)

    async def _asked(self, work: Awaitable[object]) -> None:
        try:
            await work
        finally:
            # The focus that the work has asked for is given by then.
            self.call_later(self._hand_ahead_over)

    def _hand_ahead_over(self) -> None:
        """Types what was kept into the line or text that has the keyboard now; where nothing was asked, it is lost."""
        self._asking = False
        kept, self._ahead = self._ahead, []
        for key in kept if isinstance(self.focused, Input | TextArea) else ():
            self.post_message(events.Key(key.key, key.character))

    def action_command(self, id: str) -> None:
        """Runs a command by its key."""
        self.run_command(id)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tells whether a command's key works where the keyboard is now."""
        if action != "command":
            return super().check_action(action, parameters)
        id = str(parameters[0])
        here = in_context(context_of(self.screen), self.commands)
        if all(each.id != id for each in here) or self.handler(id) is None:
            return False
        works = getattr(self.screen, "works", None)
        return (works is None or works(id)) and (id != "change.undo" or self.inbox.can_undo)

    def handler(self, id: str) -> Callable[[], object] | None:
        """Gives what runs a command now: a method `do_<noun>_<verb>` of the screen, of its parts or of the app."""
        name = "do_" + id.replace(".", "_")
        for doer in (*getattr(self.screen, "doers", (self.screen,)), self.inbox, self):
            if method := getattr(doer, name, None):
                return method  # type: ignore[no-any-return]
        return None

    def commands_for(self, screen: Screen[Any]) -> list[Command]:
        """Gives the commands that work on a screen now, the nearest first."""
        here = in_context(context_of(screen), self.commands)
        return sorted(here, key=lambda each: Context.ANYWHERE in each.contexts)

    def run_told(self, work: Awaitable[object]) -> None:
        """Runs work beside the screen; where it fails, the user reads a sentence. None begins once the desk ends."""
        if self._ending:  # a timer has come, or work that was ended wanted more
            if inspect.iscoroutine(work):
                work.close()
            return
        self.run_worker(self._told(work), exit_on_error=False, group="commands")

    def to_inbox(self) -> None:
        """Leaves every other screen."""
        while self.screen is not self.inbox:
            self.pop_screen()

    async def _told(self, work: Awaitable[object]) -> None:
        try:
            await work
        except Exception as error:
            self._tell_failure(error)

    def _tell_failure(self, error: Exception) -> None:
        if isinstance(error, ReviewdeskError):
            log.info("a command was refused", exc_info=error)
            self.say(str(error), "error")
            return
        log.error("a command has failed", exc_info=error)
        self.say("That did not work; the log file tells more.", "error")

    # What works on every screen

    def do_help_show(self) -> None:
        """Shows the help screen."""
        self.push_screen(HelpScreen(self.commands))

    def do_palette_open(self) -> None:
        """Opens the command palette."""
        self.push_screen(palette())

    def do_source_list(self) -> None:
        """Shows the sources."""
        self.to_inbox()
        screen = SourcesScreen(self.inbox.surroundings)
        screen.show(self.inbox.sources)
        self.push_screen(screen)

    def do_outbox_list(self) -> None:
        """Shows the replies on their way. The page is there at once, so that the next key is meant for it."""
        self.to_inbox()
        self.push_screen(OutboxScreen(self.inbox.surroundings, self.keys))
        self.run_told(self._refresh_screen())

    async def _replies(self) -> tuple[list[Reply], dict[int, Row]]:
        return await self.writer.do(_replies_to_show)

    async def _refresh_screen(self) -> None:
        """Brings the screen that lies on the inbox up to date."""
        if isinstance(self.screen, SourcesScreen):
            self.screen.show(self.inbox.sources)
        elif isinstance(screen := self.screen, OutboxScreen):
            screen.show(*await self._replies())

    def on_sources_screen_poll_wanted(self, event: SourcesScreen.PollWanted) -> None:
        """Polls one source."""
        self.run_told(self.poll(event.source))

    def on_sources_screen_resume_wanted(self, event: SourcesScreen.ResumeWanted) -> None:
        """Lets a parked source be polled again, and polls it."""
        self.run_told(self._resume(event.source))

    async def _resume(self, source: str) -> None:
        await self.do(lambda desk: desk.store.sources.resume(source))
        await self.poll(source)

    def on_outbox_screen_settled(self, event: OutboxScreen.Settled) -> None:
        """Notes what became of an unknown reply."""
        self.run_told(self.inbox.replying.settle(event.reply, event.posted))

    def on_outbox_screen_hand_off_confirmed(self, event: OutboxScreen.HandOffConfirmed) -> None:
        """Notes that a reply was posted by hand."""
        self.run_told(self.inbox.replying.confirm(event.reply))

    def on_outbox_screen_released(self, event: OutboxScreen.Released) -> None:
        """Lets a held reply go out all the same."""
        self.run_told(self.inbox.replying.release(event.reply))

    def on_outbox_screen_taken_back(self, event: OutboxScreen.TakenBack) -> None:
        """Makes a reply a draft again."""
        self.run_told(self.inbox.replying.take_back(event.reply))

    def on_outbox_screen_dropped(self, event: OutboxScreen.Dropped) -> None:
        """Withdraws a reply for good."""
        self.run_told(self.inbox.replying.drop(event.reply))

    def on_outbox_screen_amend_wanted(self, event: OutboxScreen.AmendWanted) -> None:
        """Changes or deletes a reply on its platform."""
        amending = self.inbox.amending
        self.run_told(amending.delete(event.reply) if event.delete else amending.edit(event.reply))

    def on_outbox_screen_mention_wanted(self, event: OutboxScreen.MentionWanted) -> None:
        """Reads the mention of a reply."""
        self.to_inbox()
        self.inbox.list.go_to(event.mention_id)
        self.inbox.read(event.mention_id)

    async def do_theme_change(self) -> None:
        """Lets the user choose the colours."""
        own = [theme.name for theme in OWN]
        others = sorted(name for name in self.available_themes if name not in own)
        chosen = await self.push_screen_wait(Choose("Theme", [(name, name) for name in (*own, *others)]))
        if chosen:
            self.theme = chosen
            if chosen != self.config.desk.theme:
                self.say(f'To keep these colours, write theme = "{chosen}" under [desk] in {self.config.path.name}.')

    def do_desk_quit(self) -> None:
        """Leaves; drafts and the outbox are kept, so there is nothing to ask."""
        self.exit(0)

    async def do_poll_start(self) -> None:
        """Asks every source for what is new, in another process."""
        await self.poll()

    async def do_outbox_send(self) -> None:
        """Sends what waits in the outbox, in another process."""
        if await self.writer.do(lambda desk: desk.store.outbox.waits()):
            await self.send()
        else:
            self.say("Nothing in the outbox is due.")

    async def poll(self, source: str = "") -> None:
        """Polls all sources, or one of them, in another process, and shows what it tells."""
        words = ("--source", source) if source else ("--now",)
        if (new := await self._run_process("Polling", "poll", "--json", *words)) is not None:
            self.say(f"{new:,} new." if new else "Nothing new.")

    async def send(self) -> None:
        """Delivers the outbox in another process; where one is at it already, once more when that one has ended."""
        self._send_wanted = True
        while self._send_wanted and _SEND not in self._under_way:
            self._send_wanted = False
            await self._run_process("Sending", *_SEND)

    async def moderate(self, *words: str, silent: bool = False) -> bool:
        """Hides, likes, edits or deletes in another process; False where that failed. `silent` as for any process."""
        return await self._run_process("Asking the platform", *words, silent=silent) is not None

    def _fatal_error(self) -> None:
        """Ends the window. Textual itself would print a traceback with all local variables, secrets among them."""
        self._close_messages_no_wait()

    async def _run_process(self, title: str, *words: str, silent: bool = False) -> int | None:
        """Runs a command and gives how many mentions it told to be new; None where it failed or runs already.

        Args:
            silent: what it says at the end where all went well is not shown.
        """
        if words in self._under_way:
            self.say(f"{title} is under way already.")
            return None
        self._under_way.add(words)
        self.inbox.working(f"{title}…")
        new, well = 0, True
        try:
            async with aclosing(processes.run(self.command_line(*words))) as lines:
                async for told in lines:
                    if isinstance(told, processes.Line):
                        self.inbox.working(f"{title}… {told.text}")
                        new, well = new + told.new, well and not told.fault
                        if told.fault:
                            self.say(told.text, "warning")
                        continue
                    if told.last_words and (told.code or not silent):
                        self.say(told.last_words, "warning" if told.code else "information")
                    elif told.code and well:
                        self.say(f"{title} ended with code {told.code}.", "warning")
                    well = well and not told.code
        finally:
            self._under_way.discard(words)
            self.inbox.working("")
            self.reader.refresh()
        return new if well else None

    def command_line(self, *words: str) -> list[str]:
        """Gives the command that runs `reviewdesk WORDS…` for this desk."""
        return processes.command_line(*words, config=self.config.path, db=self.db)

    async def _send_what_is_left(self) -> None:
        due = await self.writer.do(lambda desk: desk.store.outbox.next_due())
        if due:
            self.send_at(due)

    def send_at(self, moment: datetime) -> None:
        """Starts a delivery as soon as a moment has come."""
        wait = max(0.0, (moment - self.clock()) / timedelta(seconds=1)) + 0.3
        self.set_timer(wait, lambda: self.run_told(self.send()))

    def _time_passes(self) -> None:
        self.inbox.time_passes()
        self.run_told(self._wake())

    async def _wake(self) -> None:
        if woken := await self.writer.do(lambda desk: desk.triage.wake()):
            self.say(f"{woken:,} {'mention has' if woken == 1 else 'mentions have'} woken.")
            self.reader.refresh()


def _replies_to_show(desk: Desk) -> tuple[list[Reply], dict[int, Row]]:
    outbox = desk.store.outbox
    under_way = [state for state in DeliveryState if state not in (*THERE, DeliveryState.WITHDRAWN)]
    replies = outbox.in_states(under_way) + outbox.in_states(THERE, limit=_LATEST_SHOWN)
    return replies, desk.store.mentions.rows([reply.mention_id for reply in replies])


def _is_typed(key: events.Key) -> bool:
    return key.is_printable or key.key in ("enter", "backspace", "tab")


def context_of(screen: Screen[Any]) -> Context:
    """Gives where the keyboard is on a screen."""
    return getattr(screen, "context", Context.ANYWHERE)


def run(config: Config, *, db: Path, agent: str, demo: bool = False) -> int:
    """Opens the desk and gives its exit code when the user leaves it.

    Raises:
        ConfigError: `[keys]` has mistakes.
        StoreError: the database cannot be opened.
        Exception: whatever the window could not handle, once the terminal is as it was.
    """
    Store(db).close()
    for fixed in ("COLUMNS", "LINES"):  # of a shell that exports them; the window's own size counts, and may change
        os.environ.pop(fixed, None)
    bytes_typed.forgive()
    app = ReviewdeskApp(config, db=db, agent=agent, demo=demo)
    code = app.run()
    if app._exception is not None:
        raise app._exception
    return code or 0

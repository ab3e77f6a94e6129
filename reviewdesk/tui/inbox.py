"""The desk's main screen: views, the list, and the conversation with the composer below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import ActiveBinding
from textual.containers import Container, Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from reviewdesk.commands import PANES, Context, command, is_printable
from reviewdesk.desk.triage import Done
from reviewdesk.store.records import Conversation, Filter, Reply, SourceState, View
from reviewdesk.tui.amending import Amending
from reviewdesk.tui.composer import Composer
from reviewdesk.tui.conversation import ConversationPane
from reviewdesk.tui.footer import KeyLine
from reviewdesk.tui.header import Header
from reviewdesk.tui.inbox_list import MOST_SELECTED, MentionList
from reviewdesk.tui.keys import bindings
from reviewdesk.tui.line import Surroundings, source_labels
from reviewdesk.tui.reader import ConversationRead, News, OrderRead, RowsRead, StateRead
from reviewdesk.tui.replying import Replying
from reviewdesk.tui.triaging import Triaging
from reviewdesk.tui.views import Views

if TYPE_CHECKING:
    from reviewdesk.tui.app import ReviewdeskApp

_SEARCH_SECONDS = 0.15
_CONVERSATION_SECONDS = 0.06
_UNDO_KEPT = 50
_EMPTY = {
    View.COMPLAINTS: "No open complaint.\nEvery customer who was angry has been heard.",
    View.NEEDS_REPLY: "Inbox zero!\nNobody waits for a reply. Time for a coffee.",
    View.MINE: "Nothing is assigned to you.\n"
    "Press {view.needs_reply} to see what waits for a reply, and {mention.take} to take it.",
    View.OVERDUE: "Nothing is late.\nEverybody hears from you in time.",
    View.SNOOZED: "Nothing sleeps.\nPress {mention.snooze} on a mention that can wait.",
    View.OUTBOX: "The outbox is empty.\nEvery reply has arrived.",
    View.ALL: "Nobody has written anything yet.\n"
    "Press {poll.start} to ask the sources, or {source.list} to see how they are.",
}


class InboxScreen(Screen[None]):
    """Where an agent spends the day.

    Attributes:
        doers: what runs the commands of this screen, method `do_<noun>_<verb>` by command.
        done: what can be taken back, the last one at the end.
    """

    BINDINGS = [*bindings(Context.LIST, Context.CONVERSATION), *bindings(*PANES)]  # noqa: RUF012 - as in Textual
    AUTO_FOCUS = "MentionList"
    DEFAULT_CSS = """
    InboxScreen {
        background: $background;
        #desk, #panes { layout: vertical; height: 1fr; }
        #panes { layout: horizontal; }
        #inbox, #reading { height: 1fr; width: 1fr; }
        #search { display: none; height: 1; border: none; padding: 0 1; background: $panel; }
        #search.-searching { display: block; }
        MentionList { height: 1fr; }
        ConversationPane { height: 1fr; }
        #too-small { display: none; width: 1fr; height: 1fr; content-align: center middle; }
    }
    InboxScreen.-narrow {
        #reading { display: none; }
        &.-reading #reading { display: block; }
        &.-reading #inbox { display: none; }
    }
    InboxScreen.-medium #reading { border-left: vkey $primary 50%; width: 11fr; }
    InboxScreen.-medium #inbox { width: 9fr; }
    InboxScreen.-wide {
        #desk { layout: horizontal; }
        Views { width: 24; height: 1fr; border-right: vkey $primary 50%; }
        #inbox { width: 5fr; }
        #reading { width: 6fr; border-left: vkey $primary 50%; }
    }
    InboxScreen.-tiny, InboxScreen.-flat {
        #desk, Header, KeyLine { display: none; }
        #too-small { display: block; }
    }
    """

    def __init__(self, desk: ReviewdeskApp) -> None:
        super().__init__()
        self._desk = desk
        self.sources: tuple[SourceState, ...] = ()
        self.labels: dict[str, str] = {}
        self.view = View.COMPLAINTS
        self.search = ""
        self.shown: Conversation | None = None
        self._wanted = 0
        self._empty = False
        self._search_timer: Timer | None = None
        self._conversation_timer: Timer | None = None
        self._faults: dict[bool, str] = {}
        self._focused_last: Widget | None = None
        self._people = {agent.id: agent.name or agent.id for agent in desk.config.agents}
        shop = f"{desk.config.shop.name} (demo)" if desk.demo else desk.config.shop.name
        self.header = Header(shop, desk.config.agent_name(desk.agent), desk.config.shop.timezone, desk.keys)
        self.views = Views(desk.commands)
        self.list = MentionList(desk.reader, self.surroundings)
        self.pane = ConversationPane(self.surroundings)
        self.composer = Composer(
            self.surroundings,
            shop=desk.config.shop.name,
            undo_seconds=desk.config.desk.undo_seconds,
            keys=desk.keys,
        )
        self.search_line = Input(
            placeholder="Search all mentions: words, names, order numbers", id="search", compact=True
        )
        self.replying = Replying(desk, self)
        self.triaging = Triaging(desk, self)
        self.amending = Amending(desk)
        self.done: list[Done | Reply] = []
        self.doers = (self, self.triaging, self.replying)

    def compose(self) -> ComposeResult:
        """Lays the panes out."""
        yield self.header
        with Container(id="desk"):
            yield self.views
            with Horizontal(id="panes"):
                with Vertical(id="inbox"):
                    yield self.search_line
                    yield self.list
                with Vertical(id="reading"):
                    yield self.pane
                    yield self.composer
        yield Static("This window is too small for the desk. Please make it larger.", id="too-small", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Shows the first view."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.list.repaint())
        self.show_view(View.COMPLAINTS)

    def surroundings(self) -> Surroundings:
        """Gives what the lines of the list are painted for."""
        desk = self._desk
        return Surroundings(desk.clock(), desk.config.shop.timezone, desk.agent, self.labels, self._people, desk.keys)

    # Where the keyboard is, and on which mentions commands work

    @property
    def context(self) -> Context:
        """Where the keyboard is."""
        focused = self.focused
        if self._too_small:
            return Context.ANYWHERE
        if focused is not None and self.composer in focused.ancestors_with_self:
            return Context.COMPOSER
        if self.has_class("-narrow"):
            return Context.CONVERSATION if self.has_class("-reading") else Context.LIST
        if focused is not None and self.pane in focused.ancestors_with_self:
            return Context.CONVERSATION
        return Context.LIST

    @property
    def _too_small(self) -> bool:
        return self.has_class("-tiny") or self.has_class("-flat")

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The keys that work now: while a text is being written, letters and signs belong to that text."""
        active = super().active_bindings
        if isinstance(self.focused, Input | TextArea):
            return {key: binding for key, binding in active.items() if not is_printable(key)}
        return active

    @property
    def targets(self) -> list[int]:
        """The mentions on which a command works: what is selected, else the one being read or under the cursor."""
        if self.context is Context.LIST and self.list.selected:
            return sorted(self.list.selected)
        return [self.target] if self.target else []

    @property
    def target(self) -> int:
        """The one mention on which a command works; 0 for none."""
        if self.context is not Context.LIST and self.shown:
            # What is shown may still be the one before, while the next key is meant for this one.
            return self._wanted
        return self.list.cursor

    def works(self, id: str) -> bool:
        """Tells whether a command works now: those on a mention do not where there is none."""
        return bool(self.target) or not set(command(id).contexts) <= {Context.LIST, Context.CONVERSATION}

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self.done)

    def note_done(self, done: Done | Reply) -> None:
        """Remembers what can be taken back; of a reply only the last thing that was done about it."""
        earlier = [each for each in self.done if isinstance(each, Done) or each.id != getattr(done, "id", None)]
        self.done = [*earlier[1 - _UNDO_KEPT :], done]
        self.refresh_bindings()

    # News from the reader

    def take_news(self, news: News) -> None:
        """Shows what was read."""
        if not self.is_mounted:
            return
        if isinstance(news, OrderRead):
            self.list.set_order(news)
            self._recovered(orders=True)
        elif isinstance(news, RowsRead):
            self.list.show_rows(news.ids)
        elif isinstance(news, ConversationRead):
            self._take_conversation(news)
            self._recovered(orders=False)
        elif isinstance(news, StateRead):
            self._take_state(news)
        elif self._faults.get(news.orders) != news.sentence:
            self._faults[news.orders] = news.sentence
            self._desk.say(news.sentence, "error")

    def _recovered(self, *, orders: bool) -> None:
        if self._faults.pop(orders, ""):
            self._desk.say("The database can be read again.")

    def _take_state(self, news: StateRead) -> None:
        self.views.counts = dict(news.counts)
        self.header.waiting = news.waiting
        self.sources = news.sources
        labels = source_labels(news.sources)
        self.header.show_sources(news.sources, labels)
        self.header.scorer = news.scorer
        if labels != self.labels:
            self.labels = labels
            self.time_passes()

    def _take_conversation(self, news: ConversationRead) -> None:
        if news.id != self._wanted:
            return
        self.shown = news.conversation
        self.pane.show(news.conversation)
        if news.conversation:
            self.composer.take(news.conversation)
        self.refresh_bindings()

    def time_passes(self) -> None:
        """Paints again: ages and deadlines have moved."""
        if self.is_mounted:
            self.list.repaint()
            self.pane.repaint()
            self.composer.repaint()

    def working(self, sentence: str) -> None:
        """Shows what another process is doing; "" when it is done."""
        self.header.working = sentence

    # The list and the conversation

    def on_mention_list_cursor_moved(self, event: MentionList.CursorMoved) -> None:
        """Follows the cursor with the conversation, unless something is being read or written there."""
        if bool(event.id) is self._empty:
            self._empty = not event.id
            self.refresh_bindings()
        if self.context is Context.LIST and not self.composer.display and not self.has_class("-narrow"):
            self._follow(event.id)

    def on_mention_list_opened(self, event: MentionList.Opened) -> None:
        """Opens the conversation."""
        self.read(event.id)

    def on_mention_list_selection_changed(self, event: MentionList.SelectionChanged) -> None:
        """Shows how many are selected."""
        self.header.selected = event.count

    def on_mention_list_unseen(self, event: MentionList.Unseen) -> None:
        """Shows how many new ones there are beyond the screen."""
        self.header.unseen = (event.above, event.below)

    def _follow(self, id: int) -> None:
        if id == self._wanted:
            return
        self._wanted = id
        if self._conversation_timer:
            self._conversation_timer.stop()
        self._conversation_timer = self.set_timer(_CONVERSATION_SECONDS, lambda: self._desk.reader.converse(id))
        if not id:
            self.shown = None
            self.pane.show(None)

    def read(self, id: int) -> None:
        """Goes into the conversation of a mention."""
        if not id:
            return
        if self.composer.mention_id not in (0, id):
            self.composer.close()
        self._follow(id)
        if self.has_class("-narrow"):
            self.add_class("-reading")
        self.pane.focus()

    def do_mention_open(self) -> None:
        """Opens the conversation under the cursor."""
        self.read(self.list.cursor)

    def step(self, by: int) -> None:
        """Goes to another mention, and reads it where one is being read."""
        reading = self.context is Context.CONVERSATION
        self.list.move(by)
        if reading:
            self.read(self.list.cursor)

    def do_mention_next(self) -> None:
        """Goes to the next mention."""
        self.step(1)

    def do_mention_previous(self) -> None:
        """Goes to the mention before."""
        self.step(-1)

    def removed(self, ids: list[int]) -> None:
        """Takes mentions out of the list that their triage has moved elsewhere, and goes on with the next one."""
        reading = self.context is Context.CONVERSATION
        if self.view not in (View.ALL, View.OUTBOX) and not self.search:
            self.list.drop(ids)
        self.list.clear_selection()
        if reading and self.list.cursor:
            self.read(self.list.cursor)
        elif reading:
            self.back_to_list()

    def back_to_list(self) -> None:
        """Leaves the conversation."""
        self.remove_class("-reading")
        self.list.focus()
        if not self.composer.display and not self.has_class("-narrow"):
            self._follow(self.list.cursor)

    def do_pane_back(self) -> None:
        """Leaves the innermost thing: the conversation, the search, the selection."""
        if self.context is Context.CONVERSATION:
            self.back_to_list()
        elif self.list.clear_selection():
            return
        elif self.search_line.has_class("-searching"):
            self.end_search()

    def do_pane_next(self) -> None:
        """Goes to the next pane."""
        if self.has_class("-narrow"):
            self.back_to_list() if self.has_class("-reading") else self.do_mention_open()
        else:
            self.focus_next()

    def do_pane_previous(self) -> None:
        """Goes to the pane before."""
        if self.has_class("-narrow"):
            self.do_pane_next()
        else:
            self.focus_previous()

    def do_desk_quit(self) -> None:
        """Leaves the conversation where it fills the window; else the desk."""
        if self.has_class("-narrow") and self.context is Context.CONVERSATION:
            self.back_to_list()
        else:
            self._desk.do_desk_quit()

    @property
    def _moving(self) -> MentionList | ConversationPane:
        """What the keys go up and down in."""
        return self.pane if self.context is Context.CONVERSATION else self.list

    def do_cursor_down(self) -> None:
        """Goes one mention down, or one line of the conversation."""
        self._moving.move(1)

    def do_cursor_up(self) -> None:
        """Goes one mention up, or one line of the conversation."""
        self._moving.move(-1)

    def do_cursor_page_down(self) -> None:
        """Goes one screen down."""
        self._moving.move(self._moving.page_size)

    def do_cursor_page_up(self) -> None:
        """Goes one screen up."""
        self._moving.move(-self._moving.page_size)

    def do_cursor_first(self) -> None:
        """Goes to the top; at the top of the list, what is new has been seen."""
        if self.context is Context.CONVERSATION:
            self.pane.scroll_home(animate=False)
            return
        self.list.move_to(0)
        self.list.acknowledge()

    def do_cursor_last(self) -> None:
        """Goes to the end."""
        if self.context is Context.CONVERSATION:
            self.pane.scroll_end(animate=False)
        else:
            self.list.move_to(len(self.list.ids) - 1)

    def do_mention_select(self) -> None:
        """Selects the mention and goes to the next."""
        self.list.toggle()
        self.list.move(1)

    def do_selection_down(self) -> None:
        """Selects on the way down."""
        self.list.extend(1)

    def do_selection_up(self) -> None:
        """Selects on the way up."""
        self.list.extend(-1)

    def do_selection_all(self) -> None:
        """Selects everything in the list."""
        if not self.list.select_all():
            self._desk.say(f"At most {MOST_SELECTED:,} mentions can be selected at once; search for fewer.", "warning")

    # Views and search

    def show_view(self, view: View, search: str = "") -> None:
        """Shows a view; or what is found among all mentions, the view being where one goes back to."""
        self.view, self.search = view, search
        self.views.current = view
        self.list.empty_text = (
            f"Nothing found for “{search}”.\n{self._desk.keys['pane.back']} goes back."
            if search
            else self._desk.keys.put_into(_EMPTY[view])
        )
        which = View.ALL if search else view
        self.list.expect(self._desk.reader.show(Filter(view=which, agent=self._desk.agent, search=search)))

    def on_views_chosen(self, event: Views.Chosen) -> None:
        """Shows the view that was clicked."""
        self.choose_view(event.view)

    def choose_view(self, view: View) -> None:
        """Shows a view from wherever the user is; a search ends with it."""
        self._desk.to_inbox()
        self._close_search_line()
        self.show_view(view)
        self.back_to_list()

    def do_view_complaints(self) -> None:
        """Shows the complaints."""
        self.choose_view(View.COMPLAINTS)

    def do_view_needs_reply(self) -> None:
        """Shows what waits for a reply."""
        self.choose_view(View.NEEDS_REPLY)

    def do_view_mine(self) -> None:
        """Shows what is the agent's."""
        self.choose_view(View.MINE)

    def do_view_overdue(self) -> None:
        """Shows what is late."""
        self.choose_view(View.OVERDUE)

    def do_view_snoozed(self) -> None:
        """Shows what sleeps."""
        self.choose_view(View.SNOOZED)

    def do_view_outbox(self) -> None:
        """Shows what is on its way."""
        self.choose_view(View.OUTBOX)

    def do_view_all(self) -> None:
        """Shows everything."""
        self.choose_view(View.ALL)

    def do_search_start(self) -> None:
        """Opens the line in which the user types what to find."""
        self._desk.to_inbox()
        self.remove_class("-reading")
        self.search_line.add_class("-searching")
        self.search_line.focus()

    def end_search(self) -> None:
        """Closes the search and shows the view as it was."""
        self._close_search_line()
        if self.search:
            self.show_view(self.view)
        self.list.focus()

    def _close_search_line(self) -> None:
        self.search_line.remove_class("-searching")
        with self.search_line.prevent(Input.Changed):
            self.search_line.value = ""

    def on_input_changed(self, event: Input.Changed) -> None:
        """Searches as soon as the typing pauses."""
        if event.input is not self.search_line:
            return
        if self._search_timer:
            self._search_timer.stop()
        self._search_timer = self.set_timer(_SEARCH_SECONDS, self._search_now)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Goes into what was found."""
        if event.input is self.search_line:
            self._search_now()
            self.list.focus()

    def _search_now(self) -> None:
        words = self.search_line.value.strip()
        if self.search_line.has_class("-searching") and words != self.search:
            self.show_view(self.view, words)

    # The composer

    def keep_draft(self) -> None:
        """Hands over what is half-written, for the end of the program."""
        self.replying.keep_draft()

    def on_composer_changed(self, event: Composer.Changed) -> None:
        """Keeps the draft."""
        self.replying.changed(event.mention_id, event.text, event.template)

    def on_composer_sent(self, event: Composer.Sent) -> None:
        """Sends the reply."""
        self._desk.run_told(self.replying.send(event))

    def on_composer_closed(self, event: Composer.Closed) -> None:
        """Goes back to the conversation, or to the list."""
        self.replying.left(event.mention_id)

    def on_conversation_pane_opened(self, event: ConversationPane.Opened) -> None:
        """Opens another mention of the thread or of the customer."""
        self.list.go_to(event.id)
        self.read(event.id)

    async def do_change_undo(self) -> None:
        """Takes the last thing back; first of all a reply whose seconds are running out."""
        waiting = self.replying.waiting[-1:]
        while self.done:
            last = waiting.pop() if waiting else self.done[-1]
            self.done = [each for each in self.done if each is not last]
            self.refresh_bindings()
            if isinstance(last, Done):
                await self.triaging.undo(last)
                return
            if await self.replying.undo(last):
                return
        self._desk.say("There is nothing to take back.")

    def on_resize(self) -> None:
        """Keeps what is being read or written in sight when the window becomes narrow, and the keyboard where it was.

        A window that is too small hides what has the focus. Whoever goes on typing a reply in a larger one must not
        find the letters taken for commands.
        """
        last = self._focused_last = self.focused or self._focused_last
        if self._too_small or last is None:
            return
        if self.pane in last.ancestors_with_self or self.composer in last.ancestors_with_self:
            self.add_class("-reading")
        if self.focused is None:
            self.call_after_refresh(last.focus)

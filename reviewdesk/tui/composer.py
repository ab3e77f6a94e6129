"""The composer: where a reply is written, counted as its platform counts, and handed over when the agent says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static, TextArea
from textual.widgets.text_area import Selection

from reviewdesk.commands import COMMANDS, Context, Keys, key_label
from reviewdesk.desk.guard import meanwhile
from reviewdesk.model import Change, Channel, LengthUnit, Level, Status, Template, What
from reviewdesk.replies.checks import Problem, length
from reviewdesk.replies.render import holes_in, render
from reviewdesk.store.records import Conversation
from reviewdesk.text import cut, safe
from reviewdesk.tui.difference import told
from reviewdesk.tui.document import writing
from reviewdesk.tui.line import Surroundings
from reviewdesk.tui.picker import Picked, TemplatePicker
from reviewdesk.tui.wording import clock, source_label

_DRAFT_SECONDS = 0.3
"""How old the oldest letter may be that has not been told yet, however long somebody types without a rest."""
_NEAR = 0.9
_UNITS = {LengthUnit.CHARACTERS: "", LengthUnit.UTF16: "", LengthUnit.BYTES: " bytes"}
_ACTIONS = {
    "reply.send": "send",
    "reply.fill": "pick_template",
    "reply.channel": "switch_channel",
    "reply.leave": "leave",
}


def _bindings() -> list[BindingType]:
    return [
        Binding(
            ",".join(each.keys),
            _ACTIONS[each.id],
            each.title,
            id=each.id,
            key_display=key_label(each.keys[0]),
            show=each.show_in_footer,
            tooltip=each.help,
            # The text area has meanings of its own for some of these keys.
            priority=True,
        )
        for each in COMMANDS
        if each.contexts == (Context.COMPOSER,)
    ]


class ReplyText(TextArea):
    """The text being written. Tab goes to the next hole; what is pasted is made safe."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "next_hole", "Next hole", show=False)]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"reply-text--hole"}

    def get_line(self, line_index: int) -> Text:
        """Gives a line with its holes marked."""
        line = super().get_line(line_index)
        for hole in holes_in(line.plain):
            start = line.plain.find(hole)
            while start >= 0:
                line.stylize(self.get_component_rich_style("reply-text--hole"), start, start + len(hole))
                start = line.plain.find(hole, start + len(hole))
        return line

    def action_next_hole(self) -> None:
        """Selects the next hole, so that typing fills it; without one the focus moves on."""
        if not self.select_hole(from_cursor=True):
            self.screen.focus_next()

    def select_hole(self, *, from_cursor: bool = False) -> bool:
        """Selects the first hole, or the first one behind the cursor; False where there is none."""
        text = self.text
        holes = holes_in(text)
        if not holes:
            return False
        here = 0
        if from_cursor:
            row, column = max(self.selection)
            here = sum(len(line) + 1 for line in text.split("\n")[:row]) + column
        behind = [place for hole in holes if (place := text.find(hole, here)) >= 0]
        start = min(behind or [text.find(hole) for hole in holes])
        hole = next(hole for hole in holes if text.startswith(hole, start))
        row, column = text.count("\n", 0, start), start - (text.rfind("\n", 0, start) + 1)
        self.selection = Selection((row, column), (row, column + len(hole)))
        return True

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        if result := self._replace_via_keyboard(safe(event.text), *self.selection):
            self.move_cursor(result.end_location)


class Composer(Widget):
    """Where a reply to one mention is written; hidden while none is.

    Args:
        around: gives the time, the shop's timezone, the agent and the colleagues' names, at the time of painting.
        shop: the name under which replies appear.
        undo_seconds: how long a sent reply can be taken back.
        keys: for the sentences that name them.
    """

    BINDINGS: ClassVar[list[BindingType]] = _bindings()
    DEFAULT_CSS = """
    Composer {
        display: none;
        layout: vertical;
        height: 50%;
        min-height: 9;
        max-height: 22;
        background: $panel 50%;
        border-top: solid $primary 60%;
        &:focus-within { border-top: solid $accent; }
        .bar { height: 1; padding: 0 1; }
        .bar Static { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        #mode { width: 1fr; }
        #count { width: auto; padding-left: 1; }
        ReplyText {
            height: 1fr;
            border: none;
            padding: 0 1;
            background: $surface;
            scrollbar-size-vertical: 1;
            .reply-text--hole { color: $warning; background: $warning 20%; text-style: bold; }
        }
        #problems, #news { height: auto; max-height: 6; padding: 0 1; display: none; }
        #news { max-height: 50%; background: $warning 8%; }
        &.-news { height: 70%; }
    }
    """

    @dataclass
    class Changed(Message):
        """The text is another one than was told last; it is to be kept as the draft."""

        mention_id: int
        text: str
        template: str = ""

    @dataclass
    class Sent(Message):
        """The user wants this text to go out, word for word.

        Attributes:
            language: of the template that the text came from, None where it came from none.
            opened: what the user saw when the composer was opened.
            changes: what the user was shown to have changed since.
            despite_warnings: the user has read the warnings that `refuse` showed for this very text and these changes.
        """

        mention_id: int
        text: str
        channel: Channel
        language: str | None
        opened: Conversation
        changes: tuple[Change, ...] = ()
        despite_warnings: bool = False

    @dataclass
    class Closed(Message):
        """The composer was left."""

        mention_id: int

    def __init__(
        self,
        around: Callable[[], Surroundings],
        *,
        shop: str = "",
        undo_seconds: int = 10,
        keys: Keys | None = None,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._around = around
        self._keys = keys or Keys()
        self._shop = shop
        self._undo_seconds = undo_seconds
        self._area = ReplyText(
            soft_wrap=True,
            compact=True,
            highlight_cursor_line=False,
            placeholder=self._keys.put_into("Write the reply, or take a template with {reply.fill}."),
        )
        self._conversation: Conversation | None = None
        self._opened: Conversation | None = None
        self._changes: tuple[Change, ...] = ()
        self._limit: int | None = None
        self._unit = LengthUnit.CHARACTERS
        self._mode = "api"
        self._private = False
        self._channel = Channel.PUBLIC
        self._templates: Sequence[Template] = ()
        self._values: Mapping[str, str] = {}
        self._template: Template | None = None
        self._told = ""
        self._warned: tuple[str, Channel] | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lays the line of the mode, the text and the problems out."""
        with Horizontal(classes="bar"):
            yield Static(id="mode", markup=False)
            yield Static(id="count", markup=False)
        yield Static(id="news", markup=False)
        yield self._area
        yield Static(id="problems", markup=False)

    @property
    def is_laid_out(self) -> bool:
        """Whether there is something to write into: not before the first layout, and no more once the desk ends."""
        return bool(self.children)

    @property
    def mention_id(self) -> int:
        """The mention that is being answered; 0 for none."""
        return self._conversation.focus.id if self._conversation else 0

    @property
    def text(self) -> str:
        """What is written so far."""
        return self._area.text

    @property
    def channel(self) -> Channel:
        """How it would reach the customer."""
        return self._channel

    def open(
        self,
        conversation: Conversation,
        *,
        draft: str,
        limit: int | None,
        unit: LengthUnit,
        mode: str,
        templates: Sequence[Template],
        values: Mapping[str, str],
        private: bool | None = None,
    ) -> None:
        """Opens on a mention. Where it is open on that mention already, what is written there stays untouched.

        Args:
            draft: what was written before, "" for nothing.
            limit: the longest reply, counted in `unit`; None where there is no limit.
            mode: "api" or "hand_off", as `Respond.reply_mode` gives it.
            templates: the most suitable first.
            values: of the templates' variables.
            private: whether the customer can be written to privately; None goes by what the platform told.
        """
        same = self.mention_id == conversation.focus.id
        if not same:
            self._tell()
            self._template = None
            self._channel = Channel.PUBLIC
            self._area.load_text(safe(draft))
            self._area.move_cursor(self._area.document.end)
            self._told = self._area.text
            self._show_problems(())
            self._opened, self._changes = conversation, ()
        self._conversation = conversation
        self._limit, self._unit, self._mode = limit, unit, mode
        self._private = conversation.focus.mention.can_private_reply is True if private is None else private
        self._templates, self._values = templates, values
        self.display = True
        self.take(conversation)
        self._area.focus()
        # The first template would otherwise pay for loading the template engine while the user waits.
        self.run_worker(lambda: render("-", {}), thread=True, exit_on_error=False, group="templates")

    def take(self, conversation: Conversation) -> None:
        """Takes in what has become of the mention and shows it, where it is the one that is being answered.

        What speaks against sending holds the next sending back, so that the user knows of it.
        """
        if self._opened is None or self.mention_id != conversation.focus.id:
            return
        self._conversation = conversation
        changes = meanwhile(self._opened, conversation, self._around().agent)
        if changes != self._changes:
            self._changes, self._warned = changes, None
            self._show_problems(())
        self.repaint()

    def repaint(self) -> None:
        """Shows again what is told: time has passed."""
        if self.is_laid_out and self._conversation:
            self._show_state()
            self._show_news(self._conversation)

    def _show_news(self, conversation: Conversation) -> None:
        around, room = self._around(), max(20, self.size.width - 2)
        focus = conversation.focus
        said = [f"✎ {each}" for each in writing(conversation, around)]
        if focus.erased_at:
            said.append("The mention was erased. What is written here is neither kept nor sent.")
        elif focus.gone_at:
            since = clock(focus.gone_at, around)
            said.append(f"The mention is gone from the platform, seen {since}. Your draft stays here; sending is held.")
        if focus.status is Status.CLOSED and not focus.erased_at:
            said.append("The mention is closed; a reply answers it all the same.")
        if self._opened and focus.assignee not in (self._opened.focus.assignee, around.agent):
            to = around.people.get(focus.assignee, focus.assignee) or "nobody"
            said.append(f"It was assigned to {cut(to, 24)} meanwhile.")
        lines = [Content.styled(cut(each, 200), "bold $warning") for each in said]
        for change in self._changes:
            if change.what is not What.GONE:
                lines += told(change, around, room, most=3)
        news = self.query_one("#news", Static)
        news.display = bool(lines)
        news.update(Content("\n").join(lines))
        self.set_class(bool(self._changes), "-news")

    def close(self) -> None:
        """Closes. What was written is told as `Changed`, unless it was told before."""
        if not self._conversation:
            return
        self._tell()
        left = self.mention_id
        self._conversation = self._opened = None
        self.display = False
        self.post_message(self.Closed(left))

    def refuse(self, problems: Sequence[Problem], *, of: tuple[str, Channel] | None = None) -> None:
        """Shows why the text was not sent. Where these are but warnings, sending the same text again goes ahead.

        Args:
            of: the text and the channel that were looked at; None for those of now.
        """
        only_warnings = bool(problems) and all(problem.level is Level.WARNING for problem in problems)
        now = self.text, self._channel
        self._warned = now if only_warnings and of in (None, now) else None
        self._show_problems(problems)
        self._area.focus()

    def action_send(self) -> None:
        """Hands the text over."""
        if not self._conversation or not self._opened:
            return
        if not self.text.strip():
            self.refuse([Problem(level=Level.FAULT, sentence="There is nothing to send yet.")])
            return
        if self._limit is not None and (count := length(self.text, self._unit)) > self._limit:
            over = f"{count - self._limit:,}{_UNITS[self._unit] or ' characters'}"
            self.refuse([Problem(level=Level.FAULT, sentence=f"The reply is too long: take out {over}.")])
            return
        if holes := holes_in(self.text):
            missing = cut(", ".join(holes), 120)
            self.refuse([Problem(level=Level.FAULT, sentence=f"Fill in what is missing: {missing} (tab goes there).")])
            self._area.select_hole()
            return
        self._tell()
        language = self._template.language if self._template else None
        despite = self._warned == (self.text, self._channel)
        self.post_message(
            self.Sent(
                self.mention_id,
                self.text,
                self._channel,
                language,
                opened=self._opened,
                changes=self._changes,
                despite_warnings=despite,
            )
        )

    def pick_template(self) -> None:
        """Lets the user choose a template, and puts it in: instead of blank text, else at the cursor."""
        if not self._conversation:
            return
        focus = self._conversation.focus
        language = focus.mention.language or (focus.assessment.language if focus.assessment else "")
        if language == "other" or all(template.language != language for template in self._templates):
            language = ""
        self.app.push_screen(
            TemplatePicker(self._templates, self._values, limit=self._limit, unit=self._unit, language=language),
            self._insert,
        )

    def action_pick_template(self) -> None:
        """Lets the user choose a template."""
        self.pick_template()

    def _insert(self, picked: Picked | None) -> None:
        self._area.focus()
        if picked is None:
            return
        self._template = picked.template
        text = safe(picked.rendered.text)
        if self.text.strip():
            start, end = self._area.selection
            result = self._area.replace(text, start, end)
        else:
            result = self._area.replace(text, (0, 0), self._area.document.end)
        self._area.move_cursor(result.end_location)
        self._area.select_hole()

    def action_switch_channel(self) -> None:
        """Switches between public and private, where the customer can be written to privately."""
        if not self._private:
            self.refuse([Problem(level=Level.FAULT, sentence="This customer cannot be written to privately.")])
            return
        self._channel = Channel.PUBLIC if self._channel is Channel.PRIVATE else Channel.PRIVATE
        self._warned = None
        self._show_state()

    def action_leave(self) -> None:
        """Closes; the draft is kept."""
        self.close()

    @on(TextArea.Changed)
    def _text_changed(self) -> None:
        self._show_state()
        if self._warned and self._warned[0] != self.text:
            self._warned = None
        self._show_problems(())
        if self._conversation and self.text != self._told and not self._timer:
            self._timer = self.set_timer(_DRAFT_SECONDS, self._tell)

    def on_descendant_blur(self) -> None:
        """Tells what was written: the user may not come back."""
        self._tell()

    def _tell(self) -> None:
        if self._timer:
            self._timer.stop()
            self._timer = None
        if self._conversation and self.text != self._told:
            self._told = self.text
            name = self._template.name if self._template else ""
            self.post_message(self.Changed(self.mention_id, self.text, name))

    def _show_problems(self, problems: Sequence[Problem]) -> None:
        if not self.is_laid_out:
            return
        shown = self.query_one("#problems", Static)
        shown.display = bool(problems)
        lines = [
            Content.assemble(
                ("✗ " if problem.level is Level.FAULT else "! ", "bold"), cut(problem.sentence, 300)
            ).stylize("$error" if problem.level is Level.FAULT else "$warning")
            for problem in problems[:5]
        ]
        if self._warned:
            lines.append(Content.styled("Send again to send it despite the warning.", "$faint"))
        shown.update(Content("\n").join(lines))

    def _show_state(self) -> None:
        if not self.is_laid_out:
            return
        self.query_one("#mode", Static).update(self._mode_line())
        self.query_one("#count", Static).update(self._count())

    def _mode_line(self) -> Content:
        if not self._conversation:
            return Content("")
        focus = self._conversation.focus
        author = cut(focus.mention.author.name, 24) if focus.mention.author and focus.mention.author.name else "someone"
        platform = source_label(focus.source, focus.connector, self._around())
        if self._channel is Channel.PRIVATE:
            to = Content.assemble(
                ("PRIVATE", "bold $warning"),
                f" message to {author}",
                (f"; {self._keys['reply.channel']} public", "$faint"),
            )
        elif self._mode == "hand_off":
            words = "; sending copies it and opens the page"
            return Content.assemble(("By hand", "bold $warning"), f" on {platform}, to {author}", (words, "$faint"))
        else:
            shop = f" as {cut(self._shop, 24)}" if self._shop else ""
            to = Content.assemble(("Public", "bold $accent"), f" on {platform}{shop}, to {author}")
            if self._private:
                to += Content.styled(f"; {self._keys['reply.channel']} private", "$faint")
        return to + Content.styled(f"; {self._undo_seconds} s to undo", "$faint")

    def _count(self) -> Content:
        count = length(self.text, self._unit)
        if self._limit is None:
            return Content.styled(f"{count:,}", "$faint")
        style = "bold $error" if count > self._limit else "$warning" if count >= self._limit * _NEAR else "$faint"
        over = f"{count - self._limit:,} over · " if count > self._limit else ""
        return Content.styled(f"{over}{count:,}/{self._limit:,}{_UNITS[self._unit]}", style)

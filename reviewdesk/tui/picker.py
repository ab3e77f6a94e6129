"""The template picker: found by a few letters, seen filled in before it is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.fuzzy import Matcher
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from reviewdesk.errors import NotAllowed
from reviewdesk.model import LengthUnit, Record, Template
from reviewdesk.replies.checks import length
from reviewdesk.replies.personalise import greeting
from reviewdesk.replies.render import Rendered, render
from reviewdesk.text import cut, fold, one_line, safe
from reviewdesk.tui.finding import Finder
from reviewdesk.tui.frame import Frame

HOLE_STYLE = "bold $warning on $warning 20%"
"""How a hole that a person must fill is shown."""


class Picked(Record, frozen=True, kw_only=True):
    """What the picker gives: the template, and its text filled in for the mention."""

    template: Template
    rendered: Rendered


class TemplatePicker(Finder[Picked]):
    """Lets the user choose a template; gives it filled in, None when left.

    Args:
        templates: the most suitable first, as `replies.templates.suggest` orders them.
        values: of the variables, as plain text.
        limit: the longest reply, counted in `unit`; None where there is no limit.
        language: the mention's; a template in another one greets in its own.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+t", "leave", "Leave", show=False)]
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - as the screen declares it
        (0, "-narrow"),
        (110, "-wide"),
    ]
    DEFAULT_CSS = """
    TemplatePicker {
        align: center middle;
        background: $background 60%;
        Frame {
            width: 96%;
            max-width: 150;
            height: 90%;
            max-height: 40;
        }
        Input { border: none; padding: 0; height: 1; background: $surface; margin-bottom: 1; }
        #both { height: 1fr; }
        OptionList { border: none; background: $surface; padding: 0; width: 1fr; height: 1fr; }
        OptionList { text-wrap: nowrap; text-overflow: ellipsis; }
        OptionList, #preview { scrollbar-size-vertical: 1; }
        #preview { width: 1fr; height: 1fr; padding: 0 1; background: $background; }
        #preview Static { height: auto; }
    }
    TemplatePicker.-narrow #both { layout: vertical; }
    TemplatePicker.-narrow OptionList { height: 2fr; }
    TemplatePicker.-narrow #preview { height: 3fr; }
    """

    def __init__(
        self,
        templates: Sequence[Template],
        values: Mapping[str, str],
        *,
        limit: int | None = None,
        unit: LengthUnit = LengthUnit.CHARACTERS,
        language: str = "",
    ) -> None:
        super().__init__()
        self._templates = list(templates)
        self._values = values
        self._limit = limit
        self._unit = unit
        self._language = language or (self._templates[0].language if self._templates else "")
        self._fitting: list[Template] = []

    def compose(self) -> ComposeResult:
        """Lays the list and the preview out."""
        with Frame("Templates", "⏎ takes it · esc leaves"):
            yield Input(placeholder="type to find: title, purpose, topic, words", compact=True)
            with Horizontal(id="both"):
                yield OptionList(markup=False, compact=True)
                with VerticalScroll(id="preview", can_focus=False):
                    yield Static(markup=False)

    def offer(self, typed: str) -> None:
        """Offers the templates that fit, the most suitable first."""
        self._fitting = found(typed, self._templates, self._language)
        self.offered.set_options([Option(self._line(template)) for template in self._fitting])
        self.offered.highlighted = 0 if self._fitting else None
        if not self._fitting:
            self.query_one("#preview Static", Static).update(Content.styled("No template fits.", "$faint"))

    def _line(self, template: Template) -> Content:
        about = ", ".join(topic.value for topic in template.topics[:3])
        purpose = template.purpose.value.replace("_", "-")
        foreign = template.language != self._language
        return Content.assemble(
            (f"{template.language} ", "$warning" if foreign else "$faint"),
            (cut(template.title, 48), "$faint" if foreign else ""),
            (f"  {purpose}", "$secondary"),
            (f" · {about}" if about else "", "$faint"),
            ("" if template.bundled else "  ours", "$accent"),
        )

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_index < len(self._fitting):
            self.query_one("#preview Static", Static).update(self._preview(self._fitting[event.option_index]))
            self.query_one("#preview", VerticalScroll).scroll_home(animate=False)

    def _preview(self, template: Template) -> Content:
        try:
            rendered = self._rendered(template)
        except NotAllowed as error:
            return Content.styled(safe(str(error)), "$error")
        parts = [with_holes(rendered)]
        count = length(rendered.text, self._unit)
        if self._limit is not None and count > self._limit:
            parts.append(Content.styled(f"Too long here: {count:,} of {self._limit:,}.", "bold $error"))
        if rendered.holes:
            words = "place is" if len(rendered.holes) == 1 else "places are"
            parts.append(Content.styled(f"{len(rendered.holes)} {words} left for you to fill.", "$warning"))
        return Content("\n\n").join(parts)

    def _rendered(self, template: Template) -> Rendered:
        values = self._values
        if template.language != self._language:
            values = {**values, "greeting": greeting(values.get("author") or None, template.language)}
        return render(template.body, values)

    def take(self, place: int) -> None:
        """Gives the template filled in; one that cannot be filled in says why."""
        template = self._fitting[place]
        try:
            self.dismiss(Picked(template=template, rendered=self._rendered(template)))
        except NotAllowed as error:
            self.notify(str(error), severity="error", markup=False)


def found(typed: str, templates: Sequence[Template], language: str = "") -> list[Template]:
    """Gives the templates that fit what was typed, the best first; all of them in their order where nothing was.

    Each word must fit title, name, purpose, topics or language by its letters in order, or stand in the body. Case and
    diacritics do not count. A title that fits counts most, templates in `language` count half as much again; what fits
    equally keeps its order.
    """
    words = fold(one_line(typed[:100])).split()
    if not words:
        return list(templates)
    matchers = [(word, Matcher(word)) for word in words]
    scored = []
    for template in templates:
        title, body = fold(template.title), fold(template.body)
        labels = fold(" ".join((template.name, template.purpose, *template.topics, template.language)))
        scores = [
            max(3 * matcher.match(title), 2 * matcher.match(labels), 0.5 if word in body else 0.0)
            for word, matcher in matchers
        ]
        if all(scores):
            scored.append((-sum(scores) * (1.5 if template.language == language else 1), template))
    return [template for _, template in sorted(scored, key=lambda each: each[0])]


def with_holes(rendered: Rendered) -> Content:
    """Gives a filled template, made safe, with its holes marked."""
    content = Content(safe(rendered.text))
    for hole in rendered.holes:
        start = content.plain.find(hole)
        while start >= 0:
            content = content.stylize(HOLE_STYLE, start, start + len(hole))
            start = content.plain.find(hole, start + len(hole))
    return content

"""What has changed in a thread, as a person sees it at a glance: who, when, and the words that went and came. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import islice

from textual.content import Content

from reviewdesk.desk.guard import sentence
from reviewdesk.model import Change, What
from reviewdesk.text import cut, safe
from reviewdesk.tui.line import Surroundings
from reviewdesk.tui.wording import clock

_COMPARED_MOST = 2_000
_WORDS_MOST = 160
"""Between the first and the last word that differ, more words than this are shown as altogether other ones."""
_AROUND = 8
"""How many of the same words are shown on both sides of a difference."""
_LINES_MOST = 12
WENT, CAME = "$error strike", "bold $success"
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


def told(change: Change, around: Surroundings, room: int, *, most: int = _LINES_MOST) -> list[Content]:
    """Gives a change in lines of at most `room` cells: a sentence, then the texts, the words that differ marked.

    Args:
        most: how many lines each text may have.
    """
    lines = hanging(Content("  "), headline(change, around), room)
    for title, text, style in texts(change):
        lines += quoted(title, text, style, room, most)
    return lines


def headline(change: Change, around: Surroundings) -> Content:
    """Gives a change in a sentence, with who and when."""
    name = around.people.get(change.who, change.who) if change.what is What.COLLEAGUE else change.who
    facts = [cut(name, 24)] if name else []
    facts += [clock(change.at, around)] if change.at else []
    return Content.assemble((sentence(change), "bold"), (f"  {', '.join(facts)}" if facts else "", "$faint"))


def texts(change: Change) -> list[tuple[str, Content, str]]:
    """Gives the texts of a change: what each is called, the text with its marks, and the style of its bar."""
    if change.before and change.after:
        before, after = marked(change.before, change.after)
        return [("was", before, "$error"), ("now", after, "$success")]
    if change.before:
        return [("was", Content.styled(_shown(change.before), "$faint strike"), "$error")]
    return [("", Content(_shown(change.after)), "$accent")] if change.after else []


def marked(before: str, after: str) -> tuple[Content, Content]:
    """Gives two texts, made safe, with the words that went and those that came marked; long sameness is left out."""
    old, new = _WORDS.findall(_shown(before)), _WORDS.findall(_shown(after))
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    inner_old, inner_new = old[start : len(old) - end], new[start : len(new) - end]
    if max(len(inner_old), len(inner_new)) > _WORDS_MOST:
        steps = [("replace", 0, len(inner_old), 0, len(inner_new))]
    else:
        steps = list(SequenceMatcher(None, inner_old, inner_new, autojunk=False).get_opcodes())
    head, tail = _ending(old[:start]), _beginning(old[len(old) - end :])
    return (
        _put_together(head, [("".join(inner_old[i:j]), tag != "equal") for tag, i, j, _, _ in steps], tail, WENT),
        _put_together(head, [("".join(inner_new[i:j]), tag != "equal") for tag, _, _, i, j in steps], tail, CAME),
    )


def quoted(title: str, text: Content, style: str, room: int, most: int = _LINES_MOST) -> list[Content]:
    """Gives a text behind a bar, in lines of at most `room` cells; `title` stands before the first of them."""
    first = Content.styled(f"  {title} │ " if title else "  │ ", style)
    others = Content.styled(f"  {' ' * len(title)} │ " if title else "  │ ", style)
    wrapped = (part for line in text.split("\n") for part in line.wrap(max(10, room - first.cell_length)))
    lines = list(islice(wrapped, most + 1))
    if len(lines) > most:
        lines = [*lines[: most - 1], Content.styled("…", "$faint")]
    return [(others if number else first) + line for number, line in enumerate(lines)]


def hanging(gutter: Content, line: Content, room: int) -> list[Content]:
    """Gives a line broken to `room` cells, `gutter` standing before each of its parts."""
    return [gutter + part for part in line.wrap(max(10, room - gutter.cell_length))]


def _shown(text: str) -> str:
    return safe(text[:_COMPARED_MOST]) + ("…" if len(text) > _COMPARED_MOST else "")


def _put_together(head: str, parts: Iterable[tuple[str, bool]], tail: str, style: str) -> Content:
    return Content.assemble(head, *((text, style if differs else "") for text, differs in parts), tail)


def _ending(words: list[str]) -> str:
    return "".join(words) if len(words) <= 2 * _AROUND else "… " + "".join(words[-2 * _AROUND :]).lstrip()


def _beginning(words: list[str]) -> str:
    return "".join(words) if len(words) <= 2 * _AROUND else "".join(words[: 2 * _AROUND]).rstrip() + " …"

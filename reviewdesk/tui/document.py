"""A conversation as blocks of text, in the order in which it is read. Pure; nothing is made before it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from textual.content import Content

from reviewdesk.model import Assessment, Channel, DeliveryState, Label, Mention, Reason, Severity, Status
from reviewdesk.replies.checks import language_name
from reviewdesk.store.records import Conversation, Correction, Reply, Row, Stored, Version
from reviewdesk.text import cut, is_web_link, one_line
from reviewdesk.tui import difference
from reviewdesk.tui.line import Surroundings
from reviewdesk.tui.marking import Shown, points, shown, style_of
from reviewdesk.tui.wording import KINDS, ago, clock, delivery, duration, source_label, standing_text, stars

OTHER_MOST = 600
"""How many characters are shown of a text that is not the mention itself."""
_POST_MOST = 240
_REASONS_MOST = 12
_HISTORY_MOST = 12
_FAINT = "$faint"
_BAR, _BAR_STYLE = " ┃ ", "$accent"


class Block(NamedTuple):
    """A piece of the page.

    Attributes:
        content: what it says; wrapped to the room behind the gutter.
        gutter: what stands before each of its lines, and its style.
        right: what stands at the right end of its first and only line.
        mention: the id of the mention that a click on it opens; 0 for none.
        focus: whether the mention itself begins here.
    """

    content: Content
    gutter: str = " "
    gutter_style: str = ""
    right: Content | None = None
    mention: int = 0
    focus: bool = False


def heading(conversation: Conversation, around: Surroundings) -> list[Block]:
    """Gives the lines that stay on top: who, where, how many stars, what was done and what is due."""
    focus = conversation.focus
    mention = focus.mention
    written = mention.created_at or focus.seen_at
    where = f"{source_label(focus.source, focus.connector, around)} {KINDS[mention.kind]}"
    parts = [where, *([f"order {cut(mention.order_id, 24)}"] if mention.order_id else [])]
    if mention.product:
        parts.append(one_line(mention.product[:200]))
    lines = [
        Block(
            Content.assemble(*_rated(mention), (_name(mention), "bold")),
            right=Content.styled(f"{ago(written, around)} · {clock(written, around)}", _FAINT),
        ),
        Block(Content.styled(" · ".join(parts), _FAINT), right=_standing(focus, around)),
    ]
    marks = _marks(focus)
    people = [(f"@{cut(focus.assignee, 20)} ", "$accent")] if focus.assignee else []
    people += [(f"#{cut(tag, 20)} ", "$secondary") for tag in conversation.tags[:8]]
    people += [(f"✎ {said} ", "bold $warning") for said in writing(conversation, around)]
    if marks or people:
        lines.append(Block(Content.assemble(*people), right=Content.assemble(*marks)))
    return lines


def writing(conversation: Conversation, around: Surroundings) -> list[str]:
    """Gives which colleagues are writing a reply to the mention or have begun one, each in a few words."""
    told = []
    for writer in conversation.writers:
        name, since = cut(around.people.get(writer.agent, writer.agent), 20), clock(writer.since, around, today="")
        if writer.agent != around.agent and writer.is_writing(around.now):
            told.append(f"{name} is writing since {since}")
        elif writer.agent != around.agent:
            told.append(f"{name} has a draft, last changed {since}")
    return told[:3]


def document(conversation: Conversation, around: Surroundings) -> Iterator[Block]:
    """Gives everything below the heading, block by block."""
    yield from _details(conversation.focus.mention)
    for each in conversation.thread or (conversation.focus,):
        if each.id == conversation.focus.id:
            yield from _focus(conversation, around)
        else:
            yield from _entry(each, around, opens=each.id)
    if conversation.focus.id not in {each.id for each in conversation.thread or (conversation.focus,)}:
        yield from _focus(conversation, around)
    on_platform = {each.mention.id for each in conversation.thread if each.mention.ours}
    replies = [reply for reply in conversation.replies if not reply.remote_id or reply.remote_id not in on_platform]
    if replies:
        yield from _title("Replies")
        for number, reply in enumerate(replies):
            if number:
                yield _blank()
            yield from _reply(reply, around)
    if conversation.notes:
        yield from _title("Notes")
        for note in conversation.notes:
            yield Block(
                Content.styled(cut(around.people.get(note.agent, note.agent), 30), "bold"),
                right=Content.styled(ago(note.at, around), _FAINT),
            )
            yield from _text(shown(note.text, most=4_000), gutter=" ▏ ", gutter_style="$warning")
    if conversation.versions:
        yield from _title("Edited")
        for version in reversed(conversation.versions):
            yield from _version(version, around)
    if conversation.history:
        yield from _title("The same customer")
        for row in conversation.history[:_HISTORY_MOST]:
            yield _past(row, around)
        left = len(conversation.history) - _HISTORY_MOST
        if left > 0:
            yield Block(Content.styled(f"and {left:,} more", _FAINT))


def _rated(mention: Mention) -> list[tuple[str, str]]:
    if mention.rating is not None:
        return [(f"{stars(mention.rating)} ", "$error" if mention.rating <= 2 else "$warning")]
    return [(f"{cut(mention.rating_raw, 16)} ", "$warning")] if mention.rating_raw else []


def _name(mention: Mention) -> str:
    return (one_line(mention.author.name[:200]) if mention.author else "") or "someone"


def _standing(focus: Stored, around: Surroundings) -> Content:
    if focus.status is Status.SNOOZED and focus.snoozed_until:
        return Content.styled(f"sleeps until {clock(focus.snoozed_until, around)}", _FAINT)
    if focus.status in (Status.ANSWERED, Status.CLOSED):
        return Content.styled(focus.status.value, "$success" if focus.status is Status.ANSWERED else _FAINT)
    status = (f"{focus.status.value}", "bold $accent" if focus.status is Status.NEW else "")
    if focus.due_at is None:
        return Content.assemble(status)
    left = focus.due_at - around.now
    if left.total_seconds() < 0:
        return Content.assemble(status, (" · ", _FAINT), (f"{duration(-left)} overdue", "bold $error"))
    return Content.assemble(
        status, (" · ", _FAINT), (f"due in {duration(left)}", "$warning" if left.total_seconds() < 3600 else _FAINT)
    )


def _marks(stored: Stored) -> list[tuple[str, str]]:
    found = []
    if stored.gone_at:
        found.append((" gone from the platform", "$error"))
    if stored.mention.hidden:
        found.append((" hidden", "$warning"))
    if stored.mention.edited_at or stored.version > 1:
        found.append((" edited", "$warning"))
    if stored.liked:
        found.append((" ♥ liked by us", _FAINT))
    return found


def _details(mention: Mention) -> Iterator[Block]:
    facts = []
    if mention.recommends is not None:
        facts.append("recommends" if mention.recommends else "does not recommend")
    facts += [
        f"{cut(name.replace('_', ' '), 30)} {rating:g}★" for name, rating in list(mention.sub_ratings.items())[:8]
    ]
    facts += [
        f"{cut(name.replace('_', ' '), 30)}: {cut(value, 60)}" for name, value in list(mention.fields.items())[:8]
    ]
    if facts:
        yield Block(Content.styled(" · ".join(facts), _FAINT))
    if is_web_link(mention.url[:2_000]):
        yield Block(Content.styled(mention.url[:300], f"{_FAINT} underline"))


def _entry(stored: Stored, around: Surroundings, *, opens: int) -> Iterator[Block]:
    mention = stored.mention
    written = mention.created_at or stored.seen_at
    who, bar = _name(mention), "$foreground 40%"
    if mention.ours:
        who, bar = f"{who} · us" if mention.author and mention.author.name else "us", "$success 60%"
    yield _blank()
    yield Block(
        Content.assemble(*_rated(mention), (who, "$success" if mention.ours else _FAINT)),
        right=Content.styled(ago(written, around), _FAINT),
        mention=0 if mention.ours else opens,
    )
    text = "\n".join(filter(None, (mention.title[:300], mention.text)))
    head = shown(text, most=_POST_MOST if mention.ours and not mention.parent_id else OTHER_MOST)
    yield from _text(head, gutter=" │ ", gutter_style=bar, style=_FAINT, mention=0 if mention.ours else opens)


def _focus(conversation: Conversation, around: Surroundings) -> Iterator[Block]:
    focus = conversation.focus
    mention, assessment = focus.mention, focus.assessment
    reasons = assessment.reasons if assessment else ()
    alone = len(conversation.thread) <= 1
    yield Block(Content("")) if alone else _blank()
    if not alone:
        written = mention.created_at or focus.seen_at
        yield Block(
            Content.assemble((_name(mention), "bold $accent")),
            right=Content.styled(ago(written, around), _FAINT),
            focus=True,
        )
    strike = " strike" if focus.gone_at else ""
    if mention.title:
        title = shown(mention.title, _of(reasons, "title"), most=1_000)
        yield from _text(title, style=f"bold{strike}", gutter=_BAR, gutter_style=_BAR_STYLE)
    if mention.text:
        yield from _text(
            shown(mention.text, _of(reasons, "text")), style=strike.strip(), gutter=_BAR, gutter_style=_BAR_STYLE
        )
    for items, field, sign, style in (
        (mention.pros, "pros", "+ ", "$success"),
        (mention.cons, "cons", "− ", "$error"),
    ):
        for point in points(items[:50], _of(reasons, field), most=2_000):
            yield Block(Content.assemble((sign, f"bold {style}"), point), gutter=_BAR, gutter_style=_BAR_STYLE)
    if not (mention.title or mention.text or mention.pros or mention.cons):
        yield Block(
            Content.styled(_wordless(focus), _FAINT),
            gutter=_BAR,
            gutter_style=_BAR_STYLE,
        )
    for attachment in mention.attachments[:10]:
        words = " ".join(filter(None, (attachment.type, attachment.title or attachment.url)))
        yield Block(Content.styled(f"▣ {cut(words, 120)}", _FAINT), gutter=_BAR, gutter_style=_BAR_STYLE)
    if assessment:
        yield from _why(assessment)
    if focus.correction:
        yield Block(Content.styled(_corrected(focus.correction, around), "$accent"))


def _wordless(focus: Stored) -> str:
    if focus.erased_at:
        return "erased"
    return "no words, only the stars" if focus.mention.rating else "no words"


def _why(assessment: Assessment) -> Iterator[Block]:
    yield _blank()
    severity = assessment.severity
    verdict = (
        (f"{severity.value} complaint" if severity is not Severity.NONE else "complaint", "bold $error")
        if assessment.complaint
        else ("no complaint", "$success")
    )
    if assessment.compound is None:
        feeling = ("sentiment unknown", _FAINT)
    else:
        feeling = (
            f"{assessment.label.word} {_signed(assessment.compound)}",
            style_of(assessment.compound).split()[0] if assessment.label is not Label.NEUTRAL else "",
        )
    language = "other language" if assessment.language == "other" else language_name(cut(assessment.language, 12))
    about = ", ".join(topic.value for topic in assessment.topics)
    parts: list[tuple[str, str]] = [verdict, feeling, (language, ""), *([(about, "$secondary")] if about else [])]
    dot = Content.styled(" · ", _FAINT)
    yield Block(dot.join([Content.styled(text, style) for text, style in parts]))
    weighty = sorted(assessment.reasons, key=lambda reason: -abs(reason.share))
    for reason in weighty[:_REASONS_MOST]:
        notes = " · ".join(filter(None, (cut(reason.note, 60), reason.topic.value if reason.topic else "")))
        yield Block(
            Content.assemble(
                (f"{_signed(reason.share):>6} ", style_of(reason.share).split(" ")[0] or _FAINT),
                (cut(reason.evidence, 60), ""),
                (f"  {notes}" if notes else "", _FAINT),
            )
        )
    if len(weighty) > _REASONS_MOST:
        yield Block(Content.styled(f"and {len(weighty) - _REASONS_MOST} weaker reasons", _FAINT))


def _corrected(said: Correction, around: Surroundings) -> str:
    kind = "a complaint" if said.complaint else "no complaint"
    who = cut(around.people.get(said.agent, said.agent), 20)
    return f"{who} says {ago(said.at, around)}: {said.label.word}, {kind}"


def _reply(reply: Reply, around: Surroundings) -> Iterator[Block]:
    words, style = delivery(reply, around)
    private = "privately · " if reply.channel is Channel.PRIVATE else ""
    name = cut(around.people.get(reply.agent, reply.agent), 20)
    yield Block(
        Content.assemble((name, "bold"), (f" {private}", _FAINT), (words, style)),
        right=Content.styled(ago(reply.created_at, around), _FAINT),
    )
    gone = reply.state is DeliveryState.WITHDRAWN
    if reply.state is DeliveryState.HELD:
        for change in reply.changes:
            yield Block(difference.headline(change, around))
            for title, text, bar in difference.texts(change):
                yield Block(text, gutter=f" {title} │ " if title else " │ ", gutter_style=bar)
        ways = "{reply.confirm} decides: send it all the same, change it, or drop it."
        yield Block(Content.styled(around.keys.put_into(ways), "$accent"))
    yield from _text(
        shown(standing_text(reply), most=4_000),
        gutter=" │ ",
        gutter_style=style,
        style=f"{_FAINT} strike" if gone else "",
    )
    if reply.fault and reply.state is not DeliveryState.HELD:
        yield Block(Content.styled(f"✗ {cut(reply.fault, 600)}", "$error"))
        if reply.fault_hint:
            yield Block(Content.styled(f"  {cut(reply.fault_hint, 600)}", _FAINT))


def _version(version: Version, around: Surroundings) -> Iterator[Block]:
    yield Block(
        Content.styled("was", _FAINT),
        right=Content.styled(f"seen {ago(version.seen_at, around)} · {clock(version.seen_at, around)}", _FAINT),
    )
    rated = stars(version.rating) if version.rating is not None else ""
    parts = [rated, version.title, version.text[: OTHER_MOST * 4]]
    parts += [f"+ {point[:OTHER_MOST]}" for point in version.pros[:20]]
    parts += [f"− {point[:OTHER_MOST]}" for point in version.cons[:20]]
    yield from _text(
        shown("\n".join(filter(None, parts)), most=OTHER_MOST * 4), gutter=" ┆ ", gutter_style=_FAINT, style=_FAINT
    )


def _past(row: Row, around: Surroundings) -> Block:
    rated = [(f"{stars(row.rating)} ", "$error" if row.rating <= 2 else "$warning")] if row.rating is not None else []
    return Block(
        Content.assemble(
            *rated,
            (f"{source_label(row.source, row.connector, around)}  ", _FAINT),
            ("! " if row.complaint else "", "bold $error"),
            one_line(row.excerpt[:200]),
        ),
        right=Content.styled(f"{row.status.value} · {ago(row.created_at, around)}", _FAINT),
        mention=row.id,
    )


def _text(
    text: Shown, *, gutter: str = " ", gutter_style: str = "", style: str = "", mention: int = 0
) -> Iterator[Block]:
    content = text.content.stylize_before(style) if style else text.content
    yield Block(content, gutter=gutter, gutter_style=gutter_style, mention=mention)
    if text.left_out:
        more = Content.styled(f"… {text.left_out:,} more characters are not shown", f"italic {_FAINT}")
        yield Block(more, gutter=gutter, gutter_style=gutter_style, mention=mention)


def _title(title: str) -> Iterator[Block]:
    yield _blank()
    yield Block(Content.styled(title, f"bold {_FAINT}"))


def _blank() -> Block:
    return Block(Content(""))


def _of(reasons: Iterable[Reason], field: str) -> Sequence[Reason]:
    return [reason for reason in reasons if reason.field == field]


def _signed(number: float) -> str:
    return f"{number:+.2f}".replace("-", "−")

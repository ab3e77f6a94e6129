from __future__ import annotations

import re
import time
from datetime import timedelta
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from reviewdesk.model import Assessment, Author, DeliveryState, Reason, Severity, Status, Topic
from reviewdesk.text import safe
from reviewdesk.tui.conversation import ConversationPane
from reviewdesk.tui.document import document, heading
from reviewdesk.tui.marking import AGAINST, FOR, SHOWN_MOST, lines, points, shown
from tests.tui.conversations import (
    HOSTILE,
    NOW,
    Host,
    around,
    conversation,
    hours,
    mention,
    note,
    reply,
    row,
    stored,
    version,
    writer,
)

SIZES = [(80, 24), (200, 60)]
UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
words = st.text(st.characters(exclude_categories=()), max_size=200)
offsets = st.one_of(st.none(), st.integers(-50, 400))


def reason(start: int | None, end: int | None, share: float = -1.0, **fields: object) -> Reason:
    return Reason(**{"field": "text", "share": share, "evidence": "x", "start": start, "end": end, **fields})  # type: ignore[arg-type]


def assessment(*reasons: Reason, compound: float | None = -0.83) -> Assessment:
    return Assessment(
        language="cs",
        compound=compound,
        complaint=True,
        probability=0.9,
        severity=Severity.SERIOUS,
        topics=(Topic.RETURNS,),
        reasons=reasons,
    )


def page(of: object) -> str:
    blocks = [*heading(of, around()), *document(of, around())]  # type: ignore[arg-type]
    return "\n".join(
        f"{block.gutter}{line}{'  ' + block.right.plain if block.right else ''}"
        for block in blocks
        for line in block.content.plain.split("\n")
    )


# The marks


@given(text=words.map(safe), spans=st.lists(st.tuples(offsets, offsets), max_size=8))
def test_in_safe_text_the_marks_are_at_their_very_characters(
    text: str, spans: list[tuple[int | None, int | None]]
) -> None:
    content, left_out = shown(text, [reason(start, end) for start, end in spans])
    assert left_out == 0
    inside = [(max(0, start), min(end, len(text))) for start, end in spans if start is not None and end is not None]
    wanted = [text[start:end].replace("\t", " ") for start, end in inside if start < end]
    assert content.plain == text.replace("\t", " ")
    assert [content.plain[span.start : span.end] for span in content.spans] == wanted


@given(text=words, spans=st.lists(st.tuples(offsets, offsets), max_size=8), most=st.integers(0, 120))
def test_whatever_the_text_and_the_spans_nothing_breaks_and_nothing_unsafe_is_shown(
    text: str, spans: list[tuple[int | None, int | None]], most: int
) -> None:
    content, left_out = shown(text, [reason(start, end) for start, end in spans], most=most)
    assert left_out == max(0, len(text) - most)
    assert not UNSAFE.search(content.plain)
    assert all(0 <= span.start <= span.end <= len(content.plain) for span in content.spans)


@given(
    text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Mn", "Me"]), max_size=3_000),
    width=st.integers(2, 80),
)
def test_wrapping_in_steps_loses_no_word_and_fits(text: str, width: int) -> None:
    wrapped = list(lines(Content(text), width))
    assert "".join("".join(line.plain for line in wrapped).split()) == "".join(text.split())
    assert all(line.cell_length <= width for line in wrapped)


def test_marks_are_styled_by_what_they_speak_for() -> None:
    content = shown("bad but fast", [reason(0, 3), reason(8, 12, share=0.4), reason(4, 7, share=0.0)]).content
    assert [(content.plain[s.start : s.end], s.style) for s in content.spans] == [("bad", AGAINST), ("fast", FOR)]


def test_a_mark_keeps_its_word_where_making_safe_moves_characters() -> None:
    text = "a\r\nb" + "\u0300" * 9 + " broken"
    start = text.index("broken")
    content = shown(text, [reason(start, start + 6)]).content
    (span,) = content.spans
    assert content.plain[span.start : span.end] == "broken"


def test_words_in_pros_and_cons_are_marked_by_their_evidence() -> None:
    first, second = points(
        ("broken on arrival", "slow"), [reason(None, None, evidence="broken"), reason(None, None, evidence="slow")]
    )
    assert [first.plain[span.start : span.end] for span in first.spans] == ["broken"]
    assert not second.spans


async def test_the_marks_are_on_the_screen_at_the_right_cells() -> None:
    text = "Sušička přišla poškozená a nikdo neodpovídá."
    start = text.index("poškozená")
    judged = assessment(reason(start, start + len("poškozená"), evidence="poškozená"))
    pane = ConversationPane(around)
    app = Host(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.show(conversation(stored(mention(text=text), assessment=judged)))
        await pilot.pause()
        y = next(y for y, line in enumerate(app.screen_lines()) if "Sušička" in line)
        underlined = [segment.text for segment in pane.render_line(y) if segment.style and segment.style.underline]
        assert underlined == ["poškozená"]


# What the page says


def test_the_heading_says_who_where_when_and_what_is_due() -> None:
    focus = stored(
        mention(rating=1.5, order_id="A-1", product="Dryer", hidden=True),
        due_at=NOW - timedelta(minutes=35),
        assignee="eva",
        version=2,
        gone_at=NOW,
    )
    said = page(conversation(focus, tags=("vip",), writers=(writer("eva"), writer("jan", at_it=False), writer("petr"))))
    for part in (
        "★½☆☆☆ Jana",
        "3 h ago · today 11:40",
        "Heureka CZ review · order A-1 · Dryer",
        "35 min overdue",
        "@eva",
        "#vip",
        "Eva Malá is writing since 13:40",
        "jan has a draft, last changed 13:40",
        "hidden",
        "gone",
        "edited",
    ):
        assert part in said
    assert "petr is writing" not in said


def test_the_page_tells_everything_in_order() -> None:
    ours = stored(mention(id="p", text="Black Friday!", ours=True, author=Author(name="Shop")), id=1)
    other = stored(mention(id="o", text="Me too.", author=Author(name="Karel")), id=2)
    focus = stored(
        mention(
            title="Sad", text="It broke.", pros=("fast",), cons=("rude",), recommends=False, url="https://x.example/1"
        ),
        assessment=assessment(reason(0, 2, evidence="It"), reason(None, None, field="rating", evidence="2 of 5 stars")),
    )
    said = page(
        conversation(
            focus,
            thread=(ours, other, focus),
            replies=(reply(state=DeliveryState.REFUSED, fault="No.", fault_hint="Ask."),),
            notes=(note("Call her."),),
            versions=(version(text="It is fine."),),
            history=(row(),),
        )
    )
    order = [
        "does not recommend", "https://x.example/1", "Shop · us", "Black Friday!", "Karel", "Me too.", "Sad",
        "It broke.", "+ fast", "− rude", "serious complaint · negative −0.83 · Czech · returns", "2 of 5 stars",
        "Replies", "refused by the platform", "✗ No.", "Ask.", "Eva Malá", "Call her.", "was", "It is fine.",
        "The same customer", "All was well.",
    ]  # fmt: skip
    places = [said.find(part) for part in order]
    assert -1 not in places
    assert places == sorted(places)


def test_what_was_erased_is_told_as_such() -> None:
    assert "┃ erased" in page(conversation(stored(mention(text=""), erased_at=NOW)))


def test_a_sentiment_that_could_not_be_read_is_not_called_neutral() -> None:
    said = page(conversation(stored(assessment=assessment(compound=None))))
    assert "sentiment unknown" in said
    assert "neutral" not in said


def test_a_reply_that_came_back_from_the_platform_is_told_once() -> None:
    back = stored(mention(id="r1", text="We are sorry.", ours=True), id=4)
    focus = stored()
    told = conversation(focus, thread=(focus, back), replies=(reply(state=DeliveryState.VISIBLE, remote_id="r1"),))
    assert page(told).count("We are sorry.") == 1


@pytest.mark.parametrize("state", list(DeliveryState))
def test_every_delivery_state_has_words(state: DeliveryState) -> None:
    assert "petr" in page(conversation(replies=(reply(state=state),)))


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_words(status: Status) -> None:
    assert page(conversation(stored(status=status, snoozed_until=NOW + timedelta(days=1))))


# The pane


@pytest.mark.parametrize(("text", "size"), list(zip(HOSTILE, cycle(SIZES), strict=False)), ids=range(len(HOSTILE)))
async def test_hostile_text_in_every_field_is_shown_as_text(text: str, size: tuple[int, int]) -> None:
    short = text[:200_000]
    focus = stored(
        mention(
            text=text, title=short, author=Author(name=short), pros=(short,), cons=(short,), order_id=short,
            product=short, url=short, fields={short[:500]: short}, rating_raw=short, sub_ratings={short[:500]: 2.0},
        ),
        source=short[:100], connector=short[:100], assignee=short,
        assessment=assessment(
            reason(-5, 10**9, evidence=short, note=short), reason(3, 2), reason(None, 4), reason(10**9, 10**9 + 1)
        ),
    )  # fmt: skip
    whole = conversation(
        focus,
        thread=(stored(mention(id="o", text=text), id=2), focus),
        replies=(reply(text=short, fault=short, fault_hint=short, agent=short),),
        notes=(note(short),),
        versions=(version(text=short, title=short, pros=(short,)),),
        history=(row(excerpt=short[:400]),),
        tags=(short,),
        writers=(writer(short or "eva"), writer(short[:100] or "jan", at_it=False)),
    )
    pane = ConversationPane(around)
    app = Host(pane)
    async with app.run_test(size=size) as pilot:
        pane.show(whole)
        await pilot.pause()
        await pilot.press("end")
        await pilot.pause()
        assert app.is_running
        assert not UNSAFE.search(app.screen_text())
        assert not UNSAFE.search(pane.text.replace("\n", ""))
        if text.startswith("["):
            assert text in pane.text
        assert all("@click" not in (segment.style.meta if segment.style else {}) for segment in pane.render_line(5))


async def test_a_million_characters_are_cut_with_a_note_and_hold_nobody_up() -> None:
    pane = ConversationPane(around)
    app = Host(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        huge = conversation(stored(mention(text="slovo " * 170_000)))
        pane.show(conversation(stored(id=8)))
        await pilot.pause()
        spent = []
        for _ in range(5):
            start = time.process_time()
            pane.show(huge)
            spent.append(time.process_time() - start)
            pane.show(None)
        assert min(spent) < 0.012  # 5 ms on an idle machine
        pane.show(huge)
        await pilot.pause()
        await pilot.pause()
        assert f"{6 * 170_000 - SHOWN_MOST:,} more characters are not shown" in pane.text


async def test_the_mention_is_in_sight_below_a_long_thread_and_its_heading_stays() -> None:
    focus = stored(mention(text="Here I am."))
    thread = tuple(stored(mention(id=f"o{n}", text="Before. " * 60), id=100 + n) for n in range(60))
    pane = ConversationPane(around)
    app = Host(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.show(conversation(focus, thread=(*thread, focus)))
        for _ in range(20):
            await pilot.pause()
        assert "Here I am." in app.screen_text()
        assert "Jana" in app.screen_lines()[0]
        pane.move(-10_000)
        await pilot.pause()
        assert "Here I am." not in app.screen_text()
        assert "Jana" in app.screen_lines()[0]


async def test_a_refresh_of_the_same_mention_keeps_the_place_and_another_mention_begins_anew() -> None:
    long = stored(mention(text="\n".join(f"line {n}" for n in range(200))))
    pane = ConversationPane(around)
    app = Host(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.show(conversation(long))
        await pilot.pause()
        pane.move(pane.page_size)
        await pilot.pause()
        place = pane.scroll_offset.y
        assert place > 10
        pane.show(conversation(long, notes=(note("new"),)))
        await pilot.pause()
        assert pane.scroll_offset.y == place
        pane.show(conversation(stored(id=77)))
        await pilot.pause()
        assert pane.scroll_offset.y == 0
        assert "Nothing works." in app.screen_text()


async def test_another_mention_is_opened_by_a_click_and_nothing_by_one_on_the_text() -> None:
    pane = ConversationPane(around)
    app = Host(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.show(conversation(history=(row(id=42),)))
        await pilot.pause()
        rows = app.screen_lines()
        await pilot.click(pane, offset=(5, next(y for y, line in enumerate(rows) if "Nothing works" in line)))
        assert not app.of(ConversationPane.Opened)
        await pilot.click(pane, offset=(5, next(y for y, line in enumerate(rows) if "All was well" in line)))
        await pilot.pause()
        assert [message.id for message in app.of(ConversationPane.Opened)] == [42]


async def test_nothing_chosen_is_told_and_every_size_is_survived() -> None:
    pane = ConversationPane(around)
    app = Host(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.show(None)
        await pilot.pause()
        assert "Nothing is chosen." in app.screen_text()
        pane.show(conversation(history=(row(created_at=hours(2)),)))
        for size in ((200, 60), (20, 4), (3, 2), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert await app.shows("Nothing works.")

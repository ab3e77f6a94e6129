from __future__ import annotations

from typing import Any

import pytest
from textual.containers import Vertical
from textual.events import Paste
from textual.widgets import Input, OptionList, Static

from reviewdesk.commands import COMMANDS, Context
from reviewdesk.model import Channel, LengthUnit, Level, Purpose, Template, Topic
from reviewdesk.replies.checks import Problem
from reviewdesk.replies.templates import bundled, suggest
from reviewdesk.tui.composer import Composer, ReplyText
from reviewdesk.tui.conversation import ConversationPane
from reviewdesk.tui.picker import TemplatePicker, found
from tests.tui.conversations import HOSTILE, Host, around, conversation, mention, stored

SIZES = [(80, 24), (200, 60)]
VALUES = {
    "greeting": "Dobrý den,",
    "author": "Jana",
    "shop": "Shop",
    "signature": "Petr",
    "contact": "info@shop.example",
}


def template(name: str, body: str, title: str = "", language: str = "cs", **fields: Any) -> Template:
    return Template(name=name, language=language, purpose=Purpose.THANK, title=title or name, body=body, **fields)


HOLEY = template("holey", "Dobrý den,\n\nobjednávka {{ order_id }} a {{ product }}.", "S dírou")
PLAIN = template("plain", "{{ greeting }} děkujeme.", "Poděkování")


def opened(composer: Composer, id: int = 3, **options: Any) -> None:
    values: dict[str, Any] = {
        "draft": "",
        "limit": 100,
        "unit": LengthUnit.CHARACTERS,
        "mode": "api",
        "templates": (HOLEY, PLAIN),
        "values": VALUES,
    }
    composer.open(conversation(stored(id=id)), **values | options)


def host() -> tuple[Host, Composer]:
    composer = Composer(around, shop="Shop Demo")
    return Host(Vertical(ConversationPane(around), composer)), composer


def said(composer: Composer, part: str) -> str:
    return str(composer.query_one(f"#{part}", Static).content)


async def test_the_composers_keys_are_those_of_the_registry() -> None:
    ids = {binding.id for binding in Composer.BINDINGS if hasattr(binding, "id")}
    assert ids == {each.id for each in COMMANDS if each.contexts == (Context.COMPOSER,)}


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_typed_is_told_once_typing_pauses_and_at_the_latest_when_closed(size: tuple[int, int]) -> None:
    app, composer = host()
    async with app.run_test(size=size) as pilot:
        opened(composer)
        await pilot.pause()
        await pilot.press(*"abc")
        assert not app.of(Composer.Changed)
        await pilot.pause(0.4)
        assert [message.text for message in app.of(Composer.Changed)] == ["abc"]
        await pilot.press("d", "escape")
        await pilot.pause()
        assert [message.text for message in app.of(Composer.Changed)] == ["abc", "abcd"]
        assert app.of(Composer.Closed)
        assert not composer.display


async def test_a_half_written_draft_outlives_a_refresh_a_resize_and_another_opening() -> None:
    app, composer = host()
    async with app.run_test(size=(80, 24)) as pilot:
        opened(composer, draft="begun ")
        await pilot.pause()
        await pilot.press(*"here")
        opened(composer, draft="begun ")
        app.query_one(ConversationPane).show(conversation(tags=("new",)))
        await pilot.resize_terminal(200, 60)
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert composer.text == "begun here"
        await pilot.press("!")
        assert composer.text == "begun here!"


async def test_opening_on_another_mention_tells_the_first_ones_text_first() -> None:
    app, composer = host()
    async with app.run_test(size=(80, 24)) as pilot:
        opened(composer, id=3)
        await pilot.pause()
        await pilot.press(*"one")
        opened(composer, id=4, draft="two")
        await pilot.pause()
        assert [(message.mention_id, message.text) for message in app.of(Composer.Changed)] == [(3, "one")]
        assert (composer.mention_id, composer.text) == (4, "two")


async def test_a_blur_tells_what_was_written() -> None:
    app, composer = host()
    async with app.run_test(size=(80, 24)) as pilot:
        opened(composer)
        await pilot.pause()
        await pilot.press(*"xy")
        app.query_one(ConversationPane).focus()
        await pilot.pause()
        assert [message.text for message in app.of(Composer.Changed)] == ["xy"]


async def test_undo_works_in_the_text_also_after_a_template() -> None:
    app, composer = host()
    async with app.run_test(size=(80, 24)) as pilot:
        opened(composer, templates=(PLAIN,), draft=" ")
        await pilot.pause()
        await pilot.press("ctrl+t")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert composer.text == "Dobrý den, děkujeme."
        await pilot.press("ctrl+z")
        assert composer.text == " "


@pytest.mark.parametrize(
    ("unit", "count"), [(LengthUnit.CHARACTERS, "3"), (LengthUnit.UTF16, "4"), (LengthUnit.BYTES, "7")]
)
async def test_the_count_is_the_platforms(unit: LengthUnit, count: str) -> None:
    app, composer = host()
    async with app.run_test(size=(80, 24)) as pilot:
        opened(composer, unit=unit, draft="ač")
        await pilot.pause()
        await app.query_one(ReplyText)._on_paste(Paste("😀"))
        await pilot.pause()
        assert said(composer, "count").startswith(f"{count}/100")


async def test_near_and_over_the_limit_it_shows_and_over_it_nothing_goes_out() -> None:
    app, composer = host()
    async with app.run_test(size=(80, 24)) as pilot:
        opened(composer, limit=10, draft="x" * 9)
        await pilot.pause()
        assert "$warning" in composer.query_one("#count", Static).content.markup  # type: ignore[union-attr]
        await pilot.press("x", "x", "ctrl+s")
        await pilot.pause()
        assert said(composer, "count") == "1 over · 11/10"
        assert "too long" in said(composer, "problems")
        assert not app.of(Composer.Sent)
        await pilot.press("backspace", "ctrl+s")
        await pilot.pause()
        assert [message.text for message in app.of(Composer.Sent)] == ["x" * 10]


async def test_a_warning_is_waved_through_by_sending_the_same_text_again_and_only_that() -> None:
    app, composer = host()
    async with app.run_test(size=(80, 24)) as pilot:
        opened(composer, draft="Hello")
        await pilot.pause()
        await pilot.press("ctrl+s")
        warning = Problem(level=Level.WARNING, sentence="A telephone [/number] would be public.")
        composer.refuse([warning])
        await pilot.pause()
        assert "[/number]" in said(composer, "problems")
        assert "despite" in said(composer, "problems")
        await pilot.press("ctrl+s")
        await pilot.pause()
        await pilot.press("!", "ctrl+s")
        await pilot.pause()
        composer.refuse([Problem(level=Level.FAULT, sentence="The mention is gone.")])
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert [message.despite_warnings for message in app.of(Composer.Sent)] == [False, True, False, False]


async def test_after_sending_a_close_tells_nothing_anew() -> None:
    app, composer = host()
    async with app.run_test(size=(80, 24)) as pilot:
        opened(composer)
        await pilot.pause()
        await pilot.press("o", "k", "ctrl+s")
        await pilot.pause()
        told = len(app.of(Composer.Changed))
        composer.close()
        await pilot.pause(0.4)
        assert len(app.of(Composer.Changed)) == told == 1
        names = [
            type(message).__name__ for message in app.heard if isinstance(message, (Composer.Changed, Composer.Sent))
        ]
        assert names == ["Changed", "Sent"]


async def test_the_channel_switches_only_where_the_source_can() -> None:
    app, composer = host()
    async with app.run_test(size=(80, 24)) as pilot:
        opened(composer, draft="x")
        await pilot.pause()
        await pilot.press("ctrl+r")
        assert composer.channel is Channel.PUBLIC
        assert "privately" in said(composer, "problems")
        assert "Send again" not in said(composer, "problems")
        opened(composer, id=5, draft="x", private=True)
        await pilot.press("ctrl+r", "ctrl+s")
        await pilot.pause()
        assert "PRIVATE" in said(composer, "mode")
        assert [message.channel for message in app.of(Composer.Sent)] == [Channel.PRIVATE]


async def test_the_line_of_the_mode_tells_where_the_reply_goes() -> None:
    app, composer = host()
    async with app.run_test(size=(200, 60)) as pilot:
        opened(composer)
        await pilot.pause()
        assert said(composer, "mode") == "Public on Heureka CZ as Shop Demo, to Jana; 10 s to undo"
        opened(composer, mode="hand_off")
        assert "By hand on Heureka CZ, to" in said(composer, "mode")


async def test_a_template_puts_the_cursor_on_its_first_hole_and_holes_keep_it_back() -> None:
    app, composer = host()
    async with app.run_test(size=(80, 24)) as pilot:
        opened(composer)
        await pilot.pause()
        composer.pick_template()
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        area = app.query_one(ReplyText)
        assert area.selected_text == "[…order_id…]"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "Fill in what is missing" in said(composer, "problems")
        assert not app.of(Composer.Sent)
        await pilot.press(*"42", "tab")
        assert area.selected_text == "[…product…]"
        await pilot.press(*"tea", "ctrl+s")
        await pilot.pause()
        (sent,) = app.of(Composer.Sent)
        assert sent.text == "Dobrý den,\n\nobjednávka 42 a tea."
        assert sent.language == "cs"


async def test_a_template_goes_in_at_the_cursor_where_something_is_written() -> None:
    app, composer = host()
    async with app.run_test(size=(80, 24)) as pilot:
        opened(composer, templates=(PLAIN,), draft="Mine: ")
        await pilot.pause()
        await pilot.press("ctrl+t")
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert composer.text == "Mine: "
        await pilot.press("ctrl+t")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert composer.text == "Mine: Dobrý den, děkujeme."


@pytest.mark.parametrize("text", [each[:5_000] for each in HOSTILE], ids=range(len(HOSTILE)))
async def test_hostile_drafts_names_and_pastes_are_text(text: str) -> None:
    app, composer = host()
    async with app.run_test(size=(80, 24)) as pilot:
        focus = stored(mention(author=None), connector=text or "x")
        composer.open(
            conversation(focus), draft=text, limit=None, unit=LengthUnit.BYTES, mode="api", templates=(), values={}
        )
        await app.query_one(ReplyText)._on_paste(Paste(text))
        composer.refuse([Problem(level=Level.WARNING, sentence=text)])
        await pilot.pause()
        assert app.is_running
        assert not any(char in app.screen_text() for char in "\x1b\x9b\x00\x07\u202e\u2066")


# The picker


def test_what_is_typed_finds_by_title_purpose_topic_and_words_without_diacritics() -> None:
    delivery = template("late", "Balík je na cestě.", "Zpožděná zásilka", topics=(Topic.DELIVERY,))
    thanks = template("thanks", "Vážíme si toho.", "Poděkování", topics=(Topic.PRODUCT,))
    english = template("thanks", "Thank you, dear customer.", "Thanks", language="en")
    all_of_them = (delivery, thanks, english)
    assert found("", all_of_them) == list(all_of_them)
    assert found("zpozd", all_of_them) == [delivery]
    assert found("PODEK", all_of_them)[0] is thanks
    assert found("delivery", all_of_them)[0] is delivery
    assert found("balik", all_of_them) == [delivery]
    assert found("thank", all_of_them, "en")[0] is english
    assert found("zasilka qqq", all_of_them) == []
    assert found("[/", all_of_them) == []


@pytest.mark.parametrize("size", SIZES)
async def test_the_picker_offers_the_best_first_and_shows_it_filled_in(size: tuple[int, int]) -> None:
    best = suggest(bundled(), language="cs", topics=(Topic.RETURNS,), complaint=True, rating=1.0)
    app = Host()
    async with app.run_test(size=size) as pilot:
        answers: list[Any] = []
        app.push_screen(TemplatePicker(best, VALUES, limit=20, language="cs"), answers.append)
        await pilot.pause()
        preview = str(app.screen.query_one("#preview Static", Static).content)
        assert "Dobrý den," in preview
        assert "Too long here" in preview
        await pilot.press(*"reklam")
        await pilot.pause()
        assert app.screen.query_one(OptionList).option_count
        await pilot.press("down", "up", "enter")
        await pilot.pause()
        (picked,) = answers
        assert "reklam" in picked.template.title.casefold()
        assert picked.rendered.text.startswith("Dobrý den,")


async def test_a_template_in_another_language_greets_in_its_own() -> None:
    app = Host()
    async with app.run_test() as pilot:
        answers: list[Any] = []
        english = template("hello", "{{ greeting }} thanks.", language="en")
        app.push_screen(TemplatePicker((english,), VALUES, language="cs"), answers.append)
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "Dobrý" not in answers[0].rendered.text


async def test_a_broken_template_says_so_and_nothing_found_is_told() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(TemplatePicker((template("bad", "{{ nonsense }} [/x]", "[@click=app.quit]"),), VALUES))
        await pilot.pause()
        assert "[@click=app.quit]" in app.screen_text()
        assert "no variable" in app.screen_text()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, TemplatePicker)
        app.screen.query_one(Input).value = "qqqq"
        await pilot.pause()
        assert "No template fits." in app.screen_text()
        await pilot.press("enter")
        assert isinstance(app.screen, TemplatePicker)

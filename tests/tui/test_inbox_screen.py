from __future__ import annotations

from datetime import timedelta

import pytest
from textual import events

from reviewdesk.commands import key_name
from reviewdesk.desk.respond import Respond
from reviewdesk.errors import AuthFailed, StoreError
from reviewdesk.model import DeliveryState, Label, Status
from reviewdesk.store.db import Store
from reviewdesk.store.records import View
from tests.tui.desks import CONFIG, HUGE, LARGE, SMALL, Desk, Fixture, desk, mention

both_sizes = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x40"])


def cursor_line(running: Desk) -> int:
    """On which line of the screen the cursor's mention begins."""
    shown = running.list
    return shown._at * shown.row_height - shown.scroll_offset.y


@pytest.mark.parametrize("size", [SMALL, LARGE, HUGE])
async def test_the_list_shows_who_wrote_what_and_by_when_to_answer(filled: Fixture, size: tuple[int, int]) -> None:
    filled.add([mention(1, "Zboží nedorazilo", author=None), mention(2, "Hrůza, nikdy více")])
    async with desk(filled.path, size) as running:
        text = "\n".join(running.lines())
        assert "Zboží nedorazilo" in text
        assert "Customer 2" in text
        assert "★" in text
        assert "due 2h" in text
        assert "Květiny Praha" in running.text()
        assert "Complaints" in running.text()


@both_sizes
async def test_the_cursor_moves_as_in_a_mail_program(filled: Fixture, size: tuple[int, int]) -> None:
    ids = filled.add_many(100)
    async with desk(filled.path, size) as running:
        await running.press("j", "j", "down", "k")
        assert running.list.cursor == ids[2]
        await running.press("G")
        assert running.list.cursor == ids[-1]
        await running.press("up", "g")
        assert running.list.cursor == ids[0]
        await running.press("pagedown")
        assert running.list._at == running.list.page_size
        await running.press("pageup", "pageup")
        assert running.list._at == 0
        await running.press("n", "n", "p")
        assert running.list._at == 1


def key_line(running: Desk) -> str:
    return str(running.inbox.query_one("KeyLine").render())


@both_sizes
async def test_every_view_is_a_key_and_an_empty_one_says_something_kind(filled: Fixture, size: tuple[int, int]) -> None:
    filled.add_many(2, complaint=False)
    async with desk(filled.path, size) as running:
        for key, view in zip("1234567", View, strict=True):
            await running.press(key)
            await running.until(lambda view=view: running.inbox.view is view and running.list._known)
            shown = "\n".join(running.lines())
            assert ("Mention number" in shown) == (view in (View.NEEDS_REPLY, View.ALL)), view
            if view not in (View.NEEDS_REPLY, View.ALL):
                assert running.list.empty_text.split("\n")[0] in shown


async def test_closing_goes_on_with_the_next_and_undo_brings_it_back(filled: Fixture) -> None:
    ids = filled.add_many(5)
    async with desk(filled.path) as running:
        await running.press("j", "e")
        await running.until(lambda: len(running.list.ids) == 4)
        assert running.list.cursor == ids[2]
        assert filled.store.mentions.get(ids[1]).status is Status.CLOSED
        await running.press("u")
        await running.until(lambda: len(running.list.ids) == 5)
        assert filled.store.mentions.get(ids[1]).status is Status.NEW
        assert running.list.cursor == ids[2]
        assert not running.inbox.can_undo


async def test_selected_mentions_are_closed_together_and_come_back_together(filled: Fixture) -> None:
    ids = filled.add_many(6)
    async with desk(filled.path) as running:
        await running.press("x", "j", "x", "J")
        assert running.list.selected == {ids[0], ids[2], ids[3], ids[4]}
        assert "4 selected" in running.text()
        await running.press("e")
        await running.until(lambda: list(running.list.ids) == [ids[1], ids[5]])
        assert not running.list.selected
        await running.press("u")
        await running.until(lambda: len(running.list.ids) == 6)
        await running.press("asterisk", "escape")
        assert not running.list.selected


async def test_assigning_tagging_noting_and_snoozing(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    async with desk(filled.path) as running:
        await running.press("A")
        await running.until(lambda: "@jana" in "".join(running.lines()))
        await running.press("3")
        await running.until(lambda: list(running.list.ids) == [id])
        await running.press("u")
        await running.until(lambda: not running.list.ids)
        assert filled.store.mentions.get(id).assignee == ""
        await running.press("1")
        await running.until(lambda: running.list.ids)
        await running.press("s")
        await running.until(lambda: running.app.screen is not running.inbox)
        await running.press("enter")
        await running.until(lambda: not running.list.ids)
        assert filled.store.mentions.get(id).status is Status.SNOOZED
        await running.press("5")
        await running.until(lambda: list(running.list.ids) == [id])
        await running.press("E")
        await running.until(lambda: not running.list.ids)
        assert filled.store.mentions.get(id).status is Status.OPEN


@both_sizes
async def test_what_cron_brings_never_moves_the_row_under_the_cursor(filled: Fixture, size: tuple[int, int]) -> None:
    filled.add_many(200)
    async with desk(filled.path, size) as running:
        await running.press("G", "g", *["pagedown"] * 3)
        held, line, place = running.list.cursor, cursor_line(running), running.list._at
        other = Store(filled.path)
        try:
            for batch in range(3):
                other.mentions.ingest("byhand", [mention(batch * 10 + number) for number in range(7)])
                filled.assess(True, due=timedelta(minutes=5))  # more urgent: they stand before the others
                await running.until(lambda batch=batch: len(running.list.ids) == 200 + 7 * (batch + 1))
                assert (running.list.cursor, cursor_line(running)) == (held, line)
        finally:
            other.close()
        await running.until(lambda: "↑ 21 new above (g)" in running.text())
        assert running.list._at == place + 21
        while place > 20:  # the first of the new ones comes into sight
            await running.press("pageup")
            place = running.list.scroll_offset.y // running.list.row_height
        await running.until(lambda: f"↑ {place} new above" in running.text() or not place)
        await running.press("g")
        await running.until(lambda: "new above" not in running.text())
        await running.press("7")
        await running.until(lambda: len(running.list.ids) == 221)
        assert "new above" not in running.text()


async def test_where_all_fits_what_is_new_is_seen_at_once_and_the_cursor_keeps_its_mention(filled: Fixture) -> None:
    ids = filled.add_many(3)
    async with desk(filled.path) as running:
        await running.press("j")
        filled.store.mentions.ingest("byhand", [mention(9, "Just now")])
        filled.assess(True, due=timedelta(minutes=5))
        await running.until(lambda: "Just now" in running.lines()[1])
        assert running.list.cursor == ids[1]
        assert "new above" not in running.text()


async def test_rows_that_others_change_are_painted_anew_within_a_second(filled: Fixture) -> None:
    ids = filled.add_many(30)
    async with desk(filled.path) as running:
        filled.store.mentions.change([ids[1]], {"assignee": "petr"}, agent="petr", what="assigned")
        await running.until(lambda: "@petr" in "".join(running.lines()), seconds=2)


async def test_when_a_colleague_takes_the_mention_away_the_cursor_goes_to_the_next(filled: Fixture) -> None:
    ids = filled.add_many(10)
    async with desk(filled.path) as running:
        await running.press("j", "j", "j")
        filled.store.mentions.change(ids[2:5], {"status": "closed"}, agent="petr", what="closed")
        await running.until(lambda: len(running.list.ids) == 7)
        assert running.list.cursor == ids[5]


@both_sizes
async def test_searching_and_the_way_back(filled: Fixture, size: tuple[int, int]) -> None:
    filled.add([mention(1, "Příliš žluťoučký kůň"), mention(2, "něco jiného"), mention(3, "Zlutoucky kolibrik")])
    filled.add([mention(4, "Žluťoučká, děkuji")], complaint=False)
    async with desk(filled.path, size) as running:
        await running.press("slash", *"zluto")
        await running.until(lambda: len(running.list.ids) == 3)  # praise among them, whatever the view
        await running.press("enter", "j")
        assert running.inbox.context == "list"
        await running.press("slash", "x", "y")
        await running.until(lambda: running.list._known and not running.list.ids)
        assert "Nothing found" in "".join(running.lines())
        await running.press("escape")
        await running.until(lambda: len(running.list.ids) == 3)
        assert running.inbox.search == ""


async def test_a_query_language_is_not_what_one_types(filled: Fixture) -> None:
    filled.add_many(2)
    async with desk(filled.path) as running:
        await running.press("slash", "quotation_mark", *"a*(", "minus", *"NEAR", "enter")
        await running.until(lambda: running.inbox.search and running.list._known)
        assert not [toast for toast in running.toasts() if "database" in toast]


async def test_small_windows_go_into_the_conversation_and_back(filled: Fixture) -> None:
    ids = filled.add([mention(1, "Long story short"), mention(2, "Another")])
    async with desk(filled.path, SMALL) as running:
        await running.press("enter")
        await running.until(lambda: running.inbox.shown and running.inbox.shown.focus.id == ids[0])
        assert running.inbox.context == "conversation"
        assert not running.list.region
        await running.press("n")
        await running.until(lambda: running.inbox.shown.focus.id == ids[1])
        await running.press("e")
        await running.until(lambda: running.inbox.shown.focus.id == ids[0])
        await running.press("escape")
        assert running.inbox.context == "list"
        assert running.list.has_focus


async def test_large_windows_show_the_conversation_beside_the_list(filled: Fixture) -> None:
    ids = filled.add([mention(1, "Long story short"), mention(2, "Another")])
    async with desk(filled.path, LARGE) as running:
        await running.until(lambda: running.inbox.shown and running.inbox.shown.focus.id == ids[0])
        await running.press("j")
        await running.until(lambda: running.inbox.shown.focus.id == ids[1])
        assert running.list.region
        assert running.inbox.pane.region
        await running.press("tab")
        assert running.inbox.context == "conversation"
        await running.press("shift+tab")
        assert running.inbox.context == "list"


@both_sizes
async def test_a_reply_is_written_sent_and_taken_back(filled: Fixture, size: tuple[int, int]) -> None:
    (id,) = filled.add_many(1)
    async with desk(filled.path, size) as running:
        await running.press("r")
        await running.until(lambda: running.inbox.context == "composer")
        await running.press(*"Sorry")
        await running.until(lambda: filled.store.outbox.drafts(id))
        assert filled.store.outbox.drafts(id)[0].text.endswith("Sorry")
        await running.press("ctrl+s")
        await running.until(lambda: filled.store.outbox.replies_to(id))
        (reply,) = filled.store.outbox.replies_to(id)
        assert reply.state is DeliveryState.QUEUED
        assert reply.text.endswith("Sorry")
        await running.until(lambda: "u takes it back" in running.text())
        assert not filled.store.outbox.drafts(id)
        await running.press("u")
        await running.until(lambda: running.inbox.context == "composer")
        assert filled.store.outbox.replies_to(id)[0].state is DeliveryState.WITHDRAWN
        assert filled.store.outbox.drafts(id)[0].text == reply.text
        assert "u takes it back" not in running.text()


async def test_a_half_written_draft_outlives_the_desk_and_is_not_touched_by_a_poll(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    async with desk(filled.path, LARGE) as running:
        await running.press("r")
        await running.until(lambda: running.inbox.context == "composer")
        await running.press(*"half")
        filled.add_many(20, "byhand")
        await running.until(lambda: len(running.list.ids) == 21)
        await running.press(*"way")
        assert running.inbox.context == "composer"
    assert filled.store.outbox.drafts(id)[0].text.endswith("halfway")
    async with desk(filled.path, LARGE) as running:
        assert "✎" in "".join(running.lines())


async def test_a_draft_that_could_not_be_written_is_there_again_and_written_at_the_end(
    filled: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (id,) = filled.add_many(1)

    def full(*_: object) -> None:
        raise StoreError("The disk is full.")

    async with desk(filled.path, LARGE) as running:
        await running.press("r")
        await running.until(lambda: running.inbox.context == "composer")
        with monkeypatch.context() as patch:
            patch.setattr(Respond, "save_draft", full)
            await running.press(*"lost?", "escape")
            await running.until(lambda: any("full" in toast for toast in running.toasts()))
        await running.until(lambda: running.inbox.context != "composer")
        await running.press("r")
        await running.until(lambda: running.inbox.context == "composer")
        assert running.inbox.composer.text == "lost?"
        await running.until(lambda: [each.text for each in filled.store.outbox.drafts(id)] == ["lost?"])
        with monkeypatch.context() as patch:
            patch.setattr(Respond, "save_draft", full)
            await running.press("!", "escape")
            await running.until(lambda: len(running.toasts()) > 1)
    assert filled.store.outbox.drafts(id)[0].text == "lost?!"


async def test_a_faulty_reply_is_kept_and_says_why(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    filled.store.outbox.save_draft(id, "jana", "x" * 600)
    async with desk(filled.path, LARGE) as running:
        await running.press("r")
        await running.until(lambda: running.inbox.context == "composer")
        await running.press("ctrl+s")
        await running.until(lambda: "too long" in running.text())
        assert not filled.store.outbox.replies_to(id)
        assert running.inbox.context == "composer"


async def test_where_a_person_posts_the_text_is_copied_and_one_key_confirms(filled: Fixture) -> None:
    (id,) = filled.add_many(1, "byhand")
    filled.store.outbox.save_draft(id, "jana", "We are sorry, the parcel is on its way.")
    async with desk(filled.path, LARGE) as running:
        await running.press("r")
        await running.until(lambda: running.inbox.context == "composer")
        await running.press("ctrl+s")
        await running.until(lambda: any("press y" in toast for toast in running.toasts()))
        assert filled.store.outbox.replies_to(id)[0].state is DeliveryState.HANDED_OFF
        assert running.app.clipboard == "We are sorry, the parcel is on its way."
        await running.press("y")
        await running.until(lambda: filled.store.outbox.replies_to(id)[0].state is DeliveryState.POSTED)
        assert filled.store.mentions.get(id).status is Status.ANSWERED
        await running.press("u")
        await running.until(lambda: "It is not there" in running.text())
        await running.press("enter")
        await running.until(lambda: running.inbox.composer.text == "We are sorry, the parcel is on its way.")
        assert filled.store.mentions.get(id).status is Status.OPEN


async def test_a_source_without_replies_says_so(filled: Fixture) -> None:
    filled.add_many(1, "deaf")
    async with desk(filled.path) as running:
        await running.press("r")
        await running.until(lambda: any("takes no replies" in toast for toast in running.toasts()))
        await running.press("L")
        await running.until(lambda: any("no way to like" in toast for toast in running.toasts()))


async def test_liking_hiding_polling_and_sending_run_in_other_processes(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    async with desk(filled.path) as running:
        await running.press("D")
        await running.until(lambda: "Nothing in the outbox is due." in running.toasts())
        filled.store.outbox.put(id, "Due", agent="jana", send_after=filled.store.clock())
        await running.press("L", "P", "D")
        wanted = {("like", str(id)), ("poll", "--json", "--now"), ("send", "--json")}
        await running.until(lambda: wanted <= set(running.started))  # type: ignore[attr-defined]


async def test_a_failing_source_is_a_badge_with_a_sentence(filled: Fixture) -> None:
    filled.store.sources.take("shop", "me", seconds=60)
    soon = filled.store.clock() + timedelta(minutes=5)
    error = AuthFailed("The token of [red]Shop[/red] has expired\x1b[31m.", hint="Renew it.")
    filled.store.sources.fail_poll("shop", "me", None, error, next_at=soon, parked=True)
    async with desk(filled.path, LARGE) as running:
        await running.until(lambda: "has expired" in running.text())
        assert "[red]" in running.text()
        assert "waits for you" in running.text()


async def test_a_scorer_that_fails_is_told_on_the_top_line(filled: Fixture) -> None:
    sentence = "shout: The scorer failed: [red]boom[/red]\x1b[31m"
    filled.store.coverage.tell("shop", "scorer:shout:answers", sentence)
    async with desk(filled.path, LARGE) as running:
        await running.until(lambda: "shout: The scorer failed: [red]boom" in running.text())
        filled.store.coverage.forget("shop", "scorer")
        await running.until(lambda: "scorer failed" not in running.text())


@both_sizes
async def test_a_window_that_is_too_small_says_so_and_lives(filled: Fixture, size: tuple[int, int]) -> None:
    filled.add_many(3)
    async with desk(filled.path, size) as running:
        await running.pilot.resize_terminal(20, 5)
        await running.until(lambda: "too small" in " ".join(running.text().split()))
        await running.press("j", "e", "question_mark", "escape")
        await running.pilot.resize_terminal(*size)
        await running.until(lambda: "Customer" in running.text())
        await running.press("j")
        assert len(running.list.ids) == 3  # nothing was closed unseen


@both_sizes
async def test_whoever_writes_goes_on_writing_after_the_window_was_too_small(
    filled: Fixture, size: tuple[int, int]
) -> None:
    filled.add_many(3)
    async with desk(filled.path, size) as running:
        await running.press("r")
        await running.until(lambda: running.inbox.context == "composer")
        await running.press(*"ab")
        for small in ((20, 5), (20, 40), (100, 5)):
            await running.pilot.resize_terminal(*small)
            await running.until(lambda: "too small" in " ".join(running.text().split()))
            await running.press("e")
            await running.pilot.resize_terminal(*size)
            await running.until(lambda: running.inbox.context == "composer")
            await running.press("c")
        assert running.inbox.composer.text == "abccc"
        assert len(running.list.ids) == 3


async def test_the_desk_survives_every_size(filled: Fixture) -> None:
    filled.add_many(50)
    async with desk(filled.path) as running:
        for width, height in [
            (1, 1),
            (39, 24),
            (40, 8),
            (99, 30),
            (100, 30),
            (149, 9),
            (150, 40),
            (300, 100),
            (80, 24),
        ]:
            await running.pilot.resize_terminal(width, height)
            await running.press("j")
        assert running.list._at >= 5


async def test_a_click_chooses_and_a_second_opens(filled: Fixture) -> None:
    ids = filled.add_many(10)
    async with desk(filled.path) as running:
        await running.pilot.click("MentionList", offset=(10, 5))
        assert running.list.cursor == ids[2]
        await running.pilot.click("MentionList", offset=(10, 5), times=2)
        await running.until(lambda: running.inbox.context == "conversation")


async def test_views_can_be_clicked(filled: Fixture) -> None:
    filled.add_many(1)
    async with desk(filled.path, SMALL) as running:
        await running.pilot.click("Views", offset=(57, 0))
        await running.until(lambda: running.inbox.view in (View.ALL, View.OUTBOX))
    async with desk(filled.path, LARGE) as running:
        await running.pilot.click("Views", offset=(5, 4))
        await running.until(lambda: running.inbox.view is View.OVERDUE)


async def test_quitting_asks_nothing(filled: Fixture) -> None:
    async with desk(filled.path) as running:
        await running.press("q")
        assert running.app.return_value == 0


async def test_the_theme_can_be_changed_and_everything_is_painted_in_it(filled: Fixture) -> None:
    filled.add_many(3)
    async with desk(filled.path, LARGE) as running:
        before = running.list.render_line(4)
        for theme in ("reviewdesk-light", "textual-ansi", "ansi-dark", "gruvbox"):
            if theme in running.app.available_themes:
                running.app.theme = theme
                await running.pilot.pause()
                assert running.list.render_line(4).text == before.text
                assert running.list.render_line(4) != before


async def test_a_theme_that_is_chosen_says_how_to_keep_it_and_one_that_is_not_there_is_told(filled: Fixture) -> None:
    async with desk(filled.path, config=CONFIG.replace("[desk]", '[desk]\ntheme = "nonsense"')) as running:
        assert [each.message for each in running.app._notifications] == [
            'There is no theme "nonsense"; T shows which there are.'
        ]
        await running.press("T", *"nord", "enter")
        await running.until(lambda: any('write theme = "nord" under [desk]' in toast for toast in running.toasts()))
        assert running.app.theme == "nord"


async def test_the_help_opens_and_closes(filled: Fixture) -> None:
    async with desk(filled.path) as running:
        assert "? Help" in key_line(running)
        await running.press("question_mark")
        await running.until(lambda: "A mention" in running.text())
        assert "↓ more · esc closes" in running.text()
        await running.until(lambda: not key_line(running).strip())
        await running.press("escape")
        assert running.app.screen is running.inbox
        await running.until(lambda: "? Help" in key_line(running))


async def test_what_was_snoozed_says_until_when(filled: Fixture) -> None:
    filled.add_many(1)
    async with desk(filled.path) as running:
        await running.press("s", *"24.12.2099", "enter")
        await running.until(lambda: "more than a year away" in running.text())
        await running.press("ctrl+u", *"3d", "enter")
        await running.until(lambda: any("1 mention snoozed until " in toast for toast in running.toasts()))


async def test_the_help_is_read_with_the_keys_of_the_lists(filled: Fixture) -> None:
    async with desk(filled.path) as running:
        await running.press("question_mark")
        await running.until(lambda: "A mention" in running.text())
        page = running.app.screen.query_one("#help")
        for key, place in (("j", 1), ("down", 2), ("k", 1), ("G", page.max_scroll_y), ("g", 0)):
            await running.press(key)
            await running.until(lambda: page.scroll_y == place)  # noqa: B023 - awaited in its round
        await running.press("space")
        await running.until(lambda: page.scroll_y > 5)


async def test_what_a_command_says_takes_the_place_of_what_those_before_said_but_for_warnings(
    filled: Fixture,
) -> None:
    filled.add_many(3)
    async with desk(filled.path) as running:
        for key in "ee":
            said = len(running.toasts())
            await running.press(key)
            await running.until(lambda: len(running.toasts()) > said)  # noqa: B023 - awaited in its round
        assert len(running.app._notifications) == 1
        running.app.say("The disk is full.", "error")
        await running.press("e")
        await running.until(lambda: len(running.toasts()) > 3)
        assert "The disk is full." in [each.message for each in running.app._notifications]


async def test_the_help_says_that_there_is_more_only_where_there_is(filled: Fixture) -> None:
    async with desk(filled.path, HUGE) as running:
        await running.press("question_mark")
        await running.until(lambda: "A mention" in running.text())
        assert "↓ more" not in running.text()


@pytest.mark.parametrize(
    ("keys", "text"), [("rDear q", "Dear q"), ("ape", "pe"), ("+vip", "vip"), ("mqq", "qq"), ("Tnord", "nord")]
)
async def test_what_comes_together_with_the_key_of_a_question_is_its_answer(
    keys: str, text: str, filled: Fixture
) -> None:
    (id,) = filled.add_many(1)
    async with desk(filled.path) as running:
        for key in keys:
            running.app.post_message(events.Key(key_name(key), key))
        await running.until(
            lambda: getattr(running.app.focused, "text", getattr(running.app.focused, "value", "")) == text
        )
        assert filled.store.mentions.get(id).status is Status.NEW


async def test_what_was_meant_for_a_reply_that_cannot_be_written_runs_no_commands(filled: Fixture) -> None:
    (id,) = filled.add_many(1, "deaf")
    async with desk(filled.path) as running:
        for key in "reeq":
            running.app.post_message(events.Key(key, key))
        await running.until(lambda: any("takes no replies" in toast for toast in running.toasts()))
        await running.press("7")
        assert filled.store.mentions.get(id).status is Status.NEW
        assert running.inbox.view is View.ALL, "and the keys work again"


async def test_an_empty_list_offers_no_keys_for_mentions(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    async with desk(filled.path) as running:
        await running.until(lambda: "e Close" in key_line(running))
        await running.press("e")
        await running.until(lambda: not running.list.ids and "e Close" not in key_line(running))
        assert "u Undo" in key_line(running)
        await running.press("e", "r", "u")
        await running.until(lambda: running.list.cursor == id and "e Close" in key_line(running))


async def test_the_key_that_quits_leaves_a_conversation_first_where_it_fills_the_window(filled: Fixture) -> None:
    filled.add_many(1)
    async with desk(filled.path) as running:
        await running.press("enter")
        await running.until(lambda: running.inbox.context == "conversation")
        await running.press("q")
        assert running.inbox.context == "list"
        await running.press("q")
        assert running.app.return_code == 0


async def test_sources_and_back(filled: Fixture) -> None:
    async with desk(filled.path) as running:
        await running.press("S")
        assert running.app.screen is not running.inbox
        await running.press("2")
        assert running.app.screen is running.inbox
        assert running.inbox.view is View.NEEDS_REPLY


async def test_the_replies_on_their_way_are_listed_and_taken_back(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    filled.store.outbox.put(id, "On its way", agent="jana", send_after=filled.store.clock() + timedelta(minutes=5))
    async with desk(filled.path, LARGE) as running:
        await running.press("O")
        await running.until(lambda: "On its way" in running.text())
        await running.press("w")
        await running.until(lambda: running.inbox.context == "composer" and running.app.screen is running.inbox)
        assert filled.store.outbox.replies_to(id)[0].state is DeliveryState.WITHDRAWN
        assert running.inbox.composer.text == "On its way"


async def test_a_source_is_polled_from_its_line_and_a_parked_one_is_resumed(filled: Fixture) -> None:
    filled.store.sources.take("shop", "me", seconds=60)
    error = AuthFailed("The token has expired.", hint="Renew it.")
    filled.store.sources.fail_poll("shop", "me", None, error, next_at=filled.store.clock(), parked=True)
    async with desk(filled.path) as running:
        await running.press("S")
        await running.until(lambda: "The token has expired." in running.text())
        await running.press("p")
        await running.until(lambda: ("poll", "--json", "--source", "shop") in running.started)  # type: ignore[attr-defined]
        await running.press("r")
        await running.until(lambda: not filled.store.sources.states()[-1].parked)
        await running.press("escape")
        assert running.app.screen is running.inbox


async def test_the_line_of_keys_shows_what_works_now_and_can_be_clicked(filled: Fixture) -> None:
    filled.add_many(2)
    async with desk(filled.path) as running:
        bottom = running.text().split("\n")[23]
        assert "r Reply" in bottom
        assert "? Help" in bottom
        assert "Undo" not in bottom
        await running.press("e")
        await running.until(lambda: "u Undo" in running.text() and "? Help" in running.text())
        await running.press("r")
        await running.until(lambda: "^s Send" in running.text())
        assert "/ Search" not in running.text()
        await running.press("escape")
        await running.until(lambda: "? Help" in running.text())
        bottom = running.text().split("\n")[23]
        await running.pilot.click("KeyLine", offset=(bottom.index("? Help") + 1, 0))
        await running.until(lambda: "A mention" in running.text())


async def test_tags_and_notes(filled: Fixture) -> None:
    (id,) = filled.add_many(1)
    async with desk(filled.path, LARGE) as running:
        await running.press("plus")
        await running.until(lambda: running.app.screen is not running.inbox)
        await running.press(*"vip", "enter")
        await running.until(lambda: filled.store.people.tags(id) == ("vip",))
        await running.until(lambda: "#vip" in "".join(running.lines()))
        await running.press("m")
        await running.until(lambda: running.app.screen is not running.inbox)
        await running.press(*"called", "enter")
        await running.until(lambda: filled.store.people.notes(id))
        await running.press("minus")
        await running.until(lambda: running.app.screen is not running.inbox)
        await running.press("enter")
        await running.until(lambda: not filled.store.people.tags(id))
        await running.press("c")
        await running.until(lambda: running.app.clipboard == "Mention number 0")
        await running.press("a")
        await running.until(lambda: running.app.screen is not running.inbox)
        await running.press(*"petr", "enter")
        await running.until(lambda: filled.store.mentions.get(id).assignee == "petr")


async def test_each_command_works_on_all_that_are_selected_tells_how_many_and_is_taken_back(filled: Fixture) -> None:
    ids = filled.add_many(4, "byhand")
    people, mentions = filled.store.people, filled.store.mentions
    for id in ids[:3]:
        filled.store.outbox.put(id, "Sorry.", agent="jana", state=DeliveryState.HANDED_OFF)
    async with desk(filled.path, LARGE) as running:

        async def answer(*keys: str) -> None:
            await running.until(lambda: running.app.screen is not running.inbox and "3 mentions" in running.text())
            await running.press(*keys)

        await running.press("x", "x", "x")
        await running.press("plus")
        await answer(*"vip", "enter")
        await running.until(lambda: [people.tags(id) for id in ids] == [("vip",)] * 3 + [()])
        await running.press("minus")
        await answer("enter")
        await running.until(lambda: not any(people.tags(id) for id in ids))
        await running.press("u")
        await running.until(lambda: [people.tags(id) for id in ids] == [("vip",)] * 3 + [()])
        await running.press("m")
        await answer(*"called", "enter")
        await running.until(lambda: [len(people.notes(id)) for id in ids] == [1, 1, 1, 0])
        await running.press("u")
        await running.until(lambda: not any(people.notes(id) for id in ids))
        await running.press("a")
        await answer(*"petr", "enter")
        await running.until(lambda: [mentions.get(id).assignee for id in ids] == ["petr"] * 3 + [""])
        await running.press("c")
        await running.until(lambda: running.app.clipboard.count("Mention number") == 3)
        await running.press("y")
        await running.until(lambda: "3 replies noted as posted." in running.toasts())
        assert {filled.store.outbox.replies_to(id)[0].state for id in ids[:3]} == {DeliveryState.POSTED}
        for said in (
            "3 mentions tagged #vip.",
            "3 mentions noted for your colleagues.",
            "3 mentions assigned to Petr Novák.",
        ):
            assert said in running.toasts()


async def test_a_correction_is_one_or_two_keys_told_in_a_line_and_undone(filled: Fixture) -> None:
    first, second = filled.add_many(2)
    async with desk(filled.path) as running:
        await running.press("W")
        await running.until(lambda: list(running.list.ids) == [second])  # the view of complaints
        assert any("neutral, no complaint. The desk learns from it" in told for told in running.toasts())
        said = filled.store.mentions.get(first).correction
        assert said is not None
        assert (said.label, said.complaint, said.agent) == (Label.NEUTRAL, False, "jana")
        await running.press("u")
        await running.until(lambda: len(running.list.ids) == 2)
        assert filled.store.mentions.get(first).correction is None
        await running.press("w")
        await running.until(lambda: running.app.screen is not running.inbox)
        await running.press("enter")
        await running.until(lambda: filled.store.corrections.by_language())
        (count, _) = next(iter(filled.store.corrections.by_language().values()))
        assert count == 1


@both_sizes
async def test_a_key_right_after_going_to_another_mention_is_meant_for_that_one(
    filled: Fixture, size: tuple[int, int]
) -> None:
    filled.add_many(3)
    async with desk(filled.path, size) as running:
        await running.until(lambda: len(running.list.ids) == 3)
        first, second, third = running.list.ids
        await running.press("enter")
        await running.until(lambda: running.inbox.shown and running.inbox.shown.focus.id == first)
        await running.press("escape", "j", "enter", "e")
        await running.until(lambda: filled.store.mentions.get(second).status is Status.CLOSED)
        assert filled.store.mentions.get(first).status is Status.NEW
        assert filled.store.mentions.get(third).status is Status.NEW


async def test_a_key_that_leaves_and_comes_twice_at_once_leaves_one_screen(filled: Fixture) -> None:
    filled.add_many(1)
    async with desk(filled.path) as running:
        await running.until(lambda: len(running.list.ids))
        for opens, leaves in [("a", "enter"), ("m", "enter"), ("ctrl+p", "escape"), ("?", "escape"), ("O", "escape")]:
            await running.press(opens)
            await running.until(lambda: running.app.screen is not running.inbox)
            await running.pilot.pause(0.05)
            for _ in range(3):  # as they come in one piece over a slow line
                running.app.post_message(events.Key(leaves, None))
            await running.until(lambda: running.app.screen is running.inbox)
            assert running.app.is_running

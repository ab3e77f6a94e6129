from __future__ import annotations

from datetime import timedelta

import pytest

from reviewdesk.connector import Kind, NotThere
from reviewdesk.sandbox import CustomerText, Fault, FaultKind


def words(text: str, **more: str) -> CustomerText:
    return CustomerText(author=more.pop("author", "jana_k"), text=text, language="cs", **more)


def asked(emulator, path: str) -> list[str]:
    return [seen.query for seen in emulator.requests if seen.path == path]


async def test_comments_posts_and_the_inbox_come_in_as_mentions(make, emulator, store):
    comment = emulator.write(words("Balík nedorazil <tři> týdny & nic"))
    post = emulator.write(words("Kde je moje zboží?", title="E-shop neodpovídá"))
    await store.poll(make())
    told = store.mentions[comment]
    assert told.kind is Kind.COMMENT
    assert told.text == "Balík nedorazil <tři> týdny & nic"
    assert told.title == "Zkušenosti s naším obchodem"
    assert told.author is not None
    assert (told.author.name, told.author.url) == ("jana_k", "https://www.reddit.com/user/jana_k")
    assert told.url.startswith("https://www.reddit.com/r/eshopy/comments/")
    assert told.thread_id == told.parent_id
    assert told.thread_id is not None
    assert told.thread_id.startswith("t3_")
    assert told.fields["subreddit"] == "r/eshopy"
    assert told.created_at == emulator.clock()
    assert told.raw["name"] == comment
    assert not told.ours
    assert store.mentions[post].kind is Kind.POST
    assert store.mentions[post].title == "E-shop neodpovídá"
    assert store.mentions[post].thread_id == post
    assert "raw_json=1" in asked(emulator, "/r/eshopy/comments/")[0]


async def test_a_second_poll_brings_the_new_and_asks_for_one_page_of_each_listing(make, emulator, store, clock):
    for number in range(230):
        clock.go_on(minutes=1)
        emulator.write(words(f"stížnost {number}"))
    connector = make()
    await store.poll(connector)
    assert len(asked(emulator, "/r/eshopy/comments/")) == 3
    emulator.requests.clear()
    clock.go_on(minutes=1)
    new = emulator.write(words("nová"))
    await store.poll(connector)
    assert new in store.mentions
    assert len(asked(emulator, "/r/eshopy/comments/")) == 1


async def test_a_poll_that_breaks_off_in_the_middle_loses_nothing(make, emulator, store, clock):
    names = {emulator.write(words("první"))}
    connector = make(mentions=False)
    await store.poll(connector)
    for number in range(250):
        clock.go_on(minutes=1)
        names.add(emulator.write(words(f"stížnost {number}")))
    walk = connector.poll(store.cursor)
    store.take(await anext(walk))
    await walk.aclose()
    clock.go_on(minutes=1)
    names.add(emulator.write(words("mezitím")))
    await store.poll(connector)
    assert names <= set(store.mentions)


async def test_only_the_batch_that_met_the_mark_moves_the_cursor(make, emulator, store, clock):
    for number in range(150):
        clock.go_on(minutes=1)
        emulator.write(words(f"stížnost {number}"))
    batches = await store.poll(make(mentions=False))
    assert [bool(batch.cursor) for batch in batches] == [False, True, True]


async def test_a_deleted_newest_item_does_not_silence_the_listing(make, emulator, store, clock):
    connector = make()
    newest = emulator.write(words("smažu se"))
    await store.poll(connector)
    emulator.delete(newest)
    clock.go_on(minutes=30)
    after = emulator.write(words("po smazané"))
    await store.poll(connector)
    assert after in store.mentions
    assert all("before=" not in seen.query for seen in emulator.requests)


async def test_all_known_items_deleted_still_ends_at_the_mark(make, emulator, store, clock):
    connector = make(mentions=False)
    for number in range(20):
        emulator.write(words(f"smažu se {number}"))
    await store.poll(connector)
    for name in list(store.mentions):
        if name.startswith("t1_"):
            emulator.delete(name)
    clock.go_on(minutes=30)
    after = emulator.write(words("po smazaných"))
    await store.poll(connector)
    assert after in store.mentions


async def test_an_anchor_deleted_between_two_pages_ends_nothing(make, emulator, store, clock):
    names = []
    for number in range(250):
        clock.go_on(minutes=1)
        names.append(emulator.write(words(f"stížnost {number}")))
    connector = make(mentions=False)
    walk = connector.poll(None)
    store.take(await anext(walk))
    emulator.delete(names[150])
    async for batch in walk:
        store.take(batch)
    assert set(names) <= set(store.mentions)


async def test_what_a_moderator_lets_through_late_is_read_within_the_overlap(make, emulator, store, clock):
    connector = make()
    held = emulator.write(words("zadržené"))
    emulator.remove(held)
    clock.go_on(minutes=5)
    emulator.write(words("viditelné"))
    await store.poll(connector)
    assert held not in store.mentions
    emulator.things[held].removed = False
    await store.poll(connector)
    assert held in store.mentions


async def test_the_overlap_holds_where_every_known_item_is_gone(make, emulator, store, clock):
    held = emulator.write(words("zadržené"))
    emulator.remove(held)
    clock.go_on(minutes=1)
    for number in range(60):
        emulator.write(words(f"starší {number}"))
    clock.go_on(minutes=4)
    known = [emulator.write(words(f"známá {number}")) for number in range(10)]
    connector = make(mentions=False)
    await store.poll(connector)
    emulator.things[held].removed = False
    for name in known:
        emulator.delete(name)
    clock.go_on(minutes=15)
    for number in range(45):
        emulator.write(words(f"nová {number}"))
    await store.poll(connector)
    assert held in store.mentions


async def test_keywords_filter_words_and_keep_answers_to_what_was_kept(make, emulator, store):
    about_us = emulator.write(words("ALZY si nevážím, Žluťoučká byla lepší"))
    other = emulator.write(words("balzam na rty"))
    answer = emulator.comment("petr", "souhlasím", about_us)
    connector = make(keywords=["alz", "zlutouck"], mentions=False)
    await store.poll(connector)
    assert about_us in store.mentions
    assert answer in store.mentions
    assert other not in store.mentions


async def test_a_mention_of_the_account_and_answers_to_it_come_through_the_inbox(make, emulator, store):
    named = emulator.write(words("co na to u/desk_shop?"))
    ours = emulator.comment("desk_shop", "Mrzí nás to.", named)
    answer = emulator.comment("jana_k", "To nestačí.", ours)
    connector = make(subreddits=None)
    await store.poll(connector)
    assert set(store.mentions) == {named, answer}
    told = store.mentions[answer]
    assert told.parent_id == ours
    assert told.thread_id == emulator.things[named].link
    assert told.url.startswith("https://www.reddit.com/r/eshopy/comments/")
    assert told.url.endswith(f"/{answer[3:]}/")
    assert told.title == "Zkušenosti s naším obchodem"


async def test_our_own_comments_are_ours_whatever_the_case_of_the_name(make, emulator, store):
    above = emulator.write(words("kde to je"))
    ours = emulator.comment("desk_shop", "Omlouváme se", above)
    await store.poll(make(username="Desk_Shop", password=None, refresh_token=emulator.REFRESH_TOKEN))
    assert store.mentions[ours].ours
    assert not store.mentions[above].ours


async def test_with_a_refresh_token_alone_the_account_tells_its_name(make, emulator, store):
    ours = emulator.comment("desk_shop", "Omlouváme se", emulator.write(words("kde to je")))
    connector = make(username=None, password=None, refresh_token=emulator.REFRESH_TOKEN)
    await store.poll(connector)
    await store.poll(connector)
    assert store.mentions[ours].ours
    assert len(asked(emulator, "/api/v1/me")) == 1


async def test_the_inbox_does_not_undo_what_the_community_told(make, emulator, store, clock):
    name = emulator.write(words("první"))
    connector = make(mentions=True)
    await store.poll(connector)
    emulator.edit(name, "druhá")
    await store.poll(connector)
    await store.poll(connector)
    assert (store.mentions[name].text, store.mentions[name].edited_at) == ("druhá", clock.now)


async def test_an_edit_of_what_only_the_inbox_told_comes_with_its_time(make, emulator, store, clock):
    name = emulator.write(words("první"))
    connector = make(subreddits=None)
    await store.poll(connector)
    emulator.edit(name, "druhá")
    edited_at = clock.now
    clock.go_on(hours=1)
    await store.poll(connector)
    assert (store.mentions[name].text, store.mentions[name].edited_at) == ("druhá", edited_at)
    assert store.mentions[name].title == "Zkušenosti s naším obchodem"


async def test_searches_and_domains(make, emulator, store):
    found = emulator.write(words("text", title="Zkušenost s Naše Boty s.r.o.?"))
    linked = emulator.post("petr", "sleva", "", url="https://boty.example/akce")
    await store.poll(make(subreddits=None, mentions=False, search=['"Naše Boty"'], domains=["boty.example"]))
    assert set(store.mentions) == {found, linked}
    assert store.mentions[linked].attachments[0].url == "https://boty.example/akce"


async def test_reading_without_an_account(make, emulator, store):
    name = emulator.write(words("veřejné"))
    connector = make(username=None, password=None)
    await store.poll(connector)
    assert name in store.mentions
    assert connector.capabilities.reply == "none"
    assert not asked(emulator, "/message/mentions")


async def test_edits_and_deletions_are_found_later(make, emulator, store, clock):
    edited, deleted, removed, orphaned, kept = (
        emulator.write(words(text, author=f"autor_{text[:3]}")) for text in ("upravím", "smažu", "mod", "účet", "nic")
    )
    connector = make()
    await store.poll(connector)
    emulator.edit(edited, "už dorazilo")
    emulator.delete(deleted)
    emulator.remove(removed)
    emulator.delete_account("autor_úče")
    clock.go_on(hours=2)
    store.mentions.clear()
    await store.poll(connector)
    assert store.gone == {deleted, removed}
    assert store.mentions[edited].text == "už dorazilo"
    assert store.mentions[edited].title == "Zkušenosti s naším obchodem"
    assert store.mentions[edited].edited_at == clock.now - timedelta(hours=2)
    assert store.mentions[orphaned].text == "účet"
    assert store.mentions[orphaned].author is None
    assert kept in store.cursor["watched"]


async def test_a_recheck_hands_over_only_what_changed_and_only_when_it_is_due(make, emulator, store, clock):
    for number in range(120):
        emulator.write(words(f"stížnost {number}"))
    connector = make(subreddits=["eshopy"], mentions=False, recheck_minutes=60)
    await store.poll(connector)
    clock.go_on(minutes=30)
    await store.poll(connector)
    assert not asked(emulator, "/api/info/")
    clock.go_on(days=2)
    await store.poll(connector)
    assert [len(query.split("%2C")) for query in asked(emulator, "/api/info/")] == [100, 21]
    clock.go_on(days=20)
    await store.poll(connector)
    assert len(asked(emulator, "/api/info/")) == 2, "nothing is watched for ever"
    assert store.cursor is not None
    assert store.cursor["watched"] == {}


async def test_what_is_watched_is_bounded(make, emulator, store, clock):
    for number in range(30):
        clock.go_on(minutes=1)
        newest = emulator.write(words(f"stížnost {number}"))
    await store.poll(make(recheck_items=10))
    assert store.cursor is not None
    assert len(store.cursor["watched"]) == 10
    assert newest in store.cursor["watched"]


async def test_an_empty_answer_about_many_known_items_is_not_believed(make, emulator, store, clock):
    for number in range(3):
        emulator.write(words(f"stížnost {number}"))
    connector = make()
    await store.poll(connector)
    known = dict(emulator.things)
    clock.go_on(days=1)
    emulator.things.clear()
    await store.poll(connector)
    assert not store.gone
    emulator.things.update(known)


async def test_one_poisonous_item_is_set_aside_and_the_others_go_in(make, emulator, store):
    good = emulator.write(words("dobrá"))
    bad = emulator.write(words("jed"))
    also = emulator.write(words("také dobrá"))
    emulator.things[bad].edited = "never"
    await store.poll(make(mentions=False))
    assert {good, also} <= set(store.mentions)
    assert bad not in store.mentions
    [aside] = [each for batch in store.batches for each in batch.set_aside]
    assert aside.id == bad
    assert "jed" in aside.raw


@pytest.mark.parametrize(
    "text",
    [
        "\x1b]0;evil\x07",
        "[@click=app.quit]x[/foo]",
        "{{ 7*7 }}",
        "=HYPERLINK(1)",
        "\ud800",
        "\u202eabc",
        "x" * 40_000,
        "\0",
    ],
)
async def test_hostile_text_is_only_text(make, emulator, store, text):
    name = emulator.write(words(text))
    await store.poll(make())
    assert store.mentions[name].text == text


async def test_a_refused_listing_does_not_keep_the_others_from_being_read(make, emulator, store):
    named = emulator.write(words("co na to u/desk_shop?"))
    with pytest.raises(NotThere, match="no such community"):
        await store.poll(make(subreddits=["neni_tady"]))
    assert named in store.mentions


async def test_the_budget_is_reported(make, emulator, store):
    connector = make()
    await store.poll(connector)
    assert connector.context.budget is not None
    assert 0 < connector.context.budget.used < 0.1
    assert "of 600 calls left" in connector.context.budget.note


async def test_two_sources_of_one_account_share_a_thread_and_strangers_do_not(make, emulator, store):
    one, two, other = make(), make(subreddits=None), make(username=None, password=None)
    assert one.account is two.account
    assert other.account is not one.account
    await store.poll(one)
    await store.poll(two)
    assert sum(seen.path == "/api/v1/access_token" for seen in emulator.requests) == 1
    await one.close()
    await store.poll(two)


async def test_a_cursor_of_an_unknown_make_begins_anew(make, emulator, store):
    name = emulator.write(words("stížnost"))
    store.cursor = {"marks": "nonsense"}
    await store.poll(make())
    assert name in store.mentions


async def test_a_server_in_trouble_is_asked_again(make, emulator, store):
    name = emulator.write(words("stížnost"))
    emulator.faults.append(Fault(kind=FaultKind.SERVER_ERROR, match="/comments/", times=2, status=503))
    await store.poll(make())
    assert name in store.mentions

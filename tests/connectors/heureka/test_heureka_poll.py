"""Polls against the emulated Heureka: everything in once, nothing believed too early, the key never seen."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reviewdesk.connector import (
    BadAnswer,
    ConnectorError,
    Level,
    MissingSecret,
    RateLimited,
    ReplyMode,
    Secret,
    Unreachable,
)
from reviewdesk.desk.border import checked_mention
from reviewdesk.sandbox import CustomerText, Fault, FaultKind
from reviewdesk_connectors.heureka.connector import BATCH, Heureka, HeurekaSettings
from reviewdesk_connectors.heureka.sandbox import KEY

BAD = CustomerText(
    author="Jitka", text="Balík přišel <b>pozdě</b> & rozbitý ]]> konec.\n\nPříště jinde.", language="cs", rating=1.5,
    pros=("web",), cons=("dopravce", "nikdo nezvedá telefon"), order_id="A-00781245",
)  # fmt: skip


def words(number: int, **more: Any) -> CustomerText:
    return CustomerText(**{"author": f"Zákazník {number}", "text": f"Text {number}", "language": "cs", **more})


async def test_a_review_arrives_whole(desk) -> None:
    written = desk.emulator.write(BAD)
    await desk.poll()
    mention = desk.mentions[written]
    assert mention.text == BAD.text
    assert (mention.rating, mention.rating_raw) == (1.5, "1.5")
    assert (mention.pros, mention.cons) == (BAD.pros, BAD.cons)
    assert mention.recommends is False
    assert mention.sub_ratings == {"delivery_time": 1.5, "communication": 1.5}
    assert mention.order_id == "A-00781245"
    assert mention.author is not None
    assert mention.author.name == "Jitka"
    assert mention.created_at == desk.clock.now
    assert mention.fields == {"source": "regular", "ordered": "2026-11-11"}
    assert mention.language == "cs"


async def test_half_a_star_is_taken_in_and_not_set_aside(desk) -> None:
    written = desk.emulator.write(words(1, rating=0.5))
    await desk.poll()
    mention = checked_mention(desk.mentions[written])
    assert (mention.rating, mention.rating_raw) == (1.0, "0.5")
    assert set(mention.sub_ratings.values()) == {1.0}


async def test_shop_and_product_reviews_of_one_order_are_two(desk) -> None:
    shop = desk.emulator.write(words(1, order_id="0042", rating=2))
    product = desk.emulator.write(words(1, order_id="0042", rating=2, product="Konvice & hrnek"))
    await desk.poll()
    assert set(desk.mentions) == {shop, product}
    assert desk.mentions[product].product == "Konvice & hrnek"
    assert desk.mentions[product].product_url == "https://shop.example/konvice-hrnek?from=heureka&v=2"
    assert len(desk.mentions[product].fields["ean"]) == 13
    assert desk.mentions[product].fields["price"] == "899.00"
    assert {mention.order_id for mention in desk.mentions.values()} == {"0042"}


async def test_slovak_reviews_are_slovak(desk) -> None:
    written = desk.emulator.write(words(1))
    await desk.poll(country="sk")
    assert desk.mentions[written].language == "sk"
    settings = HeurekaSettings(key=Secret("env:X"), country="sk", shop="muj-obchod")
    assert settings.base == "https://www.heureka.sk"
    assert settings.page == "https://obchody.heureka.sk/muj-obchod/recenze/"


async def test_an_unchanged_export_is_not_handed_over_again(desk) -> None:
    for number in range(5):
        desk.emulator.write(words(number))
    assert len(await desk.poll()) == 5
    desk.clock.forward(hours=6)
    assert await desk.poll() == []
    assert desk.batches == []
    desk.emulator.write(words(9))
    assert len(await desk.poll()) == 6
    assert len(msgspec.json.encode(desk.cursor)) < 200


async def test_an_edit_is_another_text_under_the_same_id(desk) -> None:
    written = desk.emulator.write(BAD)
    product = desk.emulator.write(words(1, product="Konvice"))
    await desk.poll()
    desk.emulator.edit(written, "Už je to vyřešené.")
    desk.emulator.edit(product, "Už teče.")
    await desk.poll()
    assert desk.mentions[written].text == "Už je to vyřešené."
    assert desk.mentions[product].text == "Už teče."
    assert set(desk.mentions) == {written, product}


async def test_large_exports_come_in_batches_and_the_cursor_moves_at_the_end(desk) -> None:
    for number in range(BATCH * 2 + 7):
        desk.emulator.write(words(number))
    mentions = await desk.poll(exports=["shop"])
    assert len({mention.id for mention in mentions}) == len(mentions) == BATCH * 2 + 7
    assert [len(batch.mentions) for batch in desk.batches] == [BATCH, BATCH, 7, 0]
    assert [batch.cursor is None for batch in desk.batches] == [True, True, True, False]


async def test_a_poll_that_is_killed_in_the_middle_loses_nothing(desk) -> None:
    for number in range(BATCH + 5):
        desk.emulator.write(words(number))
    connector = desk.connector()
    polling = connector.poll(None)
    first = await anext(polling)
    await polling.aclose()
    assert first.cursor is None
    assert len({mention.id for mention in await desk.poll()}) == BATCH + 5


async def test_a_deleted_review_is_gone_once_the_whole_export_says_so(desk) -> None:
    ids = [desk.emulator.write(words(number)) for number in range(20)]
    desk.emulator.hand_off(ids[3], "Omlouváme se.")
    await desk.poll()
    desk.emulator.delete(ids[3])
    await desk.poll()
    assert desk.gone == [ids[3], f"{ids[3]}:reaction"]
    await desk.poll()
    assert len(desk.gone) == 2


async def test_a_poll_that_ends_at_its_cursor_remembers_what_was_there(desk) -> None:
    ids = [desk.emulator.write(words(number)) for number in range(20)]
    polling = desk.connector(exports=["shop"]).poll(None)
    async for batch in polling:
        if batch.cursor is not None:
            desk.cursor = batch.cursor
            break
    await polling.aclose()
    desk.emulator.delete(ids[3])
    await desk.poll(exports=["shop"])
    assert desk.gone == [ids[3]]


async def test_a_great_loss_is_believed_at_the_second_look_only(desk) -> None:
    ids = [desk.emulator.write(words(number)) for number in range(20)]
    await desk.poll()
    for each in ids[:5]:
        desk.emulator.delete(each)
    await desk.poll()
    assert desk.gone == []
    await desk.poll()
    assert sorted(desk.gone) == sorted(ids[:5])
    await desk.poll()
    assert desk.batches == []


async def test_an_export_that_was_empty_by_mistake_takes_nothing_away(desk) -> None:
    ids = [desk.emulator.write(words(number)) for number in range(3)]
    await desk.poll()
    for empty in (True, False, True):
        desk.emulator.empty = empty
        await desk.poll()
        assert desk.gone == []
    await desk.poll()
    assert sorted(desk.gone) == sorted(ids)


async def test_only_what_was_missing_twice_is_gone(desk) -> None:
    ids = [desk.emulator.write(words(number)) for number in range(20)]
    await desk.poll()
    for each in ids[:5]:
        desk.emulator.delete(each)
    await desk.poll()
    for each in ids[5:10]:
        desk.emulator.delete(each)
    await desk.poll()
    assert sorted(desk.gone) == sorted(ids[:5])
    await desk.poll()
    assert sorted(desk.gone) == sorted(ids[:10])


async def test_product_reviews_that_grow_old_are_not_gone(desk) -> None:
    old = desk.emulator.write(words(0, product="Konvice"))
    desk.clock.forward(days=170)
    ids = [desk.emulator.write(words(number, product="Konvice")) for number in range(1, 20)]
    await desk.poll()
    assert old in desk.mentions
    desk.clock.forward(days=20)
    desk.emulator.delete(ids[7])
    await desk.poll()
    assert desk.gone == [ids[7]]


async def test_without_a_folder_nothing_is_ever_gone(desk) -> None:
    desk.data = None
    ids = [desk.emulator.write(words(number)) for number in range(20)]
    await desk.poll()
    desk.emulator.delete(ids[0])
    await desk.poll()
    assert desk.gone == []


@pytest.mark.parametrize("kind", [FaultKind.LOGIN_PAGE, FaultKind.EXPIRED_TOKEN, FaultKind.CUT, FaultKind.DROPPED])
async def test_a_bad_answer_keeps_the_cursor_and_takes_nothing_away(desk, kind: FaultKind) -> None:
    for number in range(30):
        desk.emulator.write(words(number))
    await desk.poll()
    cursor = desk.cursor
    desk.emulator.write(words(99))
    desk.emulator.faults.append(Fault(kind=kind, times=-1))
    with pytest.raises(ConnectorError) as caught:
        await desk.poll()
    assert isinstance(caught.value, BadAnswer | Unreachable)
    assert KEY not in f"{caught.value!r} {caught.value.hint}"
    assert (desk.cursor, desk.gone) == (cursor, [])
    desk.emulator.faults.clear()
    assert len(await desk.poll()) == 31
    assert desk.gone == []


async def test_a_wrong_key_says_which_key_to_check(desk) -> None:
    desk.emulator.write(words(1))
    with pytest.raises(BadAnswer, match=r"not the export of shop reviews\. Check the key and the country"):
        await desk.poll(key="0123456789abcdef0123456789abcdef")
    assert desk.cursor is None


async def test_a_missing_key_names_the_variable(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REVIEWDESK_SANDBOX_HEUREKA_KEY")
    with pytest.raises(MissingSecret, match="REVIEWDESK_SANDBOX_HEUREKA_KEY"):
        await desk.poll()
    (told,) = await desk.connector().check()
    assert told.level is Level.FAULT, "once, not for each export"


@pytest.mark.parametrize(
    ("status", "told", "hours"), [(403, 0, 1), (429, 0, 1), (429, 30, 1), (429, 7200, 2), (503, 0, 1)]
)
async def test_a_refusal_means_at_least_an_hour_of_quiet(desk, status: int, told: int, hours: int) -> None:
    kind = FaultKind.RATE_LIMIT if status == 429 else FaultKind.SERVER_ERROR
    desk.emulator.faults.append(Fault(kind=kind, status=status, seconds=told, times=-1))
    with pytest.raises(RateLimited) as caught:
        await desk.poll()
    assert caught.value.until == desk.clock.now + timedelta(hours=hours)
    assert len(desk.emulator.requests) == 1


async def test_one_export_in_trouble_does_not_keep_the_other_out(desk) -> None:
    desk.emulator.write(words(1))
    product = desk.emulator.write(words(2, product="Konvice"))
    desk.emulator.faults.append(Fault(kind=FaultKind.SERVER_ERROR, match="export-review", times=-1))
    with pytest.raises(Unreachable):
        await desk.poll()
    assert list(desk.mentions) == [product]
    desk.emulator.faults.clear()
    assert len(await desk.poll()) == 1
    assert len(desk.mentions) == 2


async def test_an_item_without_its_number_is_set_aside_and_the_others_go_in(desk, tmp_path: Path) -> None:
    items = "".join(f"<review>{number}<name>N{number}</name></review>" for number in ("", "<rating_id>2</rating_id>"))
    file = tmp_path / "export.xml"
    file.write_text(f"<reviews>{items}</reviews>", encoding="utf-8")
    [batch] = [batch async for batch in desk.connector().import_file(file)]
    assert [mention.id for mention in batch.mentions] == ["shop:2"]
    assert [aside.raw for aside in batch.set_aside] == ["<review><name>N</name></review>"]
    assert "rating_id" in batch.set_aside[0].reason


@pytest.mark.parametrize(
    "text",
    ["[/foo][@click=app.quit]", "\x1b]0;x\x07", "\x00\x08", "‮abc", "\ud800", "x" * 1_000_000],
    ids=["markup", "escape", "control", "bidi", "surrogate", "long"],
)
async def test_hostile_text_is_text(desk, text: str) -> None:
    ids = [desk.emulator.write(words(1, text=f"a{text}z")), desk.emulator.write(words(2))]
    await desk.poll()
    assert set(desk.mentions) == set(ids)
    assert desk.mentions[ids[0]].text[0] + desk.mentions[ids[0]].text[-1] == "az"
    msgspec.json.encode(desk.mentions[ids[0]])


async def test_the_key_is_in_the_query_and_nowhere_else(desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.emulator.write(BAD)
    desk.emulator.write(words(2, product="Konvice"))
    with caplog.at_level(logging.DEBUG):
        await desk.poll()
        findings = await desk.connector().check()
        desk.emulator.faults.append(Fault(kind=FaultKind.SERVER_ERROR, times=-1, status=404))
        with pytest.raises(ConnectorError) as caught:
            await desk.poll()
    assert all(f"key={KEY}" in seen.query for seen in desk.emulator.requests)
    kept = b"".join(path.read_bytes() for path in Path(desk.data).iterdir())
    # The emulated server's own log may say what it was asked.
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    assert any("export-review.php" in line for line in logged)
    everything = f"{desk.mentions} {desk.cursor} {findings} {caught.value!r} {caught.value} {logged} {kept!r}"
    assert KEY not in everything


async def test_check_reads_only_the_beginning(desk) -> None:
    for number in range(3000):
        desk.emulator.write(words(number))
    findings = await desk.connector().check()
    assert [finding.level for finding in findings] == [Level.OK, Level.OK]
    desk.emulator.faults.append(Fault(kind=FaultKind.LOGIN_PAGE, match="product", times=-1))
    shop, product = await desk.connector().check()
    assert (shop.level, product.level) == (Level.OK, Level.FAULT)
    assert "key" in product.hint


async def test_an_export_that_lags_shows_new_reviews_when_it_is_made_anew(desk) -> None:
    desk.emulator.lag = 6 * 3600
    desk.emulator.write(words(1))
    assert len(await desk.poll()) == 1
    late = desk.emulator.write(words(2))
    assert await desk.poll() == []
    desk.clock.forward(hours=6)
    await desk.poll()
    assert late in desk.mentions


def test_the_exports_are_asked_for_every_six_hours_and_never_more_than_hourly() -> None:
    assert Heureka.capabilities.poll_seconds == 6 * 3600
    assert Heureka.capabilities.reply is ReplyMode.HAND_OFF
    with pytest.raises(msgspec.ValidationError, match="at least 3600"):
        msgspec.convert({"key": Secret("env:X"), "rebuild_seconds": 60}, HeurekaSettings)


@pytest.mark.parametrize(
    "wrong",
    [
        {"country": "hu"}, {"exports": []}, {"exports": ["shop", "shop"]}, {"exports": ["eshop"]}, {"api": "ftp://x"},
        {"admin_url": "javascript:alert(1)"}, {"kye": "x"}, {"api": "https://x/?key=abc"},
    ],
)  # fmt: skip
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"key": Secret("env:X"), **wrong}, HeurekaSettings)

"""A reply is written by a person in the administration, and the next export confirms it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from reviewdesk.connector import BadAnswer, Mention, NotThere, Unsupported
from reviewdesk.sandbox import CustomerText
from reviewdesk_connectors.heureka.sandbox import KEY

BAD = CustomerText(author="Jitka", text="Pozdě.", language="cs", rating=1, order_id="A/0 1")
REPLY = "Dobrý den,\nomlouváme se & voláme."


async def first(desk, **more: str) -> Mention:
    written = desk.emulator.write(
        CustomerText(**{"author": "J", "text": "t", "language": "cs", "order_id": "A/0 1", **more})
    )
    await desk.poll()
    return desk.mentions[written]


async def test_the_reaction_comes_with_the_next_export_as_ours(desk) -> None:
    mention = await first(desk)
    connector = desk.connector()
    assert await connector.find_reply(mention, REPLY, desk.clock.now) is None
    desk.emulator.hand_off(mention.id, REPLY)
    found = await connector.find_reply(mention, REPLY, desk.clock.now)
    assert found is not None
    assert (found.id, found.text) == (f"{mention.id}:reaction", REPLY)
    await desk.poll()
    reaction = desk.mentions[found.id]
    assert (reaction.text, reaction.ours, reaction.parent_id) == (REPLY, True, mention.id)
    assert [reply.text for reply in desk.emulator.shop_replies()] == [REPLY]


async def test_another_reaction_than_the_one_sought_is_shown_as_it_stands(desk) -> None:
    mention = await first(desk)
    desk.emulator.hand_off(mention.id, "Kolega odpověděl jinak.")
    found = await desk.connector().find_reply(mention, REPLY, desk.clock.now)
    assert found is not None
    assert found.text == "Kolega odpověděl jinak."


async def test_what_cannot_be_told_is_not_guessed(desk) -> None:
    product = await first(desk, product="Konvice")
    desk.emulator.hand_off(product.id, REPLY)
    with pytest.raises(Unsupported, match="product reviews"):
        await desk.connector().find_reply(product, REPLY, desk.clock.now)
    shop = await first(desk)
    desk.emulator.delete(shop.id)
    with pytest.raises(NotThere):
        await desk.connector().find_reply(shop, REPLY, desk.clock.now)
    with pytest.raises(Unsupported):
        await desk.connector().reply(shop, REPLY, "key")


async def test_the_page_to_reply_on(desk) -> None:
    mention = await first(desk)
    number = mention.id.removeprefix("shop:")
    assert desk.connector().reply_page(mention) == "https://sluzby.heureka.cz/"
    assert desk.connector(country="sk").reply_page(mention) == "https://sluzby.heureka.sk/"
    own = desk.connector(admin_url="https://admin.example/r/{id}?order={order_id}")
    assert own.reply_page(mention) == f"https://admin.example/r/{number}?order=A%2F0%201"
    assert desk.connector(shop="muj").reply_page(mention) == "https://sluzby.heureka.cz/"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("export", ["shop", "products"])
async def test_a_saved_export_gives_what_a_poll_gives(desk, tmp_path: Path, packed: bool, export: str) -> None:
    desk.emulator.write(BAD)
    desk.emulator.write(CustomerText(author="x", text="y", language="cs", product="Konvice", rating=4.5))
    polled = await desk.poll(exports=[export])
    http = desk.connector().context.http(desk.base)
    name = "export-review.php" if export == "shop" else "export-product-review.php"
    body = (await http.get(f"direct/dotaznik/{name}", params={"key": KEY})).body
    file = tmp_path / "saved.bin"
    file.write_bytes(gzip.compress(body) if packed else body)
    batches = [batch async for batch in desk.connector().import_file(file)]
    assert [mention for batch in batches for mention in batch.mentions] == polled
    assert len(polled) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Dear customer",
        b"<html><body>x</body></html>",
        b"\x1f\x8b\x08\x00broken",
        gzip.compress(b"<reviews>" * 99)[:-5],
    ],
    ids=["empty", "letter", "page", "no gzip", "cut gzip"],
)
async def test_a_file_that_is_no_export_is_named(desk, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "letter.txt"
    file.write_bytes(content)
    with pytest.raises(BadAnswer, match=r"The file letter\.txt"):
        [batch async for batch in desk.connector().import_file(file)]


async def test_a_file_that_is_not_there_is_named(desk, tmp_path: Path) -> None:
    with pytest.raises(BadAnswer, match=r"nowhere\.xml cannot be read"):
        [batch async for batch in desk.connector().import_file(tmp_path / "nowhere.xml")]

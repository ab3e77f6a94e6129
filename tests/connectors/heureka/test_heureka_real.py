"""Exports of a real shop, recorded by strangers, read through the connector."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from reviewdesk.connector import Context, Mention, Secret
from reviewdesk_connectors.heureka.connector import Heureka, HeurekaSettings

REAL = Path(__file__).parents[4] / "shared/real/heureka"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the recorded exports are not beside this checkout")


async def read(name: str) -> list[Mention]:
    connector = Heureka(Context("heureka", HeurekaSettings(key=Secret("env:NOT_SET"))))
    batches = [batch async for batch in connector.import_file(REAL / name)]
    assert not [aside for batch in batches for aside in batch.set_aside]
    return [mention for batch in batches for mention in batch.mentions]


def words_in(name: str) -> list[str]:
    """Every line of every text in the file, by another parser."""
    tree = ElementTree.parse(REAL / name)
    return [line for each in tree.iter() if not len(each) for line in (each.text or "").splitlines() if line.strip()]


@pytest.mark.parametrize("name", ["eshop-reviews.xml", "product-reviews.xml", "product-reviews-null.xml"])
async def test_every_word_of_the_file_is_in_a_mention_and_no_id_comes_twice(name: str) -> None:
    mentions = await read(name)
    assert len({mention.id for mention in mentions}) == len(mentions)
    everything = "\n".join(f"{mention!r} {mention.raw}" for mention in mentions)
    assert [word for word in words_in(name) if word not in everything] == []


async def test_a_shop_export_gives_each_review_and_the_shops_reaction() -> None:
    mentions = {mention.id: mention for mention in await read("eshop-reviews.xml")}
    reviews = [mention for mention in mentions.values() if not mention.ours]
    assert [each.id for each in reviews] == [
        "shop:141604079", "shop:140332011", "shop:138008506", "shop:61843903", "shop:59065101",
    ]  # fmt: skip
    first = mentions["shop:141604079"]
    assert first.pros == ("velmi rychlé dodání",)
    assert first.created_at == datetime(2016, 1, 5, 16, 55, 18, tzinfo=UTC)
    assert first.order_id == "14343"
    assert first.author is None
    assert first.language == "cs"
    assert mentions["shop:138008506"].sub_ratings == {
        "delivery_time": 5, "transport_quality": 5, "web_usability": 3.5, "communication": 5,
    }  # fmt: skip
    assert mentions["shop:59065101"].rating is None
    assert mentions["shop:59065101"].text == ""
    reaction = mentions["shop:138008506:reaction"]
    assert reaction.ours
    assert reaction.text == "byl to německý výrobek"
    assert (reaction.parent_id, reaction.created_at) == ("shop:138008506", None)


async def test_one_review_under_two_products_is_one_mention_that_names_both() -> None:
    mentions = await read("product-reviews.xml")
    assert len(mentions) == 4
    guitar = next(mention for mention in mentions if "5948610" in mention.id)
    assert guitar.product == "Klasická kytara 4/4 Pecka CGP-44 SB (sunburst)"
    assert guitar.fields["also_reviewed"] == "Klasická kytara 4/4 Pecka CGP-44 NAT (natural)"
    assert guitar.fields["price"] == "1490.00"
    assert guitar.product_url == "http://www.someeshop.cz/klasicka-kytara-44-pecka.html"


async def test_one_rating_id_with_three_texts_is_three_reviews() -> None:
    mentions = await read("product-reviews-null.xml")
    assert [(mention.rating, mention.pros[0]) for mention in mentions] == [
        (3.0, "celkem dobrý"),
        (5.0, "zatím to vypadá dobře"),
        (None, "zatím nechci hodnotit, moc jsem s tím nepracoval."),
    ]

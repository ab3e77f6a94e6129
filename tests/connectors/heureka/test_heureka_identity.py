"""Product reviews keep their identity though Heureka's number of them moves."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reviewdesk_connectors.heureka.identity import Identities
from reviewdesk_connectors.heureka.payloads import Export, Product, Review

Told = tuple[str, str, str, str]


def review(rating_id: str, at: str, order: str, summary: str) -> Review:
    facts = {"rating_id": rating_id, "unix_timestamp": at, "summary": summary, "rating": "4"}
    return Review(Export.PRODUCTS, rating_id, order, facts, Product((("product_name", "x"),)))


def one_pass(path: Path | None, export: list[Told], *, since: int = 0) -> dict[Told, str]:
    """Gives the id of each review after a whole export."""
    identities = Identities(path)
    reviews = [review(*told) for told in export]
    found = [(one, known_as) for one in reviews if (known_as := identities.identify(one))]
    ids: dict[Told, str] = {}
    for one, known_as in [*found, *identities.settle()]:
        told = (one.rating_id, one.timestamp, one.order_id, one.facts["summary"])
        assert ids.setdefault(told, known_as) == known_as
    identities.keep(since=since)
    return ids


few = st.sampled_from
told = st.tuples(few("12"), few(["100", "200"]), few("AB"), few(["", "good", "bad"]))


@given(first=st.lists(told, max_size=12), random_=st.randoms(use_true_random=False))
def test_different_reviews_never_share_an_id_and_keep_it_in_any_order(
    tmp_path_factory, first: list[Told], random_: random.Random
) -> None:
    path = tmp_path_factory.mktemp("identities") / "known"
    ids = one_pass(path, first)
    assert len(set(ids.values())) == len(ids)
    again = list(first)
    random_.shuffle(again)
    assert one_pass(path, again) == ids


@given(first=st.lists(told, max_size=8, unique=True), second=st.lists(told, max_size=8, unique=True))
def test_whatever_the_next_export_holds_no_two_reviews_become_one(
    tmp_path_factory, first: list[Told], second: list[Told]
) -> None:
    path = tmp_path_factory.mktemp("identities") / "known"
    one_pass(path, first)
    ids = one_pass(path, second)
    assert len(set(ids.values())) == len(second)


def test_a_moved_number_is_the_same_review(tmp_path: Path) -> None:
    path = tmp_path / "known"
    before = one_pass(path, [("1", "100", "A", "good")])
    after = one_pass(path, [("777", "100", "A", "good")])
    assert list(after.values()) == list(before.values()) == ["product:1:100:A"]
    assert list(one_pass(path, [("777", "100", "A", "good")]).values()) == ["product:1:100:A"]


def test_a_new_number_beside_the_old_one_is_another_review(tmp_path: Path) -> None:
    path = tmp_path / "known"
    one_pass(path, [("1", "100", "A", "")])
    ids = one_pass(path, [("777", "100", "A", ""), ("1", "100", "A", "")])
    assert ids == {("777", "100", "A", ""): "product:777:100:A", ("1", "100", "A", ""): "product:1:100:A"}


def test_a_changed_text_is_the_same_review(tmp_path: Path) -> None:
    path = tmp_path / "known"
    one_pass(path, [("1", "100", "A", "good")])
    assert list(one_pass(path, [("1", "100", "A", "bad after all")]).values()) == ["product:1:100:A"]


def test_of_two_under_one_number_the_changed_one_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "known"
    before = one_pass(path, [("1", "100", "A", "good"), ("1", "100", "A", "bad")])
    after = one_pass(path, [("1", "100", "A", "better"), ("1", "100", "A", "bad")])
    assert after[("1", "100", "A", "better")] == before[("1", "100", "A", "good")]
    assert after[("1", "100", "A", "bad")] == before[("1", "100", "A", "bad")]


def test_old_ones_are_forgotten_and_missing_young_ones_are_not(tmp_path: Path) -> None:
    path = tmp_path / "known"
    one_pass(path, [("1", "100", "A", "old"), ("2", "900", "A", "young")])
    one_pass(path, [], since=500)
    ids = one_pass(path, [("8", "100", "A", "old"), ("9", "900", "A", "young")])
    assert ids[("8", "100", "A", "old")] == "product:8:100:A"
    assert ids[("9", "900", "A", "young")] == "product:2:900:A"


def test_a_damaged_file_costs_only_what_stood_behind_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "known"
    one_pass(path, [("1", "100", "A", "good"), ("2", "200", "B", "bad")])
    path.write_bytes(path.read_bytes()[:-9])
    ids = one_pass(path, [("7", "100", "A", "good"), ("2", "200", "B", "bad")])
    assert ids == {("7", "100", "A", "good"): "product:1:100:A", ("2", "200", "B", "bad"): "product:2:200:B"}

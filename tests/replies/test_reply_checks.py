"""What keeps a reply back and what only asks."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.model import Channel, LengthUnit, Level
from reviewdesk.replies.checks import check_reply, length


def faults(text: str, **about: object) -> list[str]:
    return [p.sentence for p in check_reply(text, **about) if p.level is Level.FAULT]  # type: ignore[arg-type]


def warnings(text: str, **about: object) -> list[str]:
    return [p.sentence for p in check_reply(text, **about) if p.level is Level.WARNING]  # type: ignore[arg-type]


def test_a_good_reply_has_no_problem() -> None:
    assert check_reply("Dobrý den, Petře,\n\nděkujeme. 👍\n", limit=100) == []


@pytest.mark.parametrize("text", ["", " \n\t", "\u00a0"])
def test_empty(text: str) -> None:
    assert faults(text) == ["The reply is empty."]


@pytest.mark.parametrize("text", ["a […order_id…]", "a […do kdy…] b", "{{ x", "}} y", "{% if", "date XXX", "XXXXX"])
def test_holes_and_leftovers_keep_it_back(text: str) -> None:
    assert len(faults(text)) == 1


@pytest.mark.parametrize("text", ["a [1] b", "size XXL", "wait…", "[a] … [b]", "T-shirt XXXL", "Xxx"])
def test_what_is_no_hole(text: str) -> None:
    assert faults(text) == []


@pytest.mark.parametrize("text", ["a\x00b", "a\x1b[31m", "a\u202eb", "a\ud800", "a\u2028b"])
def test_control_characters_keep_it_back(text: str) -> None:
    assert "control characters" in faults(text)[0]


@pytest.mark.parametrize(
    ("unit", "fits", "over"),
    [
        (LengthUnit.CHARACTERS, "žluťoučký", "žluťoučký!"),
        (LengthUnit.UTF16, "👍👍👍👍a", "👍👍👍👍👍"),
        (LengthUnit.BYTES, "ěěěěa", "ěěěěě"),
    ],
)
def test_the_limit_is_counted_in_the_platforms_unit(unit: LengthUnit, fits: str, over: str) -> None:
    assert faults(fits, limit=9, unit=unit) == []
    assert "10 of 9" in faults(over, limit=9, unit=unit)[0]
    assert "take out 1" in faults(over, limit=9, unit=unit)[0]


@given(st.text())
def test_lengths_are_those_of_the_encodings(text: str) -> None:
    assert length(text, LengthUnit.CHARACTERS) == len(text)
    assert length(text, LengthUnit.UTF16) == len(text.encode("utf-16-le", "surrogatepass")) // 2
    assert length(text, LengthUnit.BYTES) == len(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("write to jana.nova@example.cz.", "e-mail"),
        ("volejte +420 777 123 456", "telephone"),
        ("volejte 777123456", "telephone"),
        ("tel. (+48) 600-123-456", "telephone"),
        ("тел. 0 (67) 123-45-67", "telephone"),
        ("účet 123456789/0800", "bank account"),
        ("účet 19-2000145399/0800", "bank account"),
        ("CZ65 0800 0000 1920 0014 5399", "bank account"),
        ("DE89370400440532013000", "bank account"),
        ("objednávka č. 20241234", "order number"),
        ("Vaše objednávka 55512345", "order number"),
        ("Bestellnummer: 1234567", "order number"),
        ("numer zamówienia: zamówienie nr 1234567", "order number"),
        ("замовлення № 123456", "order number"),
        ("order #A-12345", "order number"),
    ],
)
def test_personal_data_in_public_ask_once(text: str, what: str) -> None:
    told = warnings(text)
    assert len(told) == 1, told
    assert what in told[0]
    assert warnings(text, channel=Channel.PRIVATE) == []
    assert faults(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Přijde 12. 11. 2024 nebo 12.11.2024-15.11.2024",
        "2024-11-05 at 10:30",
        "za 1 500 Kč, ne 12 990 Kč",
        "see https://shop.cz/track/123456789012",
        "na objednávky nad 1500 Kč",
        "od 8:00 do 16:00",
        "24/7",
    ],
)
def test_what_is_not_personal(text: str) -> None:
    assert warnings(text) == []


def test_the_shops_own_contacts_may_stand_in_public() -> None:
    contacts = ["help@shop.cz, +420 777 123 456"]
    assert warnings("Write to HELP@shop.cz or 777 123 456.", own_contacts=contacts) == []
    assert len(warnings("Write to other@shop.cz or 777 123 457.", own_contacts=contacts)) == 2


def test_the_mentions_own_order_number_is_known_in_any_form() -> None:
    assert warnings("It is A/77.", order_id="A/77") == ["An order number would be public."]
    assert warnings("It is AA/771.", order_id="A/77") == []


def test_the_language() -> None:
    assert "is in Czech, the customer wrote in Polish" in warnings("x", language="cs", mention_language="pl")[0]
    for one, other in [("cs", "cs"), (None, "pl"), ("cs", None), ("cs", "other")]:
        assert warnings("x", language=one, mention_language=other) == []


@pytest.mark.parametrize(
    ("opening", "customer", "other", "language"),
    [
        ("Dobrý den, Petře,", "Jana Malá", "Petr", "cs"),
        ("Dobrý den, pane Němče,", "Jana Malá", "Josef Němec", "cs"),
        ("Dobrý den, paní Nováková,", None, "Eva Nováková", "cs"),
        ("Hello Anna,", "Jane", "Anna", "en"),
        ("Hi Anna!", "Jane", "anna smith", None),
        ("Доброго дня, Ігорю!", "Олена", "Ігор", "uk"),
    ],
)
def test_a_greeting_for_another_customer(opening: str, customer: str | None, other: str, language: str | None) -> None:
    told = warnings(f"{opening}\n\nthank you", customer=customer, other_names=["Bob", other], language=language)
    assert len(told) == 1
    assert other in told[0]


def test_a_greeting_for_this_customer_or_for_nobody() -> None:
    assert warnings("Dobrý den, Petře,\n\nx", customer="Petr", other_names=["Petr Novák", "Petr"], language="cs") == []
    assert warnings("Dobrý den, pane Nováku,", customer="Petr Novák", other_names=["Jan Novák"], language="cs") == []
    assert warnings("Dobrý den,\n\nPetr to zařídí.", customer="Jana", other_names=["Petr"], language="cs") == []
    assert warnings("Guten Tag,\n\nx", customer="Eva", other_names=["Peter Tag"], language="de") == []


def test_the_same_words_again() -> None:
    assert "word for word" in warnings("Thank  you!\n", recent=["no", "Thank you!"])[0]
    assert warnings("Thank you, Anna!", recent=["Thank you, Eva!"]) == []


def test_faults_come_before_warnings() -> None:
    levels = [problem.level for problem in check_reply("a@b.cz {{", limit=1)]
    assert levels == [Level.FAULT, Level.FAULT, Level.WARNING]


@given(st.text(max_size=400), st.text(max_size=60), st.sampled_from(LengthUnit))
def test_any_text_is_checked(text: str, name: str, unit: LengthUnit) -> None:
    check_reply(
        text,
        limit=10,
        unit=unit,
        customer=name,
        other_names=[name[::-1]],
        order_id=name,
        own_contacts=[text],
        recent=[text],
    )


@pytest.mark.parametrize("piece", ["1", "1 ", "a", "order", "a.", "[…", "X", "A1", "@a.", "1/", "\n"])
def test_hostile_texts_take_no_time(piece: str) -> None:
    started = time.process_time()
    check_reply(piece * (60_000 // len(piece)))
    assert time.process_time() - started < 2

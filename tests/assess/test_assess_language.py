from importlib import resources

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.language import OTHER, code_of, known_languages, language_of

TEXTS = {
    "cs": [
        "Balík dorazil včas, děkuji moc.",
        "Uz druhy tyden cekam na objednavku a nikdo mi neodpovida",
        "Kvalita zboží je výborná, doporučuji všem.",
    ],
    "sk": [
        "Balík prišiel načas, ďakujem veľmi pekne.",
        "Tovar ešte neprišiel, čo mám robiť?",
        "Obchod odporucam, vsetko bolo v poriadku a rychlo",
    ],
    "pl": [
        "Paczka dotarła na czas, dziękuję.",
        "Bardzo dobry produkt, polecam wszystkim",
        "Nie wiem dlaczego ale przesylka jeszcze nie przyszla",
    ],
    "uk": ["Посилка прийшла вчасно, дякую.", "Дуже гарний товар, раджу всім", "Чому ніхто не відповідає на дзвінки?"],
    "ru": [
        "Посылка пришла вовремя, спасибо.",
        "Очень хороший товар, советую всем",
        "Почему никто не отвечает на звонки?",
    ],
    "de": [
        "Das Paket ist noch nicht angekommen.",
        "Sehr gute Ware, gerne wieder",
        "Ich warte seit drei Wochen und niemand antwortet",
    ],
    "hu": [
        "A csomag időben megérkezett, köszönöm.",
        "Nagyon jó termék, mindenkinek ajánlom",
        "Nem valaszolnak a levelekre es a csomag sem jott meg",
    ],
    "en": [
        "The parcel has not arrived yet.",
        "Very good product, would buy again",
        "Why does nobody answer my emails?",
    ],
    "other": [
        "Le produit est très bien, livraison rapide",
        "El pedido llegó muy tarde y no es lo que pedí",
        "这个产品非常好",
        "!!! 👍",
    ],
}


@pytest.mark.parametrize(("language", "text"), [(code, text) for code, texts in TEXTS.items() for text in texts])
def test_tells_the_language_without_being_told_anything(language: str, text: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("prior", ["cs", "sk", "pl", "de", "hu", "en"])
def test_a_short_text_is_in_the_home_language_of_its_source(prior: str) -> None:
    assert language_of("Super!", prior) == prior
    assert language_of("👍", prior) == prior


def test_no_prior_makes_cyrillic_latin() -> None:
    assert language_of("Супер, дякую", "cs") == "uk"
    assert language_of("Все отлично, спасибо большое", "pl") == "ru"
    assert language_of("Дуже гарно, її взяли", "ru") == "uk"


@pytest.mark.parametrize(
    ("text", "language"),
    [("Balík nedorazil", "cs"), ("Zásielka neprišla", "sk"), ("Paket kaputt", "de"), ("Csomag nem jött", "hu")],
)
def test_two_words_of_the_trade_are_enough(text: str, language: str) -> None:
    assert language_of(text) == language


def test_links_addresses_and_mentions_are_no_words() -> None:
    assert language_of("https://www.the-and-you-are.com/this/is?not=english", "cs") == "cs"


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ("cs-CZ", "cs"), ("CZ", "cs"), ("ua", "uk"), ("", None), (None, None), ("und", None), ("und-CZ", None),
        ("mul", None), ("-CZ", None), ("ces", "cs"), ("CZE", "cs"), ("slk", "sk"), ("slo", "sk"), ("pol", "pl"),
        ("ukr", "uk"), ("UA", "uk"), ("rus", "ru"), ("deu", "de"), ("ger", "de"), ("hun", "hu"), ("eng", "en"),
        ("ces_CZ", "cs"), ("Deu-AT", "de"), (" slk-SK ", "sk"), ("fra", "fra"),
    ],
)  # fmt: skip
def test_codes_of_platforms_are_understood(told: str | None, code: str | None) -> None:
    assert code_of(told) == code


@pytest.mark.parametrize(("told", "code"), [("ces", "cs"), ("SLK", "sk"), ("deu-DE", "de"), ("eng_GB", "en")])
def test_a_language_told_by_another_code_is_read_in_it(told: str, code: str) -> None:
    (named,) = Assessor().assess([Assessable(text="ok", language=told)])
    (home,) = Assessor().assess([Assessable(text="ok", prior=told)])
    assert (named.language, home.language) == (code, code)


@given(st.text(max_size=200), st.sampled_from([None, "cs", "uk", "xx", ""]))
def test_every_text_has_a_language_of_the_list(text: str, prior: str | None) -> None:
    assert language_of(text, prior) in {*known_languages(), OTHER}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("uzhasnyj magazin, dengi ne vernuli", "ru"),
        ("Ochen dovolna, vse prishlo bystro, spasibo", "ru"),
        ("tovar ne pryishov, nikhto ne vidpovidaye", "uk"),
        ("Duzhe harnyy tovar, dyakuyu", "uk"),
    ],
)
def test_russian_and_ukrainian_in_latin_letters_are_told(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Prisel mi uplne iny tovar nez som si objednal", "sk"),
        ("Prisel mi uplne jiny vyrobek nez jsem si objednal", "cs"),
        ("Velmi pekne dakujem za rychle vybavenie", "sk"),
        ("Moc dekuji za rychle vyrizeni", "cs"),
        ("Kde je moja zasielka, cakam uz tyzden", "sk"),
        ("Kde je moje zasilka, cekam uz tyden", "cs"),
    ],
)
def test_slovak_is_told_from_czech_without_accents(text: str, language: str) -> None:
    assert language_of(text) == language


def test_beginnings_and_endings_that_tell_a_language_are_found_by_their_two_letters_at_the_edge() -> None:
    marks = tomli.loads((resources.files("reviewdesk.assess") / "languages" / "identify.toml").read_text("utf-8"))
    pieces = [piece.strip("-") for one in marks.values() for piece in one.get("pieces", "").split()]
    assert pieces
    assert min(map(len, pieces)) >= 2

import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.language import OTHER, code_of, known_languages, language_of

ROOT = Path(__file__).parents[2]
UNREAD = ROOT / "tests" / "assess" / "written" / "many" / "unread"
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
    [("Balík nepřišel", "cs"), ("Zásielka neprišla", "sk"), ("Paket kaputt", "de"), ("Csomag nem jött", "hu")],
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


def test_the_table_of_trigrams_is_what_the_written_texts_give() -> None:
    learn = ROOT / "benchmarks" / "trigrams.py"
    learned = subprocess.run([sys.executable, learn], check=True, capture_output=True, text=True, encoding="utf-8")
    table = ROOT / "reviewdesk" / "assess" / "languages" / "trigrams.txt"
    assert learned.stdout == table.read_text("utf-8"), "run: python benchmarks/trigrams.py --write"


def without_accents(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


@pytest.mark.parametrize(
    ("language", "least"),
    [("cs", 0.9), ("sk", 0.95), ("pl", 0.99), ("uk", 0.97), ("ru", 0.99), ("de", 0.99), ("hu", 0.98), ("en", 0.98)],
)
def test_hardly_a_text_is_taken_for_another_language_even_without_accents(language: str, least: float) -> None:
    texts = [line.partition("\t")[2] for line in (UNREAD / f"{language}.tsv").read_text("utf-8").splitlines()][::4]
    right = sum(language_of(without_accents(text)) == language for text in texts)
    assert right >= least * len(texts)


@pytest.mark.parametrize(
    "text",
    [
        "La taille ne correspond pas, je l'ai renvoyé hier",
        "De schoenen zitten goed maar de doos was helemaal kapot",
        "Varmt tyg och bra passform, kommer beställa fler",
        "Tuote saapui ajoissa ja toimii hyvin",
        "Bežite od tega trgovca, denarja ne vrnejo",
        "Чантата е хубава, но ципът се счупи още първия ден",
        "Çanta fotoğraftakinden daha küçük geldi",
    ],
)
def test_languages_that_are_not_read_are_told_even_where_another_is_at_home(text: str) -> None:
    assert language_of(text) == OTHER
    assert language_of(text, "cs") == OTHER


@pytest.mark.parametrize(
    ("text", "told", "language"),
    [
        ("Peniaze mi stále nevrátili, hoci som odstúpil od zmluvy pred mesiacom.", "cs", "sk"),
        ("Peníze mi stále nevrátili, ačkoli jsem od smlouvy odstoupil před měsícem.", "sk", "cs"),
        ("Super!", "sk", "sk"),
    ],
)
def test_a_customer_is_answered_in_the_language_he_clearly_writes_in(text: str, told: str, language: str) -> None:
    (found,) = Assessor().assess([Assessable(text=text, language=told)])
    assert found.language == language

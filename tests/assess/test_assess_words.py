"""The words of Polish, Ukrainian, Russian, German and Hungarian, tried on sentences written for these tests.

A table `tables/<language>.tsv` has a label (neg, neu, pos) and a sentence on each line.
"""

import re
import unicodedata
from collections import Counter
from functools import cache
from importlib import resources
from pathlib import Path

import pytest

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.lexicon import LanguageFile, read
from reviewdesk.model import Assessment, Severity, Topic

LANGUAGES = ["pl", "uk", "ru", "de", "hu"]
LABELS = ("neg", "neu", "pos")
WRITABLE = re.compile(r"[^\W_]+(?:'[^\W_]+)*[*!]?")


@cache
def words(language: str) -> LanguageFile:
    file = resources.files("reviewdesk.assess") / "languages" / f"{language}.toml"
    return read(language, file.read_text("utf-8"))


@cache
def table(language: str) -> list[tuple[str, str]]:
    lines = (Path(__file__).parent / "tables" / f"{language}.tsv").read_text("utf-8").splitlines()
    return [(label, text) for label, _, text in (line.partition("\t") for line in lines)]


def bare(text: str) -> str:
    kept = unicodedata.normalize("NFD", text.replace("ł", "l").replace("Ł", "L"))
    return "".join(char for char in kept if not unicodedata.combining(char))


@cache
def said(language: str, strip: bool = False) -> list[str]:
    texts = [bare(text) if strip else text for _, text in table(language)]
    return [
        found.label.value for found in Assessor().assess(Assessable(text=text, language=language) for text in texts)
    ]


def assess(language: str, text: str) -> Assessment:
    return next(iter(Assessor().assess([Assessable(text=text, language=language)])))


def wrong(language: str) -> list[tuple[str, str, str]]:
    return [
        (label, own, text) for (label, text), own in zip(table(language), said(language), strict=True) if label != own
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_table_has_all_labels(language: str) -> None:
    counts = Counter(label for label, _ in table(language))
    assert set(counts) == set(LABELS)
    assert min(counts.values()) >= 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_most_sentences_are_read_as_a_person_would(language: str) -> None:
    assert len(wrong(language)) <= 0.08 * len(table(language)), wrong(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_complaints_are_found_and_few_others_are_taken_for_one(language: str) -> None:
    pairs = [(label, own) for (label, _), own in zip(table(language), said(language), strict=True)]
    both = pairs.count(("neg", "neg"))
    assert both >= 0.92 * sum(label == "neg" for label, _ in pairs), wrong(language)
    assert both >= 0.9 * sum(own == "neg" for _, own in pairs), wrong(language)


@pytest.mark.parametrize("language", ["pl", "de", "hu"])
def test_missing_accents_change_hardly_anything(language: str) -> None:
    changed = [
        text
        for (_, text), one, other in zip(table(language), said(language), said(language, strip=True), strict=True)
        if one != other
    ]
    assert len(changed) <= 0.03 * len(table(language)), changed


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_thousand_entries_each_written_once(language: str) -> None:
    data = words(language)
    entries = [entry for group in data.words for entry in group.entries.split()]
    phrases = [entry for group in data.phrases for entry in group.entries]
    assert len(entries) + len(phrases) >= 2000
    assert [entry for entry, count in Counter(entries).items() if count > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_can_be_met_in_a_text(language: str) -> None:
    data = words(language)
    grammar = data.grammar
    small = f"{grammar.negators} {grammar.boosters} {grammar.dampeners} {grammar.contrast}".split()
    single = [entry for group in data.words for entry in group.entries.split()] + small
    in_phrases = [
        word
        for group in data.phrases
        for entry in group.entries
        for place in entry.split()
        if place != ".."
        for word in re.split(r"[|_]", place)
    ]
    assert [entry for entry in single + in_phrases if not WRITABLE.fullmatch(entry)] == []


@pytest.mark.parametrize(
    ("language", "text", "severity", "topic"),
    [
        ("pl", "Zgłoszę sprawę do rzecznika konsumentów, pieniędzy nie oddali.", Severity.CRITICAL, Topic.PAYMENT),
        ("pl", "Kurier InPostu rzucił paczkę i uciekł.", Severity.SERIOUS, Topic.DELIVERY),
        ("pl", "Reklamację odrzucili bez wyjaśnienia.", Severity.SERIOUS, Topic.RETURNS),
        ("de", "Ich wende mich an die Verbraucherzentrale.", Severity.CRITICAL, None),
        ("de", "Hermes hat mein Paket verloren.", Severity.SERIOUS, Topic.DELIVERY),
        ("de", "Keine Antwort auf meine Mails.", Severity.SERIOUS, Topic.STAFF),
        ("hu", "A fogyasztóvédelemhez fordulok, nem utalták vissza a pénzt.", Severity.CRITICAL, Topic.PAYMENT),
        ("hu", "A Foxpost elvesztette a csomagot.", Severity.SERIOUS, Topic.DELIVERY),
        ("uk", "Звернусь до Держпродспоживслужби.", Severity.CRITICAL, None),
        ("uk", "Нова пошта загубила посилку.", Severity.SERIOUS, Topic.DELIVERY),
        ("uk", "Верните гроші, вже місяць чекаю!", Severity.SERIOUS, Topic.RETURNS),
        ("ru", "Пишу в Роспотребнадзор.", Severity.CRITICAL, None),
        ("ru", "СДЭК потерял посылку.", Severity.SERIOUS, Topic.DELIVERY),
        ("ru", "Ребенок отравился вашим йогуртом.", Severity.CRITICAL, Topic.PRODUCT),
    ],
)
def test_complaints_have_their_severity_and_topic(
    language: str, text: str, severity: Severity, topic: Topic | None
) -> None:
    found = assess(language, text)
    assert (found.complaint, found.severity) == (True, severity)
    assert topic is None or topic in found.topics


@pytest.mark.parametrize(
    ("language", "text", "topic"),
    [
        ("cs", "Poslali mi jinou barvu, než jsem objednal.", Topic.GOODS),
        ("sk", "V balíku chýbala jedna skrutka.", Topic.GOODS),
        ("pl", "Przysłali niewłaściwy rozmiar.", Topic.GOODS),
        ("de", "Im Paket fehlten zwei Schrauben.", Topic.GOODS),
        ("hu", "Teljesen mást küldtek, mint amit rendeltem.", Topic.GOODS),
        ("uk", "Прислали не той розмір.", Topic.GOODS),
        ("ru", "Не доложили одну деталь.", Topic.GOODS),
        ("en", "They sent me the wrong size.", Topic.GOODS),
        ("cs", "Po týdnu napsali, že není skladem.", Topic.AVAILABILITY),
        ("sk", "Zaplatené, a tovar nie je na sklade.", Topic.AVAILABILITY),
        ("pl", "Zamówiłam i okazało się, że nie ma na stanie.", Topic.AVAILABILITY),
        ("de", "Bestellt, und dann ist es doch nicht lieferbar.", Topic.AVAILABILITY),
        ("hu", "Megrendeltem, aztán közölték, hogy nincs raktáron.", Topic.AVAILABILITY),
        ("uk", "Замовив, а потім сказали, що немає в наявності.", Topic.AVAILABILITY),
        ("ru", "Заказал, а товара нет в наличии.", Topic.AVAILABILITY),
        ("en", "I ordered it and then they said it is not in stock.", Topic.AVAILABILITY),
    ],
)
def test_wrong_goods_and_what_cannot_be_had_are_complaints_of_their_own(language: str, text: str, topic: Topic) -> None:
    found = assess(language, text)
    assert found.complaint
    assert topic in found.topics


@pytest.mark.parametrize(
    ("language", "denied"),
    [
        ("pl", "Jakość nie jest super."),
        ("pl", "Nie mogę polecić tego sklepu."),
        ("de", "Lieferung war nicht pünktlich."),
        ("de", "Ich kann das nicht empfehlen."),
        ("hu", "Az ár nem kedvező."),
        ("uk", "Продавець не ввічливий."),
        ("ru", "Доставка не быстрая."),
    ],
)
def test_praise_with_a_negator_inside_is_no_praise(language: str, denied: str) -> None:
    assert assess(language, denied).compound < 0  # type: ignore[operator]


@pytest.mark.parametrize(
    ("language", "denied"),
    [
        ("pl", "Koszulka po praniu się nie skurczyła."),
        ("de", "Das T-Shirt ist nach dem Waschen nicht eingelaufen."),
        ("de", "Das Ladegerät wird nicht heiß."),
        ("de", "Nichts ging kaputt, alles heil angekommen."),
        ("en", "Nothing broke, all arrived in one piece."),
    ],
)
def test_a_fault_that_is_denied_right_before_its_word_is_no_blame(language: str, denied: str) -> None:
    found = assess(language, denied)
    assert (found.compound or 0) >= 0
    assert not found.complaint


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("pl", "Nie zawiedli, paczka przyszła na czas."),
        ("pl", "Nie, oryginalny towar."),
        ("pl", "Nie pasował rozmiar, zwrócili pieniądze bez problemu."),
        ("uk", "Це не обман, все прийшло."),
        ("ru", "Не подвели, посылка пришла вовремя."),
        ("ru", "Не подошел размер, вернули деньги без вопросов."),
        ("de", "Nicht enttäuscht, pünktlich angekommen."),
        ("hu", "Nem csalódtam, időben megérkezett."),
        ("en", "Did not disappoint, arrived on time."),
        ("en", "Not a scam, everything arrived."),
    ],
)
def test_what_is_denied_before_a_comma_says_nothing_of_what_comes_after_it(language: str, text: str) -> None:
    found = assess(language, text)
    assert not found.complaint
    assert found.label.value != "neg"


def test_a_word_with_other_accents_than_a_negator_denies_nothing() -> None:
    assert assess("sk", "Zadný kryt je super.").compound > 0  # type: ignore[operator]
    assert assess("sk", "Žiadny kryt nie je super.").compound <= 0  # type: ignore[operator]
    assert assess("cs", "Žádný super kryt.").compound <= 0  # type: ignore[operator]


def test_a_but_parts_a_complaint_phrase_only_where_it_begins_a_clause() -> None:
    assert assess("cs", "Peníze mi ale nevrátili.").severity is Severity.CRITICAL
    assert assess("pl", "Ten głośnik nagłośni cały dom, ale sprawę mebli to nie załatwia.").severity is Severity.NONE


def test_a_long_text_with_one_grave_complaint_is_a_complaint_and_less_negative_than_the_complaint_alone() -> None:
    alone = assess("cs", "Balík nedorazil.")
    told = assess("cs", "Balík nedorazil. " + "Pak jsme jeli za babičkou a cestou jsme viděli dům. " * 8)
    assert told.complaint
    assert told.severity is alone.severity
    assert alone.compound < told.compound < 0  # type: ignore[operator]


def test_a_gap_is_no_word_where_the_longer_of_two_phrases_counts() -> None:
    (found,) = Assessor().assess([Assessable(text="Jó napot kívánok!", language="hu")])
    assert found.label.value == "neu"


@pytest.mark.parametrize(("drawn", "plain"), [("terribleeeee", "terrible"), ("greaaaaat", "great"), ("baaaad", "bad")])
def test_english_letters_drawn_out_are_drawn_back(drawn: str, plain: str) -> None:
    assert assess("en", f"It is {drawn} here.").compound == assess("en", f"It is {plain} here.").compound


@pytest.mark.parametrize("text", ["Už nikdy jinde nenakoupím.", "Uz nikdy jinde nenakoupim."])
def test_longer_praise_counts_before_a_shorter_complaint_phrase(text: str) -> None:
    found = assess("cs", text)
    assert (found.label.value, found.complaint) == ("pos", False)

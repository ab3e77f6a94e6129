"""Answers that mean none, among the cons and within a text, in all languages."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.model import Assessment, Severity

# Letters whose stroke Unicode sees as no mark.
_STROKED = str.maketrans("łŁ", "lL")

ANSWERS = {
    "cs": [
        "žádné",
        "žádné nevidím",
        "momentálně žádné",
        "nenašel jsem žádné nedostatky",
        "zatím jsem na nic nepřišla",
        "nic negativního jsem nezaznamenala",
        "zatím mě nic nenapadá",
        "bez negativ",
        "zatím vše ok",
        "zatím spokojenost",
        "není co vytknout",
        "nevím o ničem",
    ],
    "sk": [
        "žiadne zápory",
        "žiadne som nenašiel",
        "nič také",
        "momentálne žiadne",
        "nie sú žiadne",
        "nemám čo vytknúť",
        "bez pripomienok",
        "zatiaľ neviem",
    ],
    "pl": [
        "brak",
        "żadnych nie widzę",
        "na razie nie zauważyłam żadnych wad",
        "nie dotyczy",
        "brak takowych",
        "nie mam zastrzeżeń",
        "wszystko w porządku",
        "n/d",
    ],
    "uk": [
        "не побачила",
        "поки не знайшла жодних недоліків",
        "мінусів не виявив",
        "я не знайшла",
        "поки все влаштовує",
        "немає",
        "нету",
    ],
    "ru": [
        "недостатков не вижу",
        "недостатков пока не нашел",
        "пока не заметила никаких",
        "ни одного",
        "не могу назвать",
        "Недостатков не обнаружила, все супер",
        "net",
    ],
    "de": [
        "bislang keine",
        "aktuell keine",
        "keinerlei",
        "fällt mir nichts ein",
        "konnte keine feststellen",
        "Mängel: keine",
        "mir ist nichts aufgefallen",
        "alles bestens",
        "weiß ich nicht",
    ],
    "hu": [
        "hátránya nincs",
        "negatívum nincs",
        "egyelőre nem találtam hibát",
        "nem jut eszembe semmi",
        "hátrányt nem találtam",
        "nem tudnék mondani",
        "minden rendben",
    ],
    "en": [
        "there are none",
        "None that I can think of",
        "not really",
        "haven't found any",
        "haven’t found any yet",
        "I don't know",
        "not that I know of",
        "nothing to complain about",
        "N/A",
        "all good",
    ],
}

REAL = {
    "cs": [
        "nic nefunguje",
        "nevidím na displej",
        "cena",
        "nenašel jsem prodejnu",
        "není bez chyb",
        "je na nic",
        "o ničem",
        "nic moc",
        "vše",
        "není vše ok",
        "0 bodů",
        "stále nic",
        "nic než problémy",
        "chyby",
        "ještě nemám",
    ],
    "sk": ["nič nefunguje", "žiadna komunikácia", "nie je skladom", "nie je bez chýb"],
    "pl": ["nie działa", "brak instrukcji", "do niczego", "nie bez wad", "wady", "wszystko"],
    "uk": ["немає в наявності", "не працює", "нічого доброго", "не без недоліків"],
    "ru": ["ничего не видно", "не работает", "нет в наличии", "не без недостатков", "проблема не у меня"],
    "de": ["keine Lieferung", "nicht ohne Mängel", "nicht da", "nicht zu finden", "alles", "nichts als Probleme"],
    "hu": ["nem működik", "nincs garancia", "semmi jó", "nem hibátlan", "nem ilyen"],
    "en": [
        "no warranty",
        "not really working",
        "I don't know where my parcel is",
        "not without faults",
        "not for me",
        "not there",
        "not good",
        "nothing but problems",
        "everything",
        "not all good",
        "0/10",
    ],
}

TEXTS = {
    "cs": [
        "Nevýhody: žádné",
        "Mínusy: nic",
        "Zápory - zatím žádné",
        "Nevýhody\nžádné",
        "Žádná negativa",
        "Nevýhody: 0",
    ],
    "sk": ["Nedostatky: žiadne nemá", "Nenašla som žiadne nedostatky", "Zápory: nič"],
    "pl": ["Wady: brak", "Minusy: nie zauważyłem", "Zero minusów", "Wady\nbrak"],
    "uk": ["Недоліки: немає", "Мінуси: не виявлено", "Без недоліків", "Недоліків не помітила"],
    "ru": ["Минусы: не обнаружено", "Недостатки: нет", "Без недостатков", "Минусы\nнет", "Nedostatki: net"],
    "de": ["Nachteile: keine", "Maengel: keine", "Keine Nachteile", "Contra: nichts"],
    "hu": ["Negatívum: nincs", "Hátrányt nem tapasztaltam", "Hátránya: nincs", "Hiba - nem volt"],
    "en": ["Pros: price. Cons: none so far", "Drawbacks: none", "No cons!!!", "Downsides - none that I can think of"],
}

PRAISE = {
    "cs": "Skvělý obchod, doporučuji",
    "sk": "Skvelý obchod, odporúčam",
    "pl": "Świetny sklep, polecam",
    "uk": "Чудовий магазин, рекомендую",
    "ru": "Отличный магазин, рекомендую",
    "de": "Toller Laden, sehr empfehlenswert",
    "hu": "Remek bolt, ajánlom",
    "en": "Great shop, I recommend it",
}


def assess(text: str = "", **given: Any) -> Assessment:
    return next(iter(Assessor().assess([Assessable(text=text, **given)])))


def without_accents(text: str) -> str:
    if any("\u0400" <= letter <= "\u04ff" for letter in text):
        return text
    return "".join(
        one for one in unicodedata.normalize("NFD", text.translate(_STROKED)) if not unicodedata.combining(one)
    )


def as_people_type(text: str) -> set[str]:
    bare = without_accents(text)
    return {text, bare, text.upper(), bare.lower(), unicodedata.normalize("NFD", text)}


def pairs(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(language, one) for language, ones in table.items() for one in ones]


@pytest.mark.parametrize(("language", "answer"), [*pairs(ANSWERS), *((language, "0") for language in ANSWERS)])
def test_a_none_among_the_cons_takes_nothing_away(language: str, answer: str) -> None:
    # Told right, not told, and told wrong; a Latin and a Cyrillic home.
    for told in (language, None, "cs", "uk"):
        for stars in (5.0, 4.0, None):
            before = assess(rating=stars, language=told)
            for typed in as_people_type(answer):
                found = assess(rating=stars, language=told, cons=(typed,))
                assert (found.compound or 0.0) >= (before.compound or 0.0), (typed, told, stars)
                assert (found.complaint, found.severity) == (False, Severity.NONE), (typed, told, stars)


@pytest.mark.parametrize(("language", "answer"), pairs(REAL))
def test_a_real_fault_among_the_cons_is_never_taken_for_none(language: str, answer: str) -> None:
    for typed in as_people_type(answer):
        found = assess(rating=4.0, language=language, cons=(typed,))
        notes = [reason.note for reason in found.reasons]
        assert "cons filled in" in notes, typed
        assert "answered 'none'" not in notes, typed


def test_one_real_clause_makes_the_answer_real() -> None:
    four_stars = assess(rating=4.0, language="cs").compound
    assert assess(rating=4.0, language="cs", cons=("Snad jen cena, jinak nic",)).compound < four_stars  # type: ignore[operator]
    assert assess(rating=4.0, language="cs", cons=("žádné", "cena")).compound < four_stars  # type: ignore[operator]


@pytest.mark.parametrize("none", ["žádné", "nic pozitivního", "нет", "keine Vorteile", "no pros", "nincs"])
def test_a_none_among_the_pros_adds_nothing(none: str) -> None:
    assert assess(rating=3.0, pros=(none,)).compound == assess(rating=3.0).compound


@pytest.mark.parametrize(
    ("language", "praise"), [("cs", "vše ok"), ("cs", "bez problémů"), ("de", "alles super"), ("en", "no problems")]
)
def test_among_the_pros_that_all_is_well_is_praise(language: str, praise: str) -> None:
    found = assess(rating=4.0, language=language, pros=(praise,))
    assert found.compound > assess(rating=4.0, language=language).compound  # type: ignore[operator]


@pytest.mark.parametrize(("language", "text"), pairs(TEXTS))
def test_a_text_that_says_there_are_no_faults_blames_nothing(language: str, text: str) -> None:
    for told in (language, None):
        for stars in (5.0, 4.0, None):
            before = assess(rating=stars, language=told)
            for typed in as_people_type(text):
                found = assess(typed, rating=stars, language=told)
                assert (found.compound or 0.0) >= (before.compound or 0.0), (typed, told, stars)
                assert not found.complaint, (typed, told, stars)


@pytest.mark.parametrize(("language", "text"), pairs(TEXTS))
def test_praise_beside_a_denial_of_faults_stays_praise(language: str, text: str) -> None:
    praise = PRAISE[language]
    before = assess(praise + ".", language=language).compound
    for said in (f"{praise}. {text}", f"{praise}, {text.lower()}", f"{text}. {praise}."):
        found = assess(said, language=language)
        assert found.compound >= before - 0.02, said  # type: ignore[operator]
        assert not found.complaint, said


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("cs", "Jsem spokojená a nenašla jsem žádné nedostatky"),
        ("uk", "Задоволена і недоліків не бачу"),
        ("ru", "Довольна и недостатков не вижу"),
        ("en", "Great but no cons so far"),
    ],
)
def test_a_denial_of_faults_may_follow_an_and(language: str, text: str) -> None:
    found = assess(text, language=language)
    assert found.compound > 0.2  # type: ignore[operator]
    assert not [reason for reason in found.reasons if reason.share < 0 and reason.evidence != "doubt"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Cons: broke after a week"),
        ("en", "Cons: none, but it broke after a week"),
        ("en", "Problem: nothing works"),
        ("cs", "Zápory: rozbilo se po týdnu"),
        ("cs", "Nevýhody: nic nefunguje"),
        ("sk", "Nevýhody: nič nefunguje"),
        ("pl", "Wady: nie działa"),
        ("uk", "Недоліки: не працює"),
        ("ru", "Недостатки: не работает"),
        ("de", "Nachteile: keine Lieferung, Betrug"),
        ("hu", "Hátrány: nem működik"),
    ],
)
def test_a_fault_after_a_heading_stays_blame(language: str, text: str) -> None:
    found = assess(text, language=language)
    assert found.complaint
    assert found.compound < -0.3  # type: ignore[operator]


def test_reasons_still_point_at_their_place_in_the_text() -> None:
    text = "Отличный магазин, рекомендую, Минусы: не обнаружено. Спасибо!"
    for reason in assess(text, language="ru").reasons:
        if reason.start is not None:
            assert text[reason.start : reason.end] == reason.evidence

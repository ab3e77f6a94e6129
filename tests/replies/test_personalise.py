"""Greetings: tables of names as people write them, one file per language, and names that nobody would think of."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.replies.personalise import LANGUAGES, greeting
from reviewdesk.text import one_line

FRAMES = {
    "cs": "Dobrý den, {},",
    "sk": "Dobrý deň, {},",
    "pl": "Dzień dobry, {},",
    "uk": "Доброго дня, {}!",
    "ru": "Здравствуйте, {}!",
    "de": "Guten Tag, {},",
    "hu": "{}",
    "en": "Hello {},",
}
NEUTRAL = {
    "cs": "Dobrý den,",
    "sk": "Dobrý deň,",
    "pl": "Dzień dobry,",
    "uk": "Доброго дня!",
    "ru": "Здравствуйте!",
    "de": "Guten Tag,",
    "hu": "Tisztelt Vásárlónk!",
    "en": "Hello,",
}
TABLES = Path(__file__).parent / "greetings"


def rows(language: str) -> list[tuple[str, str]]:
    lines = (TABLES / f"{language}.txt").read_text("utf-8").splitlines()
    pairs = [line.split(" = ") for line in lines]
    return [(name, NEUTRAL[language] if form == "-" else FRAMES[language].format(form)) for name, form in pairs]


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_as_people_write_them(language: str) -> None:
    table = rows(language)
    assert len(table) >= 60
    wrong = {name: (given, wanted) for name, wanted in table if (given := greeting(name, language)) != wanted}
    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [None, "", " ", "\n", "...", "🙂", "\ud800", "\x1b[31mJana", "Jana\u202e", "{first}"])
def test_no_name_and_no_real_name_get_the_neutral_greeting(language: str, name: str | None) -> None:
    assert greeting(name, language) == NEUTRAL[language]


def test_a_language_that_the_desk_does_not_know_is_greeted_in_english() -> None:
    assert greeting("Anna", "fr") == "Hello Anna,"
    assert greeting(None, "other") == greeting(None, "") == "Hello,"


@given(name=st.text(max_size=120), language=st.sampled_from(LANGUAGES))
def test_never_raises_and_stays_one_safe_line(name: str, language: str) -> None:
    line = greeting(name, language)
    assert line == one_line(line)
    assert line[-1] in ",!"
    assert len(line) < 140


ALL_NAMES = sorted({name for language in LANGUAGES for name, _ in rows(language)})


@given(words=st.lists(st.sampled_from(ALL_NAMES), min_size=1, max_size=4), language=st.sampled_from(LANGUAGES))
def test_real_names_in_any_mixture_never_raise(words: list[str], language: str) -> None:
    line = greeting(" ".join(words), language)
    assert "{" not in line
    assert "?" not in line


@given(name=st.sampled_from(ALL_NAMES), language=st.sampled_from(LANGUAGES))
def test_blanks_around_and_within_a_name_do_not_matter(name: str, language: str) -> None:
    assert greeting(f"  {name.replace(' ', '   ')}\n", language) == greeting(name, language)


def test_a_flood_is_no_name_and_costs_nothing() -> None:
    started = time.process_time()
    assert greeting("Jana " * 1_000_000, "cs") == "Dobrý den,"
    assert greeting("J" * 1_000_000, "cs") == "Dobrý den,"
    assert time.process_time() - started < 1

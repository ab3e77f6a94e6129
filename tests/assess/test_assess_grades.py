"""Grades within texts: what is one, what only looks like one, and what they weigh."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.assess import Assessable, Assessor, weights
from reviewdesk.assess.grades import NOTE, grades_in
from reviewdesk.assess.tokens import tokens_of
from reviewdesk.model import Assessment

FIVE, ONE = weights.STARS[5.0] * weights.GRADE, weights.STARS[1.0] * weights.GRADE


def shares(text: str) -> list[float]:
    return [hit.share for hit in grades_in(tokens_of(text))]


def assess(text: str, language: str) -> Assessment:
    (found,) = Assessor().assess([Assessable(text=text, language=language)])
    return found


@pytest.mark.parametrize(
    "text",
    [
        "10/10",
        "Za mě 10 / 10!",
        "5/5",
        "100/100",
        "11/10",
        "Rychle doručeno 10/10",
        "5*",
        "Dávám 5⭐️",
        "★★★★★",
        "⭐️⭐️⭐️⭐️⭐️ super",
        "100 %",
        "A+++",
    ],
)
def test_all_points_weigh_as_five_stars_do(text: str) -> None:
    assert shares(text) == [FIVE]


@pytest.mark.parametrize("text", ["1/10", "0/5", "Nikdy více. 1/5", "2/10: nic moc", "1*", "★☆☆☆☆", "☆☆☆☆☆", "1 ★"])
def test_hardly_any_points_weigh_as_one_star_does(text: str) -> None:
    assert shares(text) == [ONE]


@pytest.mark.parametrize("text", ["⭐⭐", " ⭐️⭐️ ", "★★", "2*", "2/5"])
def test_two_of_five_blame_and_alone_they_need_not_be_five(text: str) -> None:
    assert shares(text) == [weights.STARS[2.0] * weights.GRADE]
    assert assess(text, "cs").label.value == "neg"


@pytest.mark.parametrize("text", ["5/5 fotky", "Fotky 5/5", "5* service", "5* cable", "Bild 10/10"])
def test_praise_of_parts_is_a_grade(text: str) -> None:
    assert shares(text) == [FIVE]


def test_what_lies_between_weighs_as_its_stars() -> None:
    assert shares("3/5") == [0.0]
    assert shares("★★★☆☆") == [0.0]
    assert 0 < shares("4/5")[0] < shares("4,5/5")[0] < shares("9.5/10")[0] < FIVE
    assert ONE < shares("2/5")[0] < 0


@pytest.mark.parametrize(
    "text",
    [
        "24/7",
        "1/5/2024",
        "5/10 mm",
        "Objednáno 3/10 ve vašem obchodě",
        "3*5",
        "4* hotel",
        "⭐ Novinka ⭐",
        "☆ Novinka ☆",
        "★☆",
        "http://example.com/1/5",
        "kód 12345/5",
        "12/5",
        "Baterie je nabitá na 100 %",
        "třída A+++ je drahá",
        "12:10/10:15",
        "Objednáno 1/5",
        "Zboží dorazilo 2/10.",
        "Bestellt am 8/10, alles gut",
        "Delivered on 10/10",
        "Part 1/5: how to choose boots",
        "Část 5/5",
        "Hotel 5* in Wien",
        "Foto 1/5",
        "Krok 2/5: našroubujte nohy",
        "díl 3/10",
        "2/5. lépés: csavarja fel",
        "1/5 Tasse Zucker",
        "1/5 of the bottle",
        "2* Batterie",
        "2* AA baterie",
        "⭐⭐ Novinka ⭐⭐",
    ],
)
def test_dates_sums_measures_and_ornaments_are_no_grades(text: str) -> None:
    assert shares(text) == []


@pytest.mark.parametrize("language", ["cs", "sk", "pl", "uk", "ru", "de", "hu", "en", "other"])
def test_they_are_read_in_every_language_and_told_as_a_reason(language: str) -> None:
    praise, blame = assess("10/10", language), assess("1/10", language)
    assert (praise.label.value, blame.label.value, blame.complaint) == ("pos", "neg", True)
    assert [(reason.evidence, reason.note) for reason in blame.reasons] == [("1/10", NOTE)]


@pytest.mark.parametrize("text", ["5/5 5/5 5/5 5/5 5/5", "★★★★★ " * 5])
def test_a_grade_that_is_said_again_and_again_counts_three_times(text: str) -> None:
    assert shares(text) == [FIVE] * 3


@given(st.text(alphabet="0159/*. ★☆⭐\ufe0f%A+a\n:", max_size=60))
def test_whatever_stands_there_spans_lie_in_the_text_and_do_not_overlap(text: str) -> None:
    at = 0
    for hit in grades_in(tokens_of(text)):
        assert at <= hit.start < hit.end <= len(text)
        assert ONE <= hit.share <= FIVE
        at = hit.end

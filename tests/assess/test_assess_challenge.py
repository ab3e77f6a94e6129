"""Sentences written for these tests, read without being told their language beyond the source's home."""

from functools import cache
from pathlib import Path

import pytest

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.folding import fold
from reviewdesk.model import Assessment

LANGUAGES = ["cs", "sk", "pl", "uk", "ru", "de", "hu", "en"]
# What must be right in each hundred, where it is more than ninety.
LEAST = {"cs": 95, "sk": 95, "uk": 95, "en": 95}


@cache
def sentences(name: str = "challenge.txt") -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for line in (Path(__file__).parent / name).read_text("utf-8").splitlines():
        if line.startswith("["):
            language = line[1:-1]
        elif line and not line.startswith("#"):
            label, _, text = line.partition(" ")
            found.setdefault(language, []).append((label, text))
    return found


@cache
def read(language: str, strip: bool = False) -> list[tuple[str, str, Assessment]]:
    rows = [(label, fold(text).text if strip else text) for label, text in sentences()[language]]
    read_as = Assessor().assess(Assessable(text=text, prior=language) for _, text in rows)
    return [(label, text, found) for (label, text), found in zip(rows, read_as, strict=True)]


def test_every_language_has_forty() -> None:
    assert set(sentences()) == set(LANGUAGES)
    assert all(len(rows) >= 40 for rows in sentences().values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_most_are_read_as_a_person_would(language: str) -> None:
    wrong = [(label, found.label.value, text) for label, text, found in read(language) if label != found.label]
    assert 100 * (1 - len(wrong) / len(read(language))) >= LEAST.get(language, 90), wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_few_complaints_are_missed_and_few_alarms_are_false(language: str) -> None:
    wrong = [(text, found.probability) for label, text, found in read(language) if found.complaint != (label == "neg")]
    assert 100 * (1 - len(wrong) / len(read(language))) >= LEAST.get(language, 95) - 5, wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_praise_and_blame_are_not_taken_for_each_other(language: str) -> None:
    opposite = [text for label, text, found in read(language) if {label, found.label.value} == {"neg", "pos"}]
    assert len(opposite) <= (1 if language in LEAST else 3), opposite


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_language_is_told(language: str) -> None:
    assert [text for _, text, found in read(language) if found.language != language] == []


@pytest.mark.parametrize("language", ["cs", "sk", "pl", "hu"])
def test_hardly_one_changes_without_accents(language: str) -> None:
    pairs = zip(read(language), read(language, strip=True), strict=True)
    changed = [text for (_, text, found), (_, _, bare) in pairs if found.label != bare.label]
    assert len(changed) <= 1, changed


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_and_requests_are_told_from_complaints(language: str) -> None:
    wants = [found.intent.value for label, text, found in read(language) if label == "neu" and text.endswith("?")]
    assert wants
    assert set(wants) == {"question"}


@pytest.mark.parametrize("language", sentences("misread.txt"))
def test_what_was_misread_once_is_read_right(language: str) -> None:
    rows = sentences("misread.txt")[language]
    read_as = Assessor().assess(Assessable(text=text, prior=language) for _, text in rows)
    said = [(label, label == "neg", text) for label, text in rows]
    assert [
        (as_read.label.value, as_read.complaint, row[2]) for as_read, row in zip(read_as, said, strict=True)
    ] == said

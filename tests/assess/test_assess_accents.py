"""Texts without their accents must be read alike; on real texts where there are any beside the project."""

import json
import unicodedata
from pathlib import Path

import pytest

from reviewdesk.assess import Assessable, Assessor
from reviewdesk.assess.sentiment import read_text

DEVELOPMENT = Path(__file__).parents[3] / "shared" / "sentiment-dev"


def bare(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


def macro_f1(gold: list[str], said: list[str]) -> float:
    total = 0.0
    for label in ("neg", "neu", "pos"):
        both = sum(one == other == label for one, other in zip(gold, said, strict=True))
        total += 2 * both / max(1, gold.count(label) + said.count(label))
    return total / 3


@pytest.mark.skipif(not DEVELOPMENT.exists(), reason="no development texts beside the project")
@pytest.mark.parametrize("language", ["cs", "hu", "pl"])
def test_stripped_accents_change_the_figure_by_a_hundredth_at_most(language: str) -> None:
    rows = [json.loads(line) for line in (DEVELOPMENT / f"{language}.jsonl").read_text("utf-8").splitlines()]
    gold = [row["label"] for row in rows]
    figures = []
    for texts in ([row["text"] for row in rows], [bare(row["text"]) for row in rows]):
        found = Assessor().assess(Assessable(text=text, language=language) for text in texts)
        figures.append(macro_f1(gold, [one.label.value for one in found]))
    assert abs(figures[0] - figures[1]) <= 0.0101


@pytest.mark.parametrize("text", ["NEFUNGUJE, ŠPATNÉ", "Nejlepší obchod, děkuji", "Už týden čekám, nikdo neodpovídá?"])
def test_case_and_accents_change_no_share_but_that_of_shouting(text: str) -> None:
    assert [hit.share for hit in read_text(text, "cs").hits] == [hit.share for hit in read_text(bare(text), "cs").hits]

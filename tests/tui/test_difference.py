"""What has changed is marked word for word, in any text."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from reviewdesk.model import Change, What
from reviewdesk.text import safe
from reviewdesk.tui.difference import CAME, WENT, marked, told
from tests.tui.conversations import NOW, around

words = st.lists(st.sampled_from(["a", "bad", "parcel", "not", "came", ".", "\n"]), max_size=8).map(" ".join)


def marks(content: object, style: str) -> list[str]:
    return [content.plain[span.start : span.end] for span in content.spans if span.style == style]  # type: ignore[attr-defined]


def test_the_words_that_went_and_came_are_marked_and_no_others() -> None:
    was, now = marked("The parcel never came at all.", "The parcel came late after all.")
    assert "".join(marks(was, WENT)).split() == ["never", "at"]
    assert "".join(marks(now, CAME)).split() == ["late", "after"]


@given(words, words)
def test_both_texts_are_shown_whole_where_they_are_short(before: str, after: str) -> None:
    was, now = marked(before, after)
    assert (was.plain, now.plain) == (safe(before), safe(after))
    if safe(before) == safe(after):
        assert not was.spans
        assert not now.spans


def test_of_long_texts_the_part_that_differs_is_shown() -> None:
    same = "lorem ipsum " * 120
    was, now = marked(f"{same}broken {same}", f"{same}mended {same}")
    assert was.plain.startswith("… ")
    assert was.plain.endswith(" …")
    assert marks(was, WENT) == ["broken"]
    assert marks(now, CAME) == ["mended"]
    assert len(was.plain) < 300


@given(
    st.text(st.characters(exclude_categories=()), max_size=300),
    st.text(st.characters(exclude_categories=()), max_size=300),
    st.integers(20, 120),
)
def test_whatever_the_texts_the_lines_fit_and_hold_nothing_unsafe(before: str, after: str, room: int) -> None:
    change = Change(what=What.EDITED, who=before, before=before, after=after, at=NOW - timedelta(hours=1))
    for line in told(change, around(), room):
        assert cell_len(line.plain) <= room + 1  # Textual counts some emoji as one cell less
        assert "\x1b" not in line.plain


@pytest.mark.parametrize("text", ["x" * 1_000_000, "word " * 200_000, "a\n" * 500_000])
def test_a_huge_difference_holds_nobody_up(text: str) -> None:
    spent = []
    for _ in range(3):
        start = time.process_time()
        told(Change(what=What.EDITED, before=text, after=text[::-1] + "y"), around(), 80)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.03

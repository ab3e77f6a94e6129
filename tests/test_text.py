from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reviewdesk.text import cut, fold, html_to_text, is_web_link, one_line, safe, same_text, spreadsheet_cell, width

# What the public may write, with all that is seldom and does harm made frequent.
NASTY = st.sampled_from(
    "\x00\x07\x1b\x7f\x85\x9b\u061c\u200b\u200d\u202e\u2066\u2028\ud800\udfff\ufeff\ufe0f\uffff\U000e0041\r\n\t "
    "\u0301\u0316\u0344\u0e47\u064b\u20dd\u0958\u3099が\u1100\u1161\u11a8\u115f\u3164각e\u0301ßŁłÅ℡ﷺ🇨🇿👨\u200d👩❤\ufe0f中"
)
TEXT = st.text(st.characters() | NASTY) | st.text(NASTY, max_size=60)


def marks_in_a_row(text: str) -> int:
    longest = run = 0
    for char in text:
        run = run + 1 if unicodedata.category(char) in ("Mn", "Me") and char != "\u034f" else 0
        longest = max(longest, run)
    return longest


class TestSafe:
    @given(TEXT)
    @example("a" + "\u0344" * 5)
    @example("\u1100" + "\u200b" * 3 + "\u1161")
    def test_twice_is_once(self, text: str) -> None:
        assert safe(safe(text)) == safe(text)

    @given(TEXT)
    def test_nothing_a_terminal_obeys(self, text: str) -> None:
        for char in safe(text):
            category = unicodedata.category(char)
            assert category not in ("Cs", "Zl", "Zp")
            assert category != "Cc" or char in "\t\n"
            assert unicodedata.bidirectional(char) not in (
                "LRE",
                "RLE",
                "LRO",
                "RLO",
                "PDF",
                "LRI",
                "RLI",
                "FSI",
                "PDI",
            )

    @given(TEXT)
    def test_encodes_and_is_in_nfc(self, text: str) -> None:
        assert safe(text).encode().decode() == safe(text)
        assert unicodedata.is_normalized("NFC", safe(text))

    @given(st.text(st.sampled_from("aе中\u0301\u0316\u0e47\u0e48\u064b\u05b0\u20dd\u0344\u200d\u034f"), max_size=80))
    def test_marks_are_bounded_in_every_script(self, text: str) -> None:
        assert marks_in_a_row(safe(text)) <= 4

    @given(st.text(st.sampled_from("x\u0301\u200d\u200b"), min_size=30, max_size=80))
    def test_invisible_characters_do_not_hide_a_flood(self, text: str) -> None:
        for letterless in safe(text).split("x"):
            assert sum(char == "\u0301" for char in letterless) <= 4

    @pytest.mark.parametrize(
        "text",
        [
            "Žluťoučký kůň\tpěl\nódy",
            "Їжак, ґанок, ёлка",
            "đường phố",
            "👨‍👩‍👧‍👦 ❤️ 🏴 🇨🇿 👍🏽",
            "ภาษาไทย ที่นี่",
            "שָׁלוֹם",
            "हिन्दी क्षेत्र",
            "“quotes” – dashes… № ½ €",
        ],
    )
    def test_honest_text_stays_as_it_is(self, text: str) -> None:
        assert safe(text) == unicodedata.normalize("NFC", text)

    @pytest.mark.parametrize("piece", ["\u0301\u0316", "a\u200b", "\x1b]0;", "…—“”", "\u0344"])
    def test_the_time_grows_with_the_text_and_not_with_its_square(self, piece: str) -> None:
        def seconds(characters: int) -> float:
            text = piece * (characters // len(piece))
            begun = time.process_time()
            safe(text)
            fold(text)
            same_text(text, text + "a")
            return time.process_time() - begun

        short, long = (min(seconds(each) for _ in range(2)) for each in (10_000, 80_000))
        assert long < 30 * short, "eight times the text; its square would be 64"


class TestOneLine:
    @given(TEXT)
    def test_is_one_line_and_stays_so(self, text: str) -> None:
        line = one_line(text)
        assert len(line.splitlines()) <= 1
        assert one_line(line) == line == line.strip()
        assert "  " not in line


class TestFold:
    @pytest.mark.parametrize(
        ("text", "folded"),
        [
            ("Žádné", "zadne"),
            ("ZŁODZIEJ", "zlodziej"),
            ("Straße", "strasse"),
            ("Ї Ґ Ё Й", "і ґ е и"),
            ("hülye ő", "hulye o"),
            ("℡", "tel"),
            ("ﬁn", "fin"),
        ],
    )
    def test_known(self, text: str, folded: str) -> None:
        assert fold(text) == folded

    @given(TEXT)
    def test_twice_is_once(self, text: str) -> None:
        assert fold(fold(text)) == fold(text)

    @given(TEXT)
    def test_composition_does_not_count(self, text: str) -> None:
        text = safe(text)
        assert fold(unicodedata.normalize("NFD", text)) == fold(text)


class TestSameText:
    @given(TEXT)
    def test_a_text_is_itself_in_any_form(self, text: str) -> None:
        text = safe(text)
        assert same_text(text, unicodedata.normalize("NFD", text))
        assert same_text(text, f"  {text}\r\n")

    def test_other_words_are_other(self) -> None:
        assert not same_text("Děkujeme!", "Dekujeme!")


class TestCut:
    @given(TEXT, st.integers(-1, 40))
    def test_fits(self, text: str, cells: int) -> None:
        line = cut(text, cells)
        assert width(line) <= max(0, cells)
        assert len(line.splitlines()) <= 1

    @given(TEXT, st.integers(1, 40))
    def test_says_when_something_is_left_out(self, text: str, cells: int) -> None:
        line = cut(text, cells)
        assert line == one_line(text) or line.endswith("…")

    @given(TEXT)
    def test_what_fits_is_whole(self, text: str) -> None:
        line = one_line(text)
        if len(line) < 64:
            assert cut(line, max(1, width(line))) == line

    def test_an_emoji_is_not_torn_apart(self) -> None:
        assert cut("👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", 5) == "👨‍👩‍👧👨‍👩‍👧…"
        assert cut("❤️" * 5, 4) == "❤️…"

    def test_looks_at_no_more_than_it_shows(self) -> None:
        begun = time.process_time()
        for _ in range(100):
            cut("ž" * 1_000_000, 40)
        assert time.process_time() - begun < 2

    def test_width_of_what_has_none(self) -> None:
        assert width("\u200b") == 0
        assert width("č\t") == 2


class TestWebLink:
    @pytest.mark.parametrize("url", ["https://heureka.cz/a?b=1#c", "http://127.0.0.1:8801/x", "https://ex.cz/ž"])
    def test_opened(self, url: str) -> None:
        assert is_web_link(url)

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "https://",
            "http:heureka.cz",
            "https://good.cz\\@evil.cz/",
            "https://good.cz/\n@evil.cz",
            "https://go\tod.cz/",
            "https://good.cz/a b",
            "https://good.cz/a\u00a0b",
            "https://good.cz/\u202egro.live",
            "https://good.cz:port/",
            "https://[::1",
            " https://good.cz/",
        ],
    )
    def test_not_opened(self, url: str) -> None:
        assert not is_web_link(url)

    @given(TEXT)
    def test_never_raises(self, text: str) -> None:
        is_web_link(text)
        is_web_link("https://" + text)


class TestSpreadsheetCell:
    @pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1+1"])
    def test_formulas_become_text(self, text: str) -> None:
        assert spreadsheet_cell(text) == "'" + text

    @given(TEXT)
    def test_nothing_is_lost(self, text: str) -> None:
        assert spreadsheet_cell(text).removeprefix("'") == text.removeprefix("'")


class TestHtml:
    @pytest.mark.parametrize(
        ("html", "text"),
        [
            ("<p>Jedna</p><p>dvě&nbsp;&amp; tři</p>", "Jedna\n\ndvě\xa0& tři"),
            ("a<br>b<br/>c", "a\nb\nc"),
            ("<ul><li>a</li><li>b</li></ul>", "- a\n\n- b"),
            ("x<script>alert('</p>')</script>y", "xy"),
            ("<head><title>t</title><body>text", "text"),
            ("5 < 6 & 7 > 3, srdce <3", "5 < 6 & 7 > 3, srdce <3"),
            ("<img alt='srdce'>", "srdce"),
            ("&#x1F600; &eacute; &unknown;", "😀 é &unknown;"),
            ("a <!-- b --> c", "a c"),
            ("", ""),
            ("<!-- only -->", ""),
            ("before <![ after", "before"),
            ("<meta charset='iso-8859-2'>ž", "ž"),
        ],
    )
    def test_known(self, html: str, text: str) -> None:
        assert html_to_text(html) == text

    @given(TEXT | st.text(st.sampled_from("<>/!-&;'\"=ap \n[]"), max_size=60))
    def test_never_raises_and_has_no_blank_ends(self, html: str) -> None:
        text = html_to_text(html)
        assert text == text.strip()
        assert "\n\n\n" not in text

    @given(st.text(st.characters(blacklist_characters="<>&", blacklist_categories=["Cs", "Cc"])))
    def test_plain_text_passes(self, text: str) -> None:
        assert html_to_text(text).split() == safe(text).split()

    @pytest.mark.parametrize(
        "piece", ["<", "<p", "<!--", "<![", "&", "&#", "<p>", "</p>", "<a b='", "<script>", "]]>", "<b>", "<?"]
    )
    def test_a_megabyte_of_rubbish_takes_no_time(self, piece: str) -> None:
        begun = time.process_time()
        html_to_text(piece * (1_000_000 // len(piece)))
        assert time.process_time() - begun < 10

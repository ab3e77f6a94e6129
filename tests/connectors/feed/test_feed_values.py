"""Numbers, ratings, words for yes and no, dates and regular expressions: the transforms one by one."""

import contextlib
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk_connectors.feed import dates, patterns, values

PRAGUE = ZoneInfo("Europe/Prague")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4,5", 4.5), ("4.5", 4.5), ("1 234,50 Kč", 1234.5), ("1\u00a0234,5", 1234.5), ("1\u202f234", 1234),
        ("1,234.5", 1234.5), ("1.234,5", 1234.5), ("1.234.567", 1234567), ("−3", -3), ("-,5", -0.5), ("97 %", 97),
        ("rated 4 stars", 4), ("5.", 5), ("1'000", 1000),
    ],
)  # fmt: skip
def test_numbers(text, number):
    assert values.number(text) == number


@pytest.mark.parametrize("text", ["", "no", "-", ".", "½", "∞", "NaN"])
def test_what_is_no_number(text):
    with pytest.raises(ValueError, match="is no number"):
        values.number(text)


@given(st.floats(-1e9, 1e9), st.sampled_from([" ", "\u00a0", "\u202f", "\u2009", ""]))
def test_a_number_written_in_czech_is_read_back(number, blank):
    written = f"{number:,.2f}".replace(",", blank).replace(".", ",")
    assert values.number(written) == float(f"{number:.2f}")


@pytest.mark.parametrize(
    ("text", "scale", "rating"),
    [
        ("4", (), 4), ("4,5", (), 4.5), ("97 %", (), 4.88), ("0 %", (), 1), ("100%", (), 5), ("4 of 5", (), 4),
        ("4/5", (), 4), ("3 z 5", (), 3), ("2 из 5", (), 2), ("10 von 10", (), 5), ("8/10", (), 4.11),
        ("★★★★☆", (), 4), ("★★", (), 2), ("0", (), None), ("0/5", (), None), ("97", (0, 100), 4.88), ("-1", (-1, 1), 1),
        ("1", (-1, 1), 5), ("0", (-1, 1), 3), ("1", (5, 1), 5), ("6", (1, 6), 5),
    ],
)  # fmt: skip
def test_ratings(text, scale, rating):
    assert values.rating(text, scale) == rating


@pytest.mark.parametrize(
    ("text", "scale"), [("87", ()), ("-1", ()), ("101 %", ()), ("6/5", ()), ("bad", ()), ("3", (5, 10))]
)
def test_a_rating_outside_of_its_scale_is_not_guessed(text, scale):
    with pytest.raises(ValueError, match=r"outside|no number"):
        values.rating(text, scale)


@given(st.text(max_size=30), st.sampled_from([(), (0, 100), (1, 10), (-1, 1)]))
def test_a_rating_is_within_1_and_5_or_nothing(text, scale):
    try:
        rating = values.rating(text, scale)
    except ValueError:
        return
    assert rating is None or 1 <= rating <= 5


@pytest.mark.parametrize(("text", "truth"), [("Ano", True), ("ÁNO", True), ("tak", True), ("Ні", False), ("0", False),
                                             ("nein", False), ("Doporučuji", True)])  # fmt: skip
def test_yes_and_no(text, truth):
    assert values.boolean(text) is truth


def test_languages():
    told = {"cs-CZ": "cs", "cz": "cs", "UA": "uk", "de_AT": "de", "pol": "pl", "": None, "čeština": None}
    assert {text: values.language(text) for text in told} == told


@pytest.mark.parametrize(
    ("text", "formats", "moment"),
    [
        ("2026-11-23T10:00:00+01:00", (), (9, 0)), ("2026-11-23T10:00:00Z", (), (10, 0)),
        ("2026-11-23 10:00", (), (9, 0)), ("2026-11-23 10:00:00 CET", (), (9, 0)),
        ("2026-11-23 10:00:00 UTC", (), (10, 0)),
        ("Mon, 23 Nov 2026 10:00:00 +0100", (), (9, 0)), ("Mon, 23 Nov 2026 10:00:00 GMT", (), (10, 0)),
        ("Mon, 23 Nov 2026 10:00:00 CEST", (), (8, 0)), ("Mon, 23 Nov 2026 10:00:00 EST", (), (15, 0)),
        ("23 Nov 2026 10:00:00", (), (9, 0)), ("23.11.2026 10:00", (), (9, 0)), ("1795428000", (), (10, 0)),
        ("1795428000123", (), (10, 0)),
        ("23. listopadu 2026 v 10:00", ("%d. %B %Y v %H:%M",), (9, 0)),
        ("23. novembra 2026, 10.00", ("%d. %B %Y, %H.%M",), (9, 0)),
        ("23 listopada 2026 10:00", ("%d %B %Y %H:%M",), (9, 0)),
        ("23 листопада 2026 10:00", ("%d %B %Y %H:%M",), (9, 0)),
        ("23 ноября 2026 10:00", ("%d %B %Y %H:%M",), (9, 0)),
        ("2026. november 23. 10:00", ("%Y. %B %d. %H:%M",), (9, 0)),
        ("Mo., 23. Nov. 2026 10:00 MEZ", ("%a, %d. %b %Y %H:%M %Z",), (9, 0)),
        ("11/23/26 10:00 PM", ("%m/%d/%y %I:%M %p",), (21, 0)),
        ("12:00 AM 24.11.2026", ("%I:%M %p %d.%m.%Y",), (23, 0)),
        ("23.11.2026 10:00:00,5 +01:00", ("%d.%m.%Y %H:%M:%S,%f %z",), (9, 0)),
        ("1795428000", ("epoch_s",), (10, 0)),
    ],
)  # fmt: skip
def test_dates(text, formats, moment):
    read = dates.read(text, [dates.reader(each) for each in formats or dates.DEFAULT_FORMATS], PRAGUE)
    assert (read.year, read.month, read.day, read.hour, read.minute) == (2026, 11, 23, *moment)
    assert read.tzinfo is UTC


def test_milliseconds_that_look_like_a_day_and_a_time_are_milliseconds():
    formats = [dates.reader(each) for each in dates.DEFAULT_FORMATS]
    assert dates.read("1790120112345", formats, PRAGUE).isoformat() == "2026-09-22T23:35:12.345000+00:00"
    assert dates.read("20261123", formats, PRAGUE).year == 2026


def test_the_names_of_the_months_do_not_contradict_each_other():
    months: dict[str, set[int]] = {}
    for number, names in enumerate(dates._MONTHS.split(","), 1):
        for name in names.split():
            months.setdefault(dates.fold(name), set()).add(number)
    assert {name: numbers for name, numbers in months.items() if len(numbers) > 1} == {}
    assert set().union(*months.values()) == set(range(1, 13))


@pytest.mark.parametrize(
    "text", ["", "yesterday", "31.02.2026 10:00", "2026-13-01", "99999999999999999999", "23 smrsť 2026", "1e400", "nan"]
)
def test_what_is_no_date(text):
    with pytest.raises(ValueError, match="is no date"):
        dates.read(text, [dates.reader(each) for each in (*dates.DEFAULT_FORMATS, "epoch_s", "epoch_ms")], PRAGUE)


@given(st.text(max_size=60))
def test_no_text_breaks_the_dates(text):
    with contextlib.suppress(ValueError):
        assert dates.read(text, [dates.reader(each) for each in dates.DEFAULT_FORMATS], PRAGUE).tzinfo is UTC


@given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
def test_every_date_is_read_back(moment):
    formats = [dates.reader(each) for each in dates.DEFAULT_FORMATS]
    assert dates.read(moment.isoformat(), formats, PRAGUE) == moment
    assert dates.read(f"{moment:%a, %d %b %Y %H:%M:%S} +0000", formats, PRAGUE) == moment.replace(microsecond=0)
    pattern = "%d.%m.%Y %H:%M:%S.%f %z"
    assert dates.read(moment.strftime(pattern), [dates.reader(pattern)], PRAGUE) == moment


@pytest.mark.parametrize("format", ["", "isoo", "%q", "%H:%M", "%d %d", "%d %m %Y %"])
def test_a_format_that_cannot_be(format):
    with pytest.raises(ValueError, match=r"date format|there is no"):
        dates.reader(format)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "((a|b)*)",
        "(?:a|aa)+(b)",
        "(x)(?:a*)*",
        "(?P<n>(?:a+){2,}b)",
        "((?:ab?)+)",
        "(a",
        "a",
        "(a)(b)",
        "([a-z]+)*",
    ],
)
def test_a_pattern_that_can_run_away_or_has_no_single_group_is_refused(pattern):
    with pytest.raises(ValueError, match="regular expression"):
        patterns.one_group(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "group"),
    [
        (r"order no\. (\d+)", "My order no. 4711!", "4711"), (r"^\s*([^(]+?)\s*\(", "Jana N. (Praha)", "Jana N."),
        (r"(?i)rating: (?:about )?(\d)", "RATING: about 4", "4"), (r"[)(+*]([a-z]{2,3})\)", "(abc)", "abc"),
        (r"(\d+)$", "no digits", None), (r"(?<=#)(\w+)", "#tag", "tag"), (r"\((\d{1,3})\)", "(42)", "42"),
    ],
)  # fmt: skip
def test_patterns(pattern, text, group):
    assert patterns.one_group(pattern)(text) == group


@pytest.mark.parametrize(
    "pattern", [r"(.*).*.*.*=", r"(\w+)\s*\w+\s*\w+!", "(" + "a?" * 25 + "a" * 25 + ")", r"(x*)x*x*y"]
)
def test_the_worst_text_costs_little(pattern):
    search = patterns.one_group(pattern)
    started = time.process_time()
    for text in ("a" * 100_000, "x" * 100_000, " " * 100_000):
        search(text)
    assert time.process_time() - started < 6

from importlib import resources

import pytest

from reviewdesk.assess.folding import fold
from reviewdesk.assess.language import known_languages, lexicon_of
from reviewdesk.assess.lexicon import Lexicon, lexicon, read
from reviewdesk.assess.sentiment import read_text
from reviewdesk.assess.signs import signs
from reviewdesk.errors import ReviewdeskError
from reviewdesk.model import Severity, Topic

FILES = sorted({name for code in known_languages() if (name := lexicon_of(code))})


@pytest.mark.parametrize("name", FILES)
def test_every_language_file_can_be_read_and_is_within_the_scale(name: str) -> None:
    file = resources.files("reviewdesk.assess") / "languages" / f"{name}.toml"
    data = read(name, file.read_text("utf-8"))
    assert all(-4 <= group.valence <= 4 for group in (*data.words, *data.phrases))
    assert all(group.valence < 0 for group in data.phrases if group.severity), "a complaint phrase is never praise"
    assert data.grammar.negators
    for group in data.words:
        entries = group.entries.split()
        assert all(len(entry.rstrip("*!")) >= 2 for entry in entries), group.about


@pytest.mark.parametrize("name", [name for name in FILES if name != "en"])
def test_every_language_has_words_enough_to_begin_with(name: str) -> None:
    assert lexicon(name).size >= 300


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("[[words]]\nvalence = 1", "about"),
        ("[[word]]", "word"),
        ("words = [", "Invalid"),
        ('[[phrases]]\nabout = "a"\nvalence = -1\nentries = []\nseverity = "bad"', "bad"),
    ],
)
def test_a_slip_in_a_language_file_is_named(content: str, named: str) -> None:
    with pytest.raises(ReviewdeskError, match=named):
        read("xx", content)


def lexicon_with(phrase: str) -> Lexicon:
    return Lexicon(read("xx", f'[[phrases]]\nabout = "a test"\nvalence = -2\nentries = ["{phrase}"]'))


@pytest.mark.parametrize(
    ("phrase", "text", "matches"),
    [
        ("money .. back", "money i want it back", True),
        ("money .. back", "money one two three four five back", False),
        ("money back", "money is back", False),
        ("nobody|no_one answer*", "no one answered", True),
        ("nobody|no_one answer*", "nobody answers", True),
        ("nobody|no_one answer*", "no answers", False),
    ],
)
def test_phrases_match_with_gaps_and_alternatives(phrase: str, text: str, matches: bool) -> None:
    words = lexicon_with(phrase)
    known = [words.known[token] for token in text.split()]
    assert bool(known[0].phrases(known, 0, present=-1)) is matches


def test_of_alternatives_that_both_fit_the_first_one_counts_and_a_longer_one_before_it() -> None:
    words = lexicon_with("done .. same_day|next_week|day_next_week|same")
    known = [words.known[token] for token in ("done", "the", "same", "day", "next", "week")]
    assert [end for _, _, end in known[0].phrases(known, 0, present=-1)] == [6, 4, 6, 3]


def test_patterns_with_an_apostrophe_fit_words_with_and_without_it() -> None:
    known = lexicon("en").known
    assert known["won't"].says
    assert known["won't"].bits == known["wont"].bits == known["won’t"].bits != 0
    assert known["isn't"].negator


def test_words_that_vader_misreads_are_passed_over() -> None:
    from reviewdesk.assess.english import english_hits

    assert english_hits("hope my credit card is with the fan from Amazon") == []
    assert [hit.share > 0 for hit in english_hits("a lovely fan")] == [True]


@pytest.mark.parametrize("text", ["This is a scam, stay home.", "The site keeps crashing and I was charged twice."])
def test_a_plain_phrase_does_not_swallow_the_grave_complaint_it_runs_into(text: str) -> None:
    assert read_text(text, "en").severity is Severity.CRITICAL


def test_a_phrase_without_a_topic_takes_it_from_its_words() -> None:
    hits = read_text("Should have checked the price, the app logged me out.", "en").hits
    assert {hit.topic for hit in hits} >= {Topic.PRICE, Topic.WEBSITE}


def test_letters_drawn_out_are_drawn_back() -> None:
    assert lexicon("cs").known["superrrr"].valence > 0


def test_english_words_are_only_what_vader_does_not_know() -> None:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    ours = lexicon("en")
    both = [word for word in SentimentIntensityAnalyzer().lexicon if word.isalpha() and ours.known[word].valence]
    assert both == []


@pytest.mark.parametrize("name", ["cs", "en"])
def test_no_word_stands_in_two_groups_of_different_value(name: str) -> None:
    file = resources.files("reviewdesk.assess") / "languages" / f"{name}.toml"
    values: dict[str, set[float]] = {}
    for group in read(name, file.read_text("utf-8")).words:
        for entry in group.entries.split():
            values.setdefault(fold(entry).text, set()).add(group.valence)
    assert {entry: found for entry, found in values.items() if len(found) > 1} == {}


def test_superlatives_are_stronger_and_denied_words_are_turned_round() -> None:
    known = lexicon("cs").known
    assert known["nejochotnější"].valence > known["ochotný"].valence > 0 > known["nefunkčnost"].valence
    assert known["superrrr"].valence == known["super"].valence
    assert known["strašnýýýý"].valence == known["strašný"].valence


def test_every_sign_is_found_where_one_can_be() -> None:
    for sign in (*signs().emoticons, *signs().emoji):
        assert [hit for hit in read_text(f"a {sign} b", "cs").hits if hit.note in ("emoji", "emoticon")], sign


@pytest.mark.parametrize(("name", "word"), [("uk", "разочарование"), ("uk", "замечательный"), ("ru", "жахливий")])
def test_words_of_the_sister_language_are_known_too(name: str, word: str) -> None:
    assert lexicon(name).known[word].valence == lexicon("ru" if name == "uk" else "uk").known[word].valence != 0


def test_a_word_that_its_own_language_lists_for_nothing_is_not_looked_up_in_the_sister() -> None:
    assert lexicon("uk").known["благодаря"].valence != 0
    assert lexicon("ru").known["благодаря"].valence == 0


def test_a_word_that_both_sisters_know_is_worth_what_its_own_language_says() -> None:
    assert lexicon("uk").known["лютого"].valence == 0
    assert lexicon("uk").known["вродливий"].valence >= 0


def test_a_word_in_a_phrase_may_have_accents_that_matter() -> None:
    assert read_text("Das sieht schön aus.", "de").total == read_text("Das sieht schoen aus.", "de").total > 0
    assert read_text("Das sieht schon aus.", "de").total == 0

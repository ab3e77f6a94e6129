import math
import re
import subprocess
import sys
import time
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewdesk.assess import Assessable, Assessor, weights
from reviewdesk.assess.combine import compound
from reviewdesk.assess.fields import rating_reason
from reviewdesk.assess.folding import fold
from reviewdesk.assess.traits import Pieces, keys_of
from reviewdesk.model import Assessment, Intent, Label, Severity, Topic


def assess(text: str = "", **fields: object) -> Assessment:
    return next(iter(Assessor().assess([Assessable(text=text, **fields)])))  # type: ignore[arg-type]


COMPLAINTS = [
    ("cs", "Balík ještě nedorazil, už týden čekám.", Topic.DELIVERY),
    ("cs", "Kde je moje objednávka?", Topic.DELIVERY),
    ("cs", "zbozi prislo rozbite a nikdo neodpovida na maily", Topic.PRODUCT),
    ("sk", "Tovar stále neprišiel a nikto nedvíha telefón", Topic.DELIVERY),
    ("pl", "Nadal czekam na paczkę, brak odpowiedzi na maile", Topic.STAFF),
    ("pl", "Produkt nie działa, reklamację odrzucono", Topic.RETURNS),
    ("uk", "Посилка так і не прийшла, чекаю вже місяць", Topic.DELIVERY),
    ("ru", "Пришёл брак, возврат не принимают", Topic.PRODUCT),
    ("de", "Paket ist immer noch nicht angekommen, niemand antwortet", Topic.DELIVERY),
    ("hu", "Három hete várok, nem érkezett meg a csomag", Topic.DELIVERY),
    ("en", "Still waiting for my parcel, nobody answers", Topic.DELIVERY),
]
PRAISE = [
    ("cs", "Vše v pořádku, rychlé dodání, doporučuji"),
    ("cs", "Nikdy jsem neměla žádný problém, jen chválit"),
    ("sk", "Všetko super, rýchle dodanie, odporúčam"),
    ("pl", "Świetny sklep, szybka dostawa, polecam"),
    ("uk", "Дуже задоволена, все прийшло швидко, рекомендую"),
    ("ru", "Отличный магазин, всё пришло быстро, рекомендую)))"),
    ("de", "Schöne Ware, schnelle Lieferung, gerne wieder"),
    ("hu", "Nagyon elégedett vagyok, gyors szállítás, csak ajánlani tudom"),
    ("en", "Great shop, fast delivery, would order again"),
]
THREATS = [
    ("cs", "Peníze mi nevrátili, obrátím se na ČOI"),
    ("sk", "Peniaze nevrátili, podávam podnet na SOI"),
    ("pl", "Nie oddali pieniędzy, zgłaszam sprawę do UOKiK"),
    ("uk", "Гроші не повернули, пишу скаргу в поліцію"),
    ("ru", "Деньги не вернули, подам в суд"),
    ("de", "Geld nicht zurück erhalten, ich gehe zum Anwalt"),
    ("hu", "Nem adták vissza a pénzt, feljelentést teszek"),
    ("en", "They never gave my money back, I will contact a lawyer"),
]


@pytest.mark.parametrize(("language", "text", "topic"), COMPLAINTS)
def test_complaints_are_found_in_every_language_with_their_topic(language: str, text: str, topic: Topic) -> None:
    found = assess(text, prior=language)
    assert (found.language, found.complaint, found.label) == (language, True, Label.NEGATIVE)
    assert topic in found.topics
    assert any(reason.note == "complaint phrase" for reason in found.reasons)


@pytest.mark.parametrize(("language", "text"), PRAISE)
def test_praise_is_no_complaint(language: str, text: str) -> None:
    found = assess(text, prior=language)
    assert (found.complaint, found.label, found.severity) == (False, Label.POSITIVE, Severity.NONE)


@pytest.mark.parametrize(("language", "text"), THREATS)
def test_threats_and_lost_money_are_critical(language: str, text: str) -> None:
    assert assess(text, prior=language).severity is Severity.CRITICAL


@pytest.mark.parametrize("text", [text for _, text, _ in COMPLAINTS] + [text for _, text in PRAISE])
def test_missing_accents_change_nothing(text: str) -> None:
    with_accents = assess(text, language="de" if "ß" in text or "ö" in text else None)
    bare = "".join(fold(char).text.upper() if char.isupper() else fold(char).text for char in text)
    assert with_accents.complaint == assess(bare, language=with_accents.language).complaint


def test_an_ordinary_question_is_neutral() -> None:
    found = assess("Máte i modré tričko, a je dobré?", prior="cs")
    assert (found.label, found.complaint) == (Label.NEUTRAL, False)


def test_thanks_count_nothing_beside_a_complaint() -> None:
    assert assess("Dobrý den, kde je moje zásilka? Děkuji předem.", prior="cs").label is Label.NEGATIVE


def test_a_word_whose_accents_matter_is_not_its_bare_twin() -> None:
    assert (
        assess("schön und praktisch gemacht", language="de").compound
        > assess("schon und praktisch gemacht", language="de").compound
    )  # type: ignore[operator]
    assert assess("Sehr schoen, danke", language="de").label is Label.POSITIVE


@pytest.mark.parametrize("stars", [1, 1.5, 2])
def test_one_and_two_stars_are_always_a_complaint(stars: float) -> None:
    assert assess("Super, skvělé, doporučuji", rating=stars, prior="cs").complaint
    assert assess("", rating=stars).complaint


def test_five_stars_with_full_cons_is_praise() -> None:
    found = assess("", rating=5.0, cons=("drahá doprava", "pomalé dodání", "nekvalitní obal"), prior="cs")
    assert (found.complaint, found.label) == (False, Label.POSITIVE)


@pytest.mark.parametrize(
    ("language", "none"),
    [
        ("cs", "žádné"),
        ("cs", "zatim zadne"),
        ("cs", "nic."),
        ("sk", "žiadne"),
        ("pl", "brak"),
        ("uk", "немає"),
        ("ru", "нет"),
        ("de", "keine"),
        ("hu", "nincs"),
        ("en", "none"),
        ("uk", "Не виявлено"),
        ("cs", "-"),
        ("pl", "N/A"),
    ],
)
def test_none_among_the_cons_is_no_evidence(language: str, none: str) -> None:
    with_none = assess("", cons=(none,), rating=4.0, language=language)
    assert with_none.compound == assess("", rating=4.0, language=language).compound
    assert not assess("", cons=(none,), language=language).complaint


def test_filled_cons_lower_the_score_but_never_make_an_alarm() -> None:
    plain = assess("Zboží přišlo.", prior="cs")
    filled = assess(
        "Zboží přišlo.", cons=("obal", "barva", "drahá doprava", "špatný návod", "hrozný zápach"), prior="cs"
    )
    assert filled.compound < plain.compound  # type: ignore[operator]
    assert not filled.complaint


def test_fury_under_five_stars_is_shown_and_not_averaged_away() -> None:
    found = assess("Strašný obchod, zboží rozbité, nikdo neodpovídá, nikdy více!", rating=5.0, prior="cs")
    assert (found.complaint, found.label) == (True, Label.NEGATIVE)
    assert any(reason.field == "rating" and "disagree" in reason.note for reason in found.reasons)


@pytest.mark.parametrize("rating", [4.0, 5.0])
@pytest.mark.parametrize(
    "fields",
    [
        {"text": "Podvodníci"},
        {"text": "Balík nedorazil."},
        {"text": "Skvělý obchod, super, výborné zboží, doporučuji. Peníze mi ale nevrátili."},
        {"text": " ".join(f"Skvělé, super, výborné, úžasné {word}." for word in "abcdef") + " Balík nedorazil."},
        {"title": "Podvodníci"},
        {"cons": ("Podvodníci",)},
        {"cons": ("zboží nedorazilo",)},
        {"text": "Skvělý obchod, super, doporučuji.", "cons": ("zboží nedorazilo",)},
    ],
)
def test_grave_complaint_phrases_and_good_stars_disagree(rating: float, fields: dict[str, Any]) -> None:
    found = assess(rating=rating, language="cs", **fields)
    assert found.unsure
    assert any(reason.field == "rating" and "disagree" in reason.note for reason in found.reasons)
    assert found.compound == pytest.approx(compound(math.fsum(reason.share for reason in found.reasons)))


def test_a_critical_phrase_among_the_cons_leaves_no_praise_of_good_stars() -> None:
    found = assess("", rating=5.0, cons=("Podvodníci",), language="cs")
    assert (found.complaint, found.severity, found.label) == (True, Severity.CRITICAL, Label.NEUTRAL)
    assert not assess("", rating=5.0, cons=("pomalé dodání",), language="cs").unsure


@pytest.mark.parametrize("stars", [1.0, 2.0])
@pytest.mark.parametrize("times", [1, 2, 5])
def test_praise_beside_one_or_two_stars_is_no_praise(stars: float, times: int) -> None:
    found = assess("Skvělé, super, výborné, doporučuji! " * times, rating=stars, language="cs")
    assert (found.complaint, found.label, found.unsure) == (True, Label.NEUTRAL, True)


def test_vaders_words_are_not_asked_about_other_languages() -> None:
    assert assess("die Ware war da", language="de").compound == 0.0
    assert assess("po ty ez", language="cs").compound == 0.0


def test_a_wrong_word_of_the_platform_gives_way_to_the_text() -> None:
    assert assess("Zboží přišlo rozbité a nikdo mi neodpovídá na e-maily.", language="en").language == "cs"
    assert assess("Товар прийшов швидко, дякую, все добре", language="cs").language == "uk"


def test_slovak_and_czech_are_scored_alike() -> None:
    text = "Super, rychle, v pohode"
    assert assess(text, language="cs").compound == assess(text, language="sk").compound


def test_nothing_readable_is_unknown_not_neutral() -> None:
    assert assess("").compound is None
    assert assess("这个产品非常好").compound is None
    assert assess("", cons=("žádné",), prior="cs").compound is None


def test_a_link_is_no_sad_face() -> None:
    assert assess("Objednal jsem tady http://example.com/cesta", prior="cs").compound == 0.0


def test_emoji_have_their_own_values_in_english_too() -> None:
    assert assess("the 👎", language="en").label is Label.NEGATIVE
    assert assess("a phone 👍", language="en").label is Label.POSITIVE
    assert assess("😡🤬", prior="hu").label is Label.NEGATIVE


@cache
def vader() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


@pytest.mark.parametrize(
    "text",
    [
        "The lens is not very GOOD, but the case is great!!!",
        "I never so loved a phone, at least it isn't horrible :)",
        "Kind of slow; without doubt the worst camera I have EVER had??",
        "It is the shit, no good or bad ass thing. Sux!",
    ],
)
def test_english_words_score_as_in_vader(text: str) -> None:
    from reviewdesk.assess.english import english_hits

    total = sum(hit.share for hit in english_hits(text))
    expected = vader().polarity_scores(text)["compound"]
    assert total / math.sqrt(total * total + 15) == pytest.approx(expected, abs=1e-4)


VADER_WORDS = [
    "good",
    "BAD",
    "not",
    "never",
    "so",
    "this",
    "very",
    "kind",
    "of",
    "but",
    "no",
    "least",
    "at",
    "or",
    ":)",
]
VADER_WORDS += [
    "great!",
    "horrible?",
    "the",
    "shit",
    "bomb",
    "without",
    "doubt",
    "isn't",
    "SUX!!",
    "sort",
    "yeah",
    "right",
    "nor",
    "VERY",
    "hardly",
    "to",
    "die",
    "for",
    "badass",
    "ass",
    "kiss",
    "death",
    "beating",
    "heart",
    "bus",
    "damn",
    "BUT",
    "cannot",
    "COULDN'T",
]


@settings(deadline=None, max_examples=500)
@given(st.lists(st.sampled_from(VADER_WORDS), max_size=14))
def test_any_order_of_english_words_scores_as_in_vader(words: list[str]) -> None:
    test_english_words_score_as_in_vader(" ".join(words))


def test_one_fault_weighs_less_in_a_long_text_than_in_a_short_one() -> None:
    fault = "A zip je pomalý a drahý."
    story = "Koupili jsme to loni na podzim a od té doby s tím jezdíme každý víkend na chatu. " * 4
    short, long = assess(fault, language="cs").compound, assess(story + fault, language="cs").compound
    assert short is not None
    assert long is not None
    assert short < -0.05
    assert short < long <= 0


def seconds(text: str) -> float:
    assess("warm up, this is all good", language="en")
    start = time.process_time()
    assess(text, language="en")
    return time.process_time() - start


@pytest.mark.parametrize("text", ["good bad " * 4_500, "👍" * 4_000, "👎 " * 4_000 + "it is not good "])
def test_long_english_costs_little(text: str) -> None:
    assert min(seconds(text) for _ in range(3)) < 0.05


@pytest.mark.parametrize("piece", ["a", "nefunguje ", "( ", "!", ":", "\u0301", "x\u0301", "http://", "👍", " ", "не "])
def test_a_million_characters_take_under_a_tenth_of_a_second(piece: str) -> None:
    text = (piece * 1_000_000)[:1_000_000]

    def once() -> float:
        start = time.process_time()
        assess(text, title=text, cons=(text,) * 50)
        return time.process_time() - start

    assert min(once() for _ in range(3)) < 0.1


HOSTILE = st.text(st.characters(), max_size=80) | st.text(
    st.sampled_from("aeěnízř ():;=D<3👍😡❤️\u0301\x00\ud800\n!?.,'’-_İßﬁ не є"), max_size=80
)


@settings(max_examples=300, deadline=None)
@given(
    HOSTILE,
    HOSTILE,
    st.none() | st.floats(allow_nan=False),
    st.lists(HOSTILE, max_size=3),
    st.sampled_from([None, "cs", "en", "uk", "de", "fr", "?"]),
    st.none() | st.booleans(),
)
def test_nothing_written_breaks_it(
    text: str, title: str, rating: float | None, items: list[str], language: str | None, recommends: bool | None
) -> None:
    found = assess(
        text, title=title, rating=rating, cons=tuple(items), pros=tuple(items), language=language, recommends=recommends
    )
    assert found.compound is None or -1 <= found.compound <= 1
    assert 0 <= found.probability <= 1
    assert found.complaint == (found.probability >= 0.5) == (found.severity is not Severity.NONE)
    assert len(found.reasons) <= weights.REASONS_MOST
    for reason in found.reasons:
        if reason.start is not None and reason.end is not None:
            source = {"text": text, "title": title}[reason.field]
            assert 0 <= reason.start < reason.end <= len(source)
            assert source[reason.start : reason.end].startswith(reason.evidence)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "skvělé",
                "hrozné",
                "nedorazil",
                "ale",
                "velmi",
                "ne",
                "děkuji",
                "!",
                "?",
                "👍",
                ":(",
                "drahé",
                "podvod",
                "nikdy",
            ]
        ),
        max_size=40,
    )
)
def test_the_shares_sum_to_the_compound(words: list[str]) -> None:
    found = assess(" ".join(words), language="cs", rating=3.5)
    total = math.fsum(reason.share for reason in found.reasons)
    assert found.compound == pytest.approx(total / math.sqrt(total * total + weights.SQUASH), abs=1e-9)
    shares = [abs(reason.share) for reason in found.reasons if reason.note != "the rest together"]
    assert shares == sorted(shares, reverse=True)


def test_spans_hold_where_accents_are_written_as_marks() -> None:
    text = "Zboz\u030ci\u0301 nefunguje, s\u030cpatne\u0301"
    found = assess(text, language="cs")
    assert {text[reason.start : reason.end] for reason in found.reasons if reason.start is not None} >= {
        "nefunguje",
        "s\u030cpatne\u0301",
    }


UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufeff\ufffd"


@pytest.mark.parametrize("char", UNSEEN)
@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("cs", "Super obchod. Vůbec to nefunguje, balík NEDORAZIL, hrůza!!!"),
        ("cs", "Zboz\u030ci\u0301 nefunguje"),
        ("de", "Sehr schön, danke 👍"),
        ("en", "GREAT shop, isn't it? The lamp is terrible, but it never arrived!"),
        ("uk", "Жахливий магазин, ніхто не відповідає"),
        (None, "Nechápu, proč jste ještě neodpověděli, už týden řeším reklamaci"),
        (None, "Velmi dobrý obchod, všechno v pořádku. But the second order never arrived and nobody answers."),
    ],
)
def test_an_invisible_character_within_a_word_hides_nothing(char: str, language: str | None, text: str) -> None:
    hiding = re.sub(r"(?<=[^\W\d_])(?=[^\W\d_])", char, text)
    plain, found = assess(text, language=language), assess(hiding, language=language)
    assert hiding.count(char) > 10
    assert (found.language, found.compound, found.complaint) == (plain.language, plain.compound, plain.complaint)
    for one, other in zip(found.reasons, plain.reasons, strict=True):
        assert (one.share, one.note) == (other.share, other.note)
        if one.start is not None:
            assert hiding[one.start : one.end] == one.evidence
            assert one.evidence.replace(char, "") == other.evidence


def test_invisible_characters_alone_are_nothing_to_read() -> None:
    assert assess(UNSEEN, language="cs").compound is None


def test_words_with_invisible_characters_teach_and_are_taught_as_without() -> None:
    item = Assessable(text="ne\u200bfun\u00adguje")
    assert keys_of(item) == ["nefunguje"]
    place = Pieces(item).place("nefunguje")
    assert place is not None
    assert (place.evidence, place.start, place.end) == (item.text, 0, len(item.text))


@given(st.text(max_size=60))
def test_folding_keeps_the_way_back(text: str) -> None:
    folded = fold(text)
    ends = [folded.span(at, at + 1) for at in range(len(folded.text))]
    assert all(0 <= start < end <= len(text) for start, end in ends)


def test_vader_is_imported_with_the_first_english_text_and_words_when_met() -> None:
    script = (
        "import sys; from reviewdesk.assess import Assessable, Assessor; from reviewdesk.assess.lexicon import lexicon;"
        "assert 'vaderSentiment' not in sys.modules;"
        "list(Assessor().assess([Assessable(text='Dobrý den, zboží je v pořádku.')]));"
        "assert 'vaderSentiment' not in sys.modules and lexicon.cache_info().currsize == 1;"
        "list(Assessor().assess([Assessable(text='This is not good at all.')]));"
        "assert any(name.startswith('vaderSentiment') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        (
            "Магазин хороший, всё понравилось, большое спасибо. Але товар прийшов пошкоджений, ніхто не відповідає.",
            "хороший",
            "ніхто не відповідає",
        ),
        (
            "Velmi dobrý obchod, všechno v pořádku. But the second order never arrived and nobody answers.",
            "dobrý",
            "never arrived",
        ),
    ],
)
def test_each_sentence_is_read_in_its_own_language(text: str, good: str, bad: str) -> None:
    found = assess(text)
    assert any(good in reason.evidence and reason.share > 0 for reason in found.reasons)
    assert any(bad in reason.evidence and reason.share < 0 for reason in found.reasons)
    for reason in found.reasons:
        if reason.start is not None and reason.end is not None:
            assert text[reason.start : reason.end] == reason.evidence


@pytest.mark.parametrize(
    ("language", "text", "label"),
    [
        ("ru", "dengi ne vernuli", Label.NEGATIVE),  # "деньги": the soft sign is left out
        ("ru", "ochen dovolna", Label.POSITIVE),
        ("ru", "polnyj otstoy", Label.NEGATIVE),
        ("uk", "ne pratsyuye", Label.NEGATIVE),
        ("uk", "tovar ne otrymala", Label.NEGATIVE),
        ("uk", "Very good shop", Label.POSITIVE),
    ],
)
def test_short_texts_in_latin_letters_are_read_as_their_source_speaks(language: str, text: str, label: Label) -> None:
    (found,) = Assessor().assess([Assessable(text=text, language=language)])
    assert found.label is label


def test_words_in_latin_letters_are_looked_up_in_cyrillic() -> None:
    found = assess("uzhasnyj magazin, nikto ne otvechaet")
    assert (found.language, found.label, found.complaint) == ("ru", Label.NEGATIVE, True)


@pytest.mark.parametrize(
    ("language", "text", "intent"),
    [
        ("cs", "Chtěla bych se zeptat, zda máte i modrou", Intent.QUESTION),
        ("cs", "Prosím o zaslání faktury na e-mail", Intent.REQUEST),
        ("cs", "Skvělý obchod, moc děkuji", Intent.PRAISE),
        ("cs", "Balík nedorazil a nikdo neodpovídá", Intent.COMPLAINT),
        ("cs", "Vydělávejte 500 eur denně z domova, klikněte na odkaz http://example.com", Intent.SPAM),
        ("cs", "Jste banda debilů, táhněte do háje", Intent.ABUSE),
        ("en", "Earn 500 per day from home, click the link https://example.com", Intent.SPAM),
        ("en", "Please send me a copy of the invoice", Intent.REQUEST),
        ("de", "Ich wollte fragen, ob es das auch in blau gibt", Intent.QUESTION),
        ("pl", "Proszę o przesłanie faktury", Intent.REQUEST),
        ("uk", "Підкажіть, чи буде ще синій", Intent.QUESTION),
        ("ru", "Подскажите, будет ли ещё синий", Intent.QUESTION),
        ("hu", "Szeretném megkérdezni, lesz-e még kék", Intent.QUESTION),
        ("sk", "Prosím o zrušenie objednávky", Intent.REQUEST),
    ],
)
def test_what_the_writer_wants(language: str, text: str, intent: Intent) -> None:
    assert assess(text, prior=language).intent is intent


def test_thin_or_mixed_evidence_is_unsure_and_plain_words_are_not() -> None:
    assert assess("").unsure
    assert assess("Výborný telefon, krásný displej, ale hrozná baterka a strašný zvuk", language="cs").unsure
    assert assess("Strašný obchod, nikdo neodpovídá", rating=5.0, language="cs").unsure
    assert not assess("Strašný obchod, zboží nedorazilo, nikdo neodpovídá", language="cs").unsure
    assert not assess("Všechno v pořádku, velká spokojenost", language="cs").unsure


def test_praise_beside_a_grave_complaint_is_irony() -> None:
    assert assess("Super, už potřetí mi poslali rozbité zboží!", language="cs").label is Label.NEGATIVE
    assert assess("Great, the third broken one in a row arrived damaged", language="en").label is Label.NEGATIVE


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("cs", "Dobrý den, balík je už týden na cestě, můžete mi prosím říct, kde je?"),
        ("sk", "Dobrý deň, balík je už týždeň na ceste, viete mi povedať, kde je?"),
        ("pl", "Dzień dobry, paczka już tydzień jest w drodze, gdzie ona jest?"),
        ("uk", "Добрий день! Посилка вже тиждень у дорозі, підкажіть, будь ласка, де вона?"),
        ("ru", "Здравствуйте! Посылка уже неделю в пути, подскажите, пожалуйста, где она?"),
        ("de", "Guten Tag, das Paket ist seit einer Woche unterwegs, wo bleibt es?"),
        ("hu", "Jó napot, a csomag már egy hete úton van, hol van?"),
        ("en", "Hello, the parcel has been on its way for a week, can you tell me where it is?"),
    ],
)
def test_a_polite_question_after_a_parcel_that_is_late_is_a_complaint(language: str, text: str) -> None:
    (found,) = Assessor().assess([Assessable(text=text, language=language)])
    assert found.complaint


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("", "3 of 5 stars"),
        ("3", "3 of 5 stars"),
        ("3.0", "3 of 5 stars"),
        ("50 %", "50 % (3 of 5 stars)"),
        ("neutral", "neutral (3 of 5 stars)"),
    ],
)
def test_a_rating_is_told_in_stars_and_as_the_platform_wrote_it(raw: str, told: str) -> None:
    assert rating_reason(3.0, raw).evidence == told


@pytest.mark.parametrize(
    ("language", "text", "label"),
    [
        ("cs", "Krabice nebyla vůbec poškozená.", "pos"),
        ("cs", "Balík mi nikdy nepřišel.", "neg"),
        ("pl", "Paczka nie dotarła zardzewiała.", "neu"),
        ("pl", "Towar nie był poobijany.", "neu"),
        ("pl", "Telefon nie działa, uszkodzony ekran.", "neg"),
        ("pl", "Telefon nie działa uszkodzony ekran", "neg"),
    ],
)
def test_a_fault_is_denied_within_a_phrase_too(language: str, text: str, label: str) -> None:
    assert assess(text, prior=language).label.value == label


@pytest.mark.parametrize(("rating", "label"), [(None, "neg"), (2.0, "neg"), (3.0, "neu")])
def test_three_stars_doubt_a_little_more_blame_than_praise(rating: float | None, label: str) -> None:
    assert assess("Pěkné a kvalitní, ale drahé.", prior="cs", rating=rating).label.value == label


@pytest.mark.parametrize("rating", [None, 3.0])
def test_three_stars_do_not_hide_what_has_no_good_side(rating: float | None) -> None:
    assert assess("Hrozné, nefunguje to.", prior="cs", rating=rating).complaint

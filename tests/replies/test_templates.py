"""The bundled templates, the shop's own, and the order in which they are offered."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from reviewdesk.errors import ConfigError
from reviewdesk.model import LengthUnit, Purpose, Template, Topic
from reviewdesk.replies.checks import check_reply
from reviewdesk.replies.personalise import LANGUAGES, greeting
from reviewdesk.replies.render import FILTERS, VARIABLES, render
from reviewdesk.replies.templates import bundled, faults, from_toml, merged, suggest
from reviewdesk.replies.topics import TOPIC_WORDS

DOCS = Path(__file__).parents[2] / "docs" / "templates.md"


def own(
    name: str = "mine", language: str = "cs", purpose: Purpose = Purpose.THANK, topics: tuple[Topic, ...] = ()
) -> Template:
    return Template(name=name, language=language, purpose=purpose, title="Mine", body="Hi", topics=topics)


def test_each_language_has_a_word_for_every_topic() -> None:
    assert set(TOPIC_WORDS) == set(LANGUAGES)
    for words in TOPIC_WORDS.values():
        assert set(words) == set(Topic)
        assert len(set(words.values())) == len(Topic)


def test_each_language_has_the_same_templates_for_every_purpose() -> None:
    by_language = {
        language: [(each.name, each.purpose, each.topics) for each in bundled() if each.language == language]
        for language in LANGUAGES
    }
    assert len(by_language["cs"]) >= 12
    assert {purpose for _, purpose, _ in by_language["cs"]} == set(Purpose)
    assert all(listed == by_language["cs"] for listed in by_language.values())
    assert bundled() is bundled()


@pytest.mark.parametrize("template", bundled(), ids=lambda each: f"{each.language}-{each.name}")
def test_a_bundled_template_is_in_order_and_fit_to_send(template: Template) -> None:
    assert faults(template) == []
    values = dict.fromkeys(VARIABLES, "Xyz") | {
        "greeting": greeting("Anna", template.language),
        "contact": "a@b.cz",
    }
    for given in (values, {name: value for name, value in values.items() if name != "product"}):
        filled = render(template.body, given)
        assert not any(name in hole for hole in filled.holes for name in VARIABLES)
        text = re.sub(r"\[…[^]]*…\]", "fact", filled.text)
        assert check_reply(text, limit=1_000, unit=LengthUnit.UTF16, own_contacts=["a@b.cz"]) == []
        assert "  " not in text
        opening, body = text.split("\n\n", 1)
        # After a comma the sentence goes on; after an exclamation mark, and in English, a new one begins.
        assert body[0].islower() == (opening.endswith(",") and template.language != "en")


def test_public_templates_never_show_an_order_number() -> None:
    assert not any("order_id" in each.body for each in bundled())


def test_praise_gets_thanks_and_a_complaint_the_apology_for_its_topic() -> None:
    def first(**about: object) -> str:
        return suggest(bundled(), language="sk", **about)[0].name  # type: ignore[arg-type]

    assert first(topics=[], complaint=False, rating=5.0) == "thank-short"
    assert first(topics=[Topic.DELIVERY], complaint=False, rating=None) == "thank-short"
    assert first(topics=[Topic.DELIVERY], complaint=True, rating=1.0) == "apologise-delivery"
    assert first(topics=[Topic.PAYMENT, Topic.STAFF], complaint=True, rating=None) == "apologise-website"
    assert first(topics=[Topic.STAFF, Topic.PAYMENT], complaint=True, rating=None) == "apologise-staff"
    assert first(topics=[], complaint=True, rating=1.0) == "apologise-general"
    assert first(topics=[Topic.PRICE], complaint=False, rating=3.0) == "explain-price"


def test_the_language_comes_first_and_nothing_is_left_out() -> None:
    offered = suggest(bundled(), language="uk", topics=[Topic.PRODUCT], complaint=True, rating=1.0)
    assert sorted(offered, key=repr) == sorted(bundled(), key=repr)
    languages = [each.language for each in offered]
    assert set(languages[:15]) == {"uk"}
    assert "uk" not in languages[15:]
    assert len(suggest(bundled(), language=None, topics=[], complaint=True, rating=None)) == len(bundled())


def test_a_purpose_narrows() -> None:
    offered = suggest(bundled(), language="de", topics=[], complaint=True, rating=1.0, purpose=Purpose.DEFEND)
    assert {each.purpose for each in offered} == {Purpose.DEFEND}
    assert offered[0].language == "de"


def test_the_shops_own_replace_bundled_ones_of_the_same_name_and_language_and_go_before_others() -> None:
    mine = [own("thank-short"), own("mine")]
    offered = suggest([*bundled(), *mine], language="cs", topics=[], complaint=False, rating=5.0)
    assert offered[:3] == [*mine, next(each for each in bundled() if each.name == "thank-long")]
    assert len(merged([*bundled(), *mine])) == len(bundled()) + 1
    assert sum(each.name == "thank-short" for each in offered) == len(LANGUAGES)


def test_templates_are_read_from_toml() -> None:
    (read,) = from_toml(
        '[[template]]\nname = "mine"\npurpose = "explain"\ntitle = "Mine"\n'
        'topics = ["price"]\nbody = """\n{{ greeting }}\n"""',
        language="pl",
    )
    assert read == Template(
        name="mine", language="pl", purpose=Purpose.EXPLAIN, title="Mine", topics=(Topic.PRICE,), body="{{ greeting }}"
    )


def test_every_mistake_is_told_at_once() -> None:
    good = 'purpose = "thank"\ntitle = "T"\nbody = "x"\n'
    text = (
        f'[[template]]\nname = "Big Name"\n{good}[[template]]\nname = "a"\npurpose = "thnk"\ntitle = "T"\nbody = "x"\n'
        f'[[template]]\nname = "b"\n{good}[[template]]\nname = "b"\n{good}extra = 1\n[[template]]\nname = "b"\n{good}'
        '[[template]]\nname = "c"\npurpose = "ask"\ntitle = "T\\nU"\nbody = "{{ prodct }}"\n'
        '[[template]]\nname = "d"\npurpose = "ask"\ntitel = "T"\nbody = "{{ shopp }}"\n[other]\n'
    )
    with pytest.raises(ConfigError) as caught:
        from_toml(text, language="cs")
    told = "\n".join(caught.value.problems)
    for word in (
        "other",
        'templates:1: [[template]] "Big Name"',
        'found the text "thnk"',
        "extra",
        "twice",
        "title",
        "Did you mean “product”",
        "titel",
        "“shop”",
    ):
        assert word in told


@pytest.mark.parametrize("text", ["", "a = ", "template = 1", "template = [1]", "[template]\nname='x'"])
def test_what_is_no_list_of_templates_is_told(text: str) -> None:
    with pytest.raises(ConfigError):
        from_toml(text, language="cs")


def test_the_code_of_a_country_is_no_language() -> None:
    assert faults(own(language="cz")) == ["“cz” is a country and no language; write “cs”."]


@pytest.mark.parametrize("language", ["Czech", "CS", "", "cs\n"])
def test_the_language_is_a_code(language: str) -> None:
    assert "ISO 639-1" in faults(own(language=language))[0]


def test_the_docs_name_every_variable_filter_and_purpose() -> None:
    text = DOCS.read_text("utf-8")
    for word in [*VARIABLES, *FILTERS, *Purpose, *Topic]:
        assert f"`{word}`" in text, word
    for help in [*VARIABLES.values(), *FILTERS.values()]:
        assert help in text, help


def test_the_example_in_the_docs_works() -> None:
    examples = re.findall(r"```toml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert examples
    for example in examples:
        assert from_toml(example, language="en")


def test_the_room_imports_neither_jinja_nor_anything_that_does_io() -> None:
    code = (
        "import sys, reviewdesk.replies.templates;"
        "import reviewdesk.replies.checks;"
        "reviewdesk.replies.templates.bundled();"
        "heavy = {'jinja2', 'httpx', 'sqlite3', 'textual', 'click', 'reviewdesk.connector', 'reviewdesk.config'};"
        "print(*heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr

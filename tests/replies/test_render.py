"""Templates filled: holes, values that try to be templates, and everything that a template may not hold."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewdesk.errors import NotAllowed
from reviewdesk.replies.render import BODY_LIMIT, FILTERS, VALUE_LIMIT, VARIABLES, check_template, holes_in, render


def test_variables_are_filled() -> None:
    filled = render("{{ greeting }}\n\n{{ product }} od {{shop}}.", {"greeting": "Hi,", "product": "Mug", "shop": "S"})
    assert filled.text == "Hi,\n\nMug od S."
    assert filled.holes == ()


def test_what_has_no_value_stays_as_a_hole_that_a_person_sees() -> None:
    filled = render("{{ greeting }} {{ order_id }} {{ order_id }} […date…]", {"greeting": "Hi,", "order_id": "  "})
    assert filled.text == "Hi, […order_id…] […order_id…] […date…]"
    assert filled.holes == ("[…order_id…]", "[…date…]")


def test_filters_and_choices() -> None:
    body = (
        "{{ product | upper }} {{ topic | default('it') }}"
        "{% if order_id %} A{% elif product %} B{% else %} C{% endif %}"
    )
    assert check_template(body) == []
    assert render(body, {"product": "mug"}).text == "MUG it B"
    assert render(body, {"product": "mug", "order_id": "1"}).text == "MUG it A"
    assert render("{% if not product %}none{% endif %}", {}).text == "none"
    assert holes_in(render("{{ product | upper }}", {}).text)


def test_a_tag_on_a_line_of_its_own_leaves_no_empty_line_and_one_within_a_line_keeps_it() -> None:
    body = "one\n{% if product %}\ntwo\n{% endif %}\nthree{% if shop %}, four{% endif %}\nfive"
    assert render(body, {"product": "x"}).text == "one\ntwo\nthree\nfive"
    assert render("a\n\n{% if product %}{{ product }}{% endif %}\n\n\nb", {}).text == "a\n\nb"


@pytest.mark.parametrize("evil", ["{{ 7*7 }}", "{% for x in y %}", "{{ shop }}", "{# a #}", "{{ ''.__class__ }}"])
def test_a_value_is_never_read_as_a_template(evil: str) -> None:
    assert render("{{ author }}|{{ shop }}", {"author": evil, "shop": "SHOP"}).text == f"{evil}|SHOP"


def test_values_are_made_safe_one_line_and_short() -> None:
    author = "\x1b[31mEve\x00\n\n\u202eevil " + "x" * 1_000_000
    text = render("{{ author }}", {"author": author}).text
    assert "\x1b" not in text
    assert "\n" not in text
    assert "\u202e" not in text
    assert len(text) == VALUE_LIMIT
    assert render("{{ signature }}", {"signature": "Bye\nJana"}).text == "Bye\nJana"
    assert render("{{ product }}", {"product": "<b>&amp;</b>"}).text == "<b>&amp;</b>"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("a\n{{ produkt }}", "Line 2: there is no variable “produkt”. Did you mean “product”?"),
        ("{{ zzz }}", "There are: greeting"),
        ("{{ product", "Each {{ ends with }}"),
        ("a\nb {% if product %}", "Line 2"),
        ("{{ product | uper }}", "Did you mean “upper”?"),
        ("{{ product | map('x') }}", "no filter"),
        ("{{ product | upper(1) }}", "nothing in brackets"),
        ("{{ product | default }}", "one text"),
        ("{{ product | default(shop) }}", "one text"),
        ("{{ product | default('a', true) }}", "nothing in brackets|one text"),
        ("{% for x in product %}{{ x }}{% endfor %}", "a loop"),
        ("{{ product() }}", "a call"),
        ("{{ range(9999999) }}", "a call"),
        ("{{ product.__class__ }}", "made of"),
        ("{{ product['x'] }}", "made of"),
        ("{% include 'x' %}", "another template"),
        ("{% import 'x' as y %}", "another template"),
        ("{% extends 'x' %}", "another template"),
        ("{% macro m() %}x{% endmacro %}", "a macro"),
        ("{% set x = 1 %}", "setting a variable"),
        ("{% block x %}{% endblock %}", "a block"),
        ("{% filter upper %}x{% endfilter %}", "a filter block"),
        ("{{ 'x' * 99999999 }}", "cannot be used"),
        ("{{ 10 ** 10 ** 10 }}", "cannot be used"),
        ("{{ 'x' }}", "a constant"),
        ("{{ product if shop else topic }}", "a choice inside"),
        ("{% if product == shop %}x{% endif %}", "only ask whether"),
        ("{% if product and shop %}x{% endif %}", "only ask whether"),
        ("{% if prodct %}x{% endif %}", "Did you mean “product”?"),
        ("{% if product is defined %}x{% endif %}", "only ask whether"),
        ("{% if product %}" * 7 + "x" + "{% endif %}" * 7, "deep"),
        ("{{ product" + "|trim" * 50 + " }}", "filters in a row"),
        ("{{ " + "(" * 4000 + "product" + ")" * 4000 + " }}", "deep"),
        ("{{ " + "not " * 2400 + "product }}", "deep|cannot be used"),
        ("x" * (BODY_LIMIT + 1), "10,001"),
        ("{{ self }}", "no variable"),
        ("{{ loop }}", "no variable"),
        ("{{ _ }}", "no variable"),
        ("{% raw %}{{ x }}", "Line 1"),
        ("{{ product | default('{{') | attr('x') }}", "no filter"),
    ],
)
def test_what_a_template_may_not_hold_is_told_and_never_rendered(body: str, words: str) -> None:
    problems = check_template(body)
    assert any(word in " ".join(problems) for word in words.split("|")), problems
    with pytest.raises(NotAllowed, match="cannot be used"):
        render(body, {"product": "x"})


def test_every_problem_is_told_at_once() -> None:
    assert len(check_template("{{ a }}\n{{ b }}\n{% for x in c %}{% endfor %}")) == 3


def test_the_text_is_bounded() -> None:
    with pytest.raises(NotAllowed, match="20,000"):
        render("{{ shop }}" * 900, {"shop": "x" * 300})


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(["{{", "}}", "{%", "%}", " if ", " product ", "|", "endif", "("])).map("".join)
)
def test_any_body_is_checked_or_rendered_and_nothing_else_is_raised(body: str) -> None:
    if check_template(body):
        with pytest.raises(NotAllowed):
            render(body, {})
    else:
        assert isinstance(render(body, {}).text, str)


@given(st.dictionaries(st.sampled_from(sorted(VARIABLES)), st.text(max_size=500)))
def test_any_values_are_rendered(values: dict[str, str]) -> None:
    body = "".join(f"{{{{ {name} }}}}\n" for name in VARIABLES)
    assert "\x1b" not in render(body, values).text


def test_hostile_bodies_take_no_time() -> None:
    started = time.process_time()
    for body in ("{{ product }}" * 750, "{% if product %}{% endif %}" * 370, "{" * 9_999, "[…" * 4_999, " \n" * 5_000):
        check_template(body)
    assert time.process_time() - started < 3


def test_each_filter_named_to_people_works() -> None:
    for name in FILTERS:
        assert (
            check_template("{{ product | default('x') }}" if name == "default" else f"{{{{ product | {name} }}}}") == []
        )

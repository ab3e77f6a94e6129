"""A template's body filled with what is known of a mention.

A template may hold variables (`{{ product }}`), a few filters (`{{ product | default("…") }}`) and choices
(`{% if order_id %} … {% else %} … {% endif %}`), and nothing else: no loops, calls, attributes, includes or
macros. What has no value stays in the text as a hole, `[…product…]`, which a person fills; an author of templates
may write a hole of their own (`[…the date…]`). The public's words are values, and a value is never read as a template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from reviewdesk.errors import NotAllowed
from reviewdesk.model import Record
from reviewdesk.text import one_line, safe

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment

VARIABLES: Mapping[str, str] = {
    "greeting": "the opening line with the customer's name in the form that the language asks for",
    "author": "the customer's name as the platform shows it",
    "shop": "the shop's name",
    "agent": "the name of the person who replies",
    "signature": "the closing lines, may be several",
    "order_id": "the order's number, where the platform tells it; do not use it in public replies",
    "product": "the product that is reviewed",
    "topic": "what the mention is about, in a word",
    "contact": "how the customer reaches the shop in private: an e-mail address or a telephone number",
    "source_title": "the name of the page or feed on which the mention stands",
}
"""The variables of a template with a help text for each."""

FILTERS: Mapping[str, str] = {
    "capitalize": "the first letter large, the others small",
    "default": 'another text where there is no value: default("…")',
    "lower": "small letters",
    "trim": "without blanks around it",
    "upper": "capital letters",
}
"""The filters that a template may use, with a help text for each."""

BODY_LIMIT = 10_000
"""The longest body of a template, in characters."""
TEXT_LIMIT = 20_000
"""The longest filled text, in characters."""
VALUE_LIMIT = 300
"""The longest value of a variable, in characters; what is over it is cut."""

_SEVERAL_LINES = frozenset({"signature"})
_CHOICES_DEEP = 5
_FILTERS_IN_A_ROW = 3
_HOLE = re.compile(r"\[…[^\[\]\n]{0,80}\]|\[[^\[\]\n]{0,80}…\]")
_TAG_ON_ITS_OWN_LINE = re.compile(r"^[ \t]*(\{%[^%\n]*%\})[ \t]*\n", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")


class Rendered(Record, frozen=True, kw_only=True):
    """A filled template.

    Attributes:
        text: the words, holes included.
        holes: what a person still has to fill, as it stands in the text, each once, in order.
    """

    text: str
    holes: tuple[str, ...] = ()


def holes_in(text: str) -> tuple[str, ...]:
    """Gives the holes of a text as they stand in it (`[…order_id…]`), each once, in order."""
    return tuple(dict.fromkeys(_HOLE.findall(text)))


def render(template_body: str, values: Mapping[str, str]) -> Rendered:
    """Gives the template filled with `values`; a variable whose value is missing or blank becomes a hole.

    Each value is made safe, put on one line (the signature keeps its lines) and cut to `VALUE_LIMIT` characters.
    Runs of empty lines become one.

    Raises:
        NotAllowed: the body is no template (`check_template` names its problems), or the text would be longer than
            `TEXT_LIMIT` characters.
    """
    problems = check_template(template_body)
    if problems:
        raise NotAllowed(f"The template cannot be used: {problems[0]}", hint="Correct the template, then try again.")
    known = {name: value for name, raw in values.items() if (value := _value(name, raw))}
    parts, length = [], 0
    # Jinja's own trim_blocks would also join the next line to one that only ends in a tag.
    body = _TAG_ON_ITS_OWN_LINE.sub(r"\1", template_body)
    for part in _environment().from_string(body).generate(known):
        length += len(part)
        if length > TEXT_LIMIT:
            raise NotAllowed(
                f"The filled template would be longer than {TEXT_LIMIT:,} characters.", hint="Shorten the template."
            )
        parts.append(part)
    text = _BLANK_LINES.sub("\n\n", "".join(parts)).strip()
    return Rendered(text=text, holes=holes_in(text))


def check_template(body: str) -> list[str]:
    """Gives what is wrong with a template's body, one sentence each with its line; empty where it is in order."""
    if not body.strip():
        return ["The template is empty."]
    if len(body) > BODY_LIMIT:
        return [f"The template has {len(body):,} characters; {BODY_LIMIT:,} are allowed."]
    return list(_problems(body))


def _value(name: str, raw: str) -> str:
    head = raw[: VALUE_LIMIT * 4]
    clean = safe(head).strip() if name in _SEVERAL_LINES else one_line(head)
    return clean if len(clean) <= VALUE_LIMIT else clean[: VALUE_LIMIT - 1].rstrip() + "…"


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import Undefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Hole(Undefined):
        """A variable without a value: shown as a hole, false in a choice."""

        def __str__(self) -> str:
            return f"[…{self._undefined_name}…]"

        def __bool__(self) -> bool:
            return False

    # Replies are plain text: what escapes HTML would put "&amp;" before customers.
    environment = ImmutableSandboxedEnvironment(undefined=Hole, autoescape=False)
    environment.globals.clear()
    environment.tests.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    return environment


_CLOSED = "Each {{ ends with }}, each {% with %}, and each choice with {% endif %}."


@lru_cache(maxsize=256)
def _problems(body: str) -> tuple[str, ...]:
    from jinja2 import TemplateSyntaxError

    try:
        tree = _environment().parse(body)
    except TemplateSyntaxError as error:
        words = one_line(error.message or "this cannot be read")[:200].rstrip(".")
        return (f"Line {error.lineno}: {words}. {_CLOSED}",)
    except RecursionError:
        return ("The template is nested too deeply.",)
    return tuple(dict.fromkeys(_faults(tree)))


def _faults(tree: nodes.Template) -> Iterator[str]:
    from jinja2 import nodes

    stack: list[tuple[nodes.Node, int, int]] = [(child, 0, 0) for child in reversed(list(tree.iter_child_nodes()))]
    while stack:
        node, choices, filters = stack.pop()
        at = f"Line {node.lineno}: "
        match node:
            case nodes.TemplateData() | nodes.Output():
                below: list[nodes.Node] = list(node.iter_child_nodes())
            case nodes.Name():
                if node.name not in VARIABLES:
                    yield f"{at}there is no variable “{_shown(node.name)}”.{_guess(node.name, VARIABLES)}"
                continue
            case nodes.Filter(node=nodes.Node() as filtered) if filters < _FILTERS_IN_A_ROW:
                yield from (at + fault for fault in _filter_faults(node))
                stack.append((filtered, choices, filters + 1))
                continue
            case nodes.If(test=nodes.Name() | nodes.Not(node=nodes.Name())) if choices < _CHOICES_DEEP:
                # An `elif` is no deeper than its `if`, so it does not count.
                stack.extend((branch, choices, 0) for branch in reversed(node.elif_))
                stack.extend((child, choices + 1, 0) for child in reversed([*node.body, *node.else_]))
                below = [node.test]
            case nodes.Not():
                below = [node.node]
            case nodes.If() if choices < _CHOICES_DEEP:
                yield f"{at}a choice may only ask whether a variable has a value: {{% if order_id %}}."
                continue
            case nodes.If():
                yield f"{at}choices stand in one another more than {_CHOICES_DEEP} deep."
                continue
            case nodes.Filter(node=nodes.Node()):
                yield f"{at}more than {_FILTERS_IN_A_ROW} filters in a row."
                continue
            case _:
                yield f"{at}{_REFUSED.get(type(node).__name__, 'this')} cannot be used in a template."
                continue
        stack.extend((child, choices, filters) for child in reversed(below))


_REFUSED = {
    "Assign": "setting a variable",
    "AssignBlock": "setting a variable",
    "Block": "a block",
    "Call": "a call",
    "CallBlock": "a call",
    "CondExpr": "a choice inside of a variable",
    "Const": "a constant",
    "Extends": "another template",
    "FilterBlock": "a filter block",
    "For": "a loop",
    "FromImport": "another template",
    "Getattr": "what a variable is made of",
    "Getitem": "what a variable is made of",
    "Import": "another template",
    "Include": "another template",
    "Macro": "a macro",
}


def _filter_faults(node: nodes.Filter) -> Iterator[str]:
    from jinja2 import nodes

    if node.name not in FILTERS:
        yield f"there is no filter “{_shown(node.name)}”.{_guess(node.name, FILTERS)}"
        return
    texts = len(node.args) == 1 and isinstance(node.args[0], nodes.Const) and isinstance(node.args[0].value, str)
    if node.kwargs or node.dyn_args or node.dyn_kwargs or (node.args and node.name != "default"):
        yield f"the filter “{node.name}” takes nothing in brackets."
    elif node.name == "default" and not texts:
        yield 'the filter “default” takes one text in brackets: default("…").'


def _shown(name: str) -> str:
    return one_line(name)[:60]


def _guess(name: str, known: Mapping[str, str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name[:60].casefold(), known, n=1)
    return f" Did you mean “{near[0]}”?" if near else f" There are: {', '.join(known)}."

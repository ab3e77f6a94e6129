"""Regular expressions that cannot run away on the public's text.

Python's `re` backtracks and cannot be interrupted. Two bounds hold its cost down: repetition inside a repetition (the
shape whose cost doubles with each character) is refused when the settings are read, and of a text only as many
characters are looked at as keep the worst case near ten million steps for the repetitions that are left.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import factorial

_STEPS = 10_000_000
_LONGEST = 100_000
_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?:P<\w+>|<[=!]|[:=!>]|[aiLmsux-]+[:)]|P=\w+\)|#[^)]*\))|.", re.DOTALL
)
_QUANTIFIER = re.compile(r"\*|\+|\?|\{\d*,?\d*\}")


def one_group(pattern: str) -> Callable[[str], str | None]:
    """Gives a search for `pattern` that returns what its one group holds, None where it does not match.

    Raises:
        ValueError: it is no regular expression, has not exactly one group, or repeats what already repeats.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"the regular expression {pattern!r} is broken: {error}") from None
    if compiled.groups != 1:
        raise ValueError(f"the regular expression {pattern!r} needs exactly one group, and has {compiled.groups}")
    repeats = _repetitions(pattern)
    looked_at = min(_LONGEST, int((_STEPS * factorial(repeats + 1)) ** (1 / (repeats + 1))))

    def search(text: str) -> str | None:
        found = compiled.search(text[:looked_at])
        return found[1] if found else None

    return search


def _repetitions(pattern: str) -> int:
    """Gives how many parts of a pattern may match more than one length."""
    total = 0
    groups = [0]
    closed = 0
    position = 0
    while position < len(pattern):
        quantifier = _QUANTIFIER.match(pattern, position) if position else None
        if quantifier is not None:
            exact = re.fullmatch(r"\{\d+\}", quantifier[0])
            if closed and quantifier[0] != "?":
                raise ValueError(
                    f"the regular expression {pattern!r} repeats a group that repeats or has alternatives itself, "
                    "which can take forever"
                )
            if not exact:
                total += 1
                groups[-1] += 1
            position = quantifier.end()
            position += pattern[position : position + 1] in ("?", "+")
            closed = 0
            continue
        closed = 0
        token = _TOKEN.match(pattern, position)
        text = token[0] if token else pattern[position]
        if text.startswith("("):
            if not text.endswith(")"):
                groups.append(0)
        elif text == ")":
            closed = groups.pop() if len(groups) > 1 else 0
            groups[-1] += closed
        elif text == "|":
            groups[-1] += 1
        position += len(text)
    return total

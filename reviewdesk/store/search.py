"""Words that a person types, as an expression for the full-text index."""

from __future__ import annotations

import re

_PIECE = re.compile(r'"([^"]*)"|(\S+)')
_LETTERS = re.compile(r"\w")


def match_expression(words: str) -> str:
    """Gives an FTS5 expression that finds texts with all of the words, each as a beginning, and all of the phrases in
    double quotes. Nothing that is typed is an operator: each piece is quoted.
    """
    pieces = []
    for phrase, word in _PIECE.findall(words.replace("\x00", " ")):
        piece = phrase or word
        if _LETTERS.search(piece):
            quoted = '"' + piece.replace('"', '""') + '"'
            pieces.append(quoted if phrase else quoted + "*")
    return " ".join(pieces) or '""'

"""Words that a person types, as an expression for the full-text index; and the index's repair."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reviewdesk.store.db import Store

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


def rebuild(store: Store) -> None:
    """Builds the search index anew from the mentions."""
    with store.transaction() as conn:
        conn.execute("INSERT INTO mention_fts (mention_fts) VALUES ('rebuild')")

"""What the desk thinks of a mention: its language, sentiment, complaint, severity, topics, and the reasons.

`Assessor` is all that other rooms use. Everything here is pure computing over the data files in `languages/`; a
language's words are read when its first text is met, and vaderSentiment is imported with the first English one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reviewdesk.assess import weights
from reviewdesk.assess.assessable import Assessable
from reviewdesk.assess.combine import combine
from reviewdesk.assess.language import OTHER, code_of, known_languages, language_in, lexicon_of
from reviewdesk.assess.tokens import Tokens, tokens_of
from reviewdesk.model import Assessment

__all__ = ["Assessable", "Assessor"]


class Assessor:
    """Assesses mentions in bulk.

    Attributes:
        version: name and version, written into each assessment; a new one makes the desk assess anew.
    """

    version = "desk/1"

    def assess(self, items: Iterable[Assessable]) -> Iterator[Assessment]:
        """Gives one assessment for each item, in order, one at a time. Never raises for anything the public can write.

        Args:
            items: mentions; very long texts are read in part (`weights.TEXT_MOST`).
        """
        for item in items:
            tokens = tokens_of(item.text[: weights.TEXT_MOST])
            yield combine(item, tokens, _language(item, tokens), self.version)


def _language(item: Assessable, tokens: Tokens) -> str:
    """Gives the platform's word for it, unless the text itself clearly speaks another language."""
    if not tokens.words:
        shown = item.title or " ".join((*item.cons[:3], *item.pros[:3])) or item.text
        tokens = tokens_of(shown[: weights.TEXT_MOST])
    told = code_of(item.language)
    if told is None:
        return language_in(tokens, item.prior)
    if told not in known_languages():
        return OTHER
    heard = language_in(tokens, told)
    return told if heard == OTHER or lexicon_of(heard) == lexicon_of(told) else heard

"""What is needed of a mention to assess it."""

from __future__ import annotations

from collections.abc import Mapping

from reviewdesk.model import Record


class Assessable(Record, frozen=True, kw_only=True):
    """A mention without its identity; the attributes mean what they mean in `reviewdesk.model.Mention`.

    Attributes:
        language: what the platform says of this text, None where it says nothing; believed unless the script denies it.
        prior: the home language of the source; breaks ties and decides for very short texts.
    """

    text: str = ""
    title: str = ""
    rating: float | None = None
    rating_raw: str = ""
    pros: tuple[str, ...] = ()
    cons: tuple[str, ...] = ()
    recommends: bool | None = None
    sub_ratings: Mapping[str, float] = {}
    language: str | None = None
    prior: str | None = None

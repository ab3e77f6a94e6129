"""All evidence of one mention joined into one assessment, with the parts kept as reasons. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from reviewdesk.assess import complaint, fields, weights
from reviewdesk.assess.assessable import Assessable
from reviewdesk.assess.language import OTHER
from reviewdesk.assess.reading import TextReading
from reviewdesk.assess.sentiment import read_text
from reviewdesk.model import Assessment, Reason, Severity

_EVIDENCE_MOST = 120
_UNREAD = TextReading()
_UNFILLED: tuple[list[Reason], list[TextReading]] = ([], [])
# Named once, as naming a member of an enumeration is a search through it before Python 3.12.
_HARMLESS, _CRITICAL = Severity.NONE, Severity.CRITICAL


def compound(total: float) -> float:
    """Gives the sum of all shares squashed to [-1, 1], as VADER does."""
    return total / math.sqrt(total * total + weights.SQUASH)


def combine(item: Assessable, text: TextReading, language: str, assessor: str) -> Assessment:
    """Gives the assessment of one mention in a known language.

    Args:
        item: what is known of it.
        text: the reading of its text.
        language: what it is written in, or "other".
        assessor: the name and version to write into the assessment.
    """
    title = read_text(item.title[: weights.ITEM_CHARACTERS_MOST], language) if item.title else _UNREAD
    cons, read_cons = fields.list_reasons("cons", item.cons, language) if item.cons else _UNFILLED
    worded = _reasons("text", item.text, text, 1.0)
    if title.hits:
        worded += _reasons("title", item.title, title, weights.TITLE)
    shares = [one.share for one in worded]
    good = math.fsum([share for share in shares if share > 0])
    bad = -math.fsum([share for share in shares if share < 0])
    severity = text.severity
    worded += _doubt(good, bad, text.words, item.rating)
    from_cons = math.fsum([reason.share for reason in cons])
    phrase = _worst(severity, title, read_cons, item.rating) if title.hits or read_cons else severity
    starred = [] if item.rating is None else [fields.rating_reason(item.rating, item.rating_raw)]
    if item.rating is not None:
        good_stars = item.rating >= weights.GOOD_STARS
        worded, starred = _disagreement(
            worded, starred, bad - from_cons if good_stars and phrase in weights.GRAVE else 0.0
        )
        if good_stars and _gravest(read_cons) in weights.GRAVE and not starred[0].note:
            starred = [msgspec.structs.replace(starred[0], note=weights.DISAGREEMENT_IN_CONS_NOTE)]
    reasons = worded + starred
    if item.pros:
        reasons += fields.list_reasons("pros", item.pros, language)[0]
    reasons += cons
    if item.sub_ratings:
        reasons += fields.sub_rating_reasons(item.sub_ratings)
    if item.recommends is not None:
        reasons.append(fields.recommends_reason(item.recommends))
    total = math.fsum([reason.share for reason in reasons])
    evidence = complaint.Evidence(
        total=total - from_cons * (1 - weights.CONS_IN_COMPLAINT),
        text_total=text.total + title.total * weights.TITLE if title.hits else text.total,
        phrase=phrase,
        question=text.question,
        rating=item.rating,
        recommends=item.recommends,
        praise=good,
    )
    weighs = total != 0 or item.rating is not None or any(reason.share for reason in reasons)
    was_read = weighs or (language != OTHER and text.words > 0)
    likely = complaint.probability(evidence)
    is_complaint = likely >= 0.5
    return Assessment(
        language=language,
        compound=compound(total) if was_read else None,
        complaint=is_complaint,
        probability=likely,
        severity=complaint.severity(evidence) if is_complaint else _HARMLESS,
        topics=complaint.topics(reasons),
        reasons=most_weighty(reasons),
        assessor=assessor,
        intent=complaint.intent(
            evidence,
            text.intents | title.intents if title.intents else text.intents,
            complaint=is_complaint,
            link="http" in item.text,
        ),
        unsure=not was_read or complaint.unsure(evidence, reasons, likely),
    )


def _reasons(field: str, text: str, reading: TextReading, weight: float) -> list[Reason]:
    return [
        Reason(
            field=field,
            share=hit.share * weight,
            evidence=text[hit.start : hit.end][:_EVIDENCE_MOST],
            start=hit.start,
            end=hit.end,
            note=hit.note,
            topic=hit.topic,
        )
        for hit in reading.hits
    ]


def _doubt(good: float, bad: float, words: int, rating: float | None) -> list[Reason]:
    """Gives what is taken away from words that are weak or both good and bad.

    What is hardly blame grows with the text's length. Beside three stars good and bad words need to differ by more.
    """
    total = good - bad
    if not total:
        return []
    told_at_length = min(max(words - weights.LONG, 0) * weights.WEAK_BLAME_A_WORD, weights.WEAK_BLAME_MOST)
    hardly = weights.WEAK_PRAISE if total > 0 else weights.WEAK_BLAME + told_at_length
    if good and bad and rating is not None and weights.MIDDLING[0] < rating < weights.MIDDLING[1]:
        hardly += weights.MIDDLING_DOUBT
    weak = hardly * min(max(4 - abs(total) / hardly, 0.0) / 3, 1.0)
    mixed = max(0.0, min(good, bad) - weights.MIXED_FROM) * weights.MIXED
    if not weak + mixed:
        return []
    left = max(abs(total) - weak - mixed, min(abs(total), weights.LEFT_OF_DOUBTED))
    note = weights.MIXED_NOTE if mixed else weights.WEAK_NOTE
    return [Reason(field="text", share=math.copysign(abs(total) - left, -total), evidence="doubt", note=note)]


def _worst(text: Severity, title: TextReading, cons: Sequence[TextReading], rating: float | None) -> Severity:
    """Gives the worst complaint phrase. With good stars a phrase among the cons counts only where it is critical."""
    in_cons = _gravest(cons)
    if rating is not None and rating >= weights.GOOD_STARS and in_cons is not _CRITICAL:
        in_cons = _HARMLESS
    return max(text, title.severity, in_cons, key=lambda one: one.rank)


def _gravest(readings: Sequence[TextReading]) -> Severity:
    return max((reading.severity for reading in readings), key=lambda one: one.rank, default=_HARMLESS)


def _disagreement(worded: list[Reason], starred: list[Reason], alarm: float) -> tuple[list[Reason], list[Reason]]:
    """Where words and stars clearly disagree the friendlier side counts half, and the stars' reason says so. It never
    counts more than the other side: praise beside one star is no praise.

    Args:
        alarm: how much blame stands beside good stars where a grave complaint phrase is among it, else 0; then they
            disagree, whatever the words sum to.
    """
    said, given = math.fsum(one.share for one in worded), math.fsum(one.share for one in starred)
    opposed = said * given < 0 and min(abs(said), abs(given)) >= weights.DISAGREEMENT
    if opposed and said > 0:
        worded = _lessened(worded, -given / said)
    elif opposed or alarm:
        starred = _lessened(starred, max(-said, alarm) / given)
    else:
        return worded, starred
    return worded, [msgspec.structs.replace(one, note=weights.DISAGREEMENT_NOTE) for one in starred]


def _lessened(friendlier: list[Reason], most: float) -> list[Reason]:
    part = min(weights.FRIENDLIER_SIDE, most)
    return [msgspec.structs.replace(one, share=one.share * part) for one in friendlier]


def most_weighty(reasons: list[Reason]) -> tuple[Reason, ...]:
    """Gives the reasons that are kept, most weighty first, and a disagreement always; the sum of their shares is that
    of all."""
    ordered = sorted(reasons, key=lambda reason: -abs(reason.share)) if len(reasons) > 1 else reasons
    if len(ordered) <= weights.REASONS_MOST:
        return tuple(ordered)
    told = [reason for reason in ordered if reason.note in weights.DISAGREEMENT_NOTES]
    kept, rest = ordered[: weights.REASONS_MOST - 1], ordered[weights.REASONS_MOST - 1 :]
    if told and told[0] not in kept:
        rest = [kept.pop(), *(reason for reason in rest if reason is not told[0])]
        kept.append(told[0])
    share = math.fsum(reason.share for reason in rest)
    return (*kept, Reason(field=rest[0].field, share=share, evidence=f"{len(rest)} more", note="the rest together"))

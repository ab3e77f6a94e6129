"""What a text's words, phrases, emoji and emoticons say, each with its place and its share. Pure.

English words are VADER's business (`reviewdesk.assess.english`); every other language is read here by VADER's rules
over the language's own data. Phrases and the question rule are the same for all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter

import msgspec

from reviewdesk.assess import weights
from reviewdesk.assess.folding import Folded, visible
from reviewdesk.assess.grades import grades_in, without_graded
from reviewdesk.assess.language import lexicon_of, parts_of
from reviewdesk.assess.lexicon import lexicon
from reviewdesk.assess.none import none_spans
from reviewdesk.assess.phrases import NOTHING, Known, Phrase
from reviewdesk.assess.reading import Hit, TextReading
from reviewdesk.assess.signs import signs_in
from reviewdesk.assess.tokens import Tokens, tokens_of
from reviewdesk.model import Intent, Severity, Topic

# Named once, as naming a member of an enumeration is a search through it before Python 3.12.
_HARMLESS, _MILD = Severity.NONE, Severity.MILD
_QUESTION, _REQUEST = Intent.QUESTION, Intent.REQUEST
_DELIVERY, _PRODUCT = Topic.DELIVERY, Topic.PRODUCT
_in_order = attrgetter("start", "end", "share")
_with = msgspec.structs.replace
_NO_WORDS = frozenset(("emoji", "emoticon", "emphasis", "topic"))


def read_text(text: str, language: str) -> TextReading:
    """Reads one text.

    Args:
        text: any text; only the first `weights.TEXT_MOST` characters are read.
        language: what it is written in; "en" goes to VADER, and of "other" only signs are read.
    """
    if not text or text.isspace():
        return TextReading()
    return read_tokens(tokens_of(text[: weights.TEXT_MOST]), language)


def read_parts(tokens: Tokens, language: str) -> TextReading:
    """Reads a text of several languages, each sentence in its own."""
    readings = [
        read_text(" " * start + tokens.text[start:end], spoken) for start, end, spoken in parts_of(tokens, language)
    ]
    return TextReading(
        tuple(hit for reading in readings for hit in reading.hits),
        any(reading.question for reading in readings) and not any(reading.severity.rank for reading in readings),
        len(tokens.words),
        frozenset().union(*(reading.intents for reading in readings)),
    )


def read_tokens(tokens: Tokens, language: str) -> TextReading:
    """Reads a text that is cut into words; see `read_text`."""
    lexicon_name = lexicon_of(language)
    known = list(map(lexicon(lexicon_name).known.__getitem__, tokens.words)) if lexicon_name else []
    hits = _hits(tokens, known, language)
    if True in [hit.share < 0 for hit in hits]:
        hits = _without_denied_faults(tokens, known, language, hits)
    return _weigh_questions(hits, tokens)


def _hits(tokens: Tokens, known: list[Known], language: str) -> list[Hit]:
    """Gives all that is read from a text, in its order."""
    grades = grades_in(tokens)
    hits = without_graded(_phrases_and_words(tokens, known), grades)
    if language == "en":
        more = grades + _english(tokens, grades + hits)
    else:
        more = grades + without_graded(signs_in(tokens), grades)
        more += _emphasis(hits + more, tokens)
    return sorted(hits + more, key=_in_order) if more else hits


def _without_denied_faults(tokens: Tokens, known: list[Known], language: str, hits: list[Hit]) -> list[Hit]:
    """Leaves the blame out that came of a denial of faults ("Cons: none so far"), alone or with the words around it.

    The text is then read once more as if the denial were not there; praise in it ("no problems") stays.
    """
    spans = none_spans(tokens)
    if not any(hit.share < 0 and hit.start < end and start < hit.end for hit in hits for start, end in spans):
        return hits
    places = [tokens.span(index, index) for index in range(len(tokens.words))]
    unread = [any(start <= first and last <= end for start, end in spans) for first, last in places]
    text = tokens.text
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    rest = [NOTHING if one else word for one, word in zip(unread, known, strict=False)]
    praise = [hit for hit in hits if hit.share > 0 and any(a <= hit.start and hit.end <= b for a, b in spans)]
    return sorted(praise + _hits(_with(tokens, text=text), rest, language), key=_in_order)


@cache
def _vader() -> Callable[[str], list[Hit]]:
    """Gives what reads English words; vaderSentiment is imported with it, once there is any English."""
    from reviewdesk.assess.english import english_hits

    return english_hits


def _english(tokens: Tokens, hits: list[Hit]) -> list[Hit]:
    """Gives what VADER says of the words that no hit has taken."""
    shown = None if tokens.folded is None else visible(tokens.text)
    found = _vader()(tokens.text if shown is None else shown.text)
    if tokens.questions:
        found = [_with(hit, sentence=tokens.sentence_at(hit.start)) for hit in found]
    if shown is not None:
        found = [_moved(hit, shown) for hit in found]
    taken = [(hit.start, hit.end) for hit in hits if hit.share]
    if taken:
        found = [hit for hit in found if True not in [hit.start < end and start < hit.end for start, end in taken]]
    return found


def _moved(hit: Hit, shown: Folded) -> Hit:
    start, end = shown.span(hit.start, hit.end)
    return _with(hit, start=start, end=end)


def _phrases_and_words(tokens: Tokens, known: list[Known]) -> list[Hit]:
    hits: list[Hit] = []
    sentences = tokens.sentences
    following = [*known[1:], NOTHING]
    telling: list[int] = []
    contrasts: dict[int, int] = {}
    present = 0
    for index, one in enumerate(known):
        if one is not NOTHING:
            present |= one.bits
            # Most words only begin phrases, with other words than that which follows here.
            if one.says_alone or one.next_bits & following[index].bits:
                telling.append(index)
            if one.contrast:
                contrasts[sentences[index]] = index
    taken_until = 0
    for index in telling:
        if index < taken_until:
            continue
        one = known[index]
        if one.alone or one.next_bits & following[index].bits or one.gap_bits & present:
            found = _phrase(tokens, known, index, present)
            if found is not None:
                phrase, end = found
                hits.append(_phrase_hit(tokens, known, phrase, index, end, taken_until))
                taken_until = end
                continue
        if (one.valence or one.topic) and not _boosts_next(known, index):
            hits.append(_word_hit(tokens, known, index, taken_until, contrasts.get(sentences[index])))
        elif one.negator and _denies_unknown(known, index):
            hits.append(Hit(*tokens.span(index, index), weights.DENIED, "denial", sentence=sentences[index]))
    return hits


def _phrase(tokens: Tokens, known: list[Known], first: int, present: int) -> tuple[Phrase, int] | None:
    """Gives the phrase that begins with word `first` and the index after its last word."""
    for _, phrase, end in known[first].phrases(known, first, present):
        if not _holds(tokens, known, phrase, first, end):
            continue
        group = phrase.group
        if group.valence > 0 or group.severity or not _complaint_begins(tokens, known, first + 1, end, present):
            return phrase, end
    return None


def _holds(tokens: Tokens, known: list[Known], phrase: Phrase, first: int, end: int) -> bool:
    """Tells whether a phrase means what it says where it stands, from word `first` to the one before `end`."""
    if tokens.sentences[end - 1] != tokens.sentences[first]:
        return False
    group = phrase.group
    return group.valence >= 0 or not (
        _leaves_clause(tokens, known, phrase, first, end)
        or (group.topic is _DELIVERY and _denies_a_fault(tokens, known, first, end))
    )


def _leaves_clause(tokens: Tokens, known: list[Known], phrase: Phrase, first: int, end: int) -> bool:
    """Tells whether a phrase of blame steps over what parts its words: where it denies, over a comma ("no, original
    goods", "it did not disappoint, it arrived in time") or a "but"; where it is denied, over a comma ("nothing broke,
    all arrived"); otherwise over a "but" that begins a clause."""
    clauses = tokens.clauses
    denies = known[first].negator
    if clauses[first] != clauses[end - 1] and (denies or _negator_before(tokens, known, first, 0)):
        return True
    if phrase.has_gap:
        for at in range(first + 1, end - 1):
            if known[at].contrast and (denies or clauses[at] != clauses[at - 1]):
                return True
    return False


def _denies_a_fault(tokens: Tokens, known: list[Known], first: int, end: int) -> bool:
    """Tells whether a phrase that blames the delivery ends in a denial of the fault that comes next: "the parcel did
    not arrive" damaged."""
    if end == len(known) or tokens.clauses[end] != tokens.clauses[end - 1]:
        return False
    fault = known[end]
    is_fault = fault.valence < 0 and fault.topic is _PRODUCT and not fault.negative
    return is_fault and any(one.negator for one in known[max(first, end - 2) : end])


def _complaint_begins(tokens: Tokens, known: list[Known], first: int, end: int, present: int) -> bool:
    """Tells whether a grave complaint phrase begins at one of the words before `end`; it is worth more than another."""
    for at in range(first, end):
        if known[at].grave:
            for _, phrase, stop in known[at].phrases(known, at, present):
                if phrase.group.severity in weights.GRAVE and _holds(tokens, known, phrase, at, stop):
                    return True
    return False


def _phrase_hit(tokens: Tokens, known: list[Known], phrase: Phrase, first: int, end: int, taken_until: int) -> Hit:
    group = phrase.group
    start, stop = tokens.span(first, end - 1)
    sentence = tokens.sentences[first]
    topic = group.topic or next((one.topic for one in known[first:end] if one.topic), None)
    if end == first + 1:
        deniable = True
    elif group.valence > 0:
        deniable = True not in [one.negator for one in known[first:end]]
    else:
        deniable = (
            first > taken_until
            and known[first - 1].negator
            and True not in [one.negator or one.negative for one in known[first:end]]
        )
    if deniable and not known[first].negative and _negator_before(tokens, known, first, taken_until):
        return Hit(start, stop, _turned_round(group.valence), "negated", topic, sentence=sentence)
    note = group.intent or ("complaint phrase" if group.severity else "courtesy" if group.courtesy else "phrase")
    return Hit(start, stop, group.valence, note, topic, group.severity, group.courtesy, sentence, group.intent)


def _turned_round(valence: float) -> float:
    return valence * (weights.NEGATED_PRAISE if valence > 0 else weights.NEGATED_BLAME)


def _denies_unknown(known: list[Known], index: int) -> bool:
    near = known[index + 1 : index + 1 + weights.NEGATION_REACH]
    return not any(one.valence for one in near)


def _negator_before(tokens: Tokens, known: list[Known], index: int, taken_until: int) -> bool:
    clause = tokens.clauses[index]
    for back in range(index - 1, max(taken_until, index - weights.NEGATION_REACH, 0) - 1, -1):
        if known[back].negator and tokens.clauses[back] == clause:
            return True
    return False


def _boosts_next(known: list[Known], index: int) -> bool:
    return known[index].factor != 1.0 and index + 1 < len(known) and known[index + 1].valence != 0.0


def _word_hit(tokens: Tokens, known: list[Known], index: int, taken_until: int, contrast: int | None) -> Hit:
    """Gives what one word says; `contrast` is the place of its sentence's "but"."""
    one = known[index]
    start, end = tokens.span(index, index)
    if not one.valence:
        return Hit(start, end, 0.0, "topic", one.topic, sentence=tokens.sentences[index])
    share, notes = one.valence, "negated" if one.turned_round else ""
    factor = known[index - 1].factor if index else 1.0
    if factor != 1.0:
        share *= factor
        notes = _also(notes, "boosted" if factor > 1 else "dampened")
    word = tokens.words[index]
    if len(word) >= 3 and word.isupper() and not tokens.text.isupper():
        share *= weights.SHOUTED
        notes = _also(notes, "in capitals")
    if not (one.negative and share < 0) and _negator_before(tokens, known, index, taken_until):
        share = _turned_round(share)
        notes = _also(notes, "negated")
    if contrast is not None:
        share *= weights.BEFORE_CONTRAST if index < contrast else weights.AFTER_CONTRAST
    return Hit(start, end, share, notes, one.topic, sentence=tokens.sentences[index])


def _also(notes: str, note: str) -> str:
    return f"{notes}, {note}" if notes else note


def _emphasis(hits: list[Hit], tokens: Tokens) -> list[Hit]:
    place, count = tokens.exclamations
    total = sum(hit.share for hit in hits) if count else 0.0
    if not total:
        return []
    start, end = (place, place + 1) if tokens.folded is None else tokens.folded.span(place, place + 1)
    share = min(count, weights.EXCLAMATIONS_MOST) * weights.EXCLAMATION * (1 if total > 0 else -1)
    return [Hit(start, end, share, "emphasis")]


def _weigh_questions(hits: list[Hit], tokens: Tokens) -> TextReading:
    severe = [hit for hit in hits if hit.severity]
    wanted = frozenset([hit.intent for hit in hits if hit.intent])
    if not (severe or wanted or tokens.questions):
        return TextReading(tuple(hits), False, len(tokens.words))
    complaining = {hit.sentence for hit in severe}
    asked = tokens.questions | {hit.sentence for hit in hits if hit.intent is _QUESTION}
    asked -= complaining
    if asked:
        hits = [_asked(hit) if hit.sentence in asked else hit for hit in hits]
    if complaining or asked or _REQUEST in wanted:
        hits = [hit for hit in hits if not hit.courtesy]
    grave = {hit.sentence for hit in severe if hit.severity is not _MILD}
    if grave:
        grave |= {sentence - 1 for sentence in grave if tokens.sentences.count(sentence - 1) <= weights.EXCLAIMED}
        hits = [_ironic(hit) if hit.share > 0 and hit.sentence in grave else hit for hit in hits]
    if tokens.questions:
        wanted |= {_QUESTION}
    return TextReading(tuple(hits), bool(asked) and not complaining, len(tokens.words), wanted)


def _asked(hit: Hit) -> Hit:
    """In a question words are what is asked about, but for strong blame ("why are you so incompetent?")."""
    if hit.intent or hit.note in _NO_WORDS:
        return hit
    return _with(hit, share=hit.share * weights.ASKED if hit.share <= weights.ASKED_BLAME else 0.0, note="asked")


def _ironic(hit: Hit) -> Hit:
    """Praise in the sentence of a grave complaint phrase is irony, or beside the point."""
    return _with(hit, share=hit.share * weights.BESIDE_COMPLAINT, note=_also(hit.note, "beside a complaint"))

"""The rules that a connector is held to, in four tiers. Pure.

A tier is earned by keeping all its rules and those of the tiers below; a rule that does not apply to a connector, or
that its manifest names as exempt with a reason, does not stand in the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from reviewdesk.model import Record


class Tier(StrEnum):
    """What a connector has earned, lowest first."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"
    PLATINUM = "platinum"

    @property
    def promise(self) -> str:
        """What the tier means, in a few words."""
        return _PROMISES[self]

    @property
    def rank(self) -> int:
        """0 for bronze up to 3 for platinum."""
        return list(Tier).index(self)


_PROMISES = {
    Tier.BRONZE: "reads right",
    Tier.SILVER: "keeps its manners under faults",
    Tier.GOLD: "replies safely",
    Tier.PLATINUM: "typed, bounded, measured, documented",
}


class Rule(Record, frozen=True, kw_only=True):
    """One thing that a connector is held to.

    Attributes:
        id: names it everywhere, in kebab-case.
        tier: the lowest tier that wants it.
        title: what a connector does that keeps it, in one sentence.
        why: what a shop loses where it is broken.
        mend: what the author does about it.
    """

    id: str
    tier: Tier
    title: str
    why: str
    mend: str


def _rules(tier: Tier, *rows: tuple[str, str, str, str]) -> list[Rule]:
    return [Rule(id=id, tier=tier, title=title, why=why, mend=mend) for id, title, why, mend in rows]


_ALL = [
    *_rules(
        Tier.BRONZE,
        (
            "reads-what-is-written",
            "Every text comes with its author, its time and its rating on a scale of 1 to 5.",
            "Complaints are sorted by stars and deadlines run from the time of writing.",
            "Map each field by its meaning; a rating of another scale is converted, one that is missing is None.",
        ),
        (
            "same-at-each-poll",
            "What nobody has changed is handed over with the same id and the same content at each poll.",
            "A new id is a new customer to the desk, and a new content a new version to be read again.",
            "Take the platform's own id, and put nothing into a mention that depends on when it was asked.",
        ),
        (
            "edit-between-polls",
            "A text that its author has changed comes again.",
            "A customer may turn praise into a complaint, or take a complaint back.",
            "Ask for what was changed as well as for what is new, or read recent items again.",
        ),
        (
            "delete-between-polls",
            "A text that vanished disturbs nothing: the others stay, and new ones arrive.",
            "People delete what they wrote every day; a cursor that hangs on such an item goes deaf.",
            "Let the cursor name a time or place rather than one item, and report only what is surely gone in `gone`.",
        ),
        (
            "equal-times",
            "Texts of the same second all arrive, those that come later too.",
            "Platforms round times, and a flood of complaints comes within a second.",
            "Ask again from the last time on, itself included; handing something over twice is harmless.",
        ),
        (
            "clock-an-hour-off",
            "Nothing is missed where the platform's clock and ours are an hour apart.",
            "Servers in another zone, daylight saving and laptops that slept are common.",
            "Compare the platform's times with each other, never with `context.clock()`.",
        ),
        (
            "odd-times",
            "A time that is missing, has no zone or makes no sense costs at most that time.",
            "One date such as 2026-02-30 must not cost a shop a complaint.",
            "Give aware times only, by the platform's zone; where one cannot be read, `created_at` is None.",
        ),
        (
            "texts-of-the-world",
            "Cyrillic, combining marks, emoji and right-to-left texts come as they were written.",
            "A complaint in question marks cannot be answered.",
            "Decode bytes by what the platform says, and let the texts alone: the desk makes them safe to show.",
        ),
        (
            "missing-author",
            "A text whose author is not told arrives without one.",
            "People hide and delete their accounts; what they wrote still stands.",
            "Treat the author's fields as optional: `author=None` is fine.",
        ),
        (
            "text-less",
            "A rating without a word arrives with an empty text.",
            "A lone star is a complaint too.",
            "Treat the text as optional: `text` is empty then.",
        ),
    ),
    *_rules(
        Tier.SILVER,
        (
            "same-page-twice",
            "A page that comes twice costs nothing that is on the next ones.",
            "Caches and busy lists do that; a connector that then thinks it knows the rest stops too early.",
            "Do not stop at an id that was seen in the same poll.",
        ),
        (
            "pages-in-a-circle",
            "Pages that lead back to themselves come to an end.",
            "A poll that never ends takes its source out for good, and hammers the platform.",
            "Stop when a page names the same next page as before, or brings nothing that was not there.",
        ),
        (
            "shrinking-page",
            "Nothing is missed when a text on an earlier page vanishes while the later ones are read.",
            "With page numbers and offsets everything behind it moves up, and one text slips between two pages.",
            "Let pages overlap, follow the platform's own cursors, or read on until the second poll has met the first.",
        ),
        (
            "rate-limit-seconds",
            "429 with Retry-After in seconds is told as RateLimited with that time.",
            "Who asks too early is shut out for longer.",
            "Use `context.http` and let its errors pass.",
        ),
        (
            "rate-limit-date",
            "429 with Retry-After as a date is told as RateLimited with that date.",
            "RFC 9110 allows both forms, and proxies use this one.",
            "Use `context.http` or `retry_after`, which read both forms.",
        ),
        (
            "rate-limit-silent",
            "429 without a word is told as RateLimited without a time.",
            "The desk then waits longer with each refusal; a time that is made up is a lie on the screen.",
            "Use `context.http` and let its errors pass; do not invent a time.",
        ),
        (
            "error-in-200",
            "An error in an answer with status 200 is told as an error.",
            "Read as an empty page it looks like a quiet day, and the complaints wait.",
            "Check that the answer holds the list that it should hold, and raise `BadAnswer` where it does not.",
        ),
        (
            "cut-body",
            "An answer that breaks off is told as an error.",
            "What came before the break looks like the end of the list.",
            "Let the errors of `context.http` pass.",
        ),
        (
            "oversized-body",
            "An answer beyond measure is refused before it fills the memory.",
            "A few kilobytes of compressed blanks can take the whole desk down.",
            "Use `context.http`, which counts while it reads; do not raise its limits without need.",
        ),
        (
            "login-page",
            "A web page in the place of data is told as an error, and nothing counts as gone.",
            "Dead keys, maintenance and hotel networks answer with a page and status 200.",
            "Read answers with `answer.json(...)` or a parser that is strict about the root.",
        ),
        (
            "control-characters",
            "NUL, escapes and other controls in one text do no harm to the others.",
            "Anybody can type them, and would silence the source with one comment.",
            "Do not judge texts: the desk makes them safe. For XML use a parser that recovers.",
        ),
        (
            "long-texts",
            "A text of 10,000 characters arrives whole.",
            "The order number stands at the end.",
            "Do not cut texts; the desk does it where it shows them.",
        ),
        (
            "poisonous-item",
            "One item that cannot be read is set aside with its reason, and the rest go in.",
            "One odd item must not silence a source.",
            "Read items one by one; what fails goes into `Batch.set_aside` by `self.problem(raw, error)`.",
        ),
        (
            "token-dies",
            "A token that dies in mid-run is told as AuthFailed.",
            "The desk parks the source and tells a person; any other error is tried again for ever.",
            "Let the 401 of `context.http` pass, and map the platform's own way of saying it to `AuthFailed`.",
        ),
        (
            "secrets-stay-home",
            "No secret stands in logs, errors, mentions, cursors or the database.",
            "Logs are mailed to others, and databases are copied.",
            "Send secrets in headers; use `safe_url` for addresses that are kept; `remember` tokens that were issued.",
        ),
        (
            "foreign-links",
            "A link or redirect to another host is not followed.",
            "Who can write a link into an answer would be sent the key.",
            "Use `context.http`, which is pinned to its host.",
        ),
        (
            "cancelled",
            "A poll that is cancelled ends at once.",
            "The desk stops polls that take too long, and when a person quits.",
            "Do not catch `asyncio.CancelledError` or `BaseException`.",
        ),
        (
            "resumes",
            "From every batch's cursor a poll goes on with nothing lost and nothing twice.",
            "A killed process is an everyday event; the cursor is all that is left.",
            "Let a batch's cursor cover only what was handed over; while a list is read newest first keep the old one.",
        ),
    ),
    *_rules(
        Tier.GOLD,
        (
            "reply-once",
            "A reply is posted once, word for word, and its id is given.",
            "Two equal answers in public look like a machine.",
            "One write, never in a loop of tries: `context.http` sends writes once.",
        ),
        (
            "own-replies",
            "The shop's own replies come back as ours.",
            "A reply that looks like a customer's comes into the inbox, to be answered.",
            "Set `ours=True` where the author is the shop's account.",
        ),
        (
            "answer-lost",
            "A reply whose answer is lost is told as OutcomeUnknown.",
            "It may stand on the platform: whoever calls it failed will send it again.",
            "Let the `OutcomeUnknown` of `context.http` pass.",
        ),
        (
            "reply-found",
            "A reply of ours is found again, and one that was never posted is not.",
            "That is how the desk settles what is unknown without asking a person.",
            "Compare by author and `same_text`, and read as far back as `since`.",
        ),
        (
            "held-reply",
            "A reply that is held for moderation is told as not yet visible.",
            "The agent must know that the customer cannot read it yet.",
            "Give `PostedReply(visible=False)` where the platform says that it waits.",
        ),
        (
            "refused-reply",
            "A reply that is refused is told as Refused, with the platform's words.",
            "The agent can mend the text only if told what is wrong with it.",
            "Raise `Refused` with the words; no other kind where it is certain that nothing was posted.",
        ),
        (
            "leaves-in-time",
            "Right before a reply leaves the desk is asked whether it still may; one that comes too late is kept back.",
            "The machine may have slept, and another process may have sent the reply meanwhile.",
            "`context.http` asks by itself; with another client call `self.context.leaving()` right before it.",
        ),
        (
            "key-posts-once",
            "Where `idempotent_reply` is declared, a reply that is sent twice with one key is posted once.",
            "The desk believes it, and sends again where it does not know whether the reply stands.",
            "Send `key` as the platform's own idempotency key; where it has none, do not declare `idempotent_reply`.",
        ),
        (
            "reread-as-polled",
            "A thread that is read again before a reply has the same ids and the same content as in a poll.",
            "Another content looks like a customer's change, which holds the reply; another id looks like a new text.",
            "Make the mentions of `reread` by the same function as those of `poll`, thread and parent included.",
        ),
        (
            "reread-sees-news",
            "A thread that is read again shows what was changed and what was answered since the poll.",
            "The reply would answer words that the customer has taken back, or stand below a colleague's.",
            "Ask the platform anew, for the text itself and for what stands under it, the shop's own included.",
        ),
        (
            "reread-gone",
            "`reread` tells what is gone as NotThere, and no other trouble.",
            "A reply to what is gone would end up nowhere, and what is not gone vanishes from the inbox.",
            "Raise `NotThere` where the platform says that it is gone; let the other errors of `context.http` pass.",
        ),
    ),
    *_rules(
        Tier.PLATINUM,
        (
            "memory-bounded",
            "100,000 items are read with bounded batches, cursor and memory.",
            "The first poll of a large shop must not take a small server down.",
            "Yield each page as it is read, and keep neither items nor every id in memory or in the cursor.",
        ),
        (
            "deletion-noticed",
            "A text that vanished is told as gone within a day.",
            "Answering what is no longer there looks foolish, and drafts wait in vain.",
            "Look again at recent items, and report those that the platform no longer has in `Batch.gone`.",
        ),
        (
            "item-read-again",
            "`read_item` reads the payload of an item that was set aside as a poll would, or says why it cannot.",
            "What it reads leaves the quarantine: an item read as nothing is a complaint that nobody will see.",
            "Decode what `self.problem` was given, hand it to the function that `poll` uses, and let its errors pass.",
        ),
        (
            "check-tells",
            "`check` says that all is well when it is, and what to do when the key is dead or nobody answers.",
            "`reviewdesk doctor` is where people look first.",
            "Give a finding for each thing that you look at, and catch `ConnectorError` into one with a hint.",
        ),
        (
            "settings-described",
            "The connector and each of its settings are described.",
            "What nobody describes is set wrong.",
            "Write docstrings, and name each setting under `Attributes:` or in `msgspec.Meta(description=…)`.",
        ),
        (
            "typed",
            "The methods are annotated, and the package says that it is typed.",
            "The types are the contract; a type checker finds what no test does.",
            "Annotate the methods, put an empty `py.typed` into the package, and run mypy.",
        ),
    ),
]
RULES: Mapping[str, Rule] = {rule.id: rule for rule in _ALL}
"""Every rule by its id, lowest tier first."""

"""The error on the desk's own corrected mentions: the engine alone, and what was learned before each was seen."""

from __future__ import annotations

from reviewdesk.assess.learner import Tally
from reviewdesk.cli.exits import Exit
from reviewdesk.cli.output import json_line, say, table
from reviewdesk.cli.session import Session


def report_on(session: Session, *, as_json: bool) -> int:
    """Writes a line for each language and judge: n, macro-F1, precision and recall of complaints."""
    from reviewdesk.desk.learning import learnings

    config = session.reading
    with session.store(config, read_only=True) as store:
        found = learnings(config, store)
    rows: list[tuple[str, str, Tally, float]] = []
    for learning in found.values():
        for language, engine in sorted(learning.engine.items()):
            rows.append((language, "engine", engine, 0.0))
            rows.append((language, "learned", learning.learned[language], learning.model.label_share))
    if as_json:
        for language, judge, tally, share in rows:
            precision, recall = tally.complaint_rates()
            json_line(
                {
                    "lang": language,
                    "judge": judge,
                    "corrections": int(tally.counted),
                    "macro_f1": round(tally.macro_f1, 4),
                    "complaint_precision": None if precision is None else round(precision, 4),
                    "complaint_recall": None if recall is None else round(recall, 4),
                    "used": share,
                }
            )
        return Exit.OK
    if not rows:
        say("Nobody has corrected anything yet; `reviewdesk correct` does it, and a key in the window.")
        return Exit.OK
    table(
        ("lang", "judge", "corrections", "macro-F1", "complaints: precision", "recall", "used"),
        [
            (language, judge, f"{tally.counted:.0f}", f"{tally.macro_f1:.3f}", *_rates(tally), f"{share:.0%}")
            for language, judge, tally, share in rows
        ],
    )
    say("“learned” judged each mention before it had learned from it. What does not pay is not used.")
    if not config.assess.learn:
        say("Learning is switched off: [assess] learn = false.")
    return Exit.OK


def _rates(tally: Tally) -> tuple[str, str]:
    precision, recall = ("–" if rate is None else f"{rate:.2f}" for rate in tally.complaint_rates())
    return precision, recall

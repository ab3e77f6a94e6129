"""What people say of a mention against the desk's own word, and what was learned of it."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from reviewdesk.model import Assessment, Intent, Label, Severity
from reviewdesk.store.db import from_ms
from reviewdesk.store.ingest import chunks, marks
from reviewdesk.store.records import Corrected, Correction, LearnedState

if TYPE_CHECKING:
    from reviewdesk.store.db import Store

# The person's word in the columns that the lists are ordered by. What the desk's own compound says the same of stays.
_OUTRANK = """UPDATE mention SET
    complaint = said.complaint, probability = said.complaint,
    severity = CASE WHEN said.complaint = 0 THEN 0 ELSE max(severity, 1) END,
    compound = CASE said.label WHEN 'neg' THEN min(coalesce(compound, 0), -0.5)
        WHEN 'pos' THEN max(coalesce(compound, 0), 0.5) ELSE 0 END
    FROM correction said WHERE said.mention_id = mention.id AND said.version = mention.version"""
_KEPT = ("complaint", "severity", "probability", "compound")


def outranked(assessment: Assessment | None, correction: Correction | None) -> Assessment | None:
    """Gives an assessment with a person's word in place of the desk's; its compound and its reasons stay the desk's."""
    if assessment is None or correction is None:
        return assessment
    severity, intent = assessment.severity, assessment.intent
    if not correction.complaint:
        severity = Severity.NONE
        if intent is Intent.COMPLAINT:
            intent = Intent.PRAISE if correction.label is Label.POSITIVE else Intent.OTHER
    else:
        severity = Severity.MILD if severity is Severity.NONE else severity
        intent = Intent.COMPLAINT
    return msgspec.structs.replace(
        assessment,
        complaint=correction.complaint,
        probability=float(correction.complaint),
        severity=severity,
        intent=intent,
        unsure=False,
    )


class Corrections:
    """The door to corrections and to what was learned; made by `Store.corrections`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._conn: sqlite3.Connection = store.db.conn

    def put(self, ids: Sequence[int], label: Label, complaint: bool, *, agent: str) -> tuple[str, int]:
        """Keeps a person's word on mentions. Gives a key for `undo`, "" where all of them had it, and how many had not.

        The lists follow at once; the deadline follows with the next assessment.
        """
        action, now, changed = secrets.token_hex(8), self._store.now_ms(), 0
        with self._store.transaction() as conn:
            for part in chunks(ids):
                for id, version, source, spoken, *old in conn.execute(
                    f"""SELECT mention.id, mention.version, source_id, coalesce(json_extract(body, '$.language'),
                          nullif(mention.language, ''), 'other'), mention.complaint, severity, probability, compound,
                          correction.version, correction.label, correction.complaint, correction.agent, correction.at,
                          correction.action
                        FROM mention LEFT JOIN correction ON correction.mention_id = mention.id
                        LEFT JOIN assessment ON assessment.mention_id = mention.id
                          AND assessment.version = mention.version
                        WHERE ours = 0 AND erased_at IS NULL AND mention.id IN ({marks(part)})""",
                    part,
                ).fetchall():
                    before = old[len(_KEPT) :]
                    if before[:3] == [version, label.value, int(complaint)]:
                        continue
                    detail = {"was": old[: len(_KEPT)], "said": before if before[0] else None, "language": spoken}
                    conn.execute("DELETE FROM correction WHERE mention_id = ?", (id,))
                    self._say(conn, id, spoken, (version, label.value, int(complaint), agent, now, action))
                    self._log(conn, id, source, agent, f"corrected to {label.value}", action, json.dumps(detail))
                    changed += 1
            self.outrank(ids)
            self._touch(conn, ids)
        return action if changed else "", changed

    def undo(self, action: str, *, agent: str) -> tuple[int, int]:
        """Takes corrections back. Gives of how many mentions, and how many were corrected by someone since."""
        undone, kept = 0, 0
        with self._store.transaction() as conn:
            for id, source, detail in conn.execute(
                "SELECT mention_id, source_id, detail FROM event WHERE action = ? ORDER BY id", (action,)
            ).fetchall():
                told = json.loads(detail)
                if "was" not in told:
                    continue
                if not conn.execute(
                    "DELETE FROM correction WHERE mention_id = ? AND action = ?", (id, action)
                ).rowcount:
                    kept += 1
                    continue
                undone += 1
                if told["said"]:
                    self._say(conn, id, told["language"], tuple(told["said"]))
                conn.execute(
                    f"UPDATE mention SET {', '.join(f'{name} = ?' for name in _KEPT)} WHERE id = ?", (*told["was"], id)
                )
                self._touch(conn, [id])
                self._log(conn, id, source, agent, "undone", "", "{}")
        return undone, kept

    @staticmethod
    def _say(conn: sqlite3.Connection, id: int, language: str, said: tuple[object, ...]) -> None:
        conn.execute(
            """INSERT INTO correction (mention_id, language, version, label, complaint, agent, at, action)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
            (id, language, *said),
        )

    def _log(
        self, conn: sqlite3.Connection, id: int, source: str, agent: str, what: str, action: str, detail: str
    ) -> None:
        conn.execute(
            """INSERT INTO event (at, agent, what, mention_id, source_id, action, detail)
               VALUES (?, ?, ?, ?, ?, ?, ?)""",
            (self._store.now_ms(), agent, what, id, source, action, detail),
        )

    def _touch(self, conn: sqlite3.Connection, ids: Sequence[int]) -> None:
        """Has the next poll assess the mentions anew, which sets their deadlines."""
        for part in chunks(ids):
            conn.execute(
                f"UPDATE mention SET assessed = '', changed_at = ? WHERE ours = 0 AND id IN ({marks(part)})",
                (self._store.now_ms(), *part),
            )

    def complaints(self, ids: Sequence[int]) -> dict[int, bool]:
        """Gives what a person has said of these mentions' current texts, that they are complaints or are none."""
        return {
            id: bool(complaint)
            for part in chunks(ids)
            for id, complaint in self._conn.execute(
                f"""SELECT mention.id, said.complaint FROM correction said
                    JOIN mention ON mention.id = said.mention_id AND mention.version = said.version
                    WHERE mention.id IN ({marks(part)})""",
                part,
            )
        }

    def outrank(self, ids: Sequence[int]) -> None:
        """Puts the person's word over the desk's in the columns of these mentions, where there is one."""
        for part in chunks(ids):
            self._conn.execute(f"{_OUTRANK} AND mention.id IN ({marks(part)})", part)

    def by_language(self) -> dict[str, tuple[int, int]]:
        """Gives for each language how many corrections there are, and a sum that changes with any of them."""
        return {
            language: (count, total)
            for language, count, total in self._conn.execute(
                "SELECT language, count(*), sum(id) FROM correction GROUP BY language ORDER BY language"
            )
        }

    def newest(self, languages: Sequence[str], most: int) -> list[Corrected]:
        """Gives the newest corrections of some languages with the texts they are about, oldest first."""
        found = self._conn.execute(
            f"""SELECT correction.id, mention.id, mention.source_id, correction.label, correction.complaint,
                  correction.language, mention.language, said.title, said.text, said.pros, said.cons, said.rating,
                  said.recommends, coalesce(json_extract(mention.facts, '$.sub_ratings'), '{{}}')
                FROM correction JOIN mention ON mention.id = correction.mention_id
                JOIN mention_version said ON said.mention_id = mention.id AND said.version = correction.version
                WHERE correction.language IN ({marks(languages)}) ORDER BY correction.id DESC LIMIT ?""",
            (*languages, most),
        ).fetchall()
        return [
            Corrected(
                id=id,
                mention_id=mention,
                source=source,
                label=Label(label),
                complaint=bool(complaint),
                language=language,
                told=told,
                title=title,
                text=text,
                pros=tuple(json.loads(pros)),
                cons=tuple(json.loads(cons)),
                rating=rating,
                recommends=None if recommends is None else bool(recommends),
                sub_ratings=json.loads(sub_ratings),
            )
            for (id, mention, source, label, complaint, language, told, title, text, pros, cons, rating, recommends,
                 sub_ratings) in reversed(found)
        ]  # fmt: skip

    def forget(self, languages: Sequence[str], families: Sequence[str]) -> int:
        """Removes the corrections of some languages and what was learned of some families. Gives how many."""
        with self._store.transaction() as conn:
            ids = [
                id
                for (id,) in conn.execute(
                    f"SELECT mention_id FROM correction WHERE language IN ({marks(languages)})", languages
                )
            ]
            conn.execute(f"DELETE FROM correction WHERE language IN ({marks(languages)})", languages)
            conn.execute(f"DELETE FROM learned WHERE family IN ({marks(families)})", families)
            self._touch(conn, ids)
        return len(ids)

    def put_learned(self, state: LearnedState, model: bytes, languages: Sequence[str], *, anew: int) -> None:
        """Keeps what was learned of a family, and has its newest open mentions assessed anew.

        Args:
            languages: those of the family.
            anew: how many mentions at most; corrected ones are left alone.
        """
        with self._store.transaction() as conn:
            conn.execute(
                """INSERT INTO learned (family, stamp, learned_at, corrections, label_share, complaint_share, model)
                   VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (family) DO UPDATE SET stamp = excluded.stamp,
                     learned_at = excluded.learned_at, corrections = excluded.corrections,
                     label_share = excluded.label_share, complaint_share = excluded.complaint_share,
                     model = excluded.model""",
                (
                    state.family,
                    state.stamp,
                    self._store.now_ms(),
                    state.corrections,
                    state.label_share,
                    state.complaint_share,
                    model,
                ),
            )
            conn.execute(
                f"""UPDATE mention SET assessed = '' WHERE id IN
                     (SELECT id FROM mention WHERE ours = 0 AND status IN ('new', 'open')
                        AND language IN ({marks(languages)})
                        AND NOT EXISTS (SELECT 1 FROM correction WHERE correction.mention_id = mention.id)
                      ORDER BY id DESC LIMIT ?)""",
                (*languages, anew),
            )

    def drop_learned(self, families: Sequence[str]) -> None:
        """Removes what was learned of some families; their corrections stay."""
        with self._store.transaction() as conn:
            conn.execute(f"DELETE FROM learned WHERE family IN ({marks(families)})", families)

    def learned(self) -> dict[str, LearnedState]:
        """Gives what was learned, by family, without the models."""
        return {state.family: state for state in self._learned()}

    def _learned(self) -> Iterator[LearnedState]:
        for family, stamp, at, corrections, label, complaint in self._conn.execute(
            """SELECT family, stamp, learned_at, corrections, label_share, complaint_share FROM learned
               ORDER BY family"""
        ):
            yield LearnedState(
                family=family,
                stamp=stamp,
                learned_at=from_ms(at),
                corrections=corrections,
                label_share=label,
                complaint_share=complaint,
            )

    def model(self, family: str) -> bytes | None:
        """Gives the packed model of a family; None where nothing was learned."""
        found = self._conn.execute("SELECT model FROM learned WHERE family = ?", (family,)).fetchone()
        return bytes(found[0]) if found else None

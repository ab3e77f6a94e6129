"""Takes batches in: mentions, their versions and the cursor in one transaction, however often they come.

Set-based: one look at what is known, then many-row statements; the search index is filled once for a batch.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from reviewdesk.model import Author, DeliveryState, JsonObject, Mention, SetAside, Status
from reviewdesk.store.db import to_ms
from reviewdesk.store.records import Ingested, Item
from reviewdesk.text import safe, same_text

if TYPE_CHECKING:
    from reviewdesk.store.db import Store

_CHUNK = 500
_CLOCKS_APART = 5 * 60 * 1000
"""How far a platform's clock may be from ours, in milliseconds."""
SEARCHED = "title, text, pros, cons, author_name, order_id, product"
"""The columns of the search index."""
_CONTENT = ("title", "text", "pros", "cons", "rating", "recommends")
ERASED = "It was erased on request."
"""The reason of an item in quarantine of which nothing is kept."""
_BLANK = {
    **dict.fromkeys(("title", "text", "author_name", "author_key", "author_url", "order_id", "url"), ""),
    **dict.fromkeys(("pros", "cons"), "[]"),
    **dict.fromkeys(("content_hash", "facts_hash"), ""),
    "facts": "{}",
    "raw": None,
}
"""What is taken in of a text that was erased: not a word."""
_FACTS = ("author_name", "order_id", "product", "url", "language", "hidden", "edited_at", "parent", "facts")


def chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """Gives the values in pieces that fit into one statement."""
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))


def marks(values: Sequence[Any]) -> str:
    """Gives the placeholders for an IN list."""
    return ",".join("?" * len(values))


def twins(conn: sqlite3.Connection, reply: int) -> list[int]:
    """Gives the other replies whose words may be taken for a reply's: the same ones, under an id that nobody knows.

    They are to the same mention; where answers are flat, anywhere in its thread.
    """
    found = conn.execute(
        """SELECT other.id, other.text, one.text FROM reply one
           JOIN mention mine ON mine.id = one.mention_id JOIN source ON source.id = mine.source_id
           JOIN mention theirs ON theirs.thread_id = mine.thread_id
           JOIN reply other ON other.mention_id = theirs.id
           WHERE one.id = ? AND other.id <> one.id AND other.remote_id = '' AND other.channel = one.channel
             AND other.state IN ('sending', 'unknown', 'posted', 'visible')
             AND (other.mention_id = one.mention_id OR json_extract(source.capabilities, '$.flat'))""",
        (reply,),
    )
    return [id for id, words, own in found if same_text(words, own)]


class Ingest:
    """One transaction's worth of taking in, for one source.

    Args:
        store: where to; the caller holds the transaction.
        source: the source's id, which must exist.
        now: milliseconds.
    """

    def __init__(self, store: Store, source: str, now: int) -> None:
        self.conn: sqlite3.Connection = store.db.conn
        self.source = source
        self.now = now

    def take(
        self,
        mentions: Sequence[Mention],
        set_aside: Sequence[SetAside],
        gone: Sequence[str],
        told: Callable[[Item], None] | None = None,
    ) -> Ingested:
        """Stores what is new, versions what was edited, marks what is gone, and keeps what could not be read."""
        rows = {row["platform_id"]: row for row in (self._row(mention) for mention in mentions)}
        self._recognise_ours(rows)
        known = self._known(list(rows))
        self._keep_erased(rows, known)
        new = [row for key, row in rows.items() if key not in known]
        changed, refreshed, same = [], [], 0
        for key, row in rows.items():
            if key not in known:
                continue
            row["id"], version, content_hash, facts_hash, was_gone, _ = known[key]
            if row["erased_at"]:
                same += 1
            elif content_hash != row["content_hash"]:
                row["version"] = version + 1
                changed.append(row)
            elif facts_hash != row["facts_hash"] or was_gone:
                refreshed.append(row)
            else:
                same += 1
        if new:
            self._insert(new)
        if changed:
            self._change(changed)
        if refreshed:
            self._refresh(refreshed)
        self._answered(new)
        self._confirm(list(rows.values()), new + changed)
        if told is not None:
            self._tell(told, rows, {row["platform_id"] for row in new}, {row["platform_id"] for row in changed})
            for item in set_aside:
                told(Item(id=safe(item.id), outcome="set aside", reason=safe(item.reason)))
            for id in gone:
                told(Item(id=safe(id), outcome="gone"))
        newly_aside = self._not_yet_aside(set_aside)
        return Ingested(
            new=sum(not row["ours"] for row in new),
            changed=sum(not row["ours"] for row in changed),
            same=same + len(refreshed) + sum(row["ours"] for row in (*new, *changed)),
            gone=self._gone(gone),
            set_aside=self._set_aside(set_aside),
            newly_aside=newly_aside,
        )

    @staticmethod
    def _tell(
        told: Callable[[Item], None], rows: Mapping[str, Mapping[str, Any]], new: set[str], edited: set[str]
    ) -> None:
        for key, row in rows.items():
            outcome = "ours" if row["ours"] else "new" if key in new else "changed" if key in edited else "same"
            told(Item(id=key, outcome=outcome))

    def _row(self, mention: Mention) -> dict[str, Any]:
        created = to_ms(mention.created_at) if mention.created_at else None
        author = mention.author or Author()
        row: dict[str, Any] = {
            "source_id": self.source,
            "platform_id": safe(mention.id),
            "parent": safe(mention.parent_id or ""),
            "thread_key": safe(mention.thread_id or mention.id),
            "author_key": _author_key(author),
            "author_url": safe(author.url),
            "kind": mention.kind.value,
            "ours": int(mention.ours),
            "created_at": created if created is not None else self.now,
            "now": self.now,
            "edited_at": to_ms(mention.edited_at) if mention.edited_at else None,
            "title": safe(mention.title),
            "text": safe(mention.text),
            "pros": _points(mention.pros),
            "cons": _points(mention.cons),
            "author_name": safe(author.name),
            "order_id": safe(mention.order_id),
            "product": safe(mention.product),
            "rating": mention.rating,
            "recommends": None if mention.recommends is None else int(mention.recommends),
            "url": safe(mention.url),
            "language": safe(mention.language or ""),
            "hidden": int(mention.hidden),
            "facts": _json(_facts(mention)),
            "status": Status.CLOSED.value if mention.ours else Status.NEW.value,
            "raw": None if mention.raw is None else _json(mention.raw),
            "version": 1,
            "erased_at": None,
        }
        row["content_hash"] = _hash(row, _CONTENT)
        row["facts_hash"] = _hash(row, _FACTS)
        return row

    def _keep_erased(self, rows: dict[str, dict[str, Any]], known: Mapping[str, tuple[Any, ...]]) -> None:
        """Takes every word out of what was erased and comes again, and out of our answers to it."""
        above = {key: row["parent"] or row["thread_key"] for key, row in rows.items() if row["ours"]}
        known = {**known, **self._known(sorted({*above.values()} - known.keys()))}
        for key, row in rows.items():
            if any(each in known and known[each][-1] for each in (key, above.get(key))):
                row.update(_BLANK, erased_at=self.now)

    def _known(self, keys: Sequence[str]) -> dict[str, tuple[int, int, str, str, bool, bool]]:
        known: dict[str, tuple[int, int, str, str, bool, bool]] = {}
        for part in chunks(keys):
            for key, *rest in self.conn.execute(
                f"SELECT platform_id, id, version, content_hash, facts_hash, gone_at IS NOT NULL,"
                f" erased_at IS NOT NULL FROM mention WHERE source_id = ? AND platform_id IN ({marks(part)})",
                (self.source, *part),
            ):
                known[key] = tuple(rest)
        return known

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        self._people(rows)
        self.conn.executemany(
            """INSERT INTO mention (source_id, platform_id, thread_id, author_id, parent, kind, ours, content_hash,
                 facts_hash, created_at, seen_at, changed_at, edited_at, title, text, pros, cons, author_name, order_id,
                 product, rating, recommends, url, language, hidden, facts, status, erased_at)
               VALUES (:source_id, :platform_id, :thread_id, :author_id, :parent, :kind, :ours, :content_hash,
                 :facts_hash, :created_at, :now, :now, :edited_at, :title, :text, :pros, :cons, :author_name,
                 :order_id, :product, :rating, :recommends, :url, :language, :hidden, :facts, :status, :erased_at)""",
            rows,
        )
        ids = {key: known[0] for key, known in self._known([row["platform_id"] for row in rows]).items()}
        for row in rows:
            row["id"] = ids[row["platform_id"]]
        self._versions(rows)
        self._index(rows)

    def _people(self, rows: list[dict[str, Any]]) -> None:
        self.conn.executemany(
            "INSERT INTO thread (source_id, key) VALUES (:source_id, :thread_key) ON CONFLICT DO NOTHING", rows
        )
        self.conn.executemany(
            """INSERT INTO author (source_id, key, name, url)
               VALUES (:source_id, :author_key, :author_name, :author_url)
               ON CONFLICT (source_id, key) DO UPDATE SET name = excluded.name, url = excluded.url""",
            [row for row in rows if row["author_key"]],
        )
        threads = self._ids("thread", {row["thread_key"] for row in rows})
        authors = self._ids("author", {row["author_key"] for row in rows})
        for row in rows:
            row["thread_id"] = threads[row["thread_key"]]
            row["author_id"] = authors.get(row["author_key"])

    def _ids(self, table: str, keys: set[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for part in chunks(sorted(keys)):
            found.update(
                self.conn.execute(
                    f"SELECT key, id FROM {table} WHERE source_id = ? AND key IN ({marks(part)})", (self.source, *part)
                ).fetchall()
            )
        return found

    def _versions(self, rows: list[dict[str, Any]]) -> None:
        self.conn.executemany(
            """INSERT INTO mention_version
                 (mention_id, version, seen_at, title, text, pros, cons, rating, recommends, raw)
               VALUES (:id, :version, :now, :title, :text, :pros, :cons, :rating, :recommends, :raw)""",
            rows,
        )

    def _index(self, rows: list[dict[str, Any]]) -> None:
        for part in chunks([row["id"] for row in rows]):
            self.conn.execute(
                f"INSERT INTO mention_fts (rowid, {SEARCHED}) SELECT id, {SEARCHED} FROM mention"
                f" WHERE id IN ({marks(part)})",
                part,
            )

    def _unindex(self, rows: list[dict[str, Any]]) -> None:
        for part in chunks([row["id"] for row in rows]):
            self.conn.execute(
                f"INSERT INTO mention_fts (mention_fts, rowid, {SEARCHED})"
                f" SELECT 'delete', id, {SEARCHED} FROM mention WHERE id IN ({marks(part)})",
                part,
            )

    def _change(self, rows: list[dict[str, Any]]) -> None:
        """A new text under a known id: a new version, to be assessed again, and work that seemed done is open again."""
        self._unindex(rows)
        self.conn.executemany(
            """UPDATE mention SET version = :version, content_hash = :content_hash, facts_hash = :facts_hash,
                 changed_at = :now, edited_at = coalesce(:edited_at, :now), gone_at = NULL, title = :title,
                 text = :text, pros = :pros, cons = :cons, author_name = :author_name, order_id = :order_id,
                 product = :product,
                 rating = :rating, recommends = :recommends, url = :url, language = :language, hidden = :hidden,
                 parent = :parent, facts = :facts, assessed = '',
                 status = CASE WHEN ours = 0 AND status IN ('answered', 'closed') THEN 'open' ELSE status END
               WHERE id = :id""",
            rows,
        )
        self._versions(rows)
        self._index(rows)
        self.conn.executemany(
            """INSERT INTO event (at, agent, what, mention_id, source_id, detail)
               VALUES (:now, '', 'edited', :id, :source_id, json_object('version', :version))""",
            rows,
        )

    def _refresh(self, rows: list[dict[str, Any]]) -> None:
        """The same words with other facts (a link, a hidden flag), or a mention that was thought gone."""
        self._unindex(rows)
        self.conn.executemany(
            """UPDATE mention SET facts_hash = :facts_hash, changed_at = :now, edited_at = :edited_at, gone_at = NULL,
                 author_name = :author_name, order_id = :order_id, product = :product, url = :url,
                 language = CASE :language WHEN '' THEN language ELSE :language END, hidden = :hidden, parent = :parent,
                 facts = :facts
               WHERE id = :id""",
            rows,
        )
        self._index(rows)

    def _recognise_ours(self, rows: dict[str, dict[str, Any]]) -> None:
        """What bears the platform's id of a reply of ours is ours, whatever the connector could see of its author."""
        for key in self._known_as([key for key, row in rows.items() if not row["ours"]]):
            rows[key].update(ours=1, status=Status.CLOSED.value)

    def _answered(self, new: list[dict[str, Any]]) -> None:
        """A customer's text under which one of ours stands is answered, whichever of the two came first."""
        parents = [row["parent"] for row in new if row["ours"] and row["parent"]]
        fresh = [row["platform_id"] for row in new if not row["ours"]]
        for part in chunks(sorted({*parents, *fresh})):
            self.conn.execute(
                f"""UPDATE mention SET status = 'answered', changed_at = ?, answered_at =
                      (SELECT min(child.created_at) FROM mention child
                       WHERE child.source_id = mention.source_id AND child.parent = mention.platform_id
                         AND child.ours = 1)
                    WHERE source_id = ? AND platform_id IN ({marks(part)}) AND ours = 0
                      AND status IN ('new', 'open', 'snoozed')
                      AND EXISTS (SELECT 1 FROM mention child WHERE child.source_id = mention.source_id
                                  AND child.parent = mention.platform_id AND child.ours = 1
                                  AND child.created_at >= mention.created_at)""",
                (self.now, self.source, *part),
            )

    def _confirm(self, rows: list[dict[str, Any]], fresh: list[dict[str, Any]]) -> None:
        """Our replies seen on the platform: found by id, else by parent and text; a handed-off one by its parent.

        One that was tried before may stand there although it waits to be sent again.

        Args:
            fresh: those of the rows that are new or have new words; what stood there before confirms no hand-off.
        """
        ours = [row for row in rows if row["ours"]]
        if not ours:
            return
        waiting = {
            found[0]: found[1:]
            for part in chunks(ours)
            for found in self.conn.execute(
                f"""SELECT reply.id, reply.remote_id, reply.text, reply.state, reply.created_at, mention.platform_id
                    FROM reply JOIN mention ON mention.id = reply.mention_id
                    WHERE mention.source_id = ?
                      AND (reply.state IN ('posted', 'unknown', 'handed_off')
                           OR (reply.state IN ('queued', 'sending', 'held') AND reply.attempts > 0))
                      AND (reply.remote_id IN ({marks(part)}) OR mention.platform_id IN ({marks(part)}))""",
                (self.source, *(row["platform_id"] for row in part), *(row["parent"] for row in part)),
            )
        }
        known_as = self._known_as([row["platform_id"] for row in ours]) if waiting else {}
        words = {row["platform_id"] for row in fresh}
        for reply, (remote_id, text, state, approved, parent) in sorted(waiting.items()):
            by_hand = state == DeliveryState.HANDED_OFF
            candidates = [
                row
                for row in ours
                if row["parent"] == parent
                and known_as.get(row["platform_id"], reply) == reply
                and (
                    (same_text(row["text"], text) and (by_hand or row["created_at"] >= approved - _CLOCKS_APART))
                    or (by_hand and row["platform_id"] in words)
                )
            ]
            if candidates and not by_hand and twins(self.conn, reply):
                # Whose words they are cannot be told.
                candidates.clear()
            candidates[:0] = [row for row in ours if remote_id and row["platform_id"] == remote_id]
            if candidates:
                self._seen(reply, candidates[0])
                known_as[candidates[0]["platform_id"]] = reply

    def _known_as(self, keys: Sequence[str]) -> dict[str, int]:
        """Gives the replies of the desk's that stand on the platform under these ids."""
        found: dict[str, int] = {}
        for part in chunks(keys):
            found.update(
                self.conn.execute(
                    f"""SELECT reply.remote_id, reply.id FROM reply JOIN mention ON mention.id = reply.mention_id
                        WHERE mention.source_id = ? AND reply.remote_id IN ({marks(part)})""",
                    (self.source, *part),
                ).fetchall()
            )
        return found

    def _seen(self, reply: int, row: dict[str, Any]) -> None:
        self.conn.execute(
            """UPDATE reply SET state = 'visible', holder = '', lease_until = 0, remote_id = ?, remote_url = ?,
                 remote_text = ?, fault = '', fault_hint = '', updated_at = ?, posted_at = coalesce(posted_at, ?)
               WHERE id = ?""",
            (row["platform_id"], row["url"], row["text"], self.now, row["created_at"], reply),
        )
        self.conn.execute(
            """UPDATE mention SET status = 'answered', changed_at = ?, answered_at = coalesce(answered_at, ?)
               WHERE id = (SELECT mention_id FROM reply WHERE id = ?) AND status IN ('new', 'open', 'snoozed')""",
            (self.now, row["created_at"], reply),
        )
        self.conn.execute(
            """INSERT INTO event (at, agent, what, mention_id, source_id, detail)
               SELECT ?, '', 'reply seen', mention_id, ?, json_object('reply', id) FROM reply WHERE id = ?""",
            (self.now, self.source, reply),
        )

    def _gone(self, keys: Sequence[str]) -> int:
        count = 0
        for part in chunks(keys):
            count += self.conn.execute(
                f"""UPDATE mention SET gone_at = ?, changed_at = ? WHERE source_id = ? AND gone_at IS NULL
                    AND platform_id IN ({marks(part)})""",
                (self.now, self.now, self.source, *part),
            ).rowcount
        return count

    def _not_yet_aside(self, items: Sequence[SetAside]) -> int:
        """Counts the items that nobody was told of: neither their payload nor their id is in quarantine."""
        count = 0
        for hash, id in {_digest(item.raw): safe(item.id) for item in items}.items():
            count += not self.conn.execute(
                "SELECT 1 FROM set_aside WHERE source_id = ? AND (raw_hash = ? OR (platform_id = ? AND ? <> ''))",
                (self.source, hash, id, id),
            ).fetchone()
        return count

    def _set_aside(self, items: Sequence[SetAside]) -> int:
        before = self.conn.total_changes
        known = self._known([safe(item.id) for item in items if item.id])
        erased = {key for key, found in known.items() if found[-1]}
        self.conn.executemany(
            f"""INSERT INTO set_aside (source_id, platform_id, raw_hash, reason, raw, first_at, last_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (source_id, raw_hash) DO UPDATE SET last_at = excluded.last_at,
                  reason = CASE reason WHEN '{ERASED}' THEN reason ELSE excluded.reason END""",
            [
                (
                    self.source,
                    safe(item.id),
                    _digest(item.raw),
                    *((ERASED, "") if safe(item.id) in erased else (safe(item.reason), safe(item.raw))),
                    self.now,
                    self.now,
                )
                for item in items
            ],
        )
        return self.conn.total_changes - before


def _points(points: Sequence[str]) -> str:
    return _POINTS([safe(point) for point in points]) if points else "[]"


def _author_key(author: Author) -> str:
    if author.id:
        return f"id:{safe(author.id)}"
    return f"name:{safe(author.name)}" if author.name else ""


def _facts(mention: Mention) -> JsonObject:
    """What is shown and handed back to the connector, but never searched for."""
    told: JsonObject = {}
    if mention.rating_raw:
        told["rating_raw"] = safe(mention.rating_raw)
    if mention.sub_ratings:
        told["sub_ratings"] = {safe(name): value for name, value in mention.sub_ratings.items()}
    for name in ("product_url", "reply_url"):
        if url := getattr(mention, name):
            told[name] = safe(url)
    for name in ("can_reply", "can_hide", "can_like", "can_private_reply"):
        if (able := getattr(mention, name)) is not None:
            told[name] = able
    if mention.attachments:
        told["attachments"] = [
            {"type": safe(each.type), "url": safe(each.url), "title": safe(each.title)} for each in mention.attachments
        ]
    if mention.fields:
        told["fields"] = {safe(name): safe(value) for name, value in mention.fields.items()}
    return told


def _plain(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


# Made once: `json.dumps` makes an encoder at each call, and a batch has thousands.
_POINTS = json.JSONEncoder(ensure_ascii=False).encode
# ASCII, so that even a lone surrogate in a raw payload is kept as it came.
_json = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), default=_plain).encode


def _hash(row: Mapping[str, Any], names: Sequence[str]) -> str:
    return _digest("\x1f".join([str(row[name]) for name in names]))


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()

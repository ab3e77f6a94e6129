"""Looks whether the database is in order, and mends what can be mended without touching what people wrote."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from reviewdesk.model import Finding, Level
from reviewdesk.store.db import Store
from reviewdesk.store.salvage import Salvaged, salvage

_REPAIR = "Run: reviewdesk doctor --repair"


def examine(store: Store) -> list[Finding]:
    """Gives what is wrong with the database, its files and its leases, or one finding that says that nothing is."""
    health, path = store.health, store.path
    found = [_ok(f"The database was brought up to date ({len(store.migrated)} steps).")] if store.migrated else []
    if damage := health.damage():
        return [
            *found,
            Finding(
                level=Level.FAULT,
                sentence=f"The database {path} is damaged: {'; '.join(damage[:3])}.",
                hint=f"{_REPAIR}, or restore a backup.",
            ),
        ]
    wrong = []
    if not health.search_is_whole():
        wrong.append(Finding(level=Level.FAULT, sentence="The search index is damaged.", hint=_REPAIR))
    if stuck := health.stuck():
        sentence = f"A poll has died while it held {', '.join(stuck)}; the next one takes over."
        wrong.append(Finding(level=Level.WARNING, sentence=sentence))
    if store.erasing.unclean():
        sentence = "What was erased may still stand in the database's files."
        wrong.append(Finding(level=Level.FAULT, sentence=sentence, hint=_REPAIR))
    for each in health.readable_by_others():
        hint = f"Run: chmod {700 if each.is_dir() else 600} {each}"
        wrong.append(Finding(level=Level.WARNING, sentence=f"{each} can be read by others.", hint=hint))
    return [*found, *(wrong or [_ok(f"The database {path} is whole.")]), *_set_aside(store)]


def _set_aside(store: Store) -> list[Finding]:
    count = len(store.sources.quarantined())
    if not count:
        return []
    sentence = f"{count:,} {'item' if count == 1 else 'items'} could not be read: reviewdesk quarantine tells why."
    hint = "After an update of the desk or of a connector, run: reviewdesk quarantine retry"
    return [Finding(level=Level.WARNING, sentence=sentence, hint=hint)]


def mend(store: Store) -> list[Finding]:
    """Mends what `examine` finds, and gives what was done. Mentions and what belongs to them are never changed.

    Where pages of tables are damaged, what can be read is copied into a new file beside, and the old one stays.

    Raises:
        StoreError: the database is busy for too long, or the new file cannot be written.
    """
    health, done = store.health, []
    if health.damage():
        if not health.rebuild_indexes():
            return save(store.path, store.clock())
        done.append(_ok("Indexes were damaged, and were built anew from their tables."))
    elif not health.search_is_whole():
        health.rebuild_search()
        done.append(_ok("The search index was damaged, and was built anew."))
    if stuck := health.release_stuck():
        done.append(_ok(f"The lease of a poll that has died was taken off {', '.join(stuck)}."))
    if store.erasing.unclean():
        store.erasing.scrub()
    size = health.log_size()
    if size and store.empty_log():
        done.append(_ok(f"The log beside the database ({size:,} bytes) was written into it."))
    done += [_ok(f"{each} can no longer be read by others.") for each in health.close_to_others()]
    return done


def save(path: Path, now: datetime) -> list[Finding]:
    """Copies what can be read of a damaged database into a new one beside it, and gives what became of it.

    Args:
        now: for the new file's name.

    Raises:
        StoreError: nothing can be read, or the new file cannot be written.
    """
    target = path.with_name(f"{path.stem}-salvaged-{now:%Y%m%d-%H%M%S}{path.suffix}")
    told = salvage(path, target)
    old = path.with_name(f"{path.stem}-damaged{path.suffix}")
    return [
        Finding(level=Level.WARNING, sentence=f"What could be read was copied to {target}: {_counts(told)}."),
        Finding(
            level=Level.FAULT,
            sentence=f"The database {path} is damaged in its tables and was left as it is.",
            hint=f"Restore a backup; or close the desk everywhere, keep it as {old.name}, "
            f"put {target.name} in its place, and poll: every source is then asked from its beginning.",
        ),
    ]


def _counts(told: list[Salvaged]) -> str:
    parts = []
    for each in told:
        lost = "" if each.before is None else f" of {each.before:,}"
        if each.copied or each.before or each.before is None:
            parts.append(f"{each.table} {each.copied:,}{lost}")
    return ", ".join(parts)


def _ok(sentence: str) -> Finding:
    return Finding(level=Level.OK, sentence=sentence)

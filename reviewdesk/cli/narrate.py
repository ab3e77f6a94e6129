"""Tells the steps of a poll and of a delivery: to a person, to a program, or to nobody while all is well."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

import click
import msgspec

from reviewdesk.cli.exits import Exit, exit_for
from reviewdesk.cli.output import json_line, say
from reviewdesk.desk.coverage import Noticed
from reviewdesk.desk.deliver import Delivered
from reviewdesk.desk.steps import Outcome, Polled, Progress, Requested, Taken
from reviewdesk.errors import Actor, Unreachable
from reviewdesk.model import Budget, DeliveryState

_BAR_FROM = 500


class Narrator:
    """Called with each step; `exit_code` is the worst of what it heard.

    Where a step cannot be told, because the reader has gone or the disk is full, the work goes on: that is no fault of
    what is told of. It is raised at the end of the block.

    Args:
        as_json: each step is a line of JSON on stdout.
        quiet: a person hears only of faults, and of each once.
        terminal: stderr is a terminal, so that a long import may show a bar.
    """

    def __init__(self, *, as_json: bool, quiet: bool, terminal: bool) -> None:
        self.as_json, self.quiet = as_json, quiet
        self.exit_code = Exit.OK
        self._bar: Any = None
        self._wants_bar = terminal and not quiet and not as_json
        self._progress: dict[str, Progress] = {}
        self._out_of_reach: list[Polled] = []
        self._mended: list[str] = []
        self._untold: OSError | None = None

    def __enter__(self) -> Narrator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_bar()
        self._tell_together()
        if self._untold is not None and error is None:
            raise self._untold

    def __call__(self, step: Progress | Polled | Requested | Taken | Delivered | Noticed) -> None:
        """Tells one step, at once."""
        try:
            self._tell(step)
            sys.stdout.flush()
        except OSError as error:
            self._untold = self._untold or error

    def _tell(self, step: Progress | Polled | Requested | Taken | Delivered | Noticed) -> None:
        match step:
            case Progress():
                self._on_progress(step)
            case Polled():
                self._on_polled(step)
            case Requested():
                self._on_requested(step)
            case Taken():
                self._on_taken(step)
            case Delivered():
                self._on_delivered(step)
            case Noticed():
                self._on_noticed(step)

    def _on_progress(self, step: Progress) -> None:
        if self.as_json:
            json_line({"event": "progress", **msgspec.to_builtins(step)})
        if not self._wants_bar:
            return
        self._progress[step.source] = step
        done = sum(each.items for each in self._progress.values())
        total = sum(max(each.total or 0, each.items) for each in self._progress.values())
        if self._bar is None and total >= _BAR_FROM:
            bar: Any = click.progressbar(length=total, label="Reading", file=sys.stderr)
            self._bar = bar.__enter__()
        if self._bar is not None:
            self._bar.length = total
            self._bar.update(done - self._bar.pos)

    def _on_requested(self, step: Requested) -> None:
        if self.as_json:
            told = {**msgspec.to_builtins(step.exchange), "budget": msgspec.to_builtins(step.budget)}
            json_line({"event": "request", "source": step.source, **told})
            return
        self._end_bar()
        made = step.exchange
        ended = f"{made.status or 'no answer'}{f' ({made.fault})' if made.fault else ''}"
        left = f", {_left(step.budget)}" if step.budget else ""
        say(f"{step.source}: {made.method} {made.url} {ended}, {made.milliseconds:,} ms, {made.bytes:,} B{left}")

    def _on_taken(self, step: Taken) -> None:
        item = step.item
        if self.as_json:
            json_line({"event": "item", "source": step.source, **msgspec.to_builtins(item)})
            return
        self._end_bar()
        say(f"{step.source}:   {item.outcome:<9}  {item.id or 'no id'}{f': {item.reason}' if item.reason else ''}")

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None

    def _on_polled(self, step: Polled) -> None:
        if step.error is not None:
            self.exit_code = max(self.exit_code, exit_for(step.error))
        if self.as_json:
            told = msgspec.to_builtins(step.brought)
            fault = None if step.error is None else {"sentence": step.error.in_a_line, "hint": step.error.hint}
            json_line(
                {
                    "event": "source",
                    "source": step.source,
                    "outcome": step.outcome,
                    **told,
                    "more": step.more,
                    "fault": fault,
                }
            )
            return
        self._end_bar()
        if step.outcome is Outcome.FAILED and step.error is not None and (step.news or not self.quiet):
            if self.quiet and isinstance(step.error, Unreachable):
                self._out_of_reach.append(step)
            else:
                say(f"{step.source}: {step.error}")
        elif step.outcome is Outcome.DONE and step.mended:
            if self.quiet:
                self._mended.append(step.source)
            else:
                say(f"{step.source}: works again.")
        if self.quiet and (count := step.brought.newly_aside):
            items = f"{count:,} items" if count > 1 else "An item"
            say(f"{step.source}: {items} could not be read; see: reviewdesk quarantine list --source {step.source}")
        if step.outcome is Outcome.DONE and not self.quiet:
            say(f"{step.source}: {_brought(step)}{'; the next poll goes on from there' if step.more else ''}")
        elif step.outcome is Outcome.BUSY and not self.quiet:
            say(f"{step.source}: another poll is at it.")
        elif step.outcome is Outcome.DISABLED and not self.quiet:
            say(f"{step.source}: switched off; on again with: reviewdesk sources enable {step.source}")
        elif step.outcome is Outcome.PARKED and not self.quiet:
            say(f"{step.source}: parked until you act; `reviewdesk sources` says why.")

    def _tell_together(self) -> None:
        """An outage of the network is one line, and so is its end, however many sources there are."""
        names = ", ".join(sorted(step.source for step in self._out_of_reach))
        match self._out_of_reach:
            case [step]:
                say(f"{names}: {step.error}")
            case [step, *_]:
                say(f"{names}: out of reach; is there a network? They are asked again by themselves. ({step.error})")
        if self._mended:
            say(f"{', '.join(sorted(self._mended))}: {'work' if len(self._mended) > 1 else 'works'} again.")

    def _on_delivered(self, step: Delivered) -> None:
        if step.actor is not None:
            self.exit_code = max(self.exit_code, Exit.LATER if step.actor is Actor.TIME else Exit.PERSON)
        if self.as_json:
            json_line({"event": "reply", **msgspec.to_builtins(step)})
        elif not self.quiet or (step.fault and step.news):
            because = f": {step.fault} {step.hint}".rstrip() if step.fault else ""
            say(f"{step.source}: reply {step.reply} to mention {step.mention} {_state(step.state)}{because}")

    def _on_noticed(self, step: Noticed) -> None:
        if self.as_json:
            json_line({"event": "notice", **msgspec.to_builtins(step)})
        else:
            say(f"{step.source}: {step.sentence} {step.hint}".rstrip())


def _left(budget: Budget) -> str:
    parts = [f"budget {budget.used:.0%} used" if budget.used is not None else "", budget.note]
    return ", ".join(filter(None, parts)) or "budget not told"


def _brought(step: Polled) -> str:
    brought = step.brought
    parts = [
        f"{number:,} {word}"
        for number, word in (
            (brought.new, "new"),
            (brought.changed, "changed"),
            (brought.gone, "gone"),
            (brought.set_aside, "set aside (could not be read)"),
        )
        if number
    ]
    return ", ".join(parts) or "nothing new"


def _state(state: DeliveryState) -> str:
    return {
        DeliveryState.QUEUED: "will be tried again",
        DeliveryState.UNKNOWN: "may or may not have been posted",
        DeliveryState.REFUSED: "was not posted",
    }.get(state, f"is {state.value}")

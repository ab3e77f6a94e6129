"""Scripted customers: they write on the emulated platforms, and answer the shop's replies, thankful or angrier."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

import msgspec

from reviewdesk.sandbox.emulator import CustomerText, Emulator, ShopReply

Mood = Literal["angry", "mild", "praise", "question"]


class Role(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One customer of the script."""

    language: str
    author: str
    mood: Mood
    text: str
    rating: Annotated[float, msgspec.Meta(ge=1, le=5)] | None = None
    order: str = ""
    product: str = ""
    pros: tuple[str, ...] = ()
    cons: tuple[str, ...] = ()

    def words(self, text: str = "") -> CustomerText:
        """Gives what the customer writes: the script's words, or others in the same voice."""
        return CustomerText(
            author=self.author,
            text=text or self.text,
            language=self.language,
            rating=self.rating,
            pros=self.pros,
            cons=self.cons,
            product=self.product,
            order_id=self.order,
        )


class Answers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How customers of one language go on after a reply."""

    thankful: tuple[str, ...]
    angrier: tuple[str, ...]


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of `script.toml`."""

    customer: tuple[Role, ...]
    answer: Mapping[str, Answers]


@cache
def script() -> Script:
    """Gives the script that comes in the box."""
    text = files("reviewdesk.sandbox").joinpath("script.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Script)


class Customers:
    """The public of some emulated platforms.

    Args:
        emulators: where they write.
        seed: the same seed plays the same piece.
    """

    def __init__(self, emulators: Sequence[Emulator], *, seed: int = 0) -> None:
        self._emulators = list(emulators)
        self._random = random.Random(seed)  # noqa: S311 - a play, not a secret
        self._waiting: list[Role] = []
        self._wrote: dict[tuple[str, str], Role] = {}
        self._answered: set[tuple[str, str]] = set()

    def open(self, each: int) -> None:
        """Lets `each` customers write on every platform, so that the inbox has something in it."""
        for emulator in self._emulators:
            for _ in range(each):
                self.write(emulator)

    def act(self) -> None:
        """Lets one thing happen: a customer answers a reply of the shop's, or else writes something new."""
        if not self.answer():
            self.write(self._random.choice(self._emulators))

    def write(self, emulator: Emulator) -> None:
        """Lets the next customer write on one platform."""
        if not self._waiting:
            self._waiting = list(script().customer)
            self._random.shuffle(self._waiting)
        role = self._waiting.pop()
        self._wrote[emulator.platform, emulator.write(role.words())] = role

    def answer(self) -> bool:
        """Lets the customer of the oldest reply that has no answer yet go on. Gives False where there is none."""
        for emulator in self._emulators:
            for reply in emulator.shop_replies():
                role = self._wrote.get((emulator.platform, reply.to))
                if role is not None and (emulator.platform, reply.id) not in self._answered:
                    self._answered.add((emulator.platform, reply.id))
                    if self._go_on(emulator, reply, role):
                        return True
        return False

    def _go_on(self, emulator: Emulator, reply: ShopReply, role: Role) -> bool:
        if role.mood == "praise":
            return False
        answers = script().answer[role.language]
        angrier = role.mood == "angry" and self._random.random() < 0.5
        text = self._random.choice(answers.angrier if angrier else answers.thankful)
        id = emulator.answer(reply, role.words(text))
        if id is not None:
            self._wrote[emulator.platform, id] = role
        return id is not None

"""Kill -9 at every commit point of FAULTS section 6, and look at what is left: ``python -m support.crash K3=20 K7=80``.

One round: a child is forked from a warm parent that has no threads and no open connections. It works through a seeded
day and kills itself with SIGKILL when it passes the chosen point for the chosen time. The parent looks at what was
committed, then does what the world does after a crash: Razorpay redelivers, a scheduler sweeps. In the end the books
must be those of a day without a crash.

The command prints one JSON object: each argument, and what was wrong in its rounds, with point and seed. An argument is
``POINT=ROUNDS``, and ``POINT=ROUNDS/MISTAKE`` for a design of :mod:`support.mutants`. ``CRASH_SEED`` is the first seed,
``CRASH_STORE`` the kind of store: ``sqlite`` (default) or ``postgresql``.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bodies import Shop
from support.grounds import GROUNDS, Ground, fast_disk
from support.hooks import HookedStore, Seen
from support.mutants import ANSWERS_FIRST, MAILS_INSIDE, STORES
from support.properties import Books, at_any_moment, in_the_end, p2_answered_is_stored, read_books
from support.workload import ORDERS, append, digest_of, events, expected, lines, open_shop

POINTS = ("K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K9", "K10")

_PASSES = {"K6": 10, "K8": 6, "K9": 6, "K10": 9}
_EVENTS = 18
"""How often a day passes each point at least: eighteen events, ten inner effects, six outer ones, nine parked rows."""


def point_of(moment: str, seen: Seen) -> str | None:
    """The commit point that a moment is, or None."""
    if moment in _MOMENTS:
        return _MOMENTS[moment]
    if "claim" in seen:
        return _IN_DELIVERY.get(moment)
    if moment == "after commit" and seen.get("lease_effects"):
        return "K8"
    if moment == "after settle" and seen.get("parked"):
        return "K10"
    return None


_MOMENTS = {"request": "K1", "before claim": "K2", "in handler": "K6", "after effect": "K9"}
_IN_DELIVERY = {"after claim": "K3", "after load": "K4", "before commit": "K5", "after commit": "K7"}


class Fuse:
    """Kills the process at the ``number``-th pass of ``point``."""

    def __init__(self, point: str, number: int) -> None:
        self._point = point
        self._left = number

    def __call__(self, moment: str, seen: Seen | None = None) -> None:
        if point_of(moment, seen or {}) != self._point:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Place(NamedTuple):
    """The files of one round, and its store. ``answers`` has a line before each delivery, and one with its status."""

    folder: Path
    ground: Ground
    copy: str

    @property
    def sends(self) -> Path:
        return self.folder / "sends"

    @property
    def answers(self) -> Path:
        return self.folder / "answers"

    def answered(self) -> dict[str, int]:
        """Digest → status, of every delivery that was answered."""
        told = [line.split() for line in lines(self.answers)]
        return {words[0]: int(words[1]) for words in told if len(words) == 2}

    def in_flight(self) -> str | None:
        """The delivery that was begun last, if it was not answered."""
        told = [line.split() for line in lines(self.answers)]
        return told[-1][0] if told and len(told[-1]) == 1 else None


def day(seed: int) -> list[bytes]:
    """All events in an order that Razorpay may choose, some of them twice."""
    order = random.Random(seed)
    every = events()
    arrivals = every + order.sample(every, 6)
    order.shuffle(arrivals)
    return arrivals


# --- the child


def opened(place: Place, mistake: str, fuse: Fuse | None = None) -> Shop:
    """The shop on the round's store: with a fuse in the child, and with a short wait for locks after the crash.

    A lock that outlived its process would then be an error.
    """
    store: Any = place.ground.open(place.copy, patient=fuse is not None)
    store = STORES.get(mistake, lambda same: same)(store)
    inside = mistake == MAILS_INSIDE
    if fuse is None:
        return open_shop(store, place.sends, mails_inside=inside)
    return open_shop(HookedStore(store, fuse), place.sends, fuse, mails_inside=inside)  # type: ignore[arg-type]


def work(place: Place, fuse: Fuse, seed: int, mistake: str) -> None:
    """A day of the shop: deliveries, then the scheduler's turn."""
    shop = opened(place, mistake, fuse)
    for raw in day(seed):
        deliver(shop, place, raw, fuse, first=mistake == ANSWERS_FIRST)
    shop.clock.advance(120)
    shop.rzp.checkout.sweep()
    shop.rzp.webhooks.process_pending()


def deliver(shop: Shop, place: Place, raw: bytes, fuse: Fuse, *, first: bool) -> None:
    """One delivery, as an endpoint makes it: what is answered can be seen from outside, even if we die next."""
    digest = digest_of(raw)
    append(place.answers, digest)
    fuse("request")
    if first:
        append(place.answers, f"{digest} 200")
    append(place.answers, f"{digest} {shop.deliver(raw)}")


def die_in_child(job: Callable[[], None]) -> bool:
    """Run ``job`` in a fork of this process; whether it ended by SIGKILL."""
    if threading.active_count() != 1:
        raise RuntimeError("a fork with threads alive copies locks that nobody will open again")
    child = os.fork()
    if child == 0:
        try:
            job()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


# --- after the crash


def left_behind(point: str, place: Place, books: Books) -> Iterator[str]:
    """What the moment of the crash must and must not have left."""
    yield from p2_answered_is_stored(books, place.answered())
    digest = place.in_flight()
    if point == "K10":
        yield from _registered_as_one(books)
    elif digest is None:
        return  # killed while the scheduler worked, not within a delivery
    elif digest in place.answered():
        return  # a duplicate: its first copy has left its traces
    elif point in ("K1", "K2", "K3", "K4", "K5", "K6"):
        yield from _no_trace(books, digest, point)
    elif digest not in books.inbox:
        yield f"P2: {digest} had committed before {point}, and is not on record"


def _no_trace(books: Books, digest: str, point: str) -> Iterator[str]:
    """K1 to K6: the delivery's row, state, audit and effects are absent together."""
    if digest in books.inbox:
        yield f"P2: {digest} is on record although {point} is before its commit"
    if any(row.digest == digest for chain in books.audit.values() for row in chain):
        yield f"P4: an audit row of {digest} is there without its delivery"
    if any(digest in row.detail for row in books.effects):
        yield f"P1: an effect of {digest} is there without its delivery"


def _registered_as_one(books: Books) -> Iterator[str]:
    """K10: an order is registered and drained, or neither."""
    known = {order.order_id for order in books.orders if order.order_id is not None}
    for row in books.inbox.values():
        if row.state == "parked" and row.anchor in known:
            yield f"P2: {row.digest} is parked for {row.anchor}, which is registered"
        drained = row.state == "done" and row.anchor is not None and row.anchor.startswith("order_")
        if drained and row.anchor not in known:
            yield f"P2: {row.digest} was drained for {row.anchor}, which is not registered"


def recover(place: Place, seed: int, mistake: str) -> Iterator[str]:
    """What happens after any crash: Razorpay delivers again what it has no 2xx for, and more; a scheduler sweeps."""
    shop = opened(place, mistake)
    shop.clock.advance(3600)  # past every lease
    again = random.Random(seed + 1).sample(events(), _EVENTS)
    turns = [lambda: [shop.deliver(raw) for raw in again], shop.rzp.checkout.sweep]
    if seed % 2:
        turns.reverse()
    for turn in turns:
        answers = turn()
        if isinstance(answers, list) and set(answers) != {200}:
            yield f"P2: redelivery was answered {answers}"
    for _ in range(10):
        if shop.rzp.webhooks.process_pending().total == 0:
            break
    else:
        yield "P9: what waits does not come to an end"
    shop.rzp.close()


def end_of_day(point: str, place: Place, seed: int, mistake: str) -> list[str]:
    """Recover, check, deliver everything once more, and check that nothing moved."""
    wrong = list(recover(place, seed, mistake))
    digests = [digest_of(raw) for raw in events()]
    repeated = 1 if point == "K9" else 0  # the one point where the world outside may see an effect twice
    books = books_of(place)
    wrong += in_the_end(books, expected(ORDERS), digests, repeated=repeated)
    wrong += recover(place, seed + 1, mistake)
    if books_of(place) != books:
        wrong.append("P1: a second redelivery of everything changed the books")
    return wrong


def books_of(place: Place) -> Books:
    store = place.ground.open(place.copy, patient=False)
    try:
        return read_books(store, place.sends)
    finally:
        store.close()


# --- rounds


@dataclass(frozen=True, slots=True)
class Campaign:
    """Rounds on copies of one prepared store."""

    ground: Ground
    folder: Path

    @classmethod
    def begin(cls, kind: str, folder: Path) -> Campaign:
        ground: Ground = GROUNDS[kind](folder)
        ground.prepare()
        return cls(ground, folder)

    def round(self, point: str, seed: int, mistake: str = "") -> list[str]:
        """One crash at ``point``; what was wrong, each with the round's name."""
        place = Place(self.folder / f"{point}-{seed}-{mistake}", self.ground, self.ground.copy())
        place.folder.mkdir()
        number = random.Random(f"{point}/{seed}").randint(1, _PASSES.get(point, _EVENTS))
        wrong = self._crash(point, place, Fuse(point, number), seed, mistake)
        shutil.rmtree(place.folder)
        self.ground.drop(place.copy)
        return [f"{point} seed={seed} pass={number}: {one}" for one in wrong]

    def _crash(self, point: str, place: Place, fuse: Fuse, seed: int, mistake: str) -> list[str]:
        if not die_in_child(lambda: work(place, fuse, seed, mistake)):
            return ["the point was never reached"]
        books = books_of(place)
        return [
            *left_behind(point, place, books),
            *at_any_moment(books),
            *end_of_day(point, place, seed, mistake),
        ]


def run(wanted: str, first_seed: int, made: Campaign) -> list[str]:
    """The rounds of one argument; what was wrong in them."""
    point, _, rest = wanted.partition("=")
    count, _, mistake = rest.partition("/")
    seeds = range(first_seed, first_seed + int(count or 1))
    return [one for seed in seeds for one in made.round(point, seed, mistake)]


def main(arguments: list[str]) -> int:
    first_seed = int(os.environ.get("CRASH_SEED", "0"))
    with tempfile.TemporaryDirectory(dir=fast_disk()) as folder:
        made = Campaign.begin(os.environ.get("CRASH_STORE", "sqlite"), Path(folder))
        try:
            wrong = {wanted: run(wanted, first_seed, made) for wanted in arguments}
        finally:
            made.ground.end()
    json.dump(wrong, sys.stdout)
    return 1 if any(wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

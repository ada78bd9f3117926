"""The fault language: what goes wrong, where, and how often. One rule a line.

    on <METHOD> <path>: <fault>[(argument)] [once | N times | P% | always] [each]

``METHOD`` is a verb or ``*``. ``path`` may leave out ``/v1``; ``*`` and ``:id`` stand for one segment, ``*`` alone
for every path. ``each`` counts ``once`` and ``N times`` for every operation (an order's receipt, a payment's refund)
instead of over all. Without a frequency a rule always applies; the first rule that fires wins.

    on EVENT <name>: lost | doubled | late[(seconds)] | tampered | wrong_secret [once | N times | P% | always] [each]

speaks of webhooks instead; ``*`` in the name stands for anything. ``each`` then counts for every event.

Whether ``P%`` fires is a hash of the seed, the rule, the operation and how often that operation was tried: never
of the order in which customers came, nor of any clock.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import NamedTuple

from razorpay_hardened.emulator import _hash
from razorpay_hardened.emulator.wire import Reply, Request, envelope, json_reply, not_applicable
from razorpay_hardened.errors import ConfigError

__all__ = ["EVENT", "EVENT_FAULTS", "FAULTS", "Fate", "Fault", "Faults", "Operation", "Rule", "operation"]

EVENT = "EVENT"
"""Stands where the verb does, in a rule about webhooks."""

EVENT_FAULTS = ("lost", "doubled", "late", "tampered", "wrong_secret")
"""What can happen to an event on its way; ``late`` takes seconds."""

LATE_S = 3600.0
"""How late a late event is where the rule does not say."""

HANG_S = 30.0
"""How long a hanging answer hangs where the rule does not say."""

STALE_S = 60.0
"""How many seconds a stale read lags behind where the rule does not say."""

_HTML = {"Content-Type": "text/html"}


class Operation(NamedTuple):
    """Who asks for what, named so that a retry has the same name: method, route and a stable subject."""

    method: str
    path: str
    route: str
    subject: str


class Fate(NamedTuple):
    """What a rule does to an event: one of ``EVENT_FAULTS``; ``seconds`` is how late."""

    name: str
    seconds: float = LATE_S


class Fault(NamedTuple):
    """What one firing rule does: answer ``instead``, or let the account act and then ``spoil`` its answer."""

    instead: Reply | None = None
    spoil: Callable[[Reply], Reply] = lambda reply: reply
    stale_s: float | None = None


def _gateway_page(status: int, title: str) -> Reply:
    """What a proxy in front of the API answers. Its body is UNCONFIRMED; not being JSON is the worse case."""
    page = f"<html><head><title>{status} {title}</title></head><body><h1>{status} {title}</h1></body></html>"
    return Reply(status, _HTML, page.encode("ascii"))


def _server_error() -> Reply:
    text = "We are facing some trouble completing your request at the moment. Please try again shortly."
    nothing = dict.fromkeys(("source", "step", "reason"), "NA")
    return json_reply({"error": {"code": "SERVER_ERROR", "description": text, **nothing, "metadata": {}}}, 500)


def _no_record() -> Reply:
    """The idempotency store is down. Only the text is published."""
    nothing = dict.fromkeys(("source", "step", "reason"), "NA")
    return json_reply({"error": {"code": "SERVER_ERROR", "description": _NO_RECORD, **nothing, "metadata": {}}}, 500)


def _throttled(retry_after: float | None) -> Reply:
    """Over the limit. No ``Retry-After`` unless asked for: none is documented (FACTS section 4)."""
    reply = envelope(not_applicable("Throttling Error", 429))
    if retry_after is None:
        return reply
    return reply._replace(headers={**reply.headers, "Retry-After": f"{retry_after:g}"})


_STATUSES: dict[str, Callable[[], Reply]] = {
    "500": _server_error,
    "502": lambda: _gateway_page(502, "Bad Gateway"),
    "503": lambda: _gateway_page(503, "Service Unavailable"),
    "504": lambda: _gateway_page(504, "Gateway Timeout"),
}

_NO_RECORD = "Internal server error - Failed to fetch idempotency record"
_IN_PROGRESS = "Another request with the same idempotency key is still in progress."


def _before(make: Callable[[float | None], Reply]) -> Callable[[float | None], Fault]:
    return lambda argument: Fault(instead=make(argument))


def _after(change: Callable[[Reply, float | None], Reply]) -> Callable[[float | None], Fault]:
    return lambda argument: Fault(spoil=lambda reply: change(reply, argument))


def _ignoring(make: Callable[[], Reply]) -> Callable[[float | None], Reply]:
    return lambda _: make()


def _answering(make: Callable[[], Reply]) -> Callable[[Reply, float | None], Reply]:
    return lambda _reply, _: make()


def _html_page(reply: Reply, _: float | None) -> Reply:
    return Reply(200, _HTML, b"<html><body>Please wait</body></html>")


FAULTS: dict[str, Callable[[float | None], Fault]] = {
    # nothing is done
    "401": _before(lambda _: envelope(not_applicable("The api key provided is invalid", 401))),
    "429": _before(_throttled),
    **{name: _before(_ignoring(make)) for name, make in _STATUSES.items()},
    "in_progress": _before(lambda _: envelope(not_applicable(_IN_PROGRESS, 409))),
    "no_record": _before(_ignoring(_no_record)),
    "reset_before": _before(lambda _: Reply(0, act="reset")),
    "hang": _before(lambda s: Reply(0, act="hang", seconds=HANG_S if s is None else s)),
    # it is done, and the answer goes wrong
    **{f"do_then_{name}": _after(_answering(make)) for name, make in _STATUSES.items()},
    "do_then_reset": _after(lambda reply, _: reply._replace(act="reset")),
    "do_then_hang": _after(lambda reply, s: reply._replace(act="hang", seconds=HANG_S if s is None else s)),
    "slow": _after(lambda reply, s: reply._replace(act="slow", seconds=1.0 if s is None else s)),
    "truncate": _after(lambda reply, n: reply._replace(act="truncate", keep=_half(reply) if n is None else int(n))),
    "cut": _after(lambda reply, n: reply._replace(body=reply.body[: _half(reply) if n is None else int(n)])),
    "html": _after(_html_page),
    # the past is answered
    "stale": lambda seconds: Fault(stale_s=STALE_S if seconds is None else seconds),
}
"""Each fault's name and what it does. The argument is seconds, or bytes for ``truncate`` (the connection breaks after
them) and ``cut`` (a shorter body that claims to be whole)."""

_WITH_ARGUMENT = {"429", "hang", "do_then_hang", "slow", "truncate", "cut", "stale", "late"}


def _half(reply: Reply) -> int:
    return len(reply.body) // 2


_FORGOTTEN = ""  # where the firings of an ``each`` rule are counted whose operations were forgotten; none is named so

_RULE = re.compile(
    r"on\s+(?P<method>[A-Za-z]+|\*)\s+(?P<path>\S+?)\s*:\s+"
    r"(?P<fault>\w+)(?:\((?P<argument>[0-9]+(?:\.[0-9]+)?)\))?"
    r"(?:\s+(?:(?P<once>once)|(?P<times>[0-9]+)\s+times?|(?P<percent>[0-9]+(?:\.[0-9]+)?)%|(?P<always>always)))?"
    r"(?P<each>\s+each)?",
    re.ASCII,
)


class Rule:
    """One parsed line. ``times`` is None for rules without a count; ``chance`` is None for rules without a percentage.

    ``fired`` counts how often it did, by operation where it counts ``each`` one, else in all.
    """

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.split())
        found = _RULE.fullmatch(self.text)
        if found is None or found["fault"] not in (EVENT_FAULTS if found["method"].upper() == EVENT else FAULTS):
            raise ConfigError(_help(self.text))
        name, argument = found["fault"], float(found["argument"]) if found["argument"] else None
        if argument is not None and name not in _WITH_ARGUMENT:
            raise ConfigError(f"the fault {name} takes no argument: {self.text!r}")
        self.method = found["method"].upper()
        self.path = found["path"]
        self.segments = _segments(found["path"])
        self.anywhere = found["path"] == "*"
        of_event = self.method == EVENT
        self.fate = Fate(name, LATE_S if argument is None else argument) if of_event else None
        self.fault = Fault() if of_event else FAULTS[name](argument)
        if self.fault.stale_s is not None and self.method not in ("GET", "*"):
            raise ConfigError(f"only reads can be stale: {self.text!r}")
        self.times = 1 if found["once"] else int(found["times"]) if found["times"] else None
        self.chance = float(found["percent"]) / 100 if found["percent"] else None
        self.each = found["each"] is not None
        self.fired: dict[str, int] = defaultdict(int)
        self._recent: set[str] = set()

    def __repr__(self) -> str:
        return f"<Rule {self.text!r} fired {sum(self.fired.values())}>"

    def matches(self, operation: Operation) -> bool:
        """Whether the rule speaks of this call, or of this event."""
        if EVENT in (self.method, operation.method):
            return self.method == operation.method and fnmatchcase(operation.path, self.path)
        if self.method not in ("*", operation.method):
            return False
        segments = _segments(operation.path)
        return self.anywhere or (
            len(segments) == len(self.segments)
            and all(
                wanted in ("*", here) or wanted.startswith(":")
                for wanted, here in zip(self.segments, segments, strict=True)
            )
        )

    def fires(self, seed: int, operation: Operation, attempt: int) -> bool:
        """Whether it happens to this attempt, and if so, remember it."""
        counter = f"{operation.method} {operation.route} {operation.subject}" if self.each else ""
        if self.times is not None and self.fired[counter] >= self.times:
            return False
        if self.chance is not None and _hash.unit(seed, "fault", self.text, *operation, attempt) >= self.chance:
            return False
        self.fired[counter] += 1
        self._recent.add(counter)
        return True

    def forget(self) -> None:
        """Of what it did to each operation, keep only how often in all, where it did nothing since the last time."""
        if self.each:
            for counter in self.fired.keys() - self._recent - {_FORGOTTEN}:
                self.fired[_FORGOTTEN] += self.fired.pop(counter)
        self._recent.clear()


def _segments(path: str) -> list[str]:
    return [part for part in path.removeprefix("/v1").split("/") if part]


def _help(text: str) -> str:
    return (
        f"not a fault rule: {text!r}; write 'on <METHOD> <path>: <fault>[(argument)] [once | N times | P% | always] "
        f"[each]', for example 'on POST /payments/:id/refund: do_then_hang(5) once'; faults: {', '.join(FAULTS)}; "
        f"or 'on EVENT <name>: …' with {', '.join(EVENT_FAULTS)}"
    )


class Faults:
    """The rules in force and what has been tried so far."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._attempts: dict[Operation, int] = {}
        self._older: dict[Operation, int] = {}
        self.rules: list[Rule] = []

    def add(self, text: str) -> list[Rule]:
        """Add the rules in ``text``: one a line, empty lines and ``#`` lines left out. A bad one adds none."""
        lines = (line.strip() for line in text.splitlines())
        rules = [Rule(line) for line in lines if line and not line.startswith("#")]
        self.rules.extend(rules)
        return rules

    def load(self, path: str | os.PathLike[str]) -> list[Rule]:
        """Add the rules of a TOML file; see :func:`~razorpay_hardened.emulator._faultfile.read`."""
        from razorpay_hardened.emulator._faultfile import read

        return self.add("\n".join(read(path)))

    def clear(self) -> None:
        """Forget every rule. The counts of attempts stay."""
        self.rules.clear()

    def forget(self) -> None:
        """Forget how often each operation was tried, unless it was since the last time: a retry is never the first."""
        self._older, self._attempts = self._attempts, {}
        for rule in self.rules:
            rule.forget()

    def decide(self, operation: Operation) -> Fault | None:
        """The fault for this call, if any. Counts the call."""
        rule = self._first(operation)
        return None if rule is None else rule.fault

    def fate_of(self, event: str, event_id: str, webhook: str) -> Fate | None:
        """What a rule does to this event on its way to this webhook, if any does."""
        rule = self._first(Operation(EVENT, event, event, f"{event_id} {webhook}"))
        return None if rule is None else rule.fate

    def _first(self, operation: Operation) -> Rule | None:
        """The first rule that fires."""
        before = self._attempts.get(operation) or self._older.get(operation, 0)
        attempt = self._attempts[operation] = before + 1
        for rule in self.rules:
            if rule.matches(operation) and rule.fires(self._seed, operation, attempt):
                return rule
        return None


def operation(request: Request, route: str | None) -> Operation:
    """The stable name of a call. The subject of a new order is its receipt; of a listing, the receipt looked for."""
    if route is None:
        return Operation(request.method, request.path, request.path, "")
    subject = request.path
    if request.path.rstrip("/") == "/v1/orders":
        subject = _receipt(request)
    return Operation(request.method, request.path, route, subject)


def _receipt(request: Request) -> str:
    if request.method == "GET":
        found = re.search(r"(?:^|&)receipt=([^&]*)", request.query)
        return found[1] if found else ""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict) and isinstance(body.get("receipt"), str):
        return str(body["receipt"])
    return hashlib.sha256(request.body).hexdigest()

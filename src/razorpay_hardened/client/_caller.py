"""One call from beginning to end: attempts, waits, doubt, and the error that the caller gets.

A write whose answer is lost leaves *doubt*. From then on nothing is sent before the doubt is settled in the way that
the operation's rule names, and a call that ends in doubt is :class:`OutcomeUnknown`, whatever its last answer was.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from razorpay_hardened.client._circuit import Circuit
from razorpay_hardened.client._values import Answer, Budget, Call, Failed, Fate, Limits, Rule
from razorpay_hardened.errors import (
    ApiBadRequest,
    ApiResponseError,
    ApiTimeout,
    CircuitOpen,
    CurrencyError,
    IdempotencyConflict,
    IdMalformed,
    PayloadError,
)

if TYPE_CHECKING:
    from razorpay_hardened.client._credentials import Credentials
    from razorpay_hardened.client._gateway import Gateway
    from razorpay_hardened.clock import Clock
    from razorpay_hardened.signals import Bus

__all__ = ["Caller", "EchoMismatch", "Settings"]

T = TypeVar("T")
LOOK_AGAIN_S = 1.0
"""Listings lag (FACTS section 4): an order that is not there yet is looked for once more after this wait."""


class EchoMismatch(Exception):
    """The answer is about something else than what was asked. ``name`` is the field."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Settings:
    """What all calls of a client share."""

    __slots__ = ("bus", "circuit", "clock", "connect_s", "credentials", "gateway", "random", "read_s")

    def __init__(
        self,
        *,
        gateway: Callable[[], Gateway],
        credentials: Credentials,
        clock: Clock,
        bus: Bus | None,
        connect_s: float,
        read_s: float,
        random: random.Random,
    ) -> None:
        self.gateway = gateway
        self.credentials = credentials
        self.clock = clock
        self.circuit = Circuit(clock)
        self.bus = bus
        self.connect_s = connect_s
        self.read_s = read_s
        self.random = random


class Caller:
    """Makes calls under one total deadline and one limit of attempts."""

    __slots__ = ("_attempts_max", "_settings", "_total_s")

    def __init__(self, settings: Settings, *, total_s: float, attempts_max: int) -> None:
        self._settings = settings
        self._total_s = total_s
        self._attempts_max = attempts_max

    def read(self, call: Call, parse: Callable[[Any], T]) -> T:
        """The result of a read, tried again while that can help. Raises :class:`CircuitOpen` before sending."""
        wait = self._settings.circuit.wait()
        if wait:
            raise CircuitOpen(retry_after_s=wait, attempts=0)
        budget = Budget(self._settings.clock, self._total_s)
        return self._finish(call, self._run(call, lambda n: self.once(call, parse, budget, n), budget))

    def write(self, call: Call, parse: Callable[[Any], T], settle: Settle[T] | None = None) -> T:
        """The result of a write, sent again only as its rule allows."""
        budget = Budget(self._settings.clock, self._total_s)
        state = _Write(self, call, parse, settle, budget)
        result = self._run(call, state.attempt, budget)
        if isinstance(result, Failed) and state.doubt:
            result = state.last_look(result)
        if isinstance(result, Failed) and state.doubt and not isinstance(result.error, IdempotencyConflict):
            from razorpay_hardened.client._translate import outcome_unknown

            raise outcome_unknown(result.error, call)
        return self._finish(call, result)

    def once(self, call: Call, parse: Callable[[Any], T], budget: Budget, number: int) -> T | Failed:
        """One attempt, announced on the bus."""
        from razorpay_hardened.client._translate import failed_answer, failed_fault

        settings = self._settings
        left = budget.remaining()
        if left <= 0:
            return Failed(ApiTimeout("the total deadline passed before the request could be sent"), Fate.NOT_SENT)
        limits = Limits(min(settings.connect_s, left), min(settings.read_s, left), left)
        started = settings.clock.monotonic()
        answer = settings.gateway().send(call, limits)
        if not isinstance(answer, Answer):
            result: T | Failed = failed_fault(answer, call)
        elif 200 <= answer.status < 300:
            result = self._read_answer(answer, call, parse)
        else:
            result = failed_answer(answer, call, settings.credentials, settings.clock)
        if isinstance(result, Failed):
            result.error.attempts = number
        self._count(result)
        if settings.bus is not None:
            self._announce(call, number, answer, settings.clock.monotonic() - started, result)
        return result

    def _read_answer(self, answer: Answer, call: Call, parse: Callable[[Any], T]) -> T | Failed:
        from razorpay_hardened.client._translate import parse_json, unreadable

        try:
            return parse(parse_json(answer.body) if answer.status != 204 else None)
        except EchoMismatch as mismatch:
            name = mismatch.name
        except (ValueError, PayloadError, IdMalformed, CurrencyError):
            return unreadable(call, "the answer could not be understood", answer)
        where = f"{call.operation.method} {call.path}"
        if self._settings.bus is not None:
            self._settings.bus.alarm(f"api-echo:{where}:{name}", "the API answered with another value than asked", name)
        error = ApiResponseError(f"{where}: the answer's {name} is not the one asked for", status=answer.status)
        return Failed(error, Fate.REFUSED)

    def _count(self, result: object) -> None:
        settings = self._settings
        if not isinstance(result, Failed) or result.fate is Fate.REFUSED:
            settings.circuit.succeeded()
        elif settings.circuit.failed() and settings.bus is not None:
            # Once an hour: a bus alarms once per key.
            settings.bus.alarm(f"api-circuit:{settings.clock.now():%Y-%m-%dT%H}", "Razorpay's API keeps failing")

    def _announce(self, call: Call, number: int, answer: Any, seconds: float, result: object) -> None:
        from razorpay_hardened.signals import ApiAttempt

        assert self._settings.bus is not None  # the only caller has looked
        self._settings.bus.emit(
            ApiAttempt(
                method=call.operation.method,
                path=call.path,
                attempt=number,
                status=answer.status if isinstance(answer, Answer) else None,
                seconds=seconds,
                error=type(result.error).__name__ if isinstance(result, Failed) else None,
            )
        )

    def _run(self, call: Call, attempt: Callable[[int], T | Failed], budget: Budget) -> T | Failed:
        from razorpay_hardened.client._retry import run

        return run(
            attempt,
            call.operation.rule,
            budget=budget,
            attempts_max=self._attempts_max,
            clock=self._settings.clock,
            random=self._settings.random,
        )

    def pause(self, budget: Budget) -> None:
        """Give a lagging listing a moment, if there is time."""
        if budget.remaining() > 2 * LOOK_AGAIN_S:
            self._settings.clock.sleep(LOOK_AGAIN_S)

    def _finish(self, call: Call, result: T | Failed) -> T:
        if isinstance(result, Failed):
            raise result.error
        return result


class Settle(Generic[T]):
    """How a doubt about a write is settled: ``look`` gives the result, None where there is none, or a failure.

    ``explains(error)`` says which refusals may mean that it is done already, so that looking is worth it.
    """

    __slots__ = ("explains", "look", "looks")

    def __init__(
        self,
        look: Callable[[Budget], T | Failed | None],
        *,
        explains: Callable[[ApiBadRequest], bool],
        looks: int = 1,
    ) -> None:
        self.look = look
        self.explains = explains
        self.looks = looks


class _Write(Generic[T]):
    """One write in the course of its attempts."""

    __slots__ = ("_budget", "_call", "_caller", "_parse", "_settle", "doubt")

    def __init__(
        self, caller: Caller, call: Call, parse: Callable[[Any], T], settle: Settle[T] | None, budget: Budget
    ) -> None:
        self._caller = caller
        self._call = call
        self._parse = parse
        self._settle = settle
        self._budget = budget
        self.doubt = False

    def attempt(self, number: int) -> T | Failed:
        """Settle any doubt, then send."""
        if self.doubt and self._settle is not None:
            found = self._look()
            if found is not None:
                return found
        result = self._caller.once(self._call, self._parse, self._budget, number)
        if isinstance(result, Failed):
            return self._judge(result)
        self.doubt = False
        return result

    def _judge(self, failed: Failed) -> T | Failed:
        if failed.fate is Fate.UNKNOWN:
            self.doubt = True
        elif self._settle and isinstance(failed.error, ApiBadRequest) and self._settle.explains(failed.error):
            found = self._settle.look(self._budget)
            if found is not None and not isinstance(found, Failed):
                self.doubt = False
                return found
        return failed

    def _look(self) -> T | Failed | None:
        """What is there. A look that fails leaves the doubt, and keeps the attempt from sending."""
        assert self._settle is not None  # attempt() has looked
        for turn in range(self._settle.looks):
            if turn:
                self._caller.pause(self._budget)
            found = self._settle.look(self._budget)
            if isinstance(found, Failed):
                return Failed(found.error, Fate.UNKNOWN if found.fate is not Fate.REFUSED else Fate.REFUSED)
            if found is not None:
                self.doubt = False
                return found
        return None

    def last_look(self, failed: Failed) -> T | Failed:
        """Once more at the end: the answer may have been lost for good, and the work be done all the same."""
        if self._settle is None or self._call.operation.rule is Rule.ONCE:
            return failed
        found = self._settle.look(self._budget)
        if found is None or isinstance(found, Failed):
            return failed
        self.doubt = False
        return found

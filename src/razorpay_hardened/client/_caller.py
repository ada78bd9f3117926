"""One call from beginning to end: attempts, waits, doubt, and the error that the caller gets.

A write whose answer is lost leaves *doubt*. From then on nothing is sent before the doubt is settled in the way that
the operation's rule names, and a call that ends in doubt is :class:`OutcomeUnknown`, whatever its last answer was.

Everything here is a flow: it yields the sends and the waits, and ``_drive`` carries them out, blocking or awaited.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from razorpay_hardened.client._ask import Ask, Plan, Settle, Work
from razorpay_hardened.client._translate import (
    body_of,
    failed_answer,
    failed_fault,
    outcome_unknown,
    request_id,
    unreadable,
)
from razorpay_hardened.client._values import Answer, Budget, Call, Failed, Fate, Fault, Flow, Limits, Rule, Send, Sleep
from razorpay_hardened.errors import (
    ApiBadRequest,
    ApiError,
    ApiRateLimited,
    ApiResponseError,
    ApiTimeout,
    CircuitOpen,
    CurrencyError,
    IdempotencyConflict,
    IdMalformed,
    PayloadError,
    RazorpayHardenedError,
)
from razorpay_hardened.signals import ApiAttempt, ApiCall

if TYPE_CHECKING:
    from razorpay_hardened.client._circuit import Circuits
    from razorpay_hardened.client._credentials import Credentials
    from razorpay_hardened.client._pace import Pace
    from razorpay_hardened.client._retry_budget import RetryBudget
    from razorpay_hardened.clock import Clock
    from razorpay_hardened.signals import Bus

__all__ = ["Caller", "EchoMismatch", "Options", "Response", "Settings"]

T = TypeVar("T")
LOOK_AGAIN_S = 1.0
"""Listings lag (FACTS section 4): an order that is not there yet is looked for once more after this wait."""


class EchoMismatch(Exception):
    """The answer is about something else than what was asked. ``name`` is the field."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Settings:
    """What all calls of a client share, its clones included."""

    credentials: Credentials
    clock: Clock
    bus: Bus | None
    circuits: Circuits
    retries: RetryBudget
    pace: Pace
    connect_s: float
    read_s: float
    random: random.Random


@dataclass(frozen=True, slots=True)
class Response:
    """What came with an answer, beside its body: for support tickets, and for headers that have no model.

    ``headers`` have lower-case names. ``request_id`` is Razorpay's, where it sent one; ``seconds`` is this attempt's.
    """

    operation: str
    method: str
    path: str
    status: int
    headers: dict[str, str]
    request_id: str | None
    attempt: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Options:
    """What ``with_options`` changes: see there."""

    total_s: float
    attempts_max: int
    account_id: str | None = None
    on_response: Callable[[Response], object] | None = None


class Caller:
    """Makes calls under one total deadline and one limit of attempts."""

    __slots__ = ("options", "settings")

    def __init__(self, settings: Settings, options: Options) -> None:
        self.settings = settings
        self.options = options

    def do(self, work: Work[T]) -> Flow[T]:
        """What a resource asks for, one call or several."""
        return self._call(work) if isinstance(work, Ask) else self._perform(work)

    def _perform(self, plan: Plan[T]) -> Flow[T]:
        """Every call of a plan as a call of its own, errors handed to the plan."""
        try:
            ask = next(plan)
            while True:
                try:
                    result = yield from self._call(ask)
                except RazorpayHardenedError as error:
                    ask = plan.throw(error)
                else:
                    ask = plan.send(result)
        except StopIteration as end:
            found: T = end.value
            return found

    def _call(self, ask: Ask[T]) -> Flow[T]:
        budget = Budget(self.settings.clock, self.options.total_s)
        started = self.settings.clock.monotonic()
        try:
            result = yield from (self._write(ask, budget) if ask.call.writes else self._read(ask, budget))
        except RazorpayHardenedError as error:
            self._announce_end(ask.call, started, error)
            raise
        self._announce_end(ask.call, started, None)
        return result

    def _read(self, ask: Ask[T], budget: Budget) -> Flow[T]:
        """The result of a read, tried again while that can help. Raises :class:`CircuitOpen` before sending."""
        wait = self.settings.circuits.wait("read")
        if wait:
            raise CircuitOpen(retry_after_s=wait, attempts=0)
        result = yield from self._run(ask.call, lambda number: self.once(ask, budget, number), budget)
        return _finish(result)

    def _write(self, ask: Ask[T], budget: Budget) -> Flow[T]:
        """The result of a write, sent again only as its rule allows."""
        state = _Write(self, ask, budget)
        result = yield from self._run(ask.call, state.attempt, budget)
        if isinstance(result, Failed) and state.doubt:
            result = yield from state.last_look(result)
        if isinstance(result, Failed) and state.doubt and not isinstance(result.error, IdempotencyConflict):
            raise outcome_unknown(result.error, ask.call)
        return _finish(result)

    def once(self, ask: Ask[T], budget: Budget, number: int) -> Flow[T | Failed]:
        """One attempt, announced on the bus."""
        call = ask.call
        if call.operation.bulk and (yield from self._too_slow(budget)):
            return _not_sent(ApiRateLimited("the client's own limit for bulk reads leaves no time for this call"))
        settings = self.settings
        left = budget.remaining()
        if left <= 0:
            return _not_sent(ApiTimeout("the total deadline passed before the request could be sent"))
        limits = Limits(min(settings.connect_s, left), min(settings.read_s, left), left)
        started = settings.clock.monotonic()
        answer: Answer | Fault = yield Send(self._addressed(call), limits)
        seconds = settings.clock.monotonic() - started
        result = self._understand(answer, ask)
        if isinstance(result, Failed):
            result.error.attempts = number
        self._count(call, result)
        self._announce(call, number, answer, seconds, result)
        return result

    def _too_slow(self, budget: Budget) -> Flow[bool]:
        """Wait for this client's turn among bulk reads; true when there is no time to."""
        pace = self.settings.pace
        wait = pace.reserve(budget.remaining())
        while wait:
            if wait >= budget.remaining():
                return True
            yield Sleep(wait)
            wait = pace.again(budget.remaining())
        return False

    def _addressed(self, call: Call) -> Call:
        """The call in the name of the sub-merchant, where one was chosen."""
        if self.options.account_id is None:
            return call
        from dataclasses import replace

        return replace(call, headers={**call.headers, "X-Razorpay-Account": self.options.account_id})

    def _understand(self, answer: Answer | Fault, ask: Ask[T]) -> T | Failed:
        if isinstance(answer, Answer) and 200 <= answer.status < 300:
            return self._read_answer(answer, ask)
        if isinstance(answer, Answer):
            return failed_answer(answer, ask.call, self.settings.credentials, self.settings.clock)
        return failed_fault(answer, ask.call)

    def _read_answer(self, answer: Answer, ask: Ask[T]) -> T | Failed:
        try:
            return ask.parse(body_of(answer, ask.call))
        except EchoMismatch as mismatch:
            name = mismatch.name
        except (ValueError, PayloadError, IdMalformed, CurrencyError):
            return unreadable(ask.call, "the answer could not be understood", answer)
        where = f"{ask.call.operation.method} {ask.call.path}"
        if self.settings.bus is not None:
            self.settings.bus.alarm(f"api-echo:{where}:{name}", "the API answered with another value than asked", name)
        error = ApiResponseError(f"{where}: the answer's {name} is not the one asked for", status=answer.status)
        return Failed(error, Fate.REFUSED)

    def _count(self, call: Call, result: object) -> None:
        settings = self.settings
        failed = isinstance(result, Failed) and result.fate is not Fate.REFUSED
        if isinstance(result, Failed) and result.fate is Fate.BUSY and call.operation.bulk:
            settings.pace.slower(result.error.retry_after_s)
        kind = "write" if call.writes else "read"
        if not failed:
            settings.circuits.succeeded(kind)
        elif settings.circuits.failed(kind) and settings.bus is not None:
            # Once an hour: a bus alarms once per key.
            settings.bus.alarm(f"api-circuit:{settings.clock.now():%Y-%m-%dT%H}", "Razorpay's API keeps failing")

    def _announce(self, call: Call, number: int, answer: Answer | Fault, seconds: float, result: object) -> None:
        answered = answer if isinstance(answer, Answer) else None
        operation = call.operation
        if self.settings.bus is not None:
            self.settings.bus.emit(
                ApiAttempt(
                    method=operation.method,
                    path=call.path,
                    attempt=number,
                    status=answered.status if answered else None,
                    seconds=seconds,
                    error=type(result.error).__name__ if isinstance(result, Failed) else None,
                    operation=operation.name,
                    request_id=request_id(answered),
                )
            )
        if self.options.on_response is not None and answered is not None:
            told = Response(
                operation=operation.name,
                method=operation.method,
                path=call.path,
                status=answered.status,
                headers=dict(answered.headers),
                request_id=request_id(answered),
                attempt=number,
                seconds=seconds,
            )
            _tell(self.options.on_response, told)

    def _announce_end(self, call: Call, started: float, error: RazorpayHardenedError | None) -> None:
        if self.settings.bus is None:
            return
        self.settings.bus.emit(
            ApiCall(
                operation=call.operation.name,
                rule=call.operation.rule.name.lower(),
                seconds=self.settings.clock.monotonic() - started,
                error=type(error).__name__ if error is not None else None,
            )
        )

    def _run(self, call: Call, attempt: Callable[[int], Flow[T | Failed]], budget: Budget) -> Flow[T | Failed]:
        from razorpay_hardened.client._retry import run

        return run(
            attempt,
            call.operation.rule,
            budget=budget,
            attempts_max=self.options.attempts_max,
            retries=self.settings.retries,
            random=self.settings.random,
        )


class _Write(Generic[T]):
    """One write in the course of its attempts."""

    __slots__ = ("_ask", "_budget", "_caller", "doubt")

    def __init__(self, caller: Caller, ask: Ask[T], budget: Budget) -> None:
        self._caller = caller
        self._ask = ask
        self._budget = budget
        self.doubt = False

    def attempt(self, number: int) -> Flow[T | Failed]:
        """Settle any doubt, then send."""
        settle = self._ask.settle
        if self.doubt and settle is not None:
            found = yield from self._look(settle)
            if found is not None:
                return found
        result = yield from self._caller.once(self._ask, self._budget, number)
        if isinstance(result, Failed):
            return (yield from self._judge(result))
        self.doubt = False
        return result

    def _judge(self, failed: Failed) -> Flow[T | Failed]:
        settle = self._ask.settle
        if failed.fate is Fate.UNKNOWN:
            self.doubt = True
        elif settle and isinstance(failed.error, ApiBadRequest) and settle.explains(failed.error):
            found = yield from self._ask_each_once(settle.look())
            if found is not None and not isinstance(found, Failed):
                self.doubt = False
                return found
        return failed

    def _look(self, settle: Settle[T]) -> Flow[T | Failed | None]:
        """What is there. A look that fails leaves the doubt, and keeps the attempt from sending."""
        for turn in range(settle.looks):
            if turn and self._budget.remaining() > 2 * LOOK_AGAIN_S:
                yield Sleep(LOOK_AGAIN_S)  # a lagging listing gets a moment
            found = yield from self._ask_each_once(settle.look())
            if isinstance(found, Failed):
                return Failed(found.error, Fate.UNKNOWN if found.fate is not Fate.REFUSED else Fate.REFUSED)
            if found is not None:
                self.doubt = False
                return found
        return None

    def last_look(self, failed: Failed) -> Flow[T | Failed]:
        """Once more at the end: the answer may have been lost for good, and the work be done all the same."""
        settle = self._ask.settle
        if settle is None or self._ask.call.operation.rule is Rule.ONCE:
            return failed
        found = yield from self._ask_each_once(settle.look())
        if found is None or isinstance(found, Failed):
            return failed
        self.doubt = False
        return found

    def _ask_each_once(self, plan: Plan[T | None]) -> Flow[T | Failed | None]:
        """The end of a look, each of whose calls is sent once; or the first failure that the plan does not take.

        A plan is told of refusals, which may be an answer too ("does not exist"); other failures end it.
        """
        result: Any = None
        try:
            ask = next(plan)
            while True:
                result = yield from self._caller.once(ask, self._budget, 1)
                if not isinstance(result, Failed):
                    ask = plan.send(result)
                elif result.fate is Fate.REFUSED:
                    ask = plan.throw(result.error)
                else:
                    plan.close()
                    return result
        except StopIteration as end:
            found: T | None = end.value
            return found
        except ApiError as error:
            if isinstance(result, Failed) and error is result.error:
                return result
            raise


def _tell(listener: Callable[[Response], object], told: Response) -> None:
    """Whatever a listener raises, the result of the call, which may be a refund, still reaches the caller."""
    try:
        listener(told)
    except Exception as error:  # noqa: BLE001 - a listener may raise anything
        import warnings

        warnings.warn(f"on_response raised {type(error).__name__}", RuntimeWarning, stacklevel=1)


def _not_sent(error: ApiError) -> Failed:
    return Failed(error, Fate.NOT_SENT)


def _finish(result: T | Failed) -> T:
    if isinstance(result, Failed):
        raise result.error
    return result

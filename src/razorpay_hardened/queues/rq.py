"""RQ: a job that works, enqueued when there is work, and what RQ's cron scheduler needs.

An RQ job is a function that a worker imports by name, so this one is told where the application is. Of the jobs that
news sends, one at most is in a queue, however many processes send: a key in Redis says so, until the job begins.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from razorpay_hardened.errors import ConfigError
from razorpay_hardened.queues import _job
from razorpay_hardened.queues._wake import Wake

if TYPE_CHECKING:
    from razorpay_hardened.wiring import Razorpay

__all__ = ["RqWork", "attach", "work"]

_FAILED_S: Final = 24 * 3600
"""How long RQ keeps a job that failed, for people to look at: its default is a year."""


@dataclass(frozen=True, slots=True)
class RqWork:
    """What :func:`attach` made."""

    queue: Any
    arguments: dict[str, Any]
    _wake: Wake

    def wake(self) -> None:
        """Have a job enqueued soon, as news does by itself."""
        self._wake.ring()

    def schedule(self, every_s: int = 60) -> dict[str, Any]:
        """What ``rq.cron.register`` takes: retries, housekeeping, and whatever was never enqueued.

        A job expires when its successor comes: no heap of them grows while no worker runs.
        """
        return {
            "func": work,
            "queue_name": self.queue.name,
            "kwargs": {**self.arguments, "housekeeping": True},
            "interval": every_s,
            "ttl": every_s,
            "result_ttl": 0,
            "failure_ttl": _FAILED_S,
        }

    def close(self) -> None:
        """Enqueue no more by itself."""
        self._wake.close()


def attach(queue: Any, rzp: Razorpay, *, app: str, limit: int = _job.LIMIT, budget_s: float = _job.BUDGET_S) -> RqWork:
    """Enqueue :func:`work` in the RQ ``queue`` soon after news has committed.

    ``app`` is where a worker finds ``rzp`` with its handlers: ``module:attribute``, such as ``shop.payments:rzp``.
    ``budget_s`` must be well below the queue's timeout for jobs (180 s by default).
    """
    module, colon, attribute = app.partition(":")
    if not (module and colon and attribute):
        raise ConfigError("app is given as module:attribute, such as shop.payments:rzp")
    arguments = {"app": app, "limit": limit, "budget_s": budget_s}
    made = Wake(rzp.signals, "rq", lambda: _enqueue(queue, arguments), clock=rzp.clock)
    return RqWork(queue, arguments, made)


def work(
    app: str, *, housekeeping: bool = False, limit: int = _job.LIMIT, budget_s: float = _job.BUDGET_S
) -> dict[str, object]:
    """The job. Raises :class:`ConfigError` where the application is not found, :class:`StorageError` where it fails."""
    from rq import Queue, get_current_job

    job = get_current_job()
    if job is not None and not housekeeping:
        # Before the store is asked: what commits from here on needs another job.
        job.connection.delete(_marker(str(job.origin)))

    def again() -> None:
        if job is not None:
            queue = Queue(job.origin, connection=job.connection)
            _enqueue(queue, {"app": app, "limit": limit, "budget_s": budget_s})

    return _job.do(_application(app), housekeeping=housekeeping, limit=limit, budget_s=budget_s, again=again)


def _enqueue(queue: Any, arguments: dict[str, Any]) -> None:
    """One job, unless there is one that has not begun. The key of one that is lost expires with it."""
    if not queue.connection.set(_marker(queue.name), "1", nx=True, ex=ceil(_job.EXPIRES_S)):
        return
    try:
        queue.enqueue(work, kwargs=arguments, ttl=_job.EXPIRES_S, result_ttl=0, failure_ttl=_FAILED_S)
    except BaseException:
        queue.connection.delete(_marker(queue.name))
        raise


def _marker(queue: str) -> str:
    return f"razorpay_hardened:queued:{queue}"


@lru_cache(maxsize=8)
def _application(reference: str) -> Razorpay:
    from razorpay_hardened.wiring import Razorpay

    try:
        value = pkgutil.resolve_name(reference)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"there is no application {reference}: {type(error).__name__}") from error
    if not isinstance(value, Razorpay) and callable(value):
        value = value()
    if not isinstance(value, Razorpay):
        raise ConfigError(f"{reference} is neither a Razorpay object nor a function that returns one")
    return value

"""Celery: a task that works, sent when there is work, and an entry for beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from razorpay_hardened.queues import _job
from razorpay_hardened.queues._wake import Wake

if TYPE_CHECKING:
    from razorpay_hardened.wiring import Razorpay

__all__ = ["CeleryWork", "attach"]


@dataclass(frozen=True, slots=True)
class CeleryWork:
    """What :func:`attach` made. ``task`` is Celery's: call ``task.delay()`` whenever you like."""

    task: Any
    queue: str | None
    _wake: Wake

    def wake(self) -> None:
        """Have a task sent soon, as news does by itself."""
        self._wake.ring()

    def schedule(self, every_s: float = 60) -> dict[str, dict[str, Any]]:
        """An entry for ``app.conf.beat_schedule``: retries, housekeeping, and whatever was never sent.

        What beat sends expires when its successor comes: no heap of tasks grows while no worker runs.
        """
        options: dict[str, Any] = {"expires": every_s}
        if self.queue is not None:
            options["queue"] = self.queue
        name = self.task.name
        return {name: {"task": name, "schedule": every_s, "kwargs": {"housekeeping": True}, "options": options}}

    def close(self) -> None:
        """Send no more by itself. The task stays."""
        self._wake.close()


def attach(
    app: Any,
    rzp: Razorpay,
    *,
    name: str = _job.NAME,
    queue: str | None = None,
    limit: int = _job.LIMIT,
    budget_s: float = _job.BUDGET_S,
) -> CeleryWork:
    """Make a task of ``rzp.work`` in the Celery application ``app``, and send one soon after news has committed.

    Call it once, in the module of your tasks, which the web processes import too. The handlers must be registered on
    ``rzp`` where the worker runs. ``queue``: another queue than the application's default. The task keeps no result and
    is never retried by Celery: what failed is due again by its own row.
    """

    def again() -> None:
        made.now()

    # shared: else every other Celery application of the process has the task too, and this Razorpay with it.
    @app.task(name=name, shared=False, ignore_result=True, max_retries=0)  # type: ignore[untyped-decorator]
    def work(housekeeping: bool = False) -> dict[str, object]:
        return _job.do(rzp, housekeeping=housekeeping, limit=limit, budget_s=budget_s, again=again)

    options: dict[str, Any] = {} if queue is None else {"queue": queue}

    def send() -> None:
        # retry: the thread that sends has a pace of its own.
        work.apply_async(expires=_job.EXPIRES_S, retry=False, **options)

    made = Wake(rzp.signals, "celery", send, clock=rzp.clock)
    return CeleryWork(work, queue, made)

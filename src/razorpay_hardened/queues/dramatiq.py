"""Dramatiq: an actor that works, and that is sent a message when there is work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from razorpay_hardened.errors import ExtraMissing
from razorpay_hardened.queues import _job
from razorpay_hardened.queues._wake import Wake

if TYPE_CHECKING:
    import dramatiq

    from razorpay_hardened.wiring import Razorpay

__all__ = ["DramatiqWork", "attach"]


@dataclass(frozen=True, slots=True)
class DramatiqWork:
    """What :func:`attach` made. ``actor`` is Dramatiq's: have your scheduler call ``actor.send(housekeeping=True)``."""

    actor: Any
    _wake: Wake

    def wake(self) -> None:
        """Have a message sent soon, as news does by itself."""
        self._wake.ring()

    def close(self) -> None:
        """Send no more by itself. The actor stays."""
        self._wake.close()


def attach(
    broker: dramatiq.Broker,
    rzp: Razorpay,
    *,
    name: str = _job.NAME,
    queue: str = "default",
    limit: int = _job.LIMIT,
    budget_s: float = _job.BUDGET_S,
) -> DramatiqWork:
    """Make an actor of ``rzp.work`` on ``broker``, and send it a message soon after news has committed.

    Call it once, in the module of your actors, which the web processes import too. The handlers must be registered on
    ``rzp`` where the worker runs. Messages expire after a minute, and are not retried by Dramatiq: what failed is due
    again by its own row. Raises :class:`ExtraMissing` without Dramatiq.
    """
    try:
        import dramatiq
    except ImportError as error:
        raise ExtraMissing("dramatiq", "a Dramatiq actor") from error

    def again() -> None:
        made.now()

    def work(housekeeping: bool = False) -> None:
        _job.do(rzp, housekeeping=housekeeping, limit=limit, budget_s=budget_s, again=again)

    wanted = {"max_retries": 0, "max_age": _job.EXPIRES_S * 1000}
    # A broker refuses the options of a middleware that it does not have.
    options: Any = {option: value for option, value in wanted.items() if option in broker.actor_options}
    actor = dramatiq.actor(broker=broker, actor_name=name, queue_name=queue, **options)(work)
    made = Wake(rzp.signals, "dramatiq", actor.send, clock=rzp.clock)
    return DramatiqWork(actor, made)

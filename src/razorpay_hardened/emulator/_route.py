"""What a resource module says about itself: its endpoints and its events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from razorpay_hardened.emulator.wire import Call

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EventKind", "Handler", "Route"]

Handler = Callable[["World", Call], Any]
"""The answer as JSON values: an entity, a collection, or ``[]`` where something was deleted. A :class:`Reply` where an
error says more than the envelope holds, or the answer is a file."""


class Route(NamedTuple):
    """One endpoint. ``template`` is its path: ``:id`` is an id, any other ``:word`` is a word.

    ``public`` endpoints also take the key id without a secret (FACTS section 1). ``bad_id`` is how the endpoint
    refuses an id that is not one.
    """

    method: str
    template: str
    handler: Handler
    public: bool = False
    bad_id: str = "{} is not a valid id"


class EventKind(NamedTuple):
    """One event: its name and the sets of entities that its ``contains`` may list, in their order."""

    name: str
    contains: tuple[tuple[str, ...], ...]

"""Keys that make a request repeatable (FACTS section 7.1)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from razorpay_hardened.emulator._route import Handler
from razorpay_hardened.emulator.wire import Call, Entity, not_applicable

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["once"]


def once(world: World, operation: str, key: str | None, call: Call, act: Handler) -> Entity:
    """The first answer again for the same key and request; 409 for another request; without a key, just ``act``."""
    if key is None:
        answer: Entity = act(world, call)
        return answer
    request = json.dumps([call.ids, call.body], sort_keys=True)
    first = world.answers.get((operation, key))
    if first is None:
        answer = act(world, call)  # a refusal is not kept: whether Razorpay keeps one is UNCONFIRMED
        world.remember_answer(operation, key, request, answer)
        return answer
    if first.request != request:
        raise not_applicable("Different request with the same idempotency key has already been processed.", status=409)
    return first.answer

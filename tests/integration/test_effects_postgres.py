"""The steering of effects on PostgreSQL, whose transaction sends its writes late and reads in one round trip."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from bodies import Shop, body, payment
from razorpay_hardened import NonRetryable, PostgresStore, RetryAfter
from support.postgres import new_schema

CAPTURED = body("payment.captured", payment=payment(1, "captured"))


@pytest.mark.parametrize("mode", ["on", "after"])
def test_put_off_given_up_and_replayed(mode: str) -> None:
    """Not called before its time, by a redelivery neither; then dead at once; then done by a replay."""
    with new_schema() as url, closing(PostgresStore(url)) as store:
        store.migrate()
        ours = Shop(store)
        ours.adopt(1)
        errors: list[Exception] = [RetryAfter(3600), NonRetryable("no")]
        calls: list[int] = []

        def handler(change: Any, tx: Any = None) -> None:
            calls.append(change.attempt)
            if errors:
                raise errors.pop(0)

        getattr(ours.rzp, mode)("order.*", name="grant")(handler)
        for seconds, called, state in ((0, 1, "waiting"), (1800, 1, "waiting"), (1801, 2, "dead")):
            ours.clock.advance(seconds)
            ours.deliver(CAPTURED)
            ours.rzp.webhooks.process_pending()
            (row,) = store.effects()
            assert (len(calls), row.state) == (called, state)
        assert ours.rzp.webhooks.replay_effect(row.id).state == "done"
        assert calls == [1, 1, 1]

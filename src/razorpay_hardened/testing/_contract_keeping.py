"""The store contract, what is kept beside the payments: switches."""

from __future__ import annotations

import pytest

from razorpay_hardened.ports.store import Store, Switch
from razorpay_hardened.testing._contract_values import T0, later, started

__all__ = ["KeepingContract"]


class KeepingContract:
    """Switches are rows like any other: they commit, roll back, and are seen by everybody."""

    def test_a_switch_is_seen_by_the_next_transaction(self, store: Store) -> None:
        """Whole, in this thread and in others; putting it again replaces it, dropping it twice is fine."""
        paused = Switch("paused", T0, "asha", "why: ñ")
        with store.transaction() as tx:
            assert tx.switches() == {}
            tx.put_switch(paused)
            assert tx.switches() == {"paused": paused}
        assert store.switches() == {"paused": paused}
        assert started(store.switches)() == {"paused": paused}
        again = Switch("paused", later(9), "ravi")
        with store.transaction() as tx:
            tx.put_switch(again)
            tx.put_switch(Switch("other", T0, "asha"))
        assert store.switches()["paused"] == again
        for _ in range(2):
            with store.transaction() as tx:
                tx.drop_switch("paused")
        assert list(store.switches()) == ["other"]

    def test_a_switch_of_a_block_that_raises_is_not_on(self, store: Store) -> None:
        """It is rolled back with everything else."""
        with pytest.raises(ValueError), store.transaction() as tx:  # noqa: PT011, PT012 - the block is what is tested
            tx.put_switch(Switch("paused", T0, "asha"))
            raise ValueError
        assert store.switches() == {}

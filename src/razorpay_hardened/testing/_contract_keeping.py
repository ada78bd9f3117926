"""The store contract, what is kept beside the payments: switches, legal holds, erasing."""

from __future__ import annotations

from typing import Any

import pytest

from razorpay_hardened.ports.store import Batch, EffectRow, Hold, InboxRow, Mark, Matter, Store, Switch
from razorpay_hardened.testing._contract_values import (
    NOTHING,
    T0,
    claim,
    delivery,
    effect,
    intent,
    later,
    order,
    payment,
    refund,
    started,
    write,
)

__all__ = ["KeepingContract"]


def _settled(store: Store, body: bytes, state: Any, reason: str | None = None, **changes: Any) -> InboxRow:
    made = delivery(body, **changes)
    with store.transaction() as tx:
        tx.claim(made, NOTHING)
        if state != "done" or reason is not None:
            tx.settle(made.digest, state, T0, reason=reason)
    row = store.delivery(made.digest)
    assert row is not None
    return row


class KeepingContract:
    """Switches, holds and marks are rows like any other; erasing leaves what deduplicates and what is still work."""

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

    def test_holds_are_listed_and_found(self, store: Store) -> None:
        """In order of subject, in pages; only those asked for; dropping says whether there was one."""
        holds = [Hold(f"user:{n}", later(n), "legal", None if n % 2 else "case ñ") for n in range(4)]
        with store.transaction() as tx:
            assert tx.held(["user:1"]) == set()
            for one in reversed(holds):
                tx.put_hold(one)
        assert store.holds() == holds
        assert store.holds(after="user:1", limit=1) == [holds[2]]
        with store.transaction() as tx:
            assert tx.held(["user:1", "user:9", "user:3", "user:1"]) == {"user:1", "user:3"}
            assert tx.held([]) == set()
            assert tx.drop_hold("user:1")
            assert not tx.drop_hold("user:1")
        assert len(store.holds()) == 3

    def test_marks_are_found_by_the_start_of_their_names(self, store: Store) -> None:
        """In byte order, in pages; a mark of a longer name is not one of a shorter."""
        names = ["bodies", "left:bodies:A", "left:bodies:a", "left:bodies:b", "left:snapshots:a"]
        with store.transaction() as tx:
            for n, name in enumerate(names):
                tx.put_mark(Mark(name, "x", T0, n))
            tx.put_mark(Mark("bodies", "y", later(1), 9))
            assert tx.marks("bodies") == [Mark("bodies", "y", later(1), 9)]
            assert [one.name for one in tx.marks("left:bodies:")] == names[1:4]
            assert [one.name for one in tx.marks("left:bodies:", after="left:bodies:A", limit=1)] == [names[2]]
            tx.drop_mark("left:bodies:a")
            tx.drop_mark("nothing")
            assert [one.name for one in tx.marks("left:bodies:")] == [names[1], names[3]]

    def test_a_matter_is_everything_on_its_anchor(self, store: Store) -> None:
        """Payments and refunds by anchor, sorted; an anchor with nothing has nothing."""
        write(
            store,
            payments=[payment(2), payment(1), payment(3, anchor="order_B")],
            refunds=[refund(1, payment_id=payment(1).payment_id), refund(2, payment_id=payment(3).payment_id)],
            orders=[order(1, order_id="order_A", owner="user:1")],
        )
        with store.transaction() as tx:
            found = tx.matters(["order_A", "order_B", "order_C"])
            assert tx.owners(["order_A", "order_B"]) == {"order_A": {"local-1", "user:1"}}
        assert found["order_A"].payments == (payment(1).payment_id, payment(2).payment_id)
        assert found["order_B"] == Matter((payment(3).payment_id,), (refund(2).refund_id,))
        assert found["order_C"] == Matter()

    @pytest.mark.parametrize("why", ["effect", "refund", "intent", "parked", "parked payment", "nothing"])
    def test_a_matter_is_open_while_something_is_to_be_done(self, store: Store, why: str) -> None:
        """An effect that waits, a refund that is pending or wanted, a delivery that is parked."""
        one = payment(1)
        write(store, payments=[one], refunds=[refund(1, payment_id=one.payment_id, status="processed")])
        if why == "effect":
            write(store, effects=[effect()])
        elif why == "refund":
            write(store, refunds=[refund(2, payment_id=one.payment_id, status="pending")])
        elif why == "intent":
            with store.transaction() as tx:
                tx.put_intent(intent(payment_id=one.payment_id, state="open"))
        elif why.startswith("parked"):
            anchor = "order_A" if why == "parked" else one.payment_id
            claim(store, b"late")
            with store.transaction() as tx:
                tx.settle(delivery(b"late").digest, "parked", T0, anchor=anchor)
        with store.transaction() as tx:
            assert tx.open_matters(["order_A", "order_B"]) == (set() if why == "nothing" else {"order_A"})

    def test_an_erased_body_is_still_known(self, store: Store) -> None:
        """Only of deliveries that are closed; digest, state and times stay, and the reason is cut to its code."""
        states: tuple[Any, ...] = ("done", "ignored", "dead", "waiting", "parked", "quarantined")
        rows = [_settled(store, state.encode(), state, f"Code: about {state}") for state in states]
        with store.transaction() as tx:
            tx.wipe()
            assert tx.erase_bodies(rows, later(9)) == 3
            assert tx.erase_bodies(rows, later(10)) == 0
        for row in rows:
            now = store.delivery(row.digest)
            assert now is not None
            if row.state in states[:3]:
                assert (now.body, now.reason, now.erased_at) == (b"", "Code", later(9))
                assert (now.state, now.received_at, now.attempts) == (row.state, row.received_at, row.attempts)
            else:
                assert now == row
            assert claim(store, row.body).state == row.state

    def test_one_body_is_erased_where_it_was_claimed(self, store: Store) -> None:
        """In the transaction that claims it, and no other."""
        claim(store, b"other")
        with store.transaction() as tx:
            tx.claim(delivery(b"late news"), NOTHING)
            tx.erase_body(delivery(b"late news").digest, later(1))
        kept = store.delivery(delivery(b"late news").digest)
        assert kept is not None
        assert (kept.body, kept.erased_at) == (b"", later(1))
        assert [row.body for row in store.deliveries() if row.body] == [b"other"]

    def test_deliveries_are_walked_in_the_order_of_their_coming(self, store: Store) -> None:
        """By position, in pages; and a dropped one is unknown again, unless it is still work."""
        rows = [_settled(store, b"%d" % n, "parked" if n == 2 else "done", received_at=later(n)) for n in range(4)]
        walked = store.received(limit=3)
        assert [row for _, row in walked] == rows[:3]
        assert [row for _, row in store.received(after=walked[-1][0])] == rows[3:]
        with store.transaction() as tx:
            assert tx.drop_deliveries(rows) == 3
        assert [row for _, row in store.received()] == [rows[2]]
        assert claim(store, b"0").state == "new"
        assert claim(store, b"2").state == "parked"

    def test_an_error_is_shortened_while_it_is_what_was_read(self, store: Store) -> None:
        """Of a dead effect; one that was tried again since is left."""
        (row,) = write(store, effects=[effect()])

        def dead(error: str) -> EffectRow:
            with store.transaction() as tx:
                tx.finish_effect(row, "dead", attempts=1, due_at=T0, error=error)
            return store.effects()[0]

        read = dead("Error: told")
        dead("Error: other")
        with store.transaction() as tx:
            assert not tx.shorten_error(read, "Error")
        read = dead("Error: told")
        with store.transaction() as tx:
            assert tx.shorten_error(read, "Error")
        assert store.effects()[0].error == "Error"

    def test_erasing_is_rolled_back_like_anything_else(self, store: Store) -> None:
        """A dry run counts what would be erased, and leaves everything."""
        row = _settled(store, b"body", "done")
        with pytest.raises(KeyError), store.transaction() as tx:  # noqa: PT012 - the block is what is tested
            tx.wipe()
            tx.write(Batch(orders=[order()]))
            assert tx.erase_bodies([row], T0) == 1
            raise KeyError
        assert store.delivery(row.digest) == row

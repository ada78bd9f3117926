"""The contract of a store, as tests: run it over a store of your own.

In: a pytest fixture ``store`` that gives a migrated, empty store. Out: a test for each promise of
:class:`razorpay_hardened.ports.store.Store`, named for it::

    class TestMyStore(StoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            store = MyStore(...)
            store.migrate()
            yield store
            store.close()

Our own stores pass the same suite. The tests use threads but never sleep; each takes well under a second.
"""

from __future__ import annotations

from razorpay_hardened.testing._contract_audit import TrailContract
from razorpay_hardened.testing._contract_keeping import KeepingContract
from razorpay_hardened.testing._contract_rows import AuditContract, ReadingContract, StateContract, UpkeepContract
from razorpay_hardened.testing._contract_work import EffectContract, InboxContract, TransactionContract

__all__ = ["StoreContract"]


class StoreContract(
    TransactionContract,
    InboxContract,
    StateContract,
    EffectContract,
    ReadingContract,
    AuditContract,
    TrailContract,
    UpkeepContract,
    KeepingContract,
):
    """Everything that a store promises. Subclass it and give the fixture ``store``."""

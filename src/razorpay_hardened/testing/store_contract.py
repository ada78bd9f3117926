"""The contract of a store, as tests: run it over a store of your own.

In: a pytest fixture ``store`` that gives a migrated, empty store. Out: a test for each promise of
:class:`razorpay_hardened.ports.store.Store`, named for it::

    class TestMyStore(StoreContract):
        @pytest.fixture
        def store(self):
            return my_empty_store()

What is promised to several processes (claims, updates, leases, SIGKILL at any moment) is tested where the store's
``url`` says that they share it; else give the fixture ``shared`` too. Our own stores pass the same suite, and
``tests/contract/test_planted_bugs.py`` shows that it finds the mistakes which stores have. The tests never sleep; each
takes well under a second.
"""

from __future__ import annotations

from razorpay_hardened.testing._contract_audit import TrailContract
from razorpay_hardened.testing._contract_company import LeakContract, ProcessContract
from razorpay_hardened.testing._contract_keeping import KeepingContract
from razorpay_hardened.testing._contract_rows import AuditContract, ReadingContract, StateContract, UpkeepContract
from razorpay_hardened.testing._contract_work import EffectContract, InboxContract, TransactionContract

__all__ = [
    "AuditContract",
    "EffectContract",
    "InboxContract",
    "LeakContract",
    "ProcessContract",
    "ReadingContract",
    "StateContract",
    "StoreContract",
    "TransactionContract",
    "UpkeepContract",
]


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
    ProcessContract,
    LeakContract,
):
    """Everything that a store promises. Subclass it and give the fixture ``store``."""

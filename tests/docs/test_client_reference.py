"""The page of the client's methods is the code's, and nothing of the SDK is missing here."""

from __future__ import annotations

from docs.client_reference import PAGE, methods, page, theirs
from razorpay_hardened.client._operations import OPERATIONS
from support.sdk import METHODS, inherited

NOT_OURS = {
    "refund.create": "POST /v1/refunds is not documented; a refund is made on its payment, where it takes a key",
}


def test_the_page_is_what_the_code_says() -> None:
    """After a change of operations: ``python -m docs.client_reference`` in ``tests``."""
    assert PAGE.read_text("utf-8") == page()


def test_no_method_of_the_sdk_is_missing() -> None:
    """Every method of the installed SDK has one of ours; what its base class makes up has none at Razorpay either."""
    ours = theirs()
    missing = [(name, method) for name, method in METHODS if (name, method) not in ours]

    assert {f"{name}.{method}" for name, method in missing if not inherited(name, method)} == set(NOT_OURS)


def test_every_operation_is_a_method() -> None:
    """An operation without a method could not be called; a method without an operation would have no rule."""
    known = {f"{name}.{method}" for name, found in methods().items() for method in found}
    told = {operation.name for operation in OPERATIONS}

    assert told <= known
    walks_and_finds = {name for name in known - told if name.rpartition(".")[2].startswith(("iter", "find_by"))}
    assert known - told == walks_and_finds

"""The error tree: one sentence each, safe to show, caught wide or narrow."""

from __future__ import annotations

import copy
import inspect
import pickle

from razorpay_hardened import errors
from razorpay_hardened.errors import (
    ApiBadRequest,
    ApiError,
    ApiRateLimited,
    ExtraMissing,
    OutcomeUnknown,
    PlanUnknown,
    RazorpayHardenedError,
    SignatureMismatch,
)

TREE = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]
PLAIN = [kind for kind in TREE if kind is not ExtraMissing]


def test_the_public_list_is_the_tree():
    """Every error is public, and every public name is an error of ours."""
    assert sorted(kind.__name__ for kind in TREE) == sorted(errors.__all__)
    assert all(issubclass(kind, RazorpayHardenedError) for kind in TREE)


def test_the_docstring_is_the_message():
    """Without a message an error says its docstring's first line, a sentence; with one, exactly that."""
    for kind in PLAIN:
        first = kind.__doc__.splitlines()[0]

        assert first.endswith((".", "…")), kind
        assert str(kind()) == kind().message == first
        assert str(kind("told")) == kind("told").message == "told", kind
        assert kind().code == kind.__name__
        assert kind().customer_message.endswith("."), kind


def test_errors_travel():
    """An error can be copied and pickled: its class, message and details survive."""
    for kind in PLAIN:
        error = kind("told")

        for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert type(again) is kind
            assert str(again) == again.message == "told", kind


def test_a_missing_extra():
    """A missing extra is an ImportError that says which command helps."""
    error = ExtraMissing("postgres", "PostgresStore")

    assert isinstance(error, ImportError)
    assert error.extra == "postgres"
    assert str(error) == "PostgresStore needs an optional dependency: pip install 'razorpay-hardened[postgres]'"


def test_a_missing_extra_travels():
    """A missing extra can be sent to another process, too."""
    again = pickle.loads(pickle.dumps(ExtraMissing("cli", "the command line")))

    assert (again.extra, str(again)) == ("cli", str(ExtraMissing("cli", "the command line")))


def test_errors_of_the_api_carry_the_envelope():
    """Razorpay's envelope is in attributes, and its texts are not in str()."""
    error = ApiBadRequest(
        status=400,
        error_code="BAD_REQUEST_ERROR",
        description="The card 4111111111111111 is blocked",
        field="amount",
        source="business",
        step="payment_initiation",
        reason="input_validation_failed",
        metadata={"payment_id": "pay_29QQoUBi66xm2f"},
        request_id="req",
        retry_after_s=2.5,
        attempts=3,
    )

    assert (error.status, error.error_code, error.field, error.source) == (
        400,
        "BAD_REQUEST_ERROR",
        "amount",
        "business",
    )
    assert (error.step, error.reason, error.request_id) == ("payment_initiation", "input_validation_failed", "req")
    assert (error.metadata, error.retry_after_s, error.attempts) == ({"payment_id": "pay_29QQoUBi66xm2f"}, 2.5, 3)
    assert "4111" not in f"{error} {error!r}"
    assert "4111" in error.description
    again = pickle.loads(pickle.dumps(error))
    assert vars(again) == vars(error)


def test_an_unknown_outcome_carries_what_settles_it():
    """The key and the receipt with which the question can be settled are on the error, and travel with it."""
    error = OutcomeUnknown(idempotency_key="key-0000001", receipt="inv-42", status=502)

    again = pickle.loads(pickle.dumps(error))

    assert (again.idempotency_key, again.receipt, again.status, again.metadata) == ("key-0000001", "inv-42", 502, {})
    assert not error.retryable


def test_an_unknown_plan_reads_like_the_others():
    """A KeyError would show its text in quotes; ours does not."""
    assert str(PlanUnknown("no plan 'gold'")) == "no plan 'gold'"


def test_a_mismatch_without_a_diagnosis():
    """A mismatch that nobody can explain has no causes; one that can be, is asked only on demand."""
    assert SignatureMismatch().explain() == ()
    assert SignatureMismatch(explain=lambda: ["a cause"]).explain() == ("a cause",)


def test_what_may_be_repeated():
    """Exactly these say that the same call may be made again; an unknown outcome never does."""
    assert sorted(kind.__name__ for kind in TREE if kind.retryable) == [
        "ApiConnectionError",
        "ApiRateLimited",
        "ApiServerError",
        "ApiTimeout",
        "CircuitOpen",
        "CommitUnknown",
        "DeliveryInWork",
        "ReconcileBusy",
        "StorageConflict",
        "StorageUnavailable",
    ]
    assert issubclass(ApiRateLimited, ApiError)

"""Answers become typed errors that say all they may, and nothing that they must not."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_fakes import KEY_ID, KEY_SECRET, ORDER_ID, order, refusal, rig
from razorpay_hardened.client._translate import parse_json
from razorpay_hardened.errors import ApiBadRequest, ApiError, ApiResponseError


def _error(status: int, body: Any, headers: dict[str, str] | None = None) -> ApiError:
    r = rig((status, body, headers or {}), max_attempts=1)
    with pytest.raises(ApiError) as caught:
        r.client.orders.fetch(ORDER_ID)
    return caught.value


def test_the_whole_envelope_is_kept() -> None:
    """Every field of Razorpay's error is an attribute; the message has our words alone."""
    envelope = {
        "code": "BAD_REQUEST_ERROR",
        "description": "gaurav.kumar@example.com may not",
        "field": "amount",
        "source": "business",
        "step": "payment_initiation",
        "reason": "input_validation_failed",
        "metadata": {"payment_id": "pay_29QQoUBi66xm2f", "order_id": None, "deep": {"x": 1}},
    }

    error = _error(400, {"error": envelope}, {"X-Razorpay-Request-Id": "req_1"})

    for name in ("description", "field", "source", "step", "reason"):
        assert getattr(error, name) == envelope[name]
    assert error.error_code == "BAD_REQUEST_ERROR"
    assert error.status == 400
    assert error.metadata == {"payment_id": "pay_29QQoUBi66xm2f", "order_id": None}
    assert error.request_id == "req_1"
    assert str(error) == f"GET /v1/orders/{ORDER_ID} failed (HTTP 400, BAD_REQUEST_ERROR)"


def test_na_and_null_are_nothing() -> None:
    """The literal NA means that there is nothing to say."""
    error = _error(401, {"error": {"code": "BAD_REQUEST_ERROR", "source": "NA", "step": None, "metadata": None}})

    assert (error.source, error.step, error.description, error.metadata) == (None, None, None, {})


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"error":"oops"}', b"[]", b"null", b"1", b'"x"', b'{"error":[]}', b'{"error":{"code":5}}',
     b"\xff", b"[" * 100_000, b'{"error":{"description":' + b"[" * 900 + b"]" * 900 + b"}}", b'{"message":"no Route"}',
     b'{"error":{"metadata":[1]}}', b"\xef\xbb\xbf{}"],
)  # fmt: skip
def test_any_error_body_is_typed_by_its_status(body: bytes) -> None:
    """Whatever a proxy answers, the status decides."""
    error = _error(400, body)

    assert type(error) is ApiBadRequest
    assert error.description is None


def test_a_code_that_is_no_code_is_not_shown() -> None:
    """Only a plain code reaches the message."""
    error = _error(400, {"error": {"code": "x\r\nERROR fake\x1b[2J"}})

    assert str(error) == f"GET /v1/orders/{ORDER_ID} failed (HTTP 400)"


def test_long_texts_are_cut() -> None:
    """An endless description does not travel on."""
    error = _error(400, refusal("x" * 10_000), {"request-id": "r" * 1000})

    assert len(error.description or "") == 2000
    assert len(error.request_id or "") == 128


FORMS = {
    "raw": KEY_SECRET,
    "header": "Basic " + base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode(),
    "token": base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode(),
    "base64": base64.b64encode(KEY_SECRET.encode()).decode(),
    "hex": KEY_SECRET.encode().hex(),
    "HEX": KEY_SECRET.encode().hex().upper(),
    "url": quote(KEY_SECRET, safe=""),
    "json": json.dumps(KEY_SECRET)[1:-1],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_an_echoed_secret_is_taken_out(form: str) -> None:
    """Whatever the API or a proxy repeats of our credentials is gone before anybody sees the error."""
    body = refusal(f"bad header <{form}>", field=form, reason=f"x{form}", metadata={form: f"y {form}", "n": 1})

    error = _error(400, body)

    told = json.dumps([str(error), repr(error), {name: str(value) for name, value in vars(error).items()}])
    assert form not in told
    assert form not in str(vars(error))
    assert KEY_SECRET not in told
    assert "[redacted]" in (error.description or "")


def test_someone_else_s_authorization_is_taken_out_too() -> None:
    """A header value that is not ours is nobody's business either."""
    error = _error(400, refusal("got authorization: bearer abc.DEF-123"))

    assert error.description == "got authorization: bearer [redacted]"


@pytest.mark.slow
@settings(max_examples=150)
@given(st.binary(max_size=40) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_body_ends_in_one_of_our_errors(body: bytes) -> None:
    """Hostile bytes, as a success or as a refusal, never raise anything of another library."""
    for status in (200, 400):
        r = rig((status, body))
        with pytest.raises((ApiResponseError, ApiBadRequest)):
            r.client.orders.fetch(ORDER_ID)


@settings(max_examples=60)
@given(status=st.integers(100, 999), body=st.sampled_from([b"", b"{}", json.dumps(order()).encode()]))
def test_any_status_ends_in_a_result_or_one_of_our_errors(status: int, body: bytes) -> None:
    """Every number that can stand in a status line has a meaning here."""
    r = rig((status, body), forever=True)
    if 200 <= status < 300 and body.startswith(b'{"id"') and status != 204:
        assert r.client.orders.fetch(ORDER_ID).id == ORDER_ID
        return
    with pytest.raises(ApiError) as caught:
        r.client.orders.fetch(ORDER_ID)
    assert caught.value.status == status


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "{}{}", "// x", " ", "1" * 5000, "\ufeff{}"])
def test_json_is_read_strictly(text: str) -> None:
    """What is not JSON is a ValueError."""
    with pytest.raises(ValueError, match=r".*"):
        parse_json(text.encode())


def test_a_lone_surrogate_in_a_note_is_only_text() -> None:
    """A text that nobody interprets does not make an answer unreadable."""
    body = json.dumps(order(notes={"a": "x"})).replace('"x"', r'"\ud800"').encode()

    assert rig((200, body)).client.orders.fetch(ORDER_ID).notes["a"] == "\ud800"

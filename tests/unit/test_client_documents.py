"""Documents through the client: forms out, bytes in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from client_fakes import refusal, rig
from razorpay_hardened.client import Client
from razorpay_hardened.client._values import File
from razorpay_hardened.emulator._multipart import Upload, fields
from razorpay_hardened.errors import ApiBadRequest, ApiResponseError, FieldInvalid, IdMalformed, OutcomeUnknown
from support.billing import refuses, rejects
from support.moving import ACCOUNT_ID, DOCUMENT_ID, STAKEHOLDER_ID, document

PICTURE = b"\x89PNG\r\n--x--\xff\x00"
PATH = f"/v1/documents/{DOCUMENT_ID}"
ACCOUNTS = f"/v2/accounts/{ACCOUNT_ID}"
PROOF = {"gst_certificate": [{"type": "gst_certificate", "url": "https://rzp.io/i/bzDKbNg"}]}


@pytest.mark.parametrize(
    ("call", "line", "answer", "sent"),
    [
        (
            lambda client: client.documents.create(PICTURE, name="a.PNG"),
            "POST /v1/documents",
            document(),
            {"purpose": "dispute_evidence", "file": Upload("a.PNG", "image/png", PICTURE)},
        ),
        (
            lambda client: client.documents.create(PICTURE, name="scan", purpose="other", media_type="image/gif"),
            "POST /v1/documents",
            document(purpose="other"),
            {"purpose": "other", "file": Upload("scan", "image/gif", PICTURE)},
        ),
        (
            lambda client: client.accounts.upload_document(
                ACCOUNT_ID, PICTURE, document_type="gst_certificate", name="gst.pdf"
            ),
            f"POST {ACCOUNTS}/documents",
            PROOF,
            {"document_type": "gst_certificate", "file": Upload("gst.pdf", "application/pdf", PICTURE)},
        ),
        (
            lambda client: client.stakeholders.upload_document(
                ACCOUNT_ID, STAKEHOLDER_ID, PICTURE, document_type="aadhar_front", name="front.jpeg"
            ),
            f"POST {ACCOUNTS}/stakeholders/{STAKEHOLDER_ID}/documents",
            PROOF,
            {"document_type": "aadhar_front", "file": Upload("front.jpeg", "image/jpeg", PICTURE)},
        ),
    ],
)
def test_a_file_goes_out_as_a_form(call: Callable[[Client], Any], line: str, answer: Any, sent: Any) -> None:
    """Its bytes, its name and what it is; and the fields beside it."""
    client, session, *_ = rig(answer)

    call(client)

    [one] = session.sent
    assert session.lines == [line]
    assert fields(one.headers["Content-Type"], one.body) == sent


def upload(client: Client, content: Any = PICTURE, name: Any = "a.png", **more: Any) -> Any:
    return client.documents.create(content, name=name, **more)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: upload(client, b""), FieldInvalid),
        (lambda client: upload(client, "a.png"), FieldInvalid),
        (lambda client: upload(client, bytearray(PICTURE)), FieldInvalid),
        (lambda client: upload(client, name=""), FieldInvalid),
        (lambda client: upload(client, name="a" * 252 + ".png"), FieldInvalid),
        (lambda client: upload(client, name="../a.png"), FieldInvalid),
        (lambda client: upload(client, name='a"; name="purpose.png'), FieldInvalid),
        (lambda client: upload(client, name="a\r\nX: y.png"), FieldInvalid),
        (lambda client: upload(client, name="scan"), FieldInvalid),
        (lambda client: upload(client, name="scan.gif"), FieldInvalid),
        (lambda client: upload(client, media_type="png"), FieldInvalid),
        (lambda client: upload(client, media_type="image/png\r\nX: y"), FieldInvalid),
        (lambda client: upload(client, purpose=""), FieldInvalid),
        (lambda client: upload(client, purpose=None), FieldInvalid),
        (lambda client: client.documents.fetch("x"), IdMalformed),
        (lambda client: client.documents.content("doc_x/../y"), IdMalformed),
        (
            lambda client: client.accounts.upload_document("x", PICTURE, document_type="a", name="a.png"),
            IdMalformed,
        ),
        (
            lambda client: client.accounts.upload_document(ACCOUNT_ID, PICTURE, document_type="", name="a.png"),
            FieldInvalid,
        ),
        (
            lambda client: client.stakeholders.upload_document(
                ACCOUNT_ID, "sth/x", PICTURE, document_type="a", name="a.png"
            ),
            IdMalformed,
        ),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """A name cannot become another field of the form, nor a header."""
    refuses(call, error)


def test_a_documents_description_is_typed() -> None:
    """And is that of the document which was asked for."""
    client, session, *_ = rig(document())

    assert client.documents.fetch(DOCUMENT_ID).size == 4
    assert session.lines == [f"GET {PATH}"]
    rejects(lambda client: client.documents.fetch(DOCUMENT_ID), document(id="doc_X"), "id")
    rejects(lambda client: client.documents.create(PICTURE, name="a.png"), document(purpose="other"), "purpose")


def test_an_upload_is_sent_once() -> None:
    """Nothing tells whether it arrived."""
    client, session, *_ = rig(requests.ReadTimeout)

    with pytest.raises(OutcomeUnknown):
        client.documents.create(PICTURE, name="a.png")

    assert len(session.sent) == 1


@pytest.mark.parametrize("content", [PICTURE, b"%PDF-1.7", b"{}", b"\xff\xd8\xff" + bytes(100_000)])
def test_the_content_comes_as_it_is(content: bytes) -> None:
    """Bytes, whatever they would be as JSON; and it is asked for as such."""
    client, session, *_ = rig((503, b""), content)

    assert client.documents.content(DOCUMENT_ID) == content
    assert session.lines == [f"GET {PATH}/content"] * 2
    assert {sent.headers["Accept"] for sent in session.sent} == {"*/*"}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", ApiResponseError),
        ((204, b""), ApiResponseError),
        (b"<!DOCTYPE html><title>Maintenance</title>", ApiResponseError),
        (b" \n<html>", ApiResponseError),
        (b"\xff" * (5 * 1024 * 1024 + 1), ApiResponseError),
        ((400, refusal("The id provided does not exist")), ApiBadRequest),
    ],
)
def test_what_is_no_file_is_an_error(answer: Any, error: type[Exception]) -> None:
    """A page that a proxy made is not handed out as evidence."""
    client, *_ = rig(answer)

    with pytest.raises(error):
        client.documents.content(DOCUMENT_ID)


def test_no_repr_shows_a_file() -> None:
    """Evidence holds people's data."""
    assert "PNG" not in repr(File("a.png", PICTURE, "image/png"))

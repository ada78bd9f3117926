"""Documents: files as evidence in disputes (FACTS section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources._body import said, text
from razorpay_hardened.client.resources._read import DOCUMENT
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync
from razorpay_hardened.client.resources._upload import upload
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import PayloadInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Document

__all__ = ["AsyncDocuments", "Documents"]


def _create(
    content: bytes, *, name: str, purpose: str = "dispute_evidence", media_type: str | None = None
) -> Ask[Document]:
    """Upload a file: JPEG, PNG or PDF. Its ``id`` goes into ``disputes.contest``.

    ``name`` is what Razorpay shows; its end (.jpg, .png, .pdf) says what the file is, unless ``media_type`` does.
    Raises :class:`OutcomeUnknown` when the upload may have arrived, and sends nothing twice; uploading again then
    costs no more than a file that nobody uses.
    """
    file = upload(content, name, media_type)
    data = said({"purpose": text("purpose", purpose, 64)}, needs=("purpose",))
    return Ask(Call(op.DOCUMENT_CREATE, data=data, file=file), DOCUMENT.echoing(purpose=purpose))


def _fetch(document_id: str) -> Ask[Document]:
    """What Razorpay knows of the file: name, media type, size in bytes."""
    document_id = check_id("document", document_id)
    return Ask(Call(op.DOCUMENT_FETCH, (document_id,)), DOCUMENT.echoing(id=document_id))


def _content(document_id: str) -> Ask[bytes]:
    """The file itself, at most 5 MiB; a larger one is :class:`ApiResponseError`.

    So is an answer that is no file: an empty one, or a page that something between here and Razorpay made. ``size`` of
    ``fetch`` tells how long it should be.
    """
    document_id = check_id("document", document_id)
    return Ask(Call(op.DOCUMENT_CONTENT, (document_id,)), _file)


def _file(answer: Any) -> bytes:
    """No JPEG, PNG or PDF begins like HTML does."""
    if not isinstance(answer, bytes) or not answer or answer.lstrip()[:1] == b"<":
        raise PayloadInvalid("the answer is not a file")
    return answer


class Documents(Resource):
    """``client.documents``."""

    create = sync(_create)
    fetch = sync(_fetch)
    content = sync(_content)


class AsyncDocuments(AsyncResource):
    """``client.documents``, awaited."""

    create = awaited(_create)
    fetch = awaited(_fetch)
    content = awaited(_content)

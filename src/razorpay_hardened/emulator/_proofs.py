"""Documents of linked accounts and their stakeholders: proofs, each of a type that belongs to a kind of proof.

Which documents there are is in the documents of the official Python SDK; what is refused, and how, is not published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks, _hash
from razorpay_hardened.emulator._accounts import linked
from razorpay_hardened.emulator._multipart import Upload
from razorpay_hardened.emulator._review import look, proven
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator._stakeholders import stakeholder_of
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES"]

_OF_ACCOUNTS = {
    "shop_establishment_certificate": "business_proof_of_identification",
    "gst_certificate": "business_proof_of_identification",
    "msme_certificate": "business_proof_of_identification",
    "business_proof_url": "business_proof_of_identification",
    "business_pan_url": "business_proof_of_identification",
    "form_12_a_url": "additional_documents",
    "form_80g_url": "additional_documents",
    "cancelled_cheque": "additional_documents",
}
_OF_STAKEHOLDERS = {
    "personal_pan": "individual_proof_of_identification",
    "voter_id_back": "individual_proof_of_address",
    "voter_id_front": "individual_proof_of_address",
    "aadhar_front": "individual_proof_of_address",
    "aadhar_back": "individual_proof_of_address",
    "passport_front": "individual_proof_of_address",
    "passport_back": "individual_proof_of_address",
}


def _upload(world: World, call: Call, owner_id: str, kinds: dict[str, str]) -> Entity:
    body = call.body
    _checks.known_fields(body, {"file", "document_type"})
    if not isinstance(body.get("file"), Upload):
        raise refusal("The file field is required", field="file")
    document = _checks.choice_in(body, "document_type", kinds)
    short = _hash.token(world.seed, "proof", owner_id, document, length=7)
    kind, before = kinds[document], proven(world, owner_id)
    others = [one for one in before.get(kind, ()) if one["type"] != document]
    shown = [*others, {"type": document, "url": f"https://rzp.io/i/{short}"}]
    world.private[owner_id]["proofs"] = {**before, kind: shown}
    look(world, call.ids[0])
    return {kind: shown}


def upload_of_account(world: World, call: Call) -> Entity:
    """``POST /v2/accounts/:id/documents``, a form with ``file`` and ``document_type``."""
    return _upload(world, call, linked(world, call.ids[0])["id"], _OF_ACCOUNTS)


def of_account(world: World, call: Call) -> Entity:
    """``GET /v2/accounts/:id/documents``."""
    return dict(proven(world, linked(world, call.ids[0])["id"]))


def upload_of_stakeholder(world: World, call: Call) -> Entity:
    """``POST /v2/accounts/:id/stakeholders/:id/documents``, a form with ``file`` and ``document_type``."""
    return _upload(world, call, stakeholder_of(world, *call.ids)["id"], _OF_STAKEHOLDERS)


def of_stakeholder(world: World, call: Call) -> Entity:
    """``GET /v2/accounts/:id/stakeholders/:id/documents``."""
    return dict(proven(world, stakeholder_of(world, *call.ids)["id"]))


ROUTES = (
    Route("POST", "/v2/accounts/:id/documents", upload_of_account),
    Route("GET", "/v2/accounts/:id/documents", of_account),
    Route("POST", "/v2/accounts/:id/stakeholders/:id/documents", upload_of_stakeholder),
    Route("GET", "/v2/accounts/:id/stakeholders/:id/documents", of_stakeholder),
)
EVENTS: tuple[EventKind, ...] = ()

"""What a linked account still owes before a product is activated, and the review (FACTS section 8).

What is required follows from the account, its stakeholder and their documents: whoever changes one of them calls
:func:`look`. Once nothing is, the product is under review and, a minute later, activated: how long a review takes is
not published, and here it never says no.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _events
from razorpay_hardened.emulator.wire import Entity

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["NAMES", "SETTLEMENTS", "look", "products_of", "proven"]

NAMES = ("route", "payment_gateway", "payment_links")
SETTLEMENTS = ("beneficiary_name", "account_number", "ifsc_code")
_REVIEW_S = 60


def proven(world: World, owner_id: str) -> Entity:
    """What was uploaded for an account or a stakeholder: the kind of proof to its documents."""
    found: Entity = world.private.get(owner_id, {}).get("proofs", {})
    return found


def products_of(world: World, account_id: str) -> list[Entity]:
    """The product configurations of a linked account, oldest first."""
    return [world.table("merchant_product")[one] for one in world.owned(account_id, "merchant_product")]


def look(world: World, account_id: str) -> None:
    """Say what is required now; where nothing is, the review begins."""
    for product in products_of(world, account_id):
        if product["activation_status"] in ("requested", "needs_clarification"):
            _look(world, product)


def _look(world: World, product: Entity) -> None:
    product["requirements"] = _requirements(world, product)
    if product["requirements"] or not product["tnc"]["accepted"]:
        product["activation_status"] = "needs_clarification"
        world.save(product)
        return
    product["activation_status"] = "under_review"
    world.save(product)
    _tell(world, product)
    world.clock.plan(world.clock.ms + _REVIEW_S * 1000, partial(_reviewed, world, product))


def _reviewed(world: World, product: Entity) -> None:
    product["activation_status"] = "activated"
    world.save(product)
    _tell(world, product)


def _requirements(world: World, product: Entity) -> list[Entity]:
    account = world.table("account")[product["account_id"]]
    here = f"/accounts/{account['id']}"
    settlements = product["active_configuration"]["settlements"]
    missing = [
        _missing(f"settlements.{field}", f"{here}/products/{product['id']}")
        for field in SETTLEMENTS
        if settlements[field] is None
    ]
    if product["product_name"] == "route":
        return missing
    people = [world.table("stakeholder")[one] for one in world.owned(account["id"], "stakeholder")]
    proofs = {kind for person in people for kind in proven(world, person["id"])}
    papers = f"{here}/stakeholders/{people[0]['id'] if people else '{stakeholderId}'}/documents"
    documents = [
        _missing(kind, papers, "document_missing")
        for kind in ("individual_proof_of_address", "individual_proof_of_identification")
        if kind not in proofs
    ]
    if "business_proof_of_identification" not in proven(world, account["id"]):
        documents.append(_missing("business_proof_of_identification", f"{here}/documents", "document_missing"))
    shown = ("contact_name", "customer_facing_business_name")
    rest = [_missing(field, here) for field in shown if not account.get(field)]
    if not any(person["name"] for person in people):
        rest.append(_missing("name", f"{here}/stakeholders"))
    if not any(person["kyc"].get("pan") for person in people):
        rest.append(_missing("kyc.pan", f"{here}/stakeholders"))
    return [*documents, *missing, *rest]


def _missing(field: str, where: str, reason: str = "field_missing") -> Entity:
    return {"field_reference": field, "resolution_url": where, "status": "required", "reason_code": reason}


def _tell(world: World, product: Entity) -> None:
    """The event is about the linked account, and wraps ``data`` beside the entity."""
    status = product["activation_status"]
    entity = {"id": product["id"], "merchant_id": product["account_id"], "activation_status": status}
    body = {
        "entity": "event",
        "account_id": product["account_id"],
        "event": f"product.{product['product_name']}.{status}",
        "contains": ["merchant_product"],
        "payload": {"merchant_product": {"entity": entity, "data": []}},
        "created_at": world.clock.unix(),
    }
    world.announce(_events.given(world, body))

"""The documents endpoints: evidence for disputes (FACTS section 8)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks
from razorpay_hardened.emulator._multipart import Upload
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator.wire import Call, Entity, Reply, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES"]

_TYPES = ("image/jpeg", "image/png", "application/pdf")


def create(world: World, call: Call) -> Entity:
    """``POST /v1/documents``, a form with ``file`` and ``purpose``. The texts of its refusals are not published."""
    _checks.known_fields(call.body, {"file", "purpose"})
    upload = call.body.get("file")
    if not isinstance(upload, Upload):
        raise refusal("The file field is required", field="file")
    purpose = _checks.choice_in(call.body, "purpose", ("dispute_evidence",))
    if upload.mime_type not in _TYPES:
        raise refusal("The selected file is invalid", field="file")
    document: Entity = {
        "id": world.mint("doc"),
        "entity": "document",
        "purpose": purpose,
        "name": upload.name,
        "mime_type": upload.mime_type,
        "size": len(upload.content),
        "created_at": world.clock.unix(),
    }
    world.save(document)
    world.private[document["id"]]["content"] = b64encode(upload.content).decode("ascii")
    return dict(document)


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/documents/:id``."""
    return world.seen("document", call.ids[0], call.as_of)


def content(world: World, call: Call) -> Reply:
    """``GET /v1/documents/:id/content``: the file as it was uploaded. The form of the answer is not published."""
    document = world.seen("document", call.ids[0], call.as_of)
    return Reply(200, {"Content-Type": document["mime_type"]}, b64decode(world.private[document["id"]]["content"]))


ROUTES = (
    Route("POST", "/v1/documents", create),
    Route("GET", "/v1/documents/:id", fetch),
    Route("GET", "/v1/documents/:id/content", content),
)
EVENTS: tuple[EventKind, ...] = ()

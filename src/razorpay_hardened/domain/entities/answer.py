"""Answers that are no entities: that something was done, and errors (FACTS section 3)."""

from __future__ import annotations

from typing import Any, ClassVar

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import Flag, Kept, Loose, Status, Text, Texts, Whole

__all__ = ["Acknowledgement", "ErrorBody", "ErrorDetail"]


class Acknowledgement(Entity):
    """That it was done: ``{"success": true}``, ``{"deleted": true}``, ``{"status": "deleted"}`` or ``{}``."""

    kind: ClassVar[str] = "acknowledgement"
    success: Flag = None
    deleted: Flag = None
    status: Status = None


class ErrorDetail(Detail):
    """An error of the API. All but ``code`` and ``description`` may be missing, null, or the text ``NA``.

    ``description`` is for people, and may change: do not compare with it. Client calls raise typed errors; this
    is for bodies that are stored.
    """

    code: Text = None
    description: Text = None
    field: Text = None
    source: Text = None
    step: Text = None
    reason: Text = None
    metadata: Kept[dict[str, Any]] = None


class ErrorBody(Entity):
    """The body of an answer that is an error. A few endpoints answer with ``errors``, a list of texts, instead."""

    kind: ClassVar[str] = "error"
    error: Loose[ErrorDetail] = None
    status_code: Whole = None
    success: Flag = None
    errors: Texts = None

"""Files on their way to Razorpay: checked, named, and never shown."""

from __future__ import annotations

import re
from typing import Final

from razorpay_hardened.client._values import File
from razorpay_hardened.errors import FieldInvalid

__all__ = ["upload"]

_NAME_MAX: Final = 255
_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+", re.ASCII)
_TYPES: Final = {".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".pdf": "application/pdf", ".png": "image/png"}
"""What Razorpay takes as evidence (FACTS section 8), by the end of the name."""


def upload(content: bytes, name: str, media_type: str | None) -> File:
    """The file to send. Without ``media_type``, the end of the name says what it is: .jpg, .jpeg, .png, .pdf."""
    if type(content) is not bytes or not content:
        raise FieldInvalid("the content of the file must be bytes, at least one")
    plain = type(name) is str and 1 <= len(name) <= _NAME_MAX and name.isprintable()
    if not plain or any(mark in name for mark in '/\\"'):
        raise FieldInvalid(f"the name must be 1 to {_NAME_MAX} printable characters without slashes and quotes")
    kind = _TYPES.get(f".{name.rpartition('.')[2].lower()}") if media_type is None else media_type
    if type(kind) is not str or not _TYPE.fullmatch(kind):
        raise FieldInvalid("give media_type, such as 'application/pdf': the name does not say what the file is")
    return File(name, content, kind)

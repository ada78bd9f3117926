"""Uploaded files: the one place where a request is not JSON (FACTS section 1)."""

from __future__ import annotations

import mimetypes
from email.parser import BytesParser
from email.policy import HTTP
from typing import NamedTuple

from razorpay_hardened.emulator.wire import Entity, refusal

__all__ = ["Upload", "fields"]


class Upload(NamedTuple):
    """One file of a form."""

    name: str
    mime_type: str
    content: bytes


def fields(content_type: str, body: bytes) -> Entity:
    """The form's fields: text, or an :class:`Upload` where there is a file name."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise refusal("The request body is not a valid form")  # text: not published
    found: Entity = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            continue
        file_name = part.get_filename()
        if file_name is None:
            found[name] = content.decode("utf-8", "replace")
        else:
            guess = mimetypes.guess_type(file_name)[0] or ""  # the SDK sends no type with the file
            kind = part.get_content_type() if "content-type" in part else guess
            found[name] = Upload(file_name, kind, content)
    return found

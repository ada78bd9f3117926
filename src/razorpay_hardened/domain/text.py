"""Text from outside, made fit to be stored: by every database, byte for byte the same.

PostgreSQL has no NUL in a text, and no encoding has a lone surrogate. Both come in signed bodies (an unknown status,
the name of an event) and in the errors of handlers. Each becomes U+FFFD, the mark of a character that was: before
anything is hashed or compared, so that what is read back is what was written.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["fits", "fitting", "word"]

_UNFIT: Final = re.compile("[\\x00\ud800-\udfff]")


def fits(text: str) -> bool:
    """Whether ``text`` can be stored as it is."""
    return "\0" not in text and (text.isascii() or _UNFIT.search(text) is None)


def fitting(text: str) -> str:
    """``text`` with U+FFFD for each character that no database would take."""
    return text if fits(text) else _UNFIT.sub("\ufffd", text)


_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)


def word(text: str) -> str:
    """A status or another name as Razorpay gives it, for a message or a log; what looks like none is not repeated."""
    return text if _WORD.fullmatch(text) else "(not a word)"

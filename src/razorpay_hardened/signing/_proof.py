"""What all proofs share: only this room makes them, nothing changes them, and they do not travel."""

from __future__ import annotations

from typing import Any, Never, NoReturn, Self

__all__ = ["Proof"]


class Proof:
    """The base of all proofs. A proof is immutable, cannot be pickled, and its class cannot be subclassed.

    The constructor always refuses; the verify functions make theirs with ``object.__new__``.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        if Proof not in cls.__bases__ or not cls.__module__.startswith("razorpay_hardened.signing."):
            raise TypeError("a proof cannot be subclassed: it would no longer prove anything")

    def __new__(cls, *args: Never, **kwargs: Never) -> Self:
        raise TypeError(f"{cls.__name__} is a proof: only the verify functions can make one")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a proof cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a proof cannot be changed")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a proof does not travel: verify again where it is needed")

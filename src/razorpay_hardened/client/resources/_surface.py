"""From functions that say what to ask to the methods that users call, blocking or awaited.

Each method of the API is one function from its arguments to an ``Ask``, a ``Plan`` or a ``Listing``, with the
signature and the docstring that users see. ``sync`` and ``awaited`` make a method of it; type checkers see the
function's own parameters on both.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, overload

from razorpay_hardened.client.resources._listing import AsyncItems, Items, Listing
from razorpay_hardened.errors import RazorpayHardenedError

if TYPE_CHECKING:
    from razorpay_hardened.client._ask import Ask, Plan
    from razorpay_hardened.client._drive import AsyncConductor, Conductor

__all__ = ["AsyncResource", "Resource", "awaited", "sync", "walked", "walked_async"]

P = ParamSpec("P")
T = TypeVar("T")


class Resource:
    """One resource of the API, over a client's connections and limits."""

    __slots__ = ("_conductor",)

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor


class AsyncResource:
    """One resource of the API, awaited."""

    __slots__ = ("_conductor",)

    def __init__(self, conductor: AsyncConductor) -> None:
        self._conductor = conductor


@overload
def sync(ask: Callable[P, Ask[T]]) -> Callable[Concatenate[Resource, P], T]: ...
@overload
def sync(ask: Callable[P, Plan[T]]) -> Callable[Concatenate[Resource, P], T]: ...
def sync(ask: Any) -> Any:
    """The method that blocks until it has the result."""

    def method(self: Resource, /, *args: Any, **kwargs: Any) -> Any:
        try:
            work = ask(*args, **kwargs)
        except RazorpayHardenedError as error:
            raise _bare(error)  # noqa: B904  # it is the same error
        finally:
            del args, kwargs  # people's data, maybe a card's: a crash report of what follows must not show this frame's
        return self._conductor.do(work)

    return _dressed(method, ask)


@overload
def awaited(ask: Callable[P, Ask[T]]) -> Callable[Concatenate[AsyncResource, P], Coroutine[Any, Any, T]]: ...
@overload
def awaited(ask: Callable[P, Plan[T]]) -> Callable[Concatenate[AsyncResource, P], Coroutine[Any, Any, T]]: ...
def awaited(ask: Any) -> Any:
    """The coroutine method with the same result."""

    async def method(self: AsyncResource, /, *args: Any, **kwargs: Any) -> Any:
        try:
            work = ask(*args, **kwargs)
        except RazorpayHardenedError as error:
            raise _bare(error)  # noqa: B904  # it is the same error
        finally:
            del args, kwargs
        return await self._conductor.do(work)

    return _dressed(method, ask)


def walked(listing: Callable[P, Listing[T]]) -> Callable[Concatenate[Resource, P], Items[T]]:
    """The method that walks every page of a listing, lazily."""

    def method(self: Resource, /, *args: P.args, **kwargs: P.kwargs) -> Items[T]:
        return Items(self._conductor, listing(*args, **kwargs))

    return _dressed(method, listing)


def walked_async(listing: Callable[P, Listing[T]]) -> Callable[Concatenate[AsyncResource, P], AsyncItems[T]]:
    """The same for ``async for``."""

    def method(self: AsyncResource, /, *args: P.args, **kwargs: P.kwargs) -> AsyncItems[T]:
        return AsyncItems(self._conductor, listing(*args, **kwargs))

    return _dressed(method, listing)


def _bare(error: RazorpayHardenedError) -> RazorpayHardenedError:
    """The refusal without the frames it came through: they hold what was given, and its message says all."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


_M = TypeVar("_M", bound=Callable[..., Any])


def _dressed(method: _M, shown: Callable[..., Any]) -> _M:
    """``method`` with the name, the docstring and the parameters that users are to see."""
    functools.update_wrapper(method, shown)
    del method.__wrapped__  # type: ignore[attr-defined]  # inspect would follow it, and lose ``self``
    method.__name__ = method.__qualname__ = shown.__name__.lstrip("_")
    signature = inspect.signature(shown)
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[this, *signature.parameters.values()],
        return_annotation=_RESULT.sub(r"\1", signature.return_annotation),
    )
    return method


_RESULT = re.compile(r"(?:Ask|Plan)\[(.*)\]")
"""What a method returns is in the brackets of what its function returns; annotations are text here."""

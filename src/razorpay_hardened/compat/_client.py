"""The SDK's client: its own resource classes over our calls."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Self

import requests
from razorpay.client import RESOURCE_CLASSES

from razorpay_hardened.client import Client as TypedClient
from razorpay_hardened.client._options import LIVE_URL
from razorpay_hardened.client._values import File
from razorpay_hardened.compat._errors import as_theirs
from razorpay_hardened.compat._routes import asked
from razorpay_hardened.compat._utility import Utility
from razorpay_hardened.domain.entities import Entity
from razorpay_hardened.errors import ConfigError, FieldInvalid, RazorpayHardenedError
from razorpay_hardened.signing.keys import as_secret

__all__ = ["Client"]

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_PER_CALL = frozenset({"headers", "timeout", "device_mode", "use_public_auth"})


class Client:
    """``razorpay.Client`` with the protections of :class:`razorpay_hardened.client.Client`.

    ``auth`` is the key id and the key secret; ``session`` a ``requests.Session``; ``base_url`` as with the SDK.
    ``max_retries`` counts attempts, as with the SDK (at most 20); its other settings of back-off are taken and have no
    effect. Anything else in ``options`` goes to the typed client: ``total_timeout_s``, ``clock``, ``bus`` …

    Per call, ``headers`` and ``timeout`` (seconds for the whole call, or connect and read, whose sum it then is) are
    honoured. Other options of requests are refused: they would switch protections off.

    ``typed`` is the typed client over the same connections, for code that moves on.
    """

    def __init__(
        self, session: requests.Session | None = None, auth: tuple[str, str] | None = None, **options: Any
    ) -> None:
        key_id, key_secret = _pair(auth)
        del auth  # a crash report would show this frame's variables
        for name in ("initial_delay", "max_delay", "jitter"):
            options.pop(name, None)
        if "max_retries" in options:
            options["max_attempts"] = max(1, min(20, int(options.pop("max_retries"))))
        self.base_url = options.pop("base_url", LIVE_URL)
        self.typed = TypedClient(key_id, key_secret, session=session, base_url=self.base_url, **options)
        self.utility = Utility(key_secret)
        self._app_details: list[dict[str, str]] = []
        door = _Door(self.typed)
        self._resources = {name: _Resource(made(door)) for name, made in RESOURCE_CLASSES.items()}

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_resources"][name]
        except KeyError:
            raise AttributeError(f"the SDK's client has no {name!r}") from None

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._resources})

    def enable_retry(self, retry_enabled: bool = False) -> None:
        """Taken, and without effect: retries are on where they are safe, and only there."""

    def set_app_details(self, app_details: dict[str, str]) -> None:
        """Taken for the sake of the code that calls it; the user agent stays ours."""
        self._app_details.append(app_details)

    def get_app_details(self) -> list[dict[str, str]]:
        """What was set."""
        return self._app_details

    def close(self) -> None:
        """Close idle connections; the SDK has no such method."""
        self.typed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<razorpay_hardened.compat.Client over {self.typed!r}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Client cannot be pickled: make one in the other process")


def _pair(auth: Any) -> tuple[str, Any]:
    if not isinstance(auth, tuple | list) or len(auth) != 2:
        raise ConfigError("auth must be the pair (key id, key secret)")
    return auth[0], as_secret(auth[1], name="key_secret")


class _Resource:
    """One of the SDK's resources: its methods, each with dicts of its own."""

    def __init__(self, theirs: Any) -> None:
        self._theirs = theirs

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self._theirs, name)
        return _guarded(found) if inspect.ismethod(found) else found

    def __dir__(self) -> list[str]:
        return [name for name in dir(self._theirs) if not name.startswith("_")]


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, which may neither see another call's dict nor write into the caller's (FACTS section 5)."""
    signature = inspect.signature(method)
    shared = [name for name, parameter in signature.parameters.items() if isinstance(parameter.default, dict)]

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        for name in shared:
            bound.arguments.setdefault(name, {})
        try:
            bound.arguments.update({name: _own(name, value) for name, value in bound.arguments.items()})
            return method(*bound.args, **bound.kwargs)
        except RazorpayHardenedError as error:
            failed = as_theirs(error)
        raise failed

    return call


def _own(name: str, value: Any) -> Any:
    """A dict of the call's own; text goes into a path, and must be one plain segment of it."""
    if name == "kwargs":
        return value
    if isinstance(value, str) and not _SEGMENT.fullmatch(value):
        raise FieldInvalid(f"{name} must be letters, digits, underscores and hyphens")
    return dict(value) if isinstance(value, Mapping) else value


class _Door:
    """What the SDK's resources take for their client: it sends nothing that has no rule."""

    def __init__(self, typed: TypedClient) -> None:
        self._typed = typed

    def get(self, path: str, params: Any, **options: Any) -> Any:
        return self._send("GET", path, params, options)

    def post(self, path: str, data: Any, **options: Any) -> Any:
        return self._send("POST", path, data, options)

    def put(self, path: str, data: Any, **options: Any) -> Any:
        return self._send("PUT", path, data, options)

    def patch(self, path: str, data: Any, **options: Any) -> Any:
        return self._send("PATCH", path, data, options)

    def delete(self, path: str, data: Any, **options: Any) -> Any:
        return self._send("DELETE", path, data, options)

    def file(self, path: str, data: Any, **options: Any) -> Any:
        """A multipart upload: ``data["file"]`` is an open file, as with the SDK."""
        fields = {name: value for name, value in data.items() if name != "file"}
        return self._send("POST", path, fields, options, _file_from(data.get("file")))

    def _send(self, method: str, path: str, data: Any, options: Mapping[str, Any], file: File | None = None) -> Any:
        if not isinstance(data, Mapping):
            raise FieldInvalid("the data must be a dict: amounts go into it, as {'amount': 100}")
        if unknown := options.keys() - _PER_CALL:
            raise FieldInvalid(f"not an option of a call: {', '.join(sorted(unknown))}")
        headers = dict(options.get("headers") or {})
        if options.get("device_mode") is not None:
            headers["X-Razorpay-Device-Mode"] = str(options["device_mode"])
        client = self._typed
        if options.get("timeout") is not None:
            client = client.with_options(timeout_s=_seconds(options["timeout"]))
        answer = client._conductor.do(asked(method, path, data, headers, file))
        if answer is True:  # a delete of which a look has found that it is done
            return {}
        return answer.as_sent() if isinstance(answer, Entity) else answer


def _seconds(timeout: Any) -> float:
    """requests takes one number or a pair; either way a call ends."""
    parts = timeout if isinstance(timeout, tuple) else (timeout,)
    if not all(isinstance(part, int | float) for part in parts):
        raise FieldInvalid("a timeout is a number of seconds, or a pair of them")
    return float(sum(parts))


def _file_from(file: Any) -> File | None:
    content = file.read() if hasattr(file, "read") else file
    if isinstance(content, str):
        content = content.encode()
    if not isinstance(content, bytes) or not content:
        raise FieldInvalid("data['file'] must be a file opened in binary mode, and not be empty")
    from mimetypes import guess_type

    name = str(getattr(file, "name", "file")).rpartition("/")[2]
    return File(name, content, guess_type(name)[0] or "application/octet-stream")

"""Typed settings: what a process is told from outside, checked as a whole before anything runs.

:meth:`Settings.from_env` reads environment variables, :class:`Settings` takes the same values directly. Both check
every rule (FAULTS rule 11) and raise one :class:`ConfigError` that lists all problems at once, each with the name of
the variable and the rule that it breaks, never its value. Secrets are :class:`Secret` values from the first line on.

| variable | what it is |
|---|---|
| ``RAZORPAY_KEY_ID`` · ``RAZORPAY_KEY_SECRET`` | the API key (required) |
| ``RAZORPAY_WEBHOOK_SECRET`` | the webhook's own secret (required, here or in the list below) |
| ``RAZORPAY_WEBHOOK_SECRET_PREVIOUS`` · ``…_PREVIOUS_UNTIL`` | the one before, and when it stops counting (ISO 8601) |
| ``RAZORPAY_WEBHOOK_SECRETS`` | more of them: a JSON list of ``{"secret": …, "until": …}``, ``until`` optional |
| ``RAZORPAY_ENV`` | ``live`` or ``test``; default: what the key says |
| ``RAZORPAY_BASE_URL`` | default ``https://api.razorpay.com``, and nothing else in live mode |
| ``RAZORPAY_STORE_URL`` | default ``sqlite:///razorpay.db`` |
| ``RAZORPAY_APP`` | ``module:attribute`` of the application, for commands that cause effects |
| ``RAZORPAY_<FIELD>`` | any other field of :class:`Settings`, such as ``RAZORPAY_TOTAL_TIMEOUT_S`` |
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from dataclasses import field as made_by
from datetime import UTC, datetime
from itertools import combinations
from typing import Any, Final, Literal, NoReturn, Self

from razorpay_hardened.domain.ids import is_id
from razorpay_hardened.domain.ours import PREFIX_RULE, Ours, is_marker, is_prefix
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.signing.keys import Secret

__all__ = ["BASE_URL", "Settings"]

BASE_URL: Final = "https://api.razorpay.com"
CHECKOUT_SCRIPT: Final = "https://checkout.razorpay.com/v1/checkout.js"
_STORE_URL: Final = "sqlite:///razorpay.db"
_RATE_URL: Final = "memory://"
_SECRETS_MAX: Final = 8  # each one costs every delivery a hash

_KEY_ID: Final = re.compile(r"rzp_(live|test)_(?:oauth_|partner_)?[A-Za-z0-9]{10,40}", re.ASCII)
_APP: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_.]*", re.ASCII)
_TEST_URL: Final = re.compile(
    r"(?:https://[A-Za-z0-9.-]+|http://(?:127\.0\.0\.1|localhost|\[::1\]))(?::[0-9]{1,5})?", re.ASCII
)
_STORE: Final = re.compile(r"(memory|sqlite|postgres(?:ql)?)(?:\+[a-z0-9]+)?://[^\x00-\x1f\x7f]*")
_RATE: Final = re.compile(
    r"[1-9][0-9]{0,6}/(?:second|minute|hour)(?:;[1-9][0-9]{0,6}/(?:second|minute|hour)){0,3}", re.ASCII
)
_RATE_PLACE: Final = re.compile(r"memory://|rediss?(?:\+(?:sentinel|cluster|unix))?://[!-~]+", re.ASCII)
_STORES_IN_MEMORY: Final = frozenset({"memory://", "sqlite://", "sqlite:///:memory:"})
# Host, port and database, where the URL is so plain that nothing of a password can be taken for one of them.
_SERVER: Final = re.compile(r"(postgres\w*)://(?:[^/?#@]*@)?([\w.,-]*(?::[0-9]{1,5})?/?[\w.-]*)(?:\?[^@]*)?", re.ASCII)
_SECRET: Final = re.compile(r"[!-~][ -~]{14,}[!-~]", re.ASCII)
_TEMPLATE: Final = re.compile(r"<.*>|\$?\{.*\}|\$\(.*\)|%.*%")
_PLACEHOLDER: Final = re.compile(
    r"(?:your|my|change|replace|insert|put|example|sample|dummy|fake).*(?:secret|key|this|here|me)\d*"
    r"|(?:razorpay|rzp|webhook|secret|api|key|id|test|live|password|some|the|value|\d)+"
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Settings:
    """Everything that a process must be told. Immutable; safe to print; refuses to be pickled.

    Raises :class:`ConfigError` listing every rule that is broken.
    """

    key_id: str
    key_secret: Secret
    webhook_secrets: tuple[Secret, ...]
    """Tried in this order. At least one has no end date, or one day nothing would verify."""
    mode: Literal["live", "test"]
    """Must agree with the key: test and live are separate worlds (FACTS section 12)."""
    base_url: str = BASE_URL
    """In test mode also another ``https`` host, or ``http`` on this machine (the emulator)."""
    store_url: Secret = Secret(_STORE_URL, name="store_url")  # noqa: RUF009  # immutable
    """Where the truth is kept. A secret, because it may hold a password; :attr:`store_label` is safe to show."""
    app: str | None = None
    account_id: str | None = None
    """If given, events of any other account are refused (``acc_…``)."""
    unknown_order: Literal["park", "accept"] = "park"
    """What to do with news of an order that is not ours (yet): wait for its registration, or take it in."""
    surplus: Literal["keep", "refund"] = "keep"
    """What to do with a second payment of an order: raise an alarm, or also give it back."""
    paid_late: Literal["fulfil", "refund", "ask"] = "fulfil"
    """What to do when money comes for an order that was closed: ``order.paid`` as ever, or hold that back, and give the
    money back or leave it to a person. An alarm and ``payment.late`` come in any case."""
    fetch: Literal["never", "doubt", "always"] = "doubt"
    """When a worker asks Razorpay about what a webhook told: where it leaves a doubt, or for each."""
    our_receipt_prefix: str | None = None
    """What the receipts of this application's orders begin with, on an account that others use too."""
    our_notes: Mapping[str, str] = made_by(default_factory=dict)
    """Notes that mark this application's orders, for the same purpose."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks whose ``X-Forwarded-For`` is believed, such as ``10.0.0.0/8``."""
    trusted_hops: int = 0
    """How many proxies stand in front whose addresses cannot be named, such as a cloud's load balancer."""
    trust_socket: bool = False
    """Whether a request without a peer address came over a Unix socket that only a trusted proxy can reach."""
    source_check: Literal["off", "log", "enforce"] = "off"
    """What to do with webhooks from addresses that Razorpay does not publish. Never a stand-in for the signature."""
    sources_file: str | None = None
    """A list of addresses in place of the published one: one address or network a line."""
    bad_signature_budget: int = 30
    """How many bad signatures a source may send in a minute before it is answered 429 unlooked at; 0: any number."""
    rate_limit: str | None = None
    """How often one source may call the webhook endpoint at all, such as ``600/minute``. Needs the extra ``limits``."""
    rate_limit_url: Secret = Secret(_RATE_URL, name="rate_limit_url")  # noqa: RUF009  # immutable
    """Where the calls are counted: ``memory://``, for each process by itself, or ``redis://host:6379/0``."""
    connect_timeout_s: float = 5
    read_timeout_s: float = 20
    total_timeout_s: float = 30
    """The deadline of one call with all its retries."""
    max_attempts: int = 4
    max_body_bytes: int = 1 << 20
    silence_after_s: int = 3600
    """How long no webhook must have come before ``recovery.look`` takes it for silence."""
    silence_grace_s: int = 1800
    """How old money must be, from its creation, that no webhook has told of."""

    def __post_init__(self) -> None:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        _refuse([f"{field}: {rule}" for field, rule in _problems(values)])
        object.__setattr__(self, "our_notes", dict(self.our_notes))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Settings from environment variables; from ``os.environ`` by default. An empty variable counts as absent.

        Raises :class:`ConfigError` naming every variable that is missing or unsafe, and the rule; never a value.
        """
        values, unreadable = _read(os.environ if environ is None else environ)
        del environ  # a traceback that shows locals must not show secrets (FAULTS section 7, configuration)
        _refuse([f"{_variable(field)}: {rule}" for field, rule in (*unreadable, *_problems(values))])
        return cls(**values)

    @property
    def ours(self) -> Ours | None:
        """The rule that tells our orders from those of other applications on the account; None where none is set."""
        if self.our_receipt_prefix is None and not self.our_notes:
            return None
        return Ours(self.our_receipt_prefix, self.our_notes)

    @property
    def store_label(self) -> str:
        """Where the store is, without user, password or options: for people."""
        url = self.store_url.reveal()
        if url.startswith("postgres"):
            found = _SERVER.fullmatch(url)
            return f"{found[1]}://{found[2]}" if found else "postgresql://…"
        return url.partition("?")[0]

    @property
    def checkout_script(self) -> str:
        """The URL of the script that a page with Checkout loads: Razorpay's own, or the emulator's stand-in."""
        return CHECKOUT_SCRIPT if self.base_url == BASE_URL else f"{self.base_url}/v1/checkout.js"

    def __repr__(self) -> str:
        slots = ", ".join(repr(secret.name) for secret in self.webhook_secrets)
        return f"<Settings {self.mode} {self.key_id} {self.base_url} {self.store_label} webhook secrets: {slots}>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("settings hold secrets: give the other process its own environment")


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ConfigError("the configuration is unsafe or incomplete:\n  " + "\n  ".join(problems))


# --- the rules ------------------------------------------------------------------------------------------------

_Check = Callable[[Any], bool]


def _like(pattern: re.Pattern[str]) -> _Check:
    return lambda value: type(value) is str and pattern.fullmatch(value) is not None


def _one_of(*choices: object) -> _Check:
    return lambda value: any(value is choice or (type(value) is str and value == choice) for choice in choices)


def _whole(low: int, high: int) -> _Check:
    return lambda value: type(value) is int and low <= value <= high


def _seconds(value: Any) -> bool:
    return type(value) in (int, float) and 0.05 <= value <= 300  # NaN is neither


def _networks(value: Any) -> bool:
    """Whether these are networks, none so wide that it means "anybody"."""
    from ipaddress import ip_network  # few processes sit behind a proxy that they must name

    try:
        nets = [ip_network(text) for text in value if type(text) is str]
    except (TypeError, ValueError):
        return False
    narrow = all(net.prefixlen >= (8 if net.version == 4 else 16) for net in nets)
    return type(value) is tuple and len(nets) == len(value) and narrow


_SECONDS: Final = (_seconds, "must be a number of seconds from 0.05 to 300")
_CHECKS: Final[dict[str, tuple[_Check, str]]] = {
    "key_id": (_like(_KEY_ID), "must look like rzp_test_… or rzp_live_…"),
    "mode": (_one_of("live", "test"), "must be 'live' or 'test'"),
    "app": (lambda value: value is None or _like(_APP)(value), "must be module:attribute"),
    "account_id": (lambda value: value is None or is_id("account", value), "must be an account id, acc_…"),
    "unknown_order": (_one_of("park", "accept"), "must be 'park' or 'accept'"),
    "surplus": (_one_of("keep", "refund"), "must be 'keep' or 'refund'"),
    "paid_late": (_one_of("fulfil", "refund", "ask"), "must be 'fulfil', 'refund' or 'ask'"),
    "fetch": (_one_of("never", "doubt", "always"), "must be 'never', 'doubt' or 'always'"),
    "our_receipt_prefix": (lambda value: value is None or is_prefix(value), PREFIX_RULE),
    "our_notes": (is_marker, "must be a JSON object of at most 10 pairs of text, each of 1 to 255 characters"),
    "trusted_proxies": (_networks, "must be networks such as 10.0.0.0/8, none wider than /8 (IPv6: /16)"),
    "trusted_hops": (_whole(0, 31), "must be a whole number from 0 to 31"),
    "trust_socket": (_one_of(True, False), "must be true or false"),
    "source_check": (_one_of("off", "log", "enforce"), "must be 'off', 'log' or 'enforce'"),
    "sources_file": (lambda value: value is None or (type(value) is str and "\0" not in value), "must be a path"),
    "bad_signature_budget": (_whole(0, 100_000), "must be a whole number from 0 to 100000"),
    "rate_limit": (
        lambda value: value is None or _like(_RATE)(value),
        "must be such as 600/minute, or 50/second;600/minute",
    ),
    "rate_limit_url": (
        lambda value: type(value) is Secret and _RATE_PLACE.fullmatch(_text(value)) is not None,
        "must be a Secret with memory:// or redis://host:port/number",
    ),
    "connect_timeout_s": _SECONDS,
    "read_timeout_s": _SECONDS,
    "total_timeout_s": _SECONDS,
    "max_attempts": (_whole(1, 10), "must be a whole number from 1 to 10"),
    "silence_after_s": (_whole(60, 604_800), "must be a whole number of seconds from 60 to 604800"),
    "silence_grace_s": (_whole(60, 86_400), "must be a whole number of seconds from 60 to 86400"),
    "max_body_bytes": (_whole(1024, 1 << 20), "must be a whole number of bytes from 1024 to 1048576"),
}


def _problems(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every broken rule, as (field or name of a webhook secret, rule). An absent value has its default."""
    for field in ("key_id", "key_secret", "webhook_secrets"):
        if field not in values:
            yield field, "is not set"
    for field, (check, rule) in _CHECKS.items():
        if field in values and not check(values[field]):
            yield field, rule
    yield from _mode_problems(values.get("key_id"), values.get("mode"), values.get("base_url", BASE_URL))
    if "store_url" in values and (problem := _store_problem(values["store_url"], values.get("mode"))):
        yield "store_url", problem
    yield from _secret_problems(values)


def _store_problem(store: object, mode: object) -> str | None:
    url = _text(store) if type(store) is Secret else ""
    if not _STORE.fullmatch(url):
        return "must be a Secret with sqlite:///path, postgresql://… or memory://"
    if mode == "live" and url in _STORES_IN_MEMORY:
        return "must outlive the process in live mode: what was done is forgotten with it, and done again"
    return None


def _mode_problems(key_id: object, mode: object, base_url: object) -> Iterator[tuple[str, str]]:
    key = _KEY_ID.fullmatch(key_id) if type(key_id) is str else None
    if key and mode in ("live", "test") and mode != key[1]:
        yield "mode", f"is {mode}, but the key is a {key[1]} key"
    if base_url == BASE_URL:
        return
    if mode != "test":
        yield "base_url", f"must be {BASE_URL}, except in test mode"
    elif not _like(_TEST_URL)(base_url):
        yield "base_url", "must be https://host or http://127.0.0.1:port, without user, path or query"


def _secret_problems(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The rules of each secret, then of all together."""
    key, slots = values.get("key_secret"), values.get("webhook_secrets", ())
    if type(slots) is not tuple or not all(type(slot) is Secret for slot in slots):
        yield "webhook_secrets", "must be a tuple of Secret values"
        return
    named = [(slot.name, slot) for slot in slots]
    if type(key) is Secret:
        named.insert(0, ("key_secret", key))
    elif "key_secret" in values:
        yield "key_secret", "must be a Secret"
    for name, secret in named:
        if rule := _weakness(secret):
            yield name, rule
    yield from _twins(named, values.get("key_id"))
    if "webhook_secrets" in values:
        yield from _slot_problems(slots)


def _slot_problems(slots: tuple[Secret, ...]) -> Iterator[tuple[str, str]]:
    if len(slots) > _SECRETS_MAX:
        yield "webhook_secrets", f"are more than {_SECRETS_MAX}"
    if len({slot.name for slot in slots}) < len(slots):
        yield "webhook_secrets", "must each have a name of its own"
    if all(slot.until for slot in slots):
        yield "webhook_secrets", "must hold one without an end date"


def _weakness(secret: Secret) -> str | None:
    """Which rule this secret breaks by itself, if any (FAULTS rule 11)."""
    text = _text(secret)
    if text != text.strip():
        return "has a space or a newline around it; a file that was mounted often ends in one"
    if not _SECRET.fullmatch(text):
        return "must be at least 16 printable ASCII characters"
    plain = re.sub(r"[^a-z0-9]", "", text.lower())
    if len(set(text)) < 5 or _TEMPLATE.fullmatch(text) or _PLACEHOLDER.fullmatch(plain):
        return "is a placeholder, not a secret"
    return None


def _text(secret: Secret) -> str:
    """The secret as text; empty where it is none, so that it breaks the next rule."""
    try:
        return secret.reveal()
    except ConfigError:
        return ""


def _twins(named: list[tuple[str, Secret]], key_id: object) -> Iterator[tuple[str, str]]:
    """Each secret must be its own: whoever learns one should learn one."""
    public = Secret(key_id) if type(key_id) is str and key_id else None
    for name, secret in named:
        if public is not None and secret.same_value(public):
            yield name, "is the key id, which everybody can see"
    for (_, first), (name, second) in combinations(named, 2):
        if first.same_value(second):
            yield name, "is the same as another secret"


# --- the environment ------------------------------------------------------------------------------------------


def _number(text: str) -> object:
    if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):  # int() and float() also take 1_0, nan and other scripts' digits
        return int(text)
    return float(text) if re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}", text, re.ASCII) else text


def _flag(text: str) -> object:
    return {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}.get(text.lower(), text)


def _list(text: str) -> object:
    return tuple(part.strip() for part in text.split(","))


def _object(text: str) -> object:
    """A JSON object that says each key once; a second one would win unseen."""

    def once(pairs: list[tuple[str, object]]) -> object:
        return dict(pairs) if len({key for key, _ in pairs}) == len(pairs) else text

    try:
        return json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError):
        return text


# What cannot be read stays text, so that the field's own rule, written once above, refuses it.
_READERS: Final[dict[str, Callable[[str], object]]] = {
    "key_id": str,
    "mode": str,
    "base_url": lambda text: text.removesuffix("/"),
    "app": str,
    "account_id": str,
    "unknown_order": str,
    "surplus": str,
    "paid_late": str,
    "fetch": str,
    "our_receipt_prefix": str,
    "our_notes": _object,
    "trusted_proxies": _list,
    "trusted_hops": _number,
    "trust_socket": _flag,
    "source_check": str.lower,
    "sources_file": str,
    "bad_signature_budget": _number,
    "rate_limit": str,
    "connect_timeout_s": _number,
    "read_timeout_s": _number,
    "total_timeout_s": _number,
    "max_attempts": _number,
    "max_body_bytes": _number,
    "silence_after_s": _number,
    "silence_grace_s": _number,
}
_URLS: Final = ("store_url", "rate_limit_url")
"""Secrets, because a URL may hold a password."""
_VARIABLES: Final[dict[str, str]] = {
    "mode": "RAZORPAY_ENV",
    "webhook_secrets": "RAZORPAY_WEBHOOK_SECRET",
    "current": "RAZORPAY_WEBHOOK_SECRET",
    "previous": "RAZORPAY_WEBHOOK_SECRET_PREVIOUS",
    "previous_until": "RAZORPAY_WEBHOOK_SECRET_PREVIOUS_UNTIL",
    "listed": "RAZORPAY_WEBHOOK_SECRETS",
}


_UNTIL_RULE: Final = "must be an ISO 8601 time with its zone, such as 2026-03-31T18:30:00Z"
_LIST_RULE: Final = 'must be a JSON list of {"secret": …, "until": …}'


def _variable(field: str) -> str:
    """The variable that a field, or a webhook secret of this name, comes from."""
    if field.startswith("listed-"):
        return f"{_VARIABLES['listed']}[{field.removeprefix('listed-')}]"
    return _VARIABLES.get(field, f"RAZORPAY_{field.upper()}")


def _read(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The values that are there, and what could not be read of the others."""
    texts = {
        field: environ[name]
        for field in (*_READERS, "key_secret", *_URLS, *_VARIABLES)
        if environ.get(name := _variable(field))
    }
    values = {field: _READERS[field](text) for field, text in texts.items() if field in _READERS}
    problems: list[tuple[str, str]] = []
    values |= {field: _secret(texts[field], field) for field in ("key_secret", *_URLS) if field in texts}
    if slots := [*_rotated(texts, problems), *_listed(texts.get("listed", "[]"), problems)]:
        values["webhook_secrets"] = tuple(slots)
    if "mode" not in values and (key := _KEY_ID.fullmatch(texts.get("key_id", ""))):
        values["mode"] = key[1]
    return values, problems


def _secret(text: str, name: str, until: datetime | None = None) -> Secret:
    # What is not text is let through here: the rule for secrets names it, and this line must not raise with it in hand.
    return Secret(text.encode("utf-8", "surrogatepass"), name=name, until=until)


def _rotated(texts: Mapping[str, str], problems: list[tuple[str, str]]) -> Iterator[Secret]:
    """The current webhook secret, and the one before it with its end date."""
    if "current" in texts:
        yield _secret(texts["current"], "current")
    if "previous" not in texts:
        if "previous_until" in texts:
            problems.append(("previous", "is not set, but its end date is"))
        return
    until = _moment(texts.get("previous_until"))
    if until is None:
        problems.append(("previous_until", _UNTIL_RULE))
    else:
        yield _secret(texts["previous"], "previous", until)


def _listed(text: str, problems: list[tuple[str, str]]) -> Iterator[Secret]:
    """Further webhook secrets, from a JSON list of {"secret": …, "until": …}."""
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        items = None
    if type(items) is not list:
        problems.append(("listed", _LIST_RULE))
        return
    for number, item in enumerate(items[: _SECRETS_MAX + 1]):
        name = f"listed-{number}"
        until = _moment(item.get("until")) if type(item) is dict else None
        if type(item) is not dict or not item.keys() <= {"secret", "until"}:
            problems.append((name, _LIST_RULE))
        elif type(item.get("secret")) is not str or not item["secret"]:
            problems.append((name, "has no secret"))
        elif item.get("until") is not None and until is None:
            problems.append((name, _UNTIL_RULE))
        else:
            yield _secret(item["secret"], name, until)


def _moment(text: object) -> datetime | None:
    """An ISO 8601 time with a zone, in UTC; None for anything else: a time without a zone would be a guess."""
    try:
        moment = datetime.fromisoformat(text)  # type: ignore[arg-type]
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (TypeError, ValueError, OverflowError):
        return None

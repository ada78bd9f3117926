"""The dashboard: what Razorpay's would show of this account, and the acts that need no API. Pages without script.

The tables are generic: whatever kind of entity the world has saved appears by itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote

from razorpay_hardened.domain.money import EXPONENTS
from razorpay_hardened.emulator._desk import ACTS, Act, Field, acts_on, perform
from razorpay_hardened.emulator._html import Html, el, page
from razorpay_hardened.emulator.wire import Entity, Reply, Request
from razorpay_hardened.errors import RazorpayHardenedError

if TYPE_CHECKING:
    from razorpay_hardened.emulator._events import Event
    from razorpay_hardened.emulator.deliver import Attempt
    from razorpay_hardened.emulator.emulator import Emulator

__all__ = ["HOME", "PAGES", "dashboard"]

HOME = "/_emulator/"
PAGES = "/_emulator/dashboard/"

_INDIA = timezone(timedelta(hours=5, minutes=30), "IST")
_ROWS = 100
_COLUMNS = ("id", "status", "amount", "amount_refunded", "method", "event", "receipt", "order_id", "payment_id")
_MORE = ("phase", "reason_code", "severity", "utr", "name", "url", "short_url")
_STEPS = (("1 minute", 60), ("10 minutes", 600), ("1 hour", 3600), ("1 day", 86_400), ("3 days", 259_200))


def dashboard(emulator: Emulator, request: Request) -> Reply:
    """One page, or one act followed by the page that it was done from."""
    if request.method == "POST":
        return _done(emulator, request)
    parts = [unquote(part) for part in request.path.removeprefix(PAGES).split("/") if part]
    with emulator.world.lock:
        if request.path == HOME or not parts:
            return _home(emulator)
        fixed = {"webhooks": _webhooks, "faults": _faults, "events": _events}.get(parts[0])
        if fixed is not None and len(parts) == 1:
            return fixed(emulator)
        if parts[0] == "events" and len(parts) == 2:
            return _event(emulator, parts[1])
        if len(parts) == 1:
            return _list(emulator, parts[0])
        return _entity(emulator, parts[0], parts[-1])


def _done(emulator: Emulator, request: Request) -> Reply:
    """Act, remember what to say, and let the browser fetch the page: a reload repeats nothing."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return page("Refused", el("main", el("h1", "Another site may not act here")), status=403)
    values = {name: found[-1] for name, found in parse_qs(request.body.decode("utf-8", "replace")).items()}
    back = values.pop("back", HOME)
    if not back.startswith(HOME):
        back = HOME
    try:
        emulator.said = perform(emulator, values.pop("act", ""), values), False
    except (RazorpayHardenedError, KeyError) as error:
        emulator.said = str(error) if isinstance(error, RazorpayHardenedError) else "a field is missing", True
    return Reply(303, {"Location": back})


# --- the frame


def _page(emulator: Emulator, title: str, *body: Html, status: int = 200) -> Reply:
    said, emulator.said = emulator.said, ("", False)
    now = _time(emulator.clock.now())
    links = [("Overview", HOME), *((_plural(kind), _list_url(kind)) for kind in _kinds(emulator))]
    links += [("Events", f"{PAGES}events"), ("Webhooks", f"{PAGES}webhooks"), ("Faults", f"{PAGES}faults")]
    header = el(
        "header",
        el("p", el("strong", "Emulated Razorpay"), " ", el("span", "test mode", class_="badge")),
        el("p", "Account ", el("code", emulator.account_id), " · key ", el("code", emulator.key_id)),
        el("p", "It is ", now),
        el(
            "nav",
            *(el("a", text, href=href, aria_current="page" if text == title else None) for text, href in links),
            aria_label="Dashboard",
        ),
    )
    text, bad = said
    notice = el("p", text, role="alert" if bad else "status", class_="bad said" if bad else "said")
    main = el("main", el("h1", title), notice if text else Html(""), *body)
    return page(f"{title} · Emulated Razorpay", header, main, status=status)


def _kinds(emulator: Emulator) -> dict[str, list[Entity]]:
    """Every kind of entity that exists, with its members, newest first. The four that always matter lead."""
    found: dict[str, list[Entity]] = {kind: [] for kind in ("order", "payment", "refund", "settlement")}
    for kind, table in emulator.world.tables.items():
        if table or kind in found:
            found[kind] = list(table.values())[::-1]
    return found


def _plural(kind: str) -> str:
    return f"{kind.replace('.', ' ').replace('_', ' ').capitalize()}s"


def _list_url(kind: str) -> str:
    return f"{PAGES}{quote(kind)}"


def _link(kind: str, entity_id: str) -> Html:
    return el("a", entity_id, href=f"{PAGES}{quote(kind)}/{quote(entity_id)}")


# --- pages


def _home(emulator: Emulator) -> Reply:
    kinds = _kinds(emulator)
    tiles = [_tile(_plural(kind), str(len(members)), _list_url(kind)) for kind, members in kinds.items()]
    deliver = emulator.deliver
    tiles.append(_tile("Events", str(len(emulator.world.events)), f"{PAGES}events"))
    tiles.append(_tile("Webhooks waiting", str(len(deliver.pending())), f"{PAGES}webhooks"))
    tiles.append(_tile("Faults", str(len(emulator.faults.rules)), f"{PAGES}faults"))
    alarms = [el("li", f"{one.subject} (e-mail to {one.to}, ", _time(one.at), ")") for one in deliver.notices]
    return _page(
        emulator,
        "Overview",
        el("ul", *tiles, class_="tiles"),
        *([el("h2", "E-mails"), el("ul", *alarms)] if alarms else []),
        el("h2", "Clock"),
        el("div", *(_button("advance", text, HOME, seconds=str(seconds)) for text, seconds in _STEPS), class_="acts"),
        *_forms(emulator, "", {}, HOME),
        *_latest(emulator, kinds),
    )


def _tile(text: str, number: str, href: str) -> Html:
    return el("li", el("a", el("strong", number), " ", text, href=href))


def _latest(emulator: Emulator, kinds: dict[str, list[Entity]]) -> list[Html]:
    out = []
    for kind in ("order", "payment"):
        out += [el("h2", f"Latest {_plural(kind).lower()}"), _table(kind, kinds[kind][:5])]
    return out


def _list(emulator: Emulator, kind: str) -> Reply:
    kinds = _kinds(emulator)
    if kind not in kinds:
        return _page(emulator, "Nothing here", el("p", f"The account has no {kind!r}."), status=404)
    members = kinds[kind]
    more = [el("p", f"The newest {_ROWS} of {len(members):,}.")] if len(members) > _ROWS else []
    return _page(
        emulator,
        _plural(kind),
        *more,
        _table(kind, members[:_ROWS]),
        *_forms(emulator, f"{kind}s", {}, _list_url(kind)),
    )


def _entity(emulator: Emulator, kind: str, entity_id: str) -> Reply:
    kinds = _kinds(emulator)
    entity = next((one for one in kinds.get(kind, ()) if one["id"] == entity_id), None)
    if entity is None:
        return _page(emulator, "Nothing here", el("p", f"The account has no {kind} {entity_id!r}."), status=404)
    here = f"{PAGES}{quote(kind)}/{quote(entity_id)}"
    fields = el("dl", *(part for name, value in entity.items() for part in _field(name, value, entity)))
    related = [(other, [one for one in members if _mentions(one, entity)]) for other, members in kinds.items()]
    events = [event for event in emulator.world.events if f'"{entity_id}"'.encode() in event.body]
    checkout = el(
        "p", el("a", "Pay it in Checkout", href=f"{HOME}checkout?order_id={quote(entity_id)}", class_="button")
    )
    return _page(
        emulator,
        f"{kind.replace('.', ' ').capitalize()} {entity_id}",
        *([checkout] if kind == "order" and entity["status"] != "paid" else []),
        *_forms(emulator, kind, entity, here, id=entity_id),
        el("h2", "Fields"),
        fields,
        *(part for other, found in related if found for part in (el("h2", _plural(other)), _table(other, found))),
        *([el("h2", "Events"), _event_table(events)] if events else []),
    )


def _mentions(one: Entity, entity: Entity) -> bool:
    """Whether one of the two names the other."""
    return one is not entity and (
        entity["id"] in (value for value in one.values() if isinstance(value, str) and value != one["id"])
        or one["id"] in (value for value in entity.values() if isinstance(value, str) and value != entity["id"])
    )


def _events(emulator: Emulator) -> Reply:
    events = emulator.world.events[: -_ROWS - 1 : -1]
    return _page(emulator, "Events", _event_table(events))


def _event_table(events: list[Event]) -> Html:
    rows = [
        (_link("events", event.id), event.name, _time(datetime.fromtimestamp(event.at_ms / 1000, _INDIA)))
        for event in events
    ]
    return _grid("Events", ("Event id", "Event", "When"), rows)


def _event(emulator: Emulator, event_id: str) -> Reply:
    event = next((one for one in emulator.world.events if one.id == event_id), None)
    if event is None:
        return _page(emulator, "Nothing here", el("p", f"There is no event {event_id!r}."), status=404)
    here = f"{PAGES}events/{quote(event_id)}"
    attempts = [one for one in emulator.deliver.log if one.event_id == event_id]
    hooks = [
        _button("resend", f"Resend to {hook.name}", here, id=event_id, webhook=hook.name)
        for hook in emulator.deliver.webhooks
    ]
    return _page(
        emulator,
        f"{event.name} {event_id}",
        el("div", *hooks, class_="acts"),
        el("h2", "Deliveries"),
        _attempt_table(attempts[::-1], here),
        el("h2", "Body"),
        el("pre", json.dumps(json.loads(event.body), indent=2, ensure_ascii=False)),
    )


def _webhooks(emulator: Emulator) -> Reply:
    deliver, here = emulator.deliver, f"{PAGES}webhooks"
    hooks = []
    for hook in deliver.webhooks:
        where = hook.url or ("in this process" if hook.endpoint else "nowhere yet: its events wait")
        act = _button(
            "enable" if hook.disabled else "disable", "Enable" if hook.disabled else "Disable", here, webhook=hook.name
        )
        events = "all" if hook.events is None else ", ".join(sorted(hook.events))
        hooks.append((hook.name, where, events, _badge("disabled" if hook.disabled else "active"), act))
    waiting = [
        (_link("events", one.event_id), one.event, one.webhook, str(one.attempt), _time(one.due))
        for one in deliver.pending()[:_ROWS]
    ]
    mails = [(_time(one.at), one.to, one.subject, one.text) for one in deliver.notices[::-1]]
    return _page(
        emulator,
        "Webhooks",
        _grid("Webhooks", ("Name", "To", "Events", "State", ""), hooks),
        *_forms(emulator, "webhooks", {}, here),
        el("h2", "Deliveries"),
        _attempt_table(deliver.log[: -_ROWS - 1 : -1], here),
        el("h2", "Waiting"),
        _grid("Waiting", ("Event id", "Event", "Webhook", "Attempt", "Due"), waiting),
        *([el("h2", "E-mails"), _grid("E-mails", ("When", "To", "Subject", "Text"), mails)] if mails else []),
    )


def _attempt_table(attempts: list[Attempt], back: str) -> Html:
    rows = []
    for one in attempts:
        answer = "no answer" if one.status is None else str(one.status)
        shown = el("span", answer, class_="badge good" if one.acknowledged else "badge bad")
        again = _button("resend", "Resend", back, id=one.event_id, webhook=one.webhook)
        damage = (one.damage or "").replace("_", " ")
        number = f"{one.attempt}{' (copy)' if one.copy else ''}"
        rows.append(
            (_time(one.at), _link("events", one.event_id), one.event, one.webhook, number, shown, damage, again)
        )
    heads = ("When", "Event id", "Event", "Webhook", "Attempt", "Answer", "Damage", "")
    return _grid("Deliveries", heads, rows)


def _faults(emulator: Emulator) -> Reply:
    here = f"{PAGES}faults"
    rows = [(el("code", rule.text), str(sum(rule.fired.values()))) for rule in emulator.faults.rules]
    return _page(emulator, "Faults", _grid("Faults", ("Rule", "Fired"), rows), *_forms(emulator, "faults", {}, here))


# --- forms


def _forms(emulator: Emulator, kind: str, entity: Entity, back: str, **hidden: str) -> list[Html]:
    return [_form(act, back, hidden) for act in acts_on(emulator, kind, entity)]


def _form(act: Act, back: str, hidden: dict[str, str]) -> Html:
    fields = [_input(act, field) for field in act.fields]
    return el(
        "form",
        *_hidden(act=act.name, back=back, **hidden),
        el("fieldset", el("legend", act.label), *fields, el("button", act.label, type="submit"))
        if fields
        else el("button", act.label, type="submit"),
        method="post",
        action=f"{PAGES}do",
    )


def _input(act: Act, field: Field) -> Html:
    if field.choices:
        options = [el("option", one or field.empty, value=one, selected=one == field.value) for one in field.choices]
        control = el("select", *options, name=field.name)
    else:
        control = el(
            "input", name=field.name, value=field.value, type=field.kind, min="0" if field.kind == "number" else None
        )
    return el("label", field.label, " ", control)


def _button(act: str, text: str, back: str, **hidden: str) -> Html:
    """A form that is nothing but a button."""
    assert any(one.name == act for one in ACTS)
    return el(
        "form",
        *_hidden(act=act, back=back, **hidden),
        el("button", text, type="submit"),
        method="post",
        action=f"{PAGES}do",
    )


def _hidden(**values: str) -> list[Html]:
    return [el("input", type="hidden", name=name, value=value) for name, value in values.items()]


# --- values


def _table(kind: str, members: list[Entity]) -> Html:
    names = [name for name in (*_COLUMNS, *_MORE) if any(one.get(name) not in (None, "") for one in members)]
    heads = [name.replace("_", " ").capitalize() for name in names]
    rows = [(*(_cell(kind, name, one) for name in names), _time(one.get("created_at"))) for one in members]
    return _grid(_plural(kind), (*heads, "Created"), rows)


def _cell(kind: str, name: str, entity: Entity) -> str:
    value = entity.get(name)
    if name == "id":
        return _link(kind, str(value))
    if name == "status":
        return _badge(str(value))
    return _value(name, value, entity)


def _value(name: str, value: Any, entity: Entity) -> str:
    """One value as text: money with its currency, times with their zone, ids as links."""
    if value is None:
        return "–"
    amount = isinstance(value, int) and not isinstance(value, bool)
    if amount and (name.startswith("amount") or name in ("fee", "fees", "tax")):
        return _money(value, str(entity.get("currency") or "INR"))
    if amount and name.endswith(("_at", "_by", "begin", "end")) and value > 10**9:
        return _time(value)
    if name in ("order_id", "payment_id") and isinstance(value, str):
        return _link(name.removesuffix("_id"), value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _field(name: str, value: Any, entity: Entity) -> tuple[Html, Html]:
    nested = isinstance(value, (dict, list)) and value
    shown = el("pre", json.dumps(value, indent=2, ensure_ascii=False)) if nested else _value(name, value, entity)
    return el("dt", name), el("dd", shown)


def _money(subunits: int, currency: str) -> str:
    digits = EXPONENTS.get(currency, 2)
    whole, rest = divmod(abs(subunits), 10**digits)
    fraction = f".{rest:0{digits}d}" if digits else ""
    return f"{'-' if subunits < 0 else ''}{currency} {whole:,}{fraction}"


def _time(at: datetime | int | None) -> str:
    if at is None:
        return "–"
    moment = datetime.fromtimestamp(at, _INDIA) if isinstance(at, int) else at.astimezone(_INDIA)
    return el("time", f"{moment:%d %b %Y, %H:%M:%S} IST", datetime=moment.isoformat(timespec="seconds"))


_GOOD = {"paid", "captured", "processed", "active", "resolved", "won"}
_BAD = {"failed", "disabled", "lost", "started"}


def _badge(status: str) -> Html:
    tone = " good" if status in _GOOD else " bad" if status in _BAD else ""
    return el("span", status, class_=f"badge{tone}")


def _grid(name: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Html:
    """A table; on a phone each row is a card, and ``data-label`` names its cells."""
    if not rows:
        return el("p", "None.", class_="note")
    head = el("thead", el("tr", *(el("th", text, scope="col") for text in heads)))
    lines = [
        el("tr", *(el("td", cell, data_label=text) for text, cell in zip(heads, row, strict=True))) for row in rows
    ]
    return el("div", el("table", el("caption", name), head, el("tbody", *lines)), class_="wide")

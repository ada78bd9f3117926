"""HTML without a template language: every text that comes from outside is escaped, because there is no other way in."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files

from razorpay_hardened.emulator.wire import Reply

__all__ = ["STATIC", "Html", "el", "page", "static"]

STATIC = "/_emulator/static/"

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src http: https: data:; "
        "form-action http: https:; base-uri 'none'; frame-ancestors 'none'"
    ),
}
# form-action: a shop's callback_url may be anywhere, and so may its redirects.

_VOID = {"input", "br", "meta", "link"}
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
_FILES = ("emulator.css", "pay.js")


class Html(str):
    """Markup that :func:`el` made. A plain ``str`` is text and gets escaped."""

    __slots__ = ()


def el(name: str, /, *children: str, **attributes: str | bool | None) -> Html:
    """``<name …>children</name>``. ``class_`` is class, ``_`` in names is ``-``; False and None leave one out."""
    spelt = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-")
        spelt.append(attribute if value is True else f'{attribute}="{escape(value)}"')
    inner = "".join(child if isinstance(child, Html) else escape(child) for child in children)
    end = "" if name in _VOID else f"{inner}</{name}>"
    return Html(f"<{' '.join(spelt)}>{end}")


def page(
    title: str, *body: Html, scripts: tuple[str, ...] = (), status: int = 200, data: dict[str, str] | None = None
) -> Reply:
    """A whole document. ``data`` becomes ``data-`` attributes of its body, for scripts to read."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("link", rel="stylesheet", href=f"{STATIC}emulator.css"),
        el("link", rel="icon", href="data:,"),
        *(el("script", src=src, defer=True) for src in scripts),
    )
    attributes = {f"data-{name}": value for name, value in (data or {}).items()}
    document = f"<!doctype html>{el('html', head, el('body', *body, **attributes), lang='en')}"
    return Reply(status, _HEADERS, document.encode())


@cache
def static(name: str) -> Reply:
    """One of our own files."""
    if name not in _FILES:
        return Reply(404, {"Content-Type": "text/plain; charset=utf-8"}, b"no such file")
    content = files(__package__).joinpath("static", name).read_bytes()
    headers = {"Content-Type": _TYPES[name.rpartition(".")[2]], "Cache-Control": "no-store"}
    return Reply(200, {**headers, "X-Content-Type-Options": "nosniff"}, content)

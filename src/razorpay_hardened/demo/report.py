"""The demo as one HTML file: no script, nothing loaded from elsewhere, light and dark, printable, readable on a phone.

Pure: an :class:`Outcome` goes in, text comes out. Everything that is not ours is escaped here (``_e``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Final

from razorpay_hardened._version import __version__
from razorpay_hardened.demo import telling
from razorpay_hardened.demo._charts import Series, chart
from razorpay_hardened.demo.outcome import Outcome
from razorpay_hardened.demo.proofs import Proof

__all__ = ["render"]


def render(outcome: Outcome, seconds: float) -> str:
    """The whole page. ``seconds`` is the real time that the day took."""
    body = "\n".join(
        [
            _head(outcome, seconds),
            _cards(outcome),
            _section("The day, hour by hour", _timeline(outcome)),
            _section("What went wrong", _wrong(outcome), _kills(outcome)),
            _section("What reconciliation found and repaired", _found(outcome)),
            _section("Both sides' books", _books(outcome)),
            _section("The proofs", _proofs(outcome)),
            _section("Run it again", _again(outcome)),
        ]
    )
    return _PAGE.format(
        css=files(__package__).joinpath("report.css").read_text("utf-8"),
        title=f"One payment provider's bad day, seed {outcome.seed}",
        body=body,
    )


def _e(value: object) -> str:
    return escape(str(value))


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{_e(title)}</h2>{''.join(parts)}</section>"


# --- the top


def _head(outcome: Outcome, seconds: float) -> str:
    good = outcome.holds
    words = (
        "Every paid order was granted exactly once, and both sides' books agree to the paisa."
        if good
        else "; ".join(f"{one.statement}: {one.broken} broken" for one in outcome.proofs if not one.holds)
    )
    return (
        "<header><p class=kicker>razorpay-hardened demo</p><h1>One payment provider’s bad day</h1>"
        f"<p class=lead>{_e(outcome.customers)} customers bought from nine to nine, while webhooks were lost, doubled, "
        "late and out of order, Razorpay’s API failed or worked and then hung, payments were authorised hours late, "
        f"and the shop was killed {_e(len(outcome.crashes))} times. Then reconciliation ran. "
        f"Seed {_e(outcome.seed)}, emulated, in {seconds:.0f} seconds.</p>"
        f"<p class='verdict {'good' if good else 'bad'}'><strong>{_e(telling.verdict(outcome))}</strong> "
        f"{_e(words)}</p></header>"
    )


def _cards(outcome: Outcome) -> str:
    books = telling.books(outcome)
    captured, refunded, kept = books["captured"], books["refunded"], books["kept"]
    gap, ungranted = captured.missing_before, books["paid"].missing_before
    cards = [
        ("Captured", _rupees(captured.there_after), f"{outcome.business['payments captured']} payments"),
        ("Refunded", _rupees(refunded.there_after), f"{outcome.business['refunds']} refunds"),
        ("Kept by the shop", _rupees(kept.here_after), _agree(kept.missing_after)),
        (
            "Missing without reconciliation",
            _rupees(gap),
            f"captured; {ungranted} paid orders not granted, {_rupees(refunded.missing_before)} of refunds not booked",
        ),
    ]
    shown = (f"<div class=card><h3>{_e(a)}</h3><p class=big>{_e(b)}</p><p>{_e(c)}</p></div>" for a, b, c in cards)
    return f"<div class=cards>{''.join(shown)}</div>"


def _rupees(paise: int) -> str:
    return f"₹{telling.amount(paise)}"


def _agree(difference: int) -> str:
    return "both sides agree" if difference == 0 else f"the shop's books are off by {_rupees(difference)}"


# --- the day


def _timeline(outcome: Outcome) -> str:
    hours = outcome.hours
    charts = [
        chart(
            "Business",
            [
                Series("c1", "orders placed", hours["orders"]),
                Series("c2", "payments captured", hours["payments"]),
            ],
            stacked=False,
        ),
        chart(
            "Webhooks that went astray",
            [
                Series("c3", "lost for good", hours["lost"]),
                Series("c4", "delivered twice", hours["doubled"]),
                Series("c5", "late by ten minutes to three hours", hours["late"]),
            ],
        ),
        chart("Razorpay’s API", [Series("c6", "calls that failed or whose answer was lost", hours["API faults"])]),
        chart(
            "The shop",
            [Series("c7", "webhooks it did not answer with 2xx", hours["unanswered"])],
            marks=Series("c3", "SIGKILL", hours["kills"]),
        ),
    ]
    return f"<div class=charts>{''.join(charts)}</div>{_hour_table(hours)}"


_HOUR_COLUMNS: Final = {
    "orders": "orders",
    "payments": "payments",
    "lost": "lost",
    "doubled": "twice",
    "late": "late",
    "API faults": "API faults",
    "unanswered": "unanswered",
    "kills": "kills",
}


def _hour_table(hours: Mapping[str, tuple[int, ...]]) -> str:
    rows = [
        [telling.clock_time(hour * 3600), *(str(hours[name][hour]) for name in _HOUR_COLUMNS)]
        for hour in range(len(hours["orders"]))
    ]
    note = "Up to the hour in which the last customer was done; a few webhooks came in the night."
    table = _table(["from", *_HOUR_COLUMNS.values()], rows, note)
    return f"<details><summary>The same in figures</summary>{table}</details>"


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]], note: str = "") -> str:
    """A table of plain text; the first column is its rows' name. It scrolls by itself where the page is too narrow."""
    head = "".join(f"<th scope=col>{_e(title)}</th>" for title in titles)
    body = "".join(
        f"<tr><th scope=row>{_e(row[0])}</th>{''.join(f'<td>{_e(cell)}</td>' for cell in row[1:])}</tr>" for row in rows
    )
    below = f"<p class=note>{_e(note)}</p>" if note else ""
    return f"<div class=scroll><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{below}"


# --- what went wrong


def _wrong(outcome: Outcome) -> str:
    groups = []
    for group, heading in telling.GROUPS.items():
        items = "".join(
            f"<li><b>{_e(count)}</b> {_e(label)}</li>" for label, count in outcome.wrong[group].items() if count
        )
        groups.append(f"<div class=card><h3>{_e(heading)}</h3><ul class=plain>{items or '<li>nothing</li>'}</ul></div>")
    return f"<div class='cards wide'>{''.join(groups)}</div>"


def _kills(outcome: Outcome) -> str:
    if not outcome.crashes:
        return ""
    items = "".join(
        f"<li><b>{_e(telling.clock_time(crash.at_s))}</b> {_e(telling.killed_where(crash))}</li>"
        for crash in outcome.crashes
    )
    return f"<h3>kill -9, and where in its work the shop was</h3><ul class='plain kills card'>{items}</ul>"


# --- what was found


def _found(outcome: Outcome) -> str:
    rows = telling.findings(outcome)
    if not rows:
        return "<p>Nothing: every webhook that mattered came.</p>"
    told = [[row.label, str(row.found), str(row.repaired), str(row.left)] for row in rows]
    total = [
        "together",
        *(str(sum(column)) for column in zip(*((r.found, r.repaired, r.left) for r in rows), strict=True)),
    ]
    note = (
        "Found by comparing each order, payment and refund with Razorpay’s own listings, and repaired by the same code "
        "that takes webhooks: what was bought is granted by the shop’s own handler, once."
    )
    return _table(["difference", "found", "repaired", "left for a person"], [*told, total], note)


def _books(outcome: Outcome) -> str:
    rows = []
    for row in telling.books(outcome).values():
        money = row.unit == "paise"
        figures = (
            row.there_before,
            row.here_before,
            row.missing_before,
            row.there_after,
            row.here_after,
            row.missing_after,
        )
        rows.append([row.label, *(_rupees(one) if money else str(one) for one in figures)])
    titles = ["", "Razorpay before", "shop before", "missing", "Razorpay now", "shop now", "missing now"]
    note = (
        "The first three columns are from before reconciliation, a day after closing, when every webhook that was "
        "going to come had come. Razorpay’s refunds grew since then: surplus payments were given back, and refunds "
        "that had failed were asked for again."
    )
    return f"<div class=books>{_table(titles, rows, note)}</div>"


# --- the proofs


def _proofs(outcome: Outcome) -> str:
    shown = "".join(_proof(was, now) for was, now in zip(outcome.before, outcome.proofs, strict=True))
    return (
        "<p>Statements about both sides’ books, checked from outside: they know nothing of how the library works. "
        "Each was also put to the books before reconciliation, where some of them had to fail.</p>"
        f"<ol class=proofs>{shown}</ol>"
    )


def _proof(was: Proof, now: Proof) -> str:
    offenders = "".join(f"<li><code>{_e(one)}</code></li>" for one in now.offenders)
    more = f"<li>and {now.broken - len(now.offenders)} more</li>" if now.broken > len(now.offenders) else ""
    listed = f"<ul class=offenders>{offenders}{more}</ul>" if offenders else ""
    mark = "<b class=good>holds</b>" if now.holds else f"<b class=bad>{_e(now.broken)} broken</b>"
    before = "held before, too" if was.holds else f"{was.broken} broken before reconciliation"
    return (
        f"<li id='{_e(now.name)}'><p class=statement>{mark} {_e(now.statement[:1].upper() + now.statement[1:])}.</p>"
        f"<p class=note>{_e(telling.numbers(now))} · {_e(before)} · {_e(now.code)} "
        f"<code>{_e(now.name)}</code></p>{listed}</li>"
    )


def _again(outcome: Outcome) -> str:
    command = f"razorpay-hardened demo --seed {outcome.seed} --customers {outcome.customers}"
    return (
        f"<p><code>{_e(command)}</code> plays the same day again, exactly as far as Razorpay’s side is concerned: its "
        f"orders, payments, refunds and events have the SHA-256</p><p><code class=digest>{_e(outcome.world)}</code></p>"
        f"<p class=note>razorpay-hardened {_e(__version__)}. All people, payments and keys are made up by an emulator "
        "on this machine; nothing here is about anybody’s real account.</p>"
    )


_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="generator" content="razorpay-hardened demo">
<title>{title}</title>
<style>{css}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""

"""A small shop on Flask. Copy it into your application: every view is a few lines, and the library does the rest.

In: RAZORPAY_* and FLASK_SECRET_KEY from the environment. Out: pages, a webhook endpoint, two commands for cron.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from typing import Any

import click
from flask import Flask, Response, abort, render_template, request, session

from razorpay_hardened import Change, EffectTransaction, Money, Plan, PlanCatalog, Razorpay, SQLiteStore, web
from razorpay_hardened.checkout import http_status
from razorpay_hardened.domain.state import OrderState
from razorpay_hardened.errors import RazorpayHardenedError
from razorpay_hardened.signals import Alarm, EffectFailed

DATABASE = os.environ.get("SHOP_DATABASE", "shop.db")
PLANS = PlanCatalog(
    None,
    Plan("gold-monthly", Money.inr("499.00"), "Gold, one month"),
    Plan("gold-yearly", Money.inr("4990.00"), "Gold, one year"),
)

# Made once, at import. It opens nothing until it is used, and each process opens its own after a fork.
rzp = Razorpay.from_env(store=SQLiteStore(DATABASE), plans=PLANS)
app = Flask(__name__)
app.config.update(SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_SECURE=rzp.settings.mode == "live")
app.config.update(MAX_CONTENT_LENGTH=rzp.settings.max_body_bytes)
app.config.from_prefixed_env()  # FLASK_SECRET_KEY: the same in every process, or sessions get lost between them
app.logger.setLevel("INFO")
# Whatever a person must hear about; your pager reads the log.
rzp.signals.subscribe(lambda told: app.logger.error("%s", told), Alarm, EffectFailed)


@rzp.on("order.paid", name="grant-access")
def grant_access(change: Change, tx: EffectTransaction) -> None:
    """Commits together with "paid", exactly once, whichever of webhook, browser or reconciliation was first."""
    assert change.order is not None  # never None, as this handler did not ask for unbound payments
    order = change.order
    tx.execute("INSERT INTO access (order_id, owner, plan) VALUES (?, ?, ?)", (order.local_id, order.owner, order.plan))


@rzp.after("order.paid", name="mail-receipt")
def mail_receipt(change: Change) -> None:
    """At least once, after the commit. Put your mail provider here, and give it the key: it is the same each time."""
    assert change.order is not None
    app.logger.info("mail to %s: thank you for %s (key %s)", change.order.owner, change.order.plan, change.key)


@app.post("/razorpay/webhook")
def webhook() -> Response:
    """No login and no CSRF token: the signature over the raw bytes is the proof, so nothing may parse them before."""
    raw = request.get_data(cache=False)
    head = web.Headers(request.headers.items())
    reply = rzp.webhooks.handle(web.Request(request.method, head, raw, request.remote_addr, request.scheme))
    return Response(reply.body, reply.status, reply.headers.items())


@app.get("/")
def plans() -> str:
    """What is on offer, and what this customer has. The key makes a double click one purchase."""
    mine = [plan for _, plan in access_of(owner())]
    return render_template("plans.html", plans=PLANS, mine=mine, key=secrets.token_urlsafe(16))


@app.post("/buy")
def buy() -> str:
    """The form names a plan; its price is ours. The browser gets the order's id and no secret."""
    plan = PLANS[request.form["plan"]]
    order = rzp.checkout.start(owner=owner(), plan=plan.name, key=request.form["key"])
    options = {**order.options, "name": "The Gold Shop", "description": plan.description}
    return render_template("pay.html", plan=plan, order=order, options=options, script=rzp.settings.checkout_script)


@app.post("/confirm")
def confirm() -> Any:
    """What the browser brought back. It only makes things faster: the webhook says the same to the same ledger."""
    if "owner" not in session and "again" not in request.args:
        # Checkout posted here from its own site (callback_url), where a Lax cookie stays at home: post from ours.
        return render_template("return.html", fields=request.form)
    done = rzp.checkout.confirm(request.form, owner=owner())
    return result(done.outcome, web.customer_message(done.reason), done.http_status, done.order)


@app.get("/orders/<local_id>")
def order(local_id: str) -> Any:
    """Where a page that waits looks again: it waits for what the customer bought, not for the money alone."""
    held = rzp.checkout.status(local_id)
    if held.owner != owner():
        abort(404)
    granted = local_id in dict(access_of(held.owner))
    return result("paid" if granted else "pending", "", 200, held)


@app.errorhandler(RazorpayHardenedError)
def in_words(error: RazorpayHardenedError) -> Any:
    """The customer reads a sentence that tells no secret; the log names the error."""
    app.logger.warning("%s %s: %s", request.method, request.path, error.code)
    return result("failed", web.customer_message(error), http_status(error), None)


@app.after_request
def protect(response: Response) -> Response:
    """Pages may load Checkout and nothing else; the library's replies bring their own, stricter policy."""
    response.headers.setdefault("Content-Security-Policy", web.checkout_csp(script=rzp.settings.checkout_script))
    return response


def result(outcome: str, message: str, status: int, order: OrderState | None) -> tuple[str, int]:
    """One page for every end that a purchase can come to."""
    return render_template("result.html", outcome=outcome, message=message, order=order), status


def owner() -> str:
    """Whose order it is: from the session, never from a form. Your login belongs here."""
    return str(session.setdefault("owner", f"guest:{secrets.token_urlsafe(16)}"))


def access_of(customer: str) -> list[tuple[str, str]]:
    """(order, plan) of what a customer has: your own table, read on your own connection."""
    with closing(sqlite3.connect(DATABASE)) as connection:
        return connection.execute("SELECT order_id, plan FROM access WHERE owner = ?", (customer,)).fetchall()


@app.cli.command("init-db")
def init_db() -> None:
    """Make the library's tables and ours. Run it at every deployment."""
    rzp.store.migrate()
    with rzp.store.transaction() as tx:
        tx.execute("CREATE TABLE IF NOT EXISTS access (order_id TEXT PRIMARY KEY, owner TEXT, plan TEXT)")


@app.cli.command("process-pending")
@click.option("--limit", default=100)
def process_pending(limit: int) -> None:
    """Every minute: mails and handlers to retry, orders and refunds whose outcome is unknown."""
    worked = rzp.work(limit=limit)
    click.echo(str(worked))
    if worked.pending.failed:
        raise click.ClickException("some handlers failed: they are tried again")


@app.cli.command("reconcile")
@click.option("--limit", default=500)
@click.option("--repair", is_flag=True)
def reconcile(limit: int, repair: bool) -> None:
    """Every hour, with --repair: compare the last day with Razorpay's books. Exit code 1: a person must look."""
    done = rzp.reconciler.run(limit=limit, repair=repair)
    for one in done.findings:
        click.echo(f"{one.state}: {one.kind} {one.entity_id}, here {one.here}, at Razorpay {one.there}")
    if done.totals.found > done.totals.repaired or not done.complete:
        raise click.ClickException(f"{done.totals.found} findings, {done.totals.repaired} repaired: run it again")

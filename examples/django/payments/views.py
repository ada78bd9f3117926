"""The views: each hands what came in to the library, and what it says to the customer."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from payments.models import Access
from payments.rzp import PLANS, rzp
from razorpay_hardened import web
from razorpay_hardened.checkout import http_status
from razorpay_hardened.errors import RazorpayHardenedError


def in_words(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The customer reads a sentence that tells no secret."""

    @functools.wraps(view)
    def told(request: HttpRequest, **parts: str) -> HttpResponse:
        try:
            return view(request, **parts)
        except RazorpayHardenedError as error:
            return show(request, "result", http_status(error), outcome="failed", message=web.customer_message(error))

    return told


# No login and no CSRF token: the signature over the raw bytes is the proof. Not atomic: the library makes the
# transaction, with its own limits, and runs it again where the database asks for that. (Inside ATOMIC_REQUESTS it works
# too: then nothing is announced, and no "after" handler runs, before Django commits.)
@csrf_exempt
@transaction.non_atomic_requests
def webhook(request: HttpRequest) -> HttpResponse:
    head, peer = web.Headers(request.headers.items()), request.META.get("REMOTE_ADDR")
    reply = rzp.webhooks.handle(web.Request(request.method or "", head, request.body, peer, request.scheme or "https"))
    return HttpResponse(reply.body, status=reply.status, headers=dict(reply.headers))


def plans(request: HttpRequest) -> HttpResponse:
    """The key makes a double click one purchase."""
    names = Access.objects.filter(owner=owner(request)).values_list("plan", flat=True)
    mine = [PLANS[name].description if name in PLANS else name for name in names]
    return show(request, "plans", plans=list(PLANS.values()), mine=mine, key=secrets.token_urlsafe(16))


# Not atomic: the order must be committed here before Razorpay is told of it. Forget it, and the library refuses.
@require_POST
@transaction.non_atomic_requests
@in_words
def buy(request: HttpRequest) -> HttpResponse:
    """The form names a plan; its price is ours. The browser gets the order's id and no secret."""
    plan = PLANS[request.POST.get("plan", "")]
    order = rzp.checkout.start(owner=owner(request), plan=plan.name, key=request.POST.get("key"))
    options = {**order.options, "name": "The Gold Shop", "description": plan.description}
    return show(request, "pay", plan=plan, order=order, options=options, script=rzp.settings.checkout_script)


# Anybody may post this: it needs Razorpay's signature, over an order of the session's owner.
@csrf_exempt
@require_POST
@transaction.non_atomic_requests
@in_words
def confirm(request: HttpRequest) -> HttpResponse:
    """What the browser brought back. It only makes things faster: the webhook says the same to the same ledger."""
    if "owner" not in request.session and "again" not in request.GET:
        # Checkout posted here from its own site (callback_url), where a Lax cookie stays at home: post from ours.
        return show(request, "return", fields=request.POST.lists())
    done = rzp.checkout.confirm(request.POST, owner=owner(request))
    message = web.customer_message(done.reason)
    return show(request, "result", done.http_status, outcome=done.outcome, message=message, **access(done.order))


@in_words
def order(request: HttpRequest, local_id: str) -> HttpResponse:
    """Where a page that waits looks again: it waits for what the customer bought, not for the money alone."""
    held = rzp.checkout.status(local_id)
    if held.owner != owner(request):
        raise Http404
    return show(request, "result", outcome="paid" if held.status == "paid" else "pending", **access(held))


def access(order: Any) -> dict[str, Any]:
    granted = order is not None and Access.objects.filter(order_id=order.local_id).exists()
    return {"order": order, "granted": granted}


def show(request: HttpRequest, page: str, status: int = 200, **told: Any) -> HttpResponse:
    """A page of ours. It may load Checkout and nothing else."""
    response = render(request, f"payments/{page}.html", told, status=status)
    response.headers["Content-Security-Policy"] = web.checkout_csp(script=rzp.settings.checkout_script)
    return response


def owner(request: HttpRequest) -> str:
    """Whose order it is: from the session, never from a form. Your login belongs here (``user:<pk>``)."""
    return str(request.session.setdefault("owner", f"guest:{secrets.token_urlsafe(16)}"))

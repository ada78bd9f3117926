"""Two endpoints of others, in a process and an environment of their own: run by ``_peers``, never imported.

``djstripe`` is dj-stripe's view, for the event of a product that changed; what it would fetch from Stripe is answered
at once by a stub. ``naive`` is the view that a careful team writes: SDK, ``atomic``, a table of seen events, a lock on
the order. Reads ``NAME NUMBER`` lines, handles one delivery for each, and answers ``ok``.
"""

from __future__ import annotations

import hmac
import json
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

SECRET = "bench-secret-0123456789"
API_KEY = "sk_test_" + "0123456789abcdef" * 2


def database(url: str) -> dict[str, Any]:
    """Django's settings for a ``sqlite:///`` or ``postgresql://`` URL: durable, as ours is."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        options = {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parts.path[1:], "OPTIONS": options}
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username or query.pop("user", ""),
        "PASSWORD": parts.password or "",
        "HOST": parts.hostname or query.pop("host", ""),
        "PORT": str(parts.port or query.pop("port", "")),
        "OPTIONS": query,
        "CONN_MAX_AGE": None,
    }


def set_up(url: str) -> None:
    """Configure Django and make all tables."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        DATABASES={"default": database(url)},
        USE_TZ=True,
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "djstripe"],
        DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
        STRIPE_TEST_SECRET_KEY=API_KEY,
        STRIPE_LIVE_MODE=False,
        ROOT_URLCONF="djstripe.urls",
        SILENCED_SYSTEM_CHECKS=["djstripe"],
        ALLOWED_HOSTS=["*"],
    )
    django.setup()
    call_command("migrate", verbosity=0)


def djstripe() -> Callable[[int], None]:
    """dj-stripe's view, called with Django's request."""
    from django.test import RequestFactory
    from djstripe.models import Account, APIKey, Product, WebhookEndpoint
    from djstripe.views import ProcessWebhookView

    account = Account.objects.create(id="acct_bench", livemode=False)
    APIKey.objects.create(id="key_bench", secret=API_KEY, type="secret", livemode=False, djstripe_owner_account=account)
    place = WebhookEndpoint.objects.create(
        id="we_bench", livemode=False, secret=SECRET, url="https://shop.example/hook", enabled_events=["*"]
    )
    requests, view = RequestFactory(), ProcessWebhookView.as_view()
    Product.api_retrieve = lambda self, **_: product(int(str(self.id)[5:]))

    def deliver(number: int) -> None:
        now = int(time.time())
        event = {
            "id": f"evt_{number:014d}",
            "object": "event",
            "api_version": "2024-04-10",
            "created": now,
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": "product.updated",
            "data": {"object": product(number)},
        }
        body = json.dumps(event).encode()
        tag = hmac.new(SECRET.encode(), f"{now}.".encode() + body, "sha256").hexdigest()
        request = requests.post(
            "/hook", body, content_type="application/json", HTTP_STRIPE_SIGNATURE=f"t={now},v1={tag}"
        )
        if view(request, uuid=place.djstripe_uuid).status_code != 200:
            raise AssertionError("not accepted")

    return deliver


def product(number: int) -> dict[str, Any]:
    """A product of Stripe's, with as much in it as a payment of Razorpay's."""
    return {
        "id": f"prod_{number:014d}",
        "object": "product",
        "active": True,
        "attributes": [],
        "created": 1772445600,
        "description": "x" * 800,
        "images": [],
        "livemode": False,
        "metadata": {"cart": "1"},
        "name": "Gold",
        "type": "service",
        "unit_label": None,
        "updated": 1772445600,
        "url": None,
    }


def naive(count: int) -> Callable[[int], None]:
    """The view of a careful team, on orders that it knows."""
    import razorpay
    from django.db import connection, models, transaction

    class Order(models.Model):
        order_id = models.CharField(max_length=40, unique=True)
        owner = models.CharField(max_length=40)
        amount = models.BigIntegerField()
        status = models.CharField(max_length=20)

        class Meta:
            app_label = "naive"

    class Event(models.Model):
        event_id = models.CharField(max_length=40, unique=True)
        body = models.TextField()

        class Meta:
            app_label = "naive"

    class Access(models.Model):
        order_id = models.CharField(max_length=40)
        owner = models.CharField(max_length=40)

        class Meta:
            app_label = "naive"

    with connection.schema_editor() as editor:
        for model in (Order, Event, Access):
            editor.create_model(model)
    sdk = razorpay.Utility(None)
    for number in range(count):
        Order.objects.create(order_id=f"order_{number:014d}", owner="user:7", amount=49900, status="created")
    template = sys.stdin.buffer.readline().strip()

    def deliver(number: int) -> None:
        raw = template.replace(b"%014d" % 99_999_999_999_999, b"%014d" % number)
        tag = hmac.new(SECRET.encode(), raw, "sha256").hexdigest()
        sdk.verify_webhook_signature(raw.decode(), tag, SECRET)
        payment = json.loads(raw)["payload"]["payment"]["entity"]
        with transaction.atomic():
            _, fresh = Event.objects.get_or_create(event_id=f"evt_{number}", defaults={"body": raw.decode()})
            order = Order.objects.select_for_update().get(order_id=payment["order_id"])
            if fresh and order.status != "paid" and order.amount == payment["amount"]:
                order.status = "paid"
                order.save()
                Access.objects.create(order_id=order.order_id, owner=order.owner)

    return deliver


def main() -> None:
    """Serve until the end of the input."""
    set_up(sys.argv[1])
    endpoints = {"djstripe": djstripe(), "naive": naive(int(sys.argv[2]))}
    print("ready", flush=True)
    for line in sys.stdin:
        name, number = line.split()
        endpoints[name](int(number))
        print("ok", flush=True)


if __name__ == "__main__":
    main()

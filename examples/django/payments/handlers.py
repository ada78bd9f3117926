"""What the shop does for its money: ``after`` handlers only, never ``on``.

Until the store can join Django's own connection, an ``on`` handler would be wrong here. It commits together with "paid"
because it writes through the library's own transaction, and the ORM writes on another connection, Django's: there would
be two commits, and a crash between them would lose the grant or make it twice. An ``after`` handler runs from a stored
row once "paid" has committed, and again until it succeeds: at least once. ``change.key`` is the same each time, and
unique in our table: so it is granted once.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction

from payments.models import Access
from payments.rzp import rzp
from razorpay_hardened import Change
from razorpay_hardened.signals import Alarm, EffectFailed

# Whatever a person must hear about; your pager reads the log.
rzp.signals.subscribe(lambda told: logging.getLogger(__name__).error("%s", told), Alarm, EffectFailed)


@rzp.after("order.paid", name="grant-access")
def grant_access(change: Change) -> None:
    order = change.order
    assert order is not None  # never None, as this handler did not ask for unbound payments
    # Durable: it has committed when this returns. Inside ATOMIC_REQUESTS this raises, instead of losing it later.
    with transaction.atomic(durable=True):
        told = {"order_id": order.local_id, "owner": order.owner, "plan": order.plan}
        Access.objects.get_or_create(key=change.key, defaults=told)


@rzp.after("order.paid", name="tell-sales")
def tell_sales(change: Change) -> None:
    assert change.order is not None
    send_mail(f"Sold: {change.order.plan}", f"To {change.order.owner} ({change.key})", None, [settings.SALES_INBOX])

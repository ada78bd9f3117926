"""What the shop does for its money.

``on`` handlers run in the transaction that records "paid", on Django's own connection: what the ORM writes there
commits with it, or not at all. Exactly once. ``after`` handlers run once that has committed, and again until they
succeed: for mails and other people's APIs, with ``change.key`` that is the same each time.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.mail import send_mail

from payments.models import Access
from payments.rzp import rzp
from razorpay_hardened import Change, EffectTransaction
from razorpay_hardened.signals import Alarm, EffectFailed

# Whatever a person must hear about; your pager reads the log.
rzp.signals.subscribe(lambda told: logging.getLogger(__name__).error("%s", told), Alarm, EffectFailed)


@rzp.on("order.paid", name="grant-access")
def grant_access(change: Change, tx: EffectTransaction) -> None:
    order = change.order
    assert order is not None  # never None, as this handler did not ask for unbound payments
    Access.objects.create(key=change.key, order_id=order.local_id, owner=order.owner, plan=order.plan)


@rzp.after("order.paid", name="tell-sales")
def tell_sales(change: Change) -> None:
    assert change.order is not None
    send_mail(f"Sold: {change.order.plan}", f"To {change.order.owner} ({change.key})", None, [settings.SALES_INBOX])

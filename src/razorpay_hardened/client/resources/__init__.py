"""One module per resource of the API: typed in, typed out, checked on both sides.

In: checked ids, ``Money``, plain values. Out: entities, pages, or our errors. How a call is repeated is not decided
here: each module names its operations (``_operations``) and how a doubt about a write is settled.

- ``Orders``    create, find by receipt, fetch, list, their payments
- ``Payments``  fetch, list, capture, refund, their refunds
- ``Refunds``   fetch, list
"""

from razorpay_hardened.client.resources.orders import Orders
from razorpay_hardened.client.resources.payments import Payments
from razorpay_hardened.client.resources.refunds import Refunds

__all__ = ["Orders", "Payments", "Refunds"]

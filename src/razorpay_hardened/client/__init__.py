"""The API client: typed calls that end in time, and that never move money twice.

In: ids, ``Money``, plain values. Out: typed entities, or one of the API errors of ``razorpay_hardened.errors``.
Importing this loads neither the SDK nor requests, pydantic or tenacity: the first call does.

    caller → client.<resource> → _caller → _retry → _gateway (the SDK) → the session → _translate → entity or error

- ``Client``       the resources and their limits; satisfies ``ports.gateway.Gateway``
- ``resources``    orders, payments, refunds
- ``_operations``  every operation as data, with the rule that says when it may be repeated
- ``_caller``      one call from beginning to end, and what is done about doubt
- ``_retry``       when to try again (the only user of tenacity)
- ``_gateway``     the official SDK (the only user of razorpay)
- ``_transport``   the default session over urllib3; ``_requests`` a caller's own
- ``_translate``   answers to typed errors
"""

from razorpay_hardened.client.client import Client

__all__ = ["Client"]

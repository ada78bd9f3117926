"""The API client: typed calls that end in time, and that never move money twice.

In: ids, ``Money``, plain values. Out: typed entities, or one of the API errors of ``razorpay_hardened.errors``.
Importing this loads neither the SDK nor requests, pydantic or tenacity: the first call does.

    what to ask (resources) → _caller → _retry → _drive → _gateway (the SDK) or _aio → _translate → entity or error

- ``Client``       the resources and their limits; satisfies ``ports.gateway.Gateway``
- ``AsyncClient``  the same, awaited
- ``resources``    what can be asked, one module each
- ``_operations``  every operation as data, with the rule that says when it may be repeated
- ``_ask``         one call or a plan of several, before anything is sent
- ``_caller``      one call from beginning to end, and what is done about doubt; as steps, without waiting
- ``_retry``       when to try again (the only user of tenacity), ``_retry_budget`` how much of it
- ``_circuit``, ``_pace``  when not to ask at all, and how fast
- ``_drive``       carries the steps out: a thread that blocks, or an event loop that awaits
- ``_gateway``     the official SDK (the only user of razorpay); ``_aio`` the asynchronous way out
- ``_transport``   the default session over urllib3; ``_requests`` a caller's own
- ``_translate``   answers to typed errors
"""

from razorpay_hardened.client._caller import Response
from razorpay_hardened.client.aio import AsyncClient
from razorpay_hardened.client.client import Client
from razorpay_hardened.client.resources._listing import AsyncItems, Items

__all__ = ["AsyncClient", "AsyncItems", "Client", "Items", "Response"]

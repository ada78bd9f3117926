"""The laws: values and pure functions about money, ids, statuses and events. No input or output.

In: plain values and the bodies that ``signing`` has proved.
Out: typed values (``Money``, ids, entities, facts) and decisions (``lifecycle``).

- ``money``      exact amounts and the currencies Razorpay takes
- ``ids``        one type and one strict form per kind of id
- ``entities``   Razorpay's objects as it sends them, unknown fields kept
- ``events``     the webhook envelope, and the facts that it states
- ``facts``      what we can learn, from wherever we learn it
- ``state``      what we hold about an order, a payment, a refund
- ``lifecycle``  the law: which facts change which state, and what became true for the first time
- ``plans``      what is on offer, at the server's price
"""

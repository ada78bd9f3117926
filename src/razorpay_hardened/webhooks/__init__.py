"""Webhooks: a request in, a reply out, and everything that must happen in between, exactly once.

In: :class:`web.Request` with the raw body. Out: :class:`web.Reply`, which any framework can send.

- ``guard``    what is refused from the head of a request, before the tag is looked at: sources, sizes, floods
- ``parse``    a verified body → an event; accepts nothing else
- ``receive``  verify, parse, one transaction, answer (FAULTS section 3, in that order)
- ``apps``     the endpoint as a WSGI and as an ASGI application
- ``writer``   the one thread behind the ASGI one: what has queued up is one commit
- ``pending``  what waits: effects to retry, parked events, for a scheduler to call
"""

from razorpay_hardened.webhooks.parse import parse_event, unwrap_webhook
from razorpay_hardened.webhooks.pending import Drained, PendingWork
from razorpay_hardened.webhooks.receive import Ack, Replayed, Webhooks

__all__ = ["Ack", "Drained", "PendingWork", "Replayed", "Webhooks", "parse_event", "unwrap_webhook"]

"""Effects: what the application does when something became true for the first time.

In: milestones, as rows that the ledger wrote together with the state. Out: the application's handlers called, each once
per milestone, and every attempt recorded.

- ``registry``  which handler wants which milestone (``on``: in the transaction; ``after``: once it has committed)
- ``change``    what a handler is given
- ``inline``    runs ``on`` handlers, a savepoint each
- ``relay``     runs ``after`` handlers from leased rows: at least once, with ``change.key`` to make them one
- ``awaiting``  the event loop of a relay's run, for ``after`` handlers that are async
- ``misuse``    what is left to do when an ``on`` handler has ended the transaction
- ``pause``     the switch that stops all of them, and what that means for their age
- ``failure``   what a handler's exception means: try again, when, or give up
- ``backoff``   when to try again, and when to stop
"""

from razorpay_hardened.effects.backoff import Retry
from razorpay_hardened.effects.change import Change, EffectTransaction
from razorpay_hardened.effects.failure import NonRetryable, RetryAfter, RetryAt
from razorpay_hardened.effects.inline import Attempt, run_inline
from razorpay_hardened.effects.registry import Handler, Registry
from razorpay_hardened.effects.relay import Relay

__all__ = [
    "Attempt",
    "Change",
    "EffectTransaction",
    "Handler",
    "NonRetryable",
    "Registry",
    "Relay",
    "Retry",
    "RetryAfter",
    "RetryAt",
    "run_inline",
]

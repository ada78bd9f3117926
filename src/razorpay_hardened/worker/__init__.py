"""Driving it: one round of everything that waits, and a plain loop of rounds for people without a queue.

In: the journeys, wired. Out: handlers called, orders and refunds finished, chores done; and what that came to.

- ``rounds``   one round: what waits, what was left open, what is done from time to time
- ``chores``   the things that are done from time to time
- ``loop``     rounds at once while there is work, and waiting where there is none
"""

from razorpay_hardened.worker.loop import Stop, Worker
from razorpay_hardened.worker.rounds import Worked

__all__ = ["Stop", "Worked", "Worker"]

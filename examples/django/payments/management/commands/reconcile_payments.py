"""Every hour, with --repair: compare the last day with Razorpay's books. Exit code 1: a person must look."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from payments.rzp import rzp


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, default=500)
        parser.add_argument("--repair", action="store_true")

    def handle(self, *_: Any, limit: int, repair: bool, **__: Any) -> None:
        done = rzp.reconciler.run(limit=limit, repair=repair)
        for one in done.findings:
            self.stdout.write(f"{one.state}: {one.kind} {one.entity_id}, here {one.here}, at Razorpay {one.there}")
        if repair:  # what was found paid is granted now, not a minute later
            rzp.webhooks.process_pending(limit=limit)
        if done.totals.found > done.totals.repaired or not done.complete:
            raise CommandError(f"{done.totals.found} findings, {done.totals.repaired} repaired: run it again")

"""Every minute: handlers to run or retry, orders and refunds whose outcome is unknown."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from payments.rzp import rzp


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, default=100)

    def handle(self, *_: Any, limit: int, **__: Any) -> None:
        worked = rzp.work(limit=limit)
        self.stdout.write(str(worked))
        if worked.pending.failed:
            raise CommandError("some handlers failed: they are tried again")

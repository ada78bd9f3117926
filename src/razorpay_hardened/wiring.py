"""``Razorpay``: the one place that puts the rooms together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from razorpay_hardened.clock import Clock, SystemClock
from razorpay_hardened.effects import pause as _pause
from razorpay_hardened.effects.backoff import Retry
from razorpay_hardened.effects.registry import Registry
from razorpay_hardened.effects.relay import Relay
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.ledger import Ledger
from razorpay_hardened.settings import Settings
from razorpay_hardened.signals import Bus
from razorpay_hardened.signing import WebhookVerifier
from razorpay_hardened.storage import open_store

if TYPE_CHECKING:
    from razorpay_hardened.audit import Audit
    from razorpay_hardened.checkout import Checkout
    from razorpay_hardened.checkout._base import Tools
    from razorpay_hardened.client import Client
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.domain.ours import Ours
    from razorpay_hardened.domain.plans import PlanCatalog
    from razorpay_hardened.ports.gateway import Gateway
    from razorpay_hardened.ports.store import EffectRow, Store, Switch
    from razorpay_hardened.reconcile import Reconciler, Recovery
    from razorpay_hardened.retention import Retention, RetentionPolicy
    from razorpay_hardened.webhooks import Ack, Drained, Webhooks
    from razorpay_hardened.webhooks.guard import Guard, Limiter
    from razorpay_hardened.worker import Worked
    from razorpay_hardened.worker.chores import Chores
    from razorpay_hardened.worker.rounds import Rounds

__all__ = ["Razorpay"]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class Razorpay:
    """Everything, wired: ``rzp = Razorpay.from_env()``. Make one for each process, at import time if you like.

    Nothing is opened before it is used, and after a fork each process opens its own. Thread-safe. Explicit arguments
    win over the environment. ``ack`` says when a webhook is answered 200: ``effect`` (once your ``on`` handlers have
    succeeded; needs no worker) or ``stored`` (once everything is durable; a worker calls ``webhooks.process_pending``).
    ``ours`` tells our orders from those of other applications on the account, in place of the settings' rule.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store | None = None,
        client: Client | Gateway | None = None,
        clock: Clock | None = None,
        plans: PlanCatalog | Mapping[str, Money] | None = None,
        ack: Ack = "effect",
        bus: Bus | None = None,
        retention: RetentionPolicy | None = None,
        ours: Ours | None = None,
    ) -> None:
        if ack not in ("effect", "stored"):
            raise ConfigError("ack is 'effect' or 'stored'")
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.signals = bus or Bus()
        self.store: Store = store if store is not None else open_store(settings.store_url.reveal())
        self.handlers = Registry()
        self._given_client = client
        self._plans = plans
        self._ack = ack
        self._policy = retention
        self.ours = ours if ours is not None else settings.ours
        self._limiter = _limiter(settings, self.signals)
        self._tasks()
        if settings.sources_file is not None:
            from razorpay_hardened.web import webhook_sources

            webhook_sources(settings.sources_file)  # a list that cannot be read is refused at the start

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        store: Store | None = None,
        client: Client | Gateway | None = None,
        clock: Clock | None = None,
        plans: PlanCatalog | Mapping[str, Money] | None = None,
        ack: Ack = "effect",
        bus: Bus | None = None,
        retention: RetentionPolicy | None = None,
        ours: Ours | None = None,
    ) -> Self:
        """Wired from environment variables (``os.environ`` by default); see ``settings`` for their names.

        Raises :class:`ConfigError` naming every variable that is missing or unsafe.
        """
        settings = Settings.from_env(environ)
        return cls(
            settings,
            store=store,
            client=client,
            clock=clock,
            plans=plans,
            ack=ack,
            bus=bus,
            retention=retention,
            ours=ours,
        )

    def _tasks(self) -> None:
        """What the settings have workers do: tasks of ours, beside the application's handlers."""
        if self.settings.fetch != "never":
            self.handlers.own("delivery.doubted", "fetch", lambda row: self.webhooks.settle_doubt(row))
        if self.settings.surplus == "refund":
            self.handlers.own("payment.surplus", "refund-surplus", self._give_back)
        if self.settings.paid_late == "refund":
            self.handlers.own("payment.late", "refund-late", self._give_back)

    def _give_back(self, row: EffectRow) -> None:
        from razorpay_hardened.checkout.late import give_back

        give_back(self._tools, row)

    # --- handlers

    def on(self, milestone: str, *, name: str | None = None, unbound: bool = False) -> Callable[[FunctionT], FunctionT]:
        """Call ``handler(change, tx)`` in the transaction that records ``milestone``: exactly once.

            @rzp.on("order.paid", name="grant-access")
            def grant(change, tx):
                tx.execute("INSERT INTO access (owner) VALUES (?)", (change.order.owner,))

        ``milestone`` may be a pattern, such as ``"payment.*"``: one call for each milestone that it matches.
        ``unbound``: also for payments that belong to no order of ours (``change.order`` is None then). Raises
        :class:`ConfigError` for an unknown milestone or a name that is taken.
        """
        return self.handlers.on(milestone, name=name, unbound=unbound)

    def after(
        self, milestone: str, *, name: str | None = None, unbound: bool = False, retry: Retry | None = None
    ) -> Callable[[FunctionT], FunctionT]:
        """Call ``handler(change)`` once ``milestone`` has committed: at least once, with retries.

        For mails and other people's APIs: give them ``change.key``, which is the same at every attempt. Patterns and
        ``unbound`` are those of :meth:`on`. ``retry``: its own pace, in place of eight attempts over 20 hours.
        """
        return self.handlers.after(milestone, name=name, unbound=unbound, retry=retry)

    # --- the pause

    def pause(self, *, actor: str, note: str | None = None) -> Switch:
        """Stop all effects, in every process on this store, until :meth:`resume`. Receiving and storing go on.

        Deliveries are answered 200, ``checkout.confirm`` says ``pending``, reconciliation repairs state; no handler is
        called. One that is running may end. ``actor`` is who does this. Gives the pause that holds: the earlier one,
        where it was paused already. Raises :class:`StorageError`.
        """
        return _pause.begin(self.store, clock=self.clock, bus=self.signals, actor=actor, note=note)

    def resume(self, *, actor: str, note: str | None = None, limit: int = 100) -> Drained:
        """End the pause, then call the handlers that waited: in order for each handler and order, the oldest first.

        It reads ``limit`` rows at a time and commits each order by itself. Call it again after a crash: what has run is
        not run again. What fails is tried again like any effect, by ``webhooks.process_pending`` (with
        ``ack="effect"``, too: Razorpay has its 200 and does not send again). Raises :class:`StorageError`.
        """
        _pause.end(self.store, clock=self.clock, bus=self.signals, actor=actor, note=note)
        return self.webhooks.drain(limit=limit)

    @property
    def paused(self) -> Switch | None:
        """The pause that is on, with who, when and why; None while effects run."""
        return _pause.seen(self.store.switches()).on

    # --- driving it

    def work(
        self,
        *,
        limit: int = 100,
        housekeeping: bool = True,
        budget_s: float | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Worked:
        """One round of everything that waits, for a loop (:class:`Worker` is one), a queue's job or a cron job.

        Handlers that wait are called, ``limit`` orders and ``limit`` ``after`` effects at most. ``housekeeping``: also
        look at parked events, finish orders and refunds whose outcome is unknown, and do the chores of :meth:`every`;
        once a minute is often enough, as this may ask Razorpay. No handler is called once ``budget_s`` seconds have
        passed, or ``stop()`` is true; housekeeping has as many seconds again. ``.more`` of the result says whether to
        call again at once. Several processes may call it. Raises :class:`StorageError`.
        """
        return self._rounds.run(limit=limit, housekeeping=housekeeping, budget_s=budget_s, stop=stop)

    def every(self, seconds: float, *, name: str | None = None) -> Callable[[FunctionT], FunctionT]:
        """Call a function from time to time, where a worker keeps house: at once, then every ``seconds`` or later.

        Each process that works does so: the function must be safe to run twice at once, and cheap where there is
        nothing to do. One that raises is an alarm, and called again at its next time.
        """
        return self.chores.every(seconds, name=name)

    # --- rooms, each made when it is first used

    @cached_property
    def client(self) -> Client:
        """Razorpay's API: ``rzp.client.orders``, ``.payments``, ``.refunds``, ``.request``."""
        if self._given_client is not None:
            return cast("Client", self._given_client)
        from razorpay_hardened.client import Client

        settings = self.settings
        return Client(
            settings.key_id,
            settings.key_secret,
            base_url=settings.base_url,
            clock=self.clock,
            bus=self.signals,
            connect_timeout_s=settings.connect_timeout_s,
            read_timeout_s=settings.read_timeout_s,
            total_timeout_s=settings.total_timeout_s,
            max_attempts=settings.max_attempts,
        )

    @cached_property
    def webhooks(self) -> Webhooks:
        """Deliveries: ``rzp.webhooks.handle(request)``, ``.process_pending()``, ``.replay(event)``."""
        from razorpay_hardened.webhooks import Webhooks

        return Webhooks(
            self.store,
            self._ledger,
            self._relay,
            self._verifier,
            clock=self.clock,
            bus=self.signals,
            ack=self._ack,
            account_id=self.settings.account_id,
            gateway=lambda: self.client,
            guard=self._guard,
            fetch=self.settings.fetch,
            ours=self.ours,
        )

    @cached_property
    def _guard(self) -> Guard:
        from razorpay_hardened.web import SourceCheck, webhook_sources
        from razorpay_hardened.webhooks.guard import Guard

        settings = self.settings

        def sources() -> SourceCheck:
            return SourceCheck(
                webhook_sources(settings.sources_file).networks,
                trusted_proxies=settings.trusted_proxies,
                trusted_hops=settings.trusted_hops,
                trust_socket=settings.trust_socket,
            )

        return Guard(
            clock=self.clock,
            bus=self.signals,
            max_body_bytes=settings.max_body_bytes,
            sources=sources,
            source_mode=settings.source_check,
            bad_signatures=settings.bad_signature_budget,
            limiter=self._limiter,
        )

    @cached_property
    def checkout(self) -> Checkout:
        """Selling: ``rzp.checkout.start``, ``.confirm``, ``.adopt``, ``.refund``, ``.status``, ``.sweep``."""
        from razorpay_hardened.checkout import Checkout

        return Checkout(self._tools)

    @cached_property
    def _tools(self) -> Tools:
        from razorpay_hardened.checkout._base import Tools

        return Tools(
            store=self.store,
            ledger=self._ledger,
            gateway=lambda: self.client,
            clock=self.clock,
            bus=self.signals,
            plans=self.plans,
            key_id=self.settings.key_id,
            key_secret=self.settings.key_secret,
            inline=self._ack == "effect",
            ours=self.ours,
        )

    @cached_property
    def reconciler(self) -> Reconciler:
        """Comparing: ``rzp.reconciler.run(since=…, until=…, repair=True)``."""
        from razorpay_hardened.reconcile import Reconciler

        return Reconciler(
            self.store,
            self.client,
            self._ledger,
            clock=self.clock,
            bus=self.signals,
            inline=self._ack == "effect",
            ours=self.ours,
        )

    @cached_property
    def recovery(self) -> Recovery:
        """Outages: ``rzp.recovery.look()`` sees that webhooks are missing, ``.run()`` makes up for them."""
        from razorpay_hardened.reconcile import Recovery

        return Recovery(
            self.store,
            self.client,
            self._ledger,
            clock=self.clock,
            bus=self.signals,
            inline=self._ack == "effect",
            ours=self.ours,
            after=timedelta(seconds=self.settings.silence_after_s),
            grace=timedelta(seconds=self.settings.silence_grace_s),
        )

    @cached_property
    def retention(self) -> Retention:
        """Erasing personal data: ``rzp.retention.plan()``, ``.apply()``, ``.hold``, ``.release``, ``.erase``."""
        from razorpay_hardened.retention import Retention

        return Retention(self.store, clock=self.clock, policy=self._policy)

    @cached_property
    def audit(self) -> Audit:
        """The trail: ``rzp.audit.seal()``, ``.verify()``, ``.at(payment, moment)``, ``.explain(payment)``."""
        from razorpay_hardened.audit import Audit

        return Audit(self.store, clock=self.clock)

    @cached_property
    def chores(self) -> Chores:
        """What :meth:`work` does from time to time."""
        from razorpay_hardened.worker.chores import Chores

        return Chores(clock=self.clock, bus=self.signals)

    @cached_property
    def _rounds(self) -> Rounds:
        from razorpay_hardened.worker.rounds import Rounds

        return Rounds(
            self.webhooks,
            self.checkout,
            self.chores,
            store=self.store,
            handlers=self.handlers,
            clock=self.clock,
            bus=self.signals,
        )

    @cached_property
    def plans(self) -> PlanCatalog:
        """What is on offer."""
        from razorpay_hardened.domain.plans import PlanCatalog

        return self._plans if isinstance(self._plans, PlanCatalog) else PlanCatalog(self._plans)

    @cached_property
    def _ledger(self) -> Ledger:
        settings = self.settings
        return Ledger(
            self.handlers, clock=self.clock, unknown_order=settings.unknown_order, paid_late=settings.paid_late
        )

    @cached_property
    def _relay(self) -> Relay:
        return Relay(self.store, self.handlers, clock=self.clock, bus=self.signals)

    @cached_property
    def _verifier(self) -> WebhookVerifier:
        return WebhookVerifier(self.settings.webhook_secrets, clock=self.clock, key_secret=self.settings.key_secret)

    # --- the end

    def close(self) -> None:
        """Close connections. What is used again is opened again."""
        self.store.close()
        if "client" in self.__dict__ and self._given_client is None:
            self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Razorpay {self.settings.mode} {self.settings.key_id} {self.settings.store_label}>"


def _limiter(settings: Settings, bus: Bus) -> Limiter | None:
    """The rate limit that the settings ask for. Raises :class:`ExtraMissing`: at the start, not at the first event."""
    if settings.rate_limit is None:
        return None
    from razorpay_hardened.webhooks._limits import RateLimit

    return RateLimit(settings.rate_limit, settings.rate_limit_url.reveal(), bus)

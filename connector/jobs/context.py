"""What every job is given: settings, store, the connection to the CRM, the clock, the policy, a place to report progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

import structlog

from connector.clock import Clock, RemoteClock, SystemClock
from connector.crm.base import CRM
from connector.crm.connection import Connection
from connector.errors import CandorError
from connector.jobs.fields import field_map
from connector.jobs.scope import check
from connector.settings import Settings
from connector.store.store import Store, open_store
from scoring.routing.policy import Policy
from scoring.routing.policy import load as load_policy

Progress = Callable[[str, int, int | None], None]
"""progress(what, done so far, of how many or None)"""


def silent(what: str, done: int, of: int | None) -> None:
    return None


log = structlog.get_logger("candor")


@dataclass
class Context:
    settings: Settings
    store: Store
    clock: Clock
    policy: Policy
    progress: Progress = silent
    _crm: CRM | None = None
    _counted: tuple[int, int] = (0, 0)
    """calls and failed calls that are in the day's count already"""
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def crm(self) -> CRM:
        """The connection, opened when first needed (a report needs none)."""
        if self._crm is None:
            from connector.crm.registry import connect

            self._crm = connect(self.settings.crm.kind, connection(self.settings, self._calls_today()))
            self._stack.callback(self._crm.close)
        return self._crm

    @property
    def currency(self) -> str | None:
        """The org's, in which all amounts are; None before the org was ever asked."""
        told: str | None = self.store.get("org", {}).get("currency")
        return told or None

    def remember_usage(self) -> None:
        """API calls of the day, whichever command made them, for status and budget."""
        if self._crm is None:
            return
        usage, day = self._crm.usage(), self.clock.now().date().isoformat()
        kept = self.store.get("api_usage", {})
        had = kept if kept.get("day") == day else {"calls": 0, "failed": 0}
        calls, failed = usage.calls - self._counted[0], usage.failed - self._counted[1]
        self._counted = (usage.calls, usage.failed)
        self.store.put(
            "api_usage",
            {
                "day": day, "calls": had["calls"] + calls, "failed": had["failed"] + failed,
                "org_used": usage.org_used, "org_limit": usage.org_limit,
            },
        )  # fmt: skip

    def _calls_today(self) -> int:
        used = self.store.get("api_usage", {})
        return int(used["calls"]) if used.get("day") == self.clock.now().date().isoformat() else 0


def connection(settings: Settings, calls_today: int = 0) -> Connection:
    """How to reach the org. `calls_today`: API calls that Candor made before, which count against its daily share."""
    crm = settings.crm
    return Connection(
        url=crm.url.rstrip("/"), token=crm.token(), ca=None if crm.ca is None else str(crm.ca),
        fields=field_map(settings), budget=crm.daily_calls,
        options={**crm.options, "calls_today": str(calls_today)},
    )  # fmt: skip


def clock(settings: Settings) -> Clock:
    """The machine's, or the local CRM's."""
    if settings.clock_url is None:
        return SystemClock()
    token = settings.crm.token_file  # `candor init --playground` names the one in the local CRM's folder
    folder = "" if token is None else f" --data {token.parent}"
    return RemoteClock(settings.clock_url, f"candor playground --crm {settings.crm.kind}{folder}")


@contextmanager
def open_context(settings: Settings, progress: Progress = silent) -> Iterator[Context]:
    """Open the store (and later the CRM); everything is closed on leaving. Raises SettingsError where the scope names what isn't
    there."""
    check(settings)
    now = clock(settings)
    policy = load_policy(settings.policy)
    with open_store(settings.store.data, settings.database_url) as store:
        context = Context(settings, store, now, policy, progress)
        with context._stack:
            try:
                yield context
            finally:
                with suppress(CandorError):  # a count must not hide what went wrong
                    context.remember_usage()

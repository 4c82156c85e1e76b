"""The daemon: jobs on a schedule, one at a time, in the replica that holds the lock.

SIGTERM and SIGINT end it between two steps of a pass: what was decided stands in the outbox and is sent by the next one.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from connector.errors import CandorError, NotTrained
from connector.jobs.context import Context, log
from connector.jobs.recalibrate import recalibrate
from connector.jobs.report import report
from connector.jobs.scope import counts
from connector.jobs.sync import Busy, sync
from connector.jobs.train import train_model
from scoring.errors import ScoringError

_LOCK_RETRY_SECONDS = 5.0


def run_daemon(context: Context) -> None:
    """Run until a signal ends it."""
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    while not stop.is_set():
        with context.store.the_one("scheduler") as ours:
            if ours:
                _schedule(context, stop)
                return
        log.info("standing by", why="another replica is active")
        stop.wait(_LOCK_RETRY_SECONDS)


def _schedule(context: Context, stop: threading.Event) -> None:
    timing = context.settings.schedule
    scheduler = BackgroundScheduler(
        timezone="UTC", executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )  # fmt: skip
    jobs: tuple[tuple[str, Callable[[], object], object], ...] = (
        ("sync", lambda: sync(context, stop=stop.is_set), IntervalTrigger(seconds=timing.sync_minutes * 60)),
        (
            "rescore",
            lambda: _night(context, stop),
            CronTrigger(hour=timing.night_hour),
        ),
        (
            "metrics",
            lambda: report(context),
            CronTrigger(day_of_week=timing.metrics_weekday, hour=timing.night_hour, minute=30),
        ),
        (
            "retrain",
            lambda: _retrain(context),
            CronTrigger(day=timing.retrain_day, hour=timing.night_hour, minute=45),
        ),
    )
    for name, job, trigger in jobs:
        scheduler.add_job(_guarded(name, job, stop), trigger, id=name)
    scheduler.add_job(_guarded("sync", jobs[0][1], stop), id="first")
    scheduler.start()
    log.info("running", sync_minutes=timing.sync_minutes)
    try:
        stop.wait()
    finally:
        scheduler.shutdown(wait=True)
        log.info("stopped")


def _night(context: Context, stop: threading.Event) -> None:
    """All open leads anew, by what recent outcomes say of the model."""
    with contextlib.suppress(NotTrained):  # the pass says so
        recalibrate(context)
    sync(context, everything=True, stop=stop.is_set)


def _retrain(context: Context) -> None:
    counts(context)  # as `candor train`: refused while a status that holds many leads means nothing
    train_model(context)
    recalibrate(context)


def _guarded(name: str, job: Callable[[], object], stop: threading.Event) -> Callable[[], None]:
    """A job that fails is logged once, with what to do, and tried again at its next time."""

    def run() -> None:
        if stop.is_set():
            return
        try:
            job()
        except Busy:
            log.info("skipped", job=name, why="another pass is running")
        except (CandorError, ScoringError) as error:
            log.error("failed", job=name, error=str(error), kind=type(error).__name__)
        except Exception:
            log.exception("failed", job=name)

    return run

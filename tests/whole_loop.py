"""The whole loop for tests: a local CRM in this process, a store on a real PostgreSQL, and `candor` as a process of its
own that can be killed.

What costs time is made once a session and shared by all workers: an org with Candor's fields in it, read and trained on.
Each test gets a copy. Three states to begin with: "trained" (nothing scored yet), "waiting" (scored, all writes in the
outbox) and "settled" (written, and a pass after it found nothing).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx2
import tomlkit
import uvicorn

from connector.cli.schema import provision
from connector.jobs.context import Context, open_context
from connector.jobs.pull import pull, remember_org
from connector.jobs.sync import Pass, sync
from connector.jobs.train import train_model
from connector.playground import tls
from connector.playground.server import HOST, Playground, open_playground
from connector.playground.world.options import WorldOptions
from connector.settings import load
from connector.store.server import EmbeddedServer
from connector.store.store import Store, open_store
from tests import shared_plans
from tests.contract.serving import listening

CRMS = ("salesforce", "hubspot")
State = Literal["trained", "waiting", "settled"]
WORLD = WorldOptions(leads=300, months=18, seed=7)
PATIENCE = 60.0
"""Seconds that anything observable is waited for before a test fails."""

_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload([
    "tests.whole_loop", "pytest", "connector.cli.main", "connector.cli.sync", "connector.cli.run", "connector.cli.backfill",
    "connector.cli.doctor", "connector.cli.status", "connector.daemon", "connector.crm.salesforce.adapter",
    "connector.crm.hubspot.adapter", "connector.playground.server", "connector.jobs.report", "scoring.model.train",
    "alembic.command", "alembic.autogenerate", "alembic.op", "alembic.context", "mako.template", "psycopg", "httpcore2",
    "sqlalchemy.dialects.postgresql.psycopg", "hubspot.discovery.discovery", "hubspot.discovery.crm", "simple_salesforce", "h11", "skops.io", "hubspot", "alembic.config",
    "ibis.backends.duckdb", "ibis.formats.pyarrow", "sqlglot.dialects.duckdb", "pyarrow.dataset", "pyarrow.acero", "pyarrow.pandas_compat",
    "duckdb.func", "connector.crm.registry", "crm_schema.plan", "crm_schema.upgrade",
])  # fmt: skip


def until(seen: Callable[[], Any], what: str) -> Any:
    """Wait until something is observed, and give it back."""
    end = time.monotonic() + PATIENCE
    while not (found := seen()):
        assert time.monotonic() < end, f"waited {PATIENCE:.0f} s for {what}"
        time.sleep(0.01)
    return found


# --- the local CRM ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def local_crm(crm: str, data: Path) -> Iterator[tuple[Playground, dict[str, Any]]]:
    """The org in `data` with both of its ports, in this process: (playground, what playground.json would say)."""
    playground = open_playground(crm, data, WORLD)  # type: ignore[arg-type]
    key = tls.authority(data) if crm == "salesforce" else None
    sockets = listening(), listening()
    common: dict[str, Any] = {
        "log_config": None,
        "access_log": False,
        "lifespan": "off",
        "timeout_graceful_shutdown": 1,
    }
    servers = [
        uvicorn.Server(uvicorn.Config(playground.api, ssl_certfile=key, **common)),
        uvicorn.Server(uvicorn.Config(playground.pages, **common)),
    ]

    async def both() -> None:
        # One loop for both ports: a fault that the pages let go wakes the request that the API holds.
        await asyncio.gather(*(server._serve([s]) for server, s in zip(servers, sockets, strict=True)))

    thread = threading.Thread(target=lambda: asyncio.run(both()), daemon=True)
    thread.start()
    ports = [s.getsockname()[1] for s in sockets]
    try:
        until(lambda: all(server.started for server in servers), "the local CRM")
        yield playground, {
            "url": f"{'https' if key else 'http'}://{HOST}:{ports[0]}", "pages": f"http://{HOST}:{ports[1]}",
            "clock_url": f"http://{HOST}:{ports[1]}/clock", "token_file": data / "token",
            "ca": data / "ca.pem" if key else None, "tracked_since": "1970-01-01" if key else None,
        }  # fmt: skip
    finally:
        playground.faults.release()
        for server in servers:
            server.should_exit = True
        thread.join(10)
        playground.close()


# --- one test's org, store and settings -------------------------------------------------------------------------------


@dataclass
class Process:
    """`candor …` at work."""

    process: Any
    folder: Path

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    def end(self) -> Result:
        self.process.join(PATIENCE)
        assert self.process.exitcode is not None, f"still running after {PATIENCE:.0f} s: {self.err()}"
        return Result(self.process.exitcode, (self.folder / "out").read_text(), self.err())

    def err(self) -> str:
        file = self.folder / "err"
        return file.read_text() if file.exists() else ""

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.join(PATIENCE)


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


@dataclass
class Loop:
    """One installation: a CRM, a store, a candor.toml."""

    crm: str
    folder: Path
    playground: Playground
    info: Mapping[str, Any]
    log_mark: int
    """the org's write log up to here is of the time before the test"""
    _started: list[Process] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "candor.toml"

    def context(self) -> contextlib.AbstractContextManager[Context]:
        return open_context(load(self.config))

    def sync(self, **how: Any) -> Pass:
        with self.context() as context:
            return sync(context, **how)

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> Process:
        """`candor <arguments>` as a process of its own, forked from one that has everything imported."""
        started = candor_in(self.folder, *arguments, "--config", str(self.config), env=env)
        self._started.append(started)
        return started

    def candor(self, *arguments: str) -> Result:
        return self.start(*arguments).end()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = httpx2.request(method, self.info["pages"] + path, json=body, timeout=60, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def click(self, kind: str, id: str, **form: str) -> int:
        """A form of the record page, posted; the status of the answer (303: done, 422: refused)."""
        url = f"{self.info['pages']}/record/{kind}/{id}"
        return httpx2.post(url, data=form, timeout=60, trust_env=False, follow_redirects=False).status_code

    def writes(self) -> list[dict[str, Any]]:
        """The org's own log of what was written through its API since the test began."""
        return self.playground.org.write_log(self.log_mark)

    def setting(self, section: str, **values: Any) -> None:
        """Change candor.toml."""
        document: Any = tomlkit.parse(self.config.read_text())
        document.setdefault(section, {}).update(values)
        self.config.write_text(tomlkit.dumps(document))

    def close(self) -> None:
        for started in self._started:
            if started.process.is_alive():
                started.kill()


def candor_in(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Process:
    """`candor <arguments>`, started in `folder`."""
    said = Path(tempfile.mkdtemp(prefix="process-", dir=folder))
    told = (arguments, folder, said, dict(env or {}), shared_plans.folder())
    process = _fork.Process(target=_candor, args=told)
    process.start()
    return Process(process, said)


def _candor(
    arguments: tuple[str, ...], folder: Path, said: Path, env: Mapping[str, str], plans: Path | None
) -> None:
    os.chdir(folder)
    for stream, name in ((sys.stdout, "out"), (sys.stderr, "err")):
        file = os.open(said / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, stream.fileno())
    os.environ.update(env)
    shared_plans.share(plans)
    sys.argv = ["candor", *arguments]
    from connector.cli.main import main

    main()


# --- made once -------------------------------------------------------------------------------------------------------


class Made:
    """What is made once, and copies of it. `root` is shared by the session's workers, `own` is this worker's."""

    def __init__(self, root: Path, own: Path) -> None:
        self._root, self._own = root, own
        self._stack = contextlib.ExitStack()
        self._servers: dict[str, str] = {}
        self._count = 0

    def close(self) -> None:
        self._stack.close()

    @contextlib.contextmanager
    def loop(self, crm: str, state: State, folder: Path, *, embedded: bool = False) -> Iterator[Loop]:
        """An installation in that state, in `folder`. `embedded`: on a built-in database of its own."""
        made = self._made(crm)
        folder.mkdir(parents=True, exist_ok=True)
        org = "settled" if state == "settled" else "fresh"
        shutil.copytree(made / f"playground-{org}", folder / "playground")
        if embedded:
            shutil.copytree(made / "database", folder / "candor-data" / "database")
            with EmbeddedServer(folder / "candor-data" / "database") as server:
                _admin(
                    server.url,
                    'alter database postgres rename to "was"',
                    f'alter database "{state}" rename to postgres',
                )
            store: dict[str, str] = {"data": "candor-data"}
        else:
            self._count += 1
            name = f"case_{self._count}"
            url = self._server(crm)
            _admin(url, f'create database {name} template "{state}"')
            store = {"data": "candor-data", "url": url.replace("/postgres?", f"/{name}?")}
        with local_crm(crm, folder / "playground") as (playground, info):
            document: Any = tomlkit.parse((made / "candor.toml").read_text())
            document["store"] = store
            document["clock_url"] = info["clock_url"]
            document["crm"]["url"], document["crm"]["token_file"] = info["url"], str(info["token_file"])
            if info["ca"]:
                document["crm"]["ca"] = str(info["ca"])
            (folder / "candor.toml").write_text(tomlkit.dumps(document))
            log = playground.org.write_log()
            loop = Loop(crm, folder, playground, info, log[-1]["seq"] if log else 0)
            try:
                yield loop
            finally:
                loop.close()
                if not embedded:
                    _admin(url, f"drop database {name} with (force)")

    def database(self) -> tuple[str, Callable[[], None]]:
        """A new, empty database of this worker's: its url, and how to be rid of it."""
        if "plain" not in self._servers:
            self._servers["plain"] = self._stack.enter_context(EmbeddedServer(self._own / "plain")).url
            _admin(self._servers["plain"], "alter system set fsync = off", "select pg_reload_conf()")
        self._count += 1
        url, name = self._servers["plain"], f"case_{self._count}"
        _admin(url, f"create database {name}")
        return url.replace("/postgres?", f"/{name}?"), lambda: _admin(
            url, f"drop database {name} with (force)"
        )

    def _server(self, crm: str) -> str:
        """The url of this worker's PostgreSQL, on a copy of the databases made once."""
        if crm not in self._servers:
            shutil.copytree(self._made(crm) / "database", self._own / crm)
            url = self._stack.enter_context(EmbeddedServer(self._own / crm)).url
            _admin(url, "alter system set fsync = off", "select pg_reload_conf()")
            self._servers[crm] = url
        return self._servers[crm]

    def _made(self, crm: str) -> Path:
        folder = self._root / crm
        with (self._root / f"{crm}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "done").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                _make(crm, folder)
                (folder / "done").touch()
        return folder


@contextlib.contextmanager
def open_store_in(made: Made, folder: Path) -> Iterator[Store]:
    """An empty store of this test's own."""
    url, drop = made.database()
    with open_store(folder, url) as store:
        yield store
    drop()


def _make(crm: str, folder: Path) -> None:
    with EmbeddedServer(folder / "database") as server, contextlib.ExitStack() as stack:
        playground, info = stack.enter_context(local_crm(crm, folder / "playground"))
        config = folder / "candor.toml"
        told = ["init", "--config", str(config), "--crm", crm, "--yes", "--json"]
        for name in ("url", "token_file", "ca", "clock_url", "tracked_since"):
            told += [f"--{name.replace('_', '-')}", str(info[name])] if info[name] else []
        candor_in(folder, *told).end().json()
        document: Any = tomlkit.parse(config.read_text())
        document["store"] = {"data": str(folder / "candor-data"), "url": server.url}
        config.write_text(tomlkit.dumps(document))
        settings = load(config)
        with open_context(settings) as context:
            provision(context)
            remember_org(context)
            pull(context)
            train_model(context)
        playground.org.sql("pragma wal_checkpoint(truncate)")
        shutil.copytree(folder / "playground", folder / "playground-fresh")
        _admin(server.url, 'create database "trained" template postgres')
        with open_context(settings) as context:
            context.store.put("paused", {"reason": "a test", "since": context.clock.now().isoformat()})
            sync(context)
            context.store.forget("paused")
        _admin(server.url, 'create database "waiting" template postgres')
        with open_context(settings) as context:
            sync(context)
            sync(context)
        _admin(server.url, 'create database "settled" template postgres')
        playground.org.sql("pragma wal_checkpoint(truncate)")
        shutil.copytree(folder / "playground", folder / "playground-settled")


def _admin(url: str, *statements: str) -> None:
    import psycopg

    plain = url.replace("postgresql+psycopg", "postgresql").replace("/postgres?", "/template1?")
    with psycopg.connect(plain, autocommit=True) as db:
        for statement in statements:
            db.execute(statement)  # type: ignore[call-overload]

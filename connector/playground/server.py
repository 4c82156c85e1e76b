"""The local CRM as a process: the vendor's API on one port, pages and control on another, on 127.0.0.1 only.

The org lives in `data`: org.sqlite (survives a kill), truth.json, token, ca.pem, and playground.json, which
is written when both ports answer and says where they are. A restart goes on where the last one ended, on the
same ports.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args

import orjson
import structlog
import uvicorn
from fastapi import FastAPI

from connector.errors import CandorError
from connector.playground import tls
from connector.playground.control import Faults, HoldWrites, routes
from connector.playground.desk import Desk
from connector.playground.org import Org
from connector.playground.pages.app import create_pages
from connector.playground.world.arrivals import Arrivals
from connector.playground.world.generate import NOW
from connector.playground.world.model import Truth
from connector.playground.world.options import WorldOptions
from connector.playground.world.scenario import Reps, Scenario
from connector.playground.world.truth import read_truth, write_truth

Vendor = Literal["salesforce", "hubspot"]
HOST = "127.0.0.1"

log = structlog.get_logger()


class PlaygroundError(CandorError):
    """The local CRM can't be started."""


@dataclass(frozen=True, slots=True)
class Playground:
    """An open org with its two apps."""

    crm: Vendor
    org: Org
    desk: Desk
    truth: Truth
    token: str
    faults: Faults
    api: HoldWrites
    pages: FastAPI

    def close(self) -> None:
        self.org.close()


def open_playground(crm: Vendor, data: Path, options: WorldOptions = WorldOptions()) -> Playground:
    """Open the org in `data`, made and seeded when new."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    vendor = f"connector.playground.{crm}"
    org = Org(data / "org.sqlite")
    token_file = data / "token"
    held = org.meta("crm")
    if held not in (None, crm):
        org.close()
        raise PlaygroundError(f"{data} holds a {held} org.", fix="Name another folder.")
    if org.meta("seeded") is None:
        log.info("seeding", crm=crm, world=str(options))
        world, truth = options.make()
        write_truth(data / "truth.json", truth)
        with org.transaction():
            import_module(f"{vendor}.seed").seed(org, world)
            org.set_meta("crm", crm)
            org.set_meta("seeded", {k: str(v) for k, v in asdict(options).items()})
            scenario = options.played()
            org.set_meta("scenario", None if scenario is None else scenario.model_dump())
    token = str(org.meta("token") or secrets.token_urlsafe(32))
    if not token_file.exists():
        tls.secret(token_file, token.encode())
    org.set_meta("token", token)
    truth = read_truth(data / "truth.json")
    desk: Desk = import_module(f"{vendor}.desk").open_desk(org)
    faults = Faults()
    arrivals, played = _arrivals(org), org.meta("scenario")
    team = Reps() if played is None else Scenario.model_validate(played).reps

    def react(days: float, seed: int) -> dict[str, int]:
        reps = import_module("connector.playground.world.reps")
        counts: dict[str, int] = reps.react(desk, org, truth, days, seed, arrivals, team)
        return counts

    api = HoldWrites(import_module(f"{vendor}.app").create_app(org), faults)
    pages = create_pages(desk, org, routes(org, faults, react))
    return Playground(crm, org, desk, truth, token, faults, api, pages)


def _arrivals(org: Org) -> Arrivals | None:
    """Who comes after hand-over, by what the org was filled with; to real rows nobody does."""
    scenario, seeded = org.meta("scenario"), org.meta("seeded")
    if scenario is None or scenario.get("data") is not None:
        return None
    a_month = int(seeded["leads"]) / int(seeded["months"])
    return Arrivals(Scenario.model_validate(scenario), a_month, int(seeded["seed"]), NOW)


def column_field(crm: str, name: str) -> str:
    """What a local CRM calls the lead field that holds a world's column."""
    named: str = import_module(f"connector.playground.{crm}.seed").column_field(name)
    return named


def serve(
    crm: Vendor, data: Path, port: int = 0, pages_port: int = 0, options: WorldOptions = WorldOptions()
) -> None:
    """Run until SIGTERM or SIGINT. Port 0: the port of the last time, or a free one."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _only_one(data):
        last = read_info(data) or {}
        (data / "playground.json").unlink(missing_ok=True)
        api_socket = _listen(port, _port_of(last.get("url")))
        pages_socket = _listen(pages_port, _port_of(last.get("pages")))
        playground = open_playground(crm, data, options)
        try:
            asyncio.run(_run(playground, data, api_socket, pages_socket))
        finally:
            playground.close()


class _Server(uvicorn.Server):
    """One of two in a loop: signals are handled once for both, and readiness is an event."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


async def _run(playground: Playground, data: Path, api: socket.socket, pages: socket.socket) -> None:
    common: dict[str, Any] = {"log_config": None, "access_log": False, "timeout_graceful_shutdown": 2}
    secure: dict[str, Any] = {"ssl_certfile": tls.authority(data)} if playground.crm == "salesforce" else {}
    servers = (
        _Server(uvicorn.Config(playground.api, server_header=False, **secure, **common)),
        _Server(uvicorn.Config(playground.pages, **common)),
    )

    def stop() -> None:
        playground.faults.release()
        for server in servers:
            server.should_exit = True

    for sig in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sig, stop)
    running = asyncio.gather(servers[0].serve([api]), servers[1].serve([pages]))
    ready = asyncio.gather(*(server.ready.wait() for server in servers))
    await asyncio.wait((running, ready), return_when=asyncio.FIRST_COMPLETED)
    if ready.done():
        _write_info(playground, data, api, pages)
        log.info("ready", pages=_address("http", pages), next=f"candor init --playground {data}")
    ready.cancel()
    await running


def _write_info(playground: Playground, data: Path, api: socket.socket, pages: socket.socket) -> None:
    salesforce = playground.crm == "salesforce"
    info = {
        "crm": playground.crm,
        "url": _address("https" if salesforce else "http", api),
        "pages": _address("http", pages),
        "clock_url": _address("http", pages) + "/clock",
        "token_file": str((data / "token").resolve()),
        "ca": str((data / "ca.pem").resolve()) if salesforce else None,
        "tracked_since": "1970-01-01" if salesforce else None,
        "pid": os.getpid(),
    }
    new = data / "playground.json.new"
    new.write_bytes(orjson.dumps(info, option=orjson.OPT_INDENT_2))
    new.replace(data / "playground.json")


def read_info(data: Path) -> dict[str, Any] | None:
    """playground.json, if there is one; it may be of a process that is gone."""
    try:
        found: dict[str, Any] = orjson.loads((data / "playground.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return found


def launch(
    crm: Vendor, data: Path, options: WorldOptions = WorldOptions(), *, wait: float = 120
) -> tuple[subprocess.Popen[bytes], Mapping[str, Any]]:
    """Start the local CRM as a process of its own: (process, playground.json), once it answers. It ends when the one who
    started it does, however that one ends, unless it was let go (`let_go`)."""
    command = [
        sys.executable,
        "-m",
        "connector.playground.server",
        "--attached",
        "--crm",
        crm,
        "--data",
        str(data),
    ]
    for name, value in asdict(options).items():
        command += [f"--{name}", str(value)] if value is not None else []
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (data / "server.err").open("wb") as said:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
        )
    try:
        end = time.monotonic() + wait
        while (info := read_info(data)) is None or info["pid"] != process.pid:
            if process.poll() is not None:
                why = (data / "server.err").read_text(errors="replace").strip().splitlines()[-1:]
                raise PlaygroundError(*why or [f"The local CRM ended with code {process.returncode}."])
            if time.monotonic() > end:
                raise PlaygroundError(f"The local CRM was not ready in {wait:.0f} s.")
            time.sleep(0.05)
    except BaseException:
        _end(process)
        raise
    return process, info


@contextlib.contextmanager
def launched(
    crm: Vendor, data: Path, options: WorldOptions = WorldOptions(), *, wait: float = 120
) -> Iterator[tuple[subprocess.Popen[bytes], Mapping[str, Any]]]:
    """The same, ended with the block; one that was let go is ended by nobody (`candor demo --keep`)."""
    process, info = launch(crm, data, options, wait=wait)
    try:
        yield process, info
    except GeneratorExit:
        return
    except BaseException:
        _end(process)
        raise
    _end(process)


def let_go(process: subprocess.Popen[bytes]) -> None:
    """The local CRM stays up when its starter ends."""
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.close()


def _attached() -> None:
    """End with whoever started this process: standard input is a pipe that they hold, and a byte on it sets us free."""

    def watch() -> None:
        if not os.read(sys.stdin.fileno(), 1):
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _listen(port: int, last: int) -> socket.socket:
    for choice in (port,) if port else (last, 0):
        with contextlib.suppress(OSError):
            bound = socket.create_server((HOST, choice))
            # asyncio leaves this off here, and each answer would wait 40 ms for the client's acknowledgement
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return bound
    raise PlaygroundError(f"Port {port} is taken.", fix="Name another one, or 0 for any free one.")


def _port_of(url: object) -> int:
    return int(str(url).rsplit(":", 1)[1]) if url else 0


def _address(scheme: str, bound: socket.socket) -> str:
    return f"{scheme}://{HOST}:{bound.getsockname()[1]}"


@contextlib.contextmanager
def _only_one(data: Path) -> Iterator[None]:
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise PlaygroundError(f"Another local CRM is running on {data}.", fix="Stop it first.") from error
        yield


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="connector.playground.server", description=__doc__)
    parser.add_argument("--crm", choices=get_args(Vendor), required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the org, made when new")
    parser.add_argument(
        "--attached", action="store_true", help="end when standard input does, unless a byte came first"
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--pages-port", type=int, default=0)
    parser.add_argument("--leads", type=int, default=5000)
    parser.add_argument("--months", type=int, default=18)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--mapping", type=Path)
    parser.add_argument("--events", type=Path)
    parser.add_argument(
        "--scenario", help="a scenario file, or the name of a shipped one (docs/scenarios.md)"
    )
    asked = parser.parse_args(arguments)
    options = WorldOptions(
        asked.leads, asked.months, asked.seed, asked.csv, asked.mapping, asked.scenario, asked.events
    )
    if asked.attached:
        _attached()
    try:
        serve(asked.crm, asked.data, asked.port, asked.pages_port, options)
    except CandorError as error:
        parser.exit(error.exit_code, f"{error}\n")


if __name__ == "__main__":
    main()

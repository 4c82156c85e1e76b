"""A local CRM inside the test's process, and a wire that can be cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn


class Switch:
    """An ASGI app that is another one's stand-in: one server serves each test's own org."""

    def __init__(self) -> None:
        self.app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@contextlib.contextmanager
def serving(app: Any, key: Path | None) -> Iterator[int]:
    """The port that `app` answers on; by TLS when there is a key."""
    listener = listening()
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", ssl_certfile=key, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(5)
        listener.close()


def listening() -> socket.socket:
    """On a free port. The protocol is named, or asyncio would leave Nagle's delay on: 40 ms an answer."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


class Wire:
    """Passes bytes to a port and back, until it is told to cut the next answer: the request gets through, the answer
    doesn't."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._cut = threading.Event()
        self._once = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_next_answer(self, *, once: bool = False) -> None:
        """The next one, and unless `once` each one after it."""
        self._once = once
        self._cut.set()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                threading.Thread(target=self._pass, args=(near, far, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(far, near, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if answers and self._cut.is_set():
                    if self._once:
                        self._cut.clear()
                    break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

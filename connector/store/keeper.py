"""The process that keeps the built-in PostgreSQL up while anyone uses it, and takes it down after the last one.

    python keeper.py USERS_LOCK OWNER_LOCK_FD COMMAND…

Every process that uses the server holds a shared lock on the file USERS_LOCK; the kernel lets it go however that process
ends. When the keeper gets it for itself, nobody is left. It imports the standard library only, so that it starts at once.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading

_PR_SET_PDEATHSIG = 1
_STOP_SECONDS = 30.0


def keep(users: str, owner: int, command: list[str]) -> int:
    """Run the server until its last user is gone (or it ends by itself). Its exit code."""
    # The server holds the owner's lock too: it is free when the last of its processes is gone, not when we are.
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent, pass_fds=(owner,)
    )
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # Who stops a service stops all its processes at once; the users still need the server to end their pass.
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_stop_after_the_last, args=(users, server), daemon=True).start()
    return server.wait()


def _stop_after_the_last(users: str, server: subprocess.Popen[bytes]) -> None:
    handle = os.open(users, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    server.send_signal(signal.SIGINT)
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))

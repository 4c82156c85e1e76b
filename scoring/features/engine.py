"""Where features are computed. The expressions are the same everywhere; what differs between engines stands here
(and in spark.py), so that build.py knows none of them.

    duckdb                      in this process, spilling to a folder of its own: the default
    duckdb:///crm/as_of.duckdb  the same, and the tables of that file can be read (never written)
    spark://local[2]            Spark in this process's own JVM, here with two cores
    spark://host:7077           a Spark cluster's standalone master; several for one that is highly available: host:7077,other:7077
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
import weakref
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import ibis
from ibis.common.exceptions import TableNotFound

from scoring.errors import EngineError

DEFAULT = "duckdb"

_LOCAL = re.compile(r"local\[(\d+|\*)\]")
_ADDRESS = re.compile(r"([\w.-]+|\[[0-9a-fA-F:]+\]):(\d+)")
_FORMS = "Set CANDOR_ENGINE to duckdb, duckdb:///path/to/file, spark://local[2] or spark://host:7077."
_PATIENCE_SECONDS = 5
"""How long a Spark master may take to accept a connection; Spark itself would try for a minute."""


def connect(url: str = DEFAULT, *, threads: int = 1, memory: str | None = None) -> Any:
    """An Ibis connection to the engine. `threads` and `memory` ("4GB", beyond which it spills; DuckDB's own limit is 80 %
    of the machine's) are of DuckDB in this process. Raises EngineError, which says how to mend
    it, when there is no such engine, a part of it is not installed, or it doesn't answer."""
    ready(url)
    scheme, rest = _parts(url)
    if scheme == "spark":
        from scoring.features import spark

        return spark.connect(rest if _LOCAL.fullmatch(rest) else url)
    return _duckdb(rest, threads, memory)


def named(con: Any, name: str) -> Any:
    """A table or view that the engine has: "activities", "crm.activities", "lake.crm.activities". Raises EngineError."""
    *where, table = name.split(".")
    try:
        return con.table(table, database=tuple(where) or None)
    except TableNotFound:
        raise EngineError(
            f"The engine has no table {name}.",
            fix="Mend [warehouse] in candor.toml, or make that table or view.",
        ) from None


def ready(url: str) -> str:
    """What engine this is, for people, after a look whether it can be used; it is not started. Raises EngineError."""
    scheme, rest = _parts(url)
    if scheme == "duckdb":
        if rest and not Path(rest).is_file():
            raise EngineError(f"The engine {url} names no file: there is no {rest}.", fix=_FORMS)
        if rest:
            _opened(url, rest)
        return f"DuckDB in this process{f', with the tables of {rest}' if rest else ''}"
    if find_spec("pyspark") is None:
        raise EngineError(
            f"The engine {url} needs PySpark, which is not installed.", fix="Run pip install 'candor[spark]'."
        )
    if not _java():
        raise EngineError(
            f"The engine {url} needs Java, and there is no `java` on this machine.",
            fix="Install Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless), or set JAVA_HOME.",
        )
    if _LOCAL.fullmatch(rest):
        return f"Spark in this process, {rest}"
    _answering(url, rest)
    return f"Spark at {rest}"


def _opened(url: str, file: str) -> None:
    """It can be read as a database."""
    try:
        duckdb.connect(file, read_only=True).close()
    except duckdb.Error as error:
        why = str(error).splitlines()[0].partition(": ")[2] or type(error).__name__
        raise EngineError(f"The engine {url} can't be opened: {why}", fix=_FORMS) from None


def _parts(url: str) -> tuple[str, str]:
    """The scheme, and what stands behind it: a file's path or "" for DuckDB, a master for Spark."""
    scheme, _, rest = url.partition("://")
    if scheme == "duckdb":
        return scheme, rest
    addressed = rest and all(_ADDRESS.fullmatch(one) for one in rest.split(","))
    if scheme == "spark" and (addressed or _LOCAL.fullmatch(rest)):
        return scheme, rest
    raise EngineError(f"There is no engine {re.sub('//.*@', '//', url)!r}.", fix=_FORMS)


def _java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=f"{home}/bin" if home else None) is not None


def _answering(url: str, addresses: str) -> None:
    """One of the masters accepts a connection."""
    why: list[str] = []
    for address in addresses.split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _PATIENCE_SECONDS).close()
        except (OSError, OverflowError) as error:
            why.append(f"{address}: {getattr(error, 'strerror', None) or error}")
        else:
            return
    raise EngineError(
        f"No Spark answers for the engine {url} ({'; '.join(why)}).",
        fix="Start its master, mend CANDOR_ENGINE, or unset it to compute in this process.",
    )


def _duckdb(file: str, threads: int, memory: str | None) -> Any:
    """In memory or on a file that is only read, spilling into a folder that goes with the connection. It fetches no
    extension."""
    folder = tempfile.mkdtemp(prefix="candor-features-")
    con = ibis.duckdb.connect(
        file or ":memory:",
        read_only=bool(file),
        threads=threads,
        temp_directory=folder,
        autoinstall_known_extensions=False,
        autoload_known_extensions=False,
        **({} if memory is None else {"memory_limit": memory}),
    )
    weakref.finalize(con, shutil.rmtree, folder, ignore_errors=True)
    return con

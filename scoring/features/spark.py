"""Spark, with what the feature builder asks of an engine beside expressions: temporary tables that are computed once, and
Arrow in and out without pandas in between (which turns whole numbers with blanks into floats).

Imports PySpark; engine.py alone imports this, when a setting names Spark. The workers of a cluster need nothing of
Candor's, not even Python: everything is SQL.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import sqlglot.expressions as sge
from ibis.backends.pyspark import Backend
from ibis.backends.pyspark.datatypes import PySparkSchema, PySparkType
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from ibis.common.exceptions import TableNotFound
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.functions import col
from pyspark.sql.types import TimestampType

from scoring.errors import EngineError

_QUIET = """\
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.filter.errors.type = ThresholdFilter
appender.console.filter.errors.level = error
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = spark: %m%n
"""
"""Errors only, on stderr, where warnings of every start would stand otherwise."""


def connect(master: str) -> Any:
    """A Spark application on `master`, ended by the connection's `disconnect`. Raises EngineError.

    Memory, cores and the driver's address are Spark's own settings: spark-defaults.conf in $SPARK_CONF_DIR.
    """
    folder = Path(tempfile.mkdtemp(prefix="candor-spark-"))
    (folder / "log4j2.properties").write_text(_QUIET)
    gentle: dict[str, object] = {
        "log4j2.configurationFile": folder / "log4j2.properties",
        "spark.sql.warehouse.dir": folder,
    }
    firm: dict[str, Any] = {
        "spark.app.name": "candor features",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        # Spark 4.3 keeps what it knows of a checkpoint's rows in names that the checkpoint has no more, and fails on a
        # union of two ("key not found").
        "spark.sql.constraintPropagation.enabled": "false",
    }
    if master.startswith("local"):
        gentle |= {"spark.local.dir": folder, "spark.sql.shuffle.partitions": _cores(master)}
        firm |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    # Properties of the JVM give way to spark-defaults.conf, what the builder is told does not.
    firm["spark.driver.defaultJavaOptions"] = " ".join(f"-D{name}={value}" for name, value in gentle.items())
    try:
        session = SparkSession.builder.master(master).config(map=firm).getOrCreate()
    except (PySparkException, Py4JError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise EngineError(
            f"Spark did not start on {master}: {str(error).splitlines()[0]}",
            fix="Check that `java -version` is 17 or newer, that a master of Spark 4.3 is at that address, and the settings "
            "in $SPARK_CONF_DIR.",
        ) from error
    ibis.options.pyspark = Backend.Options()  # what `ibis.pyspark` would do
    con = Spark().connect(session)
    weakref.finalize(con, shutil.rmtree, folder, ignore_errors=True)
    return con


def _cores(master: str) -> int:
    asked = master[len("local[") : -1]
    return os.cpu_count() or 1 if asked == "*" else int(asked)


class _Compiler(PySparkCompiler):  # type: ignore[misc]
    """The four operations that ibis 12 writes so that Spark means something else by them than every other engine."""

    __slots__ = ()

    def visit_Strip(self, op: Any, *, arg: Any) -> Any:
        """Spark reads "\\v" and "\\f" in ibis' list of blanks as the letters v and f, and takes these off."""
        return self.f.regexp_replace(arg, r"\A[ \t\n\r\x0b\f]+|[ \t\n\r\x0b\f]+\z", "")

    def visit_CountStar(self, op: Any, *, arg: Any, where: Any) -> Any:
        """A sum, which ibis writes, is blank and not 0 where the condition is."""
        return self.f.count(sge.Star() if where is None else self.if_(where, 1, sge.null()))

    def visit_Median(self, op: Any, *, arg: Any, where: Any) -> Any:
        """Ibis puts the condition around the 0.5, too, which must be a constant."""
        return self.f.percentile(arg if where is None else self.if_(where, arg, sge.null()), 0.5)

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:
        """A time as a number: microseconds, not Spark's seconds."""
        if op.arg.dtype.is_timestamp() and to.is_integer():
            return self.f.anon.unix_micros(arg)
        return super().visit_Cast(op, arg=arg, to=to)


class Spark(Backend):  # type: ignore[misc]
    """Ibis' backend; a temporary table is computed at once and held by the workers until it is dropped."""

    supports_temporary_tables = True
    compiler = _Compiler()

    def create_table(self, name: str, /, obj: Any = None, *, temp: bool | None = None, **options: Any) -> Any:
        if not temp:
            return super().create_table(name, obj, temp=temp, **options)
        rows = self._session.createDataFrame(obj) if isinstance(obj, pa.Table) else self._promised(obj)
        rows.localCheckpoint().createTempView(name)
        return self.table(name)

    def _promised(self, expr: Any) -> Any:
        """The rows, in the types that ibis says they have: of some functions' results (row_number) it is mistaken."""
        found = self._session.sql(self.compile(expr))
        kinds = PySparkSchema.from_ibis(expr.schema()).fields
        return found.select(*(col(f"`{kind.name.replace('`', '``')}`").cast(kind.dataType) for kind in kinds))

    def drop_table(self, name: str, /, *, force: bool = False, **options: Any) -> None:
        if not self._session.catalog.dropTempView(name):
            super().drop_table(name, force=force, **options)

    def get_schema(
        self, table_name: str, /, *, catalog: str | None = None, database: str | None = None
    ) -> Any:
        """Times with their zone, which ibis leaves out: Spark's TIMESTAMP is a moment, TIMESTAMP_NTZ is none."""
        parts = [part.replace("`", "``") for part in (catalog, database, table_name) if part]
        try:
            columns = self._session.table(".".join(f"`{part}`" for part in parts)).schema.fields
        except PySparkException as error:
            raise TableNotFound(table_name) from error
        return ibis.schema({
            column.name: "timestamp('UTC')"
            if isinstance(column.dataType, TimestampType)
            else PySparkType.to_ibis(column.dataType)
            for column in columns
        })  # fmt: skip

    def to_pyarrow(self, expr: Any, /, **options: Any) -> Any:
        wanted = expr.as_table()
        found = self._session.sql(self.compile(wanted, **options)).toArrow()
        return expr.__pyarrow_result__(found.cast(wanted.schema().to_pyarrow()))

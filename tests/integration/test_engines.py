"""The engine of the features by URL: which there are, that they agree to the last digit, what each says when it can't be used."""

from __future__ import annotations

import shutil
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from scoring.errors import EngineError
from scoring.features import Inputs, build, connect, engine
from tests.unit.feature_days import FACTS
from tests.unit.feature_worlds import worlds

HERE = "spark://local[1]"
TABLES = ("leads", "changes", "activities")
QUICK: dict[str, object] = {
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
"""For a JVM that lives a minute and never meets a large table: what is compiled is not worth it."""

needs_spark = pytest.mark.skipif(
    find_spec("pyspark") is None or shutil.which("java") is None, reason="no Spark: make spark"
)


def unlike(one: pa.Table, other: pa.Table) -> dict[str, list[Any]]:
    """Column -> the first pairs of values that differ."""
    pairs = {
        name: zip(one[name].to_pylist(), other[name].to_pylist(), strict=True) for name in one.column_names
    }
    return {name: bad[:3] for name, both in pairs.items() if (bad := [(a, b) for a, b in both if a != b])}


@needs_spark
@pytest.mark.long
def test_spark_gives_what_duckdb_gives_on_50_random_worlds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One session for all that is asked of Spark: its start costs more than the features do."""
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    settings = QUICK | {"spark.sql.warehouse.dir": tmp_path / "lake"}
    (tmp_path / "spark-defaults.conf").write_text(
        "".join(f"{name} {value}\n" for name, value in settings.items())
    )
    given = worlds(range(50))
    here = build(connect(), given, FACTS)
    assert all(len(set(column.to_pylist())) > 1 for column in here.columns)  # a constant would show nothing
    spark = connect(HERE)
    try:
        spark.raw_sql("CREATE DATABASE crm")
        for name in ("changes", "activities"):
            spark.create_table(name, getattr(given, name), temp=True)
            spark.create_table(name, spark.table(name), database="crm")
            spark.drop_table(name)
        there = {name: engine.named(spark, f"crm.{name}") for name in ("changes", "activities")}
        found = build(spark, Inputs(given.points, given.leads, **there), FACTS)
        assert unlike(found, here) == {}
        assert found.equals(here)
        for missing in ("crm.deals", "nowhere.deals", "deals"):
            with pytest.raises(EngineError, match=f"no table {missing}. Mend"):
                engine.named(spark, missing)
        assert spark.raw_sql("SHOW TABLES").collect() == []  # nothing is left behind
    finally:
        spark.disconnect()


def test_tables_in_a_file_of_duckdb_are_read_where_they_lie(tmp_path: Path) -> None:
    given = worlds(range(3))
    file = tmp_path / "as_of.duckdb"
    with duckdb.connect(str(file)) as warehouse:
        warehouse.execute("CREATE SCHEMA crm; SET TimeZone = 'Asia/Kolkata'")
        for name in TABLES:
            warehouse.register("rows_", getattr(given, name))
            warehouse.execute(f"CREATE TABLE crm.{name} AS FROM rows_")
        warehouse.execute(f"COPY crm.activities TO '{tmp_path}/touches.parquet'")
        warehouse.execute(f"CREATE VIEW touches AS FROM '{tmp_path}/touches.parquet'")
    before = file.read_bytes()
    con = connect(f"duckdb://{file}")
    there = {name: engine.named(con, f"crm.{name}") for name in TABLES}
    expected = build(connect(), given, FACTS)
    assert build(con, Inputs(given.points, **there), FACTS).equals(expected)
    assert build(
        con, Inputs(given.points, **{**there, "activities": engine.named(con, "touches")}), FACTS
    ).equals(expected)
    with pytest.raises(EngineError, match=r"no table deals. Mend \[warehouse\]"):
        engine.named(con, "deals")
    con.disconnect()
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "url",
    [
        "",
        "spark",
        "spark://",
        "spark://host",
        "spark://local",
        "spark://local[0.5]",
        "spark://a:1,b",
        "postgresql://u:p@h/d",
    ],
)
def test_what_is_no_engine_is_named_with_what_is(url: str) -> None:
    with pytest.raises(
        EngineError, match=r"no engine .* Set CANDOR_ENGINE to duckdb, .* spark://host:7077\.$"
    ) as error:
        connect(url)
    assert "u:p@" not in str(error.value)  # a password is nobody's to read


def test_what_an_engine_lacks_is_one_line_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def says(url: str) -> str:
        with pytest.raises(EngineError) as error:
            engine.ready(url)
        return str(error.value)

    found: Any = object()
    assert f"there is no {tmp_path}/none.duckdb" in says(f"duckdb://{tmp_path}/none.duckdb")
    (tmp_path / "plain.txt").write_text("no database at all, but long enough to be looked at as one" * 100)
    assert "plain.txt can't be opened: " in says(f"duckdb://{tmp_path}/plain.txt")
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    assert says(HERE).endswith("is not installed. Run pip install 'candor[spark]'.")
    monkeypatch.setattr(engine, "find_spec", lambda name: found)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert "there is no `java`" in says(HERE)
    assert "apt-get install openjdk-17-jre-headless" in says(HERE)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").write_text("")
    (tmp_path / "bin" / "java").chmod(0o755)
    assert engine.ready(HERE) == "Spark in this process, local[1]"
    with socket.socket() as master:
        master.bind(("127.0.0.1", 0))
        port = master.getsockname()[1]
        assert f"(127.0.0.1:{port}: Connection refused). Start its master" in says(
            f"spark://127.0.0.1:{port}"
        )
        master.listen()
        assert engine.ready(f"spark://127.0.0.1:{port}") == f"Spark at 127.0.0.1:{port}"


def test_the_default_is_duckdb_in_this_process() -> None:
    assert engine.ready(engine.DEFAULT) == "DuckDB in this process"

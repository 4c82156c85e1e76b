"""The features of a large org (SPEC S2, issue 12): 1 M leads from 20 M activities on 2 cores, against SQL written by hand for
DuckDB (rivals/scale.sql), and at a tenth of that size against pandas and featuretools (rivals/, in an environment of their own);
then 100 leads of it alone.

`python -m benchmarks features_scale --leads 100000 --activities 2000000` runs it smaller. Every contender has a process of its
own; its memory is that process's peak. Both clocks are shown: the wall's is what a bar means, CPU seconds tell how much of it
other programs on the machine took.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks import scale_org
from benchmarks.row import Row
from scoring.features import Inputs, build, connect, firmographic

RIVALS = Path(__file__).parent / "rivals"
MEMORY = "3GB"
"""What DuckDB may hold before it spills; results and Python come on top."""
THREADS = 2
FEW = 100


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--activities", type=int, default=20_000_000)
    parser.add_argument(
        "--rivals-leads", type=int, help="leads for pandas and featuretools (default: a tenth)"
    )
    parser.add_argument("--rivals-python", help="a Python that has rivals/requirements.txt (default: made)")


def run(options: argparse.Namespace) -> list[Row]:
    print(f"  {_machine()}")
    with tempfile.TemporaryDirectory(prefix="candor-scale-") as kept:
        folder = Path(kept)
        org = _org(folder / "org", options.leads, options.activities)
        ours, by_hand = _child("ours", org), _child("by_hand", org)
        rows = [
            Row("leads", ours["leads"]),
            Row("seconds, Candor", ours["wall"], note=f"{ours['cpu']:.0f} s of CPU"),
            Row("seconds, SQL by hand", by_hand["wall"], note=f"{by_hand['cpu']:.0f} s of CPU"),
            _bar("Candor / SQL by hand, wall", ours["wall"] / by_hand["wall"], "≤ 1.5", lambda x: x <= 1.5),
            Row("Candor / SQL by hand, CPU", ours["cpu"] / by_hand["cpu"]),
            _bar(
                "values that differ from SQL by hand",
                _differing(org, "ours", "by_hand"),
                "0",
                lambda x: x == 0,
            ),
            _bar("peak memory, GB", ours["gb"], "≤ 6", lambda x: x <= 6),
            Row("peak memory of SQL by hand, GB", by_hand["gb"]),
        ]
        few = _child("few", org)
        rows.append(
            _bar(
                f"seconds for {FEW} touched leads",
                few["wall"],
                "≤ 1",
                lambda x: x <= 1,
                f"{few['cpu']:.2f} s of CPU",
            )
        )
        rows.append(
            Row(
                "their companies: leads",
                few["companies"],
                note=f"first time in a process {few['first']:.1f} s",
            )
        )
        rows += _rivals(folder, options, ours)
        return rows


def _rivals(folder: Path, options: argparse.Namespace, whole: dict[str, float]) -> Iterator[Row]:
    leads = options.rivals_leads or options.leads // 10
    org = _org(folder / "small", leads, round(options.activities * leads / options.leads))
    python = options.rivals_python or _environment(folder / "env")
    ours = _child("ours", org)
    yield Row(
        "leads a second at the rivals' size, Candor", leads / ours["wall"], note=f"{ours['cpu']:.1f} s of CPU"
    )
    for name, least, extra in (("pandas", 20, [str(org / "words.parquet")]), ("featuretools", 50, [])):
        _child("words", org)
        command = [
            python,
            str(RIVALS / f"scale_{name}.py"),
            str(org),
            str(scale_org.NOW),
            *extra,
            str(org / f"{name}.parquet"),
        ]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        wall, cpu = float(told[-3]), float(told[-2])
        wrong = _differing(org, "ours", name)
        yield Row(
            f"leads a second, {name}", leads / wall, note=f"{cpu:.1f} s of CPU, {wrong:.0f} values differ"
        )
        yield _bar(f"Candor / {name}", wall / ours["wall"], f"≥ {least}", lambda x, least=least: x >= least)


def _org(folder: Path, leads: int, activities: int) -> Path:
    folder.mkdir()
    start = time.perf_counter()
    scale_org.make(folder, leads, activities)
    print(f"  an org of {leads:,} leads in {time.perf_counter() - start:.0f} s", flush=True)
    return folder


def _environment(folder: Path) -> str:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "-r", str(RIVALS / "requirements.txt")], check=True
    )
    return python


def _child(what: str, org: Path) -> dict[str, float]:
    """`what` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.features_scale", what, str(org)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(json.loads(told.splitlines()[-1]))


def _timed(work: Any) -> tuple[Any, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - wall, time.process_time() - cpu


def _ours(org: Path) -> dict[str, float]:
    con = connect(threads=THREADS, memory=MEMORY)
    leads, changes, activities = (
        con.read_parquet(org / f"{n}.parquet") for n in ("leads", "changes", "activities")
    )
    points = _points(pq.read_table(org / "leads.parquet", columns=["lead_id"])["lead_id"])
    found, wall, cpu = _timed(lambda: build(con, Inputs(points, leads, changes, activities), scale_org.FACTS))
    pq.write_table(found, org / "ours.parquet")
    return {"wall": wall, "cpu": cpu, "leads": found.num_rows}


def _points(leads: Any) -> pa.Table:
    now = pa.array([scale_org.NOW] * len(leads), pa.int64()).cast(pa.timestamp("us", "UTC"))
    return pa.table({"lead_id": leads, "as_of": now})


def _by_hand(org: Path) -> dict[str, float]:
    con = _sql(org)

    def work() -> pa.Table:
        first, second = (RIVALS / "scale.sql").read_text().split("-- second half")
        _run(con, org, first)
        _words(con)
        _run(con, org, second)
        ids = pq.read_table(org / "leads.parquet", columns=["lead_id"])
        found = con.raw_sql("select * exclude n from result order by n").to_arrow_table()
        return found.add_column(0, "lead_id", ids["lead_id"])

    found, wall, cpu = _timed(work)
    pq.write_table(found, org / "by_hand.parquet")
    return {"wall": wall, "cpu": cpu}


def _only_words(org: Path) -> dict[str, float]:
    con = _sql(org)
    _run(con, org, (RIVALS / "scale.sql").read_text().split("-- second half")[0])
    pq.write_table(_words(con), org / "words.parquet")
    return {}


def _sql(org: Path) -> Any:
    return connect(threads=THREADS, memory=MEMORY)


def _run(con: Any, org: Path, script: str) -> None:
    known = {name: repr(str(org / f"{name}.parquet")) for name in ("leads", "changes", "activities")}
    script = re.sub(r"\$(\w+)", lambda found: {**known, "now": str(scale_org.NOW)}[found[1]], script)
    for statement in filter(str.strip, script.split(";\n")):
        con.raw_sql(statement)


def _words(con: Any) -> pa.Table:
    """What SQL has no words for: job titles, addresses, synonyms, by the same rules."""
    made = firmographic.words(con.raw_sql("select * from asked").to_arrow_table())
    con.create_table("words", made, temp=True)
    return made


def _few(org: Path) -> dict[str, float]:
    """100 leads as the store hands them over: with everybody at their companies, who are found by account and address."""
    leads = pq.read_table(org / "leads.parquet")
    asked = leads["lead_id"].take(list(range(0, leads.num_rows, leads.num_rows // FEW))[:FEW])
    theirs = leads.filter(pc.is_in(leads["lead_id"], value_set=asked.combine_chunks()))
    host = pc.replace_substring_regex(leads["email"], "^.*@", "")
    hosts = pc.replace_substring_regex(theirs["email"], "^.*@", "").drop_null().combine_chunks()
    hosts = hosts.filter(pc.not_equal(hosts, "gmail.com"))
    same = pc.or_kleene(
        pc.is_in(leads["account_key"], value_set=theirs["account_key"].drop_null().combine_chunks()),
        pc.is_in(host, value_set=hosts),
    )
    near = leads.filter(pc.or_(same, pc.is_in(leads["lead_id"], value_set=asked.combine_chunks())))
    inputs = Inputs(
        _points(asked),
        _as_told(near, "created_at"),
        *(
            _as_told(
                pq.read_table(
                    org / f"{n}.parquet", filters=pc.field("lead_id").isin(near["lead_id"].combine_chunks())
                ),
                "at",
            )
            for n in ("changes", "activities")
        ),
    )

    def work() -> pa.Table:
        con = connect()
        try:
            return build(con, inputs, scale_org.FACTS)
        finally:
            con.disconnect()

    _, first, _ = _timed(work)
    found, wall, cpu = min((_timed(work) for _ in range(3)), key=lambda t: t[1])
    whole = pq.read_table(org / "ours.parquet")
    whole = whole.take(pc.index_in(asked, value_set=whole["lead_id"].combine_chunks()))
    if not whole.equals(found):
        raise AssertionError("a few leads are not what they are among all")
    return {"wall": wall, "cpu": cpu, "first": first, "companies": near.num_rows}


def _as_told(table: pa.Table, column: str) -> pa.Table:
    moments = table[column].cast(pa.timestamp("us", "UTC"))
    return table.set_column(table.column_names.index(column), column, moments)


def _differing(org: Path, one: str, other: str) -> float:
    """Values of the columns that both have that differ by more than the last decimal."""
    a, b = (pq.read_table(org / f"{name}.parquet") for name in (one, other))
    total = 0
    for name in set(a.column_names) & set(b.column_names) - {"as_of"}:
        x, y = a[name].combine_chunks(), b[name].combine_chunks()
        if pa.types.is_floating(x.type):
            y = y.cast(pa.float64())
            y = pc.if_else(pc.is_nan(y).fill_null(True), None, y)
            same = pc.less(pc.abs(pc.subtract(x, y)), 2e-6)
        else:
            same = pc.equal(x.cast(pa.string()), y.cast(pa.string()))
        both_blank = pc.and_(x.is_null(), y.is_null())
        total += len(x) - pc.sum(pc.or_(same.fill_null(False), both_blank)).as_py()
    return float(total)


def _bar(name: str, figure: float, bar: str, met: Any, note: str = "") -> Row:
    return Row(name, figure, bar, bool(met(figure)), note)


def _machine() -> str:
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, DuckDB {THREADS} threads and {MEMORY}; load of others before the start {load:.1f}"


if __name__ == "__main__":
    what = {"ours": _ours, "by_hand": _by_hand, "words": _only_words, "few": _few}[sys.argv[1]]
    figures = what(Path(sys.argv[2]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({**figures, "gb": peak}))

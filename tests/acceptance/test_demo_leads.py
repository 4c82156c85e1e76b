"""`candor demo --leads FILE`: an admin's own export through the whole loop, and every way in which it can't be one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

ROWS = 300


def _csv(rows: int = ROWS) -> str:
    """Leads of which visits and source say something, `minutes_on_phone` far too much, `batch` only when."""
    rnd = Random(3)
    lines = ["lead no,Lead Source,visits,plan,budget known,batch,minutes_on_phone,Converted"]
    for i in range(rows):
        visits, source = rnd.randrange(12), rnd.choice(["web", "event", "Select", "partner"])
        won = rnd.random() < 0.05 + 0.05 * visits + (0.2 if source == "partner" else 0)
        plan, known = rnd.choice(["basic", "team", ""]), rnd.choice(["yes", "no"])
        minutes = round(rnd.gauss(9 if won else 4, 1.5), 2)
        lines.append(
            f"{7000 + i},{source},{visits},{plan},{known},{i // 60},{minutes},{'yes' if won else 'no'}"
        )
    return "\n".join(lines) + "\n"


def _demo(folder: Path, *arguments: str, timeout: float = 150) -> subprocess.CompletedProcess[str]:
    """The real command in a process group of its own, so that whatever it leaves running is seen."""
    process = subprocess.Popen(
        [sys.executable, "-m", "connector.cli.main", "demo", "--out", str(folder / "out"), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=timeout)
        with pytest.raises(ProcessLookupError):  # nothing of the group is left
            os.killpg(process.pid, 0)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.mark.long
def test_a_file_that_no_mapping_was_written_for_runs_through_the_loop(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(_csv())
    done = _demo(tmp_path, "--leads", "mine.csv", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    model, file, loop = found["model"], found["file"], found["salesforce"]
    assert model["held_out"] == file["held_out"] == ROWS // 5
    assert model["as_of"] is False
    assert 0.5 < model["auc"] < 1
    assert 0 < model["log_loss"] < 0.7
    assert 0 <= model["ece"] < 0.3
    assert file["mapping"] == "proposed"
    assert file["flagged"] == ["minutes_on_phone"]
    assert set(file["left_out"]) == {"minutes_on_phone", "batch"}
    assert {of["column"]: of["type"] for of in file["fields"]} == {
        "Lead Source": "standard field", "visits": "number", "plan": "choice", "budget known": "flag",
    }  # fmt: skip
    assert loop["mode"] == "snapshot"
    assert loop["pulled"] == ROWS
    assert loop["scored"] == ROWS // 5
    assert loop["left_after_remove"] == []
    assert loop["describe_equal_to_before"] is True
    assert (tmp_path / "out" / "mapping.toml").exists()
    assert Path(loop["report"]).exists()
    said = json.dumps([loop["lead"]["flags"], loop["lead"]["reasons"]])
    assert "minutes on phone" not in said.lower()
    assert "since the lead came in" not in said  # nothing in the file is dated
    assert "ouches" not in said
    assert "Those with ! are left out on suspicion" in done.stderr


MAPPING = """
name = "mine"
[outcome]
column = "{outcome}"
won = ["{won}"]
lost = ["no"]
[columns]
visits = {{ column = "{visits}", type = "number" }}
[left_out]
plan = "of no use"
"""


@pytest.mark.parametrize(
    ("body", "mapping", "says"),
    [
        (b"", None, ["mine.csv is empty"]),
        (b"visits,plan,won\n", None, ["mine.csv has a header and no rows"]),
        (b"visits,plan,won\n1,a,yes\n2,b\n", None, ["mine.csv, line 3: 2 values where the header has 3"]),
        (b"visits,plan,won\n1,a,yes\n2,\xe9t\xe9,no\n", None, ["mine.csv, line 3: not UTF-8"]),
        (b"PK\x03\x04\x14\x00\x00\x00", None, ["mine.csv is not text", "Save it as CSV"]),
        (b"visits\n1\n2\n", None, ["mine.csv has one column", "comma"]),
        (b"visits,plan\n1,a\n2,b\n3,c\n", None, ["No column looks like the outcome", "[outcome]"]),
        (b"visits,plan,won\n1,a,yes\n2,b,no\n", ("won", "yes", "vists"), ["mine.csv does not have: vists"]),
        (b"visits,plan,won\n1,a,yes\n2,b,no\n", ("won", "Closed", "visits"),
         ["mine.csv, line 2, won: 'yes' is neither won (Closed) nor lost (no)"]),
        (b"visits,plan,won\n1,a,no\nmany,b,no\n", ("won", "yes", "visits"),
         ["mine.csv, line 3, visits: 'many' is not a number"]),
        (b"visits,plan,won\n" + b"1,a,no\n" * 40, ("won", "yes", "visits"), ["mine.csv: none of 32 rows", "won = yes"]),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_one_clear_line(
    tmp_path: Path, body: bytes, mapping: tuple[str, str, str] | None, says: list[str]
) -> None:
    from connector.demo.file import checked, choose
    from connector.errors import InputError

    (tmp_path / "mine.csv").write_bytes(body)
    given = None
    if mapping is not None:
        given = tmp_path / "map.toml"
        given.write_text(MAPPING.format(outcome=mapping[0], won=mapping[1], visits=mapping[2]))
    with pytest.raises(InputError) as found:
        checked(tmp_path / "mine.csv", *choose(tmp_path / "mine.csv", given))
    message = str(found.value)
    assert "\n" not in message
    assert all(part in message for part in says), message
    assert found.value.fix


def test_a_fault_ends_the_command_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("visits,plan,won\n1,a,yes\n2,b\n")
    done = _demo(tmp_path, "--leads", "mine.csv", "--yes")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "candor: mine.csv, line 3: 2 values where the header has 3. "
        "Quote values that hold the separator, or mend the line."
    ]
    assert not (tmp_path / "out").exists()


def _dated(folder: Path, leads: int = 240) -> None:
    """Leads of three months and their events: a second call says something of how it ends."""
    rnd, start = Random(5), datetime(2026, 1, 1, 9)
    rows, events = ["Lead Id,Created Date,size,Converted,Close Date"], ["lead_id,at,kind,subject"]
    for n in range(leads):
        made = start + timedelta(hours=9 * n)
        won = rnd.random() < 0.35
        ended = made + timedelta(days=rnd.uniform(12, 25))
        rows.append(f"LD{n},{made},{rnd.randrange(1, 90)},{'yes' if won else 'no'},{ended:%Y-%m-%d %H:%M}")
        for day in range(1, 2 + (rnd.random() < (0.8 if won else 0.2))):
            events.append(f"LD{n},{made + timedelta(hours=6 * day)},call,follow up")
        events.append(f"LD{n},{made + timedelta(hours=2)},status,working")
    (folder / "leads.csv").write_text("\n".join(rows) + "\n")
    (folder / "events.csv").write_text("\n".join(events) + "\n")
    (folder / "mine.toml").write_text(
        'name = "mine"\nid = "Lead Id"\nhorizon_days = 30\nages_days = [1, 3]\n'
        '[outcome]\ncolumn = "Converted"\nwon = ["yes"]\nlost = ["no"]\n'
        '[columns]\nsize = { column = "size", type = "number" }\n'
    )


@pytest.mark.long
def test_leads_with_their_events_are_scored_as_of_any_time(tmp_path: Path) -> None:
    _dated(tmp_path)
    with (tmp_path / "events.csv").open("a") as events:
        events.write(
            "LD3,2099-01-01,page_view,\nLD4,2019-01-01,call,\n" + 2 * "LD5,2026-01-03 10:00,call,twice\n"
        )
    asked = ("--leads", "leads.csv", "--events", "events.csv", "--mapping", "mine.toml", "--yes", "--json")
    done = _demo(tmp_path, *asked, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    loop = found["salesforce"]
    assert found["model"]["as_of"] is True
    assert found["model"]["stamp"] is None
    assert found["file"]["audit"]["as_of"] is True
    assert found["model"]["held_out"] > 20
    assert found["model"]["auc"] > 0.6
    assert loop["mode"] == "as-of"
    assert 200 < loop["pulled"] <= 240
    aside = {one["reason"]: one["rows"] for one in found["file"]["set_aside"]}
    assert aside == {"after the files were exported": 1, "before the lead came in": 1}
    assert loop["set_aside"] == {"the same activity twice": 1}
    page = Path(loop["report"]).read_text()
    assert all(
        f"Set aside: {why}" in page for why in ("events before the lead came in", "the same activity twice")
    )
    assert loop["scored"] == found["file"]["open"] > 5
    assert loop["left_after_remove"] == []
    assert "call: follow up" in (tmp_path / "out" / "salesforce" / "candor.toml").read_text()


def test_events_of_other_leads_are_one_line_and_exit_1(tmp_path: Path) -> None:
    _dated(tmp_path)
    (tmp_path / "events.csv").write_text((tmp_path / "events.csv").read_text().replace("LD", "XY"))
    done = _demo(
        tmp_path, "--leads", "leads.csv", "--events", "events.csv", "--mapping", "mine.toml", "--yes"
    )
    assert done.returncode == 1
    assert "lead_id: 'XY0' is no lead of the leads' file; " in done.stderr
    assert "rows (100%) can't be" in done.stderr
    assert "Traceback" not in done.stderr
    alone = _demo(tmp_path, "--events", "events.csv")
    assert alone.returncode == 1
    assert "--events is of the leads of a file" in alone.stderr

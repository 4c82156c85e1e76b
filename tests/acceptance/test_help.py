"""`candor --help` is quick: nothing heavy is imported for it (S5: the time itself is in the bench)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HEAVY = (
    "sklearn",
    "ibis",
    "sqlalchemy",
    "fastapi",
    "pyarrow",
    "pandas",
    "duckdb",
    "scipy",
    "numpy",
    "alembic",
    "pydantic",
)
_LOOK = """
import json, sys
sys.argv = ["candor", "--help"]
from connector.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
sys.stderr.write(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_help_imports_nothing_heavy_and_needs_no_settings(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOOK], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    for command in ("init", "doctor", "plan", "apply", "verify", "remove", "backfill", "sync", "pause", "resume", "run", "train",
                    "score", "status", "report", "playground", "demo"):  # fmt: skip
        assert command in done.stdout
    loaded = json.loads(done.stderr)
    assert "typer" in loaded
    assert [name for name in HEAVY if name in loaded] == []

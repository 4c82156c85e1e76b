"""candor plan, apply, remove"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from connector.cli.console import confirm, err, out, show_json, working
from connector.errors import CandorError
from connector.jobs.context import Context, log
from connector.jobs.fields import PEOPLE_FIELDS, field_map
from connector.jobs.pull import pull
from connector.store import records
from connector.store.runs import running

_KINDS = ("lead", "account", "deal", "review")


def run(what: str, config: Path | None, yes: bool, as_json: bool) -> None:
    from crm_schema.errors import SchemaError

    with working(config, as_json) as context:
        try:
            code = {"plan": plan, "apply": apply, "remove": remove}[what](context, yes, as_json)
        except SchemaError as error:
            raise CandorError(str(error)) from None
    sys.exit(code)


def plan(context: Context, yes: bool, as_json: bool) -> int:
    from crm_schema.plan import plan as make
    from crm_schema.walk import explain

    made = make(context.crm.schema(), reads(context))
    usage = context.crm.usage()
    if as_json:
        show_json({"changes": [str(line) for line in made.lines], "write_calls": made.calls, "limits": list(made.limits),
                   "reads": usage.calls, "empty": made.empty})  # fmt: skip
    else:
        for line in explain(made):
            out.print(line)
        if not made.empty:
            out.print(
                f"{made.calls} write calls to make it; {usage.calls} calls to find out. `candor apply` makes it.",
                style="dim",
            )
    return 0 if made.empty else 2


def reads(context: Context) -> Mapping[str, Sequence[str]]:
    """The org's own fields that the mapping names: the integration user is given to read them."""
    from crm_schema.plan import also_reads

    return also_reads({str(kind): fields for kind, fields in field_map(context.settings).items()})


def apply(context: Context, yes: bool, as_json: bool) -> int:
    from crm_schema.plan import plan as make
    from crm_schema.walk import explain

    made = make(context.crm.schema(), reads(context))
    if not made.empty and not yes:
        for line in explain(made):
            (err if as_json else out).print(line)
        if not confirm("Make these changes in the org?"):
            return 1
    done = provision(context)
    if as_json:
        show_json(done)
    else:
        out.print(
            "Nothing to do."
            if made.empty
            else f"Done: {done['changes']} changes in {done['write_calls']} write calls."
        )
    return 0


def provision(context: Context) -> dict[str, Any]:
    """Make the org as declared. What it looked like before is kept once, for the proof at removal."""
    from crm_schema.plan import plan as make
    from crm_schema.walk import apply as walk

    port = context.crm.schema()
    made = make(port, reads(context))
    if context.store.get("schema_applied") is None:
        context.store.put("schema_applied", {"at": context.clock.now().isoformat()})
    with running(context.store, "apply", context.clock) as run:
        done = walk(made, port, lambda n, of, what: context.progress(f"Applying the schema: {what}", n, of))
        run.summary.update(changes=len(done.lines), write_calls=done.calls)
    log.info("schema applied", changes=len(done.lines))
    return {"changes": len(done.lines), "write_calls": done.calls}


def remove(context: Context, yes: bool, as_json: bool) -> int:
    from crm_schema.plan import removal
    from crm_schema.walk import explain

    made = removal(context.crm.schema())
    if made.empty:
        if as_json:
            show_json({"changes": 0, "write_calls": 0, "left": [], "exported": 0, "folder": None})
        else:
            out.print("Nothing of Candor's is in the org.")
        return 0
    if not yes:
        for line in explain(made):
            (err if as_json else out).print(line)
        if not confirm("Remove all of this? The values are exported first."):
            return 1
    pull(context, label="Reading what people said last")
    done = take_out(context)
    if as_json:
        show_json(done)
    else:
        out.print(f"Exported {done['exported']:,} records to {done['folder']}. Removed: {done['changes']} changes; "
                  f"fields left in the org: {done['left'] or 'none'}.")  # fmt: skip
    return 0


def take_out(context: Context) -> dict[str, Any]:
    """Export, then remove. `left` is what of Candor's is still there afterwards: nothing, or it says what."""
    from crm_schema.plan import removal
    from crm_schema.walk import apply as walk

    port = context.crm.schema()
    exported, folder = export(context)
    with running(context.store, "remove", context.clock) as run:
        done = walk(removal(port), port, lambda n, of, what: context.progress(f"Removing: {what}", n, of))
        left = [str(line) for line in removal(port).lines]
        run.summary.update(changes=len(done.lines), left=left)
    context.store.forget("schema_applied")
    if not left:
        # Applied again, the org gets every score and case anew.
        with context.store.begin() as db:
            records.forget_own(db, PEOPLE_FIELDS)
        context.store.forget("scored_by")
    return {
        "changes": len(done.lines),
        "write_calls": done.calls,
        "left": left,
        "exported": exported,
        "folder": str(folder),
    }


def export(context: Context) -> tuple[int, Path]:
    """Every value of Candor's in the org, a CSV and a Parquet file a kind."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = context.settings.store.data / "export"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    count = 0
    for kind in _KINDS:
        with context.store.begin() as db:
            rows = [
                {
                    "id": id,
                    **{
                        k: _text(v)
                        for k, v in sorted(values.items())
                        if k.startswith(records.OWN) and v is not None
                    },
                }
                for id, values in sorted(records.record_values(db, kind).items())
            ]
        rows = [row for row in rows if len(row) > 1]
        if not rows:
            continue
        columns = ["id", *sorted({key for row in rows for key in row} - {"id"})]
        with (folder / f"{kind}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
        pq.write_table(
            pa.table({c: [row.get(c) for row in rows] for c in columns}), folder / f"{kind}.parquet"
        )
        count += len(rows)
    err.print(f"Exported to {folder}", style="dim")
    return count, folder


def _text(value: Any) -> str:
    return ";".join(map(str, value)) if isinstance(value, list) else str(value)

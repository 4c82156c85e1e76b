"""candor plan, apply, verify, remove"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.cli.console import confirm, err, out, show_json, working
from connector.crm.base import CRMError, PermissionDenied
from connector.errors import CandorError
from connector.jobs.context import Context, log
from connector.jobs.fields import PEOPLE_FIELDS, field_map
from connector.jobs.pull import pull
from connector.store import records
from connector.store.runs import running

if TYPE_CHECKING:
    from crm_schema.connection import Connect
    from crm_schema.consequences import Finding
    from crm_schema.plan import Plan

_KINDS = ("lead", "account", "deal", "review")


def run(
    what: str,
    config: Path | None,
    yes: bool,
    as_json: bool,
    certificate: Path | None = None,
    contact: str | None = None,
) -> None:
    from crm_schema.errors import MayNotRead, SchemaError

    with working(config, as_json) as context:
        try:
            if what in ("plan", "apply"):
                connect = connection(certificate, contact)
                code = {"plan": plan, "apply": apply}[what](context, yes, as_json, connect)
            else:
                code = {"verify": verify, "remove": remove}[what](context, yes, as_json)
        except MayNotRead as error:
            lacks = lacks_for_apply(context)
            more = f" For {APPLY} it also needs {', '.join(lacks)}." if lacks else ""
            raise CandorError(error.message, fix=f"{error.fix}{more}") from None
        except SchemaError as error:
            raise CandorError(str(error)) from None
    sys.exit(code)


def lacks_for_apply(context: Context) -> Sequence[str]:
    """Rights or scopes that an apply takes and that Candor's user or key lacks, all in one go. Changes nothing."""
    try:
        context.crm.schema().check()
    except PermissionDenied as denied:
        return denied.lacks
    except CRMError:  # the apply itself will tell
        return ()
    return ()


def connection(certificate: Path | None, contact: str | None) -> Connect | None:
    """The app to sign in through, where an admin asks for it."""
    from crm_schema.connection import Connect

    if certificate is None and contact is None:
        return None
    if certificate is None or contact is None:
        raise CandorError("--certificate and --contact go together.", fix="Give both, or neither.")
    try:
        return Connect(certificate.expanduser().read_text(), contact)
    except (OSError, UnicodeDecodeError):
        raise CandorError(f"The certificate {certificate} can't be read.", fix="Give its PEM file.") from None


def plan(context: Context, yes: bool, as_json: bool, connect: Connect | None = None) -> int:
    from crm_schema.counting import counted
    from crm_schema.plan import plan as make
    from crm_schema.walk import explain

    port = context.crm.schema()
    made = make(port, reads(context), connect)
    starts = port.automations()
    lacks = [] if made.empty else list(lacks_for_apply(context))
    usage = context.crm.usage()
    binned = in_the_bin(context)
    if as_json:
        show_json({"changes": [line.told() for line in made.changes], "kept": [line.told() for line in made.kept],
                   "write_calls": made.calls, "reads": usage.calls, "limits": [one.told() for one in made.limits], "bin": binned,
                   "lacks": lacks, "notes": list(made.notes), "automations": starts, "empty": made.empty})  # fmt: skip
    else:
        for line in explain(made):
            out.print(line)
        if binned and not made.empty:
            out.print(
                f"  {counted(binned['fields'], 'field')} that `candor remove` deleted count against the limits until "
                f"{binned['until']:%d %b %Y}, or until an admin erases them (Setup, Object Manager, Deleted Fields)"
            )
        for line in started(starts):
            out.print(line)
        if not made.empty:
            out.print(
                f"{counted(made.calls, 'write call')} to make it; {counted(usage.calls, 'call')} to find out. `candor apply` makes it.",
                style="dim",
            )
        if lacks:
            out.print(f"For {APPLY} Candor's user or key still needs {', '.join(lacks)}.")
    return 0 if made.empty else 2


APPLY = "`candor apply` and `candor remove`"


BIN_DAYS = 15
"""how long Salesforce keeps and counts deleted fields [Salesforce Help: Manage Deleted Custom Fields]"""


def in_the_bin(context: Context) -> dict[str, Any] | None:
    """What an earlier removal left in Salesforce's bin, which no API tells: known because Candor deleted it."""
    removed = context.store.get("schema_removed")
    if not removed or not removed.get("fields"):
        return None
    until = datetime.fromisoformat(removed["at"]) + timedelta(days=BIN_DAYS)
    return None if context.clock.now() >= until else {"fields": removed["fields"], "until": until}


def started(automations: Sequence[Mapping[str, Any]] | None) -> list[str]:
    """What of the org's own a write of Candor's would start, told before anything is written."""
    if automations is None:
        return ["What a write would start isn't known: the key lacks the scope automation."]
    if not automations:
        return ["No trigger, flow or workflow of yours starts on Candor's writes."]
    return ["Candor's writes would start, if their conditions hold:"] + [
        f"  {a['kind']} “{a['name']}” on {a['object']}" for a in automations
    ]


def verify(context: Context, yes: bool, as_json: bool) -> int:
    """Exit code 0: as applied, 2: drift."""
    from crm_schema.consequences import APPLY_MENDS
    from crm_schema.counting import counted

    found = drift(context)
    if found is None:
        raise CandorError("Candor's fields were never applied to this org: run `candor apply` first.")
    mended = [f for f in found if f.mend == APPLY_MENDS]
    lacks = list(lacks_for_apply(context)) if any("candor apply" in f.mend for f in found) else []
    if as_json:
        told = [
            {"kind": f.kind, "where": f.where, "what": f.what, "breaks": f.breaks, "mend": f.mend}
            for f in found
        ]
        show_json({"drift": told, "counts": Counter(f.kind for f in found), "lacks": lacks,
                   "reads": context.crm.usage().calls})  # fmt: skip
    elif not found:
        out.print("The org is as it was applied.")
    else:
        kinds = Counter(f.kind.replace("_", " ") for f in found)
        out.print(
            f"{counted(len(found), 'finding')}: {', '.join(f'{kind} {n}' for kind, n in kinds.most_common())}."
        )
        for f in found:
            own = "" if f.mend == APPLY_MENDS else f" {f.mend}"
            out.print(f"{f.where}: {f.what}. It breaks: {f.breaks}.{own}")
        if mended:
            which = "it" if len(found) == 1 else "all" if mended == found else f"{len(mended)} of them"
            out.print(f"`candor apply` mends {which}.")
        if lacks:
            out.print(f"For {APPLY} Candor's user or key still needs {', '.join(lacks)}.")
    return 2 if found else 0


def drift(context: Context) -> list[Finding] | None:
    """How the org differs from what was applied; None: nothing was applied."""
    from crm_schema.plan import drift as look

    applied = context.store.get("schema_applied")
    if applied is None:
        return None
    return look(
        context.crm.schema(), reads(context), applied.get("tracked", ()), app=bool(applied.get("app"))
    )


def reads(context: Context) -> Mapping[str, Sequence[str]]:
    """The org's own fields that the mapping names: the integration user is given to read them."""
    from crm_schema.plan import also_reads

    return also_reads({str(kind): fields for kind, fields in field_map(context.settings).items()})


def apply(context: Context, yes: bool, as_json: bool, connect: Connect | None = None) -> int:
    from crm_schema.counting import counted
    from crm_schema.plan import plan as make
    from crm_schema.walk import explain

    made = make(context.crm.schema(), reads(context), connect)
    if not made.empty and not yes:
        for line in explain(made):
            (err if as_json else out).print(line)
        if not confirm("Make these changes in the org?"):
            return 1
    done = provision(context, connect, None if yes else lambda more: agreed(more, as_json))
    if as_json:
        show_json({k: v for k, v in done.items() if k != "changes"})
    else:
        out.print(
            "Nothing to do."
            if made.empty
            else f"Done: {counted(done['changes'], 'change')} in {counted(done['write_calls'], 'write call')}."
        )
        for name, value in done.get("sign_in", {}).items():
            out.print(
                f'Candor signs in by the certificate from now on with this in candor.toml, under [crm.options]: {name} = "{value}", '
                "private_key_file, username and login.", markup=False,
            )  # fmt: skip
    return 0


def agreed(more: Plan, as_json: bool) -> bool:
    """What showed only after the first step, once more to be agreed to."""
    from crm_schema.walk import explain

    for line in explain(more):
        (err if as_json else out).print(line)
    return confirm("These changes too?")


class Noting:
    """A schema port that tells the store of values which an upgrade carries, before it does: what people said long ago would
    look as if they said it again when the next pull sees it in a field of another name."""

    _KINDS: Mapping[str, str] = {
        "Lead": "lead", "Contact": "lead", "contacts": "lead", "Account": "account", "companies": "account",
        "Opportunity": "deal", "deals": "deal", "Candor_Review__c": "review", "tickets": "review",
    }  # fmt: skip

    def __init__(self, port: Any, context: Context) -> None:
        self._port, self._context = port, context
        self.crm: str = port.crm
        self.batch: int = port.batch
        self.read, self.values, self.inside, self.check = port.read, port.values, port.inside, port.check

    def run(self, op: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        if op == "write_values":
            kind = self._KINDS[payload["object"]]
            with self._context.store.begin() as db:
                for id, means in payload["means"]:
                    values = {records.OWN + key: value for key, value in means.items()}
                    records.written(db, kind, id, values, None)
        done: Mapping[str, Any] = self._port.run(op, payload)
        return done


def provision(
    context: Context, connect: Connect | None = None, agree: Callable[[Plan], bool] | None = None
) -> dict[str, Any]:
    """Make the org as declared. What it looked like before is kept once, for the proof at removal. `done` lists what was made."""
    from crm_schema.plan import plan as make
    from crm_schema.plan import sign_in, tracked_now
    from crm_schema.walk import apply as walk

    port = Noting(context.crm.schema(), context)
    made = make(port, reads(context), connect)
    if any(
        line.verb == "remove" for line in made.changes
    ):  # an upgrade deletes fields that a version dropped
        pull(context, label="Reading what people said last")
        export(context)
    applied = context.store.get("schema_applied") or {"at": context.clock.now().isoformat()}
    context.store.put("schema_applied", applied)
    with running(context.store, "apply", context.clock) as run:
        done = walk(
            made, port, lambda n, of, what: context.progress(f"Applying the schema: {what}", n, of), agree
        )
        run.summary.update(changes=len(done.lines), write_calls=done.calls)
    app = {"app": True} if connect is not None else {}
    context.store.put("schema_applied", {**applied, **app, "tracked": tracked_now(port)})
    log.info("schema applied", changes=len(done.lines))
    told: dict[str, Any] = {
        "changes": len(done.lines),
        "done": [line.told() for line in done.lines],
        "write_calls": done.calls,
    }
    return told if connect is None else {**told, "sign_in": sign_in(port, connect)}


def remove(context: Context, yes: bool, as_json: bool) -> int:
    from crm_schema.counting import counted
    from crm_schema.plan import removal
    from crm_schema.walk import apply as walk
    from crm_schema.walk import explain

    made = removal(context.crm.schema())
    if made.blind:
        for line in explain(made):
            (err if as_json else out).print(line)
        if not yes and not confirm("Do this first?"):
            return 1
        walk(made, context.crm.schema(), agree=lambda rest: False)
        made = removal(context.crm.schema())
    if made.empty:
        if as_json:
            show_json(
                {
                    "done": [],
                    "write_calls": 0,
                    "left": [line.told() for line in made.kept],
                    "exported": 0,
                    "folder": None,
                }
            )
        else:
            out.print("Nothing of Candor's is in the org.")
            for kept in made.kept:
                out.print(f"  {kept}")
        return 0
    if not yes:
        for line in explain(made):
            (err if as_json else out).print(line)
        goes = {str(getattr(stage, "id", "")) for stage in made.stages}
        theirs = [r for r in context.crm.schema().references() if r.get("id") not in goes]
        for line in referred(theirs):
            (err if as_json else out).print(line)
        if not confirm("Remove all of this? The values are exported first."):
            return 1
    pull(context, label="Reading what people said last")
    done = take_out(context)
    if as_json:
        show_json({**{k: v for k, v in done.items() if k not in ("changes", "stays")}, "left": done["stays"]})
    else:
        exported = (
            f"Exported {counted(done['exported'], 'record')} to {done['folder']}."
            if done["folder"]
            else "There was nothing to export."
        )
        out.print(f"{exported} Removed in {counted(done['write_calls'], 'write call')}: {counted(done['changes'], 'change')}. "
                  f"Left in the org: {'; '.join(done['left']) or 'nothing'}.")  # fmt: skip
    return 0


def referred(references: Sequence[Mapping[str, Any]]) -> list[str]:
    """What refers to Candor's fields and will lose them, or keep them from being deleted."""
    if not references:
        return []
    return ["These of yours use Candor's fields:"] + [
        f"  {r['kind']} “{r['name']}” uses {r['field']}" for r in references
    ]


def take_out(context: Context) -> dict[str, Any]:
    """Export, then remove. `left` says what of Candor's names is still there afterwards, and why; `stays` the same for programs."""
    from crm_schema.plan import removal
    from crm_schema.walk import apply as walk

    port = context.crm.schema()
    exported, folder = export(context)
    with running(context.store, "remove", context.clock) as run:
        made = removal(port)
        gone = sum(line.thing.what == "field" for line in made.changes)
        done = walk(made, port, lambda n, of, what: context.progress(f"Removing: {what}", n, of))
        context.store.put("schema_removed", {"at": context.clock.now().isoformat(), "fields": gone})
        rest = removal(port)
        left = [line.what for line in rest.lines]
        run.summary.update(changes=len(done.lines), left=left)
    context.store.forget("schema_applied")
    if rest.empty:
        # Applied again, the org gets every score and case anew.
        with context.store.begin() as db:
            records.forget_own(db, PEOPLE_FIELDS)
        context.store.forget("scored_by")
    return {
        "changes": len(done.lines),
        "done": [line.told() for line in done.lines],
        "write_calls": done.calls,
        "left": left,
        "stays": [line.told() for line in rest.lines],
        "exported": exported,
        "folder": None if folder is None else str(folder),
    }


def export(context: Context) -> tuple[int, Path | None]:
    """Every value of Candor's in the org, a CSV and a Parquet file a kind, in a folder of this run's own: what an earlier one
    exported stays. A record that holds nothing but what the CRM put there by itself (an unticked box) holds no data. How many records, and
    where; None: nothing was to be exported."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from crm_schema.declaration import FIELDS

    boxes = {records.OWN + f.key for f in FIELDS if f.type == "flag"}
    folder: Path | None = None
    count = 0
    for kind in _KINDS:
        with context.store.begin() as db:
            ours = {
                id: {k: v for k, v in sorted(values.items()) if k.startswith(records.OWN) and v is not None}
                for id, values in sorted(records.record_values(db, kind).items())
            }
        rows = [
            {"id": id, **{k: _text(v) for k, v in values.items()}}
            for id, values in ours.items()
            if any(v is not False or k not in boxes for k, v in values.items())
        ]
        if not rows:
            continue
        folder = folder or _new_folder(context)
        columns = ["id", *sorted({key for row in rows for key in row} - {"id"})]
        with (folder / f"{kind}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows({k: _cell(v) for k, v in row.items()} for row in rows)
        pq.write_table(
            pa.table({c: [row.get(c) for row in rows] for c in columns}), folder / f"{kind}.parquet"
        )
        count += len(rows)
    if folder is not None:
        err.print(f"Exported to {folder}", style="dim")
    return count, folder


def _new_folder(context: Context) -> Path:
    """Named by the moment, and where two are of one moment, numbered."""
    exports = context.settings.store.data / "export"
    exports.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{context.clock.now():%Y-%m-%d-%H%M%S}"
    folder, n = exports / name, 1
    while folder.exists():
        n += 1
        folder = exports / f"{name}-{n}"
    folder.mkdir(mode=0o700)
    return folder


def _cell(value: str) -> str:
    """A text that a spreadsheet would run as a formula gets the mark that keeps it a text; Parquet holds it as it was."""
    return f"'{value}" if value[:1] in tuple("=+-@\t\r") and not _is_number(value) else value


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _text(value: Any) -> str:
    return ";".join(map(str, value)) if isinstance(value, list) else str(value)

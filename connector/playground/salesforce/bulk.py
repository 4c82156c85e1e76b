"""Bulk API 2.0: query jobs and ingest jobs. A job's states advance by being looked at; nothing sleeps. [FACTS section 7]"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from connector.playground.salesforce import ids, query, soql, times
from connector.playground.salesforce.call import Answer, Call
from connector.playground.salesforce.errors import Fault, not_found
from connector.playground.salesforce.records import Ambiguous
from connector.playground.salesforce.sobjects import body, writer

_DELIMITERS = {"COMMA": ",", "BACKQUOTE": "`", "CARET": "^", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
DEFAULT_PAGE = 50_000
"""Records a result page without maxRecords. [unsourced]"""


def _job(call: Call, id: str, kind: str) -> dict[str, Any]:
    job = call.org.meta(f"job:{ids.full(id)}")
    if job is None or job["kind"] != kind or job["user"] != call.user:  # another user's job is not visible
        raise not_found()
    return dict(job)


def _save(call: Call, job: Mapping[str, Any]) -> None:
    call.org.set_meta(f"job:{job['id']}", job)


def _new(call: Call, kind: str, asked: Mapping[str, Any], state: str, **more: Any) -> dict[str, Any]:
    job = {
        "kind": kind, "id": ids.following(call.org, "750")[0], "user": call.user, "state": state,
        "operation": asked.get("operation", "query"), "lineEnding": asked.get("lineEnding", "LF"),
        "columnDelimiter": asked.get("columnDelimiter", "COMMA"), "at": call.org.now(), "processed": 0, "failed": 0,
        "version": call.version, **more,
    }  # fmt: skip
    if job["columnDelimiter"] not in _DELIMITERS or job["lineEnding"] not in ("LF", "CRLF"):
        raise Fault("INVALIDJOB", "columnDelimiter or lineEnding is none of the allowed values")
    _save(call, job)
    return job


def _shown(job: Mapping[str, Any]) -> dict[str, Any]:
    at = times.text(job["at"])
    shown = {
        "id": job["id"], "operation": job["operation"], "object": job["object"], "createdById": job["user"],
        "createdDate": at, "systemModstamp": at, "state": job["state"], "concurrencyMode": "Parallel",
        "contentType": "CSV", "apiVersion": float(job["version"]), "lineEnding": job["lineEnding"],
        "columnDelimiter": job["columnDelimiter"], "numberRecordsProcessed": job["processed"], "retries": 0,
        "totalProcessingTime": 0,
    }  # fmt: skip
    if job["kind"] == "ingest":
        shown |= {"jobType": "V2Ingest", "numberRecordsFailed": job["failed"], "apexProcessingTime": 0,
                  "contentUrl": f"services/data/v{job['version']}/jobs/ingest/{job['id']}/batches"}  # fmt: skip
        if job.get("externalIdFieldName"):
            shown["externalIdFieldName"] = job["externalIdFieldName"]
    else:
        shown |= {"jobType": "V2Query", "isPkChunkingSupported": job["chunked"]}
    return shown


def _look(call: Call, job: dict[str, Any]) -> dict[str, Any]:
    """A poll finds the job done."""
    if job["state"] == "UploadComplete":
        job["state"] = "JobComplete"
        _save(call, job)
    return job


# --- query jobs ---


def create_query(call: Call) -> Answer:
    asked = body(call)
    text = str(asked.get("query", ""))
    parsed = soql.parse(text)
    obj = query.queried(call.schema, parsed)
    if parsed.offset is not None or any(not isinstance(i, soql.Column) for i in parsed.items) or parsed.group:
        raise Fault("INVALIDJOB", "OFFSET, nested queries and aggregates are not supported in Bulk queries")
    query.selection(call.schema, parsed, obj)
    everything = asked.get("operation") == "queryAll"
    matched = query.matching(call.org, call.schema, parsed, obj, everything=everything)
    job = _new(
        call, "query", asked, "UploadComplete", object=obj.name, soql=text, ids=matched,
        chunked=not parsed.order and parsed.limit is None,
    )  # fmt: skip
    return Answer({k: v for k, v in _shown(job).items() if k != "numberRecordsProcessed"})


def read_query(call: Call, id: str) -> Answer:
    job = _look(call, _job(call, id, "query"))
    if job["state"] == "JobComplete":
        job["processed"] = len(job["ids"])
    return Answer(_shown(job))


def query_results(call: Call, id: str) -> Answer:
    job = _job(call, id, "query")
    if job["version"] != call.version:
        raise Fault("API_VERSION_MISMATCH", "read the results with the version that made the job", status=409)
    if job["state"] != "JobComplete":
        raise not_found()  # [unsourced] answer before completion
    parsed = soql.parse(job["soql"])
    obj = query.queried(call.schema, parsed)
    start = ids.number("0000000" + call.query["locator"]) if call.query.get("locator") else 0
    size = int(call.query.get("maxRecords") or DEFAULT_PAGE)
    page = job["ids"][start : start + size]
    end = start + len(page)
    columns = [i.path for i in parsed.items if isinstance(i, soql.Column)]
    out = _writer(job)
    out[1].writerow([".".join(p) for p in columns])
    for at in range(0, len(page), 5000):
        for record in query.fetch(call, parsed, obj, page[at : at + 5000]):
            out[1].writerow([_cell(_deep(record, p)) for p in columns])
    locator = "null" if end >= len(job["ids"]) else ids.base62(end, 8)
    headers = {
        "Sforce-Locator": locator,
        "Sforce-NumberOfRecords": str(len(page)),
        "Content-Type": "text/csv",
    }
    return Answer(out[0].getvalue().encode(), 200, headers)


def _writer(job: Mapping[str, Any]) -> tuple[io.StringIO, Any]:
    out = io.StringIO()
    end = "\r\n" if job["lineEnding"] == "CRLF" else "\n"
    return out, csv.writer(
        out, delimiter=_DELIMITERS[job["columnDelimiter"]], lineterminator=end, quoting=csv.QUOTE_ALL
    )


def _deep(record: Any, path: Iterable[str]) -> Any:
    for name in path:
        if not isinstance(record, dict):
            return None
        record = record.get(name, next((v for k, v in record.items() if k.lower() == name.lower()), None))
    return record


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.endswith("+0000") and len(value) == 28:
        return times.bulk(value)
    return str(value)


def change(call: Call, id: str, kind: str) -> Answer:
    """PATCH {state}: UploadComplete starts an ingest job, Aborted ends either."""
    job = _job(call, id, kind)
    state = body(call).get("state")
    if state == "Aborted":
        job["state"] = "Aborted"
    elif state == "UploadComplete" and kind == "ingest" and job["state"] == "Open":
        _ingest(call, job)
        job["state"] = "UploadComplete"
    else:
        raise Fault("INVALIDJOBSTATE", f"a job that is {job['state']} can't become {state}")
    _save(call, job)
    return Answer(_shown(job))


def change_query(call: Call, id: str) -> Answer:
    return change(call, id, "query")


def remove(call: Call, id: str) -> Answer:
    kind = "query" if "/jobs/query/" in call.path else "ingest"
    _job(call, id, kind)
    call.org.set_meta(f"job:{ids.full(id)}", None)
    return Answer(None, 204)


# --- ingest jobs ---


def create_ingest(call: Call) -> Answer:
    asked = body(call)
    if asked.get("operation") not in ("insert", "update", "upsert", "delete"):
        raise Fault(
            "INVALIDJOB", f"operation {asked.get('operation')} is none of insert, update, upsert, delete"
        )
    obj = call.schema.find(str(asked.get("object", "")))
    if obj is None:
        raise Fault("INVALIDJOB", f"{asked.get('object')} is no object")
    job = _new(
        call, "ingest", asked, "Open", object=obj.name, externalIdFieldName=asked.get("externalIdFieldName"), data="",
        results=[],
    )  # fmt: skip
    return Answer(_shown(job))


def upload(call: Call, id: str) -> Answer:
    job = _job(call, id, "ingest")
    if job["state"] != "Open":
        raise Fault("INVALIDJOBSTATE", f"the job is {job['state']}, data can only be added while it is Open")
    job["data"] = call.body.decode("utf-8")
    _save(call, job)
    return Answer(None, 201)


def read_ingest(call: Call, id: str) -> Answer:
    return Answer(_shown(_look(call, _job(call, id, "ingest"))))


def change_ingest(call: Call, id: str) -> Answer:
    return change(call, id, "ingest")


def _ingest(call: Call, job: dict[str, Any]) -> None:
    obj = call.sobject(job["object"])
    reader = csv.DictReader(io.StringIO(job["data"]), delimiter=_DELIMITERS[job["columnDelimiter"]])
    for row in reader:
        values = {k: None if v == "#N/A" else v for k, v in row.items() if v != ""}
        id = str(next((v for k, v in values.items() if k.lower() == "id"), ""))
        try:
            created = job["operation"] == "insert"
            if job["operation"] == "insert":
                id = writer(call).create(obj, values)
            elif job["operation"] == "update":
                writer(call).update(obj, id, values)
            elif job["operation"] == "delete":
                writer(call).delete(obj, id)
            else:
                key = str(job["externalIdFieldName"])
                id, created = writer(call).upsert(obj, key, str(values.get(key, "")), values)
            job["results"].append({"ok": True, "id": ids.full(id), "created": created, "row": row})
        except (Fault, Ambiguous) as e:
            code, message, fields = (
                (e.code, e.message, e.fields)
                if isinstance(e, Fault)
                else ("DUPLICATE_EXTERNAL_ID", str(e), [])
            )
            job["failed"] += 1
            text = f"{code}:{message}:{' '.join(fields)}--"
            job["results"].append({"ok": False, "id": id, "error": text, "row": row})
        job["processed"] += 1
    job["data"] = ""


def ingest_results(call: Call, id: str, which: str) -> Answer:
    """successfulResults, failedResults, unprocessedrecords."""
    job = _job(call, id, "ingest")
    out, rows = _writer(job)
    kind = which.lower()
    picked = [r for r in job["results"] if r["ok"] == (kind == "successfulresults")]
    if kind == "unprocessedrecords":
        picked = []
    columns = list(job["results"][0]["row"]) if job["results"] else []
    heads = {"successfulresults": ["sf__Id", "sf__Created"], "failedresults": ["sf__Id", "sf__Error"]}.get(
        kind, []
    )
    rows.writerow([*heads, *columns])
    for r in picked:
        second = r.get("error", "true" if r.get("created") else "false")
        rows.writerow([r["id"], second, *[r["row"][c] for c in columns]])
    return Answer(out.getvalue().encode(), 200, {"Content-Type": "text/csv"})

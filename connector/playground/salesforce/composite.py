"""Several requests in one call: /composite, and /composite/batch. It counts as one request. [FACTS section 6]"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from connector.playground.salesforce.call import Answer, Call, savepoint
from connector.playground.salesforce.errors import Fault
from connector.playground.salesforce.sobjects import body

MAX_REQUESTS = 25
MAX_HEAVY = 5
"""Subrequests that are queries or collections."""
_REFERENCE = re.compile(r"@\{([A-Za-z0-9_]+)\.([A-Za-z0-9_.\[\]]+)\}")
_HEAVY = re.compile(r"/(query|queryAll|composite/sobjects)(/|\?|$)")

Dispatch = Callable[[Call], Answer]


class _RolledBack(Exception):
    pass


def composite(call: Call, dispatch: Dispatch) -> Answer:
    asked = body(call)
    requests = asked.get("compositeRequest")
    if not isinstance(requests, list) or not all(isinstance(r, dict) for r in requests):
        raise Fault("JSON_PARSER_ERROR", "compositeRequest: a list of subrequests is required")
    if len(requests) > MAX_REQUESTS:
        raise Fault(
            "LIMIT_EXCEEDED", f"Limit exceeded: no more than {MAX_REQUESTS} subrequests"
        )  # [unsourced] code
    if sum(1 for r in requests if _HEAVY.search(r.get("url", ""))) > MAX_HEAVY:
        raise Fault(
            "LIMIT_EXCEEDED", f"Limit exceeded: no more than {MAX_HEAVY} query or collection subrequests"
        )
    all_or_none = bool(asked.get("allOrNone"))
    responses: list[dict[str, Any]] = []
    try:
        with savepoint(call.org):
            bodies: dict[str, Any] = {}
            for request in requests:
                answer = _one(call, request, bodies, dispatch)
                reference = request.get("referenceId")
                bodies[reference] = answer.body
                responses.append({
                    "body": answer.body, "httpHeaders": dict(answer.headers), "httpStatusCode": answer.status,
                    "referenceId": reference,
                })  # fmt: skip
                if all_or_none and answer.status >= 300:
                    raise _RolledBack
    except _RolledBack:
        failed = responses[-1]["referenceId"]
        halted = [{"errorCode": "PROCESSING_HALTED", "message":
                   "The transaction was rolled back since another operation in the same transaction failed."}]  # fmt: skip
        responses = [
            r
            if r["referenceId"] == failed
            else {**r, "body": halted, "httpHeaders": {}, "httpStatusCode": 400}
            for r in responses
        ]
    return Answer({"compositeResponse": responses})


def batch(call: Call, dispatch: Dispatch) -> Answer:
    requests = body(call).get("batchRequests", [])
    if len(requests) > MAX_REQUESTS:
        raise Fault("LIMIT_EXCEEDED", f"Limit exceeded: no more than {MAX_REQUESTS} subrequests")
    results = []
    for request in requests:
        url = request.get("url", "")
        full = {"method": request.get("method", "GET"), "body": request.get("richInput"),
                "url": url if url.startswith("/") else f"/services/data/{url}"}  # fmt: skip
        answer = _one(call, full, {}, dispatch)
        results.append({"statusCode": answer.status, "result": answer.body})
    return Answer({"hasErrors": any(r["statusCode"] >= 300 for r in results), "results": results})


def _one(call: Call, request: Mapping[str, Any], bodies: Mapping[str, Any], dispatch: Dispatch) -> Answer:
    try:
        url = urlsplit(_filled(str(request.get("url", "")), bodies))
        payload = request.get("body")
        sub = replace(
            call,
            method=str(request.get("method", "GET")).upper(),
            path=unquote(url.path).rstrip("/"),
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers={k.lower(): str(v) for k, v in (request.get("httpHeaders") or {}).items()},
            body=b"" if payload is None else orjson.dumps(_filled_in(payload, bodies)),
        )
        return dispatch(sub)
    except Fault as e:
        return Answer(e.body(), e.status)


def _filled_in(value: Any, bodies: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {k: _filled_in(v, bodies) for k, v in value.items()}
    if isinstance(value, list):
        return [_filled_in(v, bodies) for v in value]
    return _filled(value, bodies) if isinstance(value, str) else value


def _filled(text: str, bodies: Mapping[str, Any]) -> str:
    """@{reference.field} -> that field of an earlier answer."""

    def value(match: re.Match[str]) -> str:
        found = bodies.get(match[1])
        for step in re.findall(r"[A-Za-z0-9_]+", match[2]):
            try:
                found = found[int(step)] if isinstance(found, list) else found[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError, ValueError):
                found = None
        if found is None:
            raise Fault(
                "PROCESSING_HALTED", f"Invalid reference specified. No value for {match[1]}.{match[2]} found"
            )
        return str(found)

    return _REFERENCE.sub(value, text)

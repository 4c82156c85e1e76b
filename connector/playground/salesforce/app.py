"""Salesforce's REST surface over one org: one table of resources, served over HTTP and inside composite requests alike."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qsl

import orjson
from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from connector.playground.org import Org
from connector.playground.salesforce import (
    auth,
    bulk,
    collections,
    composite,
    describe,
    limits,
    query,
    sobjects,
    virtual,
)  # fmt: skip
from connector.playground.salesforce.call import Answer, Call
from connector.playground.salesforce.errors import Fault, TokenFault, not_found
from connector.playground.salesforce.metadata import rest, soap
from connector.playground.salesforce.schema import Schemas, record

OLDEST, NEWEST, REMOVED = 31, 68, 30
"""API versions that are served, and the last that is gone. [FACTS section 1]"""
_JSON = "application/json;charset=UTF-8"

Handler = Callable[..., Answer]

RESOURCES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "", describe.resources),
    ("GET", "/limits", limits.show),
    ("GET", "/limits/recordCount", sobjects.count),
    ("GET", "/query", query.run),
    ("GET", "/queryAll", query.run),
    ("GET", "/tooling/query", virtual.tooling_query),
    ("GET", "/query/{locator}", query.more),
    ("GET", "/queryAll/{locator}", query.more),
    ("GET", "/sobjects", describe.everything),
    ("GET", "/sobjects/{obj}", describe.basic),
    ("POST", "/sobjects/{obj}", sobjects.create),
    ("GET", "/sobjects/{obj}/describe", describe.one),
    ("GET", "/sobjects/{obj}/listviews", describe.list_views),
    ("GET", "/sobjects/{obj}/updated", sobjects.updated),
    ("GET", "/sobjects/{obj}/deleted", sobjects.deleted_between),
    ("GET", "/sobjects/{obj}/{id}", sobjects.read),
    ("PATCH", "/sobjects/{obj}/{id}", sobjects.update),
    ("DELETE", "/sobjects/{obj}/{id}", sobjects.delete),
    ("GET", "/sobjects/{obj}/{key}/{value}", sobjects.read_by_key),
    ("PATCH", "/sobjects/{obj}/{key}/{value}", sobjects.upsert),
    ("POST", "/composite/sobjects", collections.create),
    ("PATCH", "/composite/sobjects", collections.update),
    ("DELETE", "/composite/sobjects", collections.delete),
    ("POST", "/composite/sobjects/{obj}", collections.retrieve),
    ("GET", "/composite/sobjects/{obj}", collections.retrieve),
    ("PATCH", "/composite/sobjects/{obj}/{key}", collections.upsert),
    ("POST", "/jobs/query", bulk.create_query),
    ("GET", "/jobs/query/{id}", bulk.read_query),
    ("PATCH", "/jobs/query/{id}", bulk.change_query),
    ("DELETE", "/jobs/query/{id}", bulk.remove),
    ("GET", "/jobs/query/{id}/results", bulk.query_results),
    ("POST", "/jobs/ingest", bulk.create_ingest),
    ("PUT", "/jobs/ingest/{id}/batches", bulk.upload),
    ("GET", "/jobs/ingest/{id}", bulk.read_ingest),
    ("PATCH", "/jobs/ingest/{id}", bulk.change_ingest),
    ("DELETE", "/jobs/ingest/{id}", bulk.remove),
    ("GET", "/jobs/ingest/{id}/{which}", bulk.ingest_results),
    ("POST", "/metadata/deployRequest", rest.deploy),
    ("GET", "/metadata/deployRequest/{id}", rest.status),
)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


_TABLE = [(method, _pattern(path), handler) for method, path, handler in RESOURCES]
_DATA = re.compile(r"/services/data/v(\d+\.\d)(/.*)?")


def dispatch(call: Call) -> Answer:
    """The resource of a request; also serves composite's subrequests, whose paths must name the version too."""
    at = _DATA.fullmatch(call.path)
    if at is None:
        raise not_found()
    path = at[2] or ""
    if path == "/composite" and call.method == "POST":
        return composite.composite(call, dispatch)
    if path == "/composite/batch" and call.method == "POST":
        return composite.batch(call, dispatch)
    known = False
    for method, pattern, handler in _TABLE:
        match = pattern.fullmatch(path)
        if match:
            if method == call.method:
                return handler(call, **match.groupdict())
            known = True
    if known:
        raise Fault("METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed.", status=405)
    raise not_found()


def create_app(org: Org) -> FastAPI:
    """Serves one org. Handlers run on the event loop: each is one short transaction, and SQLite has one writer anyway."""
    app = FastAPI(title="Local Salesforce", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(_FoldSlashes)
    schemas = Schemas(org)
    record(org)

    @app.post("/services/oauth2/token")
    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        form = {**dict(request.query_params), **form}
        try:
            return _answer(Answer(auth.token(org, form, _origin(request), time.time())))
        except TokenFault as e:
            return _answer(Answer({"error": e.error, "error_description": e.description}, e.status))

    @app.get("/services/oauth2/userinfo")
    async def userinfo(request: Request) -> Response:
        try:
            user = auth.user_of(org, request.headers.get("authorization", ""))
            return _answer(Answer(auth.user_info(org, user, _origin(request))))
        except Fault as e:
            return _answer(Answer(e.body(), e.status))

    @app.get("/services/data")
    async def versions() -> Response:
        rows = describe.versions()
        return _answer(Answer(rows))

    @app.api_route("/services/data/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def data(request: Request) -> Response:
        return _serve(org, schemas, request, await request.body())

    @app.post("/services/Soap/m/{version}")
    @app.post("/services/Soap/m/{version}/{rest:path}")
    async def metadata(request: Request) -> Response:
        status, text = soap.answer(org, await request.body(), partial(limits.count, org))
        return Response(text, status, media_type="text/xml;charset=UTF-8")

    return app


def _serve(org: Org, schemas: Schemas, request: Request, body: bytes) -> Response:
    headers: dict[str, str] = {}
    try:
        version = _version(request.url.path)
        user = auth.user_of(org, request.headers.get("authorization", ""))
        limits.count(org)
        if org.meta("read_only") and _writes(request):  # [unsourced] the form of the refusal
            raise Fault("SERVER_UNAVAILABLE", "The org is in read-only mode.", status=503)
        call = Call(
            org, schemas, user, version, request.method, request.url.path, dict(request.query_params),
            {k.lower(): v for k, v in request.headers.items()}, body,
        )  # fmt: skip
        with org.transaction():
            answer = dispatch(call)
    except Fault as e:
        answer = Answer(e.body(), e.status)
    headers["Sforce-Limit-Info"] = limits.header(org)
    return _answer(answer, headers)


def _writes(request: Request) -> bool:
    reads = ("/composite", "/composite/batch")
    return request.method != "GET" and not request.url.path.endswith(reads)


def _version(path: str) -> str:
    match = _DATA.fullmatch(path)
    if match is None:
        raise not_found()
    number = float(match[1])
    if number <= REMOVED:
        raise Fault("UNSUPPORTED_API_VERSION", f"API version {match[1]} is retired", status=410)
    if not OLDEST <= number <= NEWEST:
        raise not_found()
    return match[1]


def _answer(answer: Answer, headers: dict[str, str] | None = None) -> Response:
    sent = {**(headers or {}), **answer.headers}
    if answer.body is None:
        return Response(None, answer.status, headers=sent)
    if isinstance(answer.body, bytes):
        return Response(answer.body, answer.status, headers=sent)
    return Response(orjson.dumps(answer.body), answer.status, headers=sent, media_type=_JSON)


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


class _FoldSlashes:
    """`//services/data/…/` means `/services/data/…`: some clients keep a slash at the end of the instance's address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = re.sub("/+", "/", scope["path"]).rstrip("/") or "/"
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)

"""The local HubSpot over HTTP: `create_app(org)`. The vendor's own client works on it unmodified.

Paths of v3 / v4 and, with the same behaviour, the dated ones (2026-09). Each request is one transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from starlette.routing import Route

from connector.playground.hubspot import catalog
from connector.playground.hubspot.access import Access
from connector.playground.hubspot.associations import Associations
from connector.playground.hubspot.errors import HubSpotError, bad_request
from connector.playground.hubspot.lists import Lists
from connector.playground.hubspot.records import Records
from connector.playground.hubspot.schema import Schema
from connector.playground.hubspot.search import Search
from connector.playground.org import Org

INTEGRATION = "integration"
"""Who the API's writes are by, in the org's history and write log."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler gives: a body or nothing (204), with the status."""

    body: Any = None
    status: int = 200
    location: str | None = None


class Call:
    """One request, read: path words, query, JSON body."""

    def __init__(self, request: Request, raw: bytes) -> None:
        self.path = request.path_params
        self.query = request.query_params
        self.raw = raw
        self.dated = "version" in request.path_params
        self._request = request

    def json(self) -> dict[str, Any]:
        try:
            body = orjson.loads(self.raw or b"{}")
        except orjson.JSONDecodeError as wrong:
            raise bad_request("Invalid input JSON.") from wrong
        if not isinstance(body, dict):
            raise bad_request("Invalid input JSON: an object is expected.")
        return body

    def object(self, name: str = "type") -> str:
        obj = catalog.object_named(self.path[name])
        if obj is None:
            raise HubSpotError(
                400, f"Unable to infer object type from: {self.path[name]}", "VALIDATION_ERROR"
            )
        return obj

    def list(self, name: str) -> list[str]:
        """A query parameter that is repeated or comma-separated."""
        return [v for given in self.query.getlist(name) for v in given.split(",") if v]

    def flag(self, name: str) -> bool:
        return str(self.query.get(name, "false")).lower() == "true"


Handler = Callable[[Call], Answer]


class House:
    """The parts that handlers work with."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.schema = Schema(org)
        self.records = Records(org, self.schema)
        self.associations = Associations(self.records)
        self.search = Search(self.records)
        self.lists = Lists(org, self.schema)
        self.access = Access(org)


def _is_write(method: str, path: str) -> bool:
    """Does a request of this kind need a transaction? (Reads by POST, search and batch/read, do not.)"""
    return method in ("POST", "PATCH", "PUT", "DELETE") and not path.rstrip("/").endswith(
        ("/search", "/batch/read", "/token", "/introspect", "/access-token-info")
    )


def create_app(org: Org) -> FastAPI:
    from connector.playground.hubspot import routes_account, routes_lists, routes_objects, routes_schema

    house = House(org)
    app = FastAPI(title="Local HubSpot", openapi_url=None)

    def serve(handler: Handler, *, free: bool) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return _answer(house, handler, request, await request.body(), free=free)

        return endpoint

    for part in (routes_objects, routes_schema, routes_lists, routes_account):
        for method, paths, handler, free in part.routes(house):
            for path in paths:
                app.router.routes.append(Route(path, serve(handler, free=free), methods=[method]))

    async def lost(request: Request, _: Exception) -> Response:
        return _json(
            {"status": "error", "message": "resource not found", "correlationId": str(uuid.uuid4())}, 404, {}
        )

    app.add_exception_handler(404, lost)
    return app


def _answer(house: House, handler: Handler, request: Request, raw: bytes, *, free: bool) -> Response:
    correlation = str(uuid.uuid4())
    headers: dict[str, str] = {}
    try:
        if not free:
            house.access.check_token(request.headers.get("authorization"))
            path = request.url.path  # the limit of searches is that of records
            headers = house.access.count(search=path.endswith("/search") and "/objects/" in path)
        call = Call(request, raw)
        if house.org.meta("read_only") and _is_write(request.method, request.url.path):
            raise HubSpotError(
                477, "This account is being moved.", "MIGRATION_IN_PROGRESS"
            )  # [FACTS-hubspot.md §4]
        if _is_write(request.method, request.url.path):
            with house.org.transaction():
                answer = handler(call)
        else:
            answer = handler(call)
    except HubSpotError as refused:
        headers["X-HubSpot-Correlation-Id"] = correlation
        return _json(refused.body(correlation), refused.status, headers)
    headers["X-HubSpot-Correlation-Id"] = correlation
    if answer.location:
        headers["Location"] = answer.location
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    return _json(answer.body, answer.status, headers)


def _json(body: Any, status: int, headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json;charset=utf-8")

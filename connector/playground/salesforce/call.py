"""One REST request as the resources see it, and their answer: the same whether it came over HTTP or inside a composite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from connector.playground.org import Org
from connector.playground.salesforce.errors import Fault, not_found
from connector.playground.salesforce.model import SObject
from connector.playground.salesforce.schema import Schema, Schemas


@dataclass(frozen=True, slots=True)
class Answer:
    """`body`: plain values for JSON, bytes as they are, None for no content."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    org: Org
    schemas: Schemas
    user: str
    version: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def schema(self) -> Schema:
        return self.schemas.get(self.user)

    def sobject(self, name: str) -> SObject:
        found = self.schema.find(name)
        if found is None:
            raise not_found()
        return found

    def json(self) -> Any:
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as e:
            raise Fault("JSON_PARSER_ERROR", f"{e.msg} at [line:{e.lineno}, column:{e.colno}]") from e


@contextmanager
def savepoint(org: Org) -> Iterator[None]:
    """Part of a request's transaction that can be taken back alone, by any exception that leaves it."""
    with org.transaction():
        org.sql("savepoint part")
        try:
            yield
        except BaseException:
            org.sql("rollback to part")
            raise
        finally:
            org.sql("release part")

"""What the org has, as its describe answers tell: read once per adapter, all objects in one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.crm.base import CRMError, PermissionDenied
from connector.crm.salesforce.api import Api
from connector.crm.salesforce.errors import Gone


@dataclass(frozen=True, slots=True)
class Described:
    """An object that we can see. `fields`: describe field by name; `children`: child object -> relationship name."""

    name: str
    fields: Mapping[str, Mapping[str, Any]]
    children: Mapping[str, str] = field(default_factory=dict)

    def seen(self, *names: str) -> tuple[str, ...]:
        """Those of the names that can be read."""
        return tuple(n for n in names if n in self.fields)


class Describes:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._found: dict[str, Described | None] = {}

    def load(self, names: Iterable[str]) -> None:
        """Read those that are not known yet, up to 25 a call."""
        new = [n for n in dict.fromkeys(names) if n not in self._found]
        if not new:
            return
        answers = self._api.composite(
            [f"sobjects/{n}/describe" for n in new], what="reading the org's fields"
        )
        for name, answer in zip(new, answers, strict=True):
            if isinstance(answer, CRMError):
                if not isinstance(answer, (Gone, PermissionDenied)):
                    raise answer
                self._found[name] = None
                continue
            self._found[name] = Described(
                name,
                {f["name"]: f for f in answer["fields"]},
                {
                    c["childSObject"]: c["relationshipName"]
                    for c in answer.get("childRelationships") or ()
                    if c.get("relationshipName")
                },
            )

    def find(self, name: str) -> Described | None:
        """None: the org has no such object, or we can't see it."""
        self.load([name])
        return self._found[name]

    def get(self, name: str) -> Described:
        found = self.find(name)
        if found is None:
            raise PermissionDenied(
                f"The integration user can't see the object {name}.",
                fix="Assign the permission set Candor_Integration to that user.",
            )
        return found

    def forget(self) -> None:
        """After a change of schema."""
        self._found.clear()

"""How to reach one org: what every adapter is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.crm.base import FieldMap


@dataclass(frozen=True, slots=True)
class Connection:
    """`token`: the secret, whatever the vendor calls it. `ca`: a file of certificates to trust, None for the usual
    ones. `fields`: the org's own mapping, over the adapter's defaults. `budget`: API calls of today that this adapter
    may make, None for no limit. `options`: the adapter's own, named in its documentation."""

    url: str
    token: str
    ca: str | None = None
    fields: FieldMap = field(default_factory=dict)
    budget: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Connection(url={self.url!r}, token='***')"

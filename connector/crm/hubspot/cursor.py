"""How far a stream was read, as the text that the store keeps."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from connector.crm.base import CRMError


@dataclass(frozen=True, slots=True)
class Bin:
    """Where we are in an object's recycle bin, which is listed by id: `after` (None: at its beginning), what was archived
    up to `done` was handed on by earlier rounds, `newest` and `last` are the newest archiving met in this and the last
    round (milliseconds)."""

    after: str | None = None
    done: int = 0
    newest: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Round:
    """A slow second look at what a search's first page left out as known, one page a pass, downwards (milliseconds):
    what lies between `low` and `upper` is still to be met (`upper` 0: no round is on). `top` was the newest row when it
    began, `next` is how far down the next round goes."""

    upper: int = 0
    low: int = 0
    next: int = 0
    top: int = 0


@dataclass(frozen=True, slots=True)
class Cursor:
    """`since`: modified time of the newest row seen (milliseconds). `filling`: a backfill is at `after` (None: at its
    beginning). `passes`: how many incremental looks were taken, which says whose bin is looked into. `pipeline`: the
    review pipeline, `retired`: owners who are archived. `owed`: contacts that were read without what they did, since their
    records alone were asked for; `owed_from`: `since` when that began."""

    since: int = 0
    filling: bool = False
    after: str | None = None
    passes: int = 0
    bin: Bin = field(default_factory=Bin)
    round: Round = field(default_factory=Round)
    pipeline: str | None = None
    retired: tuple[str, ...] = ()
    owed: tuple[str, ...] = ()
    owed_from: int = 0

    def __str__(self) -> str:
        empty = asdict(Cursor())
        return json.dumps({k: v for k, v in asdict(self).items() if v != empty[k]})

    @classmethod
    def parse(cls, text: str | None) -> Cursor | None:
        """None: nothing was read yet."""
        if text is None:
            return None
        try:
            body = json.loads(text)
            inner = Bin(**body.pop("bin", {}))
            again = Round(**body.pop("round", {}))
            retired, owed = (tuple(body.pop(k, ())) for k in ("retired", "owed"))
            return cls(**body, bin=inner, round=again, retired=retired, owed=owed)
        except (ValueError, TypeError, AttributeError):
            raise CRMError(
                "A stored cursor can't be read.",
                fix="Run `candor backfill` to read that stream from the beginning.",
            ) from None

"""A model in one file: skops, a fixed list of trusted types, and a SHA-256 that is checked before anything is
read.

Our own dataclasses are written as plain dictionaries with their name, so no type of ours needs to be trusted;
skops knows unknown types but not changed numbers, hence the hash, which the caller keeps elsewhere (in the
database).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scoring.errors import OtherVersion, Tampered
from scoring.model import (
    additive,
    amount,
    asking,
    blanks,
    card,
    combinations,
    design,
    deviation,
    edge,
    estimator,
    evidence,
    family,
    interval,
    reasons,
    router,
    segments,
    told,
)

TRUSTED = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)
"""types beyond skops' own that a model file may hold; add here only what `train` makes"""

_OURS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        additive.Additive, amount.Amounts, asking.Asking, asking.Fact, blanks.Hidden, card.Model, combinations.Coded, combinations.Combinations, design.CategoryField, design.Design,
        design.NumberField, deviation.NumberRange, deviation.OddPair, deviation.Ordinary,
        deviation.ValueCounts, edge.Edge, edge.EdgeCases, estimator.Boosted, estimator.Point, estimator.Sparse,
        evidence.Evidence, family.Family, interval.Familiar, interval.Fourier, interval.Interval, reasons.Explainer,
        router.Question, router.Router, router.Rule, segments.Segment,
        told.Told,
    )
}  # fmt: skip
_KIND = "__kind__"


def save(model: card.Model | family.Family, path: str | Path) -> str:
    """Writes the file and gives the hash that `load` will ask for."""
    import skops.io

    data = skops.io.dumps(_plain(model))
    target = Path(path)
    part = target.with_name(target.name + ".part")
    part.write_bytes(data)
    part.replace(target)
    return hashlib.sha256(data).hexdigest()


def load(path: str | Path, sha256: str) -> card.Model | family.Family:
    """The model or the family of a file whose hash is `sha256`; Tampered when it is another."""
    import skops.io

    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise Tampered(
            f"The model file {path} can't be read: {error.strerror}.", fix="Restore it, or train anew."
        ) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Tampered(
            f"The model file {path} is not the one that was saved: its SHA-256 differs.",
            fix="Restore it from a backup, or train a new model.",
        )
    try:
        model = _ours(skops.io.loads(data, trusted=list(TRUSTED)))
    except (TypeError, KeyError) as error:  # parts that this version doesn't have, or lacks
        raise OtherVersion() from error
    assert isinstance(model, card.Model | family.Family)
    return model


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        return {_KIND: kind, **{f.name: _plain(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return {_KIND: "tuple", "items": [_plain(inner) for inner in value]}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.item() if isinstance(value, np.generic) else value


def _ours(value: Any) -> Any:
    if isinstance(value, dict):
        kind = value.get(_KIND)
        inner = {key: _ours(item) for key, item in value.items() if key != _KIND}
        if kind is None:
            return inner
        return tuple(inner["items"]) if kind == "tuple" else _OURS[kind](**inner)
    return [_ours(item) for item in value] if isinstance(value, list) else value

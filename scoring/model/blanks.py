"""What a blank hides: how much the fact's contribution varies among leads that are alike in everything else.

Fields that are blank together (employees as a number and as a band) are one fact. For each fact, the spread
of its contribution among rows where it is known, less what the other facts' contributions foretell of it: a
fact that says nothing adds nothing when blank, and one that others give away adds little.

Only facts that somebody could ask for count (`ASKABLE`): a reply time is blank because nobody wrote, not
because nobody knows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scoring.model.additive import Additive
from scoring.model.design import Design
from scoring.model.estimator import Sample

Floats = npt.NDArray[np.float64]

ASKABLE = frozenset({"firmographic", "fact"})
"""families whose blanks mean that the value exists and is not known"""
TOGETHER = 0.98
"""share of rows on which two fields of one fact are blank or known alike"""
ENOUGH = 30
"""known rows a fact needs"""
RIDGE = 1.0


def contributions(layout: Design, additive: Additive, design: Floats) -> Floats:
    """n × fields: what each field adds to the additive logit."""
    parts = [design[:, a:b] @ additive.coef[1 + a : 1 + b] for a, b in layout.spans]
    return np.column_stack(parts) if parts else np.zeros((len(design), 0))


def variances(layout: Design, sample: Sample, additive: Additive) -> Floats:
    """One a field, in squared logits; a fact's is spread evenly over its fields.

    The effects are uncertain themselves, and shrunk toward zero, so their posterior variance counts too: a
    fact's mean squared contribution is beta' R beta + tr(R Sigma), R being the covariance of its columns.
    """
    out = np.zeros(len(layout.fields))
    parts = contributions(layout, additive, sample.design)
    blank = layout.blank(sample.encoded)
    for fact in _facts(layout, blank):
        known = ~blank[:, fact].any(axis=1)
        if known.all() or known.sum() < ENOUGH:
            continue
        columns = np.concatenate([np.arange(*layout.spans[f]) for f in fact])
        own = sample.design[known][:, columns]
        rest = np.delete(parts[known], fact, axis=1)
        rest, own = rest - rest.mean(axis=0), own - own.mean(axis=0)
        gram = rest.T @ rest + RIDGE * np.eye(rest.shape[1])
        own = own - rest @ np.linalg.solve(gram, rest.T @ own)
        spread = own.T @ own / len(own)
        coef = additive.coef[1 + columns]
        doubt = additive.covariance[np.ix_(1 + columns, 1 + columns)]
        out[fact] = float(coef @ spread @ coef + (spread * doubt).sum()) / len(fact)
    return out


def _facts(layout: Design, blank: npt.NDArray[np.bool_]) -> list[list[int]]:
    facts: list[list[int]] = []
    for f, field in enumerate(layout.fields):
        if field.family not in ASKABLE or not blank[:, f].any():
            continue
        for fact in facts:
            if (blank[:, f] == blank[:, fact[0]]).mean() >= TOGETHER:
                fact.append(f)
                break
        else:
            facts.append([f])
    return facts

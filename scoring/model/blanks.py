"""What a blank hides: how much the fact's contribution varies among leads that are alike in everything else.

Fields that are blank together (employees as a number and as a band) are one fact. For each fact, the spread
of its contribution among rows where it is known, less what the other facts' contributions foretell of it: a
fact that says nothing adds nothing when blank, and one that others give away adds little.

Only facts that somebody could ask for count (`ASKABLE`): a reply time is blank because nobody wrote, not
because nobody knows.

And no record has every fact that matters. What is never asked no data can tell, but each fact on record can
be left out in turn, and those are the only sample there is: one more of their mean size is taken to be blank
in every record (`Hidden.always`).
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Hidden:
    """In squared logits: what a field hides when it is blank, one a field, and what no record shows."""

    blank: Floats
    always: float


def variances(layout: Design, sample: Sample, additive: Additive) -> Hidden:
    """A fact's variance is spread evenly over its fields.

    The effects are uncertain themselves, and shrunk toward zero, so their posterior variance counts too: a
    fact's mean squared contribution is beta' R beta + tr(R Sigma), R being the covariance of its columns.
    """
    out = np.zeros(len(layout.fields))
    each: list[float] = []
    parts = contributions(layout, additive, sample.design)
    blank = layout.blank(sample.encoded)
    for fact in facts(layout, blank):
        known = ~blank[:, fact].any(axis=1)
        if known.sum() < ENOUGH:
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
        each.append(float(coef @ spread @ coef + (spread * doubt).sum()))
        out[fact] = each[-1] / len(fact)
    return Hidden(out, float(np.mean(each)) if each else 0.0)


def facts(layout: Design, blank: npt.NDArray[np.bool_]) -> list[list[int]]:
    """The fields that somebody could ask for, those together that are blank together."""
    found: list[list[int]] = []
    for f, field in enumerate(layout.fields):
        if field.family not in ASKABLE:
            continue
        for fact in found if blank[:, f].any() else []:
            if (blank[:, f] == blank[:, fact[0]]).mean() >= TOGETHER and blank[:, fact[0]].any():
                fact.append(f)
                break
        else:
            found.append([f])
    return found

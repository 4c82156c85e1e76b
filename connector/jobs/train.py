"""Train: a new model from all that is known, its backtest on leads that it has not seen, and its release.

The backtest is split in time: the latest leads whose outcome is known are held out (always the same cut, so that old and
new model are compared on the same leads), the model is fitted on the earlier ones. The released model is then fitted
on all of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import insert, select, update

from connector.jobs import gaps, gates
from connector.jobs.context import Context, log
from connector.jobs.examples import Examples, collect, looked_at, lot
from connector.jobs.manifest import points, recipe
from connector.jobs.mature import mature_table
from connector.jobs.said import what_words_did
from connector.jobs.states import Reference, learn_segments, nearness
from connector.store import schema as t
from connector.store.bulk import to_ipc
from connector.store.runs import running
from scoring.audit.survivorship import survivorship
from scoring.audit.suspect import one_sided
from scoring.features.catalogue import Feature
from scoring.metrics.outcomes import read
from scoring.model import store as files
from scoring.model.attention import hidden
from scoring.model.card import Model
from scoring.model.train import Draft, draft

HELD_OUT = 0.3
"""share of the mature leads, the latest, on which a model is backtested"""

NOISE = 0.005
"""nats of log loss by which a challenger may be above the champion on the held-out leads"""


@dataclass(frozen=True, slots=True)
class Trained:
    version: str
    card: dict[str, Any]
    examples: int
    wins: int
    feedback: int
    held_out: int
    left_out: dict[str, int]
    status: str
    unknown_before: dict[str, date]
    """fields whose history begins later than the first example"""


def train_model(context: Context) -> Trained:
    """Train, backtest, store and release. The first model is released at once; a later one when it is no worse than the
    champion on the held-out leads (else it stays a challenger)."""
    with running(context.store, "train", context.clock) as run:
        since = gaps.remember(context)
        context.progress("Training: looking for leaks", 0, 4)
        leaks, out = gates.audit_leaks(context)
        context.progress("Training: building what was known when", 1, 4)
        examples = collect(context)
        seed = context.settings.training.seed
        first = first_rows(examples)
        screened, told = gates.screened(context, out, examples, first)
        cut, test = _held_out(context, examples, first)
        tested = set(examples.rows["lead_id"].filter(pa.array(test)).to_pylist())
        in_test = np.array([lead in tested for lead in examples.rows["lead_id"].to_pylist()], dtype=bool)
        if examples.person is not None:
            in_test |= one_sided(examples.person.tolist(), test)
        late = (
            (examples.as_of >= cut) & ~examples.feedback
            if cut is not None
            else np.zeros(len(in_test), dtype=bool)
        )
        past = examples.take(~in_test & ~late)
        context.progress("Training: the model itself", 2, 4)
        created = context.clock.now().astimezone(UTC)
        version = _version(context, created)
        named: dict[str, Any] = {
            "flags": context.policy.flags, "version": version, "created": created.isoformat(),
            "horizon_days": context.policy.horizon_days, "by_revenue": context.settings.training.by_revenue,
        }  # fmt: skip
        model, completeness, features = gates.complete(
            context, examples, screened,
            lambda chosen, hidden: drafted(examples, chosen, seed, unseen_by_trees=hidden, **named),
        )  # fmt: skip
        context.progress("Training: backtest on the latest leads", 3, 4)
        backtest = fit(
            past,
            features,
            seed,
            flags=context.policy.flags,
            unseen_by_trees=completeness.hidden,
            by_revenue=named["by_revenue"],
        )
        held = examples.take(test)
        mature = mature_table(context, held, backtest)
        card = {**model.card, "mode": context.settings.training.mode, "backtest": _figures(mature),
                "attention": _attention(examples.take(first), features, seed),
                "words": what_words_did(context, past, backtest, held, seed),
                "checks": gates.checks(leaks, out, told, completeness)}  # fmt: skip
        manifest = {
            "examples": int((~examples.feedback).sum()), "feedback_rows": int(examples.feedback.sum()),
            "wins": float((examples.won * examples.weight)[~examples.feedback].sum()),
            "held_out": int(test.sum()), "cut": None if cut is None else datetime.fromtimestamp(cut, UTC).isoformat(),
            **(segments := learn_segments(examples.rows, examples.won, first)),
            "survivorship": _survivorship(context, examples.take(first), Reference.of(segments), mature),
            "left_out": dict(examples.left_out), "seed": seed, "by_revenue": named["by_revenue"],
            **recipe(examples, looked_at(context), features, completeness.hidden, context.policy.flags),
        }  # fmt: skip
        status = _store(context, model, version, created, card, manifest, mature, examples)
        context.progress("Training: done", 4, 4)
        run.summary.update(
            version=version, status=status, examples=manifest["examples"], wins=manifest["wins"]
        )
        log.info("trained", version=version, status=status, examples=manifest["examples"])
        return Trained(
            version, card, manifest["examples"], round(manifest["wins"]), manifest["feedback_rows"],
            manifest["held_out"], dict(examples.left_out), status, _gaps(examples, since),
        )  # fmt: skip


def _gaps(examples: Examples, since: Mapping[str, datetime]) -> dict[str, date]:
    first = (
        datetime.fromtimestamp(examples.as_of.min(), UTC)
        if len(examples.as_of)
        else datetime.max.replace(tzinfo=UTC)
    )
    return {name: at.date() for name, at in sorted(since.items()) if at > first}


def fit(examples: Examples, features: Any, seed: int, **names: Any) -> Model:
    """The model of these examples, as it is released or backtested."""
    return drafted(examples, features, seed, **names).finish()


def drafted(examples: Examples, features: Any, seed: int, **names: Any) -> Draft:
    amount = examples.amount if np.isfinite(examples.amount).any() else None
    return draft(
        examples.rows, examples.won, features=features, groups=examples.groups, amount=amount, weight=examples.weight,
        seed=seed, base_rate=examples.base_rate, **names,
    )  # fmt: skip


def _survivorship(
    context: Context, first: Examples, reference: Reference, mature: pa.Table
) -> dict[str, Any]:
    """Who survived among the mature leads, and what the backtest made of the others."""
    industry = (
        first.rows["industry"].to_pylist()
        if "industry" in first.rows.column_names
        else [None] * len(first.won)
    )
    outside = np.array([nearness(name, context.settings, reference) == "outside" for name in industry], bool)
    unseen = read(mature) if mature.num_rows else None
    return asdict(survivorship(first.rows, first.won > 0.5, first.amount, outside, unseen, context.policy))


def _attention(first: Examples, features: Sequence[Feature], seed: int) -> dict[str, Any] | None:
    """Who was worked, and what the others may have been worth; None where the org's activities don't tell."""
    if first.worked is None:
        return None
    may_feed = tuple(f for f in features if f.role == "model")
    _, group = np.unique(first.groups, return_inverse=True)
    found = hidden(first.rows, first.won, first.worked, features=may_feed, group=group, seed=seed)
    return {
        "leads": len(first.won),
        "worked": int(first.worked.sum()),
        "hidden": None if found is None else asdict(found),
    }


def first_rows(examples: Examples) -> np.ndarray:
    """Marks each lead's earliest row: the one it was first scored with."""
    first: dict[str, int] = {}
    for i, lead in enumerate(examples.rows["lead_id"].to_pylist()):
        if lead not in first or examples.as_of[i] < examples.as_of[first[lead]]:
            first[lead] = i
    mask = np.zeros(len(examples.won), dtype=bool)
    mask[list(first.values())] = True
    found: np.ndarray = mask & ~examples.feedback
    return found


def _held_out(context: Context, examples: Examples, first: np.ndarray) -> tuple[float | None, np.ndarray]:
    """The time from which leads are held out, chosen at the first training and then kept, and which first rows those are.
    Without times (snapshot) leads are held out by a hash of their id."""
    if context.settings.training.mode == "snapshot":
        chance = np.array([lot(lead) for lead in examples.rows["lead_id"].to_pylist()])
        return None, first & (chance < HELD_OUT)
    cut = context.store.get("backtest_cut")
    if cut is None:
        times = np.sort(examples.as_of[first])
        cut = float(times[int(len(times) * (1 - HELD_OUT))]) if len(times) else 0.0
        context.store.put("backtest_cut", cut)
    return float(cut), first & (examples.as_of >= cut)


def _version(context: Context, created: datetime) -> str:
    with context.store.begin() as db:
        taken = {row[0] for row in db.execute(select(t.model.c.version))}
    stem = f"{created:%Y-%m-%d}"
    return next(name for n in range(1, 1000) if (name := f"{stem}.{n}") not in taken)


def _store(
    context: Context, model: Model, version: str, created: datetime, card: dict[str, Any], manifest: dict[str, Any],
    mature: pa.Table, examples: Examples,
) -> str:  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.skops"
        digest = files.save(model, path)
        blob = path.read_bytes()
    with context.store.begin() as db:
        champion = db.execute(
            select(t.model.c.version, t.model.c.card).where(t.model.c.status == "champion")
        ).first()
        status = "champion" if champion is None or _no_worse(card, champion.card) else "challenger"
        if status == "champion":
            db.execute(update(t.model).where(t.model.c.status == "champion").values(status="retired"))
        db.execute(
            insert(t.model).values(
                version=version,
                created_at=created,
                status=status,
                sha256=digest,
                blob=blob,
                card=card,
                manifest=manifest,
                backtest=to_ipc(mature),
                examples=to_ipc(points(examples, model)),
            )
        )
    return status


def _no_worse(card: dict[str, Any], other: dict[str, Any]) -> bool:
    """On the same held-out leads, log loss no more than its noise above the champion's."""
    mine, theirs = card["backtest"], other.get("backtest", {})
    if mine.get("log_loss") is None or theirs.get("log_loss") is None:
        return True
    return bool(mine["log_loss"] <= theirs["log_loss"] + NOISE)


def _figures(mature: pa.Table) -> dict[str, Any]:
    from scoring.metrics.scores import auc, ece, log_loss

    won = mature["won"].to_numpy(zero_copy_only=False).astype(float)
    p = mature["probability"].to_numpy()
    if len(won) == 0 or won.min() == won.max():
        return {"n": len(won), "wins": int(won.sum()), "auc": None, "log_loss": None, "ece": None}
    return {
        "n": len(won),
        "wins": int(won.sum()),
        "auc": auc(won, p),
        "log_loss": log_loss(won, p),
        "ece": ece(won, p),
    }

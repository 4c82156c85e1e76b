"""Train: a new model from all that is known, its backtest on leads that it has not seen, and its release.

The backtest is split in time: the latest leads whose outcome is known are held out, the model is fitted on what was known
before the first of them (connector/jobs/backtest.py). The released model is then fitted on all of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import insert, select

from connector.errors import NothingRead
from connector.jobs import backtest, edges, gaps, gates, models, release, segments
from connector.jobs.context import Context, log
from connector.jobs.evidence import listed
from connector.jobs.examples import Examples, collect, first_rows
from connector.jobs.fields import feeding, view_of
from connector.jobs.manifest import points, recipe, words
from connector.jobs.mature import mature_table
from connector.jobs.said import what_words_did
from connector.jobs.states import Reference, learn_segments, nearness
from connector.store import schema as t
from connector.store.bulk import to_ipc
from connector.store.runs import running
from scoring.audit.survivorship import survivorship
from scoring.audit.suspect import Doubtful
from scoring.features.catalogue import Feature
from scoring.metrics.outcomes import read
from scoring.model import store as files
from scoring.model.attention import hidden
from scoring.model.card import Model
from scoring.model.family import Family
from scoring.model.train import Draft, draft
from scoring.routing.policy import Policy


@dataclass(frozen=True, slots=True)
class Trained:
    version: str
    card: dict[str, Any]
    examples: int
    wins: int
    words: int
    """of people, that were weighed beside the outcomes"""
    held_out: int
    left_out: dict[str, int]
    status: str
    why: str
    """of the status"""
    unknown_before: dict[str, date]
    """fields whose history begins later than the first example"""
    address_before: date | None
    """before it leads are taken to have had the address that they were first read with, where that is later than the first example"""


def train_model(context: Context, *, agreed: bool = False) -> Trained:
    """Train, backtest, store and release. The first model is released at once; a later one when it is no worse than the
    champion on the held-out leads, overall and in every budgeted segment, and an admin has `agreed` or the policy has a standing
    yes for releases. Else it stays a challenger."""
    with running(context.store, "train", context.clock) as run:
        _something(context)
        since = gaps.known_since(context)
        context.progress("Training: looking for leaks", 0, 4)
        leaks, out, doubts = gates.audit_leaks(context)
        context.progress("Training: building what was known when", 1, 4)
        view = view_of(context.settings, since, out.activities)
        examples = collect(context, view, _doubtful(context, doubts))
        seed = context.settings.training.seed
        first = first_rows(examples)
        screened, told = gates.screened(context, out, examples, first)
        apart = backtest.split(context, examples, first)
        cut, test, past = apart.cut, apart.test, apart.past
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
        earlier = partial(
            drafted, features=features, seed=seed, base_rate=apart.base_rate, flags=context.policy.flags,
            unseen_by_trees=completeness.hidden, by_revenue=named["by_revenue"],
        )  # fmt: skip
        held, universal = examples.take(test), earlier(past)
        finished, unseen = universal.finish(), segments.unseen(held, universal)
        chosen = segments.choose(context, past, unseen, universal, features, earlier, seed)
        router = segments.tree(chosen, past, features, seed)
        edge = edges.choose(context, past, unseen, finished, router, edges.reviewed(examples.said), earlier)
        tested, routing = segments.backtested(chosen, router, universal, finished, unseen)
        tested = edges.backtested(tested, edge)

        def own(part: Examples, name: str, chosen: Sequence[Feature], hidden: Sequence[str]) -> Draft:
            return drafted(
                part, chosen, seed, base_rate=examples.base_rate, unseen_by_trees=hidden, **{**named, "version": f"{version}/{name}"}
            )  # fmt: skip

        family, cases = segments.released(context, chosen, model, examples, screened, router, own)
        family, edge_case = edges.released(context, edge, family, examples, screened, own)
        cases += edge_case
        mature = mature_table(context, held, tested)
        card = {**model.card, "mode": context.settings.training.mode, "backtest": {**figures(mature, examples.base_rate, context.policy), "known_then": apart.known_then},
                "attention": _attention(examples.take(first), features, seed),
                "checks": {**gates.checks(leaks, out, told, completeness), "doubtful": listed(doubts, 0)},
                "words": what_words_did(universal, held),
                "segments": {"looked_at": chosen.looked_at, "candidates": chosen.candidates, "models": cases,
                             "edge_cases": edge.plain(),
                             "routing": {**routing, "rules": [*routing["rules"], *edges.printed(edge)]}}}  # fmt: skip
        manifest = {
            "examples": len(examples.won), "words": 0 if examples.said is None else len(examples.said),
            "wins": float((examples.won * examples.weight).sum()),
            "held_out": int(test.sum()), "cut": None if cut is None else datetime.fromtimestamp(cut, UTC).isoformat(),
            **(learnt := learn_segments(examples.rows, examples.won, first)),
            "survivorship": _survivorship(context, examples.take(first), Reference.of(learnt), mature),
            "left_out": dict(examples.left_out), "seed": seed, "by_revenue": named["by_revenue"],
            "models": [{k: v for k, v in case.items() if k != "card"} for case in cases],
            **recipe(examples, view, features, completeness.hidden, context.policy.flags),
        }  # fmt: skip
        _store(context, family, version, created, card, manifest, mature, examples)
        status, why = offer(context, version, agreed)
        context.progress("Training: done", 4, 4)
        run.summary.update(
            version=version, status=status, why=why, examples=manifest["examples"], wins=manifest["wins"]
        )
        log.info("trained", version=version, status=status, examples=manifest["examples"])
        return Trained(
            version, card, manifest["examples"], round(manifest["wins"]), manifest["words"],
            manifest["held_out"], dict(examples.left_out), status, why, unknown_before(context, examples, since),
            _late(examples, gaps.company_known_since(context)).get("email"),
        )  # fmt: skip


def _doubtful(context: Context, doubts: Sequence[Doubtful]) -> frozenset[str]:
    """Leads that are left out because nobody gave them their outcome one by one."""
    if context.settings.training.doubtful != "leave_out":
        return frozenset()
    return frozenset(lead for label in doubts for lead in label.leads)


def _something(context: Context) -> None:
    with context.store.begin() as db:
        there = db.execute(select(t.record.c.id).where(t.record.c.kind == "lead").limit(1)).first()
    if there is None:
        raise NothingRead()


def unknown_before(context: Context, examples: Examples, since: Mapping[str, datetime]) -> dict[str, date]:
    """Fields that feed a feature and whose history begins after the first example -> that day."""
    fed = feeding(context.settings)
    return {name: day for name, day in _late(examples, since).items() if name in fed}


def _late(examples: Examples, since: Mapping[str, datetime]) -> dict[str, date]:
    """Fields whose history begins after the first example -> that day."""
    first = (
        datetime.fromtimestamp(examples.as_of.min(), UTC)
        if len(examples.as_of)
        else datetime.max.replace(tzinfo=UTC)
    )
    return {name: at.date() for name, at in sorted(since.items()) if at > first}


def fit(examples: Examples, features: Any, seed: int, **names: Any) -> Model:
    """The model of these examples, as it is released or backtested."""
    return drafted(examples, features, seed, **names).finish()


def drafted(
    examples: Examples, features: Any, seed: int, base_rate: float | None = None, **names: Any
) -> Draft:
    """`base_rate`: the org's, where the examples are a segment's."""
    amount = examples.amount if np.isfinite(examples.amount).any() else None
    return draft(
        examples.rows, examples.won, features=features, groups=examples.groups, amount=amount, weight=examples.weight,
        seed=seed, base_rate=examples.base_rate if base_rate is None else base_rate, said=examples.said, **names,
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


def _version(context: Context, created: datetime) -> str:
    with context.store.begin() as db:
        taken = {row[0] for row in db.execute(select(t.model.c.version))}
    stem = f"{created:%Y-%m-%d}"
    return next(name for n in range(1, 1000) if (name := f"{stem}.{n}") not in taken)


def _store(
    context: Context, family: Family, version: str, created: datetime, card: dict[str, Any], manifest: dict[str, Any],
    mature: pa.Table, examples: Examples,
) -> None:  # fmt: skip
    """The first model is released at once, a later one is a challenger."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.skops"
        digest = files.save(family, path)
        blob = path.read_bytes()
    with context.store.begin() as db:
        first = db.execute(select(t.model.c.version).where(t.model.c.status == "champion")).first() is None
        db.execute(
            insert(t.model).values(
                version=version, created_at=created, status="champion" if first else "challenger", sha256=digest, blob=blob,
                card=card, manifest=manifest, backtest=to_ipc(mature), examples=to_ipc(points(examples, family)),
                said=None if examples.said is None else to_ipc(words(examples.said)),
            )
        )  # fmt: skip
        if first:
            release.remember(db, [], version, None, created, "the first model")


def offer(context: Context, version: str, agreed: bool) -> tuple[str, str]:
    """Status of the new model and why: it takes over when it is no worse, and an admin said so or the policy does."""
    if next(m["status"] for m in models.listed(context) if m["version"] == version) == "champion":
        return "champion", "the first model is released at once"
    found = release.verdict(context, version)
    if not found.no_worse:
        return "challenger", f"it is worse than the one in use. {found.why}"
    standing = "releases" in context.policy.standing_yes
    if not (agreed or standing):
        return "challenger", f"no worse than the one in use, it waits for a yes: `candor release {version}`"
    why = "an admin's yes" if agreed else "the policy's standing yes"
    release.release(context, version, why, worse_too=True)  # judged above
    return "champion", "no worse than the one before"


def figures(mature: pa.Table, base: float, policy: Policy) -> dict[str, Any]:
    """How good a backtest's probabilities are, and what saying the `base` rate to all of its leads would have come to."""
    from scoring.metrics.scores import auc, ece, log_loss, skill

    won = mature["won"].to_numpy(zero_copy_only=False).astype(float)
    p = mature["probability"].to_numpy()
    if len(won) == 0 or won.min() == won.max():
        return {
            "n": len(won),
            "wins": int(won.sum()),
            "auc": None,
            "log_loss": None,
            "ece": None,
            "skill": None,
        }
    return {
        "n": len(won),
        "wins": int(won.sum()),
        "auc": auc(won, p),
        "log_loss": log_loss(won, p),
        "ece": ece(won, p),
        "skill": asdict(skill(won > 0.5, p, base, policy)),
    }

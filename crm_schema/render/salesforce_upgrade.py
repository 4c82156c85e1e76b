"""A Salesforce org that an older Candor set up, brought up to today's declaration with its values.

Salesforce may lose values when a field's type is changed in place, refuses to change that of a field which is mapped for lead
conversion, and advises to convert empty fields only. [Salesforce Help: Considerations for Converting the Field Type of a
Custom Field] So values always go by record into a new field, and the old one is deleted once they are all there:

    new fields, closed to people → values → (same name: old field deleted, made anew, values again) → the usual deployment,
    which deletes what is left over and opens the new fields

While values are on their way nobody can change them but Candor, old field and new: so a run that died can carry them again without
undoing what someone said meanwhile. Where a run stopped is read from the org.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crm_schema import upgrade
from crm_schema.carrying import Hop
from crm_schema.declaration import REVIEW, Field, fields_on
from crm_schema.errors import NoRoom, SchemaError
from crm_schema.naming import REVIEW_OBJECT, SALESFORCE_OBJECTS, salesforce_name
from crm_schema.permissions import INTEGRATION, PERMISSION_SETS
from crm_schema.render import salesforce, salesforce_removal
from crm_schema.render import salesforce_parts as parts
from crm_schema.render import salesforce_state as state
from crm_schema.render.difference import Difference
from crm_schema.render.salesforce import FITS
from crm_schema.render.salesforce_xml import document, package, zipped
from crm_schema.stages import Carry, Deploy, Destroy, Line, Stage, Thing
from crm_schema.upgrade import Route

Described = Mapping[str, Mapping[str, Any]]
_IN_RULE = ("status", "decision", "reason")
_DESCRIBED = {kind: sorted(types)[0] for kind, types in FITS.items()}


@dataclass(frozen=True, slots=True)
class Move:
    """A route that one object of this org still has to go."""

    object: str
    route: Route
    source: str
    target: str | None
    carrier: str | None = None
    source_there: bool = True
    shared: bool = False
    """people may change the target already: it was there before the upgrade, and what stands in it stays"""

    @property
    def holds(self) -> str:
        """the field that takes the values first"""
        return self.carrier or self.target or self.source


def moves(org: Mapping[str, Any]) -> list[Move]:
    """What is still to be done; nothing in an org that is up to date, or without Candor."""
    found: dict[tuple[str, str], Move] = {}
    for kind, object_name in SALESFORCE_OBJECTS.items():
        described: Described = org["objects"].get(object_name, {}).get("fields", {})
        for route in upgrade.routes((kind,), fields_on):
            if move := _move(object_name, route, described):
                found.setdefault((object_name, move.source), move)
    return [replace(m, shared=_shared(org, m)) for m in found.values()]


def _shared(org: Mapping[str, Any], m: Move) -> bool:
    full = f"{m.object}.{m.target}"
    given = org.get("permissions", {}).items()
    return m.target != m.source and any(n != INTEGRATION.name and full in g["fields"] for n, g in given)


def _move(object_name: str, route: Route, described: Described) -> Move | None:
    source = salesforce_name(route.was.key)
    old = described.get(source)
    there = old is not None and old["type"] in FITS[route.was.type]
    target = None if route.to is None else salesforce_name(route.to.key)
    if route.in_place:
        active = {v["value"] for v in (old or {}).get("picklistValues") or () if v.get("active", True)}
        return Move(object_name, route, source, target) if active & set(route.renamed) else None
    if route.retyped:
        carrier = salesforce_name(route.carrier.key)
        if there or carrier in described:
            return Move(object_name, route, source, target, carrier, there)
        return None
    return Move(object_name, route, source, target) if there else None


def difference(org: Mapping[str, Any], also_reads: Mapping[str, Sequence[str]]) -> Difference:
    """As salesforce.difference, with the steps before it that bring an older org up."""
    pending = [] if salesforce.hidden(org) else moves(org)
    if not salesforce.hidden(org):
        _nothing_hidden(org)
    if not pending:
        return salesforce.difference(org, also_reads)
    after = settled(org, pending)
    _room(org, after)
    carries = any(m.route.to is not None for m in pending)
    finishing = salesforce.Finishing(*_finishing(org, pending), opens=carries)
    rest = salesforce.difference(after, also_reads, finishing)
    rest.stages[:0] = list(_stages(org, also_reads, pending))
    if carries:
        rest.notes.append(
            "Until the upgrade is done nobody but Candor can change the fields that it moves. Salesforce forgets the history of a field "
            "that is deleted; Candor keeps what it has read of it. Records in the recycle bin are left out."
        )
    if deleted := [f"{m.object}.{n}" for m in pending for n in _leaving(m)]:
        rest.notes.append(salesforce_removal.counted_meanwhile(deleted))
    return rest


def _nothing_hidden(org: Mapping[str, Any]) -> None:
    """Values that we can't read don't go along: then nothing goes. Raises SchemaError."""
    for kind, object_name in SALESFORCE_OBJECTS.items():
        unseen = state.unseen(org, object_name)
        for route in upgrade.routes((kind,), fields_on):
            move = _move(object_name, route, unseen)
            if move is not None and route.to is not None and not route.in_place:
                raise SchemaError(
                    f"field {object_name}.{move.source} is as a version of Candor before {route.version} made it, and hidden from "
                    "the user that Candor signs in as: its values couldn't go along.",
                    fix="Let a permission set of yours show it to that user, then plan again.",
                )


def _room(org: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for object_name, free in after.get("custom_fields", {}).items():
        if free < 0:
            had = org["custom_fields"][object_name]
            raise NoRoom(
                f"{object_name} has room for {had} more custom fields, and the upgrade makes {had - free} before it deletes "
                "old ones.",
                fix="Delete fields that nobody uses, and erase them in Setup, Deleted Fields (until then a deleted one counts for "
                "15 days), then plan again.",
            )  # fmt: skip


def _leaving(m: Move) -> list[str]:
    """Fields that the upgrade deletes."""
    if m.route.in_place:
        return []
    return [n for n in (m.carrier, m.source if m.source_there else None) if n]


def settled(org: Mapping[str, Any], pending: Sequence[Move]) -> dict[str, Any]:
    """The org as it will be when the values stand where they belong, before the usual deployment."""
    after: dict[str, Any] = copy.deepcopy(dict(org))
    touched: dict[str, set[str]] = {}
    for move in pending:
        fields = after["objects"][move.object]["fields"]
        names = {n for n in (move.source, move.target, move.carrier) if n}
        touched.setdefault(move.object, set()).update(names)
        if move.route.in_place:
            values = fields[move.source]["picklistValues"]
            fields[move.source]["picklistValues"] = [
                *(v for v in values if v["value"] not in move.route.renamed),
                *_new_choices(move, values),
            ]
            continue
        remade = move.source if move.carrier and move.source_there else None
        created = [n for n in (move.holds, move.target) if n and (n not in fields or n == remade)]
        for name in names - {move.target}:
            fields.pop(name, None)
        if move.route.to is not None and move.target is not None:
            kept = fields.get(move.target) if move.target != move.source or not move.source_there else None
            fields[move.target] = kept or _described(move.route.to, tells=_tells(org, move.object))
        if move.object in after.get("custom_fields", {}):
            after["custom_fields"][move.object] -= len(set(created))
    _forget(after, touched)
    return after


def _forget(after: dict[str, Any], touched: Mapping[str, set[str]]) -> None:
    """Rights, mappings, rule and list of the moved fields: the usual deployment gives them again."""
    for given in after.get("permissions", {}).values():
        for object_name, names in touched.items():
            for name in names:
                given["fields"].pop(f"{object_name}.{name}", None)
    lead = touched.get("Lead", set())
    for target, mapped in after.get("conversion", {}).items():
        gone = [a for a, b in mapped.items() if a in lead or b in touched.get(target, set())]
        for a in gone:
            del mapped[a]
    review = touched.get(REVIEW_OBJECT, set())
    if review & {salesforce_name(key) for key in _IN_RULE} and "rules" in after:
        after["rules"].pop(f"{REVIEW_OBJECT}.{REVIEW.rule}", None)
    if review and "views" in after:
        after["views"] = [v for v in after["views"] if v != f"{REVIEW_OBJECT}.{REVIEW.view}"]


def _tells(org: Mapping[str, Any], object_name: str) -> bool:
    return any("tracked" in d for d in org["objects"][object_name]["fields"].values())


def _described(f: Field, *, tells: bool) -> dict[str, Any]:
    """A field as describe will show it once it is made."""
    shown: dict[str, Any] = {
        "name": salesforce_name(f.key), "label": f.label, "type": _DESCRIBED[f.type], "length": f.length,
        "precision": parts.precision(f) if f.type == "number" else 0, "scale": f.decimals, "inlineHelpText": f.help,
        "picklistValues": [{"value": c.value, "label": c.label, "active": True} for c in f.choices],
        "permissionable": True, "unique": f.unique, "externalId": f.unique, "restrictedPicklist": bool(f.choices),
    }  # fmt: skip
    return shown | ({"tracked": False} if tells else {})


def _new_choices(move: Move, values: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The renamed choices that the field lacks."""
    assert move.route.to is not None
    there = {v["value"] for v in values if v.get("active", True)}
    wanted = set(move.route.renamed.values()) - there
    return [
        {"value": c.value, "label": c.label, "active": True}
        for c in move.route.to.choices
        if c.value in wanted
    ]


# --- the steps ---


def _stages(
    org: Mapping[str, Any], also_reads: Mapping[str, Sequence[str]], pending: Sequence[Move]
) -> Iterator[Stage]:
    yield from _opening(org, also_reads, pending)
    yield from _carries(
        pending,
        lambda m: (
            Hop(
                m.source,
                m.holds,
                m.route.was,
                m.route.carrier if m.carrier else m.route.to,
                m.route.convert,
                m.shared,
            )
            if m.source_there and m.route.to is not None
            else None
        ),
    )
    again = [m for m in pending if m.carrier]
    if not again:
        return
    if old := [m for m in again if m.source_there]:
        lines = tuple(
            Line("remove", f"field {m.object}.{m.source}, to be made anew with another type", _was(m))
            for m in old
        )
        first = {}
        rule = f"{REVIEW_OBJECT}.{REVIEW.rule}"
        named = {salesforce_name(key) for key in _IN_RULE}
        if rule in org.get("rules", ()) and any(m.object == REVIEW_OBJECT and m.source in named for m in old):
            first = {"ValidationRule": [rule]}
        gone = {"CustomField": [f"{m.object}.{m.source}" for m in old]}
        yield Destroy(lines, salesforce.destructive(first, gone))
    made = [m for m in again if m.source_there or m.source not in org["objects"][m.object]["fields"]]
    if made:
        trees = [(m.object, m.route.to) for m in made if m.route.to is not None]
        yield _deployment(org, also_reads, pending, trees, without=[f"{m.object}.{m.source}" for m in made])
    yield from _carries(again, lambda m: _second(m))


def _was(m: Move) -> Thing:
    return salesforce.thing(m.object, m.route.was)


def _second(m: Move) -> Hop | None:
    assert m.carrier is not None
    assert m.target is not None
    assert m.route.to is not None
    return Hop(m.carrier, m.target, m.route.carrier, m.route.to, upgrade.reading)


def _carries(pending: Sequence[Move], hop: Any) -> Iterator[Carry]:
    by_object: dict[str, list[Move]] = {}
    for m in pending:
        by_object.setdefault(m.object, []).append(m)
    for object_name, of_it in by_object.items():
        hops = [(m, h) for m in of_it if (h := hop(m)) is not None]
        if hops:
            lines = tuple(
                Line(
                    "carry",
                    upgrade.told(m.route, f"field {object_name}", m.source, m.target)
                    if h.source == m.source
                    else f"values of field {object_name}.{h.target} back into it",
                    _was(m),
                )
                for m, h in hops
            )
            yield Carry(lines, object_name, tuple(h for _, h in hops), calls=0)


def _opening(
    org: Mapping[str, Any], also_reads: Mapping[str, Sequence[str]], pending: Sequence[Move]
) -> Iterator[Deploy]:
    """The first deployment: fields that take values, new names of choices, and the moved fields closed to people."""
    trees: list[tuple[str, Field]] = []
    changed: list[tuple[str, dict[str, Any], Line]] = []
    for m in pending:
        fields = org["objects"][m.object]["fields"]
        if m.route.to is None or not m.source_there:
            continue
        if m.route.in_place:
            lacks = _new_choices(m, fields[m.source]["picklistValues"])
            if lacks:
                kept = [v for v in fields[m.source]["picklistValues"] if v.get("active", True)]
                tree = _choices(m, fields[m.source], [*kept, *lacks])
                what = f"field {m.object}.{m.source}: adds {', '.join(v['value'] for v in lacks)}"
                changed.append((m.object, tree, Line("change", what, _was(m))))
        elif m.holds not in fields:
            trees.append((m.object, m.route.carrier if m.carrier else m.route.to))
        if m.source != m.target and fields[m.source].get("tracked"):
            # it goes anyway, and the field that follows it needs its place among those whose history is kept
            what = f"field {m.object}.{m.source}: its history is no longer kept"
            changed.append((m.object, _untracked(m, fields[m.source]), Line("change", what, _was(m))))
    if trees or changed or not _closed(org, pending):
        yield _deployment(org, also_reads, pending, trees, changed)


def _untracked(m: Move, have: Mapping[str, Any]) -> dict[str, Any]:
    """A field that will be deleted, as it is, without its history."""
    was = m.route.was
    extra: dict[str, Any] = {"label": have["label"], "inlineHelpText": have.get("inlineHelpText") or was.help}
    if was.choices:
        extra["valueSet"] = _values(have["picklistValues"])
    if was.type in ("text", "long_text"):
        extra["length"] = int(have["length"])
    if was.type == "number" and have.get("precision"):
        extra |= {"precision": int(have["precision"]), "scale": int(have.get("scale", 0))}
    return parts.field_tree(was, tracked=False, extra=extra)


def _closed(org: Mapping[str, Any], pending: Sequence[Move]) -> bool:
    """People can't change the fields that are on their way, and we can."""
    if "permissions" not in org:
        return True
    carried = [m for m in pending if m.route.to is not None]
    for name, given in org["permissions"].items():
        for m in carried:
            names = (m.source,) if m.shared else (m.source, m.holds)
            rights = {given["fields"].get(f"{m.object}.{n}") for n in names}
            if name != INTEGRATION.name and "edit" in rights:
                return False
            if name == INTEGRATION.name and given["fields"].get(f"{m.object}.{m.holds}") != "edit":
                return False
    return True


def _choices(m: Move, have: Mapping[str, Any], values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A field that is there, with these choices."""
    assert m.route.to is not None
    extra = {
        "label": have["label"],
        "inlineHelpText": have.get("inlineHelpText") or m.route.to.help,
        "valueSet": _values(values),
    }
    return parts.field_tree(m.route.to, tracked=bool(have.get("tracked", m.route.to.tracked)), extra=extra)


def _values(values: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The list of a choice field, as describe shows it."""
    whole = parts.value_set(())
    whole["valueSetDefinition"]["value"] = [
        {
            "fullName": v["value"],
            "default": bool(v.get("defaultValue")),
            "isActive": bool(v.get("active", True)),
            "label": v.get("label") or v["value"],
        }
        for v in values
    ]
    return whole


def _deployment(
    org: Mapping[str, Any],
    also_reads: Mapping[str, Sequence[str]],
    pending: Sequence[Move],
    made: Sequence[tuple[str, Field]],
    changed: Sequence[tuple[str, dict[str, Any], Line]] = (),
    without: Sequence[str] = (),
) -> Deploy:
    """Fields that are made untracked (else the history would be full of our own moving), and all permission sets, in which the
    moved fields are Candor's alone."""
    lines = [
        Line(
            "create",
            f"field {o}.{salesforce_name(f.key)} “{f.label}” for the values",
            salesforce.thing(o, f),
        )
        for o, f in made
    ]
    lines += [line for *_, line in changed]
    by_object: dict[str, list[dict[str, Any]]] = {}
    members: dict[str, list[str]] = {}
    for object_name, tree in [
        *((o, parts.field_tree(f, tracked=False)) for o, f in made),
        *((o, t) for o, t, _ in changed),
    ]:
        by_object.setdefault(object_name, []).append(tree)
        members.setdefault("CustomField", []).append(f"{object_name}.{tree['fullName']}")
    files = {
        f"objects/{o}.object": document("CustomObject", {"fields": trees}) for o, trees in by_object.items()
    }
    there = {f"{o}.{n}" for o, v in org["objects"].items() for n in v["fields"]} - set(without)
    there |= set(members.get("CustomField", ()))
    # on the second hop the fields of the first are there too
    there |= {f"{m.object}.{m.holds}" for m in pending}
    for name, content in _closing(org, also_reads, pending, there):
        files[f"permissionsets/{name}.permissionset"] = content
        members.setdefault("PermissionSet", []).append(name)
    if "PermissionSet" in members:
        lines.append(
            Line(
                "change",
                "permission sets: the fields on their way are Candor's alone until all is done",
                Thing("permission set", ", ".join(members["PermissionSet"])),
            )
        )
    files["package.xml"] = package(members)
    return Deploy(tuple(lines), zipped(files))


def _closing(
    org: Mapping[str, Any],
    also_reads: Mapping[str, Sequence[str]],
    pending: Sequence[Move],
    there: set[str],
) -> Iterator[tuple[str, bytes]]:
    """Our permission sets with what is there by now, and the moved fields for Candor alone."""
    reads = salesforce.readable(org, also_reads)
    carried = [m for m in pending if m.route.to is not None]
    sources = {f"{m.object}.{m.source}" for m in carried}
    takers = {f"{m.object}.{n}" for m in carried if not m.shared for n in (m.holds, m.target) if n}
    ours = sources | takers | {f"{m.object}.{m.holds}" for m in carried}
    objects = {*org["objects"], *also_reads, "Campaign"}
    for grant in PERMISSION_SETS:
        if grant.name not in salesforce.names(org["permission_sets"]):
            continue
        have = org.get("permissions", {}).get(grant.name)
        tree = parts.permission_set(grant, reads)
        tree["fieldPermissions"] = [
            p for p in tree["fieldPermissions"] if p["field"] in there or _foreign(p["field"], org)
        ]
        tree["objectPermissions"] = [p for p in tree["objectPermissions"] if p["object"] in objects]
        if REVIEW_OBJECT not in org["objects"]:
            tree["tabSettings"] = []
        if have:
            tree = salesforce.with_all(tree, grant.name, org)
        if grant is INTEGRATION:
            moved = dict.fromkeys(ours & there, True)
        else:
            seen = sources & there
            moved = dict.fromkeys(seen if have is None else seen & set(have["fields"]), False)
        kept = [p for p in tree["fieldPermissions"] if p["field"] not in sources | takers | set(moved)]
        tree["fieldPermissions"] = sorted(
            [*kept, *({"field": n, "readable": True, "editable": e} for n, e in moved.items())],
            key=lambda p: str(p["field"]),
        )
        yield grant.name, document("PermissionSet", tree)


def _foreign(full: str, org: Mapping[str, Any]) -> bool:
    """A field of the org's own: an address stands for its parts, an object that only the mapping names isn't read."""
    object_name, _, name = full.partition(".")
    return object_name not in org["objects"] or not name.startswith("Candor_")


def _finishing(
    org: Mapping[str, Any], pending: Sequence[Move]
) -> tuple[list[tuple[str, dict[str, Any], Line]], list[tuple[str, Line]]]:
    """What the usual deployment does besides: old names of choices retired, and fields deleted whose values stand elsewhere."""
    retired, gone = [], []
    for m in pending:
        have = org["objects"][m.object]["fields"].get(m.source)
        if m.route.in_place:
            assert have is not None
            values = have["picklistValues"]
            old = set(m.route.renamed)
            all_values = [
                *({**v, "active": v.get("active", True) and v["value"] not in old} for v in values),
                *_new_choices(m, values),
            ]
            what = f"field {m.object}.{m.source}: retires {', '.join(sorted(old & {v['value'] for v in values}))}"
            retired.append((m.object, _choices(m, have, all_values), Line("change", what, _was(m))))
            continue
        last = m.carrier or m.source
        words = "which held the values meanwhile" if m.carrier else "its values stand elsewhere now"
        if m.route.to is None:
            words = f"with its values: version {m.route.version} no longer has it"
        line = Line(
            "remove",
            f"field {m.object}.{last}, {words}",
            salesforce.thing(m.object, m.route.carrier if m.carrier else m.route.was),
        )
        gone.append((f"{m.object}.{last}", line))
    return retired, gone

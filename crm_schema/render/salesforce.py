"""The difference between the declaration and a Salesforce org, as stages: one deployment, then our own
permission."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_schema.declaration import REVIEW, Field, fields_on
from crm_schema.errors import NoRoom
from crm_schema.naming import REVIEW_OBJECT, SALESFORCE_OBJECTS, salesforce_name
from crm_schema.permissions import INTEGRATION, PERMISSION_SETS, PermissionSet
from crm_schema.render import salesforce_contents as contents
from crm_schema.render import salesforce_parts as parts
from crm_schema.render import salesforce_state as state
from crm_schema.render.difference import Difference, words
from crm_schema.render.salesforce_state import TRACKED_FIELDS
from crm_schema.render.salesforce_xml import document, package, zipped
from crm_schema.stages import AssignPermissionSet, Deploy, Left, Line, Thing, Verb

FITS = {
    "number": {"double", "int", "currency"},
    "text": {"string"},
    "long_text": {"textarea"},
    "choice": {"picklist"},
    "choices": {"multipicklist"},
    "flag": {"boolean"},
    "time": {"datetime"},
    "lead": {"reference"},
}
"""our type -> describe types that can hold it"""


RULE = Thing("validation rule", REVIEW.rule, REVIEW_OBJECT)


def thing(object_name: str, f: Field) -> Thing:
    """One of Candor's fields."""
    return Thing.field("field", object_name, salesforce_name(f.key), f)


@dataclass
class _Deployment:
    """What is gathered for the one zip."""

    fields: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)

    def add(self, object_name: str, tree: dict[str, Any], line: Line) -> None:
        self.fields.setdefault(object_name, []).append(tree)
        self.member("CustomField", f"{object_name}.{tree['fullName']}")
        self.lines.append(line)

    def member(self, kind: str, name: str) -> None:
        self.members.setdefault(kind, []).append(name)


@dataclass(frozen=True, slots=True)
class Finishing:
    """What the deployment does besides, to end an upgrade (salesforce_upgrade.py): fields changed, fields deleted."""

    changed: Sequence[tuple[str, dict[str, Any], Line]] = ()
    gone: Sequence[tuple[str, Line]] = ()
    opens: bool = False
    """permission sets are written anew: some fields were Candor's alone meanwhile"""


def difference(
    org: Mapping[str, Any], also_reads: Mapping[str, Sequence[str]], finishing: Finishing | None = None
) -> Difference:
    """What is missing in the org. `also_reads`: fields of the org's own that the mapping names, by object."""
    found = Difference()
    if hidden(org):
        found.stages.append(see_again())
        found.notes.append(BLIND)
        found.blind = True
        return found
    deployment = _Deployment()
    created = [
        _fields_of(object_name, fields_on(kind), org, deployment, found)
        for kind, object_name in SALESFORCE_OBJECTS.items()
    ]
    found.raise_conflicts("Setup, Object Manager, the field, Edit, Change Field Type")
    for object_name, tree, line in finishing.changed if finishing else ():
        deployment.add(object_name, tree, line)
    whole = REVIEW_OBJECT not in org["objects"]
    if whole:
        rule = f"{REVIEW_OBJECT}.{REVIEW.rule}"
        deployment.member("CustomObject", REVIEW_OBJECT)
        deployment.member("CustomTab", REVIEW_OBJECT)
        deployment.member("ListView", f"{REVIEW_OBJECT}.{REVIEW.view}")
        deployment.member("ValidationRule", rule)
        deployment.lines.append(
            Line(
                "create",
                f"object {REVIEW_OBJECT} “{REVIEW.plural}” with a tab and a list of the open ones",
                Thing("object", REVIEW_OBJECT, label=REVIEW.label),
            )
        )
        deployment.lines.append(Line("create", f"validation rule {rule}: “{REVIEW.message}”", RULE))
    files = _review_parts(org, whole, deployment)
    for object_name, trees in deployment.fields.items():
        tree = parts.review_object(trees, whole=whole) if object_name == REVIEW_OBJECT else {"fields": trees}
        if object_name == REVIEW_OBJECT and not whole:
            tree |= _review_tree(org)
        files[f"objects/{object_name}.object"] = document("CustomObject", tree)
    if REVIEW.queue not in names(org["queues"]):
        files[f"queues/{REVIEW.queue}.queue"] = document("Queue", parts.queue())
        deployment.member("Queue", REVIEW.queue)
        what = f"queue {REVIEW.queue} “{REVIEW.label}”, without members yet"
        deployment.lines.append(Line("create", what, Thing("queue", REVIEW.queue, label=REVIEW.label)))
    files |= _permission_sets(
        org, also_reads, deployment, fields_are_new=any(created) or bool(finishing and finishing.opens)
    )
    files |= _conversion(org, deployment)
    if finishing and finishing.gone:
        files["destructiveChangesPost.xml"] = package({"CustomField": [name for name, _ in finishing.gone]})
        deployment.lines += [line for _, line in finishing.gone]
    if files:
        files["package.xml"] = package(deployment.members)
        found.stages.append(Deploy(tuple(deployment.lines), zipped(files)))
    if not _holds(org, INTEGRATION.name):
        found.stages.append(see_again())
    return found


def _review_parts(org: Mapping[str, Any], whole: bool, into: _Deployment) -> dict[str, bytes]:
    """Tab, rule and list view of the review object: with it, or where they have gone since."""
    files: dict[str, bytes] = {}
    if whole or state.tab_gone(org):
        files[f"tabs/{REVIEW_OBJECT}.tab"] = document("CustomTab", parts.tab())
    if whole:
        return files
    if state.tab_gone(org):
        into.member("CustomTab", REVIEW_OBJECT)
        into.lines.append(Line("create", f"tab {REVIEW_OBJECT}", Thing("tab", REVIEW_OBJECT)))
    if rule := state.rule_state(org):
        name = f"{REVIEW_OBJECT}.{REVIEW.rule}"
        into.member("ValidationRule", name)
        verb: Verb = "create" if rule == "gone" else "change"
        what = f"validation rule {name}: “{REVIEW.message}”"
        into.lines.append(
            Line(verb, what if rule == "gone" else f"validation rule {name}: it is {rule}", RULE)
        )
    if state.view_gone(org):
        into.member("ListView", f"{REVIEW_OBJECT}.{REVIEW.view}")
        view = Thing("list view", REVIEW.view, REVIEW_OBJECT)
        into.lines.append(Line("create", f"list view {REVIEW_OBJECT}.{REVIEW.view}", view))
    if rule or state.view_gone(org):
        into.fields.setdefault(REVIEW_OBJECT, [])
    return files


def _review_tree(org: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    if state.rule_state(org):
        tree["validationRules"] = [parts.validation_rule()]
    if state.view_gone(org):
        tree["listViews"] = [parts.list_view()]
    return tree


def _conversion(org: Mapping[str, Any], into: _Deployment) -> dict[str, bytes]:
    """Map Candor's lead fields at conversion, beside what the org maps already."""
    lacks = state.unmapped(org)
    if not lacks:
        return {}
    targets = {*org["conversion"], *lacks}
    whole = {t: {**org["conversion"].get(t, {}), **lacks.get(t, {})} for t in targets}
    into.member(parts.CONVERSION, parts.CONVERSION)
    for target, fields in lacks.items():
        goes = "goes" if len(fields) == 1 else "go"
        what = f"lead conversion: {len(fields)} of Candor's lead fields {goes} to {target}"
        into.lines.append(Line("change", what, Thing("conversion mapping", target, "Lead")))
    tree = parts.conversion_settings(whole)
    file = f"{parts.CONVERSION}/{parts.CONVERSION}.LeadConvertSetting"
    return {file: document("LeadConvertSettings", tree)}


def hidden(org: Mapping[str, Any]) -> bool:
    """Candor has been set up, but we may not see its fields: describe would tell of an org without them. Its queue tells that
    they are there, or a permission set that names one."""
    if INTEGRATION.name not in names(org["permission_sets"]) or _holds(org, INTEGRATION.name):
        return False
    ours = (name for given in org.get("permissions", {}).values() for name in given["fields"])
    return REVIEW.queue in names(org["queues"]) or any(".Candor_" in name for name in ours)


BLIND = (
    "Until then Candor can't see its fields. If anything else has changed, `candor apply` shows it after this step and mends it in "
    "the same run."
)


def granted(grant: PermissionSet) -> Thing:
    return Thing("permission set", grant.name, label=grant.label)


def see_again() -> AssignPermissionSet:
    what = f"permission set {INTEGRATION.name} to the user that Candor signs in as"
    line = Line("assign", what, granted(INTEGRATION))
    return AssignPermissionSet((line,), INTEGRATION.name)


def _holds(org: Mapping[str, Any], name: str) -> bool:
    return any(s["name"] == name and s["assigned"] for s in org["permission_sets"])


def _fields_of(
    object_name: str, fields: Sequence[Field], org: Mapping[str, Any], into: _Deployment, found: Difference
) -> int:
    """Gather what one object lacks; how many fields that is."""
    described: Mapping[str, Mapping[str, Any]] = {
        **org["objects"].get(object_name, {}).get("fields", {}),
        **state.unseen(org, object_name),
    }
    unknown = state.unknown(org, object_name)
    if unknown:
        found.notes.append(
            f"{object_name} has {', '.join(sorted(unknown))}, hidden from this user. What it is, shows only to one with Modify Metadata "
            "Through Metadata API Functions, who can also make Candor see it."
        )
    fields = [f for f in fields if salesforce_name(f.key) not in unknown]
    missing = [f for f in fields if salesforce_name(f.key) not in described]
    free = org.get("custom_fields", {}).get(object_name)
    if free is not None and len(missing) > free:
        raise NoRoom(
            f"{object_name} has room for {free} more custom fields, Candor needs {len(missing)}.",
            fix="Delete fields that nobody uses and erase them in Setup, Object Manager, Deleted Fields: until then a deleted one "
            "counts for 15 days, Candor's own after `candor remove` too. Then plan again.",
        )
    if free is not None and object_name != REVIEW_OBJECT:
        found.limits.append(Left(object_name, "custom fields", free - len(missing)))
    tracked = _tracked(object_name, fields, described, found)
    off = state.history_is_off(described) and object_name != REVIEW_OBJECT
    again = [] if off else state.untracked(fields, described)
    for f in fields:
        name = salesforce_name(f.key)
        where = f"field {object_name}.{name}"
        if name not in described:
            tree = parts.field_tree(f, tracked=name in tracked)
            line = Line("create", f"{where} “{f.label}” ({words(f.type)})", thing(object_name, f))
            into.add(object_name, tree, line)
            continue
        have = described[name]
        if have["type"] not in FITS[f.type]:
            found.conflict(where, str(have["type"]), f.type)
            continue
        _settle(f, have, where, object_name, f in again, into, found)
    return len(missing)


def _settle(
    f: Field,
    have: Mapping[str, Any],
    where: str,
    object_name: str,
    track: bool,
    into: _Deployment,
    found: Difference,
) -> None:
    """A field that is there: add what it lacks, keep what an admin made of it."""
    theirs = [v["value"] for v in have.get("picklistValues") or ()]
    what = _lacks(f, have, track=track)
    if what:
        extra: dict[str, Any] = {
            "label": have["label"],
            "inlineHelpText": have.get("inlineHelpText") or f.help,
        }
        if f.choices:
            extra["valueSet"] = _merged(f, have)
        if f.type in ("text", "long_text"):
            extra["length"] = max(f.length, int(have["length"]))
        tree = parts.field_tree(f, tracked=track or bool(have.get("tracked", f.tracked)), extra=extra)
        into.add(object_name, tree, Line("change", f"{where}: {'; '.join(what)}", thing(object_name, f)))
    if have["label"] != f.label:
        found.keep(where, f"your label “{have['label']}”", thing(object_name, f))
    more = [value for value in theirs if f.choices and value not in {c.value for c in f.choices}]
    if more:
        found.keep(where, f"your values {', '.join(more)}", thing(object_name, f))


def _lacks(f: Field, have: Mapping[str, Any], *, track: bool) -> list[str]:
    """What is mended of a field that is there, in words."""
    what = []
    if values := state.values_gone(f, have):
        what.append(f"adds {', '.join(c.value for c in values)}")
    if state.too_short(f, have):
        what.append(f"from {have['length']} to {f.length} characters")
    if state.too_few_digits(f, have):
        what.append(f"from {have['precision']} to {parts.precision(f)} digits")
    if state.not_unique(f, have) or state.no_key(f, have):
        what.append("unique again, and an external id")
    if state.unrestricted(f, have):
        what.append("its values restricted again")
    if track:
        what.append("its history kept again")
    return what


def _merged(f: Field, have: Mapping[str, Any]) -> dict[str, Any]:
    """A value set: the org's values in its own order and words, then those that are missing."""
    lacks = state.values_gone(f, have)
    ours = {c.value for c in lacks}
    theirs = [
        {
            "fullName": v["value"],
            "default": bool(v.get("defaultValue")),
            "isActive": bool(v.get("active", True)),
            "label": v.get("label") or v["value"],
        }
        for v in have.get("picklistValues") or ()
        if v["value"] not in ours
    ]
    merged = parts.value_set(lacks)
    merged["valueSetDefinition"]["value"] = theirs + merged["valueSetDefinition"]["value"]
    return merged


def _tracked(
    object_name: str, fields: Sequence[Field], described: Mapping[str, Mapping[str, Any]], found: Difference
) -> set[str]:
    """Which of our fields get their history kept: as many as the org's own leave room for."""
    wanted = [f for f in fields if f.tracked and salesforce_name(f.key) not in described]
    room = max(0, TRACKED_FIELDS - sum(bool(d.get("tracked")) for d in described.values()))
    left_out = [f.label for f in wanted[room:]]
    if left_out:
        found.notes.append(
            f"{object_name}: Salesforce keeps the history of {TRACKED_FIELDS} fields an object and your own "
            f"leave room for {room}: it will not keep that of {', '.join(left_out)}. Candor still sees such "
            "a change at its next pass, but not who made it when, nor one that was taken back in between."
        )
    if object_name != REVIEW_OBJECT and state.history_is_off(described) and any(f.tracked for f in fields):
        asked = ", ".join(f.label for f in fields if f.tracked)
        found.notes.append(
            f"{object_name} keeps no history of any field: that of {asked} is kept only once you switch it on in "
            f"Setup, Object Manager, {object_name}, Fields & Relationships, Set History Tracking."
        )
    elif object_name != REVIEW_OBJECT and any("tracked" in d for d in described.values()):
        left = max(0, room - len(wanted))
        found.limits.append(Left(object_name, "fields with history", left, TRACKED_FIELDS))
    return {salesforce_name(f.key) for f in wanted[:room]}


def _permission_sets(
    org: Mapping[str, Any],
    also_reads: Mapping[str, Sequence[str]],
    deployment: _Deployment,
    *,
    fields_are_new: bool,
) -> Iterator[tuple[str, bytes]]:
    """All permission sets when fields are new, else only those that are missing."""
    there = names(org["permission_sets"])
    reads = readable(org, also_reads)
    for grant in PERMISSION_SETS:
        have = org.get("permissions", {}).get(grant.name)
        lost = _lost(grant, reads, have, org) if grant.name in there else []
        if grant.name in there and not fields_are_new and not lost:
            continue
        deployment.member("PermissionSet", grant.name)
        line = Line("create", f"permission set {grant.name}: {grant.help}", granted(grant))
        if grant.name in there:
            what = "with the new fields" if fields_are_new else f"gives again {_few(lost)}"
            kept = "" if have else " (what was added by hand goes)"
            if have and grant.name not in org.get("set_contents", ()):
                kept = " (Apex classes, tabs and the like that were added by hand go: this user may not read them)"
            told = f"permission set {grant.name}: written anew, {what}{kept}"
            line = Line("change", told, granted(grant))
        deployment.lines.append(line)
        tree = parts.permission_set(grant, reads)
        if have:
            tree = with_all(tree, grant.name, org)
        yield f"permissionsets/{grant.name}.permissionset", document("PermissionSet", tree)


def with_all(tree: dict[str, Any], name: str, org: Mapping[str, Any]) -> dict[str, Any]:
    """A permission set with what it gives in the org already, which the deployment would take away otherwise."""
    whole = parts.with_added(tree, org["permissions"][name])
    return contents.kept(whole, org.get("set_contents", {}).get(name, {}))


def _lost(
    grant: PermissionSet,
    reads: Mapping[str, Sequence[str]],
    have: Mapping[str, Any] | None,
    org: Mapping[str, Any],
) -> list[str]:
    """What a permission set no longer gives, in words. System rights show only while we hold it."""
    fields, objects = state.rights_lost(grant, reads, have) if have else ([], [])
    system = state.system_rights_lost(grant, org) if _holds(org, grant.name) else []
    return [f"{right} of {name}" for name, right in fields] + [f"access to {o}" for o in objects] + system


def _few(lost: Sequence[str]) -> str:
    more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
    return ", ".join(lost[:3]) + more


def readable(org: Mapping[str, Any], also_reads: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The org's own fields that the integration user is to read: those that are there and can be granted. An object
    that only the mapping names (web activity) is taken at its word."""
    readable: dict[str, list[str]] = {}
    for object_name in {*org["objects"], *also_reads}:
        wanted = {*parts.ALSO_READS.get(object_name, ()), *also_reads.get(object_name, ())}
        if object_name not in org["objects"]:
            readable[object_name] = sorted(wanted)
            continue
        described = org["objects"][object_name]["fields"]
        readable[object_name] = sorted(
            {
                _granted_by(described[name])
                for name in wanted
                if name in described and _hideable(described[name])
            }
        )
    return readable


def _hideable(described: Mapping[str, Any]) -> bool:
    return bool(described.get("permissionable", True))


def _granted_by(described: Mapping[str, Any]) -> str:
    """The field whose permission it takes: a street or country goes with its address."""
    whole = described.get("compoundFieldName") or ""
    return str(whole if whole.endswith("Address") else described["name"])


def destructive(first: Mapping[str, Sequence[str]], then: Mapping[str, Sequence[str]]) -> bytes:
    """A deployment that only deletes: `first` before `then` (queue and tab before the object they are for)."""
    files = {"package.xml": package({}), "destructiveChangesPost.xml": package(then)}
    if first:
        files["destructiveChangesPre.xml"] = package(first)
    return zipped(files)


def names(listed: Iterable[Any]) -> set[str]:
    return {one["name"] if isinstance(one, Mapping) else str(one) for one in listed}

"""The declaration in Salesforce's words: custom fields, the review object, its queue and rule, permission
sets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from crm_schema.choices import Choice
from crm_schema.declaration import REVIEW, Field, Writer, fields_on
from crm_schema.naming import REVIEW_OBJECT, SALESFORCE_OBJECTS, salesforce_name
from crm_schema.permissions import INTEGRATION, Access, PermissionSet
from crm_schema.render.salesforce_xml import Tree

DIGITS = 18
"""most digits of a Salesforce number"""
_TYPES = {
    "number": "Number",
    "text": "Text",
    "long_text": "LongTextArea",
    "choice": "Picklist",
    "choices": "MultiselectPicklist",
    "flag": "Checkbox",
    "time": "DateTime",
    "lead": "Lookup",
}

ALSO_READS: Mapping[str, Sequence[str]] = {
    "Lead": ("Email", "Phone", "Title", "Industry", "NumberOfEmployees", "AnnualRevenue", "LeadSource",
             "Address", "Website"),
    "Contact": ("AccountId", "Email", "Phone", "Title", "Department", "LeadSource", "MailingAddress"),
    "Account": ("Industry", "NumberOfEmployees", "AnnualRevenue", "Website", "Type", "BillingAddress"),
    "Opportunity": ("AccountId", "Amount", "Type", "LeadSource", "Probability", "CampaignId"),
}  # fmt: skip
"""Standard fields that the integration user reads by default. Those that can't be hidden (names, owner,
dates) need no permission."""
_ALSO_SEES = ("Campaign",)


def field_tree(field: Field, *, tracked: bool, extra: Tree | None = None) -> dict[str, Any]:
    """A CustomField. `extra` overrides: what the org's own definition says."""
    tree: dict[str, Any] = {
        "fullName": salesforce_name(field.key),
        "label": field.label,
        "inlineHelpText": field.help,
        "description": _written_by(field.written_by),
        "type": _TYPES[field.type],
        "trackHistory": tracked,
    }
    match field.type:
        case "number":
            tree |= {"precision": precision(field), "scale": field.decimals}
        case "text":
            tree |= {"length": field.length}
            if field.unique:
                tree |= {"unique": True, "externalId": True}
        case "long_text":
            tree |= {"length": field.length, "visibleLines": 5}
        case "choice":
            tree |= {"valueSet": value_set(field.choices)}
        case "choices":
            tree |= {"valueSet": value_set(field.choices), "visibleLines": max(3, len(field.choices))}
        case "flag":
            tree |= {"defaultValue": False}
        case "lead":
            tree |= {
                "referenceTo": "Lead",
                "deleteConstraint": "SetNull",
                "relationshipLabel": REVIEW.plural,
                "relationshipName": "Candor_Reviews",
            }
        case "time":
            pass
    return tree | dict(extra or {})


def precision(field: Field) -> int:
    """Digits in all: three before the point where the bounds are 0-100."""
    if field.bounds is None:
        return DIGITS
    return len(str(int(max(abs(b) for b in field.bounds)))) + field.decimals


def value_set(choices: Sequence[Choice]) -> dict[str, Any]:
    return {
        "restricted": True,
        "valueSetDefinition": {
            "sorted": False,
            "value": [{"fullName": c.value, "default": False, "label": c.label} for c in choices],
        },
    }


def _written_by(writer: Writer) -> str:
    return {
        "candor": "Written by Candor; a change by hand is overwritten.",
        "people": "Written by people, read by Candor.",
        "both": "Written by Candor and by people.",
    }[writer]


def review_object(fields: Sequence[Mapping[str, Any]], *, whole: bool) -> dict[str, Any]:
    """Candor_Review__c; `whole`: the object itself too, not fields alone."""
    if not whole:
        return {"fields": list(fields)}
    return {
        "label": REVIEW.label,
        "pluralLabel": REVIEW.plural,
        "description": "A lead that Candor wants a person to look at before it is routed.",
        "nameField": {"label": "Number", "type": "AutoNumber", "displayFormat": REVIEW.number},
        "deploymentStatus": "Deployed",
        "sharingModel": "ReadWrite",
        "enableActivities": True,
        "enableHistory": True,
        "enableReports": True,
        "enableSearch": True,
        "fields": list(fields),
        "validationRules": [validation_rule()],
        "listViews": [list_view()],
    }


def validation_rule() -> dict[str, Any]:
    status, decision, reason = (salesforce_name(key) for key in ("status", "decision", "reason"))
    return {
        "fullName": REVIEW.rule,
        "active": True,
        "description": "A review without a decision and a reason teaches nothing.",
        "errorConditionFormula": (
            f'AND(ISPICKVAL({status}, "completed"), OR(ISPICKVAL({decision}, ""), ISPICKVAL({reason}, "")))'
        ),
        "errorMessage": REVIEW.message,
    }


def list_view() -> dict[str, Any]:
    """The reviewers' list: open cases, with what they need to choose the next one."""
    shown = ("lead", "score", "confidence", "tier", "due")
    return {
        "fullName": REVIEW.view,
        "label": "Open reviews",
        "filterScope": "Everything",
        "columns": ["NAME", *(salesforce_name(key) for key in shown), "OWNER.ALIAS"],
        "filters": [{"field": salesforce_name("status"), "operation": "equals", "value": "open"}],
    }


def tab() -> dict[str, Any]:
    """Without a tab of its own an object can't be opened from Lightning's menu."""
    return {"customObject": True, "motif": "Custom53: Bell"}


def queue() -> dict[str, Any]:
    return {
        "fullName": REVIEW.queue,
        "name": REVIEW.label,
        "doesSendEmailToMembers": False,
        "queueSobject": [{"sobjectType": REVIEW_OBJECT}],
    }


def permission_set(grant: PermissionSet, also_reads: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """A PermissionSet. `also_reads`: fields of the org's own, by object, for the integration user alone."""
    fields: dict[str, bool] = {}
    for kind, object_name in SALESFORCE_OBJECTS.items():
        for field in fields_on(kind):
            editors = grant.edits_review if kind == "review" else grant.edits
            fields[f"{object_name}.{salesforce_name(field.key)}"] = field.written_by in editors
    objects = {SALESFORCE_OBJECTS[kind]: _access(access) for kind, access in grant.records}
    if grant is INTEGRATION:
        fields |= {f"{o}.{name}": False for o, names in also_reads.items() for name in names}
        objects = {name: _access("read all") for name in (*_ALSO_SEES, *also_reads)} | objects
    return {
        "label": grant.label,
        "description": grant.help,
        "hasActivationRequired": False,
        "fieldPermissions": [
            {"field": name, "readable": True, "editable": editable}
            for name, editable in sorted(fields.items())
        ],
        "objectPermissions": [{"object": name} | rights for name, rights in sorted(objects.items())],
        "tabSettings": [{"tab": REVIEW_OBJECT, "visibility": "Visible"}] if grant is not INTEGRATION else [],
    } | ({"userPermissions": [{"name": n, "enabled": True} for n in grant.system]} if grant.system else {})


def _access(access: Access) -> dict[str, bool]:
    rank = ("read", "read all", "edit", "edit all", "everything").index(access)
    return {
        "allowRead": True,
        "allowEdit": rank >= 2,
        "allowCreate": rank == 4,
        "allowDelete": rank == 4,
        "viewAllRecords": access in ("read all", "edit all", "everything"),
        "modifyAllRecords": access == "everything",
    }


def with_added(tree: dict[str, Any], have: Mapping[str, Any]) -> dict[str, Any]:
    """A permission set that also keeps the rights to fields and objects which an admin added to it by hand."""
    fields = {p["field"]: p for p in tree["fieldPermissions"]}
    for name, right in have["fields"].items():
        own = fields.setdefault(name, {"field": name, "readable": True, "editable": False})
        own["editable"] = own["editable"] or right == "edit"
    objects = {p["object"]: p for p in tree["objectPermissions"]}
    for name, rights in have["objects"].items():
        own = objects.setdefault(name, {"object": name} | dict.fromkeys(OBJECT_RIGHTS, False))
        own.update(dict.fromkeys(rights, True))
    return tree | {
        "fieldPermissions": [fields[name] for name in sorted(fields)],
        "objectPermissions": [objects[name] for name in sorted(objects)],
    }


OBJECT_RIGHTS = ("allowRead", "allowEdit", "allowCreate", "allowDelete", "viewAllRecords", "modifyAllRecords")


CONVERSION = "LeadConvertSettings"
"""the one component of its type"""


def conversion() -> dict[str, dict[str, str]]:
    """What of a lead goes where at its conversion: target object -> Candor's lead field -> its field there. What a rep said
    on a lead would stay behind on it otherwise."""
    same = {f.key for f in fields_on("contact")}
    kept = {f.key for f in fields_on("deal")}
    contact = {f.key: f.key for f in fields_on("lead") if f.key in same}
    deal = {f.key: f.key for f in fields_on("lead") if f.key in kept}
    deal |= {"score": "score_at_conversion", "confidence": "confidence_at_conversion"}
    return {
        target: {salesforce_name(a): salesforce_name(b) for a, b in keys.items()}
        for target, keys in (("Contact", contact), ("Opportunity", deal))
    }


def conversion_settings(mappings: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """LeadConvertSettings with these mappings: the org's own and ours, since a deployment may replace them all."""
    return {
        "objectMapping": [
            {
                "inputObject": "Lead",
                "mappingFields": [{"inputField": a, "outputField": b} for a, b in sorted(fields.items())],
                "outputObject": target,
            }
            for target, fields in sorted(mappings.items())
        ]
    }

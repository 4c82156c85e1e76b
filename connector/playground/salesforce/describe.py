"""Describe answers, made from the declarations. Keys and their order follow the vendor's own answers (v59)."""

from __future__ import annotations

from typing import Any

from connector.playground.salesforce.call import Answer, Call
from connector.playground.salesforce.model import Field, SObject
from connector.playground.salesforce.schema import Schema

_SOAP = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int", "double": "xsd:double",
    "currency": "xsd:double", "percent": "xsd:double", "date": "xsd:date", "datetime": "xsd:dateTime",
    "anyType": "xsd:anyType",
}  # fmt: skip


def field(f: Field) -> dict[str, Any]:
    text = f.type not in ("boolean", "int", "double", "currency", "percent", "date", "datetime", "anyType")
    filterable = not f.long and f.type != "anyType"
    required = f.required or f.type == "boolean"
    return {
        "aggregatable": filterable and f.type != "boolean", "aiPredictionField": False,
        "autoNumber": bool(f.auto_number), "byteLength": f.length * (1 if _SOAP.get(f.type) == "tns:ID" else 3),
        "calculated": bool(f.formula), "calculatedFormula": f.formula, "cascadeDelete": f.master,
        "caseSensitive": False, "compoundFieldName": f.compound, "controllerName": None, "createable": f.createable,
        "custom": f.custom, "defaultValue": f.default if f.type in ("boolean", "picklist") else None, "defaultValueFormula": None,
        "defaultedOnCreate": f.default is not None or f.name in ("Id", "OwnerId", *_AUDITED), "dependentPicklist": False,
        "deprecatedAndHidden": False, "digits": f.precision if f.type == "int" else 0,
        "displayLocationInDecimal": False, "encrypted": False, "externalId": f.external_id,
        "extraTypeInfo": "plaintextarea" if f.type == "textarea" else "personname" if f.compound == "Name" else None,
        "filterable": filterable, "filteredLookupInfo": None, "formulaTreatNullNumberAsZero": False,
        "groupable": filterable and f.type not in ("datetime", "double", "currency", "percent"),
        "highScaleNumber": False, "htmlFormatted": False,
        "idLookup": f.name in ("Id", "Email") or f.external_id, "inlineHelpText": f.help,
        "label": f.label, "length": f.length, "mask": None, "maskType": None, "name": f.name,
        "nameField": f.name_field, "namePointing": len(f.refers) > 1, "nillable": not required,
        "permissionable": not required and f.writable and not f.master and f.compound != "Name",
        "picklistValues": [
            {"active": True, "defaultValue": value == f.default, "label": label, "validFor": None, "value": value}
            for value, label in zip(f.picklist, f.labels or f.picklist, strict=True)
        ],
        "polymorphicForeignKey": len(f.refers) > 1, "precision": 0 if f.type == "int" else f.precision,
        "queryByDistance": False, "referenceTargetField": None, "referenceTo": list(f.refers),
        "relationshipName": f.relationship, "relationshipOrder": 0 if f.master else None, "restrictedDelete": False,
        "restrictedPicklist": f.restricted, "scale": f.scale, "searchPrefilterable": False,
        "soapType": "xsd:string" if text and f.type not in _SOAP else _SOAP[f.type], "sortable": filterable,
        "type": f.type, "unique": f.unique, "updateable": f.updateable, "writeRequiresMasterRead": False,
    }  # fmt: skip


_AUDITED = (
    "IsDeleted",
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "LastModifiedById",
    "SystemModstamp",
)


def summary(obj: SObject, version: str) -> dict[str, Any]:
    """An object's entry in the global describe; also the head of its own."""
    url = f"/services/data/v{version}/sobjects/{obj.name}"
    urls = {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"}
    return {
        "activateable": False, "associateEntityType": "History" if obj.history_of else None,
        "associateParentEntity": obj.history_of, "createable": obj.createable, "custom": obj.custom,
        "customSetting": False, "deepCloneable": False, "deletable": obj.deletable, "deprecatedAndHidden": False,
        "feedEnabled": False, "hasSubtypes": False, "isInterface": False, "isSubtype": False, "keyPrefix": obj.prefix,
        "label": obj.label, "labelPlural": obj.plural, "layoutable": obj.createable, "mergeable": obj.mergeable,
        "mruEnabled": obj.createable, "name": obj.name, "queryable": True, "replicateable": True,
        "retrieveable": True, "searchable": obj.createable, "triggerable": obj.createable,
        "undeletable": obj.deletable, "updateable": obj.updateable, "urls": urls,
    }  # fmt: skip


_UNUSED = (
    "defaultImplementation", "extendedBy", "extendsInterfaces", "implementedBy", "implementsInterfaces",
)  # fmt: skip


def _allowed(described: dict[str, Any], schema: Schema, obj: SObject, f: Field) -> dict[str, Any]:
    """What this user may do with the field, not what anyone may."""
    rights = {
        "createable": schema.may_write(obj, f, new=True),
        "updateable": schema.may_write(obj, f, new=False),
    }
    return {**described, **rights}


def full(schema: Schema, obj: SObject, version: str) -> dict[str, Any]:
    children: list[dict[str, Any]] = [
        {
            "cascadeDelete": f.master, "childSObject": child.name, "deprecatedAndHidden": False, "field": f.name,
            "junctionIdListNames": [], "junctionReferenceTo": [], "relationshipName": f.children,
            "restrictedDelete": False,
        }
        for child, f in schema.children(obj.name)
    ]  # fmt: skip
    return {
        "actionOverrides": [], **summary(obj, version), "childRelationships": children,
        "compactLayoutable": obj.createable, "fields": [_allowed(field(f), schema, obj, f) for f in obj.fields.values()],
        **dict.fromkeys(_UNUSED),
        "listviewable": None, "lookupLayoutable": None, "namedLayoutInfos": [], "networkScopeFieldName": None,
        "recordTypeInfos": [
            {"active": True, "available": True, "defaultRecordTypeMapping": True, "developerName": "Master",
             "master": True, "name": "Master", "recordTypeId": "012000000000000AAA", "urls": {}}
        ] if obj.createable else [],
        "searchLayoutable": obj.createable, "sobjectDescribeOption": "FULL", "supportedScopes": [],
    }  # fmt: skip


# --- routes ---


def versions() -> list[dict[str, str]]:
    seasons = ("Winter", "Spring", "Summer")
    rows = []
    for number in range(41, 69):  # 41 is Winter '18, three a year
        year = 18 + (number - 41) // 3
        label = f"{seasons[(number - 41) % 3]} '{year}"
        rows.append({"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"})
    return rows


def resources(call: Call) -> Answer:
    names = ("composite", "jobs", "limits", "metadata", "query", "queryAll", "sobjects", "tooling")
    return Answer({name: f"/services/data/v{call.version}/{name}" for name in names})


def everything(call: Call) -> Answer:
    objects = [summary(o, call.version) for o in call.schema.objects.values()]
    return Answer({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects})


def one(call: Call, obj: str) -> Answer:
    return Answer(full(call.schema, call.sobject(obj), call.version))


def basic(call: Call, obj: str) -> Answer:
    found = call.sobject(obj)
    return Answer({"objectDescribe": summary(found, call.version), "recentItems": []})


def list_views(call: Call, obj: str) -> Answer:
    """The list views that were deployed to an object."""
    found = call.sobject(obj)
    views = call.org.meta("schema")["views"]
    rows = [
        {
            "developerName": key.split(".", 1)[1],
            "id": spec["id"],
            "label": spec["label"],
            "soqlCompatible": True,
        }
        for key, spec in views.items()
        if key.split(".", 1)[0] == found.name
    ]
    return Answer(
        {"done": True, "listviews": rows, "nextRecordsUrl": None, "size": len(rows), "sobjectType": obj}
    )

"""The same declaration as source for the vendors' own tools: an SFDX project (deploy/salesforce) and a HubSpot developer
project (deploy/hubspot), for an admin who would rather install with those.

`python -m crm_schema.source` writes both; a test keeps them equal to the declaration. Files that are kept by hand stand
beside them: README.md, package.json, package-lock.json, convert.mjs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from crm_schema.declaration import REVIEW, SEGMENTS, fields_on
from crm_schema.naming import GROUP, REVIEW_OBJECT, SALESFORCE_OBJECTS
from crm_schema.permissions import HUBSPOT_SCOPES, PERMISSION_SETS
from crm_schema.render import hubspot, hubspot_lists, salesforce_connection
from crm_schema.render import salesforce_parts as parts
from crm_schema.render.salesforce_xml import API_VERSION, document

_APP = "Candor"
_DEFAULT = "force-app/main/default"
_CONNECTION = "connection/main/default"
_CONVERSION = "conversion/main/default/LeadConvertSettings"
"""Apart from the rest: deployed as it is, it may take the place of mappings that the org has. `candor apply` adds to them."""
HUBSPOT_PLATFORM = "2026.03"
"""Version of HubSpot's developer projects. [facts/in-crm-ui.md]"""


def salesforce() -> dict[str, bytes]:
    """path below deploy/salesforce -> content."""
    return dict(_salesforce())


def _salesforce() -> Iterator[tuple[str, bytes]]:
    yield "sfdx-project.json", _json({
        "packageDirectories": [{"path": "force-app", "default": True}, {"path": "connection"}, {"path": "conversion"}],
        "name": "candor",
        "namespace": "",
        "sourceApiVersion": API_VERSION,
    })  # fmt: skip
    for kind, object_name in SALESFORCE_OBJECTS.items():
        folder = f"{_DEFAULT}/objects/{object_name}"
        for f in fields_on(kind):
            tree = parts.field_tree(f, tracked=f.tracked)
            yield f"{folder}/fields/{tree['fullName']}.field-meta.xml", document("CustomField", tree)
    folder = f"{_DEFAULT}/objects/{REVIEW_OBJECT}"
    whole = parts.review_object([], whole=True)
    own = {k: v for k, v in whole.items() if k not in ("fields", "validationRules", "listViews")}
    yield f"{folder}/{REVIEW_OBJECT}.object-meta.xml", document("CustomObject", own)
    yield (
        f"{folder}/validationRules/{REVIEW.rule}.validationRule-meta.xml",
        document("ValidationRule", parts.validation_rule()),
    )
    yield f"{folder}/listViews/{REVIEW.view}.listView-meta.xml", document("ListView", parts.list_view())
    yield f"{_DEFAULT}/tabs/{REVIEW_OBJECT}.tab-meta.xml", document("CustomTab", parts.tab())
    yield f"{_DEFAULT}/queues/{REVIEW.queue}.queue-meta.xml", document("Queue", parts.queue())
    for grant in PERMISSION_SETS:
        tree = parts.permission_set(grant, parts.ALSO_READS)
        yield (
            f"{_DEFAULT}/permissionsets/{grant.name}.permissionset-meta.xml",
            document("PermissionSet", tree),
        )
    yield (
        f"{_CONVERSION}/{parts.CONVERSION}.LeadConvertSetting-meta.xml",
        document("LeadConvertSettings", parts.conversion_settings(parts.conversion())),
    )
    yield from _connection()


def _connection() -> Iterator[tuple[str, bytes]]:
    """The External Client App that Candor signs in through, by JWT bearer: only users whom an admin has approved by the
    integration's permission set. Its certificate is yours, so the file that names it isn't here: README.md tells."""
    for path, (kind, tree) in salesforce_connection.trees().items():
        yield f"{_CONNECTION}/{path}-meta.xml", document(kind, tree)


def hubspot_project() -> dict[str, bytes]:
    """path below deploy/hubspot -> content. A project holds the app and its scopes; properties, group, pipeline
    and lists can't stand in one, so their bodies lie beside it, as HubSpot's API takes them."""
    app: dict[str, Any] = {
        "uid": "candor_app",
        "type": "app",
        "config": {
            "name": _APP,
            "description": "Lead scores that admit what they don't know. Writes its own properties and review tickets only.",
            "distribution": "private",
            "auth": {
                "type": "static",
                "requiredScopes": [s.name for s in HUBSPOT_SCOPES if not s.schema_only],
                "optionalScopes": [s.name for s in HUBSPOT_SCOPES if s.schema_only],
                "conditionallyRequiredScopes": [],
            },
            "permittedUrls": {"fetch": [], "iframe": [], "img": []},
        },
    }
    files = {
        "hsproject.json": _json({"name": "candor", "srcDir": "src", "platformVersion": HUBSPOT_PLATFORM}),
        "src/app/app-hsmeta.json": _json(app),
        "schema/pipeline.json": _json(hubspot.pipeline()),
        "schema/lists.json": _json([hubspot_lists.list_input(one) for one in SEGMENTS]),
        "schema/group.json": _json({"name": GROUP, "label": "Candor", "displayOrder": -1}),
    }
    for object_name in hubspot.OBJECTS:
        fields = hubspot.fields_on(object_name)
        inputs = [hubspot.property_input(f, n) for n, f in enumerate(fields)]
        files[f"schema/{object_name}.json"] = _json({"inputs": inputs})
    return files


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


PROJECTS: Mapping[str, Any] = {"salesforce": salesforce, "hubspot": hubspot_project}
BY_HAND = ("README.md", "package.json", "package-lock.json", "convert.mjs")


def write(folder: Path) -> int:
    """Write both projects into a folder, and take out what the declaration no longer gives. How many files there are."""
    count = 0
    for crm, project in PROJECTS.items():
        files = project()
        for path in there(folder / crm):
            if path not in files:
                (folder / crm / path).unlink()
        for path, content in files.items():
            to = folder / crm / path
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(content)
        count += len(files)
    return count


def there(folder: Path) -> list[str]:
    """The rendered files that lie in a project's folder."""
    skipped = {"node_modules", "build"}
    found = (p.relative_to(folder) for p in sorted(folder.rglob("*")) if p.is_file())
    return [str(p) for p in found if not skipped & set(p.parts) and str(p) not in BY_HAND]


if __name__ == "__main__":
    write(Path(__file__).resolve().parents[1] / "deploy")

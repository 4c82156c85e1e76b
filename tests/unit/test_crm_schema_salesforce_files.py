"""The deployment is valid metadata, by the vendor's own WSDL: SDKs and `sf convert` don't check that."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import simple_salesforce

from crm_schema.declaration import Field
from crm_schema.plan import also_reads, plan, removal
from crm_schema.render.salesforce_parts import field_tree
from crm_schema.render.salesforce_xml import document
from crm_schema.stages import Deploy, Destroy
from crm_schema.walk import apply
from tests.unit.crm_schema_orgs import NS, SalesforceOrg, text

XSD = "{http://www.w3.org/2001/XMLSchema}"
ROOTS = {"object": "CustomObject", "tab": "CustomTab", "queue": "Queue", "permissionset": "PermissionSet"}


@cache
def wsdl() -> tuple[dict[str, ET.Element], dict[str, set[str]]]:
    """(complex types, enumerations) of the vendor's schema, by name."""
    root = ET.parse(Path(simple_salesforce.__file__).parent / "metadata.wsdl").getroot()
    complex_types = {str(t.get("name")): t for t in root.iter(f"{XSD}complexType")}
    enums = {
        str(t.get("name")): {str(e.get("value")) for e in t.iter(f"{XSD}enumeration")}
        for t in root.iter(f"{XSD}simpleType")
    }
    return complex_types, enums


def elements(type_name: str) -> dict[str, ET.Element]:
    """Those of a type and of the types it extends."""
    found = wsdl()[0][type_name]
    base = next((str(e.get("base")).split(":")[1] for e in found.iter(f"{XSD}extension")), None)
    own = {str(e.get("name")): e for e in found.iter(f"{XSD}element")}
    return (elements(base) if base else {}) | own


def problems(element: ET.Element, type_name: str, where: str) -> list[str]:
    """What the vendor would refuse: unknown, missing or repeated elements, and values of another type."""
    allowed = elements(type_name)
    names = [child.tag.removeprefix(NS) for child in element]
    found = [f"{where}: no {name} in {type_name}" for name in names if name not in allowed]
    for name, definition in allowed.items():
        many = definition.get("maxOccurs") == "unbounded"
        if name not in names and definition.get("minOccurs") is None and not many:
            found.append(f"{where}: {name} is missing")
        if names.count(name) > 1 and not many:
            found.append(f"{where}: {name} stands {names.count(name)} times")
    for child in element:
        name = child.tag.removeprefix(NS)
        if name in allowed:
            found += value_problems(child, str(allowed[name].get("type")), f"{where}/{name}")
    return found


def value_problems(element: ET.Element, kind: str, where: str) -> list[str]:
    namespace, name = kind.split(":")
    value = element.text or ""
    if namespace == "tns" and name in wsdl()[1]:
        return [] if value in wsdl()[1][name] else [f"{where}: {value} is no {name}"]
    if namespace == "tns":
        return problems(element, name, where)
    fits = {
        "boolean": value in ("true", "false"),
        "int": value.lstrip("-").isdigit(),
        "string": len(element) == 0,
    }
    return [] if fits.get(name, True) else [f"{where}: {value} is no {name}"]


def files_of(org: SalesforceOrg) -> dict[str, bytes]:
    [deploy] = [s for s in plan(org).stages if isinstance(s, Deploy)]
    with zipfile.ZipFile(io.BytesIO(deploy.zip)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def members(content: bytes) -> dict[str, list[str]]:
    return {
        text(types, "name"): [str(m.text) for m in types.findall(f"{NS}members")]
        for types in ET.fromstring(content).findall(f"{NS}types")
    }


def test_every_file_is_valid_by_the_vendors_schema() -> None:
    checked = 0
    for name, content in files_of(SalesforceOrg()).items():
        if name != "package.xml":
            assert problems(ET.fromstring(content), ROOTS[name.rsplit(".", 1)[1]], name) == []
            checked += 1
    assert checked == 5 + 1 + 1 + 4  # objects, tab, queue, permission sets


def test_the_checker_sees_what_the_vendor_would_refuse() -> None:
    wrong = ET.fromstring(
        f'<CustomObject xmlns="{NS[1:-1]}"><fields><fullName>X__c</fullName><type>Nummber</type>'
        "<precisionn>3</precisionn><label>a</label><label>b</label><unique>yes</unique></fields></CustomObject>"
    )
    assert problems(wrong, "CustomObject", "x") == [
        "x/fields: no precisionn in CustomField",
        "x/fields: label stands 2 times",
        "x/fields/type: Nummber is no FieldType",
        "x/fields/unique: yes is no boolean",
    ]


def test_the_package_lists_exactly_what_the_files_hold() -> None:
    files = files_of(SalesforceOrg())
    listed = members(files["package.xml"])
    held = {
        f"{name.split('/')[1].split('.')[0]}.{text(field, 'fullName')}"
        for name, content in files.items()
        if name.startswith("objects/")
        for field in ET.fromstring(content).findall(f"{NS}fields")
    }
    assert set(listed["CustomField"]) == held
    assert listed["CustomObject"] == ["Candor_Review__c"]
    assert listed["ValidationRule"] == ["Candor_Review__c.Candor_Decision_And_Reason"]
    assert {f"queues/{q}.queue" for q in listed["Queue"]} < set(files)
    assert {f"permissionsets/{p}.permissionset" for p in listed["PermissionSet"]} < set(files)
    assert text(ET.fromstring(files["package.xml"]), "version") == "62.0"


def rights(content: bytes) -> dict[str, str]:
    """field -> "read" or "edit" of a permission set."""
    return {
        text(p, "field"): "edit" if text(p, "editable") == "true" else "read"
        for p in ET.fromstring(content).findall(f"{NS}fieldPermissions")
    }


def test_everyone_gets_what_they_need_and_no_more() -> None:
    files = files_of(SalesforceOrg())
    integration, rep, reviewer, admin = (
        rights(files[f"permissionsets/Candor_{who}.permissionset"])
        for who in ("Integration", "Rep", "Reviewer", "Admin")
    )
    assert integration["Lead.Candor_Score__c"] == "edit"
    assert integration["Lead.Candor_Tags__c"] == "read"
    assert integration["Lead.Industry"] == "read"
    assert "Lead.Name" not in integration  # can't be hidden, so no permission is taken for it
    assert {name for name, right in integration.items() if right == "edit" and "Candor_" not in name} == set()
    for person in (rep, reviewer, admin):
        assert person["Lead.Candor_Score__c"] == "read"
        assert person["Lead.Candor_Tags__c"] == person["Opportunity.Candor_Outcome_As_Expected__c"] == "edit"
        assert not {name for name in person if "Candor_" not in name}
    assert rep["Candor_Review__c.Candor_Decision__c"] == "read"
    assert reviewer["Candor_Review__c.Candor_Decision__c"] == "edit"
    assert reviewer["Candor_Review__c.Candor_Score__c"] == "read"


def test_what_the_mapping_names_is_read_and_what_is_not_there_is_left_out() -> None:
    org = SalesforceOrg()
    for name in ("Heard_From__c", "Country"):
        org.objects["Lead"][name] = {"name": name, "label": "x", "type": "string", "length": 9}
    org.objects["Lead"]["Country"]["compoundFieldName"] = "Address"
    mapped = {"lead": {"heard_from": "Heard_From__c", "country": "Country", "linkedin": "Gone__c"}}
    also = {**also_reads(mapped), "Web_Activity__c": ("Url__c",)}
    [deploy] = [s for s in plan(org, also).stages if isinstance(s, Deploy)]
    with zipfile.ZipFile(io.BytesIO(deploy.zip)) as archive:
        content = archive.read("permissionsets/Candor_Integration.permissionset")
    granted = {name for name, right in rights(content).items() if right == "read"}
    assert {"Lead.Heard_From__c", "Lead.Address", "Web_Activity__c.Url__c"} < granted
    assert not granted & {"Lead.Gone__c", "Lead.Country"}
    objects = {text(p, "object"): p for p in ET.fromstring(content).findall(f"{NS}objectPermissions")}
    assert text(objects["Web_Activity__c"], "allowEdit") == "false"
    assert text(objects["Lead"], "allowEdit") == "true"
    assert {text(p, "allowDelete") for o, p in objects.items() if o != "Candor_Review__c"} == {"false"}


def test_only_peoples_fields_ask_for_history() -> None:
    org = SalesforceOrg()
    apply(plan(org), org)
    tracked = {
        n
        for o in ("Lead", "Contact", "Opportunity", "Account")
        for n, f in org.objects[o].items()
        if f.get("tracked")
    }
    assert tracked == {
        "Candor_Tags__c", "Candor_Override_Score__c", "Candor_Override_Reason__c", "Candor_Do_Not_Score__c",
        "Candor_Outcome_As_Expected__c",
    }  # fmt: skip


def test_removal_names_nothing_but_ours_and_takes_the_permission_sets_last() -> None:
    org = SalesforceOrg()
    apply(plan(org), org)
    fields, sets = (s for s in removal(org).stages if isinstance(s, Destroy))
    with zipfile.ZipFile(io.BytesIO(fields.zip)) as archive:
        first, then = (members(archive.read(f"destructiveChanges{when}.xml")) for when in ("Pre", "Post"))
        assert members(archive.read("package.xml")) == {}
    assert first == {"CustomTab": ["Candor_Review__c"], "Queue": ["Candor_Review"]}
    assert set(then) == {"CustomField", "CustomObject"}
    assert all(".Candor_" in name for name in then["CustomField"])
    with zipfile.ZipFile(io.BytesIO(sets.zip)) as archive:
        assert set(members(archive.read("destructiveChangesPost.xml"))) == {"PermissionSet"}


def test_the_same_plan_gives_the_same_bytes() -> None:
    one, two = ([s for s in plan(SalesforceOrg()).stages if isinstance(s, Deploy)] for _ in range(2))
    assert one[0].zip == two[0].zip


@pytest.mark.parametrize("awkward", ["a & b", "<b>", 'say "x"', "Ünïcode – dash"])
def test_text_is_escaped(awkward: str) -> None:
    field = Field("x", awkward, type="text", on=("lead",), written_by="candor", help=awkward)
    root = ET.fromstring(document("CustomObject", {"fields": [field_tree(field, tracked=False)]}))
    assert text(root.find(f"{NS}fields"), "label") == awkward  # type: ignore[arg-type]

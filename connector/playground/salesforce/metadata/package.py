"""A deploy's zip, read into components. Metadata API format: package.xml beside objects/X.object, permissionsets/…"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
_FOLDERS = {
    "permissionsets": ("PermissionSet", ".permissionset"), "queues": ("Queue", ".queue"),
    "settings": ("Settings", ".settings"), "flows": ("Flow", ".flow"), "quickActions": ("QuickAction", ".quickAction"),
    "LeadConvertSettings": ("LeadConvertSettings", ".LeadConvertSetting"),
    "externalClientApps": ("ExternalClientApplication", ".eca"),
    "extlClntAppOauthSettings": ("ExtlClntAppOauthSettings", ".ecaOauth"),
    "extlClntAppGlobalOauthSets": ("ExtlClntAppGlobalOauthSettings", ".ecaGlblOauth"),
    "extlClntAppPolicies": ("ExtlClntAppConfigurablePolicies", ".ecaPlcy"),
    "extlClntAppOauthPolicies": ("ExtlClntAppOauthConfigurablePolicies", ".ecaOauthPlcy"), "tabs": ("CustomTab", ".tab"),
    "flexipages": ("FlexiPage", ".flexipage"), "reportTypes": ("ReportType", ".reportType"),
    "layouts": ("Layout", ".layout"),
}  # fmt: skip
_INSIDE = {"fields": "CustomField", "validationRules": "ValidationRule", "listViews": "ListView"}
MAX_FILES = 10_000


class BadPackage(Exception):
    """The zip can't be read; the message is the deploy's error message."""


@dataclass(frozen=True, slots=True)
class Component:
    kind: str
    name: str
    file: str
    xml: Element

    def text(self, tag: str, default: str | None = None) -> str | None:
        return text(self.xml, tag, default)


@dataclass(frozen=True, slots=True)
class Package:
    components: tuple[Component, ...]
    deletions_before: tuple[tuple[str, str], ...]
    deletions_after: tuple[tuple[str, str], ...]
    listed: dict[str, set[str]] = field(default_factory=dict)


def text(xml: Element, tag: str, default: str | None = None) -> str | None:
    found = xml.find(NAMESPACE + tag)
    return default if found is None else (found.text or "").strip()


def flag(xml: Element, tag: str) -> bool:
    return text(xml, tag) == "true"


def every(xml: Element, tag: str) -> list[Element]:
    return list(xml.iterfind(NAMESPACE + tag))


def parse(content: bytes, file: str) -> Element:
    try:
        return ElementTree.fromstring(content)
    except ElementTree.ParseError as e:
        raise BadPackage(f"{file}: Error parsing file: {e}") from e


def read(content: bytes) -> Package:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        files = {n: archive.read(n) for n in archive.namelist() if not n.endswith("/")}
    except (zipfile.BadZipFile, EOFError) as e:
        raise BadPackage("The zip file can't be read") from e
    if len(files) > MAX_FILES:
        raise BadPackage(f"Maximum number of files in request reached: {MAX_FILES}")
    if "package.xml" not in files:  # a package in a folder of its own
        root = next(
            (n.rsplit("/", 1)[0] + "/" for n in files if n.count("/") == 1 and n.endswith("/package.xml")),
            None,
        )
        if root is None:
            raise BadPackage("No package.xml found")
        files = {n.removeprefix(root): content for n, content in files.items() if n.startswith(root)}
    components: list[Component] = []
    for name in sorted(files):
        components += _components(name, files[name])
    return Package(
        tuple(components),
        _deletions(files, "destructiveChanges.xml") + _deletions(files, "destructiveChangesPre.xml"),
        _deletions(files, "destructiveChangesPost.xml"),
        dict(_members(parse(files["package.xml"], "package.xml"))),
    )


def _components(file: str, content: bytes) -> list[Component]:
    folder, _, rest = file.partition("/")
    if folder == "objects" and rest.endswith(".object"):
        xml = parse(content, file)
        obj = rest.removesuffix(".object")
        found = [Component("CustomObject", obj, file, xml)]
        for tag, kind in _INSIDE.items():
            found += [Component(kind, f"{obj}.{text(x, 'fullName')}", file, x) for x in every(xml, tag)]
        return found
    if folder in _FOLDERS and rest.endswith(_FOLDERS[folder][1]):
        kind, ending = _FOLDERS[folder]
        return [Component(kind, rest.removesuffix(ending), file, parse(content, file))]
    return []


def _members(xml: Element) -> list[tuple[str, set[str]]]:
    return [
        (text(types, "name") or "", {(m.text or "").strip() for m in every(types, "members")})
        for types in every(xml, "types")
    ]


def _deletions(files: dict[str, bytes], name: str) -> tuple[tuple[str, str], ...]:
    if name not in files:
        return ()
    return tuple((kind, m) for kind, members in _members(parse(files[name], name)) for m in sorted(members))

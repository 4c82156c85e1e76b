"""Metadata API files: the XML of fields, objects, queues and permission sets, and the zip that a
deployment takes.

Elements stand in the order of the vendor's schema (alphabetical, fullName first); the same input gives the
same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

API_VERSION = "62.0"
_NS = "http://soap.sforce.com/2006/04/metadata"

Tree = Mapping[str, Any]
"""element name -> text, number, flag, another tree, or a list of these for a repeated element"""


def document(root: str, tree: Tree) -> bytes:
    """A metadata file.

    >>> print(document("Queue", {"name": "A & B"}).decode().splitlines()[1])
    <Queue xmlns="http://soap.sforce.com/2006/04/metadata">
    """
    element = ET.Element(root, {"xmlns": _NS})
    _fill(element, tree)
    return _written(element)


def _fill(parent: ET.Element, tree: Tree) -> None:
    for name in sorted(tree, key=lambda n: (n != "fullName", n.lower())):
        value = tree[name]
        for one in value if isinstance(value, list) else [value]:
            child = ET.SubElement(parent, name)
            if isinstance(one, Mapping):
                _fill(child, one)
            elif isinstance(one, bool):
                child.text = "true" if one else "false"
            else:
                child.text = str(one)


def package(members: Mapping[str, Sequence[str]]) -> bytes:
    """package.xml, or a destructiveChanges file: type -> names. `version` stands last, as the vendor's
    tools write it."""
    element = ET.Element("Package", {"xmlns": _NS})
    for kind in sorted(k for k, names in members.items() if names):
        types = ET.SubElement(element, "types")
        for name in sorted(members[kind]):
            ET.SubElement(types, "members").text = name
        ET.SubElement(types, "name").text = kind
    ET.SubElement(element, "version").text = API_VERSION
    return _written(element)


def _written(element: ET.Element) -> bytes:
    ET.indent(element, "    ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(element, encoding="unicode")}\n'.encode()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The zip of a deployment (singlePackage: package.xml at its root)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), files[name])
    return buffer.getvalue()

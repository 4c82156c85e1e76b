"""The Metadata API's SOAP face: deploy, checkDeployStatus and readMetadata of LeadConvertSettings, PermissionSet and CustomField,
as simple-salesforce and the vendor's tools send them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from connector.playground.org import Org
from connector.playground.salesforce import auth, schema
from connector.playground.salesforce.errors import Fault
from connector.playground.salesforce.metadata import apply, deploy, fields, package

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_METADATA = package.NAMESPACE[1:-1]
MOST_READ = 10
"""components of one readMetadata [D: readMetadata()]"""
_FAULT = "urn:fault.partner.soap.sforce.com"


for _prefix, _uri in (("soapenv", _ENVELOPE), ("met", _METADATA), ("sf", _FAULT)):
    ElementTree.register_namespace(_prefix, _uri)


def _bytes(root: Element) -> bytes:
    text: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return text


def answer(org: Org, body: bytes, count: Callable[[], None]) -> tuple[int, bytes]:
    """(HTTP status, XML). A refusal is a SOAP fault with status 500."""
    try:
        envelope = package.parse(body, "envelope")
        count()
        user = auth.user_of(org, envelope.findtext(f".//{package.NAMESPACE}sessionId", "").strip())
        request = envelope.find(f"{{{_ENVELOPE}}}Body/*")
        if request is None:
            raise Fault("INVALID_OPERATION", "the envelope has no body")
        with org.transaction():
            return 200, _dispatch(org, user, request)
    except Fault as e:
        return 500, _fault(e.code, e.message)
    except package.BadPackage as e:
        return 500, _fault("UNKNOWN_EXCEPTION", str(e))


def _dispatch(org: Org, user: str, request: Element) -> bytes:
    name = request.tag.rpartition("}")[2]
    if name == "deploy":
        options = next(iter(_every(request, "DeployOptions")), None)
        content = (request.findtext(package.NAMESPACE + "ZipFile") or "").strip()
        try:
            zipped = base64.b64decode(content, validate=False)
        except binascii.Error as e:
            raise Fault("INVALID_TYPE", "ZipFile is no base64") from e
        id = deploy.run(org, user, zipped, deploy.Options(
            check_only=_flag(options, "checkOnly"), rollback_on_error=_flag(options, "rollbackOnError"),
            ignore_warnings=_flag(options, "ignoreWarnings")))  # fmt: skip
        return _body("deployResponse", {"done": False, "id": id, "state": "Queued"})
    if name == "checkDeployStatus":
        id = (request.findtext(package.NAMESPACE + "asyncProcessId") or "").strip()
        result = dict(deploy.result(org, id))
        if request.findtext(package.NAMESPACE + "includeDetails") != "true":
            result.pop("details")
        return _body("checkDeployStatusResponse", result)
    if name == "readMetadata" and request.findtext(package.NAMESPACE + "type") == "LeadConvertSettings":
        mapped = schema.record(org).get("conversion", {})
        return _body("readMetadataResponse", {"records": {"fullName": "LeadConvertSettings", "objectMapping": [
            {
                "inputObject": "Lead", "outputObject": target,
                "mappingFields": [{"inputField": a, "outputField": b} for a, b in fields.items()],
            }
            for target, fields in mapped.items()
        ]}})  # fmt: skip
    if name == "readMetadata" and request.findtext(package.NAMESPACE + "type") in _READ:
        names = [(x.text or "").strip() for x in _every(request, "fullNames")]
        if len(names) > MOST_READ:
            raise Fault(
                "EXCEEDED_ID_LIMIT",
                f"record limit reached. cannot submit more than {MOST_READ} records in this operation",
            )
        read = _READ[request.findtext(package.NAMESPACE + "type") or ""]
        found = [whole for n in names if (whole := read(org, n))]
        return _body("readMetadataResponse", {"records": found})
    raise Fault("INVALID_OPERATION", f"{name} is not served here: deploy and checkDeployStatus are")


def _custom_field(org: Org, full: str) -> dict[str, Any] | None:
    """Field-level security plays no part in it: what counts is the right to modify metadata."""
    stored = schema.record(org)
    obj, _, name = full.partition(".")
    found = stored["fields"].get(obj, {}).get(name)
    return (
        None
        if found is None
        else fields.contents(full, found, tracked=name in stored["tracked"].get(obj, {}))
    )


_READ = {"PermissionSet": apply.permission_set_contents, "CustomField": _custom_field}


def _every(parent: Element, tag: str) -> list[Element]:
    return package.every(parent, tag)


def _flag(options: Element | None, tag: str) -> bool:
    return options is not None and (package.text(options, tag) or "").lower() == "true"


def _body(name: str, result: Mapping[str, Any]) -> bytes:
    root = Element(f"{{{_ENVELOPE}}}Envelope")
    response = ElementTree.SubElement(
        ElementTree.SubElement(root, f"{{{_ENVELOPE}}}Body"), f"{{{_METADATA}}}{name}"
    )
    _fill(ElementTree.SubElement(response, f"{{{_METADATA}}}result"), result)
    return _bytes(root)


def _fill(parent: Element, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            if one is None:
                continue
            child = ElementTree.SubElement(parent, f"{{{_METADATA}}}{key}")
            if isinstance(one, Mapping):
                _fill(child, one)
            else:
                child.text = str(one).lower() if isinstance(one, bool) else str(one)


def _fault(code: str, message: str) -> bytes:
    root = Element(f"{{{_ENVELOPE}}}Envelope")
    fault = ElementTree.SubElement(
        ElementTree.SubElement(root, f"{{{_ENVELOPE}}}Body"), f"{{{_ENVELOPE}}}Fault"
    )
    ElementTree.SubElement(fault, "faultcode").text = f"sf:{code}"
    ElementTree.SubElement(fault, "faultstring").text = f"{code}: {message}"
    return _bytes(root)

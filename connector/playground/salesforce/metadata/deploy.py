"""One deploy: everything in the zip is applied in a savepoint, which is taken back when it fails or was only a check."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.playground.org import Org
from connector.playground.salesforce import ids, schema, times
from connector.playground.salesforce.call import savepoint
from connector.playground.salesforce.errors import Fault, not_found
from connector.playground.salesforce.metadata import apply, package
from connector.playground.salesforce.metadata.fields import BadComponent
from connector.playground.salesforce.metadata.package import BadPackage, Component, Package


@dataclass(frozen=True, slots=True)
class Options:
    check_only: bool = False
    rollback_on_error: bool = True
    ignore_warnings: bool = False


class _Undone(Exception):
    pass


def run(org: Org, user: str, content: bytes, options: Options) -> str:
    """Deploy; the id under which `result` tells how it went."""
    if not schema.is_admin(org, user):
        raise Fault(
            "INSUFFICIENT_ACCESS", "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions",
            status=403,
        )  # fmt: skip
    (id,) = ids.following(org, "0Af")
    message = None
    parts: list[dict[str, Any]] = []
    try:
        read = package.read(content)
        parts = _apply(org, read, options)
    except BadPackage as e:
        message = str(e)
    org.set_meta(f"deploy:{id}", _result(org, user, id, options, parts, message))
    return id


def _apply(org: Org, read: Package, options: Options) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    try:
        with savepoint(org):
            target = apply.Target(org, copy.deepcopy(schema.record(org)))
            _delete(target, read.deletions_before, "destructiveChanges.xml", parts)
            kinds = {kind: n for n, kind in enumerate(apply.DEPLOY)}
            for c in sorted(read.components, key=lambda c: kinds.get(c.kind, len(kinds))):
                parts.append(_one(target, c, read))
            parts += _missing(read)
            _delete(target, read.deletions_after, "destructiveChangesPost.xml", parts)
            failed = any(p["problemType"] == "Error" for p in parts)
            if options.check_only or (failed and options.rollback_on_error):
                raise _Undone
            schema.save(org, target.stored)
    except _Undone:
        pass
    return parts


def _one(target: apply.Target, c: Component, read: Package) -> dict[str, Any]:
    try:
        if not _listed(c, read):
            raise BadComponent("Not in package.xml")
        id, created = apply.DEPLOY.get(c.kind, apply.other)(target, c)
        target.made = None if c.kind in ("CustomObject", "CustomField") else target.made
    except BadComponent as e:
        return _part(c.kind, c.name, c.file, problem=str(e))
    return _part(c.kind, c.name, c.file, id=id, created=created, changed=True)


def _listed(c: Component, read: Package) -> bool:
    """A component deploys when package.xml names it, its object, or all of its kind."""
    names = read.listed.get(c.kind, set())
    if c.name in names or "*" in names:
        return True
    obj = c.name.split(".", 1)[0]
    whole = read.listed.get("CustomObject", set())
    if c.kind in ("CustomField", "ValidationRule", "ListView"):
        return obj in whole or "*" in whole
    if c.kind == "CustomObject":  # the file is only the shell of parts that are named
        return any(m.split(".", 1)[0] == obj for members in read.listed.values() for m in members)
    return False


def _missing(read: Package) -> list[dict[str, Any]]:
    there = {(c.kind, c.name) for c in read.components}
    return [
        _part(kind, name, "package.xml", problem=f"Entity of type '{kind}' named '{name}' cannot be found")
        for kind, names in read.listed.items()
        for name in sorted(names)
        if name != "*" and (kind, name) not in there
    ]


def _delete(
    target: apply.Target, deletions: tuple[tuple[str, str], ...], file: str, parts: list[dict[str, Any]]
) -> None:
    """Rules and views go before fields, fields before objects, whatever the file's order."""
    order = ("PermissionSet", "ListView", "ValidationRule", "Queue", "CustomField", "CustomObject")
    for kind, name in sorted(deletions, key=lambda d: order.index(d[0]) if d[0] in order else -1):
        try:
            apply.delete(target, kind, name)
            target.made = None
        except BadComponent as e:
            gone = str(e).startswith("No ")  # deleting what is not there is a warning
            parts.append(_part(kind, name, file, problem=str(e), kind_of="Warning" if gone else "Error"))
        else:
            parts.append(_part(kind, name, file, deleted=True, changed=True))


def _part(
    kind: str, name: str, file: str, *, id: str = "", created: bool = False, changed: bool = False,
    deleted: bool = False, problem: str | None = None, kind_of: str = "Error",
) -> dict[str, Any]:  # fmt: skip
    return {
        "changed": changed, "componentType": kind, "created": created, "deleted": deleted, "fileName": file,
        "fullName": name, "id": id or None, "problem": problem, "problemType": kind_of if problem else None,
        "success": problem is None or kind_of == "Warning", "warning": kind_of == "Warning" and problem is not None,
    }  # fmt: skip


def _result(
    org: Org, user: str, id: str, options: Options, parts: list[dict[str, Any]], message: str | None
) -> dict[str, Any]:
    errors = sum(1 for p in parts if not p["success"])
    succeeded = not errors and message is None
    partial = errors and not options.rollback_on_error and not options.check_only
    status = "Succeeded" if succeeded else "SucceededPartial" if partial else "Failed"
    now = times.text(org.now())
    row = org.get("User", user)
    result: dict[str, Any] = {
        "checkOnly": options.check_only, "completedDate": now, "createdBy": user,
        "createdByName": row.data.get("Name") if row else None, "createdDate": now,
        "details": {
            "componentFailures": [p for p in parts if p["problem"]],
            "componentSuccesses": [p for p in parts if not p["problem"]], "retrieveResult": None,
            "runTestResult": {"numFailures": 0, "numTestsRun": 0, "totalTime": 0.0},
        },
        "done": True, "errorMessage": message, "id": id, "ignoreWarnings": options.ignore_warnings,
        "lastModifiedDate": now, "numberComponentErrors": errors,
        "numberComponentsDeployed": len(parts) - errors, "numberComponentsTotal": len(parts), "numberTestErrors": 0,
        "numberTestsCompleted": 0, "numberTestsTotal": 0, "rollbackOnError": options.rollback_on_error,
        "runTestsEnabled": False, "startDate": now, "status": status, "success": succeeded,
    }  # fmt: skip
    return result


def result(org: Org, id: str) -> Mapping[str, Any]:
    found = org.meta(f"deploy:{ids.full(id)}")
    if found is None:
        raise not_found()
    return dict(found)

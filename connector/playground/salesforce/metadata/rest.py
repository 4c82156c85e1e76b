"""POST /metadata/deployRequest: a multipart body with a JSON part (deployOptions) and the zip."""

from __future__ import annotations

from email import policy
from email.parser import BytesParser
from typing import Any

import orjson

from connector.playground.salesforce.call import Answer, Call
from connector.playground.salesforce.errors import Fault
from connector.playground.salesforce.metadata import deploy as deploying


def deploy(call: Call) -> Answer:
    options, content = _parts(call)
    id = deploying.run(
        call.org, call.user, content,
        deploying.Options(
            check_only=bool(options.get("checkOnly")), rollback_on_error=bool(options.get("rollbackOnError", True)),
            ignore_warnings=bool(options.get("ignoreWarnings")),
        ),
    )  # fmt: skip
    url = f"/services/data/v{call.version}/metadata/deployRequest/{id}"
    return Answer({"validatedDeployRequestId": None, "id": id, "url": url, "deployOptions": options}, 201)


def _parts(call: Call) -> tuple[dict[str, Any], bytes]:
    kind = call.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/"):
        raise Fault("INVALID_MULTIPART_REQUEST", "a multipart request with a JSON part and a zip is required")
    message = BytesParser(policy=policy.HTTP).parsebytes(
        b"Content-Type: " + kind.encode() + b"\r\n\r\n" + call.body
    )
    options: dict[str, Any] = {}
    content = b""
    for part in message.walk():
        payload = part.get_payload(decode=True)
        if not isinstance(payload, bytes):
            continue
        if part.get_content_type() == "application/json" or payload[:1] == b"{":
            options = dict(orjson.loads(payload).get("deployOptions", {}))
        else:
            content = payload
    return options, content


def status(call: Call, id: str) -> Answer:
    result = dict(deploying.result(call.org, id))
    if call.query.get("includeDetails") != "true":
        result["details"] = None
    url = f"/services/data/v{call.version}/metadata/deployRequest/{result['id']}"
    return Answer({"id": result["id"], "url": url, "deployResult": result})

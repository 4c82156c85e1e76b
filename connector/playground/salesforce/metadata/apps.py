"""External Client Apps: the header, its OAuth settings and policies, and what they make of a sign-in. [D: ExternalClientApplication,
ExtlClntAppGlobalOauthSettings, ExtlClntAppOauthConfigurablePolicies, in the Metadata API Developer Guide]

The rows stand for `org.all("ExternalClientApplication")`; who may sign in stands in org.meta("apps"), as auth.py reads it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from connector.playground.salesforce.metadata.fields import BadComponent
from connector.playground.salesforce.metadata.package import Component, flag, text

if TYPE_CHECKING:
    from connector.playground.salesforce.metadata.apply import Target

OBJECT = "ExternalClientApplication"


def header(t: Target, c: Component) -> tuple[str, bool]:
    if not c.text("label"):
        raise BadComponent("Required field is missing: label")
    old = t.find(OBJECT, "DeveloperName", c.name)
    return t.put(OBJECT, {"DeveloperName": c.name, "MasterLabel": c.text("label")}, old), old is None


def global_settings(t: Target, c: Component) -> tuple[str, bool]:
    """Consumer and flows. Only where the org lets the Metadata API at consumers. A deployment without the certificate takes it
    away, as the file is the whole."""
    app = _app(t, c)
    if t.org.meta("consumers_closed"):
        raise BadComponent(
            "You don't have access to OAuth consumer secrets via Metadata API"
        )  # [wording unverified]
    if not c.text("callbackUrl"):
        raise BadComponent("Required field is missing: callbackUrl")
    key = c.text("consumerKey") or f"3MVG9{app}"
    if not re.fullmatch(r"[A-Za-z0-9._]{8,256}", key):
        raise BadComponent("Consumer Key: must be 8 to 256 letters and digits")  # [wording unverified]
    known = t.org.meta("apps", {})
    if known.get(key, {}).get("app", app) != app:
        raise BadComponent("The consumer key is already taken")
    old = {k: v for k, v in known.items() if v.get("app") == app}
    made: dict[str, Any] = next(iter(old.values()), {"permission_sets": []})
    rest = {k: v for k, v in known.items() if k not in old}
    given = {
        "secret": None, "certificate": _public_key(c.text("certificate")), "approved": True, "user": None, "app": app,
        "permission_sets": made["permission_sets"],
    }  # fmt: skip
    t.org.set_meta("apps", {**rest, key: given})
    return c.name, not old


def settings(t: Target, c: Component) -> tuple[str, bool]:
    _app(t, c)
    if not c.text("commaSeparatedOauthScopes"):
        raise BadComponent("Required field is missing: commaSeparatedOauthScopes")
    return c.name, True


def policies(t: Target, c: Component) -> tuple[str, bool]:
    app = _app(t, c)
    sets = [s.strip() for s in (c.text("commaSeparatedPermissionSet") or "").split(",") if s.strip()]
    for name in sets:
        if t.find("PermissionSet", "Name", name) is None:
            raise BadComponent(f"no PermissionSet named {name} found")
    preapproved = c.text("permittedUsersPolicyType") == "AdminApprovedPreAuthorized"
    known = t.org.meta("apps", {})
    t.org.set_meta("apps", {
        key: {**v, "permission_sets": sets, "approved": preapproved} if v.get("app") == app else v
        for key, v in known.items()
    })  # fmt: skip
    return c.name, True


def plugins(t: Target, c: Component) -> tuple[str, bool]:
    _app(t, c)
    if not flag(c.xml, "isEnabled"):
        raise BadComponent("An app that is not enabled is not kept here")
    return c.name, True


def delete(t: Target, name: str) -> bool:
    """The app with all that hangs on it. [unverified that it goes as a whole]"""
    found = t.find(OBJECT, "DeveloperName", name)
    if found is None:
        return False
    t.org.sql("delete from record where obj = ? and id = ?", (OBJECT, found))
    known: dict[str, Any] = t.org.meta("apps", {})
    t.org.set_meta("apps", {key: v for key, v in known.items() if v.get("app") != name})
    return True


def _app(t: Target, c: Component) -> str:
    app = text(c.xml, "externalClientApplication") or ""
    if t.find(OBJECT, "DeveloperName", app) is None:
        raise BadComponent(f"no ExternalClientApplication named {app} found")
    return app


def _public_key(certificate: str | None) -> str | None:
    if certificate is None:
        return None
    body = re.sub(r"-----(BEGIN|END) CERTIFICATE-----|\s", "", certificate)
    try:
        base64.b64decode(body, validate=True)
        whole = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
        return RSAKey.import_key(whole).as_pem(private=False).decode()
    except (binascii.Error, ValueError, JoseError) as e:
        raise BadComponent("The certificate can't be read") from e  # [wording unverified]


DEPLOY: Mapping[str, Callable[[Target, Component], tuple[str, bool]]] = {
    OBJECT: header, "ExtlClntAppGlobalOauthSettings": global_settings, "ExtlClntAppOauthSettings": settings,
    "ExtlClntAppOauthConfigurablePolicies": policies, "ExtlClntAppConfigurablePolicies": plugins,
}  # fmt: skip
"""In the order in which they need each other."""

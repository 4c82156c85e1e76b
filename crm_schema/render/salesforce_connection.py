"""The External Client App that Candor signs in through, by JWT bearer: made on request, since it takes an admin's certificate
and contact address.

The Metadata API makes it whole, certificate and consumer key included. [D: ExtlClntAppGlobalOauthSettings, `certificate`:
"when provided, it enables the JWT Bearer flow"; tried on live orgs by others: hardisgroupcom/sfdx-hardis #1603, #1663, #1964]
A certificate and a consumer key are no secrets: the private key stays with the admin, and a consumer secret is never set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from crm_schema.connection import Connect
from crm_schema.consequences import Finding
from crm_schema.errors import SchemaError
from crm_schema.permissions import INTEGRATION
from crm_schema.render.difference import Difference
from crm_schema.render.salesforce_xml import document, package, zipped
from crm_schema.stages import Deploy, Destroy, Line, Thing

APP = "Candor"
_APP = Thing("external client app", APP)
_MAKE = "`candor apply --certificate candor.crt --contact you@example.com`"
_CALLBACK = "https://login.salesforce.com/services/oauth2/success"
"""Wanted of every app and used by none of this flow. [unverified that it may be left out]"""


def consumer_key(connect: Connect, org_id: str) -> str:
    """Chosen by us, so that a run that died needs no reading back: unique over all of Salesforce, the same whenever it is
    worked out again. Letters and digits, 64 of them. [8 to 256 are allowed for a connected app; unverified for this one]"""
    return hashlib.sha256(org_id.encode() + connect.der).hexdigest()


def trees(contact: str | None = None) -> dict[str, tuple[str, dict[str, Any]]]:
    """path of a file -> its type and content, without the certificate. Names as Salesforce itself gives them to what it
    makes beside an app. [hardisgroupcom/sfdx-hardis]"""
    app: dict[str, Any] = {
        "label": APP, "description": "Candor signs in through this app, as its integration user.",
        "distributionState": "Local", "isProtected": False,
    }  # fmt: skip
    if contact:
        app["contactEmail"] = contact
    of_app = {"externalClientApplication": APP}
    return {
        f"externalClientApps/{APP}.eca": ("ExternalClientApplication", app),
        f"extlClntAppOauthSettings/{APP}OAuthSettings.ecaOauth": (
            "ExtlClntAppOauthSettings",
            {**of_app, "label": f"{APP}OAuthSettings", "commaSeparatedOauthScopes": "Api, RefreshToken"},
        ),
        f"extlClntAppOauthPolicies/{APP}OAuthSettings_defaultPolicy.ecaOauthPlcy": (
            "ExtlClntAppOauthConfigurablePolicies",
            {
                **of_app, "label": f"{APP}OAuthSettings_defaultPolicy",
                "permittedUsersPolicyType": "AdminApprovedPreAuthorized", "commaSeparatedPermissionSet": INTEGRATION.name,
            },
        ),
        f"extlClntAppPolicies/{APP}_defaultPolicy.ecaPlcy": (
            "ExtlClntAppConfigurablePolicies",
            {**of_app, "label": f"{APP}_defaultPolicy", "isEnabled": True, "isOauthPluginEnabled": True},
        ),
    }  # fmt: skip


def _sign_in(connect: Connect, org_id: str) -> dict[str, Any]:
    """The part that stands in no source tree, as it names a certificate of the org's own."""
    off = (
        "isClientCredentialsFlowEnabled", "isCodeCredFlowEnabled", "isDeviceFlowEnabled", "isIntrospectAllTokens",
        "isTokenExchangeEnabled", "shouldRotateConsumerKey", "shouldRotateConsumerSecret",
    )  # fmt: skip
    return {
        "externalClientApplication": APP, "label": f"{APP}GlblOAuth", "callbackUrl": _CALLBACK,
        "certificate": connect.certificate.strip(), "consumerKey": consumer_key(connect, org_id),
        "isConsumerSecretOptional": False, "isPkceRequired": True, "isSecretRequiredForRefreshToken": True,
        **dict.fromkeys(off, False),
    }  # fmt: skip


def _package(connect: Connect, org_id: str) -> bytes:
    files = {
        **trees(connect.contact),
        f"extlClntAppGlobalOauthSets/{APP}GlblOAuth.ecaGlblOauth": (
            "ExtlClntAppGlobalOauthSettings", _sign_in(connect, org_id),
        ),
    }  # fmt: skip
    members = {kind: [path.split("/")[1].rsplit(".", 1)[0]] for path, (kind, _) in files.items()}
    written = {path: document(kind, tree) for path, (kind, tree) in files.items()}
    return zipped({**written, "package.xml": package(members)})


def difference(org: Mapping[str, Any], connect: Connect | None, found: Difference) -> None:
    """A deployment of its own, after the permission set that it lets in: an org that refuses the app has the rest."""
    apps = org.get("apps")
    if connect is None:
        if apps is not None and APP not in apps and not org.get("signed_in_by_app"):
            found.notes.append(
                f"Candor signs in by a token. {_MAKE} also makes the External Client App that it can sign in through by "
                "certificate, so that no secret is kept."
            )
        return
    if apps is None:
        raise SchemaError(
            "This user can't see the org's External Client Apps, so Candor can't tell whether its own is there.",
            fix="Let an admin apply, or deploy deploy/salesforce/connection with Salesforce's own tools.",
        )
    if APP in apps:
        found.keep(
            f"external client app {APP}",
            "it is there; Salesforce gives no certificate back, so it isn't compared",
            _APP,
        )
        return
    line = Line(
        "create",
        f"external client app {APP}: sign-in by your certificate, for holders of {INTEGRATION.name} only",
        _APP,
    )
    found.stages.append(Deploy((line,), _package(connect, str(org["org_id"]))))


def removal(org: Mapping[str, Any], found: Difference) -> None:
    """Before the permission set that it lets in. Not while Candor signs in through it."""
    if APP not in (org.get("apps") or ()):
        return
    if org.get("signed_in_by_app"):
        found.keep(f"external client app {APP}", "Candor signs in by an app's certificate", _APP)
        found.notes.append(
            f"The External Client App {APP} stays, as Candor signs in by an app's certificate: delete it in Setup, External "
            "Client App Manager, when Candor is stopped for good."
        )
        return
    line = Line("remove", f"external client app {APP}", _APP)
    content = {
        "package.xml": package({}),
        "destructiveChanges.xml": package({"ExternalClientApplication": [APP]}),
    }
    found.stages.append(Destroy((line,), zipped(content)))


def drift(org: Mapping[str, Any]) -> Iterator[Finding]:
    """Of an org in which an apply has made the app."""
    if "apps" in org and APP not in org["apps"]:
        yield Finding(
            "app_gone", f"external client app {APP}", "it is gone", "Candor can't sign in by its certificate",
            f"{_MAKE} makes it again.",
        )  # fmt: skip

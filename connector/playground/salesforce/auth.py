"""OAuth: tokens for client credentials, JWT bearer and refresh, and who a token belongs to. [FACTS section 2]

org.meta("token") is a token that always holds; org.meta("tokens") those handed out ({token: {user, until}}, times in
ms of the org's clock); org.meta("apps") the registered apps ({client_id: {secret, certificate, user, approved}}).
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any

import orjson
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from connector.playground.org import Org
from connector.playground.salesforce import ids
from connector.playground.salesforce.errors import Fault, TokenFault, bad_session

SESSION = 2 * 3_600_000
"""How long a token holds, ms: the default session timeout of an org. [unsourced] and not prolonged by use here"""
_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def register(
    org: Org,
    client_id: str,
    *,
    secret: str | None = None,
    certificate: str | None = None,
    approved: bool = True,
    user: str | None = None,
) -> None:
    """An app that may ask for tokens, as an admin sets it up: its secret, or its public key (PEM) for JWT bearer, and the
    user that it runs as."""
    with org.transaction():
        apps = org.meta("apps", {})
        apps[client_id] = {
            "secret": secret, "certificate": certificate, "approved": approved,
            "user": user or org.meta("integration_user"),
        }  # fmt: skip
        org.set_meta("apps", apps)


def user_of(org: Org, authorization: str) -> str:
    """The user of an Authorization header (or a bare session id)."""
    scheme, _, rest = authorization.partition(" ")
    token = rest.strip() if scheme.lower() in ("bearer", "oauth") else authorization.strip()
    if token and token == org.meta("token"):
        return str(org.meta("integration_user"))
    held = org.meta("tokens", {}).get(token)
    if held is None or held["until"] <= org.now():
        raise bad_session()
    return str(held["user"])


def issue(org: Org, user: str) -> str:
    with org.transaction():
        now = org.now()
        tokens = {t: h for t, h in org.meta("tokens", {}).items() if h["until"] > now}
        token = f"{org_id(org)[:15]}!{secrets.token_urlsafe(48)}"
        tokens[token] = {"user": user, "until": now + SESSION}
        org.set_meta("tokens", tokens)
    return token


def org_id(org: Org) -> str:
    rows = org.sql("select id from record where obj = 'Organization' limit 1")
    return str(rows[0][0]) if rows else ids.make("00D", 1)


def token(org: Org, form: Mapping[str, str], url: str, seconds: float) -> dict[str, Any]:
    """POST /services/oauth2/token. `seconds`: the time by which an assertion's `exp` is judged."""
    grant = form.get("grant_type", "")
    if grant == "client_credentials":
        user = _client_credentials(org, form)
    elif grant == _JWT:
        user = _assertion(org, form.get("assertion", ""), seconds)
    elif grant == "refresh_token":
        user = _refresh(org, form)
    else:
        raise TokenFault("unsupported_grant_type", "grant type not supported")
    answer: dict[str, Any] = {
        "access_token": issue(org, user), "instance_url": url, "id": f"{url}/id/{org_id(org)}/{user}",
        "token_type": "Bearer", "issued_at": str(org.now()), "signature": secrets.token_urlsafe(32), "scope": "api",
    }  # fmt: skip
    if grant == "refresh_token":
        answer["scope"] = "refresh_token api"
    return answer


def _app(org: Org, client_id: str) -> dict[str, Any]:
    app = org.meta("apps", {}).get(client_id)
    if app is None:
        raise TokenFault("invalid_client_id", "client identifier invalid")
    return dict(app)


def _client_credentials(org: Org, form: Mapping[str, str]) -> str:
    app = _app(org, form.get("client_id", ""))
    if not app["secret"] or not secrets.compare_digest(app["secret"], form.get("client_secret", "")):
        raise TokenFault("invalid_client", "invalid client credentials")
    if not app["user"]:
        raise TokenFault("invalid_grant", "no client credentials user enabled")
    return str(app["user"])


def _assertion(org: Org, assertion: str, seconds: float) -> str:
    try:
        issuer = _unverified(assertion)
        app = _app(org, str(issuer.get("iss", "")))
        key = jwk.RSAKey.import_key(app["certificate"] or "")
        claims = jwt.decode(assertion, key, algorithms=["RS256"]).claims
    except (JoseError, ValueError, TypeError) as e:
        raise TokenFault("invalid_grant", "invalid assertion") from e
    if float(claims.get("exp", 0)) <= seconds:
        raise TokenFault("invalid_grant", "expired authorization code")  # [unsourced] wording
    for row in org.all("User"):
        if row.data.get("Username") == claims.get("sub") and row.data.get("IsActive"):
            if not app["approved"] or not _lets_in(org, app, row.id):
                raise TokenFault("invalid_grant", "user hasn't approved this consumer")
            return row.id
    raise TokenFault("invalid_grant", "user hasn't approved this consumer")


def _lets_in(org: Org, app: Mapping[str, Any], user: str) -> bool:
    """An app of the External Client Apps lets in the holders of the permission sets that its policy names."""
    named = app.get("permission_sets")
    if named is None:
        return True
    sets = {row.id for row in org.all("PermissionSet") if row.data["Name"] in named}
    return any(
        row.data["AssigneeId"] == user and row.data["PermissionSetId"] in sets
        for row in org.all("PermissionSetAssignment")
    )


def _unverified(assertion: str) -> dict[str, Any]:
    """The claims before the signature is checked: only to find whose key to check it with."""
    part = assertion.split(".")[1] if assertion.count(".") == 2 else ""
    claims = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) or b"{}")
    return dict(claims)


def _refresh(org: Org, form: Mapping[str, str]) -> str:
    app = _app(org, form.get("client_id", ""))
    held = org.meta("refresh_tokens", {}).get(form.get("refresh_token", ""))
    if held is None or (app["secret"] and app["secret"] != form.get("client_secret", app["secret"])):
        raise TokenFault("invalid_grant", "expired access/refresh token")
    return str(held["user"])


def refresh_token(org: Org, user: str) -> str:
    """A refresh token as an admin's web login would have given it."""
    with org.transaction():
        held = org.meta("refresh_tokens", {})
        made = "5Aep" + secrets.token_urlsafe(40)
        held[made] = {"user": user}
        org.set_meta("refresh_tokens", held)
    return made


def user_info(org: Org, user: str, url: str) -> dict[str, Any]:
    row = org.get("User", user)
    if row is None:
        raise Fault("INVALID_SESSION_ID", "Session expired or invalid", status=401)
    return {
        "sub": f"{url}/id/{org_id(org)}/{user}", "user_id": user, "organization_id": org_id(org),
        "preferred_username": row.data.get("Username"), "name": row.data.get("Name"), "email": row.data.get("Email"),
        "user_type": "STANDARD", "active": bool(row.data.get("IsActive")), "language": "en_US",
    }  # fmt: skip

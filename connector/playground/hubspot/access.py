"""Who may call, and how often: tokens, scopes, limits (FACTS-hubspot.md §2, §3). All by the org's clock."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from connector.playground.hubspot.errors import HubSpotError
from connector.playground.hubspot.times import iso, ms_of
from connector.playground.org import Org

TOKEN_SECONDS = 1_800
DAILY, TEN_SECONDS, SEARCH_A_SECOND = 1_000_000, 190, 5
_SAVE_EVERY = 25
EVERYTHING = (
    *(f"crm.{part}.{o}.{mode}" for o in ("contacts", "companies", "deals") for part in ("objects", "schemas")
      for mode in ("read", "write")),
    "crm.objects.owners.read", "crm.lists.read", "crm.lists.write", "tickets", "sales-email-read", "automation",
)  # fmt: skip
"""Every scope that is asked for here."""


class Access:
    def __init__(self, org: Org) -> None:
        self._org = org
        usage = org.meta("usage", {"day": "", "used": 0})
        self._day, self._used = str(usage["day"]), int(usage["used"])
        self._recent: deque[int] = deque()
        self._searches: deque[int] = deque()

    # -- tokens and scopes --

    def check_token(self, header: str | None) -> None:
        token = (header or "").removeprefix("Bearer ").strip()
        if token and secrets.compare_digest(token.encode(), str(self._org.meta("token", "")).encode()):
            return
        expires = self._org.meta("access_tokens", {}).get(token)
        if expires is None:
            raise HubSpotError(
                401,
                "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find"
                " more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
                "INVALID_AUTHENTICATION",
            )
        late = (self._org.now() - expires) // 1000
        if late >= 0:
            raise HubSpotError(
                401,
                f"The OAuth token used to make this call expired {late} second(s) ago.",
                "EXPIRED_AUTHENTICATION",
                context={"expire time": [iso(expires)]},
            )

    def check_scope(self, scope: str) -> None:
        """meta `scopes` lists what the token may do; without it, everything."""
        granted = self._org.meta("scopes")
        if granted is not None and scope not in granted:
            raise HubSpotError(
                403, "This app hasn't been granted all required scopes to make this call.", "MISSING_SCOPES",
                errors=[{"message": "One or more of the following scopes are required.",
                         "context": {"requiredGranularScopes": [scope]}}],
            )  # fmt: skip

    def told(self, token: str) -> dict[str, object]:
        """What a key or static token may do. [D: Private apps]"""
        if not secrets.compare_digest(token.encode(), str(self._org.meta("token", "")).encode()):
            raise HubSpotError(404, "The access token wasn't found.", "OBJECT_NOT_FOUND")  # [unverified]
        return {
            "userId": 1,
            "hubId": self._org.meta("portal_id", 0),
            "appId": 1,
            "scopes": self._scopes(),
        }

    def introspect(self, form: Mapping[str, str]) -> dict[str, object]:
        """What an OAuth token may do. [SPEC: Auth/Oauth, PublicAccessTokenInfoResponse]"""
        app = self._org.meta("oauth", {})
        if not app or any(form.get(k) != app[k] for k in ("client_id", "client_secret")):
            raise HubSpotError(
                400, "missing or invalid client", extra={"status": "BAD_CLIENT_ID"}
            )  # [unverified]
        ends = self._org.meta("access_tokens", {}).get(form.get("token", ""))
        if ends is None or ends <= self._org.now():
            return {"active": False}
        return {
            "active": True, "token_use": "access_token", "token_type": "bearer", "client_id": app["client_id"],
            "hub_id": self._org.meta("portal_id", 0), "expires_in": (ends - self._org.now()) // 1000,
            "scopes": ["oauth", *self._scopes()],
        }  # fmt: skip

    def _scopes(self) -> list[str]:
        return list(self._org.meta("scopes") or EVERYTHING)

    def refresh(self, form: Mapping[str, str]) -> dict[str, object]:
        """OAuth: an access token for a refresh token (meta `oauth`). A refusal comes in HubSpot's own shape."""
        app = self._org.meta("oauth", {})
        if form.get("grant_type") != "refresh_token" or not app or any(
            form.get(k) != app[k] for k in ("client_id", "client_secret", "refresh_token")
        ):  # fmt: skip
            raise HubSpotError(400, "missing or invalid refresh token", extra={"status": "BAD_REFRESH_TOKEN"})
        token = "CK" + secrets.token_urlsafe(48)
        tokens = {t: e for t, e in self._org.meta("access_tokens", {}).items() if e > self._org.now()}
        tokens[token] = self._org.now() + TOKEN_SECONDS * 1000
        self._org.set_meta("access_tokens", tokens)
        return {
            "token_type": "bearer",
            "access_token": token,
            "refresh_token": app["refresh_token"],
            "expires_in": TOKEN_SECONDS,
            "hub_id": self._org.meta("portal_id", 0),
            "scopes": self._org.meta("scopes") or [],
        }

    # -- limits: meta `limits` {"daily", "ten_seconds", "search_a_second"}. The last two are off unless set there, since
    #    the org's clock stands still while nobody advances it --

    def count(self, *, search: bool) -> dict[str, str]:
        """Count one request; the headers to answer with. 429 when it is one too many."""
        limits = self._org.meta("limits", {})
        daily, ten = int(limits.get("daily", DAILY)), limits.get("ten_seconds")
        now = self._org.now()
        day = self._today(now)
        if day != self._day:
            self._day, self._used = day, 0
        if self._used >= daily:
            raise _too_many("You have reached your daily limit.", "DAILY")
        if search and limits.get("search_a_second") is not None:
            if not _room(self._searches, now, 1_000, int(limits["search_a_second"])):
                raise _too_many("You have reached your secondly limit.", "SECONDLY")
        elif ten is not None and not search and not _room(self._recent, now, 10_000, int(ten)):
            raise _too_many("You have reached your ten_secondly_rolling limit.", "TEN_SECONDLY_ROLLING")
        self._used += 1
        if self._used % _SAVE_EVERY == 1:
            self._org.set_meta("usage", {"day": self._day, "used": self._used})
        if search:
            return {}
        return {
            "X-HubSpot-RateLimit-Max": str(ten or TEN_SECONDS),
            "X-HubSpot-RateLimit-Remaining": str((ten or TEN_SECONDS) - len(self._recent)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Daily": str(daily),
            "X-HubSpot-RateLimit-Daily-Remaining": str(daily - self._used),
        }

    def usage(self) -> dict[str, object]:
        limits = self._org.meta("limits", {})
        now = self._org.now()
        zone = ZoneInfo(self._org.meta("timezone", "UTC"))
        local = datetime.fromtimestamp(now / 1000, UTC).astimezone(zone)
        midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return {
            "name": "private-apps-api-calls-daily", "usageLimit": int(limits.get("daily", DAILY)),
            "currentUsage": self._used, "collectedAt": iso(now), "fetchStatus": "SUCCESS",
            "resetsAt": iso(ms_of(midnight.astimezone(UTC))),
        }  # fmt: skip

    def _today(self, now: int) -> str:
        zone = ZoneInfo(self._org.meta("timezone", "UTC"))
        return datetime.fromtimestamp(now / 1000, UTC).astimezone(zone).date().isoformat()


def _room(recent: deque[int], now: int, span: int, most: int) -> bool:
    while recent and recent[0] <= now - span:
        recent.popleft()
    if len(recent) >= most:
        return False
    recent.append(now)
    return True


def _too_many(message: str, policy: str) -> HubSpotError:
    return HubSpotError(
        429,
        message,
        extra={"errorType": "RATE_LIMIT", "policyName": policy, "requestId": secrets.token_hex(8)},
    )

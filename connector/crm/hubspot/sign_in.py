"""By a service key or static token, which stands in the environment: nothing to ask."""

from __future__ import annotations

from connector.crm.sign_in import SignIn

SIGN_IN = SignIn("https://api.hubapi.com", same_for_all=True)

"""Which CRMs there are. A third one is a folder and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from connector.crm.base import CRM
from connector.crm.connection import Connection
from connector.crm.sign_in import SignIn
from connector.errors import SettingsError

TITLES: Mapping[str, str] = {"salesforce": "Salesforce", "hubspot": "HubSpot"}


def connect(kind: str, connection: Connection) -> CRM:
    """An adapter for one org. Makes no call yet. Raises SettingsError for a CRM that Candor doesn't know."""
    if kind not in TITLES:
        raise SettingsError(
            f"Candor knows no CRM called {kind!r}.", fix=f"Set crm.kind to one of: {', '.join(TITLES)}."
        )
    crm: CRM = import_module(f"connector.crm.{kind}").connect(connection)
    return crm


def sign_in(kind: str) -> SignIn:
    """What a person is asked for before the first connection to a CRM of this kind."""
    found: SignIn = import_module(f"connector.crm.{kind}.sign_in").SIGN_IN
    return found

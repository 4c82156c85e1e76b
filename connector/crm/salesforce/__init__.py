"""Salesforce, spoken through simple-salesforce (unmodified).

Options (candor.toml, crm.options):

    web_activity      the custom object that holds web activity; default Web_Activity__c, absent is fine
    login             where tokens are made; default https://login.salesforce.com (JWT) or the org's address
    client_id         of the External Client App: with private_key_file JWT bearer, else client credentials,
                      where the connection's token is the client secret
    private_key_file  PEM file of the app's certificate
    username          the integration user (JWT)
    currency          the org's currency, where it is not told (single-currency orgs); default USD
    proxy             an https proxy
    calls_today       API calls that Candor made today before this adapter was opened, for the budget
"""

from __future__ import annotations

from connector.crm.base import CRM
from connector.crm.connection import Connection


def connect(connection: Connection) -> CRM:
    """The adapter. Makes no call yet."""
    from connector.crm.salesforce.adapter import SalesforceCRM

    return SalesforceCRM(connection)

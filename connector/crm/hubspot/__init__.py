"""HubSpot, spoken through hubspot-api-client (unmodified).

Options (candor.toml, crm.options):

    version      the API's version: "v3" (default; associations v4) or a dated one, "2026-09"
    calls_today  API calls that Candor made today before this adapter was opened, for the budget
    client_id, client_secret_file
                 of an OAuth app: the connection's token is then its refresh token
    url_area, url_content, url_session
                 which parameters of a page's address name its product area, kind of content and session;
                 default area, content, session
"""

from __future__ import annotations

from connector.crm.base import CRM
from connector.crm.connection import Connection


def connect(connection: Connection) -> CRM:
    """The adapter. Makes no call yet."""
    from connector.crm.hubspot.adapter import HubSpotCRM

    return HubSpotCRM(connection)

"""People copied on e-mails are often nobody whom Candor has to do with. What it keeps of them: that they are two and not one, and
at which company (S2.3)."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256

from connector.crm.base import Activity, Page

SALT = "address_salt"
"""where the store keeps the installation's own; migration 0007 draws it"""
DIGITS = 16
_ADDRESS = re.compile(r"[^\s<>\"',;]+@[^\s<>\"',;]+")


def hidden(page: Page, salt: str) -> Page:
    """The page with a digest for the part of each copied address that names a person."""
    if not any("cc" in activity.detail for activity in page.activities):
        return page
    return replace(page, activities=[_hidden(activity, salt) for activity in page.activities])


def _hidden(activity: Activity, salt: str) -> Activity:
    said = activity.detail.get("cc")
    if not isinstance(said, list):
        return activity
    found = [address[0].lower() for text in said if (address := _ADDRESS.search(text))]
    cc = list(dict.fromkeys(digest(address, salt) for address in found))
    return replace(activity, detail={**activity.detail, "cc": cc})


def digest(address: str, salt: str) -> str:
    """
    >>> digest("ann@acme.com", "salt")
    'e4a27074e2d69fa4@acme.com'
    """
    return f"{sha256((salt + address).encode()).hexdigest()[:DIGITS]}@{address.rpartition('@')[2]}"

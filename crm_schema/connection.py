"""What an admin gives so that `candor apply` also makes the app that Candor signs in through."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from crm_schema.errors import SchemaError

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----")


@dataclass(frozen=True, slots=True)
class Connect:
    """The certificate (PEM) whose private key Candor will sign with, and an address that the CRM may write to about the
    app."""

    certificate: str
    contact: str

    def __post_init__(self) -> None:
        if "PRIVATE KEY" in self.certificate:
            raise SchemaError(
                "That file holds a private key, which goes nowhere.", fix="Give the certificate (candor.crt)."
            )
        if not self.der:
            raise SchemaError(
                "That file holds no certificate in PEM form.", fix="`openssl req -x509` makes one."
            )
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", self.contact):
            raise SchemaError(f"{self.contact!r} is no e-mail address.", fix="Give one with --contact.")

    @property
    def der(self) -> bytes:
        """The certificate's bytes; none where it isn't one."""
        found = _PEM.search(self.certificate)
        try:
            return base64.b64decode("".join(found[1].split()), validate=True) if found else b""
        except binascii.Error:
            return b""

"""A certificate authority of the local CRM's own, kept beside its data to outlive a restart."""

from __future__ import annotations

from pathlib import Path

import trustme


def authority(data: Path) -> Path:
    """`data/ca.pem` for clients, made when new; the server's key and chain (mode 0600) is the result."""
    ca_file, key_file = data / "ca.pem", data / "tls.pem"
    if not (ca_file.exists() and key_file.exists()):
        ca = trustme.CA(organization_name="Candor playground")
        server = ca.issue_cert("127.0.0.1", "localhost")
        secret(key_file, server.private_key_and_cert_chain_pem.bytes())
        ca_file.write_bytes(ca.cert_pem.bytes())
    return key_file


def secret(path: Path, content: bytes) -> None:
    """A file that nobody but its owner ever could read."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)

"""N14: a certificate that cannot be trusted is refused at once, and the token is not sent."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from crmdb_core.exceptions import ExitCode, TlsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fake_crm import FakePipedrive
    from tests.tap_pipedrive.conftest import RunTap


def signed_by_itself(folder: Path) -> Path:
    """A key and a certificate of 127.0.0.1 that nobody vouches for."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    )
    pem = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    path = folder / "server.pem"
    path.write_bytes(pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


@contextmanager
def serving(certificate: Path) -> Iterator[tuple[str, list[bytes]]]:
    """The address of a server that ends each handshake, and what it was sent within one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    seen: list[bytes] = []
    context.load_cert_chain(certificate)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) as inner:
                    seen.append(inner.recv(4096))
            except OSError:
                seen.append(b"")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", seen
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def test_n14_a_certificate_that_nobody_vouches_for_is_refused_at_once(
    run_tap: RunTap, crm: FakePipedrive, waits: list[float], tmp_path: Path
) -> None:
    with serving(signed_by_itself(tmp_path)) as (url, seen):
        run = run_tap(crm, "deals", "persons", api_url=url)
    assert isinstance(run.error, TlsError)
    assert run.error.exit_code == ExitCode.FAILED
    assert seen == [b""]  # one handshake, broken off before a request
    assert waits == []

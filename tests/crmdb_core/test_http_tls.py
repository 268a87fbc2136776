"""N14: a certificate or protocol that cannot be trusted is refused at once, and no token is sent."""

from __future__ import annotations

import http.server
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from typing_extensions import override

from crmdb_core.exceptions import ExitCode, TlsError
from crmdb_core.http import ApiSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DAY = timedelta(days=1)
_SIGNS = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
HERE = x509.IPAddress(ip_address("127.0.0.1"))


class Token(requests.auth.AuthBase):
    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = "Bearer secret"
        return r


class Authority:
    """A certificate authority of the test's own, which the session trusts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        builder = self._builder(self.name, self.key.public_key(), DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        # what Python 3.13 insists on
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False
        )
        builder = builder.add_extension(_SIGNS, critical=True)
        self.path = folder / "authority.pem"
        self.path.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def issue(self, address: x509.GeneralName = HERE, left: timedelta = DAY) -> Path:
        """A certificate with its key for an address, for so long; less than nothing: it has run out."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        builder = self._builder(name, key.public_key(), left)
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        path = self.folder / "server.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        return path

    def _builder(self, subject: x509.Name, key: Any, left: timedelta) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 10 * DAY)
            .not_valid_after(now + left)
        )


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.path))
    return made


@contextmanager
def serving(certificate: Path, adjust: Callable[[ssl.SSLContext], None] = lambda _: None) -> Iterator[tuple[str, Any]]:
    """A server over TLS; its address, and the `Authorization` headers that reached it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    adjust(context)
    seen: list[str | None] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers["Authorization"])
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        @override
        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        @override
        def handle_error(self, *_: Any) -> None:
            pass  # the client hangs up in the handshake: that is the test

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()


def ask(url: str, clock: Any) -> Any:
    return ApiSession(api_url=url, auth=Token(), clock=clock, sleep=clock.sleep).get_json("/x")


def test_a_certificate_of_a_trusted_authority_is_good(authority: Authority, clock: Any) -> None:
    with serving(authority.issue()) as (url, seen):
        assert {} == ask(url, clock)
    assert ["Bearer secret"] == seen


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"left": -DAY}, "certificate has expired"),
        ({"address": x509.IPAddress(ip_address("127.0.0.9"))}, "not valid for '127.0.0.1'|IP address mismatch"),
        ({"address": x509.DNSName("api.example.com")}, "not valid for '127.0.0.1'|IP address mismatch"),
    ],
    ids=["run out", "of another host", "of a name"],
)
def test_n14_a_certificate_that_does_not_fit_is_refused_at_once(
    authority: Authority, clock: Any, options: dict[str, Any], message: str
) -> None:
    with serving(authority.issue(**options)) as (url, seen), pytest.raises(TlsError, match=message) as caught:
        ask(url, clock)
    assert ([], []) == (seen, clock.slept)
    assert (ExitCode.FAILED, True) == (caught.value.exit_code, caught.value.stops_run)


def old(context: ssl.SSLContext) -> None:
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1 is deprecated:DeprecationWarning")
def test_n14_an_old_protocol_is_refused_at_once(authority: Authority, clock: Any) -> None:
    with serving(authority.issue(), old) as (url, seen), pytest.raises(TlsError, match=r"protocol version|unsupported"):
        ask(url, clock)
    assert ([], []) == (seen, clock.slept)

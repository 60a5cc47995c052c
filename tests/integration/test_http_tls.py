"""HTTPS by certificate files of the settings."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.databases import server_environment
from tests.http_servers import INITIALIZE, JSON, serving_over_http


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_path, key_path


def test_a_client_that_trusts_the_certificate_is_served(postgres_url: str, certificate: tuple[Path, Path]) -> None:
    """And one that does not know it refuses by itself."""
    cert, key = certificate
    settings = {"DATABASE_URL": postgres_url, "HTTP_TLS_CERT": str(cert), "HTTP_TLS_KEY": str(key)}
    with serving_over_http(settings) as server:
        assert server.url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(cert))
        assert httpx2.post(server.url, json=INITIALIZE, headers=JSON, verify=trusting).status_code == 200
        with pytest.raises(httpx2.ConnectError, match="certificate"):
            httpx2.post(server.url, json=INITIALIZE, headers=JSON)


def test_files_that_are_no_certificate_are_a_configuration_error(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    """Exit code 2 with the setting's name, not a traceback."""
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate\n", encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "mssqlclient_mcp", "--transport", "http", "--port", "0"],
        env=server_environment(
            {"DATABASE_URL": "postgresql://h/d", "HTTP_TLS_CERT": str(wrong), "HTTP_TLS_KEY": str(certificate[1])}
        ),
        capture_output=True,
        encoding="utf-8",
        timeout=30,
    )
    assert ended.returncode == 2
    assert "HTTP_TLS_CERT" in ended.stderr
    assert "Traceback" not in ended.stderr

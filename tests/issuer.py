"""An issuer of OAuth tokens on loopback: keys of its own, the document that publishes them, and tokens good and bad."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "https://issuer.example/"
AUDIENCE = "mssqlclient-mcp-tests"


class Issuer:
    """``token()`` signs; ``jwks_url`` publishes. ``answering`` False: the address answers 503; ``delay``: seconds before it
    answers; ``document``: what it answers in place of its keys; ``missing_bytes``: how many of those it announces never come;
    ``fetches`` counts."""

    def __init__(self) -> None:
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.ed = ed25519.Ed25519PrivateKey.generate()
        self.keys: list[dict[str, Any]] = [
            self._published(RSAAlgorithm, self.rsa, "rsa-1"),
            self._published(ECAlgorithm, self.ec, "ec-1"),
            self._published(OKPAlgorithm, self.ed, "ed-1"),
        ]
        self.answering = True
        self.delay = 0.0
        self.document: bytes | None = None
        self.missing_bytes = 0
        self.fetches = 0
        self.port = 0

    @property
    def jwks_url(self) -> str:
        """Where the keys are."""
        return f"http://127.0.0.1:{self.port}/keys"

    def rotate(self) -> None:
        """A new RSA key takes the place of all others."""
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.keys = [self._published(RSAAlgorithm, self.rsa, "rsa-2")]

    def token(
        self, algorithm: str = "RS256", *, kid: str | None = "rsa-1", key: object = None, without: str = "", **claims: object
    ) -> str:
        """A signed token that is right but for what is given; ``without`` leaves a claim out."""
        now = int(time.time())
        told: dict[str, object] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "ann",
            "client_id": "app",
            "iat": now,
            "exp": now + 300,
            "scope": "db:read db:write",
            **claims,
        }
        told.pop(without, None)
        return jwt.encode(told, key or self.rsa, algorithm, headers={"kid": kid} if kid else None)  # type: ignore[arg-type]

    @staticmethod
    def _published(algorithm: Any, key: Any, kid: str) -> dict[str, Any]:
        told = algorithm.to_jwk(key.public_key(), as_dict=True)
        return {**told, "kid": kid, "use": "sig"}


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer whose keys can be fetched."""
    issuer = Issuer()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.fetches += 1
            time.sleep(issuer.delay)
            body = json.dumps({"keys": issuer.keys}).encode() if issuer.document is None else issuer.document
            self.send_response(200 if issuer.answering else 503)
            self.send_header("content-length", str(len(body) + issuer.missing_bytes))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Not to stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    issuer.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""Tokens of an OAuth issuer: what is accepted, what never is, and how the issuer's keys are kept."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mssqlclient_mcp.http.jwks import FRESH_SECONDS, RETRY_SECONDS, USABLE_SECONDS, IssuerKeys
from mssqlclient_mcp.http.oauth import JwtVerifier, granted_scopes
from tests.issuer import AUDIENCE, ISSUER, Issuer, issuing


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def shared_issuer() -> Iterator[Issuer]:
    """One issuer for the tests that do not change it: making its keys takes time."""
    with issuing() as issuer:
        yield issuer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer of the test's own."""
    with issuing() as issuer:
        yield issuer


@pytest.fixture
async def verifier(shared_issuer: Issuer) -> AsyncIterator[JwtVerifier]:
    """What the server does with tokens of the shared issuer."""
    verifier = JwtVerifier(ISSUER, AUDIENCE, shared_issuer.jwks_url)
    yield verifier
    await verifier.aclose()


@pytest.mark.parametrize(
    ("algorithm", "kid", "key"),
    [
        ("RS256", "rsa-1", "rsa"),
        ("RS512", "rsa-1", "rsa"),
        ("PS256", "rsa-1", "rsa"),
        ("ES256", "ec-1", "ec"),
        ("EdDSA", "ed-1", "ed"),
    ],
)
async def test_a_right_token_tells_who_and_what(
    shared_issuer: Issuer, verifier: JwtVerifier, algorithm: str, kid: str, key: str
) -> None:
    """Each asymmetric algorithm works with the key of its kind; issuer and subject name the caller."""
    token = shared_issuer.token(algorithm, kid=kid, key=getattr(shared_issuer, key))
    told = await verifier.verify_token(token)
    assert told is not None
    assert (told.client_id, told.subject, told.claims) == ("app", "ann", {"iss": ISSUER})
    assert told.scopes == ["db:read", "db:write"]
    assert told.token == ""  # nobody needs it any more


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://issuer.example"},
        {"iss": "https://elsewhere.example/"},
        {"aud": "another-service"},
        {"aud": ["another-service", "a-third"]},
        {"exp": 1},
        {"nbf": 4102444800},
        {"without": "exp"},
        {"without": "iss"},
        {"without": "aud"},
        {"exp": "soon"},
        {"without": "sub", "client_id": ""},
    ],
    ids=str,
)
async def test_a_token_with_wrong_claims_is_refused(
    shared_issuer: Issuer, verifier: JwtVerifier, claims: dict[str, object]
) -> None:
    """Issuer and audience are compared to the letter, times are required, and somebody must be named."""
    assert await verifier.verify_token(shared_issuer.token(**claims)) is None  # type: ignore[arg-type]


async def test_an_audience_among_several_is_accepted(shared_issuer: Issuer, verifier: JwtVerifier) -> None:
    """A token may be meant for more than one service."""
    assert await verifier.verify_token(shared_issuer.token(aud=["other", AUDIENCE])) is not None


async def test_a_token_without_a_signature_or_with_a_secret_is_refused(shared_issuer: Issuer, verifier: JwtVerifier) -> None:
    """``none``, and HS256 with the public key as its secret: the two old tricks."""
    public = shared_issuer.rsa.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    right = shared_issuer.token()
    _, payload, signature = right.split(".")

    def with_header(**header: str) -> str:
        told = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
        return f"{told}.{payload}."

    unsigned = with_header(alg="none", typ="JWT", kid="rsa-1")
    assert await verifier.verify_token(unsigned) is None
    assert await verifier.verify_token(unsigned + signature) is None
    head = with_header(alg="HS256", kid="rsa-1").rstrip(".")
    forged = base64.urlsafe_b64encode(hmac.new(public, head.encode(), hashlib.sha256).digest()).decode().rstrip("=")
    assert await verifier.verify_token(f"{head}.{forged}") is None


async def test_a_token_signed_by_another_key_is_refused(shared_issuer: Issuer, verifier: JwtVerifier) -> None:
    """The id of a key is no proof of having it; nor does a key of another kind fit."""
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert await verifier.verify_token(shared_issuer.token(key=stranger)) is None
    assert await verifier.verify_token(shared_issuer.token("ES256", kid="rsa-1", key=shared_issuer.ec)) is None
    assert await verifier.verify_token(shared_issuer.token(kid="ec-1")) is None


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "." * 40, "é.é.é", "a" * 20_000, "eyJhbGciOiJSUzI1NiJ9..", "\x00"])
async def test_what_is_no_token_is_refused_without_an_error(verifier: JwtVerifier, token: str) -> None:
    """Anything may stand in a header."""
    assert await verifier.verify_token(token) is None


def test_scopes_come_from_scope_or_scp_as_text_or_list() -> None:
    """Issuers differ in the name and the form."""
    assert granted_scopes({"scope": "db:read openid"}) == ["db:read", "openid"]
    assert granted_scopes({"scp": ["db:read", "db:write", 7]}) == ["db:read", "db:write"]
    assert granted_scopes({"scp": "db:read", "scope": "db:read db:write"}) == ["db:read", "db:write"]
    assert granted_scopes({}) == []
    assert granted_scopes({"scope": {"db:read": True}}) == []


async def test_keys_are_fetched_once_for_many_tokens(issuer: Issuer) -> None:
    """Fifty requests at the same moment wait for one fetch."""
    issuer.delay = 0.2
    verifier = JwtVerifier(ISSUER, AUDIENCE, issuer.jwks_url)
    told = await asyncio.gather(*(verifier.verify_token(issuer.token()) for _ in range(50)))
    assert all(told)
    assert issuer.fetches == 1
    await verifier.aclose()


async def test_a_new_key_is_fetched_when_a_token_names_it(issuer: Issuer) -> None:
    """Rotation needs no restart; tokens of the key that was withdrawn are refused from then on."""
    clock = Clock()
    verifier = JwtVerifier(ISSUER, AUDIENCE, "", keys=IssuerKeys(issuer.jwks_url, clock=clock))
    old = issuer.token()
    assert await verifier.verify_token(old) is not None
    issuer.rotate()
    clock.now += RETRY_SECONDS + 1
    assert await verifier.verify_token(issuer.token(kid="rsa-2")) is not None
    assert await verifier.verify_token(old) is None
    await verifier.aclose()


async def test_unknown_keys_do_not_flood_the_issuer(issuer: Issuer) -> None:
    """Whoever sends made-up tokens makes one fetch in ten seconds, not one each."""
    clock = Clock()
    keys = IssuerKeys(issuer.jwks_url, clock=clock)
    for number in range(100):
        assert await keys.key(f"made-up-{number}") is None
    assert issuer.fetches == 1
    clock.now += RETRY_SECONDS + 1
    assert await keys.key("made-up") is None
    assert issuer.fetches == 2
    await keys.aclose()


async def test_keys_serve_for_an_hour_while_the_issuer_is_away(issuer: Issuer) -> None:
    """An outage of the issuer does not lock out whoever holds a token; a key is not believed for ever, either."""
    clock = Clock()
    keys = IssuerKeys(issuer.jwks_url, clock=clock)
    assert await keys.key("rsa-1") is not None
    issuer.answering = False
    clock.now += FRESH_SECONDS + 1
    began = time.monotonic()
    assert await keys.key("rsa-1") is not None
    assert time.monotonic() - began < 0.1  # the fetch goes on beside it
    await asyncio.sleep(0.2)
    assert await keys.key("rsa-1") is not None
    clock.now += USABLE_SECONDS
    assert await keys.key("rsa-1") is None
    issuer.answering = True
    clock.now += RETRY_SECONDS + 1
    assert await keys.key("rsa-1") is not None
    await keys.aclose()


async def test_a_slow_issuer_does_not_stop_the_event_loop(issuer: Issuer) -> None:
    """The fetch happens on a thread: everything else goes on."""
    issuer.delay = 2.0
    keys = IssuerKeys(issuer.jwks_url)
    fetching = asyncio.create_task(keys.key("rsa-1"))
    longest = 0.0
    while not fetching.done():
        began = time.monotonic()
        await asyncio.sleep(0.01)
        longest = max(longest, time.monotonic() - began)
    assert await fetching is not None
    assert longest < 1.0
    await keys.aclose()


@pytest.mark.parametrize("keys", [[], [{"kty": "oct", "k": "c2VjcmV0", "kid": "rsa-1"}], ["text"], [{"kty": "RSA"}]], ids=str)
async def test_a_document_without_usable_keys_lets_nobody_in(issuer: Issuer, keys: list[object]) -> None:
    """Not even with a secret that is published as if it were a key."""
    right = issuer.token()
    issuer.keys = keys  # type: ignore[assignment]
    verifier = JwtVerifier(ISSUER, AUDIENCE, issuer.jwks_url)
    assert await verifier.verify_token(right) is None
    await verifier.aclose()


ODD_DOCUMENTS = {
    "a page": b"<html>sign in</html>",
    "nothing": b"",
    "a list": b"[]",
    "a number": b"7",
    "keys that are no list": b'{"keys": "x"}',
    "keys that are no objects": b'{"keys": [1, null, "x"]}',
    "a key without a type": b'{"keys": [{"kid": "rsa-1"}]}',
    "a key of wrong parts": b'{"keys": [{"kty": "RSA", "kid": "rsa-1", "n": 1, "e": {}}]}',
    "nested too deep": b"[" * 100_000,
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("what", ODD_DOCUMENTS)
async def test_whatever_the_issuer_answers_nobody_comes_in_and_nothing_breaks(issuer: Issuer, what: str) -> None:
    """A proxy in between may answer with anything; known keys serve on, and it is asked again later."""
    clock = Clock()
    keys = IssuerKeys(issuer.jwks_url, clock=clock)
    issuer.document = ODD_DOCUMENTS[what]
    assert await keys.key("rsa-1") is None
    issuer.document = None
    clock.now += RETRY_SECONDS + 1
    assert await keys.key("rsa-1") is not None
    issuer.document = ODD_DOCUMENTS[what]
    clock.now += FRESH_SECONDS + 1
    assert await keys.key("rsa-1") is not None
    assert await keys.key("unknown") is None
    await keys.aclose()


async def test_an_answer_that_breaks_off_lets_nobody_in(issuer: Issuer) -> None:
    """The issuer, or the way to it, ends in the middle of its keys."""
    issuer.missing_bytes = 100
    keys = IssuerKeys(issuer.jwks_url)
    assert await keys.key("rsa-1") is None
    await keys.aclose()

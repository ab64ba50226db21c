"""The issuer that OpenSPP's OpenID4VCI guide describes, small and well tuned: what the
benchmark is compared with.

FastAPI on uvicorn (uvloop, httptools, one worker a core), psycopg2 with a pool, PyJWT. As in the
guide, pre-authorized codes and access tokens are JWTs signed with ES256. It does what a flow of
openid4vci does: an offer is redeemed by its code under a row lock and a token is stored (first
commit); a nonce is a MAC, nothing is stored for it; a proof is verified by its own key and by
issuer, age and nonce, the nonce is spent, an SD-JWT VC with four disclosures is signed and
recorded (second commit). Statements are few, every look-up is by a primary key, keys are loaded
once, nothing is logged.

Left out, in its favour: Odoo and its models (tables are asked directly), transaction codes and
their counters, events, retries of the same request, privileges, several issuers, encodings and
shapes of other drafts.
"""
import hashlib
import hmac
import json
import os
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode

import anyio
import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fastapi import FastAPI, Form, Header
from fastapi.responses import JSONResponse
from jwt.algorithms import ECAlgorithm
from psycopg2.pool import ThreadedConnectionPool
from pydantic import BaseModel

ISSUER = os.environ["PEER_ISSUER"]
THREADS = 8  # a worker's; each has a connection of the pool
GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
VCT = "https://registry.example/credentials/entitlement"
NONCE_LIFETIME = 300
CODE_LIFETIME = 7 * 86400
TOKEN_LIFETIME = 86400
CREDENTIAL_LIFETIME = 365 * 86400

with open(os.environ["PEER_KEY"], "rb") as file:
    PEM = file.read()
SIGNING_KEY = load_pem_private_key(PEM, None)
PUBLIC_KEY = SIGNING_KEY.public_key()
JWK = {
    name: value
    for name, value in json.loads(ECAlgorithm.to_jwk(PUBLIC_KEY)).items()
    if name in ("kty", "crv", "x", "y")
}
KID = "1"
# A key that all workers have, and nobody else.
NONCE_KEY = hashlib.sha256(b"nonce" + PEM).digest()
DISCLOSABLE = ("programName", "cycle", "beneficiaryName", "amount")

app = FastAPI(openapi_url=None)
pool = None


@app.on_event("startup")
async def start():
    global pool
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    # a thread can begin a request a moment before another has given its connection back
    pool = ThreadedConnectionPool(THREADS, 2 * THREADS, os.environ["PEER_DATABASE"])


def encode(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sign_ticket(use, offer_id, lifetime):
    """A pre-authorized code or an access token, for an offer."""
    claims = {"use": use, "offer_id": offer_id, "exp": int(time.time()) + lifetime}
    return jwt.encode(claims, SIGNING_KEY, algorithm="ES256")


def verify_ticket(use, ticket):
    """The offer that it is for; None when it is not good."""
    try:
        claims = jwt.decode(ticket, PUBLIC_KEY, algorithms=["ES256"], options={"require": ["exp"]})
    except jwt.PyJWTError:
        return None
    return claims["offer_id"] if claims.get("use") == use else None


def refuse(error, status=400):
    return JSONResponse({"error": error}, status)


class Transaction:
    """A connection of the pool for one transaction."""

    def __enter__(self):
        self.connection = pool.getconn()
        return self.connection.cursor()

    def __exit__(self, kind, value, traceback):
        try:
            if kind is None:
                self.connection.commit()
            else:
                self.connection.rollback()
        finally:
            pool.putconn(self.connection)


@app.get("/.well-known/jwt-vc-issuer")
def keys():
    return {"issuer": ISSUER, "jwks": {"keys": [{**JWK, "kid": KID, "alg": "ES256"}]}}


@app.post("/api/v1/openid4vci/token")
def token(
    grant_type: str = Form(...), pre_authorized_code: str = Form(..., alias="pre-authorized_code")
):
    if grant_type != GRANT:
        return refuse("unsupported_grant_type")
    offer_id = verify_ticket("code", pre_authorized_code)
    if offer_id is None:
        return refuse("invalid_grant")
    with Transaction() as cursor:
        cursor.execute(
            "UPDATE offer SET state = 'redeemed' WHERE id = %s AND state = 'pending' "
            "AND expires_at > now()",
            (offer_id,),
        )
        if cursor.rowcount == 0:
            return refuse("invalid_grant")
        cursor.execute(
            "INSERT INTO token (offer_id, expires_at) VALUES (%s, now() + %s * interval '1 s')",
            (offer_id, TOKEN_LIFETIME),
        )
    access_token = sign_ticket("token", offer_id, TOKEN_LIFETIME)
    return JSONResponse(
        {"access_token": access_token, "token_type": "Bearer", "expires_in": TOKEN_LIFETIME}
    )


def nonce_mac(body):
    return hmac.digest(NONCE_KEY, body, "sha256")[:16]


@app.post("/api/v1/openid4vci/nonce")
async def nonce():
    body = int(time.time()).to_bytes(8, "big") + secrets.token_bytes(16)
    return JSONResponse({"c_nonce": encode(body + nonce_mac(body))})


def is_fresh(text):
    try:
        data = decode(text)
    except ValueError:
        return False
    return (
        len(data) == 40
        and hmac.compare_digest(nonce_mac(data[:24]), data[24:])
        and int.from_bytes(data[:8], "big") > time.time() - NONCE_LIFETIME
    )


def verify_proof(proof):
    """The proof's key and nonce (OpenID4VCI 1.0 appendix F.1); None when it is not good."""
    try:
        header = jwt.get_unverified_header(proof)
        jwk = header["jwk"]
        if header["typ"] != "openid4vci-proof+jwt" or "d" in jwk:
            return None
        payload = jwt.decode(
            proof, ECAlgorithm.from_jwk(jwk), algorithms=["ES256"], audience=ISSUER, leeway=60,
            options={"require": ["iat", "aud"]},
        )
        if payload["iat"] < time.time() - 86400 or not is_fresh(payload["nonce"]):
            return None
        return {name: jwk[name] for name in ("kty", "crv", "x", "y")}, payload["nonce"]
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        return None


def sign_credential(claims, holder, now):
    """An SD-JWT VC with a disclosure for each of DISCLOSABLE (RFC 9901)."""
    payload = {
        "iss": ISSUER, "vct": VCT, "iat": now, "exp": now + CREDENTIAL_LIFETIME,
        "cnf": {"jwk": holder}, "_sd_alg": "sha-256",
    }
    disclosures = []
    digests = []
    for name, value in claims.items():
        if name not in DISCLOSABLE:
            payload[name] = value
            continue
        text = encode(json.dumps([secrets.token_urlsafe(16), name, value]).encode())
        disclosures.append(text)
        digests.append(encode(hashlib.sha256(text.encode()).digest()))
    payload["_sd"] = sorted(digests)
    signed = jwt.encode(
        payload, SIGNING_KEY, algorithm="ES256", headers={"typ": "dc+sd-jwt", "kid": KID}
    )
    return "~".join([signed, *disclosures, ""])


def thumbprint(jwk):
    members = json.dumps(jwk, sort_keys=True, separators=(",", ":"))
    return encode(hashlib.sha256(members.encode()).digest())


class Proofs(BaseModel):
    jwt: list[str]


class CredentialRequest(BaseModel):
    credential_configuration_id: str
    proofs: Proofs


@app.post("/api/v1/openid4vci/credential")
def credential(request: CredentialRequest, authorization: str = Header(...)):
    offer_id = verify_ticket("token", authorization.removeprefix("Bearer "))
    if offer_id is None:
        return refuse("invalid_token", 401)
    proof = verify_proof(request.proofs.jwt[0])
    if proof is None:
        return refuse("invalid_proof")
    holder, c_nonce = proof
    now = int(time.time())
    with Transaction() as cursor:
        cursor.execute(
            "SELECT o.claims, o.configuration_id, o.issued_at FROM offer AS o "
            "JOIN token AS t ON t.offer_id = o.id "
            "WHERE o.id = %s AND t.expires_at > now() FOR UPDATE OF o",
            (offer_id,),
        )
        offer = cursor.fetchone()
        if offer is None:
            return refuse("invalid_token", 401)
        if offer[1] != request.credential_configuration_id or offer[2] is not None:
            return refuse("invalid_credential_request")
        cursor.execute(
            "INSERT INTO nonce (nonce) VALUES (%s) ON CONFLICT DO NOTHING", (c_nonce,)
        )
        if cursor.rowcount == 0:
            return refuse("invalid_nonce")
        signed = sign_credential(offer[0], holder, now)
        cursor.execute(
            "INSERT INTO credential (offer_id, thumbprint, issued_at, expires_at) "
            "VALUES (%s, %s, to_timestamp(%s), to_timestamp(%s))",
            (offer_id, thumbprint(holder), now, now + CREDENTIAL_LIFETIME),
        )
        cursor.execute(
            "UPDATE offer SET state = 'issued', issued_at = now() WHERE id = %s", (offer_id,)
        )
    return JSONResponse({"credentials": [{"credential": signed}]})

# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a wallet does with its key."""

import base64
import hashlib
import json
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Wallet:
    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        point = self.key.public_key().public_numbers()
        self.jwk = {
            "kty": "EC",
            "crv": "P-256",
            "x": base64url(point.x.to_bytes(32, "big")),
            "y": base64url(point.y.to_bytes(32, "big")),
        }

    @property
    def did(self):
        return "did:jwk:" + base64url(json.dumps(self.jwk).encode())

    def did_document(self, did):
        return {
            "id": did,
            "verificationMethod": [
                {
                    "id": f"{did}#key",
                    "type": "JsonWebKey2020",
                    "controller": did,
                    "publicKeyJwk": self.jwk,
                }
            ],
            "authentication": [f"{did}#key"],
        }

    def sign(self, header, payload):
        """A JWT by ES256."""
        parts = [{"alg": "ES256", **header}, {"iat": int(time.time()), **payload}]
        signed = ".".join(base64url(json.dumps(part).encode()) for part in parts)
        der = self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        raw = b"".join(
            number.to_bytes(32, "big") for number in decode_dss_signature(der)
        )
        return f"{signed}.{base64url(raw)}"

    def prove(self, nonce, audience):
        """The proof that the key is the wallet's (OpenID4VCI 1.0 appendix F.1)."""
        header = {"typ": "openid4vci-proof+jwt", "jwk": self.jwk}
        return self.sign(header, {"nonce": nonce, "aud": audience})

    def present(self, credential, nonce, audience):
        """The credential with all its disclosures, and a KB-JWT (RFC 9901)."""
        digest = hashlib.sha256(credential.encode()).digest()
        payload = {"nonce": nonce, "aud": audience, "sd_hash": base64url(digest)}
        return credential + self.sign({"typ": "kb+jwt"}, payload)

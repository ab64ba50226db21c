# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The paths that are the same for all issuers."""

# Where wallets and verifiers look first; models/ir_http.py adds the issuers' own paths.
WELL_KNOWN = [
    "openid-credential-issuer",
    "oauth-authorization-server",
    "jwt-vc-issuer",
    "did.json",
]
ROUTES = [
    route
    for name in WELL_KNOWN
    for route in (
        f"/.well-known/{name}",
        f"/.well-known/{name}/<path:issuer>",
        f"/<path:issuer>/.well-known/{name}",
    )
] + ["/<path:issuer>/did.json", "/.well-known/vct/<path:type>"]

# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""OpenSPP's services for tokens and presentations. They are for programs of the
server: what they take and return are secrets."""

import base64
import json

from odoo import api, models
from odoo.exceptions import UserError

# Members of an SD-JWT that are no claims about the subject.
OF_THE_FORMAT = {
    "_sd",
    "_sd_alg",
    "cnf",
    "exp",
    "iat",
    "iss",
    "nbf",
    "status",
    "vct",
    "vct#integrity",
}


class VciTokenService(models.AbstractModel):
    _name = "vci.token.service"
    _description = "Tokens of wallets"

    @api.private
    def exchange_pre_authorized_code(self, code, tx_code=None):
        """Redeem a code as a wallet does: access_token, c_nonce and so on, or error
        and error_description, which is to be committed as well."""
        offers = self.env["vci.offer"].sudo()
        offer = offers.search([("pre_authorized_code", "=", code)])
        return self.env["vci.sql"].call(
            "vci_exchange_code",
            code,
            tx_code=tx_code,
            issuer=offer.issuer_id.url or self._issuer_url(),
        )

    @api.private
    def generate_nonce(self):
        """A fresh c_nonce of the company's issuer."""
        return self.env["vci.sql"].call("vci_create_nonce", issuer=self._issuer_url())

    @api.model
    def _issuer_url(self):
        issuer = self.env["vci.issuer"]._for_company(self.env.company)
        if not issuer:
            raise UserError(
                self.env._(
                    "The company %s has no credential issuer. Choose one in the"
                    " settings.",
                    self.env.company.name,
                )
            )
        return issuer.url


class VciSdJwt(models.AbstractModel):
    _name = "vci.sd.jwt"
    _description = "SD-JWT presentations"

    @api.private
    def verify_key_binding_jwt(
        self, kb_jwt, expected_nonce=None, expected_audience=None
    ):
        """Whether a wallet's proof of its key holds: a dict with valid, error, payload
        and so on. expected_audience: None for the company's issuer."""
        return self.env["vci.sql"].call(
            "vci_verify_kbjwt",
            kb_jwt,
            expected_nonce,
            expected_audience or self.env["vci.token.service"]._issuer_url(),
            older=True,
        )

    @api.private
    def verify_sd_jwt_vc(self, sd_jwt, expected_nonce=None, expected_audience=None):
        """Whether a credential, or a presentation of one, holds: a dict with valid,
        error, verified_claims and so on."""
        verdict = self.env["vci.sql"].call(
            "vci_verify_sdjwt", sd_jwt, expected_nonce, expected_audience
        )
        claims = verdict.pop("claims", None)
        return {**verdict, "verified_claims": claims}

    @api.private
    def parse_sd_jwt(self, sd_jwt):
        """What stands in an SD-JWT. Nothing is verified here."""
        try:
            jwt, *disclosures, key_binding = sd_jwt.split("~")
            header, payload, _signature = jwt.split(".")
            header, payload = self._decode(header), dict(self._decode(payload))
            disclosed = [self._decode(disclosure) for disclosure in disclosures]
        except (AttributeError, RecursionError, TypeError, ValueError):
            raise UserError(self.env._("This is no SD-JWT.")) from None
        return {
            "jwt_header": header,
            "jwt_payload": payload,
            "revealed_claims": {
                name: value
                for name, value in payload.items()
                if name not in OF_THE_FORMAT
            },
            "disclosures": disclosed,
            "kb_jwt": key_binding or None,
        }

    @api.model
    def _decode(self, part):
        """JSON in base64url without padding."""
        padded = part + "=" * (-len(part) % 4)
        return json.loads(base64.urlsafe_b64decode(padded))

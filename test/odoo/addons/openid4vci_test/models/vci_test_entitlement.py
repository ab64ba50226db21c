# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class VciTestEntitlement(models.Model):
    """A subject of credentials with the fields of OpenSPP2's entitlement."""

    _name = "vci.test.entitlement"
    _description = "Entitlement"
    _inherit = ["mail.thread", "vci.credential.subject.mixin"]
    _rec_name = "code"

    code = fields.Char(copy=False, default="ENT-2024-001234")
    partner_id = fields.Many2one("res.partner", "Registrant", required=True)
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company)
    currency_id = fields.Many2one(related="company_id.currency_id")
    initial_amount = fields.Monetary()
    valid_from = fields.Date(default=fields.Date.today)
    valid_until = fields.Date()
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("pending_validation", "Pending validation"),
            ("approved", "Approved"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        tracking=True,
    )

    def action_approve(self):
        self.state = "approved"
        return True

    def get_credential_claims(self, credential_type):
        claims = super().get_credential_claims(credential_type)
        claims.update(
            {
                "entitlementId": self.code,
                "entitlementStatus": self.state,
                "beneficiaryName": self.partner_id.name,
                "amount": {
                    "value": self.initial_amount,
                    "currency": self.currency_id.name,
                },
                "validFrom": self.valid_from,
                "validUntil": self.valid_until or None,
            }
        )
        return claims

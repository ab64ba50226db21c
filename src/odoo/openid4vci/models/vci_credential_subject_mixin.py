# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a model gets whose records credentials are about."""

from odoo import fields, models


class VciCredentialSubjectMixin(models.AbstractModel):
    _name = "vci.credential.subject.mixin"
    _description = "Subject of credentials"

    credential_offer_count = fields.Integer(compute="_compute_credential_counts")
    credential_count = fields.Integer(compute="_compute_credential_counts")

    def _compute_credential_counts(self):
        self.credential_offer_count = 0
        self.credential_count = 0

# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class VciOfferWizard(models.TransientModel):
    _name = "vci.offer.wizard"
    _description = "Offer a credential"

    credential_subject_model = fields.Char()
    credential_subject_id = fields.Integer()
    credential_type_id = fields.Many2one("vci.credential.configuration")

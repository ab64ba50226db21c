# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import fields, models


class VciTestEventData(models.Model):
    """A model that is there before it becomes a subject of credentials, with those
    fields of OpenSPP's event data that the guide reads."""

    _name = "vci.test.event.data"
    _description = "Event data"

    name = fields.Char(default="ASM-2024-0001")
    partner_id = fields.Many2one("res.partner", "Registrant", ondelete="cascade")
    event_type = fields.Char()
    event_date = fields.Date()
    state = fields.Selection(
        [("draft", "Draft"), ("completed", "Completed")], default="draft"
    )
    score = fields.Float()
    assessor_id = fields.Many2one("res.partner")

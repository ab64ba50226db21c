# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, models


class VciTestSms(models.AbstractModel):
    """OpenSPP's service for text messages, which tests replace."""

    _name = "vci.test.sms"
    _description = "Text messages"

    @api.private
    def send_sms(self, number, text):
        """Sends nothing."""

    @api.private
    def send_pin(self, number, pin):
        """Sends nothing."""

# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Refusing credentials that wait for a decision."""

from odoo import api, fields, models


class VciRefusalWizard(models.TransientModel):
    """Asks why: of the credentials of the action's context."""

    _name = "vci.refusal.wizard"
    _description = "Refuse a credential"

    # The extension takes so many bytes.
    reason = fields.Char(
        size=250,
        help="For your own records and reports. The person and the wallet are not told"
        " it.",
    )
    subjects = fields.Char("Credential", compute="_compute_subjects")

    @api.depends_context("active_model", "active_ids")
    def _compute_subjects(self):
        self.subjects = ", ".join(self._deferred().mapped("name"))

    @api.model
    def _deferred(self):
        deferred, context = self.env["vci.deferred"], self.env.context
        if context.get("active_model") != deferred._name:
            return deferred
        return deferred.browse(context.get("active_ids") or ())

    def action_refuse(self):
        self.ensure_one()
        deferred = self._deferred()
        deferred.deny(self.reason or None)
        return deferred._vci_notification(
            self.env._("Refused. The wallet is told so when it asks next."), "warning"
        )

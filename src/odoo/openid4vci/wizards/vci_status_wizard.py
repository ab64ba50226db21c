# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Revoking, suspending and reinstating credentials: why is asked first."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.vci_credential_status import CHANGES


class VciStatusWizard(models.TransientModel):
    """Of the credentials of the action's context."""

    _name = "vci.status.wizard"
    _description = "Change the status of credentials"

    change = fields.Selection(
        [("revoke", "Revoke"), ("suspend", "Suspend"), ("reinstate", "Reinstate")],
        required=True,
        default="revoke",
    )
    # The extension takes 1024 bytes.
    reason = fields.Char(
        size=250,
        help="For your own records and reports. The person, the wallet and verifiers"
        " are not told it.",
    )
    credentials = fields.Char("Credential", compute="_compute_credentials")
    count = fields.Integer(compute="_compute_credentials")
    left_out = fields.Integer(compute="_compute_credentials")

    @api.depends("change")
    @api.depends_context("active_model", "active_ids")
    def _compute_credentials(self):
        chosen = self._chosen()
        for wizard in self:
            meant = wizard._meant(chosen)
            wizard.count = len(meant)
            wizard.left_out = len(chosen) - len(meant)
            wizard.credentials = ", ".join(meant[:5].mapped("name")) + (
                self.env._(" and %s more", len(meant) - 5) if len(meant) > 5 else ""
            )

    @api.model
    def _chosen(self):
        credentials, context = self.env["vci.credential"], self.env.context
        if context.get("active_model") != credentials._name:
            return credentials
        return credentials.browse(context.get("active_ids") or ())

    def _meant(self, chosen):
        """Those of them that it has an effect on."""
        states = CHANGES[self.change][1] if self.change else ()
        return chosen.filtered(lambda credential: credential.status in states)

    def action_change(self):
        self.ensure_one()
        credentials = self._meant(self._chosen())
        changed = credentials._change_status(self.change, self.reason)
        if not changed:
            raise UserError(credentials._why_nothing_changes(self.change))
        told = changed._done_in_words(self.change, len(changed))
        return changed._vci_notification(told)

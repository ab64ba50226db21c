# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What is done with offers, by the extension's functions."""

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime


class VciOffer(models.Model):
    _inherit = "vci.offer"

    def action_show(self):
        """The QR code of the offer."""
        self.ensure_one()
        self._vci_require("group_help_desk")
        return self._open_wizard()

    def action_extend(self):
        self._vci_require("group_help_desk")
        ends = self.extend_offers()
        if len(ends) == 1:
            [end] = ends.values()
            message = self.env._(
                "The offer is good until %s. Its QR code and link are the same.",
                format_datetime(self.env, end, dt_format="short"),
            )
        else:
            message = self.env._("%s offers were extended.", len(ends))
        return self._vci_notification(message)

    @api.private
    def extend_offers(self, expires_in=None):
        """Let them end expires_in from now (a timedelta, or text with a unit; None:
        after the issuer's own lifetime). Returns when each ends."""
        ends = self._vci_for_each("vci_extend_offer", expires_in=expires_in)
        self._note_on_subjects(self.env._("%(offer)s can be redeemed for longer."))
        return ends

    def action_new_link(self):
        """For a link or QR code that came into wrong hands: the old ones are dead."""
        self.ensure_one()
        self._vci_require("group_help_desk")
        self._vci_for_each("vci_rotate_code")
        self._note_on_subjects(
            self.env._("%(offer)s has a new link. The one before is dead.")
        )
        return self._open_wizard()

    def action_new_pin(self):
        """For a PIN that was lost, or typed wrong too often."""
        self.ensure_one()
        self._vci_require("group_help_desk")
        pin = self.env["vci.sql"].call("vci_reset_tx_code", self.id)
        self._note_on_subjects(self.env._("%(offer)s has a new PIN."))
        return self._open_wizard(default_tx_code=pin)

    def action_reopen(self):
        """For a wallet that lost what it got, or an offer cancelled by mistake."""
        self.ensure_one()
        self._vci_require("group_help_desk")
        self._vci_for_each("vci_reopen_offer")
        self._note_on_subjects(self.env._("%(offer)s can be redeemed again."))
        return self._open_wizard()

    def action_cancel(self):
        self._vci_require("group_help_desk")
        cancelled = self._cancel()
        if self and not cancelled:
            raise UserError(
                self.env._(
                    "Nothing was cancelled: the wallet has the credential already, or"
                    " the offer was cancelled before."
                )
            )
        return self._vci_notification(
            self.env._("Cancelled: %s. The QR code and link are dead.", len(cancelled))
        )

    def _cancel(self):
        """Those of these offers that it cancelled."""
        results = self._vci_for_each("vci_cancel_offer")
        cancelled = self.browse(number for number, done in results.items() if done)
        cancelled._note_on_subjects(self.env._("%(offer)s was cancelled."))
        return cancelled

    def action_open_subject(self):
        subject = self.get_credential_subject()
        return {
            "type": "ir.actions.act_window",
            "res_model": subject._name,
            "res_id": subject.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def _open_wizard(self, **context):
        """The wizard's step with the QR code. The PIN goes along once, and is not
        there when the page is loaded again."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Credential offer"),
            "res_model": "vci.offer.wizard",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"active_model": self._name, "active_id": self.id, **context},
        }

    @api.private
    def get_credential_subject(self):
        """The record that the offer's credential is about."""
        self.ensure_one()
        model, number = self.credential_subject_model, self.credential_subject_id
        subject = self._subjects(model, [number])
        if subject is None or not number:
            raise UserError(
                self.env._("The subject of this offer is no record of this database.")
            )
        if not subject:
            raise UserError(self.env._("The subject of this offer was deleted."))
        subject.check_access("read")
        return subject

    def _note_on_subjects(self, text):
        """text: with a place for what it is about, %(offer)s."""

        def note(offer):
            named = self.env._(
                "Offer %(name)s of %(credential)s",
                name=offer.name,
                credential=offer.configuration_codes,
            )
            return text % {"offer": named}

        self._log_on_subjects(note)

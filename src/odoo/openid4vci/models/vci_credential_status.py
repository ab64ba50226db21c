# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Taking credentials back, for a time or for good: vci_revoke and its neighbours."""

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

# What is done, by which function, and in which states it has an effect.
CHANGES = {
    "revoke": ("vci_revoke", ("valid", "suspended")),
    "suspend": ("vci_suspend", ("valid",)),
    "reinstate": ("vci_reinstate", ("suspended",)),
}


class VciCredential(models.Model):
    _inherit = "vci.credential"

    @api.private
    def revoke(self, reason=None):
        """For good. Returns those that were changed: what has no place in a status
        list, has expired or is revoked already stays as it is."""
        return self._change_status("revoke", reason)

    @api.private
    def suspend(self, reason=None):
        """Until reinstate(). Returns those that were changed."""
        return self._change_status("suspend", reason)

    @api.private
    def reinstate(self, reason=None):
        """Makes valid what is suspended. Returns those that were changed."""
        return self._change_status("reinstate", reason)

    def _change_status(self, change, reason):
        """All of them, or none. The reason is for the registry alone."""
        self._vci_require("group_offerer")
        if not self:
            return self
        sql = self.env["vci.sql"]
        function, _states = CHANGES[change]
        rows = sql.query(
            SQL(
                """SELECT c.id, %s AS changed FROM unnest(%s::bigint[]) AS c (id)""",
                sql.function_call(function, SQL("c.id"), reason=reason or None),
                sorted(self.ids),
            )
        )
        changed = self.browse(row["id"] for row in rows if row["changed"])
        changed._log_on_subjects(self._status_notes()[change])
        return changed

    @api.model
    def _status_notes(self):
        """Without the reason: whoever reads the chatter need not know it."""
        _ = self.env._
        return {
            "revoke": lambda one: _("Credential %s was revoked.", one.name),
            "suspend": lambda one: _("Credential %s was suspended.", one.name),
            "reinstate": lambda one: _("Credential %s is valid again.", one.name),
        }

    def action_revoke(self, reason=None):
        """Asks why, unless the caller says it."""
        if not reason:
            return self._ask_for_reason("revoke", self.env._("Revoke"))
        changed = self.revoke(reason)
        if not changed:
            raise UserError(self._why_nothing_changes("revoke"))
        return self._vci_notification(self._done_in_words("revoke", len(changed)))

    def action_suspend(self):
        return self._ask_for_reason("suspend", self.env._("Suspend"))

    def action_reinstate(self):
        return self._ask_for_reason("reinstate", self.env._("Reinstate"))

    def _ask_for_reason(self, change, title):
        self._vci_require("group_offerer")
        states = CHANGES[change][1]
        if not self.filtered(lambda credential: credential.status in states):
            raise UserError(self._why_nothing_changes(change))
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "vci.status.wizard",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "active_model": self._name,
                "active_ids": self.ids,
                "default_change": change,
            },
        }

    @api.model
    def _done_in_words(self, change, count):
        _ = self.env._
        return {
            "revoke": _("Revoked: %s. Verifiers refuse them from now on.", count),
            "suspend": _(
                "Suspended: %s. Verifiers refuse them until they are reinstated.", count
            ),
            "reinstate": _("Valid again: %s.", count),
        }[change]

    @api.model
    def _why_nothing_changes(self, change):
        _ = self.env._
        return {
            "revoke": _(
                "There is nothing to revoke: the credential was revoked before, has"
                " expired, or is of a kind that cannot be revoked. An administrator"
                " sets under Kinds of credentials what can be done with new ones."
            ),
            "suspend": _(
                "There is nothing to suspend: the credential is not valid now, or of a"
                " kind that cannot be suspended."
            ),
            "reinstate": _(
                "There is nothing to reinstate: the credential is not suspended. What"
                " was revoked stays so; make a new offer."
            ),
        }[change]

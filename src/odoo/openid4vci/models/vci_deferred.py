# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Credentials that wait for a decision: vci_deferred_info."""

from odoo import api, fields, models
from odoo.tools import SQL

from .vci_labelled_mixin import label_columns, subject_columns


class VciDeferred(models.Model):
    _name = "vci.deferred"
    _description = "Deferred credential"
    _inherit = ["vci.view.mixin", "vci.labelled.mixin"]
    _auto = False
    _log_access = False
    _rec_name = "name"
    _order = "id desc"

    name = fields.Char(readonly=True)
    issuer_id = fields.Many2one("vci.issuer", readonly=True)
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("ready", "Ready"),
            ("issued", "Issued"),
            ("denied", "Denied"),
            ("expired", "Expired"),
            ("withdrawn", "Withdrawn"),
        ],
        readonly=True,
        group_expand=True,
    )
    configuration_code = fields.Char("Configuration", readonly=True)
    credential_type_id = fields.Many2one("vci.credential.configuration", readonly=True)
    offer_id = fields.Many2one("vci.offer", readonly=True)
    by_source = fields.Boolean("The claims source decides", readonly=True)
    waiting_days = fields.Float("Days waited", readonly=True, aggregator="avg")
    created_at = fields.Datetime("Asked for", readonly=True)
    expires_at = fields.Datetime("Expires", readonly=True)
    polled_at = fields.Datetime("Wallet last asked", readonly=True)
    completed_at = fields.Datetime("Completed", readonly=True)
    denied_at = fields.Datetime("Denied on", readonly=True)
    issued_at = fields.Datetime("Issued on", readonly=True)
    decided_by = fields.Char("Decided by role", readonly=True)
    reason = fields.Char(readonly=True)

    @api.model
    def _view_query(self):
        return f"""
            SELECT d.id, d.configuration_id || ' #' || d.id AS name, d.issuer_id,
                   d.state, d.configuration_id AS configuration_code,
                   n.number AS credential_type_id, d.offer_id,
                   {subject_columns("d")},
                   {label_columns("d")},
                   d.by_source,
                   EXTRACT(EPOCH FROM d.waiting_for)::float8 / 86400 AS waiting_days,
                   d.created_at AT TIME ZONE 'UTC' AS created_at,
                   d.expires_at AT TIME ZONE 'UTC' AS expires_at,
                   d.polled_at AT TIME ZONE 'UTC' AS polled_at,
                   d.completed_at AT TIME ZONE 'UTC' AS completed_at,
                   d.denied_at AT TIME ZONE 'UTC' AS denied_at,
                   d.issued_at AT TIME ZONE 'UTC' AS issued_at,
                   d.decided_by::text AS decided_by, d.reason
            FROM openid4vci.vci_deferred_info d
                 LEFT JOIN openid4vci.vci_configuration_info n
                    ON n.issuer_id = d.issuer_id AND n.id = d.configuration_id"""

    @api.private
    def complete(self, claims=None):
        """Let wallets fetch these credentials. claims replace those of the offer."""
        self._decide("vci_deferred_complete", claims)

    @api.private
    def deny(self, reason=None):
        """Refuse these credentials. The reason is for reports: the wallet is not told
        it."""
        self._decide("vci_deferred_deny", reason)

    def _decide(self, function, said):
        """All of them, or none."""
        self._vci_require("group_offerer")
        sql = self.env["vci.sql"]
        sql.query(
            SQL(
                "SELECT %s FROM unnest(%s::bigint[]) AS d (id)",
                sql.function_call(function, SQL("d.id"), said),
                list(self.ids),
            )
        )

    def action_complete(self):
        self.complete()
        return self._vci_notification(
            self.env._("Approved. The wallet gets the credential when it asks next.")
        )

    def action_deny(self):
        """The reason is asked for first."""
        self._vci_require("group_offerer")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Refuse"),
            "res_model": "vci.refusal.wizard",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"active_model": self._name, "active_ids": self.ids},
        }

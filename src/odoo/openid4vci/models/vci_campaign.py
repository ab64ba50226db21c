# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Campaigns, which offer a credential to many people: vci_campaign_info."""

import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .vci_sql import LEFT_TO_ODOO

_logger = logging.getLogger(__name__)

# How often in a row somebody else may be at the same campaign.
CONFLICTS = 5
# In these states somebody has started it.
STARTED = ("loaded", "running")
# People without an offer who are shown.
FAILURES = 20


class VciCampaign(models.Model):
    _name = "vci.campaign"
    _description = "Campaign of credential offers"
    _inherit = ["vci.view.mixin"]
    _auto = False
    _log_access = False
    _order = "id desc"

    name = fields.Char(readonly=True)
    issuer_id = fields.Many2one("vci.issuer", readonly=True)
    state = fields.Selection(
        [
            ("draft", "Not started"),
            ("loaded", "People are read"),
            ("running", "Running"),
            ("paused", "Paused"),
            ("finished", "Finished"),
            ("cancelled", "Cancelled"),
        ],
        readonly=True,
        group_expand=True,
    )
    configuration_codes = fields.Char("Configurations", readonly=True)
    credential_type_id = fields.Many2one("vci.credential.configuration", readonly=True)
    recipients = fields.Text(
        readonly=True, help="The query or table of the database that lists the people"
    )
    pin = fields.Boolean("With a PIN", readonly=True)
    lifetime = fields.Char("Offers stay valid for", readonly=True)
    pace = fields.Integer("Offers a minute", readonly=True, aggregator=None)
    channel = fields.Char(
        readonly=True, help="How offers reach people who name no way of their own"
    )
    labels = fields.Json(readonly=True)
    label_text = fields.Char("Labels (text)", readonly=True)
    people = fields.Integer(readonly=True)
    made = fields.Integer("Offers made", readonly=True)
    existing = fields.Integer(
        "Had an offer", readonly=True, help="Offered before, by the same reference"
    )
    failed = fields.Integer("Without an offer", readonly=True)
    remaining = fields.Integer("Still to do", readonly=True)
    progress = fields.Float(readonly=True, aggregator="avg")
    rate = fields.Float("People a second", readonly=True, aggregator=None)
    time_left = fields.Char(readonly=True)
    created_at = fields.Datetime("Created", readonly=True)
    created_by = fields.Char("Created by role", readonly=True)
    started_at = fields.Datetime("Started", readonly=True)
    paused_at = fields.Datetime("Paused on", readonly=True)
    finished_at = fields.Datetime("Finished on", readonly=True)
    cancelled_at = fields.Datetime("Cancelled on", readonly=True)
    failures = fields.Text(
        compute="_compute_failures", help="For whom no offer could be made, and why"
    )

    @api.model
    def _view_query(self):
        return """
            SELECT c.id, c.name, c.issuer_id, c.state,
                   array_to_string(c.configuration_ids, ', ') AS configuration_codes,
                   n.number AS credential_type_id, c.recipients,
                   c.tx_code IS NOT NULL AS pin, c.expires_in::text AS lifetime,
                   c.pace, c.channel, c.labels, c.labels::text AS label_text, c.people,
                   c.made, c.existing, c.failed, c.remaining,
                   CASE WHEN c.people > 0
                        THEN 100::float8 * (c.people - c.remaining) / c.people
                        ELSE 0 END AS progress,
                   c.rate,
                   date_trunc('second', c.time_left)::text AS time_left,
                   c.created_at AT TIME ZONE 'UTC' AS created_at,
                   c.created_by::text AS created_by,
                   c.started_at AT TIME ZONE 'UTC' AS started_at,
                   c.paused_at AT TIME ZONE 'UTC' AS paused_at,
                   c.finished_at AT TIME ZONE 'UTC' AS finished_at,
                   c.cancelled_at AT TIME ZONE 'UTC' AS cancelled_at
            FROM openid4vci.vci_campaign_info c
                 LEFT JOIN openid4vci.vci_configuration_info n
                    ON n.issuer_id = c.issuer_id AND n.id = c.configuration_ids[1]"""

    @api.depends("failed")
    def _compute_failures(self):
        for campaign in self:
            campaign.failures = campaign.failed and campaign._failure_text()

    def _failure_text(self):
        rows = self.env["vci.sql"].query(
            SQL(
                """SELECT f.reference, f.failure
                   FROM openid4vci.vci_campaign_failure_info f
                   WHERE f.campaign_id = %s ORDER BY f.id LIMIT %s""",
                self.id,
                FAILURES,
            ),
            writes=False,
        )
        lines = [f"{row['reference']}: {row['failure']}" for row in rows]
        if self.failed > len(lines):
            more = self.failed - len(lines)
            lines.append(self.env._("... and %s more", more))
        return "\n".join(lines)

    # Buttons ------------------------------------------------------------------------

    def action_step(self):
        """One chunk now; the scheduled action does the rest."""
        self.ensure_one()
        self._vci_require("group_offerer")
        done = self._step()
        return self._vci_notification(self._step_in_words(done))

    def _step(self):
        return self.env["vci.sql"].call("vci_campaign_step", self.id)

    @api.model
    def _step_in_words(self, done):
        _ = self.env._
        if done["state"] == "paused":
            return _("The campaign is paused. Resume it first.")
        if done["state"] == "cancelled":
            return _("The campaign was cancelled.")
        if done["loaded"]:
            return _(
                "%s people were read. The scheduled action makes their offers now.",
                done["loaded"],
            )
        made = _(
            "%(made)s offers were made; %(failed)s people can get none.",
            made=done["made"],
            failed=done["failed"],
        )
        if done["state"] == "finished":
            return _("%s The campaign is finished.", made)
        return _(
            "%(made)s Still to do: %(remaining)s. The scheduled action goes on.",
            made=made,
            remaining=done["remaining"],
        )

    def action_pause(self):
        self._change("vci_pause_campaign")
        return self._vci_notification(
            self.env._("No further offer is made or sent until it is resumed."),
            "warning",
        )

    def action_resume(self):
        self._change("vci_resume_campaign")
        return self._vci_notification(self.env._("The campaign goes on."))

    def action_read_again(self):
        """For people who are new, and for those who could get no offer."""
        self._change("vci_resume_campaign", reload=True)
        return self._vci_notification(
            self.env._("The people are read again. Who has an offer keeps it.")
        )

    def action_cancel(self):
        cancelled = sum(self._change("vci_cancel_campaign"))
        return self._vci_notification(
            self.env._(
                "The campaign is cancelled, and with it %s offers of which nothing was"
                " issued yet. What was issued stays good.",
                cancelled,
            ),
            "warning",
        )

    def _change(self, function, **named):
        self._vci_require("group_offerer")
        sql = self.env["vci.sql"]
        return [sql.call(function, campaign.id, **named) for campaign in self]

    def action_view_offers(self):
        self.ensure_one()
        self._vci_require("group_reporter")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "openid4vci.action_vci_offer"
        )
        domain = [("campaign_id", "=", self.id)]
        return {**action, "domain": domain, "context": {"create": False}}

    def action_view_funnel(self):
        self.ensure_one()
        self._vci_require("group_reporter")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "openid4vci.action_vci_funnel"
        )
        domain = [("campaign_id", "=", self.id), ("label", "=", "")]
        return {**action, "domain": domain, "context": {}}

    # Running ------------------------------------------------------------------------

    @api.model
    def _cron_run(self):
        """Go on with campaigns that somebody has started, chunk by chunk, until their
        pace or the time of the scheduled action ends it."""
        if not self.env["vci.sql"].available():
            _logger.info("No campaign to run: the extension openid4vci is not there")
            return
        started = self.search([("state", "in", STARTED)], order="id").ids
        seconds = 1
        while started and seconds:
            for number in list(started):
                done = self._cron_step(self.browse(number))
                # Its pace, or somebody else who is at it, leaves nothing to do now.
                if not done or done["wait_seconds"] or done["state"] not in STARTED:
                    started.remove(number)
                seconds = self.env["ir.cron"]._commit_progress(
                    sum(done[kind] for kind in ("loaded", "made", "existing", "failed"))
                    if done
                    else 0,
                    remaining=len(started),
                )
                if not seconds:
                    break

    def _cron_step(self, campaign):
        """What a step has done; None where it failed: the next campaign shall not wait
        for this one."""
        for _attempt in range(CONFLICTS):
            try:
                return campaign._step()
            except psycopg2.Error as error:
                # A new snapshot, in which the other's work is seen.
                if error.pgcode not in LEFT_TO_ODOO:
                    raise
                self.env.cr.rollback()
            except UserError as error:
                _logger.warning(
                    "Campaign %s does not go on: SQLSTATE %s",
                    campaign.id,
                    getattr(error, "sqlstate", None),
                )
                return None
        return None

# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How far offers came: vci_funnel_info."""

import logging

from odoo import api, fields, models

_logger = logging.getLogger(__name__)


class VciFunnel(models.Model):
    """Rows with an empty label count all offers of a day, the others those with one
    value of a label: the two are never added up together."""

    _name = "vci.funnel"
    _description = "How far offers came"
    _inherit = ["vci.view.mixin"]
    _auto = False
    _log_access = False
    _rec_name = "day"
    _order = "day desc, id"

    issuer_id = fields.Many2one("vci.issuer", readonly=True)
    campaign_id = fields.Many2one("vci.campaign", readonly=True)
    day = fields.Date(
        "Offered on", readonly=True, help="The day on which the offers were made (UTC)"
    )
    label = fields.Char(readonly=True)
    value = fields.Char(readonly=True)
    created = fields.Integer("Offered", readonly=True)
    sent = fields.Integer(readonly=True)
    delivered = fields.Integer(readonly=True)
    undelivered = fields.Integer("Not delivered", readonly=True)
    opened = fields.Integer(
        readonly=True, help="The button of the page behind the link was pressed"
    )
    redeemed = fields.Integer(readonly=True, help="Also after it was offered again")
    issued = fields.Integer(readonly=True, help="The first credential came")
    accepted = fields.Integer(readonly=True, help="The wallet says that it kept it")
    failed = fields.Integer(
        readonly=True, help="The wallet says that it could not keep it"
    )
    locked = fields.Integer(readonly=True, help="By wrong PINs")
    expired = fields.Integer(readonly=True)
    cancelled = fields.Integer(readonly=True)
    reopened = fields.Integer("Offered again", readonly=True)
    revoked = fields.Integer("Credentials revoked", readonly=True)
    as_of = fields.Datetime("Counted on", readonly=True, aggregator="max")

    @api.model
    def _view_query(self):
        return """
            SELECT row_number() OVER (ORDER BY f.issuer_id, f.campaign_id, f.day,
                                               f.label, f.value) AS id,
                   f.issuer_id, f.campaign_id, f.day, f.label, f.value, f.created,
                   f.sent, f.delivered, f.undelivered, f.opened, f.redeemed, f.issued,
                   f.accepted, f.failed, f.locked, f.expired, f.cancelled, f.reopened,
                   f.revoked, f.as_of AT TIME ZONE 'UTC' AS as_of
            FROM openid4vci.vci_funnel_info f"""

    @api.model
    def _cron_refresh(self):
        """Count what came since the last time, in chunks."""
        if not self.env["vci.sql"].available():
            _logger.info("Nothing to count: the extension openid4vci is not there")
            return
        # Whoever reads an issuer's reports may count: nobody where there is none.
        if not self.env["vci.issuer"].search_count([], limit=1):
            return
        while True:
            counted = self.env["vci.sql"].call("vci_refresh_funnel")
            seconds = self.env["ir.cron"]._commit_progress(counted, remaining=0)
            if not counted or not seconds:
                return

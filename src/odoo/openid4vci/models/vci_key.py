# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Signing keys: vci_key_info."""

import datetime
import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime

_logger = logging.getLogger(__name__)

# How long verifiers can see a key before it signs.
OVERLAP = datetime.timedelta(hours=1)


class VciKey(models.Model):
    _name = "vci.key"
    _description = "Signing key"
    _inherit = ["vci.view.mixin"]
    _auto = False
    _log_access = False
    _rec_name = "kid"
    _order = "id desc"

    kid = fields.Char("Key ID", readonly=True)
    issuer_id = fields.Many2one("vci.issuer", readonly=True)
    alg = fields.Char("Algorithm", readonly=True)
    state = fields.Selection(
        [
            ("next", "Next"),
            ("active", "Active"),
            ("retired", "Retired"),
            ("destroyed", "Destroyed"),
        ],
        readonly=True,
        group_expand=True,
    )
    public_jwk = fields.Json("Public key", readonly=True)
    has_certificates = fields.Boolean(readonly=True)
    created_at = fields.Datetime("Created", readonly=True)
    activated_at = fields.Datetime("In use since", readonly=True)
    retired_at = fields.Datetime("Retired", readonly=True)
    destroyed_at = fields.Datetime("Destroyed", readonly=True)
    published_until = fields.Datetime(readonly=True)

    @api.model
    def _view_query(self):
        return """
            SELECT k.id, k.kid, k.issuer_id, k.alg, k.state, k.public_jwk,
                   k.x5c IS NOT NULL AS has_certificates,
                   k.created_at AT TIME ZONE 'UTC' AS created_at,
                   k.activated_at AT TIME ZONE 'UTC' AS activated_at,
                   k.retired_at AT TIME ZONE 'UTC' AS retired_at,
                   k.destroyed_at AT TIME ZONE 'UTC' AS destroyed_at,
                   k.published_until AT TIME ZONE 'UTC' AS published_until
            FROM openid4vci.vci_key_info k"""

    def action_rotate(self):
        """Of the key's issuer."""
        return self._rotate(self.issuer_id.ensure_one())

    @api.model
    def _rotate(self, issuer):
        """The first call makes the next key, the second lets it sign."""
        issuer._vci_require("group_key_admin")
        self._require_duty("rotate_key", issuer)
        try:
            done = self.env["vci.sql"].call(
                "vci_rotate_key", issuer.url, overlap=OVERLAP
            )
        except UserError as error:
            ready_at = self._next_key_ready_at(issuer)
            if error.sqlstate != "55000" or ready_at <= fields.Datetime.now():
                raise
            raise UserError(
                self.env._(
                    "The next key is waiting until verifiers have seen it. It can"
                    " take over from %s on: rotate again then.",
                    format_datetime(self.env, ready_at),
                )
            ) from None
        if done["state"] == "next":
            return self._vci_notification(
                self.env._(
                    "Step 1 of 2 is done: the next key is published, and signs nothing"
                    " yet. From %s on, rotate again to let it take over.",
                    format_datetime(self.env, self._next_key_ready_at(issuer)),
                ),
                "info",
            )
        return self._vci_notification(
            self.env._(
                "Step 2 of 2 is done: the new key signs. The former one stays"
                " published, so that what it signed can still be verified."
            )
        )

    @api.model
    def _require_duty(self, topic, issuer):
        """Where Odoo's role is kept from keys, the database administrator is told what
        to do in its place."""
        sql = self.env["vci.sql"]
        if sql.call("vci_duty_issuers", "key_admin"):
            return
        raise UserError(
            self.env._(
                "Odoo's database role may not make keys or change them. Ask the"
                " database administrator to run, as superuser:\n\n%s",
                sql.dba_lines(topic, issuer.url),
            )
        )

    @api.model
    def _next_key_ready_at(self, issuer):
        """When the next key of an issuer may sign; long ago when there is none."""
        waiting = self.search(
            [("issuer_id", "=", issuer.id), ("state", "=", "next")],
            order="created_at",
            limit=1,
        )
        return waiting.created_at + OVERLAP if waiting else datetime.datetime.min


class VciKeyService(models.AbstractModel):
    """OpenSPP's service for keys."""

    _name = "vci.key.service"
    _description = "Making of signing keys"

    def create_key(self, key_type="ES256", name=None, purpose="signing", issuer=None):
        """Make a key that signs credentials from now on; issuer: the company's. A key
        here has no name and no other purpose."""
        keys = self.env["vci.key"]
        keys._vci_require("group_key_admin")
        if purpose != "signing":
            raise UserError(
                self.env._("Keys are for signing here; “%s” is not known.", purpose)
            )
        if name:
            _logger.info("A signing key has no name; its kid tells it apart")
        issuer = issuer or self.env["vci.issuer"]._for_company(self.env.company)
        if issuer:
            keys._require_duty("create_key", issuer)
        kid = self.env["vci.sql"].call(
            "vci_create_key", issuer.url or None, alg=key_type
        )
        return keys.search([("kid", "=", kid)])

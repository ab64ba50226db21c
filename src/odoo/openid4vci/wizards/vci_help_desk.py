# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What the help desk sees of one person's credentials."""

from odoo import api, fields, models
from odoo.tools import format_date


class VciHelpDesk(models.TransientModel):
    """A page for one person. It keeps who that is, and nothing else: offers and
    credentials are read when they are shown."""

    _name = "vci.help.desk"
    _description = "A person's credentials"

    partner_id = fields.Many2one(
        "res.partner", "Person", required=True, ondelete="cascade"
    )
    offer_ids = fields.Many2many("vci.offer", compute="_compute_of_person")
    credential_ids = fields.Many2many("vci.credential", compute="_compute_of_person")
    obstacles = fields.Text(
        compute="_compute_obstacles",
        help="What keeps wallets from credentials, whatever the offers' states",
    )

    @api.constrains("partner_id")
    def _check_partner_is_seen(self):
        # Of a person who was chosen by number, Odoo would show the name. Constraints
        # are run with all rights.
        self.sudo(False).partner_id.check_access("read")

    @api.depends("partner_id")
    def _compute_of_person(self):
        # While the page is being filled in, the person is a copy without guard.
        self.partner_id._origin.check_access("read")
        for page in self:
            domain = page.partner_id._credentials_of_person_domain()
            page.offer_ids = self.env["vci.offer"].search(domain)
            page.credential_ids = self.env["vci.credential"].search(domain)

    @api.depends("offer_ids")
    def _compute_obstacles(self):
        for page in self:
            lines = [
                f"{offer.credential_type_id.name}: {offer.obstacle}"
                for offer in page.offer_ids
                if offer.obstacle and offer.possible_actions
            ]
            page.obstacles = "\n".join(dict.fromkeys(lines))

    @api.depends("partner_id")
    def _compute_display_name(self):
        for page in self:
            page.display_name = self.env._(
                "Credentials of %s", page.partner_id.display_name
            )

    @api.model
    def _open_for(self, partner):
        page = self.create({"partner_id": partner.id})
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "openid4vci.action_help_desk"
        )
        return {**action, "res_id": page.id}


class VciCredential(models.Model):
    _inherit = "vci.credential"

    situation = fields.Text(compute="_compute_situation")

    @api.depends("expires_at", "issued_at", "notification", "status", "status_reason")
    def _compute_situation(self):
        for credential in self:
            credential.situation = credential._situation_in_words()

    def _situation_in_words(self):
        issued = format_date(self.env, self.issued_at)
        expires = format_date(self.env, self.expires_at)
        if self.status in ("revoked", "suspended"):
            return self._taken_back_in_words()
        if self.expires_at and self.expires_at <= fields.Datetime.now():
            return self.env._("Expired on %s. Only a new offer helps.", expires)
        if self.notification == "credential_deleted":
            return self.env._("The person has removed it from the wallet.")
        if self.notification == "credential_failure":
            return self.env._(
                "The wallet could not keep it. A new offer may help, or another"
                " wallet."
            )
        if self.notification == "credential_accepted":
            if not expires:
                return self.env._("In the wallet, valid without end.")
            return self.env._("In the wallet, valid until %s.", expires)
        return self.env._(
            "Sent to the wallet on %s. The wallet has not said whether it kept it.",
            issued,
        )

    def _taken_back_in_words(self):
        since = format_date(self.env, self.status_changed_at)
        reason = self.status_reason or self.env._("no reason was given")
        if self.status == "revoked":
            return self.env._(
                "Revoked on %(date)s: %(reason)s. Verifiers refuse it for good; only a"
                " new offer helps.",
                date=since,
                reason=reason,
            )
        return self.env._(
            "Suspended since %(date)s: %(reason)s. Verifiers refuse it until an officer"
            " reinstates it.",
            date=since,
            reason=reason,
        )

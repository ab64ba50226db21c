# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How it stands with an offer: vci_offer_situation in words."""

from odoo import api, fields, models
from odoo.tools import SQL, format_datetime

# What the extension's functions are called here.
ACTIONS = {
    "vci_offer_uri": "show",
    "vci_extend_offer": "extend",
    "vci_rotate_code": "new_link",
    "vci_reset_tx_code": "new_pin",
    "vci_reopen_offer": "reopen",
    "vci_cancel_offer": "cancel",
    "vci_create_offer": "new_offer",
    "vci_deferred_complete": "decide",
}


class VciOffer(models.Model):
    _inherit = "vci.offer"

    situation = fields.Text(
        compute="_compute_situation", help="How it stands, and what to do next"
    )
    obstacle = fields.Text(
        compute="_compute_situation",
        help="What keeps a wallet from the credential, whatever the offer's state",
    )
    next_action = fields.Selection(
        [
            ("show", "Show the QR code"),
            ("new_pin", "New PIN"),
            ("extend", "Extend"),
            ("reopen", "Offer again"),
            ("new_offer", "Make a new offer"),
            ("decide", "Decide"),
            ("none", "Nothing"),
        ],
        compute="_compute_situation",
    )
    possible_actions = fields.Char(
        compute="_compute_situation", help="Buttons that take effect now"
    )

    @api.depends("state", "locked", "issued_at", "expires_at", "issuer_id")
    @api.depends_context("lang", "tz")
    def _compute_situation(self):
        sql = self.env["vci.sql"]
        # On a page that is being filled in, offers are copies.
        real = self._origin.ids
        rows = real and sql.query(
            SQL(
                """SELECT offer.id, told.*
                   FROM openid4vci.vci_offer_info AS offer, LATERAL %s AS told
                   WHERE offer.id = ANY(%s::bigint[])""",
                sql.function_call("vci_offer_situation", SQL("offer.id")),
                real,
            ),
            writes=False,
        )
        told_by_id = {row["id"]: row for row in rows}
        for offer in self:
            told = told_by_id.get(offer._origin.id)
            offer.situation = told and self._situation_text(told)
            offer.obstacle = told and self._obstacle_text(told["obstacle"])
            offer.next_action = told and ACTIONS.get(told["next_action"], "none")
            offer.possible_actions = told and " ".join(
                ACTIONS[function] for function in told["actions"]
            )

    @api.model
    def _situation_text(self, told):
        _ = self.env._
        texts = {
            "pending": _("The QR code or link was not used yet."),
            "delayed": _("A wrong PIN was entered just now. Wait before the next try."),
            "locked": _(
                "Too many wrong PINs were entered, so none is taken any more."
                " Give a new PIN."
            ),
            "expired": _(
                "It ran out before a wallet used it. It can be offered again."
            ),
            "redeemed": _("A wallet has taken the offer and may fetch the credential."),
            "deferred": _(
                "A wallet has asked for the credential, which waits for a decision."
            ),
            "ready": _("It is decided, and the wallet may fetch the credential."),
            "denied": _("The credential was refused."),
            "lapsed": _(
                "A wallet took the offer, but did not fetch the credential in time."
                " It can be offered again."
            ),
            "issued": _("The wallet has the credential."),
            "cancelled": _(
                "The offer was cancelled. Its QR code and link do not work any more."
            ),
            "issuer_retired": _(
                "The issuer is retired and issues nothing any more."
            ),
        }
        text = texts.get(told["situation"], told["situation"])
        if not told["until"]:
            return text
        return _(
            "%(situation)s (Until %(time)s)",
            situation=text,
            time=format_datetime(self.env, told["until"], dt_format="short"),
        )

    @api.model
    def _obstacle_text(self, obstacle):
        _ = self.env._
        texts = {
            "copy": _(
                "This database is a copy of the one that issues, so wallets get nothing"
                " here. An administrator finds in the settings what to do."
            ),
            "paused": _(
                "Issuing is paused. Wallets are told to come back later; an"
                " administrator resumes it in the settings."
            ),
            "no_key": _(
                "The issuer cannot sign: it has no key in use. Ask an administrator."
            ),
            "configuration_retired": _(
                "This kind of credential is not issued any more. Cancel the offer."
            ),
            "holder_unknown": _(
                "The wallet that the offer is for is named by a did:web identifier"
                " whose document is not known here. Ask an administrator to load it."
            ),
        }
        return texts.get(obstacle, obstacle)

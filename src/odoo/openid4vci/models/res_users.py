# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResUsers(models.Model):
    _inherit = "res.users"

    vci_labels = fields.Json(
        "Visible labels",
        groups="openid4vci.group_issuer_admin",
        help="Which offers the user sees: for each label the values of which an offer"
        " has one. Empty: those of all labels.",
    )
    vci_labels_text = fields.Text(
        "Only with the labels",
        compute="_compute_vci_labels_text",
        inverse="_inverse_vci_labels_text",
        groups="openid4vci.group_issuer_admin",
        help="One label a line with the values that the user sees, as in"
        " “area: NCR, CAR”. The user sees offers that have one of the values of each"
        " label, and the credentials that came of them. Empty: no limit.",
    )

    @api.depends("vci_labels")
    def _compute_vci_labels_text(self):
        for user in self:
            user.vci_labels_text = "\n".join(
                f"{label}: {', '.join(values)}"
                for label, values in (user.vci_labels or {}).items()
            )

    def _inverse_vci_labels_text(self):
        for user in self:
            labels = {}
            for line in (user.vci_labels_text or "").splitlines():
                if line.strip():
                    label, values = self._vci_label_of_line(line)
                    labels.setdefault(label, []).extend(values)
            user.vci_labels = labels

    @api.model
    def _vci_label_of_line(self, line):
        label, _colon, values = line.partition(":")
        return label.strip(), [v.strip() for v in values.split(",") if v.strip()]

    @api.constrains("vci_labels")
    def _check_vci_labels(self):
        for user in self:
            labels = user.sudo().vci_labels or {}
            if not isinstance(labels, dict) or not all(
                label and self._vci_are_label_values(values)
                for label, values in labels.items()
            ):
                raise ValidationError(
                    self.env._(
                        "The credentials that %s sees cannot be limited this way."
                        " Write one label a line, a colon, and the values that the"
                        " user may see with commas between them, such as"
                        " “area: NCR, CAR”.",
                        user.name,
                    )
                )

    @api.model
    def _vci_are_label_values(self, values):
        return (
            isinstance(values, list)
            and bool(values)
            and all(isinstance(value, str) and value for value in values)
        )

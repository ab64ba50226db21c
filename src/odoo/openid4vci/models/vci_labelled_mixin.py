# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What offers carry to say whose they are: labels."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .vci_sql import json_text, jsonb


class VciLabelledMixin(models.AbstractModel):
    """Company and labels of an offer, and of what came of it. The record rules refer
    to company_id and visible_by_label."""

    _name = "vci.labelled.mixin"
    _description = "Record with the labels of an offer"

    labels = fields.Json(readonly=True, search="_search_labels")
    label_text = fields.Char("Labels (text)", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    visible_by_label = fields.Boolean(
        compute="_compute_visible_by_label",
        search="_search_visible_by_label",
        compute_sudo=True,
    )

    @api.depends_context("uid")
    @api.depends("labels")
    def _compute_visible_by_label(self):
        # Records that are read by their ids are judged by this value, searches by
        # the search method: both say the same.
        seen = self.env.user.vci_labels or {}
        for record in self:
            labels = record.labels or {}
            record.visible_by_label = all(
                self._label_text(labels.get(label)) in values
                for label, values in seen.items()
            )

    @api.model
    def _label_text(self, value):
        """A label's value as the database's ->> has it."""
        return value if value is None or isinstance(value, str) else json_text(value)

    def _search_visible_by_label(self, operator, value):
        if operator != "in" or True not in value or False in value:
            return NotImplemented
        return Domain.AND(
            [
                self._label_domain(label, values)
                for label, values in (self.env.user.vci_labels or {}).items()
            ]
        )

    @api.model
    def _label_domain(self, label, values):
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s ->> %s = ANY(%s::text[])",
                SQL.identifier(alias, "labels"),
                label,
                list(values),
            )
        )

    def _search_labels(self, operator, value):
        """("labels", "=", JSON text): the record has these labels, and maybe more."""
        if operator != "in":
            return NotImplemented
        return Domain.OR([self._labels_contain(labels) for labels in value])

    @api.model
    def _labels_contain(self, labels):
        wanted = SQL("%s::jsonb", labels) if isinstance(labels, str) else jsonb(labels)
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s @> %s", SQL.identifier(alias, "labels"), wanted
            )
        )

# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Whose an offer is, and what came of it: its subject, company and labels."""

import json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .vci_sql import json_text, jsonb

# Of an Odoo record: anybody may give an offer a subject that is none.
RECORD_ID = "^[0-9]{1,9}$"


def subject_columns(alias):
    """SQL of the subject's fields. res_id is NULL where the model is none of this
    Odoo's, which the web client could not show."""
    number = f"""CASE WHEN {alias}.subject_id ~ '{RECORD_ID}'
                    THEN {alias}.subject_id::integer END"""
    return f"""{alias}.subject_model AS credential_subject_model,
               {alias}.subject_id AS subject_ref,
               {number} AS credential_subject_id,
               CASE WHEN EXISTS (SELECT FROM ir_model m
                                 WHERE m.model = {alias}.subject_model)
                    THEN {number} END AS res_id"""


def label_columns(alias):
    """SQL of the labels' fields."""
    company = f"{alias}.labels ->> 'company_id'"
    return f"""{alias}.labels, {alias}.labels::text AS label_text,
               CASE WHEN {company} ~ '{RECORD_ID}'
                    THEN ({company})::integer END AS company_id"""


class VciLabelledMixin(models.AbstractModel):
    """Subject, company and labels of an offer, and of what came of it. The record
    rules refer to company_id and visible_by_label."""

    _name = "vci.labelled.mixin"
    _description = "Record with the subject and the labels of an offer"

    credential_subject_model = fields.Char("Subject model", readonly=True)
    subject_ref = fields.Char("Subject number", readonly=True)
    credential_subject_id = fields.Integer(
        "Subject ID", readonly=True, aggregator=None
    )
    res_id = fields.Many2oneReference(
        "Subject",
        model_field="credential_subject_model",
        readonly=True,
        aggregator=None,
    )
    labels = fields.Json(readonly=True, search="_search_labels")
    label_text = fields.Char("Labels (text)", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    visible_by_label = fields.Boolean(
        compute="_compute_visible_by_label",
        search="_search_visible_by_label",
        compute_sudo=True,
    )

    @api.model
    def _subjects(self, model, numbers):
        """Records of subjects that are there; None where the model can have none:
        whoever makes an offer in SQL may call its subject as he likes."""
        if model not in self.env or self.env[model]._abstract:
            return None
        return self.env[model].browse(number for number in numbers if number).exists()

    def _log_on_subjects(self, text_of):
        """A note in the chatter of the subjects that have one: text_of(record) of each
        of these records. It may not hold what redeems an offer: chatter is mailed and
        kept. Campaigns switch notes off by Odoo's own tracking_disable: most of their
        time would go there."""
        if self.env.context.get("tracking_disable"):
            return
        bodies_by_model = {}
        for record in self:
            model = record.credential_subject_model
            number = record.credential_subject_id
            if number and hasattr(self.env.get(model), "_message_log_batch"):
                bodies = bodies_by_model.setdefault(model, {})
                bodies.setdefault(number, []).append(text_of(record))
        for model, bodies in bodies_by_model.items():
            subjects = self._subjects(model, bodies)
            if subjects:
                subjects._message_log_batch(
                    bodies={number: " ".join(bodies[number]) for number in subjects.ids}
                )

    @api.depends_context("uid")
    @api.depends("labels")
    def _compute_visible_by_label(self):
        # Records that are read by their ids are judged by this value, searches by
        # the domain: here it is the same domain, so that both say the same.
        domain = self._visible_by_label_domain()
        visible = self if domain.is_true() else self.search(self._among_us(domain))
        for record in self:
            record.visible_by_label = record in visible

    def _among_us(self, domain):
        return Domain("id", "in", self.ids) & domain

    def _search_visible_by_label(self, operator, value):
        if operator != "in" or True not in value or False in value:
            return NotImplemented
        return self._visible_by_label_domain()

    @api.model
    def _visible_by_label_domain(self):
        """What the user's own labels leave: of each one of the values."""
        return Domain.AND(
            self._label_domain(label, values)
            for label, values in (self.env.user.sudo().vci_labels or {}).items()
        )

    @api.model
    def _check_labels(self, labels):
        """That the user would see a record with these labels: for what is made without
        a record by which the rules could tell."""
        if self.env.su:
            return
        limits = dict(self.env.user.sudo().vci_labels or {})
        if labels.get("company_id"):
            companies = {str(number) for number in self.env.companies.ids}
            limits["company_id"] = companies.intersection(
                limits.get("company_id", companies)
            )
        if any(
            self._label_as_text(labels.get(label)) not in values
            for label, values in limits.items()
        ):
            raise AccessError(
                self.env._(
                    "The record belongs to a company or an area whose credentials you"
                    " do not handle. Ask a colleague who does, or whoever administers"
                    " users."
                )
            )

    @api.model
    def _label_as_text(self, value):
        """As the operator ->> has it."""
        return value if value is None or isinstance(value, str) else json_text(value)

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
        return Domain.OR(self._labels_contain(labels) for labels in value)

    @api.model
    def _labels_contain(self, labels):
        wanted = jsonb(self._labels_wanted(labels))
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s @> %s", SQL.identifier(alias, "labels"), wanted
            )
        )

    @api.model
    def _labels_wanted(self, labels):
        try:
            wanted = json.loads(labels) if isinstance(labels, str) else labels
        except ValueError:
            wanted = None
        if not isinstance(wanted, dict):
            raise UserError(
                self.env._("Labels are a JSON object, such as %s.", '{"area": "NCR"}')
            )
        return wanted

# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Persons: credentials are about them, or about records that belong to them."""

from odoo import api, fields, models
from odoo.fields import Domain

SUBJECT_MIXIN = "vci.credential.subject.mixin"

# Claims as OpenID Connect names them, and where they stand.
PERSON_CLAIMS = {"name": "name", "email": "email", "phone_number": "phone"}


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", SUBJECT_MIXIN]

    vci_help_desk_count = fields.Integer(
        "Offers of this person",
        compute="_compute_vci_help_desk_count",
        groups="openid4vci.group_help_desk",
    )

    def _compute_vci_help_desk_count(self):
        for partner in self:
            partner.vci_help_desk_count = self.env["vci.offer"].search_count(
                partner._credentials_of_person_domain()
            )

    def get_credential_claims(self, credential_type):
        """What the contact says of the person, of those claims that the
        configuration names: nobody shall get more than it is for."""
        claims = super().get_credential_claims(credential_type)
        named = self._claims_named_by(credential_type)
        for claim, field in PERSON_CLAIMS.items():
            if claim in named and self[field]:
                claims[claim] = self[field]
        return claims

    def get_credential_labels(self):
        """A contact that all companies share has offers of the one that makes them."""
        return super().get_credential_labels() or {"company_id": self.env.company.id}

    @api.model
    def _claims_named_by(self, credential_type):
        names = [
            credential_type.always_disclosed_claims,
            credential_type.selectively_disclosable_claims,
        ]
        return {
            name.strip() for text in names if text for name in text.split(",")
        }

    def action_help_desk(self):
        """The help desk's page of this person."""
        self.ensure_one()
        return self.env["vci.help.desk"]._open_for(self)

    def _credentials_of_person_domain(self):
        """Offers, or credentials, that are about the person or about a record of
        the person's."""
        return Domain.OR(
            Domain("credential_subject_model", "=", model)
            & Domain("subject_ref", "in", [str(record_id) for record_id in ids])
            for model, ids in self._credential_subjects().items()
            if ids
        )

    def _credential_subjects(self):
        """Ids by model. Models that belong to a person in another way than by a
        field partner_id add theirs."""
        subjects = {self._name: self.ids}
        for name in self.env.registry.descendants([SUBJECT_MIXIN], "_inherit"):
            if self._vci_belongs_to_person(name):
                # Whether the user sees the offers is for their own rules to say.
                records = self.env[name].sudo().with_context(active_test=False)
                subjects[name] = records.search([("partner_id", "in", self.ids)]).ids
        return subjects

    @api.model
    def _vci_belongs_to_person(self, name):
        model = self.env[name]
        field = model._fields.get("partner_id")
        return (
            not model._abstract
            and field is not None
            and field.comodel_name == self._name
            and field._description_searchable
        )

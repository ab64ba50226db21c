# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""How offers are made, with the calls that OpenSPP documents."""

import datetime
from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .vci_sql import jsonb

# An offer is made as soon as these are known.
NEEDED = ("credential_type_id", "credential_subject_model", "credential_subject_id")

# Values of create() that are arguments of create_offer() under the same name.
OPTIONAL = ("holder_wallet_did", "tx_code", "reference", "labels")

# Arguments of vci_create_offer, of one offer each row.
WANTED = """jsonb_to_recordset(%s) AS wanted (
    position integer, configuration_id text, subject_model text, subject_id text,
    claims jsonb, tx_code text, generate_tx_code boolean, tx_code_mode text,
    tx_code_length integer, tx_code_description text, holder text, expires_in interval,
    reference text, labels jsonb, grants text[], issuer text)"""
SAME_NAME = (
    "subject_model",
    "subject_id",
    "claims",
    "tx_code",
    "tx_code_description",
    "holder",
    "expires_in",
    "reference",
    "labels",
    "grants",
    "issuer",
)


class VciOffer(models.Model):
    _inherit = "vci.offer"

    @api.model_create_multi
    def create(self, vals_list):
        """Make offers, or drafts of offers that are not kept: where subject or
        credential is not told yet, create_offer() tells it."""
        self._vci_require("group_offerer")
        complete = [all(vals.get(name) for name in NEEDED) for vals in vals_list]
        if not any(complete):
            return self.browse().concat(*[self.new(vals) for vals in vals_list])
        if not all(complete):
            raise UserError(
                self.env._("Some of these offers lack their credential or subject.")
            )
        unknown = {name for vals in vals_list for name in vals} - {*NEEDED, *OPTIONAL}
        if unknown:
            raise UserError(
                self.env._("An offer is not made with: %s", ", ".join(sorted(unknown)))
            )
        wanted = [None] * len(vals_list)
        for (type_id, model), positions in self._alike(vals_list).items():
            credential_type = self.credential_type_id.browse(type_id)
            subjects = self._subjects_of([vals_list[n] for n in positions], model)
            self._check_subjects(subjects, credential_type)
            for n, subject in zip(positions, subjects, strict=True):
                options = {
                    name: vals_list[n][name]
                    for name in OPTIONAL
                    if vals_list[n].get(name)
                }
                wanted[n] = self._wanted_offer(subject, credential_type, **options)
        return self._make_offers(wanted)

    def copy(self, default=None):
        raise UserError(
            self.env._("An offer is not copied. Make a new one from its record.")
        )

    @api.private
    def create_offer(
        self,
        credential_subject,
        credential_type,
        holder_wallet_did=None,
        tx_code=None,
        **options,
    ):
        """Offer a credential of a configuration about a record; called on no record or
        on a draft. Called on an offer, it returns that one, which must be the same.

        Options are generate_tx_code, tx_code_length, tx_code_mode,
        tx_code_description, expires_in (a timedelta, or text with a unit), reference,
        labels, claims and grants, as vci_create_offer has them. The PIN is
        the result's tx_code: there alone, it is kept nowhere.
        """
        if self.id:
            return self._same_offer(
                credential_subject, credential_type, holder_wallet_did, tx_code, options
            )
        credential_subject.ensure_one()
        offers = self.browse()
        offers._check_subjects(credential_subject, credential_type)
        wanted = offers._wanted_offer(
            credential_subject,
            credential_type,
            holder_wallet_did=holder_wallet_did,
            tx_code=tx_code,
            **options,
        )
        return offers._make_offers([wanted])

    def _same_offer(self, subject, credential_type, holder, tx_code, options):
        self._vci_require("group_offerer")
        if (
            (self.credential_subject_model, self.subject_ref)
            != (subject._name, str(subject.id))
            or self.credential_type_id != credential_type
            or (self.holder_wallet_did or None) != (holder or None)
            or tx_code
            or options
        ):
            raise UserError(
                self.env._(
                    "Offer %s is made already, and cannot be made another one. Make a"
                    " new offer.",
                    self.name,
                )
            )
        return self

    @api.model
    def _alike(self, vals_list):
        """Which of the values are of the same credential and the same model."""
        positions = defaultdict(list)
        for n, vals in enumerate(vals_list):
            alike = (vals["credential_type_id"], vals["credential_subject_model"])
            positions[alike].append(n)
        return positions

    @api.model
    def _subjects_of(self, vals_list, model):
        if model not in self.env or self.env[model]._abstract:
            raise UserError(self.env._("There is no model %s.", model))
        return self.env[model].browse(
            vals["credential_subject_id"] for vals in vals_list
        )

    @api.model
    def _wanted_offer(
        self,
        credential_subject,
        credential_type,
        holder_wallet_did=None,
        claims=None,
        labels=None,
        expires_in=None,
        tx_code=None,
        generate_tx_code=False,
        tx_code_mode=None,
        tx_code_length=None,
        tx_code_description=None,
        reference=None,
        grants=None,
    ):
        """Arguments of vci_create_offer. What is about the subject is asked of its
        model, which has the mixin or not."""
        has_mixin = hasattr(credential_subject, "_vci_claims_for_offer")
        if claims is None and has_mixin:
            claims = credential_subject._vci_claims_for_offer(credential_type)
        if has_mixin:
            own_labels = credential_subject.get_credential_labels()
            if labels is None:
                labels = own_labels
            else:
                # Those that are given do not hide what the record's own say.
                labels = self._labels_wanted(labels)
                self._check_labels({**labels, **own_labels})
        if isinstance(expires_in, datetime.timedelta):
            expires_in = f"{expires_in.total_seconds()} seconds"
        return {
            "configuration_id": credential_type.code,
            "issuer": credential_type.issuer_id.url,
            "subject_model": credential_subject._name,
            "subject_id": str(credential_subject.id),
            "holder": holder_wallet_did or None,
            "claims": claims,
            "labels": labels or None,
            "expires_in": expires_in,
            "tx_code": tx_code or None,
            "generate_tx_code": generate_tx_code,
            "tx_code_mode": tx_code_mode,
            "tx_code_length": tx_code_length,
            "tx_code_description": tx_code_description,
            "reference": reference or None,
            "grants": grants,
        }

    @api.model
    def _check_subjects(self, subjects, credential_type):
        """That the user may read them, and that the credential is about such."""
        credential_type.ensure_one()
        if not all(subjects._ids) or subjects.exists() != subjects:
            raise UserError(
                self.env._(
                    "Save the record before a credential about it is offered. It may"
                    " also have been deleted."
                )
            )
        subjects.check_access("read")
        model = credential_type.source_model
        if model and model != subjects._name:
            raise UserError(
                self.env._(
                    "A credential %(credential)s is about %(wanted)s, not about"
                    " %(given)s.",
                    credential=credential_type.name,
                    wanted=self._model_title(model),
                    given=self._model_title(subjects._name),
                )
            )

    @api.model
    def _model_title(self, model):
        return self.env["ir.model"]._get(model).sudo().name or model

    @api.model
    def _make_offers(self, wanted):
        """One statement makes them all. The records know their PINs by the context."""
        self._vci_require("group_offerer")
        self.browse().check_access("create")
        rows = self._call_for_offers(
            [{"position": n, **arguments} for n, arguments in enumerate(wanted)]
        )
        offers = self.with_context(
            vci_tx_codes=tuple(
                (row["offer_id"], row["tx_code"]) for row in rows if row["tx_code"]
            )
        ).browse(row["offer_id"] for row in rows)
        offers.check_access("create")
        for offer, row, arguments in zip(offers, rows, wanted, strict=True):
            if not row["created"]:
                offer._check_reference_is_of(arguments)
        offers.browse(
            row["offer_id"] for row in rows if row["created"]
        )._note_on_subjects(self.env._("%(offer)s was made."))
        return offers

    @api.model
    def _call_for_offers(self, wanted):
        sql = self.env["vci.sql"]
        call = sql.function_call(
            "vci_create_offer",
            SQL("ARRAY[wanted.configuration_id]"),
            generate_tx_code=SQL("wanted.generate_tx_code"),
            tx_code_mode=SQL("coalesce(wanted.tx_code_mode, 'numeric')"),
            tx_code_length=SQL("coalesce(wanted.tx_code_length, 6)"),
            **{name: SQL.identifier("wanted", name) for name in SAME_NAME},
        )
        return sql.query(
            SQL(
                """SELECT made.offer_id, made.tx_code, made.created
                   FROM %s, LATERAL %s AS made
                   ORDER BY wanted.position""",
                SQL(WANTED, jsonb(wanted)),
                call,
            )
        )

    def _check_reference_is_of(self, arguments):
        """A reference that was used before gives the offer of then: not somebody
        else's, whose link would be handed out."""
        if (self.credential_subject_model, self.subject_ref) != (
            arguments["subject_model"],
            arguments["subject_id"],
        ):
            raise UserError(
                self.env._(
                    "The reference %s belongs to an offer about another record. Use"
                    " another reference.",
                    self.reference,
                )
            )

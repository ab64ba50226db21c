# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What a model gets whose records credentials are about."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.sql import TableKind, table_kind

# As Odoo's role: whoever may delete the records need not be able to do anything with
# offers. Where the extension is not there, as after a restore, records go all the same.
CANCEL_OFFERS_OF_DELETED = """
    CREATE OR REPLACE FUNCTION vci_cancel_offers_of_deleted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM pg_namespace WHERE nspname = 'openid4vci'
                   AND has_schema_privilege(oid, 'USAGE'))
           AND to_regclass('openid4vci.vci_offer_info') IS NOT NULL
        THEN
            PERFORM openid4vci.vci_cancel_offer(offer.id)
            FROM openid4vci.vci_offer_info AS offer
            WHERE offer.subject_model = TG_ARGV[0]
                  AND offer.subject_id = ANY(ARRAY(SELECT id::text FROM deleted))
                  AND offer.state <> 'cancelled';
        END IF;
        RETURN NULL;
    END $$;
    REVOKE ALL ON FUNCTION vci_cancel_offers_of_deleted() FROM PUBLIC"""


class VciCredentialSubjectMixin(models.AbstractModel):
    """A model inherits it, says in get_credential_claims() what a credential tells of a
    record, and can then offer and issue credentials about its records."""

    _name = "vci.credential.subject.mixin"
    _description = "Subject of credentials"

    # True: no claims are kept with an offer, but the configuration's claims source, an
    # SQL function of yours, is asked when the credential is issued.
    _vci_claims_live = False

    credential_offer_count = fields.Integer(
        "Credential offers", compute="_compute_credential_counts"
    )
    credential_count = fields.Integer(
        "Credentials", compute="_compute_credential_counts"
    )

    # What a model says about its records ----------------------------------------

    def get_credential_claims(self, credential_type):
        """What a credential of this configuration says about the record: a dict. To be
        overridden. Claims that are None are left out; an empty field is False, which
        JSON has, too: write `self.city or None`."""
        self.ensure_one()
        return {}

    def get_credential_subject_id(self):
        """A DID or URI of the subject, which becomes the claim id; False for none."""
        self.ensure_one()
        return False

    def get_credential_labels(self):
        """The labels of the record's offers, by which users may see them."""
        self.ensure_one()
        if "company_id" in self._fields:
            company = self["company_id"]
        else:
            company = self.env.company
        return {"company_id": company.id} if company else {}

    def _vci_reference(self, credential_type):
        """A key of the registry's own that makes a second offer the same as the first:
        None for none."""
        return None

    def _vci_claims(self, credential_type):
        claims = self._without_none(self.get_credential_claims(credential_type))
        subject = self.get_credential_subject_id()
        if subject:
            claims.setdefault("id", subject)
        return claims

    @api.model
    def _without_none(self, claims):
        return {
            name: self._without_none(value) if isinstance(value, dict) else value
            for name, value in claims.items()
            if value is not None
        }

    def _vci_claims_for_offer(self, credential_type):
        """Claims that are kept with an offer; None when they are asked for later."""
        return None if self._vci_claims_live else self._vci_claims(credential_type)

    def _vci_check_may_issue(self):
        """A model may have a field can_issue_credential."""
        if "can_issue_credential" not in self._fields:
            return
        refused = self.filtered(lambda record: not record["can_issue_credential"])
        if refused:
            raise UserError(
                self.env._(
                    "No credential can be issued about: %s",
                    ", ".join(refused.mapped("display_name")),
                )
            )

    # Offering and issuing -------------------------------------------------------

    @api.private
    def create_credential_offer(self, credential_type, **options):
        """Offer each record's credential of a configuration (record, id or code);
        options are those of vci.offer's create_offer(). Returns the offers in the
        records' order."""
        if options.get("reference") and len(self) > 1:
            raise ValueError("one reference cannot be that of several offers")
        self._vci_check_may_issue()
        configuration = self._vci_configuration(credential_type)
        offer = self.env["vci.offer"]
        offer._check_subjects(self, configuration)
        return offer._make_offers(
            [
                offer._wanted_offer(
                    record,
                    configuration,
                    **{"reference": record._vci_reference(configuration), **options},
                )
                for record in self
            ]
        )

    def issue_credential(self, credential_type_id, holder_did=None):
        """Sign and record a credential about the record without any offer, for the
        holder whom a DID names. Returns it as SD-JWT."""
        self.ensure_one()
        self.env["vci.offer"]._vci_require("group_offerer")
        self._vci_check_may_issue()
        configuration = self._vci_configuration(credential_type_id)
        self.env["vci.offer"]._check_subjects(self, configuration)
        self.env["vci.credential"]._check_labels(self.get_credential_labels())
        if configuration.binding == "required" and not holder_did:
            raise UserError(
                self.env._(
                    "A credential %s is bound to its holder's key. Make an offer, which"
                    " the holder's wallet redeems, or tell the holder's DID.",
                    configuration.name,
                )
            )
        sql = self.env["vci.sql"]
        issued = sql.call(
            "vci_issue_and_record",
            configuration.code,
            claims=self._vci_claims_for_offer(configuration),
            holder_jwk=holder_did and sql.call("vci_holder_jwk", holder_did) or None,
            subject_model=self._name,
            subject_id=str(self.id),
            issuer=configuration.issuer_id.url,
        )
        if hasattr(self, "_message_log"):
            self._message_log(
                body=self.env._(
                    "A credential was issued without an offer: %s", configuration.name
                )
            )
        return issued["credential"]

    # Taking back ----------------------------------------------------------------

    def revoke(self, reason=None, configuration=None):
        """Revoke the records' credentials for good: all, or those of a configuration
        (record, id or code). Returns the credentials that were changed. What a wallet
        may still fetch by an open offer is not among them: cancel that first."""
        return self._vci_issued(configuration).revoke(reason)

    def suspend(self, reason=None, configuration=None):
        """As revoke(), until reinstate()."""
        return self._vci_issued(configuration).suspend(reason)

    def reinstate(self, reason=None, configuration=None):
        """Make valid what is suspended of the records' credentials."""
        return self._vci_issued(configuration).reinstate(reason)

    def _vci_issued(self, configuration):
        """The records' credentials whose status can change."""
        self.check_access("read")
        credentials = self.env["vci.credential"]
        credentials._vci_require("group_offerer")
        domain = [*self._vci_domain(), ("status", "in", ("valid", "suspended"))]
        if configuration is not None:
            wanted = self._vci_configuration(configuration)
            domain.append(("credential_type_id", "=", wanted.id))
        return credentials.search(domain)

    @api.model
    def _vci_configuration(self, credential_type):
        """The configuration that is meant by a record, an id or a code."""
        configurations = self.env["vci.credential.configuration"]
        if isinstance(credential_type, models.BaseModel):
            return credential_type.ensure_one()
        if isinstance(credential_type, int):
            found = configurations.browse(credential_type).exists()
        else:
            issuer = self.env["vci.issuer"]._for_company(self.env.company)
            found = configurations.search(
                [("code", "=", credential_type), ("issuer_id", "in", issuer.ids)]
            )
        if not found:
            raise UserError(
                self.env._(
                    "There is no credential configuration %(credential)s of the company"
                    " %(company)s. Those there are stand under Credentials,"
                    " Configuration; its issuer is set up under Settings, Credentials.",
                    credential=credential_type,
                    company=self.env.company.name,
                )
            )
        return found

    # Screens --------------------------------------------------------------------

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_credential_counts(self):
        offers = self._vci_count_by_subject("vci.offer")
        credentials = self._vci_count_by_subject("vci.credential")
        for record in self:
            record.credential_offer_count = offers.get(str(record._origin.id), 0)
            record.credential_count = credentials.get(str(record._origin.id), 0)

    def _vci_count_by_subject(self, model):
        """How many there are of each record, by its id as text: none for users who may
        not see them, since everybody opens the record's form."""
        if not self.env[model].has_access("read"):
            return {}
        groups = self.env[model]._read_group(
            self._vci_domain(), ["subject_ref"], ["__count"]
        )
        return dict(groups)

    def _vci_domain(self):
        """The offers, or credentials, of these records: found by an index."""
        return [
            ("credential_subject_model", "=", self._name),
            ("subject_ref", "in", [str(number) for number in self.ids]),
        ]

    def action_view_credential_offers(self):
        return self._vci_list("openid4vci.action_vci_offer")

    def action_view_credentials(self):
        return self._vci_list("openid4vci.action_vci_credential")

    def _vci_list(self, xmlid):
        self.check_access("read")
        self.env["vci.offer"]._vci_require("group_reporter")
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        return {**action, "domain": self._vci_domain(), "context": {"create": False}}

    def action_create_credential_offer(self):
        self.ensure_one()
        self.check_access("read")
        self.env["vci.offer"]._vci_require("group_offerer")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "openid4vci.action_vci_offer_wizard"
        )
        context = {
            "default_credential_subject_model": self._name,
            "default_credential_subject_id": self.id,
        }
        return {**action, "context": context}

    def action_help_desk(self):
        """The help desk's page of the person whom the record is about."""
        self.ensure_one()
        person = self["partner_id"] if "partner_id" in self._fields else False
        if not person:
            raise UserError(self.env._("No person is known of this record."))
        return person.action_help_desk()

    # The end of a record --------------------------------------------------------

    def _auto_init(self):
        """Offers of a record that goes are cancelled in the same transaction: their
        wallets get nothing any more."""
        result = super()._auto_init()
        if table_kind(self.env.cr, self._table) == TableKind.Regular:
            self._vci_watch_deletions()
        return result

    @api.model
    def _vci_watch_deletions(self):
        """By a trigger: ON DELETE CASCADE and SQL delete records without unlink()."""
        sql = self.env["vci.sql"]
        sql.query(SQL(CANCEL_OFFERS_OF_DELETED), writes=False)
        sql.query(
            SQL(
                """CREATE OR REPLACE TRIGGER vci_cancel_offers AFTER DELETE ON %s
                   REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT
                   EXECUTE FUNCTION vci_cancel_offers_of_deleted(%s)""",
                SQL.identifier(self._table),
                self._name,
            ),
            writes=False,
        )

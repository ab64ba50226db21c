# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The models over the extension's views: what they show, that they can be searched and
grouped, that they are empty without the extension, and that they are not written."""

import base64
import datetime
import json
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import SQL

from ..models import vci_key
from ..models.vci_view_mixin import VciViewMixin
from .common import ISSUER, VciCase

# The public half of a key that stands in RFC 7515.
HOLDER = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
# Types of columns that a field of Odoo reads as its own.
SQL_TYPES = {
    "varchar": ("text", "character varying", "name"),
    "text": ("text", "character varying"),
    "int4": ("integer", "bigint", "smallint"),
    "bool": ("boolean",),
    "numeric": ("numeric", "double precision"),
    "float8": ("double precision",),
    "date": ("date",),
    "timestamp": ("timestamp without time zone",),
    "jsonb": ("jsonb",),
}
PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"


def did_jwk(jwk):
    encoded = base64.urlsafe_b64encode(json.dumps(jwk).encode())
    return "did:jwk:" + encoded.rstrip(b"=").decode()


class VciViewsCase(VciCase):
    def issue(self, **options):
        """A credential that is recorded, of no offer."""
        issued = self.sql.call(
            "vci_issue_and_record",
            "EntitlementCredential",
            {"entitlementId": "E-1", "entitlementStatus": "approved"},
            HOLDER,
            issuer=ISSUER,
            **options,
        )
        return self.env["vci.credential"].browse(issued["credential_id"])

    def defer(self):
        """A credential that a wallet asked for, and somebody has to approve."""
        self.create_configuration(
            "SlowCredential",
            options={
                "deferred": True,
                "older": ["format_request", "holder_without_proof"],
            },
        )
        made = self.sql.call(
            "vci_create_offer",
            ["SlowCredential"],
            "res.partner",
            str(self.env.user.partner_id.id),
            {"entitlementId": "E-1", "entitlementStatus": "approved"},
            holder=did_jwk(HOLDER),
            labels={"company_id": self.env.company.id},
            issuer=ISSUER,
        )
        grant = made["credential_offer"]["grants"][PRE_AUTHORIZED]
        token = self.sql.call(
            "vci_exchange_code", grant["pre-authorized_code"], issuer=ISSUER
        )
        answer = self.sql.call(
            "vci_request_credential",
            token["access_token"],
            {"format": "dc+sd-jwt", "vct": f"{ISSUER}/credentials/SlowCredential"},
            issuer=ISSUER,
        )
        self.asked_with = [token["access_token"], answer["transaction_id"]]
        offer = self.env["vci.offer"].browse(made["offer_id"])
        return offer.deferred_ids.ensure_one()

    def fetch(self, deferred):
        """The wallet asks again, and gets it."""
        answer = self.sql.call(
            "vci_request_deferred", *self.asked_with, issuer=ISSUER
        )
        self.assertNotIn("error", answer)
        return deferred.offer_id.credential_ids.ensure_one()


@tagged("post_install", "-at_install")
class TestViews(VciViewsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.views = [
            cls.env[name]
            for name in cls.registry.descendants(["vci.view.mixin"], "_inherit")
            if not cls.env[name]._abstract
        ]

    def columns(self, model):
        """Names and types of a view's columns."""
        return self.sql.query(
            SQL(
                """SELECT attname, format_type(atttypid, NULL) AS type
                   FROM pg_catalog.pg_attribute
                   WHERE attrelid = to_regclass(%s) AND attnum > 0 ORDER BY attnum""",
                model._table,
            )
        )

    def test_all_of_them_are_looked_at(self):
        self.assertEqual(
            {model._name for model in self.views},
            {
                "vci.issuer",
                "vci.credential.configuration",
                "vci.offer",
                "vci.credential",
                "vci.deferred",
                "vci.key",
                "vci.campaign",
                "vci.funnel",
            },
        )

    def test_every_column_is_read_sorted_and_grouped(self):
        """By the ORM, as lists and graphs do; a many2one joins the other view."""
        self.create_offer_by_sql()
        self.issue()
        self.defer()
        people = "SELECT 'P-1' AS reference"
        kind = ["EntitlementCredential"]
        self.sql.call("vci_create_campaign", "Spring", kind, people, issuer=ISSUER)
        for model in self.views:
            found = model.with_context(active_test=False).search([])
            # Counts the events of other transactions alone.
            self.assertTrue(found or model._name == "vci.funnel", model._name)
            found.read()
            for name in model._vci_columns():
                with self.subTest(model=model._name, field=name):
                    field = model._fields[name]
                    if field.type == "json":
                        continue
                    model.search([(name, "!=", False)], order=f"{name} desc", limit=1)
                    if field.type in ("char", "selection", "many2one", "boolean"):
                        model._read_group([], [name], ["__count"])
                    if field.type == "datetime":
                        model.formatted_read_group([], [f"{name}:month"], ["__count"])
        offers = self.env["vci.offer"]
        self.assertTrue(offers.search([("issuer_id.url", "=", ISSUER)]))
        self.assertTrue(offers.search([("credential_type_id.code", "like", "Entitle")]))

    def test_columns_have_the_fields_types(self):
        for model in self.views:
            for column in self.columns(model):
                name, kind = column["attname"], column["type"]
                if name == "id":
                    self.assertIn(kind, ("bigint", "integer"))
                    continue
                with self.subTest(model=model._name, column=name):
                    field = model._fields[name].column_type[0]
                    self.assertIn(kind, SQL_TYPES[field])

    def test_times_are_utc_wherever_the_session_is(self):
        self.sql.query(SQL("SET LOCAL timezone = 'Asia/Manila'"))
        offer = self.create_offer_by_sql()
        age = fields.Datetime.now() - offer.created_at
        self.assertLess(abs(age.total_seconds()), 3600)

    # Empty and real

    def test_without_the_extension_models_are_empty(self):
        """Odoo starts and its lists open; when the extension is back, so are they."""
        self.create_offer_by_sql()
        real = {model._name: self.columns(model) for model in self.views}
        with patch.object(type(self.sql), "available", return_value=False):
            self.sql.check()
            for model in self.views:
                with self.subTest(model=model._name):
                    self.assertEqual(model._vci_view_kind(), "empty")
                    names = [column["attname"] for column in real[model._name]]
                    self.assertEqual(
                        [column["attname"] for column in self.columns(model)], names
                    )
                    empty = model.with_context(active_test=False)
                    self.assertFalse(empty.search([]))
                    self.assertFalse(empty._read_group([], [], ["__count"])[0][0])
        self.assertTrue(self.sql.check())
        for model in self.views:
            self.assertEqual(model._vci_view_kind(), "real")
            self.assertEqual(self.columns(model), real[model._name])
        self.assertTrue(self.env["vci.offer"].search([]))

    def test_a_view_that_went_is_made_again(self):
        """A restore as a role that is no superuser leaves none."""
        self.sql.query(SQL("DROP VIEW vci_offer"))
        self.assertIsNone(self.env["vci.offer"]._vci_view_kind())
        self.sql.check()
        self.assertEqual(self.env["vci.offer"]._vci_view_kind(), "real")

    def test_a_view_that_is_right_stays(self):
        """Each start of each worker looks: it must not take locks for nothing."""
        with patch.object(VciViewMixin, "_vci_make_view") as make:
            for model in self.views:
                model._register_hook()
        make.assert_not_called()

    # Rows

    def test_rows_are_not_written(self):
        """Not even by the superuser: the database would refuse in words of its own."""
        self.create_offer_by_sql()
        self.issue()
        for name in ("vci.issuer", "vci.credential", "vci.key"):
            record = self.env[name].search([], limit=1)
            with self.subTest(model=name):
                with self.assertRaises(UserError):
                    record.write({"issuer_id": False})
                with self.assertRaises(UserError):
                    record.unlink()
                with self.assertRaises(UserError):
                    record.create({})

    def test_issuer(self):
        self.assertEqual(self.issuer.url, ISSUER)
        self.assertEqual(self.issuer.profile, "openspp")
        self.assertEqual(self.issuer.company_ids, self.env.company)
        self.assertFalse(self.issuer.issuance_paused)
        self.create_offer_by_sql()
        self.create_offer_by_sql()
        self.assertEqual(self.issuer.offer_count, 2)
        self.assertEqual(self.issuer.configuration_count, 1)
        self.assertEqual(self.issuer.configuration_ids, self.configuration)
        self.assertEqual(self.issuer.key_ids.kid, self.kid)

    def test_issuer_of_a_company(self):
        issuers = self.env["vci.issuer"]
        other = self.env["res.company"].create({"name": "Other"})
        self.assertEqual(issuers._for_company(self.env.company), self.issuer)
        if issuers.search_count([]) == 1:
            self.assertEqual(issuers._for_company(other), self.issuer)
        self.sql.call("vci_create_issuer", "https://second.test.example")
        self.assertFalse(issuers._for_company(other))
        other.vci_issuer_url = "https://second.test.example"
        self.assertEqual(issuers._for_company(other).url, other.vci_issuer_url)

    def test_settings_of_an_issuer(self):
        self.issuer.alter({"offer_lifetime": 86400, "dpop": "required"})
        self.assertEqual(self.issuer.offer_lifetime, 86400)
        self.assertEqual(self.issuer.dpop, "required")
        # The profile's default again.
        self.issuer.alter({"offer_lifetime": None})
        self.assertEqual(self.issuer.offer_lifetime, 7 * 86400)
        self.sql.call("vci_create_issuer", "https://retired.test.example")
        self.sql.call("vci_retire_issuer", "https://retired.test.example")
        retired = self.env["vci.issuer"].search([("active", "=", False)])
        self.assertFalse(retired.mapped("dpop")[0])
        officer = self.create_user("views_officer", "group_offerer")
        with self.assertRaises(AccessError):
            self.issuer.with_user(officer).alter({"offer_lifetime": 1})

    def test_pause(self):
        told = self.issuer.action_pause()
        self.assertTrue(self.issuer.issuance_paused)
        self.assertEqual(told["tag"], "display_notification")
        with self.assertRaises(UserError):
            self.issue()
        self.issuer.action_resume()
        self.assertFalse(self.issuer.issuance_paused)
        self.assertTrue(self.issue())

    def test_health(self):
        health = self.issuer.health
        self.assertIn("Root key", health)
        self.assertIn("fa-check", health)
        self.issuer.action_pause()
        self.assertIn("fa-times", self.issuer.health)
        for row in self.sql.rows("vci_health"):
            self.assertIn(row["check"], self.issuer._health_labels())

    def test_health_is_text(self):
        """What the database says is no HTML."""
        row = {"check": "keys", "ok": False, "detail": "<b>none</b>"}
        with patch.object(type(self.sql), "rows", return_value=[row]):
            self.assertIn("&lt;b&gt;none", self.issuer._health_table())

    def test_offer(self):
        partner = self.env.user.partner_id
        offer = self.create_offer_by_sql(
            subject_model="res.partner",
            subject_id=str(partner.id),
            reference="R-7",
            generate_tx_code=True,
            labels={"company_id": self.env.company.id, "area": "NCR"},
        )
        self.assertEqual(offer.name, "R-7")
        self.assertEqual(offer.state, "pending")
        self.assertEqual(offer.issuer_id, self.issuer)
        self.assertEqual(offer.credential_type_id, self.configuration)
        self.assertEqual(offer.configuration_codes, "EntitlementCredential")
        self.assertEqual(offer.res_id, partner.id)
        self.assertEqual(offer.credential_subject_id, partner.id)
        self.assertEqual(offer.company_id, self.env.company)
        self.assertEqual(offer.labels["area"], "NCR")
        self.assertTrue(offer.tx_code_required)
        self.assertFalse(offer.locked)
        self.assertGreater(offer.expires_at, offer.created_at)

    def test_a_subject_that_is_no_record(self):
        """An offer made elsewhere may name any subject: lists open all the same."""
        for subject in ("PH-0012", "99999999999", "-1", "1.5", ""):
            offer = self.create_offer_by_sql(
                subject_model="no.such.model", subject_id=subject or None
            )
            with self.subTest(subject=subject):
                self.assertFalse(offer.credential_subject_id)
                self.assertEqual(offer.subject_ref or "", subject)
                offer.read()
        offer = self.create_offer_by_sql(labels={"company_id": "everybody"})
        self.assertFalse(offer.company_id)

    def test_credential(self):
        partner = self.env.user.partner_id
        credential = self.issue(
            subject_model="res.partner", subject_id=str(partner.id)
        )
        self.assertEqual(credential.issuer_id, self.issuer)
        self.assertEqual(credential.credential_type_id, self.configuration)
        self.assertEqual(credential.res_id, partner.id)
        self.assertEqual(credential.kid, self.kid)
        self.assertFalse(credential.offer_id)
        self.assertTrue(credential.holder_thumbprint)
        # The expiry is rounded down, so that credentials are not told apart by it.
        self.assertIn((credential.expires_at - credential.issued_at).days, (364, 365))

    def test_credential_of_an_offer(self):
        """It has its offer's company and labels, which the rules go by."""
        deferred = self.defer()
        deferred.complete()
        credential = self.fetch(deferred)
        self.assertEqual(credential.offer_id, deferred.offer_id)
        self.assertEqual(credential.company_id, self.env.company)
        self.assertEqual(credential.labels, {"company_id": self.env.company.id})
        self.assertEqual(credential.label_text, credential.offer_id.label_text)
        self.assertEqual(deferred.state, "issued")

    def test_one_person_s_are_found_without_reading_all(self):
        """By the index on the subject: the help desk asks for one of millions."""
        domain = [
            ("credential_subject_model", "=", "res.partner"),
            ("subject_ref", "=", "77"),
        ]
        self.sql.query(SQL("SET LOCAL enable_seqscan = off"))
        for name in ("vci.offer", "vci.credential"):
            found = self.env[name]._search(domain).select()
            rows = self.sql.query(SQL("EXPLAIN %s", found), writes=False)
            plan = "\n".join(row["QUERY PLAN"] for row in rows)
            with self.subTest(model=name):
                self.assertRegex(plan, r"Index Scan using vci_\w+_subject")
                if name == "vci.credential":
                    self.assertRegex(
                        plan, r"using vci_offer_pkey on .*\n *Index Cond: \(id = "
                    )

    # Deferred credentials

    def test_approving(self):
        deferred = self.defer()
        self.assertEqual(deferred.state, "waiting")
        self.assertEqual(deferred.company_id, self.env.company)
        self.assertEqual(deferred.res_id, self.env.user.partner_id.id)
        self.assertLess(deferred.waiting_days, 1)
        officer = self.create_user("views_approves", "group_offerer")
        deferred.with_user(officer).action_complete()
        self.assertEqual(deferred.state, "ready")
        self.assertTrue(deferred.completed_at)

    def test_approving_with_other_claims(self):
        deferred = self.defer()
        with self.assertRaises(UserError):
            deferred.complete({"status": "reserved"})
        deferred.complete({"entitlementStatus": "approved twice"})
        self.assertEqual(deferred.state, "ready")

    def test_denying(self):
        deferred = self.defer()
        deferred.deny("moved to another district")
        self.assertEqual(deferred.state, "denied")
        self.assertEqual(deferred.reason, "moved to another district")
        with self.assertRaises(UserError):
            deferred.action_complete()

    def test_refusing_on_the_screen(self):
        """A dialog asks why."""
        deferred = self.defer()
        officer = self.create_user("views_refuses", "group_offerer")
        action = deferred.with_user(officer).action_deny()
        self.assertEqual(deferred.state, "waiting")
        form = Form(
            self.env[action["res_model"]]
            .with_user(officer)
            .with_context(**action["context"])
        )
        self.assertEqual(form.subjects, deferred.name)
        # As much as it takes, in bytes too.
        form.reason = "\N{GRINNING FACE}" * 250
        form.save().action_refuse()
        self.env.invalidate_all()
        self.assertEqual(deferred.state, "denied")
        self.assertEqual(deferred.reason, form.reason)

    def test_credentials_of_an_offer_are_found_by_its_subject(self):
        """Their index; there is none of offers."""
        offers = self.env["vci.offer"]
        about = {"subject_model": "res.partner", "subject_id": "77"}
        one, other = (self.create_offer_by_sql(**about) for _number in range(2))
        nobody = self.create_offer_by_sql()
        self.assertIn("subject_ref", str(one._issued_of_these()))
        self.assertIn("subject_ref", str((one | other)._issued_of_these()))
        self.assertNotIn("subject_ref", str((one | nobody)._issued_of_these()))
        deferred = self.defer()
        deferred.complete()
        credential = self.fetch(deferred)
        offer = deferred.offer_id
        self.assertEqual((one | offer).credential_ids, credential)
        self.assertFalse(one.credential_ids)
        found = offers.search([("credential_ids.name", "=", credential.name)])
        self.assertEqual(found, offer)

    def test_help_desk_does_not_decide(self):
        deferred = self.defer()
        help_desk = self.create_user("views_help_desk", "group_help_desk")
        for action in ("action_complete", "action_deny", "complete", "deny"):
            with self.subTest(action=action), self.assertRaises(AccessError):
                getattr(deferred.with_user(help_desk), action)()
        self.assertEqual(deferred.state, "waiting")

    # Keys

    def test_rotation_takes_two_steps(self):
        key = self.issuer.key_ids
        self.assertEqual(key.state, "active")
        first = key.action_rotate()["params"]["message"]
        self.assertIn("Step 1 of 2", first)
        self.assertEqual(
            sorted(self.issuer.key_ids.mapped("state")), ["active", "next"]
        )
        with self.assertRaises(UserError) as raised:
            self.issuer.action_rotate_key()
        self.assertIn("rotate again", str(raised.exception))
        with patch.object(vci_key, "OVERLAP", datetime.timedelta()):
            second = self.issuer.action_rotate_key()["params"]["message"]
        self.assertIn("Step 2 of 2", second)
        self.assertEqual(key.state, "retired")
        self.assertEqual(
            sorted(self.issuer.key_ids.mapped("state")), ["active", "retired"]
        )

    def test_keys_are_the_key_administrator_s(self):
        admin = self.create_user("views_admin", "group_issuer_admin")
        with self.assertRaises(AccessError):
            self.issuer.key_ids.with_user(admin).action_rotate()
        with self.assertRaises(AccessError):
            self.env["vci.key.service"].with_user(admin).create_key()
        key_admin = self.create_user("views_key_admin", "group_key_admin")
        self.issuer.key_ids.with_user(key_admin).action_rotate()

    def test_key_service(self):
        key = self.env["vci.key.service"].create_key(
            key_type="ES256", name="VC Issuer Key", purpose="signing"
        )
        self.assertEqual(key.state, "active")
        self.assertEqual(key.issuer_id, self.issuer)
        self.assertEqual(key.public_jwk["crv"], "P-256")
        with self.assertRaises(UserError):
            self.env["vci.key.service"].create_key(key_type="RS256")
        with self.assertRaises(UserError):
            self.env["vci.key.service"].create_key(purpose="encryption")

# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Credential configurations: made, changed and retired from Odoo, and by data files."""

from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools.convert import xml_import

from .common import ISSUER, VciCase

DATA_FILE = """
<odoo>
  <record id="credential_type_assessment" model="vci.credential.configuration">
    <field name="name">Assessment Credential</field>
    <field name="code">AssessmentCredential</field>
    <field name="source_model">res.partner</field>
    <field name="format">sd_jwt_vc</field>
    <field name="validity_days">%(validity)s</field>
    <field name="always_disclosed_claims">assessmentId,date,assessmentStatus</field>
    <field name="selectively_disclosable_claims">score,recommendations</field>
    <field name="display_name">Vulnerability Assessment</field>
    <field name="display_logo_uri">https://registry.example/logos/a.png</field>
    <field name="background_color">#4A90E2</field>
    <field name="text_color">#FFFFFF</field>
  </record>
</odoo>
"""


@tagged("post_install", "-at_install")
class TestConfiguration(VciCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.configurations = cls.env["vci.credential.configuration"]

    def create_one(self, **values):
        return self.configurations.create(
            {
                "name": "Assessment",
                "code": "AssessmentCredential",
                "always_disclosed_claims": "assessmentId, date",
                "selectively_disclosable_claims": "score",
                **values,
            }
        )

    def in_database(self, configuration):
        return self.sql.view("vci_configuration_info", number=configuration.id)[0]

    def load(self, validity=180, mode="init"):
        """As a module's data file is loaded at installation or upgrade."""
        importer = xml_import(
            self.env(context={"install_module": "openid4vci"}),
            "openid4vci",
            {},
            mode,
        )
        importer.parse(etree.fromstring(DATA_FILE % {"validity": validity}))
        return self.env.ref("openid4vci.credential_type_assessment")

    # Making

    def test_create(self):
        configuration = self.create_one(
            source_model="res.partner",
            format="sd_jwt_vc",
            validity_days=180,
            display_logo_uri="https://registry.example/logo.png",
        )
        row = self.in_database(configuration)
        self.assertEqual(row["id"], "AssessmentCredential")
        self.assertEqual(row["issuer"], ISSUER)
        self.assertEqual(row["format"], "dc+sd-jwt")
        self.assertEqual(row["vct"], f"{ISSUER}/credentials/AssessmentCredential")
        self.assertEqual(row["validity"].days, 180)
        self.assertEqual(row["always_disclosed"], [["assessmentId"], ["date"]])
        self.assertEqual(row["binding"], "required")
        self.assertEqual(
            row["display"],
            [
                {
                    "name": "Assessment",
                    "locale": "en-US",
                    "logo": {"uri": "https://registry.example/logo.png"},
                    "background_color": "#12107c",
                    "text_color": "#FFFFFF",
                }
            ],
        )
        self.assertEqual(configuration.name, "Assessment")
        self.assertEqual(configuration.display_name, "Assessment")
        self.assertEqual(configuration.source_model, "res.partner")
        self.assertEqual(configuration.validity_days, 180)
        self.assertEqual(configuration.always_disclosed_claims, "assessmentId,date")
        self.assertTrue(configuration.active)

    def test_create_with_all(self):
        configuration = self.create_one(
            vct="urn:example:assessment",
            scope="assessment",
            format="vc+sd-jwt",
            binding="optional",
            deferred=True,
            validity_days=0,
            claims=[{"path": ["score"], "display": [{"name": "Score"}]}],
        )
        self.assertEqual(configuration.vct, "urn:example:assessment")
        self.assertEqual(configuration.scope, "assessment")
        self.assertEqual(configuration.format, "vc+sd-jwt")
        self.assertEqual(configuration.binding, "optional")
        self.assertTrue(configuration.deferred)
        self.assertIsNone(self.in_database(configuration)["validity"])
        self.assertEqual(configuration.claims[0]["path"], ["score"])

    def test_create_many(self):
        made = self.configurations.create(
            [{"code": "A", "name": "One"}, {"code": "B", "display_name": "Two"}]
        )
        self.assertEqual(made.mapped("code"), ["A", "B"])
        self.assertEqual(made.mapped("display_name"), ["One", "Two"])

    def test_a_display_that_is_given_whole(self):
        display = [{"name": "Carte", "locale": "fr"}, {"name": "Card", "locale": "en"}]
        configuration = self.create_one(name="Card X", display=display)
        self.assertEqual(
            configuration.display,
            [{"name": "Card X", "locale": "fr"}, {"name": "Card", "locale": "en"}],
        )

    def test_without_name_it_bears_its_code(self):
        self.assertEqual(self.configurations.create({"code": "Plain"}).name, "Plain")

    def test_claims_within_claims(self):
        """Paths are JSON among the names, as the list shows them."""
        text = 'name,["address", "city"],["children", null]'
        configuration = self.create_one(selectively_disclosable_claims=text)
        self.assertEqual(configuration.selectively_disclosable_claims, text)
        self.assertEqual(
            self.configurations._claim_list(' a ,, ["b", 0] ,c,'), ["a", ["b", 0], "c"]
        )
        for wrong in ('["a"', '["a"] b', "[a]"):
            with self.subTest(text=wrong), self.assertRaises(UserError):
                self.configurations._claim_list(wrong)

    def test_what_cannot_be_made_is_told(self):
        self.create_one(code="Taken")
        for values, told in [
            ({"code": False}, "needs a code"),
            ({"code": "Taken"}, "Taken"),
            ({"code": "x", "format": "ldp_vc"}, "not issued"),
            ({"code": "x", "format": "jwt_vc"}, "not issued"),
            ({"code": "x", "claim_mapping_jq": "."}, "get_credential_claims"),
            ({"code": "x", "always_disclosed_claims": "status"}, "status"),
            ({"code": "x", "issuer_id": False}, "no issuer yet"),
        ]:
            with self.subTest(values=values):
                with self.assertRaises(UserError) as raised:
                    self.create_one(**values)
                self.assertIn(told, str(raised.exception))
        with self.assertRaises(ValueError):
            self.create_one(code="x", colour="red")

    def test_copy(self):
        configuration = self.create_one(source_model="res.partner", binding="optional")
        copied = configuration.copy()
        self.assertEqual(copied.code, "AssessmentCredentialCopy")
        self.assertEqual(copied.vct, f"{ISSUER}/credentials/{copied.code}")
        self.assertEqual(copied.binding, "optional")
        self.assertEqual(copied.source_model, "res.partner")
        self.assertEqual(copied.always_disclosed_claims, "assessmentId,date")

    # Changing

    def test_write(self):
        configuration = self.create_one()
        configuration.write(
            {
                "validity_days": 30,
                "scope": "other",
                "selectively_disclosable_claims": "score,grade",
                "binding": "absent",
                "deferred": True,
            }
        )
        row = self.in_database(configuration)
        self.assertEqual(row["validity"].days, 30)
        self.assertEqual(row["selectively_disclosable"], [["score"], ["grade"]])
        self.assertEqual((row["scope"], row["binding"]), ("other", "absent"))
        self.assertTrue(row["deferred"])
        self.assertEqual(configuration.scope, "other")
        # What was not named stays.
        self.assertEqual(configuration.always_disclosed_claims, "assessmentId,date")
        self.assertEqual(configuration.name, "Assessment")
        configuration.write({"validity_days": 0, "deferred": False})
        self.assertIsNone(self.in_database(configuration)["validity"])
        self.assertFalse(configuration.deferred)

    def test_write_display(self):
        """OpenSPP's guide writes it like this."""
        configuration = self.create_one()
        configuration.write(
            {
                "display_name": "My Custom Credential",
                "display_logo_uri": "https://registry.example/logo.png",
                "background_color": "#FF5733",
                "text_color": "#000000",
            }
        )
        self.assertEqual(configuration.display_name, "My Custom Credential")
        self.assertEqual(configuration.background_color, "#FF5733")
        configuration.display_logo_uri = False
        self.assertEqual(
            configuration.display,
            [
                {
                    "name": "My Custom Credential",
                    "locale": "en-US",
                    "background_color": "#FF5733",
                    "text_color": "#000000",
                }
            ],
        )

    def test_other_languages_stay(self):
        french = {"name": "Carte", "locale": "fr", "description": "Pour tous"}
        logo = {"uri": "https://registry.example/a.png", "alt_text": "A"}
        configuration = self.create_one(
            display=[{"name": "Card", "locale": "en", "logo": logo}, french]
        )
        configuration.write(
            {"name": "New", "display_logo_uri": "https://registry.example/b.png"}
        )
        self.assertEqual(
            configuration.display,
            [
                {
                    "name": "New",
                    "locale": "en",
                    "logo": {"uri": "https://registry.example/b.png", "alt_text": "A"},
                },
                french,
            ],
        )

    def test_what_is_for_good(self):
        configuration = self.create_one()
        configuration.write({"code": configuration.code, "scope": "s"})
        self.assertEqual(configuration.scope, "s")
        self.sql.call("vci_create_issuer", "https://second.test.example")
        second = self.env["vci.issuer"].search([("url", "like", "second.test")])
        for values in ({"code": "Other"}, {"issuer_id": second.id}):
            with self.subTest(values=values), self.assertRaises(UserError):
                configuration.write(values)

    def test_who_may(self):
        officer = self.create_user("configuration_officer", "group_offerer")
        with self.assertRaises(AccessError):
            self.configurations.with_user(officer).create({"code": "No"})
        configuration = self.create_one().with_user(officer)
        self.assertEqual(configuration.code, "AssessmentCredential")
        for call in (lambda: configuration.write({"scope": "x"}), configuration.unlink):
            with self.assertRaises(AccessError):
                call()
        admin = self.create_user("configuration_admin", "group_issuer_admin")
        configuration.with_user(admin).write(
            {"scope": "x", "source_model": "res.users"}
        )
        self.assertEqual(configuration.scope, "x")

    # Retiring

    def test_unlink_retires(self):
        configuration = self.create_one()
        configuration.unlink()
        self.assertFalse(configuration.active)
        self.assertTrue(configuration.retired_at)
        self.assertNotIn(configuration, self.configurations.search([]))
        configuration.unlink()

    def test_archive_retires_for_good(self):
        configuration = self.create_one()
        configuration.action_archive()
        self.assertFalse(configuration.active)
        with self.assertRaises(UserError):
            configuration.action_unarchive()
        with self.assertRaises(UserError):
            self.create_one()

    # The model that it is for

    def test_source_model(self):
        partners = self.create_one(source_model="res.partner")
        users = self.create_one(code="Users", source_model="res.users")
        none = self.configuration
        self.assertFalse(none.source_model)

        def found(*domain):
            mine = partners | users | none
            return self.configurations.search([domain, ("id", "in", mine.ids)])

        self.assertEqual(found("source_model", "=", "res.partner"), partners)
        self.assertEqual(found("source_model", "in", ["res.users"]), users)
        self.assertEqual(found("source_model", "like", "res."), partners | users)
        self.assertEqual(found("source_model", "=", False), none)
        self.assertEqual(found("source_model", "!=", False), partners | users)
        self.assertEqual(found("source_model", "!=", "res.users"), partners | none)
        self.assertEqual(
            found("source_model", "in", ["res.users", False]), users | none
        )
        users.source_model = "res.partner"
        self.assertEqual(found("source_model", "=", "res.partner"), partners | users)
        (users | none).write({"source_model": False})
        self.assertEqual(found("source_model", "=", False), users | none)

    # Data files

    def test_data_file(self):
        """OpenSPP's modules bring their credential types as data."""
        configuration = self.load()
        self.assertEqual(configuration.code, "AssessmentCredential")
        self.assertEqual(configuration.display_name, "Vulnerability Assessment")
        self.assertEqual(configuration.validity_days, 180)
        self.assertEqual(configuration.source_model, "res.partner")
        # An upgrade of the module changes it, and makes no second one.
        self.assertEqual(self.load(90, "update"), configuration)
        self.assertEqual(configuration.validity_days, 90)

    def test_a_module_that_comes_back_finds_its_configuration(self):
        configuration = self.load()
        self.env["ir.model.data"].search(
            [("model", "=", configuration._name), ("res_id", "=", configuration.id)]
        ).unlink()
        self.assertEqual(self.load(60), configuration)
        self.assertEqual(configuration.validity_days, 60)

    # What wallets read

    def test_metadata(self):
        configuration = self.create_one(display_name="Assessment")
        metadata = configuration.get_credential_configuration()
        self.assertEqual(metadata["vct"], configuration.vct)
        self.assertEqual(metadata["scope"], "AssessmentCredential")
        self.assertIn("Assessment", str(metadata))
        configuration.unlink()
        self.assertEqual(configuration.get_credential_configuration(), {})

    def test_metadata_of_an_issuer_with_a_path(self):
        url = "https://issuer.test.example:8443/schools/primary"
        self.sql.call("vci_create_issuer", url)
        issuer = self.env["vci.issuer"].search([("url", "=", url)])
        self.sql.call("vci_create_key", issuer=url)
        configuration = self.create_one(issuer_id=issuer.id)
        self.assertEqual(configuration.issuer_id, issuer)
        self.assertEqual(
            configuration.get_credential_configuration()["vct"],
            f"{url}/credentials/AssessmentCredential",
        )

    def test_the_form(self):
        """What the web client sends for a new record, and for a change."""
        form = self.configurations.web_save(
            {
                "code": "Formed",
                "name": "Formed",
                "issuer_id": self.issuer.id,
                "format": "dc+sd-jwt",
                "validity_days": 365,
                "binding": "required",
                "deferred": False,
                "claims_source": False,
                "scope": False,
                "vct": False,
                "display_logo_uri": False,
                "source_model": "res.partner",
                "always_disclosed_claims": False,
                "selectively_disclosable_claims": "a,b",
            },
            {"code": {}, "name": {}, "scope": {}},
        )[0]
        self.assertEqual((form["code"], form["scope"]), ("Formed", "Formed"))
        configuration = self.configurations.browse(form["id"])
        configuration.web_save({"text_color": "#111111"}, {"text_color": {}})
        self.assertEqual(configuration.text_color, "#111111")
        values = self.configurations.onchange(
            {}, [], {"format": {}, "validity_days": {}, "issuer_id": {}}
        )["value"]
        self.assertEqual(values["format"], "dc+sd-jwt")
        self.assertEqual(values["validity_days"], 365)

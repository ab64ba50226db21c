# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Installing, uninstalling and neutralizing."""

from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL, file_open

from .. import hooks
from ..models.vci_sql import VciSql
from .common import VciCase


@tagged("post_install", "-at_install")
class TestHooks(VciCase):
    # Installing

    def refused(self, topic):
        with (
            patch.object(VciSql, "missing", return_value=topic),
            self.assertRaises(UserError) as raised,
        ):
            hooks.pre_init_hook(self.env)
        return str(raised.exception)

    def test_it_installs_over_the_extension(self):
        """The hook runs before the model of which it borrows is registered."""
        self.assertIsNone(hooks.pre_init_hook(self.env))

    def test_what_is_missing_is_told(self):
        for topic, line in {
            "install": "CREATE EXTENSION openid4vci",
            "duties": "vci_grant(",
            "upgrade": "ALTER EXTENSION openid4vci UPDATE",
            "restore": "DROP SCHEMA openid4vci",
        }.items():
            with self.subTest(topic=topic):
                told = self.refused(topic)
                self.assertIn(line, told)
                self.assertIn("as superuser, and install this again", told)
        self.assertIn("does not have", self.refused("install"))
        self.assertIn("may not use", self.refused("duties"))
        self.assertIn("too old", self.refused("upgrade"))
        with patch.object(hooks, "_extension_is_available", return_value=False):
            self.assertIn("put its package there", self.refused("install"))

    def test_a_superuser_role_creates_it(self):
        statements = []

        def query(sql, statement, writes=True):
            statements.append(statement.code)
            return [{"superuser": True}]

        with (
            patch.object(VciSql, "missing", side_effect=["install", None]),
            patch.object(VciSql, "query", query),
        ):
            hooks.pre_init_hook(self.env)
        self.assertEqual(statements[-1], "CREATE EXTENSION openid4vci")

    def test_an_ordinary_role_does_not_try(self):
        with patch.object(VciSql, "missing", return_value="install"):
            self.assertFalse(hooks._can_create_extension(VciSql(self.env, (), ())))

    # Uninstalling

    def test_uninstalling_keeps_what_was_made(self):
        """Odoo unlinks records of data files: a configuration would be retired by
        that, and offers that are out with it."""
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("openid4vci.http", "True")
        parameters.set_param("openid4vcix", "another's")
        offer = self.create_offer_by_sql()
        entry = self.env["ir.model.data"].create(
            {
                "name": "configuration_of_a_data_file",
                "module": "openid4vci",
                "model": self.configuration._name,
                "res_id": self.configuration.id,
            }
        )
        hooks.uninstall_hook(self.env)
        self.assertFalse(entry.exists())
        self.assertTrue(self.configuration.active)
        self.assertEqual(offer.state, "pending")
        self.assertFalse(parameters.get_param("openid4vci.http"))
        self.assertEqual(parameters.get_param("openid4vcix"), "another's")
        self.assertTrue(self.env.ref("openid4vci.group_reporter"))

    # Neutralizing

    def neutralize(self, change=lambda text: text):
        """As Odoo does it: the file as one statement, in the copy's transaction."""
        with file_open("openid4vci/data/neutralize.sql") as file:
            self.env.cr.execute(change(file.read()))
        self.env.invalidate_all()

    def test_a_neutralized_copy_issues_nothing(self):
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("openid4vci.http", "True")
        self.env.flush_all()
        self.neutralize()
        self.assertTrue(self.issuer.issuance_paused)
        self.env.registry.clear_cache()
        self.assertEqual(parameters.get_param("openid4vci.http"), "False")

    def test_retired_issuers_do_not_stop_it(self):
        self.sql.call("vci_create_issuer", "https://retired.test.example")
        self.sql.call("vci_retire_issuer", "https://retired.test.example")
        self.neutralize()
        self.assertTrue(self.issuer.issuance_paused)

    def test_without_the_extension_it_goes_on(self):
        self.neutralize(lambda text: text.replace("openid4vci.vci", "nowhere.vci"))
        self.assertFalse(self.issuer.issuance_paused)

    def test_without_the_duty_it_goes_on(self):
        """An error would end the neutralization of all of Odoo."""
        self.neutralize(
            lambda text: text.replace(
                "openid4vci.vci_pause_issuance(url)", "pg_read_file(url)"
            )
        )
        self.assertFalse(self.issuer.issuance_paused)
        self.assertEqual(self.sql.query(SQL("SELECT 1 AS one")), [{"one": 1}])

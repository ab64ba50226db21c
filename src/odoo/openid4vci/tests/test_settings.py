# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The settings page."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..models.res_config_settings import in_largest_unit
from .common import ISSUER, VciCase


@tagged("post_install", "-at_install")
class TestSettings(VciCase):
    def page(self, **values):
        return self.env["res.config.settings"].create(values)

    def in_force(self):
        return self.sql.call("vci_issuer_settings", ISSUER)

    def test_shows_what_is_in_force(self):
        self.issuer.alter({"offer_lifetime": 5400, "tx_code_max_failures": 3})
        page = self.page()
        self.assertEqual(page.vci_issuer_url, ISSUER)
        self.assertEqual(page.vci_offer_lifetime, 90)
        self.assertEqual(page.vci_offer_lifetime_unit, "minutes")
        self.assertEqual(page.vci_tx_code_max_failures, 3)
        # Nothing was set: the profile's default is shown, not nothing.
        self.assertEqual(page.vci_access_token_lifetime, 1)
        self.assertEqual(page.vci_access_token_lifetime_unit, "days")
        self.assertTrue(page.vci_endpoint_token)

    def test_units(self):
        self.assertEqual(in_largest_unit(86400 * 7), (7, "days"))
        self.assertEqual(in_largest_unit(5400), (90, "minutes"))
        self.assertEqual(in_largest_unit(61), (61, "seconds"))

    def test_writes_what_was_changed_and_nothing_else(self):
        page = self.page(
            vci_offer_lifetime=2,
            vci_offer_lifetime_unit="hours",
            vci_tx_code_retry_delay=30,
        )
        with patch.object(
            type(self.issuer), "alter", autospec=True
        ) as alter:
            page.execute()
        (_issuer, changes), _named = alter.call_args
        self.assertEqual(
            changes, {"offer_lifetime": 7200, "tx_code_retry_delay": 30}
        )
        page.execute()
        self.assertEqual(self.in_force()["offer_lifetime"], 7200)
        self.assertEqual(self.in_force()["tx_code_retry_delay"], 30)

    def test_saving_another_page_changes_no_issuer(self):
        with patch.object(type(self.issuer), "alter", autospec=True) as alter:
            self.page().execute()
        alter.assert_not_called()

    def test_nothing_goes_back_to_the_default(self):
        self.issuer.alter({"offer_lifetime": 7200})
        self.page(vci_offer_lifetime=0).execute()
        self.assertEqual(self.in_force()["offer_lifetime"], 7 * 86400)

    def test_what_people_and_verifiers_find(self):
        page = self.page(
            vci_wallet_url=" https://wallet.test.example ",
            vci_status_list_ttl=10,
            vci_status_list_ttl_unit="minutes",
            vci_status_list_lifetime=2,
            vci_status_list_lifetime_unit="hours",
            vci_endpoint_landing=False,
        )
        page.execute()
        settings = self.in_force()
        self.assertEqual(settings["wallet_url"], "https://wallet.test.example")
        self.assertEqual(settings["status_list_ttl"], 600)
        self.assertEqual(settings["status_list_lifetime"], 7200)
        self.assertFalse(settings["endpoints"]["landing"]["enabled"])
        self.assertTrue(settings["endpoints"]["status_list"]["enabled"])
        shown = self.page()
        self.assertEqual(shown.vci_status_list_ttl_unit, "minutes")
        self.page(vci_wallet_url=False, vci_status_list_ttl=0).execute()
        self.assertIsNone(self.in_force()["wallet_url"])
        self.assertEqual(self.in_force()["status_list_ttl"], 3600)

    def test_lists_are_good_for_as_long_as_they_are_kept(self):
        with self.assertRaises(UserError):
            self.page(
                vci_status_list_ttl=3, vci_status_list_ttl_unit="days"
            ).execute()

    def test_an_endpoint_that_is_switched_off_stays_where_it_is(self):
        self.issuer.alter({"endpoints": {"token": {"path": "/oauth/token"}}})
        self.page(vci_endpoint_token=False, vci_endpoint_notification=False).execute()
        endpoints = self.in_force()["endpoints"]
        self.assertFalse(endpoints["token"]["enabled"])
        self.assertFalse(endpoints["notification"]["enabled"])
        self.assertTrue(endpoints["credential"]["enabled"])
        self.assertEqual(endpoints["token"]["url"], f"{ISSUER}/oauth/token")
        self.page(vci_endpoint_token=True).execute()
        token = self.in_force()["endpoints"]["token"]
        self.assertEqual(token, {"enabled": True, "url": f"{ISSUER}/oauth/token"})

    def test_the_switch_for_wallets(self):
        self.page(vci_http=True).execute()
        self.assertTrue(self.env["ir.http"]._vci_serves_wallets())
        self.page(vci_http=False).execute()
        self.assertFalse(self.env["ir.http"]._vci_serves_wallets())

    def test_who_is_no_administrator_of_credentials_changes_none(self):
        other = self.create_user("vci_system", "group_reporter")
        other.group_ids |= self.env.ref("base.group_system")
        page = self.env["res.config.settings"].with_user(other)
        page.create({"vci_offer_lifetime": 1}).execute()
        self.assertEqual(self.in_force()["offer_lifetime"], 7 * 86400)
        for action in ("action_vci_pause", "action_vci_resume"):
            with self.assertRaises(AccessError):
                getattr(page.create({}), action)()
        with self.assertRaises(AccessError):
            page.create({}).action_vci_rotate_key()

    def test_warns_when_the_addresses_differ(self):
        parameters = self.env["ir.config_parameter"]
        for address, differs in {
            f"{ISSUER}/": False,
            "https://elsewhere.example": True,
            ISSUER.replace("https:", "http:"): True,
        }.items():
            parameters.set_param("web.base.url", address)
            self.assertEqual(self.page().vci_address_differs, differs, address)

    def test_pauses_and_resumes(self):
        self.page().action_vci_pause()
        self.assertTrue(self.page().vci_issuance_paused)
        self.page().action_vci_resume()
        self.assertFalse(self.page().vci_issuance_paused)

    def test_rotates_the_key_in_two_steps(self):
        page = self.page()
        self.assertTrue(page.vci_has_key)
        page.action_vci_rotate_key()
        self.assertEqual(set(self.issuer.key_ids.mapped("state")), {"active", "next"})
        self.assertIn("published already", self.page().vci_key_text)

    def test_makes_the_first_key(self):
        self.sql.call("vci_retire_key", self.kid, ISSUER)
        self.assertFalse(self.page().vci_has_key)
        self.page().action_vci_create_key()
        self.assertTrue(self.page().vci_has_key)

    def test_the_status_has_the_lines_for_what_is_wrong(self):
        settings = self.env["res.config.settings"]
        self.assertIn("the root key can be read", settings._vci_status())
        rows = self.sql.rows("vci_health")
        for row in rows:
            row["ok"] = row["check"] != "database"
        with patch.object(type(self.sql), "rows", lambda *args: rows):
            self.assertIn("adopt", settings._vci_topics())
            self.assertIn("vci_adopt_database", settings._vci_status())
        with patch.object(type(settings), "_vci_statements_are_logged") as logged:
            logged.return_value = True
            self.assertIn("log_min_error_statement", settings._vci_status())
            logged.return_value = False
            self.assertNotIn("log_min_error_statement", settings._vci_status())

    def role_without_key_admin(self):
        """Odoo's role in the database, when another one makes the keys."""
        call = type(self.sql).call

        def without_key_admin(sql, function, /, *args, **named):
            if (function, args) == ("vci_duty_issuers", ("key_admin",)):
                return []
            return call(sql, function, *args, **named)

        return patch.object(type(self.sql), "call", without_key_admin)

    def test_where_odoo_may_not_make_keys(self):
        """What the database administrator types in its place is told."""
        settings = self.env["res.config.settings"]
        create = f"SELECT openid4vci.vci_create_key('{ISSUER}')"
        rotate = f"SELECT openid4vci.vci_rotate_key('{ISSUER}')"
        with self.role_without_key_admin():
            self.assertNotIn("create_key", settings._vci_topics())
            with self.assertRaises(UserError) as raised:
                self.page().action_vci_rotate_key()
            self.assertIn(rotate, str(raised.exception))
            self.sql.call("vci_retire_key", self.kid, ISSUER)
            with self.assertRaises(UserError) as raised:
                self.page().action_vci_create_key()
            self.assertIn(create, str(raised.exception))
            self.assertIn("vci_create_key(&#39;", settings._vci_status())
        self.assertNotIn("create_key", settings._vci_topics())

    def test_without_the_root_key(self):
        settings = self.env["res.config.settings"]
        rows = self.sql.rows("vci_health")
        for row in rows:
            row["ok"] = row["check"] != "root_key"
        with patch.object(type(self.sql), "rows", lambda *args: rows):
            self.assertIn("/etc/openid4vci/root.key", settings._vci_status())

    def test_others_in_the_way_of_a_duplicate(self):
        settings = self.env["res.config.settings"]
        self.assertNotIn("duplicate", settings._vci_topics())
        with patch.object(
            type(settings), "_vci_others_stay_connected", return_value=True
        ):
            self.assertIn("GRANT pg_signal_backend", settings._vci_status())

    def test_says_what_is_missing(self):
        """After a restore, or before the database administrator's part is done."""
        for topic in ("install", "restore", "upgrade", "duties"):
            with patch.object(type(self.sql), "missing", lambda _sql, t=topic: t):
                page = self.page()
                self.assertFalse(page.vci_ready)
                self.assertIn("database administrator", page.vci_missing)
                self.assertIn("psql", page.vci_missing_lines)

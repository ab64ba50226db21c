# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""An issuer with a key and a configuration, made as Odoo's own database role."""

from odoo.tests import TransactionCase

from ..models.vci_sql import jsonb

ISSUER = "https://issuer.test.example"


class VciCase(TransactionCase):
    """The issuer of the company is one that the tests made, and it goes with them.
    The role needs the duty key_admin for that."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sql = cls.env["vci.sql"]
        cls.sql.call(
            "vci_create_issuer",
            ISSUER,
            display=jsonb([{"name": "Ministry of Tests", "locale": "en"}]),
        )
        cls.env.company.vci_issuer_url = ISSUER
        cls.issuer = cls.env["vci.issuer"].search([("url", "=", ISSUER)])
        cls.kid = cls.sql.call("vci_create_key", issuer=ISSUER)
        cls.configuration = cls.create_configuration("EntitlementCredential")

    @classmethod
    def create_configuration(cls, code, **options):
        """A configuration of the test's issuer."""
        cls.sql.call(
            "vci_create_configuration",
            code,
            f"{ISSUER}/credentials/{code}",
            issuer=ISSUER,
            **{
                "always_disclosed": jsonb(["entitlementId", "entitlementStatus"]),
                "selectively_disclosable": jsonb(["givenName", "amount"]),
                "display": jsonb([{"name": "Entitlement", "locale": "en"}]),
                **options,
            },
        )
        return cls.env["vci.credential.configuration"].search(
            [("code", "=", code), ("issuer_id", "=", cls.issuer.id)]
        )

    @classmethod
    def create_offer_by_sql(cls, code="EntitlementCredential", **options):
        """An offer of the test's issuer, past the model's own way to make one."""
        made = cls.sql.call(
            "vci_create_offer",
            [code],
            issuer=ISSUER,
            **{
                "claims": {"entitlementId": "E-1", "entitlementStatus": "approved"},
                "labels": {"company_id": cls.env.company.id},
                **options,
            },
        )
        return cls.env["vci.offer"].browse(made["offer_id"])

    @classmethod
    def create_user(cls, login, *groups, **values):
        """An internal user with groups of this addon, named without their module."""
        return cls.env["res.users"].create(
            {
                "name": login,
                "login": login,
                "group_ids": [
                    (4, cls.env.ref("base.group_user").id),
                    *[(4, cls.env.ref(f"openid4vci.{group}").id) for group in groups],
                ],
                **values,
            }
        )

# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Offers: making, showing, changing, ending them."""

import base64
import datetime
import json
import re
from urllib.parse import parse_qs, urlsplit

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..models.vci_sql import jsonb
from .common import ISSUER, VciCase

CLAIMS = {"entitlementId": "E-1", "entitlementStatus": "approved"}
ACTIONS = [
    "action_show",
    "action_extend",
    "action_new_link",
    "action_new_pin",
    "action_reopen",
    "action_cancel",
]


class OfferCase(VciCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.offers = cls.env["vci.offer"]
        cls.person = cls.env["res.partner"].create({"name": "Maria Santos"})

    def make(self, **options):
        options = {"claims": CLAIMS, **options}
        return self.offers.create_offer(self.person, self.configuration, **options)

    def redeem(self, code, tx_code=None):
        return self.sql.call(
            "vci_exchange_code", code, tx_code=tx_code, issuer=ISSUER
        )

    def assert_days(self, offer, days):
        lifetime = (offer.expires_at - offer.created_at) / datetime.timedelta(days=1)
        self.assertAlmostEqual(lifetime, days, places=2)

    def read_anew(self, offers):
        """What another request reads, which did not make the offers."""
        self.env.invalidate_all()
        return self.offers.browse(offers.ids)


@tagged("post_install", "-at_install")
class TestOfferMaking(OfferCase):
    def test_create_offer(self):
        offer = self.make(
            reference="R-1",
            labels={"area": "NCR"},
            expires_in=datetime.timedelta(days=3),
        )
        self.assertEqual(offer.state, "pending")
        self.assertEqual(offer.credential_type_id, self.configuration)
        self.assertEqual(offer.credential_subject_model, "res.partner")
        self.assertEqual(offer.credential_subject_id, self.person.id)
        self.assertEqual(offer.get_credential_subject(), self.person)
        self.assertEqual(offer.reference, "R-1")
        self.assertEqual(offer.labels, {"area": "NCR"})
        self.assert_days(offer, 3)
        self.assertEqual(offer.expiration_date, offer.expires_at)

    def test_drafts_are_not_kept(self):
        """OpenSPP's calls begin with a record that tells nothing yet."""
        before = self.offers.search_count([])
        draft = self.offers.create({"credential_type_id": self.configuration.id})
        self.assertFalse(draft.id)
        self.assertFalse(draft.pre_authorized_code)
        self.assertFalse(draft.situation)
        self.assertEqual(self.offers.search_count([]), before)
        made = draft.create_offer(self.person, self.configuration, claims=CLAIMS)
        self.assertEqual(made.state, "pending")
        self.assertEqual(self.offers.search_count([]), before + 1)

    def values(self, **more):
        return {
            "credential_type_id": self.configuration.id,
            "credential_subject_model": "res.partner",
            "credential_subject_id": self.person.id,
            **more,
        }

    def test_create_of_many(self):
        """The offers come in the order of the values, each with its own PIN."""
        empty = self.create_configuration(
            "Membership", always_disclosed=jsonb([]), binding="absent"
        )
        made = self.offers.create(
            [
                self.values(
                    credential_type_id=empty.id, reference=f"R-{n}", tx_code=f"12340{n}"
                )
                for n in range(5)
            ]
        )
        self.assertEqual(made.mapped("reference"), [f"R-{n}" for n in range(5)])
        self.assertEqual(made.mapped("tx_code"), [f"12340{n}" for n in range(5)])

    def test_create_refuses(self):
        for vals_list in (
            [self.values(), {}],
            [self.values(state="redeemed")],
            [self.values(credential_subject_model="no.such.model")],
            [self.values(credential_subject_id=2**31 - 1)],
        ):
            with self.assertRaises(UserError):
                self.offers.create(vals_list)

    def test_options(self):
        offer = self.make(
            generate_tx_code=True,
            tx_code_length=4,
            tx_code_mode="text",
            tx_code_description="By letter",
            grants=["urn:ietf:params:oauth:grant-type:pre-authorized_code"],
        )
        self.assertEqual(len(offer.tx_code), 4)
        self.assertIn("By%20letter", offer.credential_offer_uri)
        with self.assertRaises(TypeError):
            self.make(generate_pin=True)
        with self.assertRaises(TypeError):
            self.make(issuer="https://elsewhere.example")

    def test_an_offer_stays_what_it_is(self):
        offer = self.make()
        self.assertEqual(offer.create_offer(self.person, self.configuration), offer)
        other = self.env["res.partner"].create({"name": "Juan Cruz"})
        with self.assertRaises(UserError):
            offer.create_offer(other, self.configuration)
        with self.assertRaises(UserError):
            offer.create_offer(self.person, self.configuration, tx_code="123456")
        with self.assertRaises(UserError):
            offer.write({"reference": "R-2"})
        with self.assertRaises(UserError):
            offer.unlink()

    def test_a_reference_is_offered_once(self):
        first = self.make(reference="R-1", generate_tx_code=True)
        again = self.make(reference="R-1", generate_tx_code=True)
        self.assertEqual(first, again)
        self.assertTrue(first.tx_code)
        self.assertFalse(again.tx_code)

    def test_a_reference_gives_no_offer_of_somebody_else(self):
        self.make(reference="R-1")
        other = self.env["res.partner"].create({"name": "Juan Cruz"})
        with self.assertRaises(UserError):
            self.offers.create_offer(
                other, self.configuration, claims=CLAIMS, reference="R-1"
            )

    def test_a_configuration_is_for_its_model(self):
        self.env["vci.configuration.source"].create(
            {"number": self.configuration.id, "source_model": "res.users"}
        )
        with self.assertRaisesRegex(UserError, "not about Contact"):
            self.make()

    def test_a_refusal_says_no_claim(self):
        with self.assertRaises(UserError) as refused:
            self.make(claims={**CLAIMS, "iss": "Maria's secret"})
        self.assertEqual(refused.exception.sqlstate, "22023")
        self.assertNotIn("Maria", str(refused.exception))
        self.assertIsNone(refused.exception.__context__)
        self.assertEqual(self.make().state, "pending")


@tagged("post_install", "-at_install")
class TestOfferSecrets(OfferCase):
    def test_link_and_code(self):
        offer = self.make()
        uri = self.sql.call("vci_offer_uri", offer.id)
        self.assertEqual(offer.credential_offer_uri, uri)
        self.assertEqual(offer.get_credential_offer_uri(), uri)
        [link] = parse_qs(urlsplit(uri).query)["credential_offer"]
        [grant] = json.loads(link)["grants"].values()
        self.assertEqual(offer.pre_authorized_code, grant["pre-authorized_code"])
        by_reference = offer.get_credential_offer_uri(by="reference")
        self.assertIn("?credential_offer_uri=", by_reference)

    def test_the_link_for_people(self):
        offer = self.make()
        self.assertTrue(offer.page_uri.startswith(f"{ISSUER}/o/"))
        self.assertEqual(offer.page_uri, offer.get_credential_offer_uri(by="page"))
        self.assertNotEqual(offer.get_qr_code(by="page"), offer.get_qr_code())
        found = self.offers.search([("pre_authorized_code", "=", offer.page_uri)])
        self.assertEqual(found, offer)
        self.issuer.alter({"endpoints": {"landing": {"enabled": False}}})
        [offer, _other] = self.read_anew(offer + self.make())
        self.assertFalse(offer.page_uri)
        self.assertTrue(offer.credential_offer_uri)

    def test_qr_code(self):
        offer = self.make()
        picture = base64.b64decode(offer.qr_code)
        self.assertTrue(picture.startswith(b"\x89PNG"))
        self.assertEqual(offer.get_qr_code(), picture)
        self.assertNotEqual(offer.get_qr_code(scale=2), picture)

    def test_of_many_each_has_its_own(self):
        offers = self.make() + self.make() + self.make()
        offers[1].action_cancel()
        offers = self.read_anew(offers)
        self.assertEqual(
            [bool(offer.pre_authorized_code) for offer in offers], [True, False, True]
        )
        for offer in offers - offers[1]:
            self.assertEqual(
                self.sql.call("vci_find_offer", offer.pre_authorized_code), offer.id
            )

    def test_nothing_to_show_when_it_cannot_be_redeemed(self):
        offer = self.make()
        self.redeem(offer.pre_authorized_code)
        offer = self.read_anew(offer)
        self.assertEqual(offer.state, "redeemed")
        self.assertFalse(offer.pre_authorized_code)
        self.assertFalse(offer.credential_offer_uri)
        self.assertFalse(offer.qr_code)

    def test_search_by_code(self):
        offer = self.make()
        code = offer.pre_authorized_code
        for known in (code, offer.credential_offer_uri):
            found = self.offers.search([("pre_authorized_code", "=", known)])
            self.assertEqual(found, offer)
        other = self.make()
        found = self.offers.search(
            [("pre_authorized_code", "in", [code, other.pre_authorized_code])]
        )
        self.assertEqual(found, offer + other)
        for unknown in ("your-code-here", False):
            self.assertFalse(
                self.offers.search([("pre_authorized_code", "=", unknown)])
            )

    def test_the_pin_is_with_the_one_who_made_it(self):
        """It is in the records that the call returned, and kept nowhere."""
        offer = self.make(tx_code="274951")
        self.assertEqual(offer.tx_code, "274951")
        self.assertTrue(offer.tx_code_required)
        offer = self.read_anew(offer)
        self.assertFalse(offer.tx_code)
        self.assertNotIn("274951", str(offer.read()))

    def test_secrets_are_not_exported(self):
        for name in ("pre_authorized_code", "credential_offer_uri", "qr_code"):
            self.assertFalse(self.offers.fields_get([name])[name]["exportable"])

    def test_chatter_holds_no_secret(self):
        offer = self.make(tx_code="274951")
        uri, code = offer.credential_offer_uri, offer.pre_authorized_code
        offer.action_new_link()
        offer.action_new_pin()
        notes = " ".join(self.person.message_ids.mapped("body"))
        self.assertIn(offer.name, notes)
        self.assertIn("new PIN", notes)
        for secret in (uri, code, "274951", "openid-credential-offer"):
            self.assertNotIn(secret, notes)


@tagged("post_install", "-at_install")
class TestOfferActions(OfferCase):
    def test_extend(self):
        offer = self.make(expires_in="1 minute")
        code = offer.pre_authorized_code
        offer.action_extend()
        self.assert_days(offer, 7)
        self.assertEqual(offer.pre_authorized_code, code)
        self.assertIn("access_token", self.redeem(code))

    def test_extend_many(self):
        offers = self.make(expires_in="1 minute") + self.make(expires_in="1 minute")
        ends = offers.extend_offers(datetime.timedelta(days=2))
        self.assertEqual(set(ends), set(offers.ids))
        for offer in offers:
            self.assert_days(offer, 2)

    def test_new_link_kills_the_old(self):
        offer = self.make()
        old = offer.pre_authorized_code
        action = offer.action_new_link()
        self.assertEqual(action["res_model"], "vci.offer.wizard")
        self.assertEqual(action["context"]["active_id"], offer.id)
        new = offer.pre_authorized_code
        self.assertNotEqual(old, new)
        self.assertEqual(self.redeem(old)["error"], "invalid_grant")
        self.assertIn("access_token", self.redeem(new))

    def test_new_pin(self):
        offer = self.make(tx_code="274951")
        pin = offer.action_new_pin()["context"]["default_tx_code"]
        code = offer.pre_authorized_code
        self.assertEqual(self.redeem(code, "274951")["error"], "invalid_grant")
        # The wrong one makes the extension wait before it takes the next.
        self.sql.call(
            "vci_alter_issuer", {"tx_code_retry_delay": 0}, issuer=ISSUER
        )
        self.assertIn("access_token", self.redeem(code, pin))

    def test_no_pin_where_there_was_none(self):
        with self.assertRaises(UserError):
            self.make().action_new_pin()

    def test_cancel_and_reopen(self):
        offer = self.make()
        old = offer.pre_authorized_code
        offer.action_cancel()
        self.assertEqual(offer.state, "cancelled")
        self.assertEqual(self.redeem(old)["error"], "invalid_grant")
        with self.assertRaises(UserError):
            offer.action_cancel()
        offer.action_reopen()
        self.assertEqual(offer.state, "pending")
        self.assertNotEqual(offer.pre_authorized_code, old)
        with self.assertRaises(UserError):
            offer.action_reopen()

    def test_cancel_what_can_be(self):
        offers = self.make() + self.make()
        offers[0].action_cancel()
        offers.action_cancel()
        self.assertEqual(set(offers.mapped("state")), {"cancelled"})

    def test_subject(self):
        offer = self.make()
        action = offer.action_open_subject()
        self.assertEqual(action["res_model"], "res.partner")
        self.assertEqual(action["res_id"], self.person.id)
        stranger = self.create_offer_by_sql(subject_model="person", subject_id="A-7")
        self.assertFalse(stranger.res_id)
        with self.assertRaises(UserError):
            stranger.get_credential_subject()


@tagged("post_install", "-at_install")
class TestOfferSituation(OfferCase):
    def assert_told(self, offer, situation, next_action, possible):
        offer = self.read_anew(offer)
        told = self.sql.call("vci_offer_situation", offer.id)
        self.assertEqual(told["situation"], situation)
        self.assertIn(offer._situation_text({**told, "until": None}), offer.situation)
        self.assertNotEqual(offer.situation, situation)
        self.assertEqual(offer.next_action, next_action)
        self.assertEqual(set(offer.possible_actions.split()), possible)

    def test_pending(self):
        offer = self.make()
        self.assert_told(
            offer, "pending", "show", {"show", "extend", "new_link", "cancel"}
        )
        self.assertIn("Until", offer.situation)
        self.assertFalse(offer.obstacle)

    def test_locked(self):
        offer = self.make(tx_code="274951")
        self.sql.call(
            "vci_alter_issuer", {"tx_code_max_failures": 1}, issuer=ISSUER
        )
        self.redeem(offer.pre_authorized_code, "000000")
        self.assert_told(
            offer,
            "locked",
            "new_pin",
            {"show", "extend", "new_link", "new_pin", "cancel"},
        )

    def test_redeemed(self):
        offer = self.make()
        self.redeem(offer.pre_authorized_code)
        self.assert_told(offer, "redeemed", "none", {"reopen", "cancel"})

    def test_cancelled(self):
        offer = self.make()
        offer.action_cancel()
        self.assertEqual(self.read_anew(offer).possible_actions, "reopen")

    def test_obstacle(self):
        offer = self.make()
        self.sql.call("vci_pause_issuance", issuer=ISSUER)
        self.assertIn("paused", self.read_anew(offer).obstacle)

    def test_every_answer_of_the_extension_has_words(self):
        """Its comment names them all: one that is new there needs words here."""
        comment = self.sql.query(
            SQL(
                """SELECT obj_description(
                      'openid4vci.vci_offer_situation(bigint)'::regprocedure
                   ) AS text"""
            ),
            writes=False,
        )[0]["text"]
        situations = self.names_in(comment, "situation: ", ". until:")
        obstacles = self.names_in(comment, "credential now: ", "; NULL")
        self.assertIn("pending", situations)
        self.assertIn("paused", obstacles)
        for name in situations:
            text = self.offers._situation_text({"situation": name, "until": None})
            self.assertNotEqual(text, name)
        for name in obstacles:
            self.assertNotEqual(self.offers._obstacle_text(name), name)

    def names_in(self, comment, start, end):
        """pending, delayed (a wrong code just now), ...: the names."""
        listed = comment.split(start, 1)[1].split(end, 1)[0]
        return re.sub(r" \([^)]*\)", "", listed).split(", ")


@tagged("post_install", "-at_install")
class TestOfferWhoMay(OfferCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            group: cls.create_user(f"offers-{group}", group)
            for group in ("group_reporter", "group_help_desk", "group_offerer")
        }
        cls.users["none"] = cls.create_user("offers-none")

    def as_user(self, offer, group):
        self.env.invalidate_all()
        return self.offers.with_user(self.users[group]).browse(offer.id)

    def test_fields(self):
        offer = self.make()
        may_read = {
            "state": {"group_reporter", "group_help_desk", "group_offerer"},
            "qr_code": {"group_help_desk", "group_offerer"},
            "credential_offer_uri": {"group_offerer"},
            "page_uri": {"group_offerer"},
            "pre_authorized_code": {"group_offerer"},
        }
        for name, groups in may_read.items():
            for group in self.users:
                with self.subTest(field=name, user=group):
                    read = self.as_user(offer, group).read
                    if group in groups:
                        self.assertTrue(read([name])[0][name])
                    else:
                        with self.assertRaises(AccessError), mute_logger("odoo"):
                            read([name])

    def test_search_by_code(self):
        code = self.make().pre_authorized_code
        offers = self.offers.with_user(self.users["group_help_desk"])
        with self.assertRaises(AccessError):
            offers.search([("pre_authorized_code", "=", code)])

    def test_actions(self):
        for name in ACTIONS:
            for group in self.users:
                with self.subTest(action=name, user=group):
                    offer = self.make(tx_code="274951")
                    if name == "action_reopen":
                        offer.action_cancel()
                    act = getattr(self.as_user(offer, group), name)
                    if group in ("group_help_desk", "group_offerer"):
                        act()
                    else:
                        with self.assertRaises(AccessError):
                            act()

    def test_making(self):
        for group in self.users:
            offers = self.offers.with_user(self.users[group])
            with self.subTest(user=group):
                if group == "group_offerer":
                    made = offers.create_offer(
                        self.person, self.configuration, claims=CLAIMS
                    )
                    self.assertEqual(made.state, "pending")
                    continue
                with self.assertRaises(AccessError):
                    offers.create_offer(
                        self.person, self.configuration, claims=CLAIMS
                    )
                with self.assertRaises(AccessError):
                    offers.create({})

    def test_the_plain_link_is_for_officers(self):
        offer = self.make()
        with self.assertRaises(AccessError):
            self.as_user(offer, "group_help_desk").get_credential_offer_uri()
        self.assertTrue(self.as_user(offer, "group_offerer").get_credential_offer_uri())

    def test_offers_of_another_company(self):
        """A computed field is not a way around the rules, nor is an action."""
        company = self.env["res.company"].create({"name": "Elsewhere"})
        offer = self.make(labels={"company_id": company.id})
        hidden = self.as_user(offer, "group_offerer")
        for name in ("state", "qr_code", "credential_offer_uri"):
            with self.assertRaises(AccessError), mute_logger("odoo"):
                hidden.read([name])
            self.env.invalidate_all()
        for name in ACTIONS:
            with self.assertRaises(AccessError):
                getattr(hidden, name)()
        offers = self.offers.with_user(self.users["group_offerer"])
        code = offer.pre_authorized_code
        self.assertFalse(offers.search([("pre_authorized_code", "=", code)]))

    def test_nobody_makes_an_offer_that_is_hidden_from_them(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        offers = self.offers.with_user(self.users["group_offerer"])
        with self.assertRaises(AccessError), mute_logger("odoo"):
            offers.create_offer(
                self.person,
                self.configuration,
                claims=CLAIMS,
                labels={"company_id": company.id},
            )

    def test_a_subject_that_is_hidden(self):
        """No offer about a record that the user may not read, even when nothing of
        it is read for the offer."""
        self.env["ir.rule"].create(
            {
                "name": "Not Maria",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "groups": [(4, self.env.ref("openid4vci.group_offerer").id)],
                "domain_force": f"[('id', '!=', {self.person.id})]",
            }
        )
        officer = self.users["group_offerer"]
        offers, person = self.offers.with_user(officer), self.person.with_user(officer)
        self.env.invalidate_all()
        with self.assertRaises(AccessError), mute_logger("odoo"):
            offers.create_offer(
                person, self.configuration, claims=CLAIMS, labels={"area": "NCR"}
            )

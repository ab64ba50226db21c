# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Who may do what, and who sees what: each user against each action, called as by
RPC."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.service.model import call_kw, get_public_method
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ISSUER, VciCase

# Users by what they are, with their groups.
USERS = {
    "portal": (),
    "employee": (),
    "viewer": ("group_reporter",),
    "help_desk": ("group_help_desk",),
    "officer": ("group_offerer",),
    "administrator": ("group_issuer_admin",),
    "key_administrator": ("group_key_admin",),
}
NOBODY = set()
KEY_ADMINISTRATOR = {"key_administrator"}
ADMINISTRATOR = {"administrator"}
OFFICER = {"officer", "administrator"}
HELP_DESK = {"help_desk", *OFFICER}
VIEWER = {"viewer", "key_administrator", *HELP_DESK}

# What anybody may call since it tells only what the user may read anyway.
FREE = {
    ("res.partner", "get_credential_claims"),
    ("res.partner", "get_credential_labels"),
    ("res.partner", "get_credential_subject_id"),
    # A partner is deleted by whom Odoo lets, and that cancels the offers.
    ("res.partner", "unlink"),
    # Values that are not kept; the model's own create() asks for the right.
    ("vci.credential.configuration", "copy_data"),
    # Odoo's own calls of the settings page, which ask for its right.
    ("res.config.settings", "get_values"),
    ("res.config.settings", "set_values"),
}

MODELS = (
    "vci.issuer",
    "vci.credential.configuration",
    "vci.configuration.source",
    "vci.offer",
    "vci.credential",
    "vci.deferred",
    "vci.key",
    "vci.campaign",
    "vci.funnel",
)


class SecurityCase(VciCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create({"name": "Maria Santos"})
        cls.users = {
            name: cls.create_user(f"vci_{name}", *groups)
            for name, groups in USERS.items()
        }
        cls.users["portal"].group_ids = cls.env.ref("base.group_portal")

    @classmethod
    def create_offer_of_partner(cls, **options):
        return cls.create_offer_by_sql(
            subject_model="res.partner", subject_id=str(cls.partner.id), **options
        )

    @classmethod
    def fetch_credential(cls, offer, code):
        """What a wallet does with an offer whose credential is bound to no key."""
        link = cls.sql.call("vci_offer_uri", offer.id)
        answer = cls.sql.call(
            "vci_exchange_code", cls.env["vci.offer"]._code_of(link), issuer=ISSUER
        )
        return cls.sql.call(
            "vci_request_credential",
            answer["access_token"],
            {"credential_configuration_id": code},
            issuer=ISSUER,
        )

    def call_as(self, name, model, method, *args, **named):
        """As a call by RPC of this user."""
        env = self.env(user=self.users[name], context={})
        return call_kw(env[model], method, args, named)


@tagged("post_install", "-at_install")
class TestActions(SecurityCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pending = cls.create_offer_of_partner(generate_tx_code=True)
        cls.cancelled = cls.create_offer_of_partner()
        cls.sql.call("vci_cancel_offer", cls.cancelled.id)
        cls.badge = cls.create_configuration("Badge", binding="absent")
        cls.waiting = cls.create_configuration(
            "Waiting", binding="absent", options={"deferred": True}
        )
        cls.fetch_credential(cls.create_offer_of_partner(code="Waiting"), "Waiting")
        of_issuer = [("issuer_id", "=", cls.issuer.id)]
        cls.deferred = cls.env["vci.deferred"].search(of_issuer)
        cls.key = cls.env["vci.key"].search(of_issuer)
        cls.create_configuration(
            "Permit", binding="absent", options={"status_bits": 2}
        )
        permit = cls.create_offer_of_partner(code="Permit")
        cls.fetch_credential(permit, "Permit")
        cls.credential = permit.credential_ids
        lost = cls.create_offer_of_partner(code="Permit")
        cls.fetch_credential(lost, "Permit")
        cls.suspended = lost.credential_ids.suspend()
        cls.campaign = cls.env["vci.campaign"].browse(
            cls.sql.call(
                "vci_create_campaign",
                "Spring",
                ["Badge"],
                "SELECT 'P-1' AS reference",
                issuer=ISSUER,
            )
        )
        cls.source = cls.env["vci.configuration.source"].create(
            {"number": cls.badge.id, "source_model": "res.partner"}
        )

    def calls(self):
        """Model, method, who may, and the arguments of a call that succeeds."""
        offer, partner, badge = self.pending.ids, self.partner.ids, self.badge.ids
        deferred, issuer = self.deferred.ids, self.issuer.ids
        credential, campaign = self.credential.ids, self.campaign.ids
        offer_values = {
            "credential_type_id": badge[0],
            "credential_subject_model": "res.partner",
            "credential_subject_id": partner[0],
        }
        types, sources = "vci.credential.configuration", "vci.configuration.source"
        configuration_values = {"code": "Made", "issuer_id": issuer[0]}
        source_values = {"number": self.waiting.id, "source_model": "res.partner"}
        source = self.source.ids
        return [
            ("vci.offer", "action_show", HELP_DESK, [offer]),
            ("vci.offer", "action_extend", HELP_DESK, [offer]),
            ("vci.offer", "action_new_link", HELP_DESK, [offer]),
            ("vci.offer", "action_new_pin", HELP_DESK, [offer]),
            ("vci.offer", "action_reopen", HELP_DESK, [self.cancelled.ids]),
            ("vci.offer", "action_cancel", HELP_DESK, [offer]),
            ("vci.offer", "action_open_subject", VIEWER, [offer]),
            ("vci.offer", "get_credential_offer_uri", OFFICER, [offer]),
            ("vci.offer", "create", OFFICER, [offer_values]),
            ("vci.offer", "write", NOBODY, [offer, {"reference": "changed"}]),
            ("vci.offer", "unlink", NOBODY, [offer]),
            ("vci.offer", "copy", NOBODY, [offer]),
            ("vci.credential", "create", NOBODY, [{}]),
            ("vci.credential", "write", NOBODY, [[], {"kid": "changed"}]),
            ("vci.credential", "unlink", NOBODY, [[]]),
            # By the programs of the server: for users there are the buttons.
            ("vci.credential", "revoke", NOBODY, [credential]),
            ("vci.credential", "suspend", NOBODY, [credential]),
            ("vci.credential", "reinstate", NOBODY, [credential]),
            ("vci.credential", "action_revoke", OFFICER, [credential, "moved"]),
            ("vci.credential", "action_suspend", OFFICER, [credential]),
            ("vci.credential", "action_reinstate", OFFICER, [self.suspended.ids]),
            ("vci.campaign", "action_step", OFFICER, [campaign]),
            ("vci.campaign", "action_pause", OFFICER, [campaign]),
            ("vci.campaign", "action_resume", OFFICER, [campaign]),
            ("vci.campaign", "action_read_again", OFFICER, [campaign]),
            ("vci.campaign", "action_cancel", OFFICER, [campaign]),
            ("vci.campaign", "action_view_offers", VIEWER, [campaign]),
            ("vci.campaign", "action_view_funnel", VIEWER, [campaign]),
            ("vci.campaign", "create", NOBODY, [{}]),
            ("vci.campaign", "write", NOBODY, [campaign, {"name": "changed"}]),
            ("vci.campaign", "unlink", NOBODY, [campaign]),
            ("vci.funnel", "create", NOBODY, [{}]),
            ("vci.funnel", "write", NOBODY, [[], {"issued": 1}]),
            ("vci.funnel", "unlink", NOBODY, [[]]),
            # With claims of the caller's own: for code of the server alone.
            ("vci.deferred", "complete", NOBODY, [deferred, {"name": "Anybody"}]),
            ("vci.deferred", "deny", NOBODY, [deferred]),
            ("vci.deferred", "action_complete", OFFICER, [deferred]),
            ("vci.deferred", "action_deny", OFFICER, [deferred]),
            ("vci.deferred", "create", NOBODY, [{}]),
            ("vci.deferred", "write", NOBODY, [deferred, {"reason": "changed"}]),
            ("vci.deferred", "unlink", NOBODY, [deferred]),
            ("vci.issuer", "action_pause", ADMINISTRATOR, [issuer]),
            ("vci.issuer", "action_resume", ADMINISTRATOR, [issuer]),
            ("vci.issuer", "action_purge", ADMINISTRATOR, [issuer]),
            ("vci.issuer", "action_rotate_key", KEY_ADMINISTRATOR, [issuer]),
            ("vci.issuer", "create", NOBODY, [{}]),
            ("vci.issuer", "write", NOBODY, [issuer, {"base_path": "/changed"}]),
            ("vci.issuer", "unlink", NOBODY, [issuer]),
            ("vci.key", "action_rotate", KEY_ADMINISTRATOR, [self.key.ids]),
            ("vci.key", "create", NOBODY, [{}]),
            ("vci.key", "write", NOBODY, [self.key.ids, {"state": "retired"}]),
            ("vci.key", "unlink", NOBODY, [self.key.ids]),
            (types, "create", ADMINISTRATOR, [configuration_values]),
            (types, "write", ADMINISTRATOR, [badge, {"scope": "changed"}]),
            (types, "unlink", ADMINISTRATOR, [badge]),
            (types, "get_credential_configuration", VIEWER, [badge]),
            # By their configurations alone, whose company the rules ask for.
            (sources, "create", NOBODY, [source_values]),
            (sources, "write", NOBODY, [source, {"source_model": "res.users"}]),
            (sources, "unlink", NOBODY, [source]),
            ("vci.key.service", "create_key", KEY_ADMINISTRATOR, [[]]),
            ("res.partner", "issue_credential", OFFICER, [partner, badge[0]]),
            ("res.partner", "revoke", OFFICER, [partner, "moved"]),
            ("res.partner", "suspend", OFFICER, [partner]),
            ("res.partner", "reinstate", OFFICER, [partner]),
            ("res.partner", "action_help_desk", HELP_DESK, [partner]),
            ("res.partner", "action_view_credential_offers", VIEWER, [partner]),
            ("res.partner", "action_view_credentials", VIEWER, [partner]),
            ("res.partner", "action_create_credential_offer", OFFICER, [partner]),
        ]

    def dialog_calls(self):
        """Model, method, who may, values of the dialog and context of the call."""
        offer, settings = self.env["vci.offer"], "res.config.settings"
        values = {
            "credential_subject_model": "res.partner",
            "credential_subject_id": self.partner.id,
            "credential_type_id": self.badge.id,
        }
        shown = {"active_model": offer._name, "active_id": self.pending.id}
        wizard, setup, refusal = (
            "vci.offer.wizard", "vci.setup.wizard", "vci.refusal.wizard"
        )
        waiting = {
            "active_model": self.deferred._name, "active_ids": self.deferred.ids
        }
        issued = {
            "active_model": self.credential._name, "active_ids": self.credential.ids
        }
        # The test's issuer has a key.
        issuer = {"url": ISSUER, "with_key": False}
        return [
            (wizard, "action_create_offer", OFFICER, values, {}),
            (wizard, "action_print_letter", HELP_DESK, {}, shown),
            (setup, "action_set_up", ADMINISTRATOR, issuer, {}),
            (refusal, "action_refuse", OFFICER, {"reason": "moved"}, waiting),
            ("vci.status.wizard", "action_change", OFFICER, {}, issued),
            (settings, "action_vci_check", NOBODY, {}, {}),
            (settings, "action_vci_open_issuer", VIEWER, {}, {}),
            (settings, "action_vci_pause", ADMINISTRATOR, {}, {}),
            (settings, "action_vci_resume", ADMINISTRATOR, {}, {}),
            (settings, "action_vci_create_key", KEY_ADMINISTRATOR, {}, {}),
            (settings, "action_vci_rotate_key", KEY_ADMINISTRATOR, {}, {}),
        ]

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_each_user_against_each_action(self):
        for model, method, allowed, args in self.calls():
            for name in USERS:
                with self.subTest(f"{name} calls {model}.{method}"):
                    self.check_call(name, allowed, model, method, *args)

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_each_user_against_each_button_of_a_dialog(self):
        # Somebody else made the dialog's record with the rights for it: the button
        # itself asks for them, too.
        for model, method, allowed, values, context in self.dialog_calls():
            for name, user in self.users.items():
                dialog = self.env(user=user)[model].sudo().create(values)
                with self.subTest(f"{name} clicks {model}.{method}"):
                    self.check_call(
                        name, allowed, model, method, dialog.ids, context=context
                    )

    def check_call(self, name, allowed, model, method, *args, **named):
        """The call of a user succeeds, or is refused for want of a right: not by the
        state of the record, nor by the database. What it did is undone."""
        savepoint = self.env.cr.savepoint()
        try:
            if name in allowed:
                self.call_as(name, model, method, *args, **named)
            else:
                # Some are for nobody, whatever the rights.
                refusal = AccessError if allowed else UserError
                with self.assertRaises(refusal):
                    self.call_as(name, model, method, *args, **named)
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all(flush=False)

    def test_every_public_method_is_in_the_table(self):
        # A new button is a new row.
        tested = {(model, method) for model, method, *_others in self.calls()}
        tested |= {(model, method) for model, method, *_ in self.dialog_calls()}
        self.assertEqual(set(self.public_methods()) - tested - FREE, set())

    def public_methods(self):
        registry = self.env.registry
        # Of the models that can be subjects, one stands for all.
        subjects = registry.descendants(["vci.credential.subject.mixin"], "_inherit")
        ours = {
            name
            for name in registry
            if name.startswith("vci.")
            and not name.endswith(".mixin")
            and name not in subjects
        }
        for name in ours | {"res.partner", "res.config.settings"}:
            for method in self.own_methods(registry[name]):
                if self.is_callable_by_rpc(name, method):
                    yield name, method

    def own_methods(self, model):
        for cls in model.mro():
            if cls.__module__.startswith("odoo.addons.openid4vci."):
                for method, value in vars(cls).items():
                    if callable(value) and not method.startswith("_"):
                        yield method

    def is_callable_by_rpc(self, model, method):
        try:
            get_public_method(self.env[model], method)
        except AccessError:
            return False
        return True

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_the_letter(self):
        reports = self.env["ir.actions.report"]
        picture = self.env["report.openid4vci.offer_letter"]._qr_code(self.pending)
        for name, user in self.users.items():
            with self.subTest(f"{name} prints the letter"):
                render = reports.with_user(user)._render_qweb_html
                if name in HELP_DESK:
                    letter, _kind = render("openid4vci.offer_letter", self.pending.ids)
                    self.assertIn(picture, str(letter))
                else:
                    with self.assertRaises(AccessError):
                        render("openid4vci.offer_letter", self.pending.ids)

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_an_issuer_is_set_up_for_one_s_own_company(self):
        company = self.env["res.company"].create({"name": "Another ministry"})
        administrator = self.users["administrator"]
        wizard = self.env["vci.setup.wizard"].with_user(administrator).create(
            {"url": ISSUER, "with_key": False, "company_id": company.id}
        )
        with self.assertRaises(AccessError):
            wizard.action_set_up()
        self.assertFalse(company.vci_issuer_url)

    def test_dialogs(self):
        rights = {
            "vci.help.desk": HELP_DESK,
            "vci.offer.wizard": HELP_DESK,
            "vci.refusal.wizard": OFFICER,
            "vci.setup.wizard": ADMINISTRATOR,
        }
        for model, allowed in rights.items():
            for name, user in self.users.items():
                with self.subTest(f"{name} opens {model}"):
                    self.assertEqual(
                        self.env[model].with_user(user).has_access("create"),
                        name in allowed,
                    )


@tagged("post_install", "-at_install")
class TestReading(SecurityCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.offer = cls.create_offer_of_partner()

    def test_models(self):
        for model in MODELS:
            for name, user in self.users.items():
                with self.subTest(f"{name} reads {model}"):
                    self.assertEqual(
                        self.env[model].with_user(user).has_access("read"),
                        name in VIEWER,
                    )

    def test_secrets(self):
        readers = {
            "qr_code": HELP_DESK,
            "credential_offer_uri": OFFICER,
            "page_uri": OFFICER,
            "pre_authorized_code": OFFICER,
        }
        for field, allowed in readers.items():
            for name in VIEWER:
                with self.subTest(f"{name} reads {field}"):
                    if name in allowed:
                        [values] = self.call_as(
                            name, "vci.offer", "read", self.offer.ids, [field]
                        )
                        self.assertTrue(values[field])
                    else:
                        with self.assertRaises(AccessError):
                            self.call_as(
                                name, "vci.offer", "read", self.offer.ids, [field]
                            )

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_secrets_by_side_doors(self):
        # Ways of Odoo's own to a field's value that do not ask for its groups.
        code, picture = self.offer.pre_authorized_code, self.offer.qr_code.decode()
        fields = ["credential_offer_uri", "page_uri", "pre_authorized_code", "qr_code"]
        self.users["viewer"].group_ids += self.env.ref("base.group_allow_export")
        ids = self.offer.ids
        doors = {
            "export_data": [ids, fields],
            "onchange": [ids, {}, [], {name: {} for name in fields}],
            "web_read": [ids, {name: {} for name in fields}],
            "search_read": [[("id", "in", ids)], fields],
            "web_search_read": [[("id", "in", ids)], {name: {} for name in fields}],
        }
        for method, args in doors.items():
            with self.subTest(method):
                try:
                    told = str(self.call_as("viewer", "vci.offer", method, *args))
                except AccessError:
                    continue
                self.assertNotIn(code, told)
                self.assertNotIn(picture, told)
        # They do tell them to those who may read them.
        told = str(self.call_as("officer", "vci.offer", "web_read", *doors["web_read"]))
        self.assertIn(code, told)
        self.assertIn(picture, told)

    def test_nobody_reads_a_pin(self):
        # It is known to the call that made it, and no call reads it afterwards.
        offer = self.create_offer_of_partner(tx_code="123456")
        [values] = self.call_as(
            "administrator", "vci.offer", "read", offer.ids, ["tx_code"]
        )
        self.assertFalse(values["tx_code"])

    def test_a_code_is_searched_by_officers_alone(self):
        domain = [("pre_authorized_code", "=", self.offer.pre_authorized_code)]
        found = self.call_as("officer", "vci.offer", "search", domain)
        self.assertEqual(found, self.offer.ids)
        for name in ("viewer", "help_desk"):
            with self.subTest(name), self.assertRaises(AccessError):
                self.call_as(name, "vci.offer", "search", domain)


@tagged("post_install", "-at_install")
class TestRules(SecurityCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Another ministry"})
        cls.create_configuration("Badge", binding="absent")
        cls.create_configuration(
            "Waiting", binding="absent", options={"deferred": True}
        )
        labels = {
            "ours": {"company_id": cls.env.company.id, "area": "NCR"},
            "elsewhere": {"company_id": cls.env.company.id, "area": "BARMM", "n": 1},
            "theirs": {"company_id": cls.other_company.id, "area": "NCR"},
            "everybodys": {"area": "NCR", "n": 1},
            "unlabelled": None,
        }
        cls.records = {
            "vci.offer": {
                name: cls.create_offer_of_partner(code="Badge", labels=value)
                for name, value in labels.items()
            },
            "vci.credential": {},
            "vci.deferred": {},
        }
        fetched = {"vci.credential": "Badge", "vci.deferred": "Waiting"}
        for model, code in fetched.items():
            for name, value in labels.items():
                offer = cls.create_offer_of_partner(code=code, labels=value)
                cls.fetch_credential(offer, code)
                cls.records[model][name] = cls.env[model].search(
                    [("offer_id", "=", offer.id)]
                )

    def seen(self, model, user):
        """Names of the records that a user finds, and of those that are read by id:
        the same, or it fails."""
        records = self.records[model]
        all_ids = [record.id for record in records.values()]
        mine = self.env[model].with_user(user)
        found = set(mine.search([("id", "in", all_ids)]).ids)
        self.env.invalidate_all()
        readable = set(mine.browse(all_ids)._filtered_access("read").ids)
        self.assertEqual(found, readable)
        for name, record in records.items():
            self.env.invalidate_all()
            if record.id in found:
                self.assertTrue(mine.browse(record.id).read(["name"]), name)
            else:
                with self.assertRaises(AccessError, msg=name):
                    mine.browse(record.id).read(["name"])
        return {name for name, record in records.items() if record.id in found}

    @mute_logger("odoo.addons.base.models.ir_rule")
    def assert_seen(self, user, *names):
        for model in self.records:
            with self.subTest(model):
                self.assertEqual(self.seen(model, user), set(names))

    def test_by_company(self):
        self.assert_seen(
            self.users["viewer"], "ours", "elsewhere", "everybodys", "unlabelled"
        )
        stranger = self.create_user(
            "vci_stranger",
            "group_issuer_admin",
            company_id=self.other_company.id,
            company_ids=[(6, 0, self.other_company.ids)],
        )
        # What tells no company is of the companies that have its issuer.
        self.assert_seen(stranger, "theirs")
        self.other_company.vci_issuer_url = ISSUER
        self.assert_seen(stranger, "theirs", "everybodys", "unlabelled")
        # An issuer made in SQL, which nobody has yet, is everybody's.
        (self.other_company | self.env.company).vci_issuer_url = False
        self.assert_seen(stranger, "theirs", "everybodys", "unlabelled")

    def test_by_label(self):
        officer = self.users["officer"]
        officer.vci_labels = {"area": ["NCR", "CAR"]}
        self.assert_seen(officer, "ours", "everybodys")
        officer.vci_labels = {"area": ["NCR", "BARMM"], "n": ["1"]}
        self.assert_seen(officer, "elsewhere", "everybodys")
        officer.vci_labels = {"area": ["CAR"]}
        self.assert_seen(officer)
        officer.vci_labels = False
        self.assert_seen(officer, "ours", "elsewhere", "everybodys", "unlabelled")

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_actions_keep_to_the_rules(self):
        offers = self.records["vci.offer"]
        deferred = self.records["vci.deferred"]
        self.users["officer"].vci_labels = {"area": ["NCR"]}
        for method in (
            "action_show",
            "action_extend",
            "action_new_link",
            "action_new_pin",
            "action_reopen",
            "action_cancel",
            "action_open_subject",
            "get_credential_offer_uri",
        ):
            for name in ("elsewhere", "theirs", "unlabelled"):
                ids = offers[name].ids
                with self.subTest(f"{method} {name}"), self.assertRaises(AccessError):
                    self.call_as("officer", "vci.offer", method, ids)
        for method in ("action_complete", "action_deny"):
            with self.subTest(method), self.assertRaises(AccessError):
                self.call_as(
                    "officer", "vci.deferred", method, deferred["elsewhere"].ids
                )
        # Of several, one that is not seen is enough.
        both = offers["ours"].ids + offers["elsewhere"].ids
        with self.assertRaises(AccessError):
            self.call_as("officer", "vci.offer", "action_cancel", both)
        self.assertEqual(offers["ours"].state, "pending")

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_nobody_offers_what_he_would_not_see(self):
        self.users["officer"].vci_labels = {"area": ["NCR"]}
        values = {
            "credential_type_id": self.configuration.id,
            "credential_subject_model": "res.partner",
            "credential_subject_id": self.partner.id,
        }
        made = self.call_as(
            "officer", "vci.offer", "create", {**values, "labels": {"area": "NCR"}}
        )
        self.assertTrue(made)
        for labels in ({"area": "BARMM"}, {"company_id": self.other_company.id}):
            labelled = {**values, "labels": labels}
            with self.subTest(labels), self.assertRaises(AccessError):
                self.call_as("officer", "vci.offer", "create", labelled)
        for labels in ("NCR", ["NCR"]):
            labelled = {**values, "labels": labels}
            with self.subTest(labels), self.assertRaises(UserError):
                self.call_as("officer", "vci.offer", "create", labelled)
        # What the record's own labels say holds, whatever the call gives.
        partners = self.env.registry["res.partner"]
        elsewhere = {"area": "BARMM"}
        with (
            patch.object(partners, "get_credential_labels", lambda record: elsewhere),
            self.assertRaises(AccessError),
        ):
            self.call_as(
                "officer", "vci.offer", "create", {**values, "labels": {"area": "NCR"}}
            )

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_nobody_issues_what_he_would_not_see(self):
        badge = self.env["vci.credential.configuration"].search(
            [("code", "=", "Badge"), ("issuer_id", "=", self.issuer.id)]
        )
        partner = self.partner.ids
        call = ("officer", "res.partner", "issue_credential", partner, badge.id)
        partners = self.env.registry["res.partner"]
        company = {"company_id": self.env.company.id}
        for labels, limit, may in (
            (company, False, True),
            ({"company_id": str(self.env.company.id)}, False, True),
            ({}, False, True),
            ({"company_id": self.other_company.id}, False, False),
            ({**company, "area": "NCR"}, {"area": ["NCR"]}, True),
            ({**company, "area": "BARMM"}, {"area": ["NCR"]}, False),
            ({**company, "n": 1, "ok": True}, {"n": ["1"], "ok": ["true"]}, True),
            (company, {"area": ["NCR"]}, False),
        ):
            self.users["officer"].vci_labels = limit
            with (
                self.subTest(labels=labels, limit=limit),
                patch.object(
                    partners, "get_credential_labels", lambda record, said=labels: said
                ),
            ):
                if may:
                    self.assertTrue(self.call_as(*call))
                else:
                    with self.assertRaises(AccessError):
                        self.call_as(*call)

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_an_issuer_is_its_companies(self):
        """With its keys and configurations, to read and to act on."""
        stranger = self.create_user(
            "vci_other_ministry",
            "group_issuer_admin",
            "group_key_admin",
            company_id=self.other_company.id,
            company_ids=[(6, 0, self.other_company.ids)],
        )
        self.users["stranger"] = stranger
        theirs = {
            "vci.issuer": self.issuer,
            "vci.credential.configuration": self.configuration,
            "vci.key": self.env["vci.key"].search([("kid", "=", self.kid)]),
        }
        for model, record in theirs.items():
            for user, may in ((stranger, False), (self.users["viewer"], True)):
                mine = self.env[model].with_user(user)
                self.env.invalidate_all()
                with self.subTest(model, user=user.login):
                    self.assertEqual(mine.browse(record.id).has_access("read"), may)
                    found = mine.search([("id", "=", record.id)])
                    self.assertEqual(bool(found), may)
        partner, key = self.partner.ids, theirs["vci.key"].ids
        code = self.configuration.id
        values = {
            "credential_type_id": code,
            "credential_subject_model": "res.partner",
            "credential_subject_id": partner[0],
        }
        for model, method, *args in (
            ("vci.issuer", "action_pause", self.issuer.ids),
            ("vci.issuer", "action_rotate_key", self.issuer.ids),
            ("vci.key", "action_rotate", key),
            ("vci.credential.configuration", "write", [code], {"scope": "theirs"}),
            ("vci.credential.configuration", "unlink", [code]),
            ("vci.offer", "create", values),
            ("res.partner", "issue_credential", partner, code),
        ):
            with self.subTest(method), self.assertRaises(AccessError):
                self.call_as("stranger", model, method, *args)
        # An archived company keeps its issuer to itself.
        company = self.env["res.company"].create(
            {"name": "Former", "vci_issuer_url": "https://former.example"}
        )
        self.sql.call("vci_create_issuer", "https://former.example")
        company.active = False
        issuers = self.env["vci.issuer"].with_user(stranger)
        self.assertFalse(issuers.search([("url", "=", "https://former.example")]))

    def test_an_issuer_is_not_taken_from_its_company(self):
        stranger = self.create_user(
            "vci_taker",
            "group_issuer_admin",
            company_id=self.other_company.id,
            company_ids=[(6, 0, self.other_company.ids)],
        )
        setup = self.env["vci.setup.wizard"].with_user(stranger).with_company(
            self.other_company
        )
        wizard = setup.create({"url": ISSUER, "with_key": False})
        with self.assertRaises(UserError):
            wizard.action_set_up()
        self.assertFalse(self.other_company.vci_issuer_url)
        # Who is in both companies may share it, whichever is chosen at the moment.
        stranger.company_ids += self.env.company
        wizard.with_context(allowed_company_ids=self.other_company.ids).action_set_up()
        self.assertEqual(self.other_company.vci_issuer_url, ISSUER)

    def test_labels_are_found(self):
        ours = self.records["vci.offer"]
        found = self.call_as(
            "viewer",
            "vci.offer",
            "search",
            [("labels", "=", '{"n": 1, "area": "NCR"}')],
        )
        every_id = {offer.id for offer in ours.values()}
        self.assertEqual(every_id & set(found), set(ours["everybodys"].ids))
        for text in ("area", '["area"]', "{"):
            with self.subTest(text), self.assertRaises(UserError):
                self.call_as("viewer", "vci.offer", "search", [("labels", "=", text)])


@tagged("post_install", "-at_install")
class TestLabelsOfUsers(VciCase):
    def test_written_as_text(self):
        user = self.create_user("vci_labelled", "group_offerer")
        user.vci_labels_text = "area: NCR, CAR\n\n campaign :2026-11\narea: BARMM"
        self.assertEqual(
            user.vci_labels, {"area": ["NCR", "CAR", "BARMM"], "campaign": ["2026-11"]}
        )
        user.invalidate_recordset()
        self.assertEqual(
            user.vci_labels_text, "area: NCR, CAR, BARMM\ncampaign: 2026-11"
        )
        user.vci_labels_text = ""
        self.assertFalse(user.vci_labels)

    def test_what_is_no_label_is_refused(self):
        user = self.create_user("vci_mislabelled", "group_offerer")
        for text in ("area", "area:", ": NCR", "area: ,"):
            with self.subTest(text), self.assertRaises(ValidationError):
                user.vci_labels_text = text
                user.flush_recordset()
        for labels in ({"area": "NCR"}, {"area": [1]}, {"area": []}, ["area"]):
            with self.subTest(labels), self.assertRaises(ValidationError):
                user.vci_labels = labels

    def test_users_do_not_lift_their_own_limit(self):
        user = self.create_user("vci_limited", "group_issuer_admin")
        user.vci_labels = {"area": ["NCR"]}
        for values in ({"vci_labels": False}, {"vci_labels_text": ""}):
            with self.subTest(values), self.assertRaises(AccessError):
                user.with_user(user).write(values)

# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Credential configurations, OpenSPP's credential types: vci_configuration_info."""

import json
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .vci_sql import jsonb

METADATA = "/.well-known/openid-credential-issuer"

# OpenSPP's name for the format, beside the formats' own.
FORMAT_ALIASES = {"sd_jwt_vc": "dc+sd-jwt"}

# Fields, and what vci_create_configuration and vci_alter_configuration call them.
MEMBERS = {
    "vct": "vct",
    "scope": "scope",
    "binding": "binding",
    "deferred": "deferred",
    "claims_source": "claims_source",
    "claims": "claims",
}
# Those that vci_create_configuration takes in its options.
OPTIONS = ("deferred", "status_bits")
CLAIM_LISTS = {
    "always_disclosed_claims": "always_disclosed",
    "selectively_disclosable_claims": "selectively_disclosable",
}
# Fields that are members of the first entry of display.
DISPLAY_MEMBERS = {
    "display_locale": "locale",
    "background_color": "background_color",
    "text_color": "text_color",
}
DISPLAY_FIELDS = {"name", "display_name", "display_logo_uri", *DISPLAY_MEMBERS}
FIXED = {"code", "issuer_id"}
KNOWN = {
    *MEMBERS,
    *CLAIM_LISTS,
    *DISPLAY_FIELDS,
    *FIXED,
    "active",
    "display",
    "format",
    "source_model",
    "status_bits",
    "validity_days",
}

# A claim is told by its name, one within another claim by its path as JSON.
CLAIM_NAME = """CASE WHEN jsonb_array_length(p.path) = 1
                     THEN p.path ->> 0 ELSE p.path::text END"""


class VciCredentialConfiguration(models.Model):
    _name = "vci.credential.configuration"
    _description = "Credential configuration"
    _inherit = ["vci.view.mixin"]
    _auto = False
    _log_access = False
    _rec_name = "name"
    _rec_names_search = ["name", "code"]
    _order = "issuer_id, code"

    code = fields.Char(required=True, copy=False)
    name = fields.Char()
    issuer_id = fields.Many2one(
        "vci.issuer",
        default=lambda self: self.env["vci.issuer"]._for_company(self.env.company),
    )
    format = fields.Selection(
        [
            ("dc+sd-jwt", "SD-JWT VC (dc+sd-jwt)"),
            ("vc+sd-jwt", "SD-JWT VC (vc+sd-jwt)"),
        ],
        default="dc+sd-jwt",
    )
    vct = fields.Char(
        "Type (vct)",
        copy=False,
        help="A URI that tells verifiers what kind of credential it is. Without one, it"
        " is made of the issuer's URL and the code.",
    )
    scope = fields.Char(copy=False)
    validity_days = fields.Integer(
        aggregator=None, default=365, help="0: credentials do not expire"
    )
    binding = fields.Selection(
        [("required", "Required"), ("optional", "Optional"), ("absent", "None")],
        "Key binding",
        default="required",
        help="Whether the wallet proves a key, without which nobody can use the"
        " credential",
    )
    deferred = fields.Boolean(help="Each credential waits until somebody approves it")
    status_bits = fields.Selection(
        [
            ("1", "Revoked"),
            ("2", "Revoked or suspended"),
            ("4", "Revoked or suspended (4 bits)"),
            ("8", "Revoked or suspended (8 bits)"),
        ],
        "Can be",
        help="Each credential gets a place in a status list, where verifiers look"
        " whether it is still good. Credentials that are out do not change. Empty: what"
        " was issued stays good until it expires.",
    )
    claims_source = fields.Char(
        help="A function of the database, schema.function, that tells the claims when a"
        " credential is issued"
    )
    always_disclosed_claims = fields.Char(help="Names, separated by commas")
    selectively_disclosable_claims = fields.Char(help="Names, separated by commas")
    claims = fields.Json()
    display = fields.Json()
    display_locale = fields.Char("Language", default="en-US")
    display_logo_uri = fields.Char("Logo")
    background_color = fields.Char(default="#12107c")
    text_color = fields.Char(default="#FFFFFF")
    created_at = fields.Datetime(readonly=True, copy=False)
    retired_at = fields.Datetime(readonly=True, copy=False)
    active = fields.Boolean(readonly=True, copy=False)
    source_model = fields.Char(
        compute="_compute_source_model",
        search="_search_source_model",
        readonly=False,
        copy=True,
        help="The model whose records the credential is about",
    )

    @api.model
    def _view_query(self):
        return f"""
            SELECT c.number AS id, c.id AS code,
                   COALESCE(c.display -> 0 ->> 'name', c.id) AS name, c.issuer_id,
                   c.format, c.vct, c.scope,
                   (EXTRACT(EPOCH FROM c.validity) / 86400)::integer AS validity_days,
                   c.binding, c.deferred, c.status_bits::text AS status_bits,
                   c.claims_source,
                   (SELECT string_agg({CLAIM_NAME}, ',' ORDER BY p.position)
                    FROM jsonb_array_elements(c.always_disclosed)
                         WITH ORDINALITY AS p (path, position)
                   ) AS always_disclosed_claims,
                   (SELECT string_agg({CLAIM_NAME}, ',' ORDER BY p.position)
                    FROM jsonb_array_elements(c.selectively_disclosable)
                         WITH ORDINALITY AS p (path, position)
                   ) AS selectively_disclosable_claims,
                   c.claims, c.display, c.display -> 0 ->> 'locale' AS display_locale,
                   c.display -> 0 -> 'logo' ->> 'uri' AS display_logo_uri,
                   c.display -> 0 ->> 'background_color' AS background_color,
                   c.display -> 0 ->> 'text_color' AS text_color,
                   c.created_at AT TIME ZONE 'UTC' AS created_at,
                   c.retired_at AT TIME ZONE 'UTC' AS retired_at,
                   c.retired_at IS NULL AS active
            FROM openid4vci.vci_configuration_info c"""

    # The model that it is for -------------------------------------------------------

    def _compute_source_model(self):
        sources = self.env["vci.configuration.source"].sudo().search(
            [("number", "in", self.ids)]
        )
        models_by_number = {s.number: s.source_model for s in sources}
        for configuration in self:
            configuration.source_model = models_by_number.get(configuration._origin.id)

    def _search_source_model(self, operator, value):
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        sources = self.env["vci.configuration.source"].sudo()
        named = sources.search([("source_model", operator, value)])
        found = Domain("id", "in", named.mapped("number"))
        if operator == "in" and False in value:
            found |= Domain("id", "not in", sources.search([]).mapped("number"))
        return found

    def _set_source_model(self, source_model):
        sources = self.env["vci.configuration.source"].sudo()
        known = sources.search([("number", "in", self.ids)])
        if not source_model:
            known.unlink()
        else:
            known.source_model = source_model
            sources.create(
                [
                    {"number": number, "source_model": source_model}
                    for number in set(self.ids) - set(known.mapped("number"))
                ]
            )
        self.invalidate_recordset(["source_model"])

    # Changing ---------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access("create")
        return self.browse().concat(*[self._create_one(vals) for vals in vals_list])

    def _create_one(self, vals):
        values = self._with_defaults(vals)
        code = values.get("code")
        if not code:
            raise UserError(
                self.env._(
                    "The configuration needs a code, such as EntitlementCredential:"
                    " wallets know it by that."
                )
            )
        issuer = self.env["vci.issuer"].browse(values.get("issuer_id"))
        if not issuer:
            raise UserError(
                self.env._(
                    "There is no issuer yet whose credential this could be. Set one up"
                    " under Settings, Credentials."
                )
            )
        if not values.get("vct"):
            values["vct"] = f"{issuer.url}/credentials/{code}"
        members = self._members(values, code, values.get("display"))
        members = {
            name: jsonb(member) if isinstance(member, list) else member
            for name, member in members.items()
            if member is not None or name == "validity"
        }
        options = {name: members.pop(name) for name in OPTIONS if members.get(name)}
        members.pop("deferred", None)
        self.env["vci.sql"].call(
            "vci_create_configuration",
            code,
            issuer=issuer.url,
            options=options,
            **members,
        )
        configuration = self.search(
            [("code", "=", code), ("issuer_id", "=", issuer.id)], limit=1
        )
        if values.get("source_model"):
            configuration._set_source_model(values["source_model"])
        # Its type (vct) may be an address to serve.
        self.env.registry.clear_cache("routing")
        return configuration

    def _with_defaults(self, vals):
        values = self._add_missing_default_values(vals)
        if vals.get("display"):
            # It is whole: no default of ours goes over it.
            for name in DISPLAY_FIELDS - set(vals):
                values.pop(name, None)
        return values

    def _load_records_create(self, vals_list):
        """A module that was removed and comes back finds its configurations still
        there: they stay, and are changed to what its data files say."""
        records = self.browse()
        for vals in vals_list:
            values = self._with_defaults(vals)
            known = self.search(
                [
                    ("code", "=", values.get("code")),
                    ("issuer_id", "=", values.get("issuer_id")),
                ]
            )
            if known:
                known.write(vals)
            records += known or self.create(vals)
        return records

    def copy_data(self, default=None):
        copies = super().copy_data(default)
        for configuration, values in zip(self, copies, strict=True):
            values.setdefault("code", f"{configuration.code}Copy")
        return copies

    def write(self, vals):
        self.check_access("write")
        for configuration in self:
            configuration._write_one(dict(vals))
        return True

    def _write_one(self, values):
        self._refuse_what_is_for_good(values)
        if "source_model" in values:
            self._set_source_model(values.pop("source_model"))
        if values.pop("active", True) is False:
            self.unlink()
        for name in FIXED:
            values.pop(name, None)
        changes = self._members(values, self.code, values.get("display", self.display))
        if changes:
            self.env["vci.sql"].call(
                "vci_alter_configuration", self.code, changes, self.issuer_id.url
            )
        if "vct" in changes:
            self.env.registry.clear_cache("routing")

    def _refuse_what_is_for_good(self, values):
        if values.get("code", self.code) != self.code or (
            values.get("issuer_id", self.issuer_id.id) != self.issuer_id.id
        ):
            raise UserError(
                self.env._(
                    "A configuration keeps its code and its issuer, since wallets know"
                    " it by them. Make a new one, and archive this one."
                )
            )
        if values.get("active") and not self.active:
            raise UserError(
                self.env._(
                    "An archived configuration does not come back. Make a new one with"
                    " another code."
                )
            )

    def unlink(self):
        """Retires them: what was issued stays recorded, and a code is not used
        again."""
        self.check_access("unlink")
        for configuration in self.filtered("active"):
            self.env["vci.sql"].call(
                "vci_retire_configuration",
                configuration.code,
                configuration.issuer_id.url,
            )
        return True

    # What the extension calls it ----------------------------------------------------

    @api.model
    def _members(self, values, code, display):
        """Values of fields as the arguments of vci_create_configuration and changes of
        vci_alter_configuration; display is what the display fields change."""
        self._refuse_unknown(values)
        members = {
            member: values[name] or None if name != "deferred" else bool(values[name])
            for name, member in MEMBERS.items()
            if name in values
        }
        for name, member in CLAIM_LISTS.items():
            if name in values:
                members[member] = self._claim_list(values[name])
        if values.get("format"):
            members["format"] = self._format(values["format"])
        if "status_bits" in values:
            bits = values["status_bits"]
            members["status_bits"] = int(bits) if bits else None
        if "validity_days" in values:
            days = values["validity_days"]
            members["validity"] = f"{int(days)} days" if days else None
        if (DISPLAY_FIELDS | {"display"}) & set(values):
            members["display"] = self._display(values, code, display)
        return members

    @api.model
    def _refuse_unknown(self, values):
        if "claim_mapping_jq" in values:
            raise UserError(
                self.env._(
                    "claim_mapping_jq is not known here: get_credential_claims() of the"
                    " model, or a claims source in SQL, tells the claims."
                )
            )
        unknown = set(values) - KNOWN
        if unknown:
            raise ValueError(f"{self._name} takes no {', '.join(sorted(unknown))}")

    @api.model
    def _format(self, name):
        name = FORMAT_ALIASES.get(name, name)
        formats = dict(self._fields["format"].selection)
        if name not in formats:
            raise UserError(
                self.env._(
                    "Credentials of the format “%(format)s” are not issued. Take one of"
                    " these: %(formats)s.",
                    format=name,
                    formats=", ".join([*FORMAT_ALIASES, *formats]),
                )
            )
        return name

    @api.model
    def _claim_list(self, text):
        """Names separated by commas; a claim within another one is a path as JSON:
        name,["address", "city"]."""
        claims, rest = [], (text or "").strip()
        while rest:
            if rest.startswith("["):
                try:
                    claim, end = json.JSONDecoder().raw_decode(rest)
                except ValueError:
                    raise UserError(
                        self.env._("This path to a claim is no JSON: %s", rest)
                    ) from None
                after = rest[end:].lstrip()
                if after and not after.startswith(","):
                    raise UserError(self.env._("A comma is missing before: %s", after))
                rest = after[1:]
            else:
                claim, _comma, rest = rest.partition(",")
                claim = claim.strip()
            if claim:
                claims.append(claim)
            rest = rest.lstrip()
        return claims

    @api.model
    def _display(self, values, code, display):
        """The display with the first entry changed: others are other languages'."""
        first, *others = display or [{}]
        first = dict(first)
        names = [values.get("display_name"), values.get("name"), first.get("name")]
        first["name"] = next(filter(None, names), code)
        for name, member in DISPLAY_MEMBERS.items():
            if name in values:
                first[member] = values[name]
        if "display_logo_uri" in values:
            uri = values["display_logo_uri"]
            first["logo"] = dict(first.get("logo") or {}, uri=uri) if uri else None
        return [{name: member for name, member in first.items() if member}, *others]

    # OpenSPP's ----------------------------------------------------------------------

    def get_credential_configuration(self):
        """What wallets read of it in the issuer's metadata; empty once it is
        retired."""
        self.ensure_one()
        self.check_access("read")
        issuer = urlsplit(self.issuer_id.url)
        answer = self.env["vci.sql"].call(
            "vci_http", "GET", METADATA + issuer.path, ["Host", issuer.netloc]
        )
        if answer["status"] != 200:
            return {}
        metadata = json.loads(answer["body"])
        return metadata["credential_configurations_supported"].get(self.code, {})

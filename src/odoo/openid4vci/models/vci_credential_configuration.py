# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Credential configurations, OpenSPP's credential types: vci_configuration_info."""

from odoo import api, fields, models

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
    _order = "issuer_id, code"

    code = fields.Char(required=True)
    name = fields.Char()
    issuer_id = fields.Many2one("vci.issuer")
    format = fields.Selection(
        [("dc+sd-jwt", "SD-JWT VC (dc+sd-jwt)"), ("vc+sd-jwt", "SD-JWT VC (vc+sd-jwt)")]
    )
    vct = fields.Char("Type (vct)")
    scope = fields.Char()
    validity_days = fields.Integer(aggregator=None)
    binding = fields.Selection(
        [("required", "Required"), ("optional", "Optional"), ("absent", "None")],
        "Key binding",
    )
    deferred = fields.Boolean()
    claims_source = fields.Char()
    always_disclosed_claims = fields.Char(help="Names, separated by commas")
    selectively_disclosable_claims = fields.Char(help="Names, separated by commas")
    claims = fields.Json()
    display = fields.Json()
    display_locale = fields.Char("Language")
    display_logo_uri = fields.Char("Logo")
    background_color = fields.Char()
    text_color = fields.Char()
    created_at = fields.Datetime(readonly=True)
    retired_at = fields.Datetime(readonly=True)
    active = fields.Boolean(readonly=True)
    source_model = fields.Char(
        compute="_compute_source_model",
        search="_search_source_model",
        help="The model whose records the credential is about",
    )

    @api.model
    def _view_query(self):
        return f"""
            SELECT c.number AS id, c.id AS code,
                   COALESCE(c.display -> 0 ->> 'name', c.id) AS name, c.issuer_id,
                   c.format, c.vct, c.scope,
                   (EXTRACT(EPOCH FROM c.validity) / 86400)::integer AS validity_days,
                   c.binding, c.deferred, c.claims_source,
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

    def _compute_source_model(self):
        sources = self.env["vci.configuration.source"].sudo().search(
            [("number", "in", self.ids)]
        )
        models_by_number = {s.number: s.source_model for s in sources}
        for configuration in self:
            configuration.source_model = models_by_number.get(configuration.id)

    def _search_source_model(self, operator, value):
        sources = self.env["vci.configuration.source"].sudo().search(
            [("source_model", operator, value)]
        )
        return [("id", "in", sources.mapped("number"))]

# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import logging
from urllib.parse import unquote, urlsplit

import psycopg2

from odoo import SUPERUSER_ID, api, models
from odoo.tools import str2bool

from ..controllers.no_database import answer_without_database
from ..controllers.routes import ROUTES

_logger = logging.getLogger(__name__)


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def _generate_routing_rules(self, modules, converters):
        """Serve the issuers' endpoints, if an administrator said so. Otherwise Odoo
        knows none of these paths."""
        serves = self._vci_serves_wallets()
        endpoint = None
        for url, found in super()._generate_routing_rules(modules, converters):
            if found.routing.get("type") != "vci":
                yield url, found
            elif serves:
                endpoint = found
                yield url, found
        if endpoint:
            routes = self._vci_routes()
            answer_without_database(ROUTES + routes)
            for url in routes:
                yield url, endpoint

    def _register_hook(self):
        super()._register_hook()
        if self._vci_serves_wallets():
            answer_without_database(ROUTES + self._vci_routes())

    @api.model
    def _vci_serves_wallets(self):
        parameters = self.env["ir.config_parameter"].with_user(SUPERUSER_ID)
        return str2bool(parameters.get_param("openid4vci.http"), False)

    @api.model
    def _vci_routes(self):
        """Routes of the paths that issuers chose, in any order, each once.

        Whatever is wrong with the extension, Odoo itself must go on serving.
        """
        issuers = self.env["vci.issuer"].with_user(SUPERUSER_ID)
        try:
            with self.env.cr.savepoint(flush=False):
                found = issuers.search([])
                paths = {path for issuer in found for path in self._vci_paths(issuer)}
        except psycopg2.Error as error:
            _logger.error("No issuer is served: SQLSTATE %s", error.pgcode)
            return []
        return sorted(
            path + "/<path:below>" if prefix else path
            for path, prefix in paths
            if self._vci_may_serve(path)
        )

    @api.model
    def _vci_paths(self, issuer):
        """Where an issuer has endpoints, as (path, whether it also is all below)."""
        base = issuer.base_path or ""
        yield self._vci_path(issuer.url, base), True
        for name, changed in (issuer.endpoints or {}).items():
            path = self._vci_path(
                changed.get("base_url") or issuer.url,
                changed.get("path") or f"{base}/{name}",
            )
            yield path, False
            if name == "offer":
                yield path, True

    @api.model
    def _vci_path(self, url, path):
        return unquote(urlsplit(url).path).rstrip("/") + path

    @api.model
    def _vci_may_serve(self, path):
        """Not everything below the host's root: that is Odoo's own; and nothing that
        means something else in a route."""
        if path and "<" not in path:
            return True
        _logger.warning("The endpoints below %s/ cannot be served by Odoo", path)
        return False

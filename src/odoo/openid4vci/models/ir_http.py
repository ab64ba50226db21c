# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import logging
from urllib.parse import unquote, urlsplit

import psycopg2

from odoo import SUPERUSER_ID, api, models
from odoo.tools import str2bool

from ..controllers.no_database import answer_without_database
from ..controllers.routes import ROUTES

_logger = logging.getLogger(__name__)

# Endpoints below which each offer, or list, has its own address, and those that are
# called otherwise than their path.
WITH_PATHS_BELOW = ("offer", "landing", "status_list")
PATHS = {"landing": "/o"}


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def _generate_routing_rules(self, modules, converters):
        """Serve the issuers' endpoints, if an administrator said so. Otherwise Odoo
        knows none of these paths."""
        serves = self._vci_serves_wallets()
        endpoint, odoos = None, set()
        for url, found in super()._generate_routing_rules(modules, converters):
            if found.routing.get("type") != "vci":
                odoos.add(url)
                yield url, found
            elif serves:
                endpoint = found
                yield url, found
        if endpoint:
            routes = self._vci_routes()
            # A type (vct) may have any address, but takes none of Odoo's pages away.
            routes += sorted(self._vci_type_routes() - odoos - {*routes, *ROUTES})
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
    def _vci_type_routes(self):
        """Routes of credential types whose name (vct) is an address of an issuer's:
        verifiers read there what it is."""
        configurations = self.env["vci.credential.configuration"]
        try:
            with self.env.cr.savepoint(flush=False):
                found = configurations.with_user(SUPERUSER_ID).search(
                    [("vct", "=like", "http%")]
                )
                hosts = {
                    issuer: self._vci_hosts(issuer) for issuer in found.issuer_id
                }
                types = {
                    url.path
                    for kind in found
                    if (url := urlsplit(kind.vct))[:2] in hosts[kind.issuer_id]
                }
        except psycopg2.Error as error:
            _logger.error("No credential type is served: SQLSTATE %s", error.pgcode)
            return set()
        return {path for path in types if path.strip("/") and "<" not in path}

    @api.model
    def _vci_hosts(self, issuer):
        """Scheme and host of an issuer and of its endpoints."""
        endpoints = (issuer.endpoints or {}).values()
        urls = [issuer.url, *[changed.get("base_url") for changed in endpoints]]
        return {urlsplit(url)[:2] for url in urls if url}

    @api.model
    def _vci_paths(self, issuer):
        """Where an issuer has endpoints, as (path, whether it also is all below)."""
        base = issuer.base_path or ""
        yield self._vci_path(issuer.url, base), True
        # Landing pages lie beside the others, by a short path that fits into messages.
        endpoints = {"landing": {}, **(issuer.endpoints or {})}
        for name, changed in endpoints.items():
            path = self._vci_path(
                changed.get("base_url") or issuer.url,
                changed.get("path") or PATHS.get(name) or f"{base}/{name}",
            )
            if name != "landing":
                yield path, False
            if name in WITH_PATHS_BELOW:
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

# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from contextlib import suppress
from typing import Annotated

import psycopg2
from fastapi import Depends, Request

from odoo import fields, models
from odoo.api import Environment
from odoo.http import request as odoo_request

from odoo.addons.fastapi.dependencies import odoo_env
from odoo.addons.openid4vci.controllers.fault import Fault
from odoo.addons.openid4vci.controllers.main import ask, largest_body, target_of

from ..routers.vci import (
    MAX_BODY,
    Ask,
    ask_vci_http,
    body_of_request,
    max_body,
    target_of_request,
    vci_router,
)


def ask_in_odoo(env: Annotated[Environment, Depends(odoo_env)]) -> Ask:
    """In the transaction of the request, which Odoo commits, or runs once more."""

    def ask_or_tell(*request):
        try:
            return ask(env.cr, *request)
        except Fault as fault:
            # There is nothing to commit. Raised, it would lose its headers.
            with suppress(psycopg2.Error):
                env.cr.rollback()
            return fault.code, fault.get_headers(), fault.get_body().encode()

    return ask_or_tell


def target_in_odoo(request: Request) -> str:
    """On its way through WSGI a path is decoded; Odoo still has it as it came."""
    if odoo_request:
        return target_of(odoo_request.httprequest)
    return target_of_request(request)


def max_body_in_odoo(env: Annotated[Environment, Depends(odoo_env)]) -> int:
    """As much as vci_http takes."""
    return largest_body(env.cr, odoo_request.httprequest) if odoo_request else MAX_BODY


async def body_in_odoo(
    request: Request, limit: Annotated[int, Depends(max_body)]
) -> bytes | int:
    """On its way through WSGI a body that does not tell its length is lost."""
    if "Transfer-Encoding" in request.headers:
        return 411
    return await body_of_request(request, limit)


class FastapiEndpoint(models.Model):
    _inherit = "fastapi.endpoint"

    app = fields.Selection(
        selection_add=[("vci", "VCI Endpoint")], ondelete={"vci": "cascade"}
    )

    def _get_fastapi_routers(self):
        if self.app == "vci":
            return [vci_router]
        return super()._get_fastapi_routers()

    def _get_app_dependencies_overrides(self):
        overrides = super()._get_app_dependencies_overrides()
        if self.app == "vci":
            overrides |= {
                ask_vci_http: ask_in_odoo,
                body_of_request: body_in_odoo,
                max_body: max_body_in_odoo,
                target_of_request: target_in_odoo,
            }
        return overrides

    def _prepare_fastapi_app_params(self):
        """Every path is the issuer's, none a page about the API."""
        params = super()._prepare_fastapi_app_params()
        if self.app == "vci":
            params |= {"docs_url": None, "redoc_url": None, "openapi_url": None}
        return params

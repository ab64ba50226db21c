# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from a2wsgi import ASGIMiddleware

from fastapi import FastAPI

from odoo import fields, models, tools

from ..context import raised_ctx


class FastapiEndpoint(models.Model):
    """Applications, each below a path of Odoo's."""

    _name = "fastapi.endpoint"
    _description = "FastAPI Endpoint"

    name = fields.Char(required=True)
    description = fields.Text()
    root_path = fields.Char(required=True)
    app = fields.Selection([], required=True)
    user_id = fields.Many2one(
        "res.users", default=lambda self: self.env.ref("base.public_user")
    )
    save_http_session = fields.Boolean(default=True)
    registry_sync = fields.Boolean()

    def action_sync_registry(self):
        self.registry_sync = True
        self.env.registry.clear_cache("routing")

    def _get_fastapi_routers(self):
        return []

    def _get_app_dependencies_overrides(self):
        return {}

    def _prepare_fastapi_app_params(self):
        return {"title": self.name, "description": self.description}

    def _get_app(self):
        app = FastAPI(**self._prepare_fastapi_app_params())
        for router in self._get_fastapi_routers():
            app.include_router(router)
        app.dependency_overrides.update(self._get_app_dependencies_overrides())
        return app

    @tools.ormcache("self.id")
    def _get_wsgi_app(self):
        root = FastAPI()
        root.mount(self.root_path, self._get_app())

        async def with_exceptions_kept(scope, receive, send):
            try:
                await root(scope, receive, send)
            except Exception as error:
                raised_ctx.get().append(error)

        return ASGIMiddleware(with_exceptions_kept)

# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
import io

from werkzeug.exceptions import HTTPException

from odoo.http import Dispatcher

from .context import odoo_env_ctx, raised_ctx


class FastapiDispatcher(Dispatcher):
    routing_type = "fastapi"

    @classmethod
    def is_compatible_with(cls, request):
        return True

    def dispatch(self, endpoint, args):
        request = self.request
        request.params = {}
        body = request.httprequest.get_data()
        environ = {**request.httprequest.environ, "wsgi.input": io.BytesIO(body)}
        record = request.env["fastapi.endpoint"].sudo().browse(endpoint.record_id)
        raised = []
        contexts = [
            (odoo_env_ctx, odoo_env_ctx.set(record.with_user(record.user_id).env)),
            (raised_ctx, raised_ctx.set(raised)),
        ]
        try:
            content = b"".join(record._get_wsgi_app()(environ, self._start_response))
        finally:
            for variable, token in contexts:
                variable.reset(token)
        # The application has answered an exception with 500; Odoo must see it, to run
        # the request again after a conflict.
        if raised:
            raise raised[0]
        return request.make_response(content, headers=self.headers, status=self.status)

    def _start_response(self, status, headers, exc_info=None):
        if exc_info:
            raise exc_info[1]
        self.status = int(status[:3])
        self.headers = headers

    def handle_error(self, exc):
        known = isinstance(exc, HTTPException)
        return self.request.make_json_response(
            {"detail": exc.description if known else "Internal Server Error"},
            status=exc.code if known else 500,
        )

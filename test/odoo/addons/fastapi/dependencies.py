# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from .context import odoo_env_ctx


def odoo_env():
    """The environment of the request, as the endpoint's user."""
    return odoo_env_ctx.get()

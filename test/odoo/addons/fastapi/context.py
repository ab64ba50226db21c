# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What goes from Odoo's thread into that of the application, and back."""

from contextvars import ContextVar

odoo_env_ctx = ContextVar("odoo_env_ctx")
raised_ctx = ContextVar("raised_ctx")

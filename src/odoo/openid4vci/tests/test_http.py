# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The endpoints that Odoo serves, without a server."""

# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The endpoints of the issuer as a router of FastAPI. It knows no Odoo."""

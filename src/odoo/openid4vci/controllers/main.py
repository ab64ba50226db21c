# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The endpoints of the issuer, served by Odoo: one call of vci_http each."""

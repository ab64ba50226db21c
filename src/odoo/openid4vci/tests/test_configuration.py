# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Credential configurations: making, changing, retiring them."""

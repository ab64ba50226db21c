# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Calls of the extension: values, errors, what is missing."""

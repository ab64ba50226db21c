# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Who may do what, and who sees what."""

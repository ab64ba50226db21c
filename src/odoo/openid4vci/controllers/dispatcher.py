# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The dispatcher of routing type vci, which does not parse the body."""

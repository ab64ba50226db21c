# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Models over the views of the extension."""

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL


class VciViewMixin(models.AbstractModel):
    """A model that is an SQL view over the extension: a real one, or an empty one with
    the same columns as long as the extension is not there.

    A model that inherits it has _auto = False, _log_access = False and
    _view_query(). The views of two models must not depend on each other: Odoo drops
    them one by one.
    """

    _name = "vci.view.mixin"
    _description = "Model over a view of the extension openid4vci"

    @api.model
    def _view_query(self):
        """The SELECT of the view, with a column for id and each stored field."""
        raise NotImplementedError

    # Rows are the extension's: a model overrides what it can do by functions.

    @api.model_create_multi
    def create(self, vals_list):
        raise self._vci_refusal()

    def write(self, vals):
        raise self._vci_refusal()

    def unlink(self):
        raise self._vci_refusal()

    def _vci_refusal(self):
        return UserError(
            self.env._(
                "%s: these records are kept by the database itself. They change by the"
                " buttons of their form, and are neither added, edited nor deleted.",
                self.env["ir.model"]._get(self._name).name,
            )
        )

    def _vci_require(self, group):
        """Each action begins with this, since it may be called by RPC: the rules let
        the user see the records, and the user is in the group. The extension checks
        the duty of Odoo's role afterwards."""
        self.check_access("read")
        if self.env.su or self.env.user.has_group(f"openid4vci.{group}"):
            return
        raise AccessError(
            self.env._(
                "This takes the access right “%s”. Ask whoever administers users.",
                self.env.ref(f"openid4vci.{group}").sudo().name,
            )
        )

    @api.model
    def _vci_notification(self, message, kind="success"):
        """What a button returns to tell what it has done; the form reads its record
        anew."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": message,
                "type": kind,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def init(self):
        if not self._abstract:
            self._vci_make_view()

    def _register_hook(self):
        super()._register_hook()
        if not self._abstract:
            self._vci_refresh_view()

    @api.model
    def _vci_refresh_view(self):
        """Make the view anew where it is empty and need not be, or the reverse, or
        not there: after a restore, or when the extension was installed later."""
        wanted = "real" if self.env["vci.sql"].available() else "empty"
        if self._vci_view_kind() != wanted:
            self._vci_make_view()

    @api.model
    def _vci_view_kind(self):
        """real, empty, or None when there is no view."""
        rows = self.env["vci.sql"].query(
            SQL(
                """SELECT obj_description(c.oid, 'pg_class') AS comment
                   FROM pg_catalog.pg_class c
                   WHERE c.oid = to_regclass(quote_ident(%s)) AND c.relkind = 'v'""",
                self._table,
            ),
            writes=False,
        )
        if not rows:
            return None
        return "empty" if rows[0]["comment"] == "empty" else "real"

    @api.model
    def _vci_make_view(self):
        sql = self.env["vci.sql"]
        available = sql.available()
        view = SQL.identifier(self._table)
        # Several workers load their registry at once, and each may find it missing.
        sql.query(
            SQL("SELECT pg_advisory_xact_lock(hashtext(%s))", self._table),
            writes=False,
        )
        sql.query(SQL("DROP VIEW IF EXISTS %s CASCADE", view), writes=False)
        query = SQL(self._view_query()) if available else self._vci_empty_query()
        sql.query(
            SQL(
                "CREATE VIEW %s AS SELECT %s FROM (%s) AS extension",
                view,
                SQL(", ").join(SQL.identifier(name) for name in self._vci_columns()),
                query,
            ),
            writes=False,
        )
        if not available:
            sql.query(SQL("COMMENT ON VIEW %s IS 'empty'", view), writes=False)

    @api.model
    def _vci_columns(self):
        """Names of the columns, and that the query has them all is seen when the view
        is made."""
        return [
            field.name
            for field in self._fields.values()
            if field.store and field.column_type
        ]

    @api.model
    def _vci_empty_query(self):
        columns = [
            SQL(
                "NULL::%s AS %s",
                SQL("bigint" if name == "id" else self._fields[name].column_type[1]),
                SQL.identifier(name),
            )
            for name in self._vci_columns()
        ]
        return SQL("SELECT %s WHERE false", SQL(", ").join(columns))

# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""What is checked before the addon is installed, and tidied when it goes."""

import logging

from odoo.exceptions import UserError
from odoo.tools import SQL

from .models.vci_sql import VciSql

_logger = logging.getLogger(__name__)


def pre_init_hook(env):
    """Install where the extension is there and the role may read it, or where the role
    can create it itself; else say what the database administrator must run."""
    # The model is not registered before the hook is done.
    sql = VciSql(env, (), ())
    missing = sql.missing()
    if missing == "install" and _can_create_extension(sql):
        sql.query(SQL("CREATE EXTENSION openid4vci"))
        missing = sql.missing()
    if missing:
        raise UserError(
            env._(
                "%(reason)s Ask the database administrator to run, as superuser, and"
                " install this again:\n\n%(lines)s",
                reason=_reason(env, sql, missing),
                lines=sql.dba_lines(missing),
            )
        )


def uninstall_hook(env):
    """The extension stays with all that was offered and issued. Odoo would unlink the
    records of data files, which would retire configurations: it forgets that they came
    from files instead."""
    models = env.registry.descendants(["vci.view.mixin"], "_inherit")
    names = env["ir.model.data"].search([("model", "in", list(models))])
    # Their subjects are records of the same files, and go.
    offers = names.filtered(lambda name: name.model == "vci.offer").mapped("res_id")
    env["vci.offer"].browse(offers).exists()._cancel()
    names.unlink()
    env["ir.config_parameter"].search([("key", "=like", "openid4vci.%")]).unlink()
    env["vci.sql"].query(
        SQL("DROP FUNCTION IF EXISTS vci_cancel_offers_of_deleted() CASCADE")
    )
    _logger.info(
        "The PostgreSQL extension openid4vci stays in database %s: issuers, offers and"
        " records of credentials are kept, and wallets are served where another front"
        " end than Odoo is",
        env.cr.dbname,
    )


def _can_create_extension(sql):
    return _extension_is_available(sql) and sql.query(
        SQL("SELECT current_setting('is_superuser') = 'on' AS superuser"), writes=False
    )[0]["superuser"]


def _extension_is_available(sql):
    return bool(
        sql.query(
            SQL(
                "SELECT name FROM pg_catalog.pg_available_extensions"
                " WHERE name = 'openid4vci'"
            ),
            writes=False,
        )
    )


def _reason(env, sql, missing):
    if missing == "duties":
        return env._("Odoo's database role may not use the extension openid4vci yet.")
    if missing == "upgrade":
        return env._("The extension openid4vci is too old.")
    if _extension_is_available(sql):
        return env._("This database does not have the extension openid4vci yet.")
    return env._(
        "The extension openid4vci is not installed on the PostgreSQL server: put its"
        " package there first."
    )

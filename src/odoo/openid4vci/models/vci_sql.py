# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The one way from Odoo to the extension openid4vci."""

import datetime
import json
import logging
import re
import shlex
import threading
from contextlib import contextmanager
from decimal import Decimal

import psycopg2

from odoo import api, models, tools
from odoo.exceptions import UserError
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

# What Odoo handles itself: it runs the request again (40001, 40P01, 55P03) or turns
# to a cursor that may write (25006).
LEFT_TO_ODOO = ("40001", "40P01", "55P03", "25006")

# Classes of SQLSTATE that tell of the call, not of the server.
OF_THE_CALL = ("0A", "21", "22", "23", "25", "3F", "42", "54", "55", "P0")

# No such schema, table, function.
NOT_THERE = ("3F000", "42P01", "42883")
NO_PRIVILEGE = "42501"

# A hint that is SQL, and nothing that somebody at a screen can do.
STATEMENT = re.compile("(SELECT|ALTER|CREATE|GRANT|LOAD) ")

# The views that this addon's models read.
INFO_VIEWS = [
    "vci_issuer_info",
    "vci_configuration_info",
    "vci_offer_info",
    "vci_credential_info",
    "vci_deferred_info",
    "vci_key_info",
    "vci_campaign_info",
    "vci_campaign_failure_info",
    "vci_funnel_info",
]

DUTIES = ("offerer", "issuer_admin", "endpoint", "backup")


def json_text(value):
    """JSON of value: dates as ISO 8601, datetimes (Odoo's are UTC) with Z, Decimals
    with every digit, where Python's own encoder refuses all three."""
    if isinstance(value, dict):
        members = (f"{json.dumps(str(k))}:{json_text(v)}" for k, v in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(json_text(item) for item in value) + "]"
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("JSON has no number that is not finite")
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        if value.tzinfo:
            value = value.astimezone(datetime.UTC).replace(tzinfo=None)
        return json.dumps(value.isoformat() + "Z")
    if isinstance(value, datetime.date):
        return json.dumps(value.isoformat())
    return json.dumps(value, allow_nan=False)


def jsonb(value):
    """An argument of type jsonb. Dicts become one by themselves, lists need this:
    else they are text[]."""
    return SQL("%s::jsonb", json_text(value))


def argument(value):
    """value as an argument of an SQL function, of the type that the function takes."""
    if isinstance(value, dict):
        return jsonb(value)
    if isinstance(value, list | tuple):
        return SQL("%s::text[]", list(value))
    if isinstance(value, bytes | memoryview):
        return SQL("%s", psycopg2.Binary(value))
    if isinstance(value, datetime.datetime) and not value.tzinfo:
        return SQL("%s", value.replace(tzinfo=datetime.UTC))
    return value if isinstance(value, SQL) else SQL("%s", value)


def as_odoo_has_it(value):
    """A value of a result: bytea as bytes, points in time as Odoo has them (UTC,
    naive)."""
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, datetime.datetime) and value.tzinfo:
        return value.astimezone(datetime.UTC).replace(tzinfo=None)
    return value


@contextmanager
def unrecorded():
    """Odoo's profiler keeps each statement with its values: none of these."""
    thread = threading.current_thread()
    hooks = getattr(thread, "query_hooks", [])
    thread.query_hooks = []
    try:
        yield
    finally:
        thread.query_hooks = hooks


class VciSql(models.AbstractModel):
    _name = "vci.sql"
    _description = "Calls of the extension openid4vci"

    # Calls ----------------------------------------------------------------------

    @api.private
    def call(self, function, /, *args, **named):
        """Call a function of the extension in this transaction.

        Dicts are passed as jsonb, lists as text[] (see jsonb()), None as NULL.
        Returns the value, or a dict where the function returns several columns, or
        None where it returns no row. An error of the call is raised as UserError
        with `sqlstate`, and the transaction goes on.
        """
        rows = self.rows(function, *args, **named)
        if not rows:
            return None
        row = rows[0]
        return next(iter(row.values())) if len(row) == 1 else row

    @api.private
    def rows(self, function, /, *args, **named):
        """As call(), of a function that returns many rows: a list of dicts."""
        return self.query(
            SQL("SELECT * FROM %s", self.function_call(function, *args, **named)),
            writes=self._is_volatile(function),
        )

    @api.private
    def function_call(self, function, /, *args, **named):
        """The call itself as SQL, for statements that call it for many rows."""
        if not re.fullmatch("vci_[a-z0-9_]+", function):
            raise ValueError(f"{function} is no function of the extension")
        arguments = [argument(value) for value in args]
        arguments += [
            SQL("%s => %s", SQL.identifier(name), argument(value))
            for name, value in named.items()
        ]
        return SQL(
            "%s(%s)",
            SQL.identifier("openid4vci", function),
            SQL(", ").join(arguments),
        )

    @api.private
    def view(self, view, /, **equal):
        """Rows of a view of the extension whose columns have the given values, as a
        list of dicts; for what no model shows."""
        if not re.fullmatch("vci_[a-z0-9_]+_info", view):
            raise ValueError(f"{view} is no view of the extension")
        conditions = [
            SQL("%s IS NOT DISTINCT FROM %s", SQL.identifier(name), argument(value))
            for name, value in equal.items()
        ]
        return self.query(
            SQL(
                "SELECT * FROM %s WHERE %s",
                SQL.identifier("openid4vci", view),
                SQL(" AND ").join([SQL("true"), *conditions]),
            ),
            writes=False,
        )

    @api.private
    def query(self, query, writes=True):
        """Run a statement and return its rows as a list of dicts.

        Its values are secrets as often as not: Odoo must not log the statement. What
        Odoo has not written yet is written before, since claims sources read Odoo's
        tables, and what it has read is forgotten afterwards.
        """
        if writes:
            self.env.flush_all()
        error = None
        try:
            with self.env.cr.savepoint(flush=False):
                with unrecorded():
                    self.env.cr.execute(query, log_exceptions=False)
                rows = self.env.cr.dictfetchall() if self.env.cr.description else []
        except psycopg2.Error as caught:
            if not self._is_of_the_call(caught.pgcode):
                raise
            error = self._user_error(caught)
        # Outside of the handler: the error of the database may quote values, and
        # would be chained to ours.
        if error:
            raise error
        if writes:
            self.env.invalidate_all(flush=False)
        return [
            {name: as_odoo_has_it(value) for name, value in row.items()} for row in rows
        ]

    @tools.ormcache("function")
    def _is_volatile(self, function):
        """May it write? What does not is called while fields are being computed, when
        the cache must be left alone."""
        rows = self.query(
            SQL(
                """SELECT p.provolatile = 'v' AS volatile
                   FROM pg_catalog.pg_proc p
                        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                   WHERE n.nspname = 'openid4vci' AND p.proname = %s""",
                function,
            ),
            writes=False,
        )
        return not rows or rows[0]["volatile"]

    # Errors ---------------------------------------------------------------------

    @api.model
    def _is_of_the_call(self, sqlstate):
        return bool(
            sqlstate and sqlstate not in LEFT_TO_ODOO and sqlstate[:2] in OF_THE_CALL
        )

    @api.model
    def _user_error(self, caught):
        """The error for the person at the screen. No value of the statement is in it:
        the detail is left out."""
        sqlstate, told = caught.pgcode, caught.diag
        _logger.info("openid4vci refused a call with SQLSTATE %s", sqlstate)
        lines = [told.message_primary]
        if STATEMENT.match(told.message_hint or ""):
            lines.append(self.env._("Ask the database administrator to run:"))
        lines.append(told.message_hint)
        missing = self.missing() if sqlstate in (*NOT_THERE, NO_PRIVILEGE) else None
        if not missing and sqlstate == NO_PRIVILEGE and self.lacks_duties():
            missing = "duties"
        if missing:
            lines.append(
                self.env._("Ask the database administrator to run, as superuser:")
            )
            lines.append(self.dba_lines(missing))
        error = UserError("\n\n".join(line for line in lines if line))
        error.sqlstate = sqlstate
        return error

    # What is there --------------------------------------------------------------

    @api.private
    @tools.ormcache()
    def available(self):
        """Is the extension here, new enough, and may the role read it? Kept until
        check()."""
        return not self.missing()

    @api.private
    def missing(self):
        """The topic of dba_lines() that makes the extension available; None when it
        is."""
        found = self.query(
            SQL(
                """SELECT pg_get_userbyid(s.nspowner) = current_user AS own_schema,
                          EXISTS (SELECT FROM pg_catalog.pg_extension
                                  WHERE extname = 'openid4vci') AS extension,
                          EXISTS (SELECT FROM pg_catalog.pg_attribute a
                                  WHERE a.attrelid = v.configurations
                                    AND a.attname = 'status_bits') AS new_enough,
                          v.readable
                             AND has_schema_privilege(s.oid, 'USAGE') AS readable
                   FROM (VALUES (1)) one
                   LEFT JOIN pg_catalog.pg_namespace s ON s.nspname = 'openid4vci'
                   LEFT JOIN LATERAL (
                      SELECT bool_and(has_table_privilege(c.oid, 'SELECT')) AS readable,
                             max(c.oid) FILTER (
                                WHERE c.relname = 'vci_configuration_info'
                             ) AS configurations
                      FROM pg_catalog.pg_class c
                      WHERE c.relnamespace = s.oid AND c.relname = ANY(%s)
                   ) v ON true""",
                INFO_VIEWS,
            ),
            writes=False,
        )[0]
        if not found["extension"]:
            # A restore as a role that is no superuser leaves an empty schema of its
            # own, which CREATE EXTENSION refuses.
            return "restore" if found["own_schema"] else "install"
        if not found["new_enough"]:
            return "upgrade"
        return None if found["readable"] else "duties"

    @api.private
    def lacks_duties(self):
        """Is one of the duties missing that this addon cannot do without?"""
        return not all(self.call("vci_duty_issuers", duty) for duty in DUTIES)

    @api.private
    def check(self):
        """Look again whether the extension is available and make our views real, or
        empty, accordingly."""
        self.env.registry.clear_cache("default", "routing")
        for name in self.env.registry.descendants(["vci.view.mixin"], "_inherit"):
            if not self.env[name]._abstract:
                self.env[name]._vci_refresh_view()
        self.env.invalidate_all()
        return self.available()

    # The database administrator's part ------------------------------------------

    @api.private
    def dba_lines(self, topic, *about):
        """The lines that a superuser of the database runs in a shell, one a line;
        about: what the topic is about, such as the URL of an issuer."""
        return "\n".join(getattr(self, f"_dba_{topic}")(*about))

    @api.model
    def _psql(self, *statements):
        words = ["psql", "-v", "ON_ERROR_STOP=1", "-d", shlex.quote(self.env.cr.dbname)]
        for statement in statements:
            words += ["-c", self._shell_word(statement)]
        return " ".join(words)

    @api.model
    def _shell_word(self, statement):
        """Statements hold apostrophes: easier to read between double quotes."""
        if re.search(r'["$`\\!]', statement):
            return shlex.quote(statement)
        return f'"{statement}"'

    def _role(self):
        """The database role that Odoo is, as SQL writes it."""
        return self.query(
            SQL("SELECT quote_literal(current_user) AS role"), writes=False
        )[0]["role"]

    def _literal(self, text):
        return self.query(SQL("SELECT quote_literal(%s) AS text", text), writes=False)[
            0
        ]["text"]

    def _role_identifier(self):
        return self.query(
            SQL("SELECT quote_ident(current_user) AS role"), writes=False
        )[0]["role"]

    def _dba_install(self):
        return [self._psql("CREATE EXTENSION openid4vci"), *self._dba_duties()]

    def _dba_upgrade(self):
        return [
            self._psql(
                "ALTER EXTENSION openid4vci UPDATE",
                "SELECT openid4vci.vci_reapply_duties()",
            )
        ]

    def _dba_duties(self):
        role = self._role()
        return [
            self._psql(
                *[f"SELECT openid4vci.vci_grant({role}, '{duty}')" for duty in DUTIES]
            )
        ]

    def _dba_restore(self):
        """The extension's part of a dump, which Odoo's restore leaves out."""
        database = shlex.quote(self.env.cr.dbname)
        return [
            self._psql("DROP SCHEMA openid4vci", "CREATE EXTENSION openid4vci"),
            "unzip -p DUMP.zip dump.sql"
            r" | awk '/^COPY openid4vci\./ {on = 1}"
            r" on || /^SELECT pg_catalog.setval\(.openid4vci\./ {print}"
            r" /^\\\.$/ {on = 0}'"
            f" | psql -q -v ON_ERROR_STOP=1 -d {database}",
            self._psql("SELECT openid4vci.vci_reapply_duties()"),
            *self._dba_adopt(),
        ]

    def _dba_adopt(self):
        """A copy issues nothing until somebody says that the original will no more."""
        return [
            self._psql(
                "SELECT * FROM openid4vci.vci_after_restore('TIME OF THE DUMP')",
                "SELECT openid4vci.vci_adopt_database()",
            )
        ]

    def _dba_logs(self):
        """Odoo writes values into its statements, which PostgreSQL must not log."""
        role = self._role_identifier()
        return [
            self._psql(
                f"ALTER ROLE {role} SET log_min_error_statement = 'panic'",
                f"ALTER ROLE {role} SET log_statement = 'none'",
                f"ALTER ROLE {role} SET log_min_duration_statement = -1",
            )
        ]

    def _dba_root_key(self):
        """Where it lies unless set otherwise."""
        return [
            "sudo install -d -m 0755 /etc/openid4vci",
            "sudo test -e /etc/openid4vci/root.key || openssl rand -hex 32"
            " | sudo install -m 0400 -o postgres /dev/stdin /etc/openid4vci/root.key",
        ]

    def _dba_create_key(self, url):
        return [self._psql(f"SELECT openid4vci.vci_create_key({self._literal(url)})")]

    def _dba_rotate_key(self, url):
        return [self._psql(f"SELECT openid4vci.vci_rotate_key({self._literal(url)})")]

    def _dba_duplicate(self):
        """Odoo ends all connections to a database before it copies it, the proxy's
        too."""
        return [self._psql(f"GRANT pg_signal_backend TO {self._role_identifier()}")]

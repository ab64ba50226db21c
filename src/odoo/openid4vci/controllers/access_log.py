# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Keeps what only the wallet may know out of the server's own access log."""

import logging
import re

# Whoever has what follows can act for the person: the link of an offer by reference,
# an authorization request under way.
SECRET = re.compile(
    r"(/offer/|[?&](?:request|request_uri|issuer_state)=)[\w%:.~-]{40,}", re.ASCII
)


class SecretFilter(logging.Filter):
    def filter(self, record):
        line = record.getMessage()
        masked = SECRET.sub(r"\1*", line)
        if masked != line:
            record.msg, record.args = masked, ()
        return True


logging.getLogger("werkzeug").addFilter(SecretFilter())

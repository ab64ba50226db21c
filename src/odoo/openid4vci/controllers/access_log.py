# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Keeps what only the wallet may know out of the servers' own access logs."""

import logging
import re

# Whoever has what stands there can act for the person: short links of offers; codes
# and PINs that somebody put into a query; and all that is as long as a ticket, wherever
# an issuer's paths lead (the link of an offer by reference, a request under way).
SECRET = re.compile(
    r"""(?<=/o/)[^\s?"']+"""
    r"""|(?<=[?&]tx_code=)[^\s&"']+"""
    r"""|[\w%~.-]{40,}""",
    re.ASCII,
)


class SecretFilter(logging.Filter):
    def filter(self, record):
        line = record.getMessage()
        masked = SECRET.sub("*", line)
        if masked != line:
            record.msg, record.args = masked, ()
        return True


# Of the workers and of the evented server beside them.
for name in ("werkzeug", "longpolling"):
    logging.getLogger(name).addFilter(SecretFilter())

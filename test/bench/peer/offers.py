"""Makes offers of the peer issuer, with the claims of the sandbox's demo, and prints their codes.

Usage: offers.py COUNT, in the environment of issuer.py.
"""
import os
import sys

import psycopg2

from issuer import CODE_LIFETIME, sign_ticket

INSERT = """
INSERT INTO offer (configuration_id, subject_model, subject_id, claims, expires_at)
SELECT 'BenchmarkCredential', 'demo.person', 'maria',
       jsonb_build_object(
           'entitlementId', 'ENT-2026-' || lpad(n::text, 6, '0'),
           'entitlementStatus', 'approved',
           'programName', 'Cash Transfer Program',
           'cycle', '2026-Q1',
           'beneficiaryName', 'Maria Santos',
           'amount', jsonb_build_object('value', 1250.50, 'currency', 'PHP')),
       now() + %s * interval '1 s'
FROM generate_series(1, %s) AS n
RETURNING id
"""

with psycopg2.connect(os.environ["PEER_DATABASE"]) as connection, connection.cursor() as cursor:
    cursor.execute(INSERT, (CODE_LIFETIME, int(sys.argv[1])))
    for (offer_id,) in cursor.fetchall():
        print(sign_ticket("code", offer_id, CODE_LIFETIME))

-- vci_set_key_certificates, vci_key_csr, vci_import_key with a chain; x5c in credentials.
\pset format unaligned
\pset tuples_only on

-- A key, and what an authority made of it, good until 2099; one certificate is over, one is
-- self-signed. The server's own certificates are made in TAP, with openssl.
SELECT vci_create_issuer('https://chain.example') > 0;
SELECT vci_create_configuration('Card', 'https://chain.example/card', binding => 'absent',
    issuer => 'https://chain.example');
CREATE TABLE helper.pem (name text PRIMARY KEY, body text NOT NULL);
INSERT INTO helper.pem VALUES
('key', '-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg5FjlcCP3UpWEkAEd
C9Tn1PEhq3f4Ql1y3/PS9noMFsOhRANCAAQo2DvBIglZZX5LHbslcuN1zkPE+xCC
o5RkI6/VvTBDo7/TZdsh8b6HaEAzfF9B51Fpw7Pt518JY+WF0ewl2xH5
-----END PRIVATE KEY-----
'),
('leaf', '-----BEGIN CERTIFICATE-----
MIIB0zCCAXmgAwIBAgIBAzAKBggqhkjOPQQDAjAoMQ0wCwYDVQQKDARUZXN0MRcw
FQYDVQQDDA5UZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMDk5MTIz
MTIzNTk1OVowJzENMAsGA1UECgwEVGVzdDEWMBQGA1UEAwwNY2hhaW4uZXhhbXBs
ZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCjYO8EiCVllfksduyVy43XOQ8T7
EIKjlGQjr9W9MEOjv9Nl2yHxvodoQDN8X0HnUWnDs+3nXwlj5YXR7CXbEfmjgZIw
gY8wDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwHwYDVR0jBBgwFoAU/KGt
9ElCZNcHOoG8L2Ummt5croYwLwYDVR0RBCgwJoINY2hhaW4uZXhhbXBsZYYVaHR0
cHM6Ly9jaGFpbi5leGFtcGxlMB0GA1UdDgQWBBSgHdtzkdYel7nYpU+DyR5/b9wY
TzAKBggqhkjOPQQDAgNIADBFAiEA/6zvmhfqI/ZRkePygCNs0klsg9N8Vc75Sx37
urBdOoICIBPNs1qRcZjVfJsqO8HucUX0Ut030jpYbIvGzTBywbNw
-----END CERTIFICATE-----
'),
('middle', '-----BEGIN CERTIFICATE-----
MIIBnjCCAUWgAwIBAgIBAjAKBggqhkjOPQQDAjAjMQ0wCwYDVQQKDARUZXN0MRIw
EAYDVQQDDAlUZXN0IHJvb3QwIBcNMjAwMTAxMDAwMDAwWhgPMjA5OTEyMzEyMzU5
NTlaMCgxDTALBgNVBAoMBFRlc3QxFzAVBgNVBAMMDlRlc3QgYXV0aG9yaXR5MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEvL8kGJOy00xd0G5AexaBUsm6SAwtXsIl
kob0Pig2F5DbVn9nMvioE8CY95T9GvmzdZjN2BjnIQ+fbaYaG4UnoqNjMGEwDwYD
VR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAgQwHQYDVR0OBBYEFPyhrfRJQmTX
BzqBvC9lJpreXK6GMB8GA1UdIwQYMBaAFHofNnSwWdLg2YSKfx7/g11NKSPzMAoG
CCqGSM49BAMCA0cAMEQCIHgd83EuZSc5TEvOA8uyc+3MtDmAuxct5csxm+uHgzwF
AiB2ln2r8e/gO+kO2Z5wgO49n2J21G1fQIc63dk6SThSlQ==
-----END CERTIFICATE-----
'),
('root', '-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIBATAKBggqhkjOPQQDAjAjMQ0wCwYDVQQKDARUZXN0MRIw
EAYDVQQDDAlUZXN0IHJvb3QwIBcNMjAwMTAxMDAwMDAwWhgPMjA5OTEyMzEyMzU5
NTlaMCMxDTALBgNVBAoMBFRlc3QxEjAQBgNVBAMMCVRlc3Qgcm9vdDBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABG0TgvK2OYO9RjvdfsGGeh2OoL9SdmKdRlAgmmbv
2katmZrm2Psr6dDectxSwDn56gSiJAsjMgE5zt00RQgCxVWjQjBAMA8GA1UdEwEB
/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgIEMB0GA1UdDgQWBBR6HzZ0sFnS4NmEin8e
/4NdTSkj8zAKBggqhkjOPQQDAgNIADBFAiB0pmdyfjFIfNCbH60jSsaa/BHJcP7R
oIaTXSVmFBhE4gIhAOxBkQZnJZRtOZbJs7b+6n8mLjH/uFQ1STvdqbZ6xGdC
-----END CERTIFICATE-----
'),
('expired', '-----BEGIN CERTIFICATE-----
MIIB0jCCAXegAwIBAgIBBDAKBggqhkjOPQQDAjAoMQ0wCwYDVQQKDARUZXN0MRcw
FQYDVQQDDA5UZXN0IGF1dGhvcml0eTAeFw0yMDAxMDEwMDAwMDBaFw0yNDAxMDEw
MDAwMDBaMCcxDTALBgNVBAoMBFRlc3QxFjAUBgNVBAMMDWNoYWluLmV4YW1wbGUw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQo2DvBIglZZX5LHbslcuN1zkPE+xCC
o5RkI6/VvTBDo7/TZdsh8b6HaEAzfF9B51Fpw7Pt518JY+WF0ewl2xH5o4GSMIGP
MAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/BAQDAgeAMB8GA1UdIwQYMBaAFPyhrfRJ
QmTXBzqBvC9lJpreXK6GMC8GA1UdEQQoMCaCDWNoYWluLmV4YW1wbGWGFWh0dHBz
Oi8vY2hhaW4uZXhhbXBsZTAdBgNVHQ4EFgQUoB3bc5HWHpe52KVPg8kef2/cGE8w
CgYIKoZIzj0EAwIDSQAwRgIhALPowc9QR4UpLC0jRaAonySr1QVJ2U9vRwOv3+wk
p1lwAiEAxVPyNU/o9tvE86N6ca1rnvqGrqVl2S1P9CFAj5lNlHM=
-----END CERTIFICATE-----
'),
('self', '-----BEGIN CERTIFICATE-----
MIIBrjCCAVWgAwIBAgIBBTAKBggqhkjOPQQDAjAnMQ0wCwYDVQQKDARUZXN0MRYw
FAYDVQQDDA1jaGFpbi5leGFtcGxlMCAXDTIwMDEwMTAwMDAwMFoYDzIwOTkxMjMx
MjM1OTU5WjAnMQ0wCwYDVQQKDARUZXN0MRYwFAYDVQQDDA1jaGFpbi5leGFtcGxl
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKNg7wSIJWWV+Sx27JXLjdc5DxPsQ
gqOUZCOv1b0wQ6O/02XbIfG+h2hAM3xfQedRacOz7edfCWPlhdHsJdsR+aNwMG4w
DAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwLwYDVR0RBCgwJoINY2hhaW4u
ZXhhbXBsZYYVaHR0cHM6Ly9jaGFpbi5leGFtcGxlMB0GA1UdDgQWBBSgHdtzkdYe
l7nYpU+DyR5/b9wYTzAKBggqhkjOPQQDAgNHADBEAiA7evKPdvneHDHmcVaHr5Zt
fleo1o2lutikW3PjHh2KuwIgBD5yxpKp8/IM7Utmt6jS2xT2wBASLlWkgIqe+Nzi
5CQ=
-----END CERTIFICATE-----
');
CREATE FUNCTION helper.pem(VARIADIC names text[]) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(p.body, '' ORDER BY n)
    FROM unnest(names) WITH ORDINALITY AS name (name, n) JOIN helper.pem AS p USING (name)
$$;
CREATE FUNCTION helper.header(kid text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT helper.jwt_part(vci_issue_sdjwt('Card', '{"a": 1}', issuer => 'https://chain.example'), 1)
        - '{alg,typ}'::text[]
$$;
-- The DER of a certificate as x5c has it: base64 in one line.
CREATE FUNCTION helper.der(name text) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(body, '-----[A-Z ]+-----|\s', '', 'g') FROM helper.pem AS p WHERE p.name = der.name
$$;

-- Imported with its chain: the anchor is left out, and the header carries the rest.
SELECT vci_import_key(helper.pem('key'), 'https://chain.example',
    certificates => helper.pem('leaf', 'middle', 'root')) AS chained \gset
SELECT kid = :'chained', alg, state, x5c = jsonb_build_array(helper.der('leaf'), helper.der('middle'))
FROM vci_key_info WHERE issuer = 'https://chain.example';
SELECT helper.header(:'chained') = jsonb_build_object('kid', :'chained', 'x5c',
    jsonb_build_array(helper.der('leaf'), helper.der('middle')));
-- The same after each change, at once; what is published about the key stays as it is.
SELECT vci_set_key_certificates(:'chained', helper.pem('leaf'), 'https://chain.example');
SELECT helper.header(:'chained') -> 'x5c' = jsonb_build_array(helper.der('leaf'));
SELECT vci_set_key_certificates(:'chained', NULL, 'https://chain.example');
SELECT helper.header(:'chained') ? 'x5c';
SELECT vci_set_key_certificates(:'chained', E'text before\n' || helper.pem('leaf', 'middle'), 'https://chain.example');
SELECT jsonb_array_length(helper.header(:'chained') -> 'x5c');
SELECT key - '{x,y,kid}'::text[] FROM helper.http('GET', '/api/v1/openid4vci/jwks', '{Host, chain.example}'),
    jsonb_array_elements(body_out -> 'keys') AS key;
-- A verdict needs no certificates, nor is it worse with them.
SELECT helper.claims(vci_issue_sdjwt('Card', '{"a": 1}', issuer => 'https://chain.example'));

SELECT helper.error(format('SELECT vci_set_key_certificates(%L, %L, %L)', :'chained', certificates,
    'https://chain.example'))
FROM (VALUES (1, ''), (2, 'no PEM'), (3, helper.pem('middle')), (4, helper.pem('self')),
    (5, helper.pem('leaf', 'root')), (6, helper.pem('leaf', 'root', 'middle')),
    (7, helper.pem('expired', 'middle')), (8, left(helper.pem('leaf'), 400)),
    (9, helper.pem('key')), (10, helper.pem('leaf', 'middle', 'root', 'root', 'root', 'root')),
    (11, repeat('-', 200000))) AS c (n, certificates) ORDER BY n;
SELECT vci_create_key('https://chain.example', 'ES384', 'next') AS other \gset
SELECT helper.error(format('SELECT vci_set_key_certificates(%L, helper.pem(%L, %L), %L)', :'other', 'leaf',
    'middle', 'https://chain.example'));
SELECT helper.errors(
    $$SELECT vci_set_key_certificates(NULL, NULL)$$,
    $$SELECT vci_set_key_certificates('unknown', NULL, 'https://chain.example')$$,
    $$SELECT vci_import_key(helper.pem('key'), 'https://registry.example', certificates => helper.pem('self'))$$);

-- How long the chain of the signing key is good for.
SELECT ok, detail ~ '^the certificates of signing keys are good for \d+ days and more \(chains: 1\)$'
FROM vci_health() WHERE "check" = 'certificates';
BEGIN;
UPDATE vci_key SET x5c = jsonb_build_array(helper.der('expired')) WHERE kid = :'chained';
SELECT ok, detail FROM vci_health() WHERE "check" = 'certificates';
ROLLBACK;
BEGIN;
SELECT vci_set_key_certificates(:'chained', NULL, 'https://chain.example');
SELECT count(*) FROM vci_health() WHERE "check" = 'certificates';
ROLLBACK;

-- A signing request for a key in each state but the last.
SELECT kid = :'other', vci_key_csr(kid, issuer => 'https://chain.example')
    ~ '^-----BEGIN CERTIFICATE REQUEST-----\n([A-Za-z0-9+/=]+\n)+-----END CERTIFICATE REQUEST-----\n$'
FROM vci_key_info WHERE issuer = 'https://chain.example' ORDER BY id;
-- Subject and alternative names, in their DER.
SELECT position(convert_to('Ministry of ' || U&'\00C9tat', 'UTF8') IN der) > 0,
    position('chain.example'::bytea IN der) > 0, position('https://chain.example'::bytea IN der) > 0
FROM decode(regexp_replace(vci_key_csr(:'chained', '/C=XX/O=Ministry of ' || U&'\00C9tat', 'https://chain.example'),
    '-----[A-Z ]+-----|\s', '', 'g'), 'base64') AS der;
SELECT helper.error(format('SELECT vci_key_csr(%L, %L, %L)', :'chained', subject, 'https://chain.example'))
FROM (VALUES (1, ''), (2, 'CN=a'), (3, '/CN='), (4, '/C=Country'), (5, '/XY=a'), (6, repeat('/O=a', 300)))
    AS s (n, subject) ORDER BY n;
SELECT helper.errors(
    $$SELECT vci_key_csr(NULL)$$,
    $$SELECT vci_key_csr('unknown', issuer => 'https://chain.example')$$);

-- Signing is not handed to a key without certificates unasked.
UPDATE vci_key SET created_at = created_at - interval '2 hours' WHERE kid = :'other';
SELECT replace(helper.error($$SELECT vci_rotate_key('https://chain.example')$$), :'other', 'KID');
SELECT vci_alter_key(:'other', 'active', 'https://chain.example'), vci_retire_key(:'chained', 'https://chain.example');
SELECT helper.header(:'other') = jsonb_build_object('kid', :'other');
-- Nothing is attached to, or asked for, a key that is gone.
SELECT vci_destroy_key(:'chained', 'https://chain.example');
SELECT replace(helper.error(format(call, :'chained', 'https://chain.example')), :'chained', 'KID')
FROM (VALUES ('SELECT vci_set_key_certificates(%L, NULL, %L)'), ('SELECT vci_key_csr(%L, issuer => %L)'),
    ('SELECT vci_import_key(helper.pem(''key''), issuer => %2$L)')) AS c (call);

SELECT vci_retire_issuer('https://chain.example');
DROP FUNCTION helper.pem(text[]), helper.header(text), helper.der(text);
DROP TABLE helper.pem;

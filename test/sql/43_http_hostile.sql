-- vci_http: what no endpoint should have to see. The right status, before any row is touched.
\pset format unaligned
\pset tuples_only on

-- Targets.
SELECT replace(left(target, 60), E'\r', '(CR)'), status, body_out ->> 'error_description'
    FROM unnest(ARRAY['', 'x', '*', 'http://registry.example/.well-known/jwt-vc-issuer',
    '//registry.example', '/a//b', '/../etc/passwd',
    '/.well-known/../api', '/./x', '/%2e%2e/x', '/%2f', '/a%2Fb', '/%00', '/%0d%0aSet-Cookie:x',
    '/%7f', '/%zz', '/%', '/%4', '/%ff', '/%c0%af', '/a b', E'/a\r\nb', E'/a\tb', '/a#b', '/ü',
    '/%C3%BC',
    '/' || repeat('a', 9000), '/?' || repeat('a', 9000), '/' || repeat('a/', 2000),
    '/''; DROP TABLE vci_offer; --', '/;x', '/api/v1/openid4vci/token?%00',
    '/api/v1/openid4vci/token%20']) AS target,
    LATERAL helper.http('GET', target, '{Host, registry.example}');

-- Bodies: the cap is a setting; what is larger is refused before it is looked at.
SELECT target, status, body_out, headers_out ->> 'Cache-Control'
    FROM unnest('{/api/v1/openid4vci/token,/api/v1/openid4vci/credential,/api/v1/openid4vci/nonce,/nowhere}'::text[]) AS target,
    LATERAL helper.http('POST', target, '{Host, registry.example}',
    convert_to(repeat('x', 1024 * 1024 + 1), 'UTF8'));
SELECT status FROM helper.http('POST', '/api/v1/openid4vci/token',
    '{Host, registry.example, Content-Type, application/x-www-form-urlencoded}',
    convert_to(repeat('x', 1024 * 1024), 'UTF8'));
SET openid4vci.max_body_size = 16;
SELECT status FROM unnest('{16384,16385}'::integer[]) AS size,
    LATERAL helper.http('POST', '/api/v1/openid4vci/nonce', '{Host, registry.example}',
    convert_to(repeat('x', size), 'UTF8'));
RESET openid4vci.max_body_size;

-- Headers: values go nowhere as they came.
SELECT status FROM helper.http('GET', '/.well-known/jwt-vc-issuer',
    ARRAY['Host', E'registry.example\r\nX: y']);
SELECT headers_out::text ~ 'evil'
    FROM helper.http('GET', '/.well-known/jwt-vc-issuer',
    ARRAY['Host', 'registry.example', 'Origin', E'https://evil.example\r\nSet-Cookie: evil=1',
    E'X-evil\r\nevil', 'evil']);
SELECT status FROM helper.http('GET', '/.well-known/jwt-vc-issuer',
    array_fill('x'::text, '{20000}'));
SELECT status FROM helper.http('GET', '/.well-known/jwt-vc-issuer',
    ARRAY['', '', 'Host', 'registry.example']);
SELECT bool_and(value !~ E'[\r\n]')
    FROM helper.http('GET', '/.well-known/jwt-vc-issuer', '{Host, registry.example}'),
    jsonb_each_text(headers_out);
-- What only a broken front end would send is an error.
SELECT helper.errors($$SELECT vci_http(NULL, '/')$$, $$SELECT vci_http('GET', NULL)$$,
    $$SELECT vci_http('GET', '/', '{odd}')$$, $$SELECT vci_http('GET', '/', '{a,NULL}')$$,
    $$SELECT vci_http('GET', '/', '{{a,b},{c,d}}')$$);
SELECT status FROM vci_http('GET', '/.well-known/jwt-vc-issuer', NULL, NULL);

-- JSON bodies of every broken kind under a good token; the token stays good.
SELECT offer_id AS id FROM vci_create_offer('{Membership}', claims => '{}') \gset
SELECT helper.token(:id) AS token \gset
SELECT what, status, body_out ->> 'error', body_out ->> 'error_description'
    FROM (VALUES ('NUL byte', '\x7b226122003a317d'::bytea), ('only NUL', '\x00'),
    ('bad UTF-8', '\x7b2261223a22ff227d'), ('overlong', '\x7b2261223a22c080227d'),
    ('surrogate bytes', '\x7b2261223a22eda080227d'), ('byte order mark', '\xefbbbf7b7d'),
    ('UTF-16', '\xfffe7b007d00'),
    ('duplicate, once escaped',
    convert_to('{"credential_configuration_id": "x", "credential\u005fconfiguration_id": "y"}',
    'UTF8')),
    ('nested duplicate', '{"credential_configuration_id": "Membership", "x": {"a": 1, "a": 2}}'),
    ('comment', '{} /* x */'), ('single quotes', '{''a'': 1}'), ('trailing comma', '{"a": 1,}'),
    ('leading zero', '{"a": 01}'),
    ('huge number', convert_to('{"credential_configuration_id": ' || repeat('9', 5000) || '}',
    'UTF8')), ('infinity', '{"a": Infinity}'), ('control in string', '\x7b2261223a2201227d'),
    ('deep object', convert_to(repeat('{"a":', 33) || '1' || repeat('}', 33), 'UTF8')),
    ('very deep', convert_to(repeat('[', 100000), 'UTF8')),
    ('many members', convert_to('{'
    || (SELECT string_agg('"' || n || '":1', ',') FROM generate_series(1, 50000) AS n) || '}',
    'UTF8'))) AS b (what, body),
    LATERAL helper.http('POST', '/api/v1/openid4vci/credential',
    ARRAY['Host', 'registry.example', 'Content-Type', 'application/json', 'Authorization', 'Bearer '
    || :'token'], body);
SELECT status FROM helper.post_json(:'token', '{"credential_configuration_id": "Membership"}');

-- The same at each endpoint that takes a body, with and without a token, as form and as JSON: always
-- an answer, never an error of the server, and nothing that comes back holds what was sent.
CREATE FUNCTION public.nobody(form jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb';
SELECT vci_alter_issuer('{"authenticate": "public.nobody"}');
SELECT leaf, count(*), string_agg(DISTINCT status::text, ' ' ORDER BY status::text) AS statuses,
    bool_or(position('\xdeadbeef'::bytea in r.body) > 0) AS echoed
FROM unnest('{token,nonce,credential,batch_credential,deferred_credential,notification,par,authorize,consent}'::text[]) AS leaf,
    unnest(ARRAY[''::bytea, '\x00', '\xdeadbeef', '{', '[]', 'null', '""', '{}', '{"a": 1, "a": 2}', 'a=1&a=2', '&&&', '%00', '%',
        'grant_type=%ff', 'transaction_id=x', convert_to(repeat('a=1&', 5000), 'UTF8'),
        convert_to(repeat('[', 100000), 'UTF8'), convert_to(repeat('x', 1048577), 'UTF8'),
        '{"notification_id": "x", "event": "x"}', '{"transaction_id": 7}', '{"credential_requests": [{}, 1, null]}']) AS sent,
    unnest('{application/json,application/x-www-form-urlencoded,text/plain,""}'::text[]) AS type,
    unnest(ARRAY['', 'Bearer ' || :'token', 'DPoP x', 'Bearer', E'Bearer \x01']) AS access,
    LATERAL vci_http('POST', '/api/v1/openid4vci/' || leaf,
        ARRAY['Host', 'registry.example', 'Content-Type', type, 'Authorization', access], sent) AS r
GROUP BY leaf ORDER BY leaf;
SELECT path, status, position('<script' in convert_from(body, 'UTF8')) > 0 AS echoed
FROM unnest('{authorize,consent}'::text[]) AS leaf,
    unnest(ARRAY['', '?', '?&', '?a', '?%00', '?%ff', '?a=1&a=1', '?request=', '?request=x', '?client_id=x&request_uri=x',
        '?response_type=code&client_id=<script>', '?' || repeat('x', 8000)]) AS query,
    LATERAL (SELECT leaf || left(query, 40)) AS p (path),
    LATERAL vci_http('GET', '/api/v1/openid4vci/' || leaf || query, '{Host, registry.example}');
SELECT vci_alter_issuer('{"authenticate": null}');
DROP FUNCTION public.nobody;

-- Forged codes and tokens touch no row: neither offers nor tokens are read or changed.
-- (A new connection counts from zero; the first call fills the caches.)
\c -
\pset format unaligned
\pset tuples_only on
BEGIN;
SELECT vci_create_nonce() IS NOT NULL;
SELECT count(*) FROM generate_series(1, 50) AS n,
    LATERAL helper.post_form(helper.form(helper.base64url(sha256(n::text::bytea)), '000000'));
SELECT count(*) FROM generate_series(1, 50) AS n,
    LATERAL helper.post_json(helper.base64url(sha256(n::text::bytea)),
    '{"credential_configuration_id": "Membership"}');
SELECT relname, seq_scan + COALESCE(idx_scan, 0) AS reads,
    n_tup_ins + n_tup_upd + n_tup_del AS writes FROM pg_stat_xact_user_tables
WHERE schemaname = 'openid4vci'
    AND relname IN ('vci_offer', 'vci_token', 'vci_credential', 'vci_nonce') ORDER BY relname;
COMMIT;

-- The activity that others see holds no code, though the statement does.
SELECT r.status, a.query
FROM vci_http('POST', '/api/v1/openid4vci/token',
    '{Host, registry.example, Content-Type, application/x-www-form-urlencoded}',
    'grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code&pre-authorized_code=AAAA') AS r,
    LATERAL (SELECT query FROM pg_stat_get_activity(pg_backend_pid() + 0 * r.status)) AS a;
-- The caller's settings are its own afterwards.
SET lock_timeout = '7s';
SELECT status FROM helper.http('POST', '/api/v1/openid4vci/nonce', '{Host, registry.example}');
SHOW lock_timeout;
SHOW search_path;
-- Even when what a trigger sets is rolled back with its call.
CREATE FUNCTION helper.set_and_fail() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE NOTICE ''lock_timeout %'', current_setting(''lock_timeout'');
    SET lock_timeout = ''1ms''; RAISE EXCEPTION ''no token''; END';
CREATE TRIGGER set_and_fail BEFORE INSERT ON vci_token
    FOR EACH ROW EXECUTE FUNCTION helper.set_and_fail();
SELECT helper.new_offer() AS id \gset
\set VERBOSITY terse
SELECT status FROM helper.post_form(helper.form(helper.code(:id)));
\set VERBOSITY default
SHOW lock_timeout;
SELECT helper.errors(format('SELECT helper.post_form(helper.form(helper.code(%s)))', :id));
SHOW lock_timeout;
DROP FUNCTION helper.set_and_fail() CASCADE;
SELECT status FROM helper.post_form(helper.form(helper.code(:id)));
SHOW lock_timeout;
RESET lock_timeout;

-- Who may: the duty endpoint alone; for others an issuer does not exist.
SET ROLE regress_vci_endpoint;
SELECT status FROM openid4vci.vci_http('GET', '/.well-known/jwt-vc-issuer',
    '{Host, registry.example}');
RESET ROLE;
SET ROLE regress_vci_offerer;
SELECT helper.errors($$SELECT openid4vci.vci_http('GET', '/.well-known/jwt-vc-issuer')$$);
RESET ROLE;
GRANT EXECUTE ON FUNCTION vci_http(text, text, text[], bytea) TO regress_vci_offerer;
SET ROLE regress_vci_offerer;
SELECT status, convert_from(body, 'UTF8')
    FROM openid4vci.vci_http('GET', '/.well-known/jwt-vc-issuer', '{Host, registry.example}');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION vci_http(text, text, text[], bytea) FROM regress_vci_offerer;

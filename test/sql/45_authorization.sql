-- The authorization code flow up to the code: clients, /authorize, /par, approving and denying.
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

SELECT vci_create_issuer('https://pull.example', settings => '{"login_url": "https://portal.example/login?lang=fr"}') > 0;
SELECT vci_create_key('https://pull.example') IS NOT NULL;
SELECT vci_create_configuration(id, 'https://pull.example/' || id, scope => scope, binding => 'absent',
    claims => '[{"path": ["name"], "mandatory": true}]', issuer => 'https://pull.example', options => '{"older": []}')
FROM (VALUES ('A', 'both'), ('B', 'both'), ('C', 'c')) AS c (id, scope);

-- Tickets differ in each run. A page is shown without its markup.
CREATE FUNCTION pg_temp.hide_tickets(value text) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(value, '[A-Za-z0-9_-]{40}', '(ticket)', 'g')
$$;
CREATE FUNCTION pg_temp.forged(ticket text) RETURNS text LANGUAGE sql AS $$
    SELECT left(ticket, -1) || CASE right(ticket, 1) WHEN 'A' THEN 'B' ELSE 'A' END
$$;
CREATE FUNCTION pg_temp.browse(target text, form text DEFAULT NULL, method text DEFAULT NULL,
    headers text[] DEFAULT '{}', OUT status integer, OUT location text, OUT page text, OUT other jsonb) LANGUAGE sql AS $$
    SELECT a.status, pg_temp.hide_tickets(h.headers ->> 'Location'),
        trim(regexp_replace(regexp_replace(convert_from(a.body, 'UTF8'), '<head>.*</head>', ''), '(\s|<[^>]*>)+', ' ', 'g')),
        h.headers - '{Location,Content-Length,Content-Security-Policy}'::text[]
    FROM vci_http(COALESCE(method, CASE WHEN form IS NULL THEN 'GET' ELSE 'POST' END),
            '/api/v1/openid4vci' || target,
            '{Host, pull.example, Content-Type, application/x-www-form-urlencoded}' || headers,
            convert_to(COALESCE(form, ''), 'UTF8')) AS a,
        LATERAL (SELECT jsonb_object_agg(a.headers[2 * i - 1], a.headers[2 * i])
            FROM generate_series(1, array_length(a.headers, 1) / 2) AS i) AS h (headers)
$$;
CREATE FUNCTION pg_temp.push(more text, headers text[] DEFAULT '{}', OUT status integer, OUT headers_out jsonb, OUT body_out jsonb)
LANGUAGE sql AS $$
    SELECT * FROM helper.http('POST', '/api/v1/openid4vci/par',
        '{Host, pull.example, Content-Type, application/x-www-form-urlencoded}' || headers, convert_to(more, 'UTF8'))
$$;
-- RFC 7636 appendix B.
SELECT 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' AS verifier,
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' AS challenge,
    'client_id=wallet.example&redirect_uri=https%3A%2F%2Fwallet.example%2Fcallback' AS client \gset
SELECT :'client' || '&response_type=code&code_challenge=' || :'challenge' || '&code_challenge_method=S256' AS base \gset

-- No client yet.
SELECT status, location, page FROM pg_temp.browse('/authorize?scope=c&' || :'base');
SELECT status, body_out FROM pg_temp.push('scope=c&' || :'base');

-- Clients.
SELECT vci_create_client('wallet.example', '{https://wallet.example/callback,https://wallet.example/cb?a=b}',
    'Wallet <b>Example</b>', issuer => 'https://pull.example');
SELECT vci_create_client('native', '{http://127.0.0.1/cb,http://[::1]/cb,com.example.native:/cb}',
    options => '{"pkce_required": false}', issuer => 'https://pull.example');
SELECT client_id, redirect_uris, pkce_required, name, retired_at FROM vci_client_info
    WHERE issuer = 'https://pull.example' ORDER BY client_id;
SELECT helper.error(format('SELECT vci_create_client(%L, %L, issuer => %L)', id, uris, 'https://pull.example'))
FROM (VALUES ('wallet.example', '{https://wallet.example/}'), ('', '{https://a.example/}'), ('a b', '{https://a.example/}'),
    ('é', '{https://a.example/}'), (repeat('a', 256), '{https://a.example/}'), ('x', '{}'), ('x', '{NULL}'), ('x', NULL),
    ('x', '{http://a.example/}'), ('x', '{https://a.example/#f}'), ('x', '{javascript:alert(1)}'),
    ('x', '{https://a.example/,data:text/html}'), ('x', '{"https://a.example/ b"}'), (NULL, '{https://a.example/}')
) AS c (id, uris);
SELECT helper.errors(
    $$SELECT vci_create_client('x', '{https://a.example/}', '', issuer => 'https://pull.example')$$,
    $$SELECT vci_create_client('x', '{https://a.example/}', options => '{"pkce": true}', issuer => 'https://pull.example')$$,
    $$SELECT vci_create_client('x', '{https://a.example/}', options => '{"pkce_required": 0}', issuer => 'https://pull.example')$$);
-- Profile final needs PKCE of everybody.
SELECT vci_alter_client('native', '{"pkce_required": true}', 'https://pull.example');
SELECT vci_alter_issuer('{"profile": "final"}', 'https://pull.example');
SELECT helper.errors($$SELECT vci_create_client('x', '{https://a.example/}', options => '{"pkce_required": false}',
    issuer => 'https://pull.example')$$, $$SELECT vci_alter_client('native', '{"pkce_required": false}', 'https://pull.example')$$);
SELECT vci_alter_issuer('{"profile": "openspp"}', 'https://pull.example');
SELECT vci_alter_client('native', '{"pkce_required": false}', 'https://pull.example');
-- Changes.
SELECT vci_alter_client('wallet.example', '{"name": "Example Wallet", "redirect_uris": ["https://wallet.example/callback"]}',
    'https://pull.example');
SELECT redirect_uris, pkce_required, name FROM vci_client_info WHERE client_id = 'wallet.example' AND issuer = 'https://pull.example';
SELECT helper.error(format('SELECT vci_alter_client(%L, %L, %L)', id, changes, 'https://pull.example'))
FROM (VALUES ('nobody', '{"name": "x"}'), ('native', '[]'), ('native', NULL), ('native', '{"client_id": "x"}'),
    ('native', '{"redirect_uris": null}'), ('native', '{"redirect_uris": []}'), ('native', '{"redirect_uris": [1]}'),
    ('native', '{"redirect_uris": ["https://a.example/#"]}'), ('native', '{"name": 1}'), ('native', '{"name": ""}'),
    ('native', '{"pkce_required": "no"}'), ('native', '{"name": null, "pkce_required": null}')) AS c (id, changes);

-- A request goes to the login page; what stands in it is kept.
SELECT status, location, page, other FROM pg_temp.browse('/authorize?scope=c&state=s-1&unknown=1&' || :'base');
SELECT client_id, configuration_ids, offer_id, pushed, pkce, dpop, state, expires_at - created_at BETWEEN '9 min 58 s' AND '10 min',
    opened_at IS NOT NULL FROM vci_authorization_info ORDER BY id DESC LIMIT 1;
-- By POST, too; looking at the page opens nothing.
SELECT status, location FROM pg_temp.browse('/authorize', 'scope=c&' || :'base');
SELECT count(*) AS before FROM vci_authorization \gset
SELECT status, location, other ? 'Access-Control-Allow-Origin' AS cors FROM pg_temp.browse('/authorize?scope=c&' || :'base', method => 'HEAD');
SELECT count(*) = :before FROM vci_authorization;

-- Before client and redirect URI hold nobody is sent anywhere.
SELECT what, status, location IS NULL AS stays, page FROM (VALUES
    ('no client', '?redirect_uri=https://wallet.example/callback'),
    ('unknown client', '?client_id=evil&redirect_uri=https://wallet.example/callback'),
    ('no redirect URI', '?client_id=wallet.example'),
    ('another redirect URI', '?client_id=wallet.example&redirect_uri=https://evil.example/callback'),
    ('a longer one', '?client_id=wallet.example&redirect_uri=https://wallet.example/callback/x'),
    ('one with a query', '?client_id=wallet.example&redirect_uri=https://wallet.example/callback%3Fx'),
    ('one that was taken back', '?client_id=wallet.example&redirect_uri=https://wallet.example/cb%3Fa=b'),
    ('another client''s', '?client_id=wallet.example&redirect_uri=com.example.native:/cb'),
    ('client twice', '?client_id=wallet.example&client_id=native&redirect_uri=https://wallet.example/callback'),
    ('redirect URI twice', '?redirect_uri=https://evil.example/&' || :'base'),
    ('hostile', '?client_id=%3Cscript%3E%22&redirect_uri=x&%3Cscript%3E%22=1&%3Cscript%3E%22=2'),
    ('a request object', '?client_id=wallet.example&request=e30'),
    ('nothing', '')) AS r (what, query), LATERAL pg_temp.browse('/authorize' || query);
SELECT status, page FROM pg_temp.browse('/authorize', '{}', headers => '{Content-Type,application/json}');
SELECT status FROM pg_temp.browse('/authorize', 'a=' || repeat('x', 70000));
-- The page itself: no script, no frame, no referrer.
SELECT regexp_replace(a.headers::text, 'sha256-[^'']*', '(hash)') FROM vci_http('GET', '/api/v1/openid4vci/authorize', '{Host, pull.example}') AS a (status, headers);

-- Afterwards each error goes to the wallet, with its state and with iss (RFC 9207).
SELECT what, status, location FROM (VALUES
    ('no response_type', :'client' || '&state=s'),
    ('implicit', :'client' || '&state=s&response_type=token'),
    ('no PKCE', :'client' || '&state=s&response_type=code&scope=c'),
    ('plain PKCE', :'client' || '&state=s&response_type=code&scope=c&code_challenge_method=plain&code_challenge=' || :'challenge'),
    ('request object', :'base' || '&state=s&scope=c&request=e30'),
    ('nothing asked for', :'base' || '&state=s'),
    ('unknown scope', :'base' || '&state=s&scope=openid'),
    ('unknown configuration', :'base' || '&authorization_details=[{"type":"openid_credential","credential_configuration_id":"X"}]'),
    ('another location', :'base' || '&authorization_details=[{"type":"openid_credential","credential_configuration_id":"A","locations":["https://evil.example"]}]'),
    ('another type', :'base' || '&authorization_details=[{"type":"payment","credential_configuration_id":"A"}]'),
    ('hostile state', :'base' || '&state=a%26code%3Dx%23%3Cscript%3E'),
    ('line break in state', :'base' || '&scope=c&state=a%0D%0ASet-Cookie:x'),
    ('bad dpop_jkt', :'base' || '&scope=c&dpop_jkt=x'),
    ('forged issuer_state', :'base' || '&issuer_state=' || repeat('A', 40))) AS r (what, query),
    LATERAL pg_temp.browse('/authorize?' || replace(replace(query, '"', '%22'), ' ', '+'));
-- A loopback port may differ (RFC 8252 section 7.3); such a client needs no PKCE here, but what it sends must be right.
SELECT status, location FROM unnest(ARRAY['http://127.0.0.1:49152/cb', 'http://[::1]:5/cb', 'com.example.native:/cb',
        'http://127.0.0.1:49152/other', 'http://localhost/cb']) AS uri,
    LATERAL pg_temp.browse('/authorize?scope=c&response_type=code&client_id=native&redirect_uri=' || uri);
SELECT status, location FROM pg_temp.browse('/authorize?scope=c&response_type=code&client_id=native&redirect_uri=http://127.0.0.1:49152/cb&code_challenge=x');

-- What is asked for: by scope, by details, by both.
SELECT status FROM unnest(ARRAY['&scope=both+openid+both',
        '&authorization_details=[{"type":"openid_credential","credential_configuration_id":"B","locations":["https://pull.example"]}]',
        '&scope=c&authorization_details=[{"type":"openid_credential","credential_configuration_id":"A"}]']) AS query,
    LATERAL pg_temp.browse('/authorize?' || :'base' || replace(query, '"', '%22'));
SELECT configuration_ids, identifiers FROM vci_authorization ORDER BY id DESC LIMIT 3;

-- Pushed requests (RFC 9126).
SELECT status, body_out ->> 'expires_in', pg_temp.hide_tickets(body_out ->> 'request_uri'), headers_out ->> 'Cache-Control',
    headers_out ->> 'Content-Type' FROM pg_temp.push(:'base' || '&scope=c&state=p');
SELECT body_out ->> 'request_uri' AS pushed FROM pg_temp.push(:'base' || '&scope=c&state=p') \gset
SELECT state, pushed, opened_at IS NULL, expires_at - created_at BETWEEN '88 s' AND '90 s' FROM vci_authorization_info ORDER BY id DESC LIMIT 1;
-- Another client can't open it, nor can it be opened with parameters of another kind of ticket.
SELECT status, location, page FROM pg_temp.browse('/authorize?client_id=native&request_uri=' || :'pushed');
SELECT status, location, page FROM pg_temp.browse('/authorize?client_id=wallet.example&request_uri=' || replace(:'pushed', 'urn:ietf', 'urn:evil'));
SELECT status, location FROM pg_temp.browse('/authorize?client_id=wallet.example&request_uri=' || pg_temp.forged(:'pushed'));
SELECT status, location FROM pg_temp.browse('/authorize?request_uri=' || :'pushed');
-- It opens once, and what comes beside it is not looked at.
SELECT status, location FROM pg_temp.browse('/authorize?client_id=wallet.example&scope=both&state=evil&redirect_uri=https://evil.example/&request_uri=' || :'pushed');
SELECT state, configuration_ids, opened_at IS NOT NULL, expires_at - created_at > '9 min' FROM vci_authorization_info ORDER BY id DESC LIMIT 1;
SELECT status, location, page FROM pg_temp.browse('/authorize?client_id=wallet.example&request_uri=' || :'pushed');
-- After 90 seconds it is too late, and the wallet is told.
SELECT body_out ->> 'request_uri' AS pushed FROM pg_temp.push(:'base' || '&scope=c&state=late') \gset
UPDATE vci_authorization SET expires_at = clock_timestamp() WHERE id = (SELECT max(id) FROM vci_authorization);
SELECT status, location FROM pg_temp.browse('/authorize?client_id=wallet.example&request_uri=' || :'pushed');
-- Refusals are JSON.
SELECT what, status, body_out FROM (VALUES ('no client', 'scope=c'), ('unknown client', replace(:'base', 'wallet.example&', 'evil&') || '&scope=c'),
    ('another redirect URI', replace(:'base', 'callback', 'other') || '&scope=c'), ('no PKCE', :'client' || '&response_type=code&scope=c'),
    ('unknown scope', :'base' || '&scope=openid'), ('request_uri', :'base' || '&scope=c&request_uri=urn:ietf:params:oauth:request_uri:x'),
    ('request object', :'base' || '&scope=c&request=e30'), ('implicit', replace(:'base', '=code&', '=token&') || '&scope=c'),
    ('details', :'base' || '&authorization_details={}'), ('twice', :'base' || '&scope=c&scope=c'),
    ('issuer_state', :'base' || '&issuer_state=x')) AS r (what, form), LATERAL pg_temp.push(form);
SELECT status, body_out FROM helper.http('POST', '/api/v1/openid4vci/par', '{Host, pull.example, Content-Type, application/json}', '{}');
SELECT status FROM helper.http('GET', '/api/v1/openid4vci/par', '{Host, pull.example}');

-- DPoP at /par binds the code to the proof's key, as dpop_jkt does (RFC 9449 section 10).
CREATE FUNCTION pg_temp.dpop(url text, jti text) RETURNS text LANGUAGE sql AS $$
    SELECT wallet.dpop('', payload => jsonb_build_object('jti', jti, 'htu', url))
$$;
SELECT vci_verify_dpop(pg_temp.dpop('https://pull.example/api/v1/openid4vci/par', 'x'), 'POST',
    'https://pull.example/api/v1/openid4vci/par') ->> 'jkt' AS jkt \gset
SELECT status FROM pg_temp.push(:'base' || '&scope=c', ARRAY['DPoP', pg_temp.dpop('https://pull.example/api/v1/openid4vci/par', 'one')]);
SELECT jkt = :'jkt' FROM vci_authorization ORDER BY id DESC LIMIT 1;
SELECT jti, status, body_out ->> 'error', body_out ->> 'error_description' FROM (VALUES ('one', 'par', ''), ('two', 'token', ''),
        ('three', 'par', '&dpop_jkt=' || :'challenge'), ('four', 'par', '&dpop_jkt=' || :'jkt')) AS r (jti, leaf, more),
    LATERAL pg_temp.push(:'base' || '&scope=c' || more, ARRAY['DPoP', pg_temp.dpop('https://pull.example/api/v1/openid4vci/' || leaf, jti)]);
-- A refused request spends no proof.
SELECT status, body_out ->> 'error' FROM unnest(ARRAY['&scope=openid', '&scope=c&dpop_jkt=' || :'challenge', '&scope=c']) AS more,
    LATERAL pg_temp.push(:'base' || more, ARRAY['DPoP', pg_temp.dpop('https://pull.example/api/v1/openid4vci/par', 'five')]);
-- Where DPoP is off, no key binds anything.
SELECT vci_alter_issuer('{"dpop": "off"}', 'https://pull.example');
SELECT status FROM pg_temp.push(:'base' || '&scope=c&dpop_jkt=' || :'jkt');
SELECT jkt IS NULL FROM vci_authorization ORDER BY id DESC LIMIT 1;
SELECT vci_alter_issuer('{"dpop": null}', 'https://pull.example');

-- The same in SQL.
SELECT jsonb_build_object('client_id', 'wallet.example', 'redirect_uri', 'https://wallet.example/callback', 'response_type', 'code',
    'code_challenge', :'challenge', 'code_challenge_method', 'S256', 'state', 'x y', 'authorization_details',
    '[{"type": "openid_credential", "credential_configuration_id": "C"}]'::jsonb, 'prompt', NULL) AS request \gset
SELECT pg_temp.hide_tickets(vci_authorize(:'request', 'https://pull.example')::text);
SELECT vci_push_authorization(:'request', issuer => 'https://pull.example') ->> 'request_uri' AS pushed \gset
SELECT pg_temp.hide_tickets(vci_authorize(jsonb_build_object('client_id', 'wallet.example', 'request_uri', :'pushed'), 'https://pull.example')::text)
FROM generate_series(1, 2);
SELECT pg_temp.hide_tickets(vci_authorize(:'request'::jsonb - 'code_challenge', 'https://pull.example')::text),
    vci_authorize(:'request'::jsonb - 'client_id', 'https://pull.example'),
    vci_push_authorization(:'request'::jsonb - 'code_challenge', issuer => 'https://pull.example');
SELECT helper.errors($$SELECT vci_authorize('[]', 'https://pull.example')$$, $$SELECT vci_push_authorization(NULL, issuer => 'https://pull.example')$$);

-- What the registry's page reads, and its decision.
CREATE FUNCTION pg_temp.request(more jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT COALESCE(substring(location FROM 'request=(.*)$'), location) FROM (SELECT vci_authorize(jsonb_build_object(
        'client_id', 'wallet.example', 'redirect_uri', 'https://wallet.example/callback', 'response_type', 'code',
        'code_challenge', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 'code_challenge_method', 'S256', 'state', 's&=1') || more,
        'https://pull.example') ->> 'location') AS l (location)
$$;
CREATE FUNCTION pg_temp.shown(request text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT vci_authorization_request(request) - '{id,offer_id,expires_at}'::text[]
$$;
SELECT pg_temp.request('{"scope": "c"}') AS request \gset
SELECT pg_temp.shown(:'request');
SELECT (r ->> 'expires_at')::timestamptz - clock_timestamp() BETWEEN '9 min' AND '10 min', (r ->> 'id')::bigint = a.id
    FROM vci_authorization_request(:'request') AS r, (SELECT max(id) AS id FROM vci_authorization) AS a;
-- Somebody must be named, or claims; claims as the configuration wants them.
SELECT helper.errors(format('SELECT vci_authorize_approve(%L)', :'request'), format('SELECT vci_authorize_approve(%L, %L, %L)', :'request', 'm', '1'),
    format('SELECT vci_authorize_approve(%L, %L, %L, %L)', :'request', 'm', '1', '{"other": 1}'),
    format('SELECT vci_authorize_approve(%L, claims => %L, options => %L)', :'request', '{"name": "Ann"}', '{"holder": "x"}'),
    format('SELECT vci_authorize_approve(%L, claims => %L, options => %L)', :'request', '{"name": "Ann"}', '{"labels": 1}'),
    format('SELECT vci_authorize_approve(%L, %L, %L, %L)', :'request', 'm', E'a\nb', '{"name": "Ann"}'),
    format('SELECT vci_authorize_approve(%L, claims => %L)', pg_temp.forged(:'request'), '{"name": "Ann"}'),
    format('SELECT vci_authorize_approve(%L, claims => %L, issuer => %L)', :'request', '{"name": "Ann"}', 'https://registry.example'),
    'SELECT vci_authorize_approve(NULL)', 'SELECT vci_authorization_request(NULL)');
SELECT vci_authorize_approve(:'request', 'm', '1', '{"name": "Ann"}', '{"labels": {"desk": 3}}') AS url \gset
SELECT pg_temp.hide_tickets(:'url');
-- Again, for the same person: the same URL. For another, or no: too late.
SELECT vci_authorize_approve(:'request', 'm', '1', '{"name": "Ann"}') = :'url';
SELECT helper.errors(format('SELECT vci_authorize_approve(%L, %L, %L, %L)', :'request', 'm', '2', '{"name": "Ann"}'),
    format('SELECT vci_authorize_deny(%L)', :'request'));
SELECT pg_temp.shown(:'request');
SELECT o.state, o.subject_model, o.subject_id, o.labels, o.grants, o.client_id, o.configuration_ids, a.state, a.decided_by = current_user,
    a.offer_id = o.id FROM vci_authorization_info AS a JOIN vci_offer_info AS o ON o.id = a.offer_id ORDER BY a.id DESC LIMIT 1;
SELECT a.code_expires_at - a.approved_at BETWEEN '0' AND make_interval(secs => 600) FROM vci_authorization AS a ORDER BY a.id DESC LIMIT 1;
-- The code works at the token endpoint, once; then no decision is open any more.
SELECT jsonb_build_object('grant_type', 'authorization_code', 'code', substring(:'url' FROM 'code=([^&]*)'), 'redirect_uri',
    'https://wallet.example/callback', 'client_id', 'wallet.example', 'code_verifier', :'verifier') AS exchange \gset
SELECT t ? 'access_token', t ->> 'error' FROM vci_request_token(:'exchange'::jsonb || '{"code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXx"}', issuer => 'https://pull.example') AS t;
SELECT t ? 'access_token', t ? 'authorization_details' FROM vci_request_token(:'exchange', issuer => 'https://pull.example') AS t;
SELECT helper.errors(format('SELECT vci_authorize_approve(%L, %L, %L, %L)', :'request', 'm', '1', '{"name": "Ann"}'),
    format('SELECT vci_authorize_deny(%L)', :'request'));
SELECT pg_temp.shown(:'request') ->> 'state';
-- Several datasets of one credential, and details that were asked for, stand in the token response.
SELECT pg_temp.request('{"scope": "c"}') AS request \gset
SELECT vci_authorize_approve(:'request', 'm', '1', options => '{"datasets": [{"configuration_id": "C", "claims": {"name": "Ann"}},
    {"configuration_id": "C", "claims": {"name": "Ben"}}]}') AS url \gset
SELECT t -> 'authorization_details' FROM vci_request_token(:'exchange'::jsonb || jsonb_build_object('code', substring(:'url' FROM 'code=([^&]*)')), issuer => 'https://pull.example') AS t;
SELECT pg_temp.request('{"authorization_details": [{"type": "openid_credential", "credential_configuration_id": "C"}]}') AS request \gset
SELECT vci_authorize_approve(:'request', 'm', '1', '{"name": "Ann"}') AS url \gset
SELECT t -> 'authorization_details' FROM vci_request_token(:'exchange'::jsonb || jsonb_build_object('code', substring(:'url' FROM 'code=([^&]*)')), issuer => 'https://pull.example') AS t;
-- A code that is bound to a DPoP key needs it.
SELECT pg_temp.request(jsonb_build_object('scope', 'c', 'dpop_jkt', :'jkt')) AS request \gset
SELECT vci_authorize_approve(:'request', 'm', '1', '{"name": "Ann"}') AS url \gset
SELECT t ->> 'error', t ->> 'token_type' FROM unnest(ARRAY[NULL, pg_temp.dpop('https://pull.example/api/v1/openid4vci/token', 'six')]) AS dpop,
    LATERAL vci_request_token(:'exchange'::jsonb || jsonb_build_object('code', substring(:'url' FROM 'code=([^&]*)')), dpop, 'https://pull.example') AS t;
-- What was retired since is not approved: the rest of what was asked for is, if there is any.
SELECT pg_temp.request('{"scope": "both"}') AS request \gset
BEGIN;
SELECT vci_retire_configuration('B', 'https://pull.example');
SELECT vci_authorize_approve(:'request', 'm', '1', '{"name": "Ann"}') AS url \gset
SELECT configuration_ids FROM vci_offer_info ORDER BY id DESC LIMIT 1;
SELECT t ? 'access_token' FROM vci_request_token(:'exchange'::jsonb || jsonb_build_object('code', substring(:'url' FROM 'code=([^&]*)')), issuer => 'https://pull.example') AS t;
ROLLBACK;
BEGIN;
SELECT vci_retire_configuration(id, 'https://pull.example') FROM unnest('{A,B}'::text[]) AS id;
SELECT helper.error(format('SELECT vci_authorize_approve(%L, %L, %L, %L)', :'request', 'm', '1', '{"name": "Ann"}'));
ROLLBACK;
-- Denying: the reason stays here.
SELECT pg_temp.request('{"scope": "c"}') AS request \gset
SELECT vci_authorize_deny(:'request', 'not in the register: Ann') AS url \gset
SELECT :'url';
SELECT vci_authorize_deny(:'request', 'another reason') = :'url';
SELECT state, reason, decided_by = current_user FROM vci_authorization_info ORDER BY id DESC LIMIT 1;
SELECT helper.errors(format('SELECT vci_authorize_approve(%L, claims => %L)', :'request', '{"name": "Ann"}'),
    format('SELECT vci_authorize_deny(%L, %L)', :'request', repeat('x', 1001)));
-- Time runs out: before the decision, and between decision and exchange.
SELECT pg_temp.request('{"scope": "c"}') AS request \gset
SELECT vci_authorize_approve(:'request', claims => '{"name": "Ann"}') IS NOT NULL;
UPDATE vci_authorization SET code_expires_at = clock_timestamp() WHERE id = (SELECT max(id) FROM vci_authorization);
SELECT helper.error(format('SELECT vci_authorize_approve(%L, claims => %L)', :'request', '{"name": "Ann"}')), pg_temp.shown(:'request') ->> 'state';
SELECT pg_temp.request('{"scope": "c"}') AS request \gset
UPDATE vci_authorization SET expires_at = clock_timestamp() WHERE id = (SELECT max(id) FROM vci_authorization);
SELECT helper.errors(format('SELECT vci_authorize_approve(%L, claims => %L)', :'request', '{"name": "Ann"}'),
    format('SELECT vci_authorize_deny(%L)', :'request')), pg_temp.shown(:'request') ->> 'state';

-- From an offer: its link is no authentication.
CREATE FUNCTION pg_temp.offer(lifetime interval DEFAULT '1 hour', options jsonb DEFAULT '{}', OUT id bigint, OUT issuer_state text) LANGUAGE sql AS $$
    SELECT offer_id, credential_offer #>> '{grants,authorization_code,issuer_state}' FROM vci_create_offer('{A,C}', 'm', '7', '{"name": "Ann"}',
        grants => '{authorization_code}', expires_in => lifetime, options => options, issuer => 'https://pull.example')
$$;
SELECT id AS offer, pg_temp.request(jsonb_build_object('issuer_state', issuer_state)) AS request, issuer_state FROM pg_temp.offer() \gset
SELECT pg_temp.shown(:'request') - 'credentials', vci_authorization_request(:'request') ->> 'offer_id' = :'offer';
SELECT regexp_replace(helper.error(format('SELECT vci_authorize_approve(%L, %L, %L)', :'request', model, id)), 'offer \d+', 'offer (id)')
    FROM (VALUES ('m', '8'), ('x', '7'), (NULL, '7'), ('m', NULL)) AS s (model, id);
SELECT regexp_replace(helper.error(format('SELECT vci_authorize_approve(%L, %L, %L, %L, %L)', :'request', 'm', '7', claims, options)), 'offer \d+', 'offer (id)')
    FROM (VALUES ('{"name": "Eve"}', '{}'), (NULL, '{"labels": {}}'), (NULL, '{"datasets": []}')) AS c (claims, options);
SELECT vci_authorize_approve(:'request', 'm', '7') AS url \gset
SELECT pg_temp.hide_tickets(:'url'), vci_authorize_approve(:'request', 'm', '7') = :'url';
SELECT t ? 'access_token', t ->> 'error' FROM vci_request_token(:'exchange'::jsonb || jsonb_build_object('code', substring(:'url' FROM 'code=([^&]*)')), issuer => 'https://pull.example') AS t;
-- Then the offer is redeemed: neither a new request nor one under way gets another code.
SELECT pg_temp.request(jsonb_build_object('issuer_state', :'issuer_state'));
-- What the offer holds can be narrowed, not widened.
SELECT issuer_state FROM pg_temp.offer() \gset
SELECT pg_temp.shown(pg_temp.request(jsonb_build_object('issuer_state', :'issuer_state', 'scope', 'both'))) -> 'configuration_ids';
SELECT pg_temp.request(jsonb_build_object('issuer_state', :'issuer_state') || more) FROM unnest(ARRAY['{"scope": "openid"}',
    '{"authorization_details": [{"type": "openid_credential", "credential_configuration_id": "B"}]}']::jsonb[]) AS more;
-- An offer that dies takes its request with it.
CREATE FUNCTION pg_temp.after(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    made record; request text;
BEGIN
    SELECT * INTO made FROM pg_temp.offer();
    request := pg_temp.request(jsonb_build_object('issuer_state', made.issuer_state));
    EXECUTE format(change, made.id);
    RETURN change || ': ' || helper.error(format('SELECT vci_authorize_approve(%L, %L, %L)', request, 'm', '7'))
        || E'\n  ' || pg_temp.request(jsonb_build_object('issuer_state', made.issuer_state));
END
$$;
SELECT pg_temp.after(change) FROM unnest(ARRAY['SELECT vci_cancel_offer(%s)', 'SELECT vci_rotate_code(%s)',
    'UPDATE vci_offer SET expires_at = clock_timestamp() WHERE id = %s', 'DELETE FROM vci_offer WHERE id = %s']) AS change;
-- An offer for one wallet, and one without this grant.
SELECT pg_temp.request(jsonb_build_object('issuer_state', issuer_state)) FROM pg_temp.offer(options => '{"client_id": "native"}');
SELECT pg_temp.request(jsonb_build_object('issuer_state', helper.code(credential_offer)))
    FROM vci_create_offer('{C}', claims => '{"name": "Ann"}', issuer => 'https://pull.example');
-- An offer without a subject has nobody to compare with.
SELECT pg_temp.request(jsonb_build_object('issuer_state', credential_offer #>> '{grants,authorization_code,issuer_state}')) AS request
    FROM vci_create_offer('{C}', subject_id => '1', claims => '{"name": "Ann"}', grants => '{authorization_code}', issuer => 'https://pull.example') \gset
UPDATE vci_offer SET subject_id = NULL WHERE id = (SELECT max(id) FROM vci_offer);
SELECT regexp_replace(helper.error(format('SELECT vci_authorize_approve(%L, %L, %L)', :'request', NULL, '1')), 'offer \d+', 'offer (id)');

-- A wallet that is thrown out gets nothing more, nor does a redirect URI that is taken back.
SELECT pg_temp.request('{"scope": "c"}') AS request \gset
SELECT vci_push_authorization(jsonb_build_object('client_id', 'wallet.example', 'redirect_uri', 'https://wallet.example/callback', 'response_type', 'code',
    'code_challenge', :'challenge', 'code_challenge_method', 'S256', 'scope', 'c'), issuer => 'https://pull.example') ->> 'request_uri' AS pushed
    \gset
SELECT vci_alter_client('wallet.example', '{"redirect_uris": ["https://wallet.example/other"]}', 'https://pull.example');
SELECT helper.errors(format('SELECT vci_authorize_approve(%L, claims => %L)', :'request', '{"name": "Ann"}'),
    format('SELECT vci_authorize_deny(%L)', :'request'));
SELECT status, location FROM pg_temp.browse('/authorize?client_id=wallet.example&request_uri=' || :'pushed');
SELECT vci_alter_client('wallet.example', '{"redirect_uris": ["https://wallet.example/callback"]}', 'https://pull.example');
SELECT vci_retire_client('wallet.example', 'https://pull.example');
SELECT helper.error(format('SELECT vci_authorize_approve(%L, claims => %L)', :'request', '{"name": "Ann"}'));
SELECT status, location FROM pg_temp.browse('/authorize?client_id=wallet.example&request_uri=' || :'pushed');
SELECT helper.errors($$SELECT vci_retire_client('wallet.example', 'https://pull.example')$$,
    $$SELECT vci_create_client('wallet.example', '{https://wallet.example/callback}', issuer => 'https://pull.example')$$);
SELECT vci_create_client('wallet2', '{https://wallet.example/callback}', issuer => 'https://pull.example');
SELECT jsonb_build_object('client_id', 'wallet2', 'redirect_uri', 'https://wallet.example/callback',
    'response_type', 'code', 'code_challenge', :'challenge', 'code_challenge_method', 'S256', 'scope', 'c') AS request_of_wallet2 \gset

-- No more than so many requests a minute, at either endpoint.
SELECT replace(:'base', 'wallet.example&', 'wallet2&') || '&scope=c' AS base \gset
SELECT id AS issuer FROM vci_issuer_info WHERE url = 'https://pull.example' \gset
UPDATE vci_authorization SET created_at = created_at - interval '1 hour' WHERE issuer_id = :issuer;
SELECT vci_alter_issuer('{"authorization_request_rate": 1}', 'https://pull.example');
SELECT status, regexp_replace(page, '\d+', 'N'), (other ->> 'Retry-After')::integer BETWEEN 1 AND 60 FROM generate_series(1, 2) AS n,
    LATERAL pg_temp.browse('/authorize?' || :'base' || '&n=' || n);
SELECT status, body_out ->> 'error', (headers_out ->> 'Retry-After')::integer BETWEEN 1 AND 60 FROM pg_temp.push(:'base');
UPDATE vci_authorization SET created_at = created_at - interval '1 min' WHERE issuer_id = :issuer;
SELECT status FROM pg_temp.browse('/authorize?' || :'base');
SELECT vci_alter_issuer('{"authorization_request_rate": null}', 'https://pull.example');

-- Paused: nothing begins, and nothing is approved that could not be redeemed.
SELECT substring(vci_authorize(:'request_of_wallet2', 'https://pull.example') ->> 'location' FROM 'request=(.*)$') AS request \gset
SELECT vci_pause_issuance('https://pull.example');
SELECT status, page, other ? 'Retry-After' FROM pg_temp.browse('/authorize?' || :'base');
SELECT status, body_out ->> 'error', headers_out ? 'Retry-After' FROM pg_temp.push(:'base');
SELECT vci_authorize(:'request_of_wallet2', 'https://pull.example');
SELECT helper.error(format('SELECT vci_authorize_approve(%L, claims => %L)', :'request', '{"name": "Ann"}'));
SELECT pg_temp.hide_tickets(vci_authorize_deny(:'request'));
SELECT vci_resume_issuance('https://pull.example');

-- The built-in page instead of the portal: the browser gets a cookie, which the request remembers.
CREATE FUNCTION public.pull_login(form jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb';
SELECT vci_alter_issuer('{"login_url": null, "authenticate": "public.pull_login"}', 'https://pull.example');
SELECT status, location, regexp_replace(other ->> 'Set-Cookie', '=[A-Za-z0-9_-]{22}', '=(random)') FROM pg_temp.browse('/authorize?' || :'base');
SELECT length(browser) FROM vci_authorization ORDER BY id DESC LIMIT 1;
SELECT b.other ->> 'Set-Cookie' ~ '^__Host-vci=AAAAAAAAAAAAAAAAAAAAAA;' FROM pg_temp.browse('/authorize?' || :'base', headers => '{Cookie, __Host-vci=AAAAAAAAAAAAAAAAAAAAAA}') AS b;
SELECT browser = sha256('AAAAAAAAAAAAAAAAAAAAAA') FROM vci_authorization ORDER BY id DESC LIMIT 1;
-- No page at all.
SELECT vci_alter_issuer('{"authenticate": null}', 'https://pull.example');
SELECT status, location, page FROM pg_temp.browse('/authorize?' || :'base');
SELECT status, body_out FROM pg_temp.push(:'base');
DROP FUNCTION public.pull_login(jsonb);
SELECT vci_alter_issuer('{"login_url": "https://portal.example/login"}', 'https://pull.example');

-- Whose duty it is.
SELECT vci_grant('regress_vci_stranger', 'offerer', 'https://registry.example');
SELECT substring(vci_authorize(:'request_of_wallet2', 'https://pull.example') ->> 'location' FROM 'request=(.*)$') AS request \gset
SET ROLE regress_vci_stranger;
SELECT helper.errors(format('SELECT openid4vci.vci_authorize_approve(%L, claims => %L)', :'request', '{"name": "Eve"}'),
    format('SELECT openid4vci.vci_authorize_deny(%L, issuer => %L)', :'request', 'https://pull.example'),
    format('SELECT openid4vci.vci_authorization_request(%L)', :'request'),
    $$SELECT openid4vci.vci_authorize('{}', 'https://pull.example')$$,
    $$SELECT openid4vci.vci_create_client('x', '{https://a.example/}', issuer => 'https://pull.example')$$);
RESET ROLE;
SELECT vci_revoke('regress_vci_stranger', 'offerer', 'https://registry.example');

-- What nobody approved is forgotten after a day; approvals stay.
SELECT count(*) AS approved FROM vci_authorization WHERE issuer_id = :issuer AND approved_at IS NOT NULL \gset
UPDATE vci_authorization SET expires_at = expires_at - interval '23 hours' WHERE issuer_id = :issuer;
SELECT count(*) > 0 FROM vci_purge();
SELECT count(*) > :approved FROM vci_authorization WHERE issuer_id = :issuer;
UPDATE vci_authorization SET expires_at = expires_at - interval '2 hours' WHERE issuer_id = :issuer;
SELECT helper.sweep_anew();
SELECT purged > 0 FROM vci_purge() WHERE kind = 'authorization';
SELECT count(*) = :approved FROM vci_authorization WHERE issuer_id = :issuer;

-- Events: each step is noted once.
SELECT kind, count(*) FROM vci_event_info WHERE issuer = 'https://pull.example' AND kind LIKE 'authorization%' GROUP BY kind ORDER BY kind;
SELECT bool_and(authorization_id IS NOT NULL) FROM vci_event_info WHERE issuer = 'https://pull.example' AND kind LIKE 'authorization%';
-- Nothing shows a code, a ticket or a state parameter.
SELECT count(*) FROM vci_authorization_info AS a WHERE a::text ~ 's&=1' OR a::text ~ '[A-Za-z0-9_-]{40}';
SELECT vci_retire_issuer('https://pull.example');

-- External authorization servers: whom an issuer trusts, and their JWT access tokens (RFC 9068).
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on

SELECT vci_create_issuer('https://external.example') > 0, vci_create_key('https://external.example') IS NOT NULL;

-- The registry's side: which person a server's subject is, and what a card says of a person.
CREATE SCHEMA directory AUTHORIZATION regress_vci_registry;
SET ROLE regress_vci_registry;
CREATE FUNCTION directory.claims_of(model text, id text) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT jsonb_build_object('person', id, 'model', model) $$;
CREATE FUNCTION directory.person_of(claim text) RETURNS text LANGUAGE sql AS
    $$ SELECT 'P-' || claim WHERE claim ~ '^[0-9]+$' $$;
CREATE FUNCTION directory.two(a text, b text) RETURNS text LANGUAGE sql AS $$ SELECT a $$;
RESET ROLE;
SELECT vci_create_configuration(id, 'https://external.example/' || id, claims_source => source, binding => 'absent',
    scope => scope, issuer => 'https://external.example', options => options)
FROM (VALUES ('Card', 'directory.claims_of', 'person_card', '{}'::jsonb),
             ('Plain', 'directory.claims_of', 'plain_card', '{}'),
             ('Slow', NULL, 'slow_card', '{"deferred": true}')) AS c (id, source, scope, options);

-- Registering: what is no server, no audience, no option.
CREATE FUNCTION helper.create_server(rest text) RETURNS text LANGUAGE sql AS $$
    SELECT helper.error('SELECT openid4vci.vci_create_authorization_server(' || rest
        || ', issuer => ''https://external.example'')')
$$;
SELECT helper.create_server(rest) FROM unnest(ARRAY[
    $$NULL, '{a}'$$, $$'login.example', '{a}'$$, $$'http://login.example', '{a}'$$,
    $$'https://login.example?x=1', '{a}'$$, $$'https://login.example#x', '{a}'$$,
    $$'https://external.example', '{a}'$$, $$'https://login.example', NULL$$,
    $$'https://login.example', '{}'$$, $$'https://login.example', '{a,NULL}'$$,
    $$'https://login.example', '{""}'$$, $$'https://login.example', array_fill('a'::text, '{17}')$$,
    $$'https://login.example', '{a}', options => '[]'$$,
    $$'https://login.example', '{a}', options => '{"audiences": ["b"]}'$$,
    $$'https://login.example', '{a}', options => '{"jwks_uri": "http://login.example/jwks"}'$$,
    $$'https://login.example', '{a}', options => '{"jwks_uri": 7}'$$,
    $$'https://login.example', '{a}', options => '{"client_ids": "wallet"}'$$,
    $$'https://login.example', '{a}', options => '{"client_ids": [7]}'$$,
    $$'https://login.example', '{a}', options => '{"accept_typ_jwt": "yes"}'$$,
    $$'https://login.example', '{a}', options => '{"subject_claim": "a.b"}'$$,
    $$'https://login.example', '{a}', options => '{"subject_claim": ""}'$$,
    $$'https://login.example', '{a}', options => '{"subject_source": "directory.none"}'$$,
    $$'https://login.example', '{a}', options => '{"subject_source": "directory.two"}'$$]) AS rest;
-- Keys: a set of public ones, one of which can verify here.
SELECT helper.create_server(format('%L, %L, jwks => %L', 'https://login.example', '{a}', jwks))
FROM unnest(ARRAY['[]', '{}', '{"keys": []}', '{"keys": [{"kty": "AKP"}]}',
    '{"keys": [{"kty": "oct", "k": "AA"}]}',
    jsonb_build_object('keys', jsonb_build_array(wallet.public_jwk() || '{"d": "AA"}'))::text,
    jsonb_build_object('keys', (SELECT jsonb_agg(wallet.public_jwk()) FROM generate_series(1, 65)))::text]) AS jwks;
SELECT helper.create_server($$'http://127.0.0.1:8080/realms/test', '{a}', options => '{"jwks_uri": "http://localhost:8080/jwks?x=1"}'$$);

-- A server as Keycloak is one, and its keys as an operator loads them.
SELECT vci_create_authorization_server('https://login.example/realms/people', '{registry,https://external.example}',
    options => '{"jwks_uri": "https://login.example/realms/people/certs", "subject_model": "person"}',
    issuer => 'https://external.example');
SELECT helper.create_server($$'https://login.example/realms/people', '{a}'$$);
CREATE FUNCTION helper.server_jwks() RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('keys', jsonb_build_array(helper.rsa_jwk() || '{"kid": "enc", "use": "enc"}',
        wallet.public_jwk('second') || '{"kid": "k1", "use": "sig", "alg": "ES256"}'))
$$;
-- A token of that server; claims and header may be changed, null takes away.
CREATE FUNCTION helper.server_token(claims jsonb DEFAULT '{}', header jsonb DEFAULT '{}',
    key_name text DEFAULT 'second') RETURNS text LANGUAGE sql AS $$
    SELECT wallet.jwt(jsonb_strip_nulls('{"alg": "ES256", "typ": "at+jwt", "kid": "k1"}' || header),
        jsonb_strip_nulls(jsonb_build_object('iss', 'https://login.example/realms/people',
            'aud', '["account", "registry"]'::jsonb, 'jti', gen_random_uuid(), 'sub', '4711',
            'client_id', 'wallet.example', 'scope', 'openid person_card',
            'iat', floor(extract(epoch FROM clock_timestamp()))::bigint,
            'exp', floor(extract(epoch FROM clock_timestamp()))::bigint + 300) || claims), key_name)
$$;
-- A request to that issuer's endpoint under a token, bound when there is a proof.
CREATE FUNCTION helper.ask(token text, configuration text DEFAULT 'Card', proof text DEFAULT NULL,
    leaf text DEFAULT '/credential', request jsonb DEFAULT NULL, OUT status integer, OUT headers jsonb,
    OUT body jsonb) LANGUAGE sql AS $$
    SELECT * FROM helper.http('POST', '/api/v1/openid4vci' || leaf,
        ARRAY['Host', 'external.example', 'Content-Type', 'application/json', 'Authorization',
            CASE WHEN proof IS NULL THEN 'Bearer ' ELSE 'DPoP ' END || token]
            || CASE WHEN proof IS NULL THEN '{}' ELSE ARRAY['DPoP', proof] END,
        convert_to(COALESCE(request, jsonb_build_object('credential_configuration_id', configuration))::text, 'UTF8'))
$$;
CREATE FUNCTION helper.external_proof(token text, key_name text DEFAULT 'first') RETURNS text LANGUAGE sql AS $$
    SELECT wallet.dpop('', token, key_name, '{"htu": "https://external.example/api/v1/openid4vci/credential"}')
$$;
CREATE FUNCTION helper.rows_left() RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', (SELECT count(*) FROM openid4vci.vci_token), (SELECT count(*) FROM openid4vci.vci_offer))
$$;

-- Without keys nothing can be checked; then it works.
SELECT helper.server_token() AS token \gset
SELECT status, body FROM helper.ask(:'token');
SELECT ok, detail FROM vci_health() WHERE "check" = 'authorization_servers';
SELECT vci_load_jwks('https://login.example/realms/people', helper.server_jwks(), 'https://external.example');
SELECT ok, detail FROM vci_health() WHERE "check" = 'authorization_servers';
SELECT url, audiences, client_ids, jwks_uri, jwks_loaded_at IS NOT NULL, keys, accept_typ_jwt, subject_claim,
    subject_model, subject_source FROM vci_authorization_server_info WHERE issuer = 'https://external.example';
SELECT body_out -> 'authorization_servers'
    FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, external.example}');
SELECT status, helper.claims(body #>> '{credentials,0,credential}'), body ->> 'notification_id' AS notification
    FROM helper.ask(:'token') \gset
\echo :status :claims
-- The token stands for an offer of its own, so reports and withdrawing work as for any other.
SELECT o.state, o.issued_at IS NOT NULL, o.configuration_ids, o.grants, o.subject_model, o.subject_id, o.client_id,
    o.authorization_server, o.reference, o.created_by = current_user
    FROM vci_offer_info AS o WHERE o.issuer = 'https://external.example';
SELECT c.configuration_id, c.subject_model, c.subject_id FROM vci_credential_info AS c
    WHERE c.issuer = 'https://external.example';
-- It issues once; a repeated request is a lost answer, another one is refused.
SELECT status, body ? 'credentials' FROM helper.ask(:'token');
SELECT status, body FROM helper.ask(:'token', request => '{"credential_configuration_id": "Card", "x": 1}');
SELECT status, body ->> 'error' FROM helper.ask(:'token', 'Plain');
SELECT count(*) FROM vci_token WHERE external_key IS NOT NULL;
-- Another token with the same jti is the same token; only the signature may differ.
SELECT helper.server_token('{"jti": "fixed"}') AS first, helper.server_token('{"jti": "fixed", "sub": "4712"}') AS second \gset
SELECT status FROM helper.ask(:'first');
SELECT status, body ->> 'error' FROM helper.ask(:'second', request => '{"credential_configuration_id": "Card", "x": 1}');

-- Each rule refuses, and leaves nothing behind.
SELECT helper.rows_left() AS before \gset
SELECT what, status, body ->> 'error', body ->> 'error_description' FROM (VALUES
    ('an unknown server', helper.server_token('{"iss": "https://login.example"}')),
    ('its url with a slash', helper.server_token('{"iss": "https://login.example/realms/people/"}')),
    ('no iss', helper.server_token('{"iss": null}')),
    ('an ID token', helper.server_token(header => '{"typ": "JWT"}')),
    ('no typ', helper.server_token(header => '{"typ": null}')),
    ('another kid', helper.server_token(header => '{"kid": "k2"}')),
    ('the kid of a key for encryption', helper.server_token(header => '{"kid": "enc"}')),
    ('another key', helper.server_token(key_name => 'first')),
    ('its key in the header', helper.server_token(header => jsonb_build_object('kid', NULL, 'jwk',
        wallet.public_jwk()), key_name => 'first')),
    ('alg none', helper.server_token(header => '{"alg": "none"}')),
    ('expired', helper.server_token('{"exp": 1700000000}')),
    ('good for ever', helper.server_token('{"exp": 253402300800}')),
    ('without exp', helper.server_token('{"exp": null}')),
    ('not yet valid', helper.server_token('{"nbf": 4102444800}')),
    ('of the future', helper.server_token('{"iat": 4102444800}')),
    ('for another audience', helper.server_token('{"aud": "account"}')),
    ('without jti', helper.server_token('{"jti": null}')),
    ('without sub', helper.server_token('{"sub": null}')),
    ('a number for sub', helper.server_token('{"sub": 4711}')),
    ('without scope', helper.server_token('{"scope": "openid"}')),
    ('bound to a certificate', helper.server_token('{"cnf": {"x5t#S256": "abc"}}')),
    ('no JWT', 'a.b.c'), ('encrypted', 'a.b.c.d.e')) AS t (what, token), LATERAL helper.ask(token);
SELECT status, headers ->> 'WWW-Authenticate' FROM helper.ask(helper.server_token('{"scope": "openid"}'));
SELECT helper.rows_left() = :'before' AS "nothing is left";
-- A known scope, another configuration.
SELECT status, body ->> 'error' FROM helper.ask(helper.server_token(), 'Plain');
SELECT status, helper.claims(body #>> '{credentials,0,credential}') FROM helper.ask(helper.server_token(
    '{"scope": null, "authorization_details": [{"type": "openid_credential", "credential_configuration_id": "Plain"}]}'), 'Plain');

-- What an operator may change; each change works at once.
CREATE FUNCTION helper.alter_server(changes jsonb) RETURNS void LANGUAGE sql AS $$
    SELECT openid4vci.vci_alter_authorization_server('https://login.example/realms/people', changes, 'https://external.example')
$$;
SELECT helper.alter_server('{"accept_typ_jwt": true, "client_ids": ["other"]}');
SELECT what, status, body ->> 'error_description' FROM (VALUES
    ('another client', helper.server_token()),
    ('Keycloak''s typ and azp', helper.server_token('{"client_id": null, "azp": "other"}', '{"typ": "JWT"}'))) AS t (what, token),
    LATERAL helper.ask(token);
-- eSignet's tokens have neither typ nor jti; each still issues once (the events below count them).
SELECT helper.alter_server('{"accept_without_jti": true, "client_ids": null}');
SELECT helper.server_token('{"jti": null, "iat": 1700000001}', '{"typ": null}') AS nameless,
    helper.server_token('{"jti": null, "iat": 1700000002}', '{"typ": null}') AS other \gset
SELECT what, status, body ->> 'error_description' FROM (VALUES
    ('once', :'nameless'), ('its answer again', :'nameless'), ('another', :'other'),
    ('with a jti that is no string', helper.server_token('{"jti": 7}'))) AS t (what, token),
    LATERAL helper.ask(token);
SELECT helper.alter_server('{"accept_without_jti": null}');
SELECT status FROM helper.ask(helper.server_token('{"jti": null, "iat": 1700000003}'));
SELECT helper.alter_server('{"accept_typ_jwt": null, "client_ids": null, "audiences": ["card-office"]}');
SELECT status FROM unnest(ARRAY[helper.server_token(), helper.server_token('{"aud": "card-office"}')]) AS token,
    LATERAL helper.ask(token);
SELECT helper.alter_server('{"audiences": ["registry"], "subject_claim": "uid", "subject_source": "directory.person_of"}');
SELECT helper.rows_left() AS before \gset
SELECT what, status, body FROM (VALUES
    ('the claim is missing', helper.server_token()),
    ('nobody is known by it', helper.server_token('{"uid": "x"}'))) AS t (what, token), LATERAL helper.ask(token);
SELECT helper.rows_left() = :'before' AS "nothing is left";
SELECT status, helper.claims(body #>> '{credentials,0,credential}') FROM helper.ask(helper.server_token('{"uid": "12"}'));
SELECT helper.alter_server('{"subject_claim": null, "subject_source": null, "subject_model": null}');
SELECT status, helper.claims(body #>> '{credentials,0,credential}') FROM helper.ask(helper.server_token());
SELECT helper.errors(
    $$SELECT helper.alter_server('{"url": "https://x.example"}')$$,
    $$SELECT helper.alter_server('{"audiences": []}')$$,
    $$SELECT helper.alter_server('{"audiences": null}')$$,
    $$SELECT openid4vci.vci_alter_authorization_server('https://none.example', '{}', 'https://external.example')$$,
    $$SELECT openid4vci.vci_load_jwks('https://none.example', helper.server_jwks(), 'https://external.example')$$,
    $$SELECT openid4vci.vci_load_jwks('https://none.example', helper.server_jwks())$$,
    $$SELECT openid4vci.vci_load_jwks('https://login.example/realms/people', NULL)$$,
    $$SELECT openid4vci.vci_load_jwks(NULL, helper.server_jwks())$$);

-- Bound to a key (RFC 9449 section 6.1): only with a proof of that key, and an unbound one only without.
SELECT helper.server_token(jsonb_build_object('cnf', jsonb_build_object('jkt', vci_verify_dpop(wallet.dpop('/x'), 'POST',
    'https://registry.example/api/v1/openid4vci/x') ->> 'jkt'))) AS bound, helper.server_token() AS unbound \gset
SELECT helper.rows_left() AS before \gset
SELECT what, status, body ->> 'error', body ->> 'error_description' FROM (VALUES
    ('as bearer', :'bound', NULL), ('another key''s proof', :'bound', helper.external_proof(:'bound', 'second')),
    ('a proof without ath', :'bound', helper.external_proof(NULL)),
    ('unbound, with a proof', :'unbound', helper.external_proof(:'unbound'))) AS t (what, token, proof),
    LATERAL helper.ask(token, proof => proof);
SELECT helper.rows_left() = :'before' AS "nothing is left";
SELECT helper.external_proof(:'bound') AS proof \gset
SELECT status FROM helper.ask(:'bound', proof => :'proof');
SELECT status, body ->> 'error' FROM helper.ask(:'bound', proof => :'proof');
SELECT vci_alter_issuer('{"dpop": "required"}', 'https://external.example');
SELECT status, body ->> 'error_description' FROM helper.ask(:'unbound');
SELECT vci_alter_issuer('{"dpop": null}', 'https://external.example');

-- A used token still serves deferred credentials and notifications, also when it has expired since.
SELECT helper.server_token('{"scope": "slow_card person_card"}') AS token \gset
SELECT status, body ->> 'transaction_id' AS transaction FROM helper.ask(:'token', 'Slow') \gset
\echo :status
SELECT status, body ->> 'notification_id' AS notification FROM helper.ask(:'token') \gset
\echo :status
UPDATE vci_token SET expires_at = clock_timestamp() - interval '1 second' WHERE id = (SELECT max(id) FROM vci_token);
SELECT vci_deferred_complete(max(id), '{"name": "Ann"}') FROM vci_deferred;
SELECT status, helper.claims(body #>> '{credentials,0,credential}')
    FROM helper.ask(:'token', leaf => '/deferred_credential', request => jsonb_build_object('transaction_id', :'transaction'));
SELECT status FROM helper.ask(:'token', leaf => '/notification',
    request => jsonb_build_object('notification_id', :'notification', 'event', 'credential_deleted'));
SELECT status, body ->> 'error_description' FROM helper.ask(:'token', request => '{"credential_configuration_id": "Card", "x": 1}');
SELECT kind, count(*) FROM vci_event_info WHERE issuer = 'https://external.example' GROUP BY kind ORDER BY kind;

-- The same in SQL; withdrawing the offer withdraws the token.
SELECT helper.server_token() AS token \gset
SELECT vci_request_credential(:'token', '{"credential_configuration_id": "Card"}', issuer => 'https://external.example') ? 'credentials';
SELECT helper.server_token('{"scope": "person_card slow_card"}') AS token \gset
SELECT status FROM helper.ask(:'token', 'Slow');
SELECT vci_cancel_offer(max(offer_id)) FROM vci_token;
SELECT status, body ->> 'error_description' FROM helper.ask(:'token');

-- Who may: an admin of the issuer changes trust, and loads keys where it is admin.
SELECT vci_create_issuer('https://external.example/two') > 0;
SELECT vci_create_authorization_server('https://login.example/realms/people', '{two}', helper.server_jwks(),
    issuer => 'https://external.example/two');
CREATE ROLE regress_vci_trust;
SELECT vci_grant('regress_vci_trust', 'issuer_admin', 'https://external.example/two');
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA wallet, helper TO regress_vci_trust;
GRANT USAGE ON SCHEMA wallet TO regress_vci_trust;
GRANT SELECT ON wallet.key TO regress_vci_trust;
SET ROLE regress_vci_trust;
SELECT openid4vci.vci_load_jwks('https://login.example/realms/people', helper.server_jwks());
SELECT issuer, url FROM openid4vci.vci_authorization_server_info;
SELECT helper.errors(
    $$SELECT openid4vci.vci_load_jwks('https://login.example/realms/people', helper.server_jwks(), 'https://external.example')$$,
    $$SELECT openid4vci.vci_create_authorization_server('https://x.example', '{a}', issuer => 'https://external.example')$$,
    $$SELECT openid4vci.vci_drop_authorization_server('https://login.example/realms/people', 'https://external.example')$$);
RESET ROLE;
SELECT vci_load_jwks('https://login.example/realms/people', helper.server_jwks()) AS "at both issuers";
SET ROLE regress_vci_stranger;
SELECT helper.error($$SELECT openid4vci.vci_load_jwks('https://login.example/realms/people', '{}')$$);
RESET ROLE;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA wallet, helper FROM regress_vci_trust;
REVOKE ALL ON wallet.key FROM regress_vci_trust;
REVOKE ALL ON SCHEMA wallet FROM regress_vci_trust;
SELECT vci_revoke('regress_vci_trust', 'issuer_admin', 'https://external.example/two');
DROP ROLE regress_vci_trust;

-- Trust taken back: at once, also for tokens that were used before.
SELECT helper.server_token() AS token \gset
SELECT status FROM helper.ask(:'token');
SELECT vci_drop_authorization_server('https://login.example/realms/people', 'https://external.example'),
    vci_drop_authorization_server('https://login.example/realms/people', 'https://external.example');
SELECT status, body ->> 'error_description' FROM helper.ask(:'token');
SELECT body_out ? 'authorization_servers'
    FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, external.example}');

SELECT count(vci_retire_configuration(id, issuer)) FROM vci_configuration_info WHERE issuer = 'https://external.example';
SELECT vci_drop_authorization_server('https://login.example/realms/people', 'https://external.example/two'),
    vci_retire_issuer('https://external.example/two'), vci_retire_issuer('https://external.example');
DELETE FROM vci_dpop_proof;
DROP SCHEMA directory CASCADE;

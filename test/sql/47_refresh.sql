-- Refresh tokens (RFC 6749 section 6, RFC 9700 section 4.14.2): credentials issued again, without another offer.
\pset format unaligned
\pset tuples_only on

BEGIN;
SET LOCAL client_min_messages = warning;
SELECT vci_create_issuer('https://refresh.example') > 0;
SELECT vci_create_key('https://refresh.example') IS NOT NULL;
SELECT vci_create_configuration(id, 'https://refresh.example/' || id, binding => 'absent', scope => lower(id),
    issuer => 'https://refresh.example') FROM unnest('{Card,Pass}'::text[]) AS id;
CREATE FUNCTION pg_temp.offer(more text DEFAULT '') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    id bigint;
BEGIN
    EXECUTE 'SELECT offer_id FROM openid4vci.vci_create_offer(''{Card,Pass}'', claims => ''{"name": "Ann"}'', '
        'issuer => ''https://refresh.example''' || more || ')' INTO id;
    RETURN id;
END
$$;
CREATE FUNCTION pg_temp.redeem(offer_id bigint, more jsonb DEFAULT '{}', dpop text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
    SELECT openid4vci.vci_request_token('{"grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code"}'::jsonb
        || jsonb_build_object('pre-authorized_code', helper.code(offer_id)) || more, dpop, 'https://refresh.example')
$$;
CREATE FUNCTION pg_temp.refresh(token text, more jsonb DEFAULT '{}', dpop text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
    SELECT openid4vci.vci_request_token(jsonb_build_object('grant_type', 'refresh_token', 'refresh_token', token) || more, dpop,
        'https://refresh.example')
$$;
-- The tokens differ in each run.
CREATE FUNCTION pg_temp.hide(answer jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT helper.hide(answer || CASE WHEN answer ? 'refresh_token' THEN '{"refresh_token": "..."}' ELSE '{}' END::jsonb)
$$;
CREATE FUNCTION pg_temp.issue(token text, request text DEFAULT '{"credential_configuration_id": "Card"}') RETURNS text
LANGUAGE sql AS $$
    SELECT CASE WHEN answer ? 'credentials' THEN 'issued' ELSE answer ->> 'error' END
    FROM openid4vci.vci_request_credential(token, request::jsonb, issuer => 'https://refresh.example') AS answer
$$;

-- Off by default: no refresh token is given, and none is taken.
SELECT pg_temp.redeem(pg_temp.offer()) ? 'refresh_token';
SELECT pg_temp.refresh('AAAA');
SELECT vci_alter_issuer('{"refresh_token_lifetime": 2592000}', 'https://refresh.example');

-- Each use brings an access token, under which each credential is issued once more, and the next refresh token.
SELECT pg_temp.offer() AS id \gset
SELECT pg_temp.redeem(:id) AS first \gset
SELECT pg_temp.hide(:'first');
SELECT pg_temp.issue(:'first'::jsonb ->> 'access_token');
SELECT pg_temp.issue(:'first'::jsonb ->> 'access_token', '{"credential_configuration_id": "Card", "x": 1}') AS "once a token";
SELECT pg_temp.refresh(:'first'::jsonb ->> 'refresh_token') AS second \gset
SELECT pg_temp.hide(:'second');
SELECT pg_temp.issue(:'second'::jsonb ->> 'access_token'), pg_temp.issue(:'second'::jsonb ->> 'access_token',
    '{"credential_configuration_id": "Pass"}');
SELECT :'second'::jsonb ->> 'refresh_token' <> :'first'::jsonb ->> 'refresh_token' AS replaced,
    expires_at - created_at BETWEEN '29 days 23:59:59' AND '30 days 00:00:01' AS lifetime, used_at IS NULL AS unused
FROM vci_refresh_token WHERE id = (SELECT max(successor_id) FROM vci_refresh_token WHERE offer_id = :id);
-- The answer may get lost: until the next one is used the same comes again, with an access token of its own.
SELECT again ->> 'refresh_token' = :'second'::jsonb ->> 'refresh_token' AS same,
    again ->> 'access_token' <> :'second'::jsonb ->> 'access_token' AS another, pg_temp.issue(again ->> 'access_token')
FROM pg_temp.refresh(:'first'::jsonb ->> 'refresh_token') AS again;
SELECT count(*) FROM vci_refresh_token WHERE offer_id = :id;
-- The next one is used: the first is now a stolen one, or the thief was faster. All of them die.
SELECT pg_temp.refresh(:'second'::jsonb ->> 'refresh_token') AS third \gset
SELECT :'third'::jsonb ? 'access_token';
SELECT pg_temp.refresh(:'first'::jsonb ->> 'refresh_token');
SELECT pg_temp.refresh(:'third'::jsonb ->> 'refresh_token');
SELECT pg_temp.issue(:'third'::jsonb ->> 'access_token');
SELECT pg_temp.refresh(:'first'::jsonb ->> 'refresh_token') ->> 'error' AS "once more";
SELECT kind, token_id IS NOT NULL AS token FROM vci_event WHERE offer_id = :id AND kind NOT LIKE 'credential%' ORDER BY id;
-- Another offer's are another family.
SELECT pg_temp.redeem(pg_temp.offer()) ->> 'refresh_token' AS token \gset
SELECT pg_temp.refresh(:'token') ? 'access_token';

-- A narrower access token does not narrow the next refresh token (RFC 6749 section 6).
SELECT pg_temp.redeem(pg_temp.offer()) ->> 'refresh_token' AS token \gset
SELECT what, pg_temp.hide(pg_temp.refresh(:'token', more)) FROM (VALUES
    ('details', '{"authorization_details": [{"type": "openid_credential", "credential_configuration_id": "Pass"}]}'::jsonb),
    ('other details', '{"authorization_details": [{"type": "openid_credential", "credential_configuration_id": "Other"}]}'),
    ('scope', '{"scope": "pass openid"}'), ('unknown scope', '{"scope": "openid"}')) AS w (what, more);
SELECT configuration_ids FROM vci_token ORDER BY id DESC LIMIT 2;
SELECT configuration_ids, identifiers FROM vci_refresh_token ORDER BY id DESC LIMIT 1;
-- What the first request narrowed stays narrow; identifiers that were asked for come again.
SELECT pg_temp.hide(pg_temp.refresh(pg_temp.redeem(pg_temp.offer(),
    '{"authorization_details": [{"type": "openid_credential", "credential_configuration_id": "Pass"}]}') ->> 'refresh_token'));

-- A client_id that came with the code must come again.
SELECT pg_temp.redeem(pg_temp.offer(), '{"client_id": "wallet"}') ->> 'refresh_token' AS token \gset
SELECT what, pg_temp.refresh(:'token', more) ->> 'error_description' FROM (VALUES ('none', '{}'::jsonb),
    ('another', '{"client_id": "other"}')) AS w (what, more);
SELECT pg_temp.refresh(:'token', '{"client_id": "wallet"}') ? 'access_token';
-- A wallet that was registered and is retired gets no more.
SELECT vci_create_client('wallet', '{https://wallet.example/callback}', issuer => 'https://refresh.example');
SELECT pg_temp.refresh(:'token', '{"client_id": "wallet"}') ? 'access_token';
SELECT vci_retire_client('wallet', 'https://refresh.example');
SELECT pg_temp.refresh(:'token', '{"client_id": "wallet"}');

-- Bound to a DPoP key: kept, not replaced, and its time starts anew (RFC 9449 section 5).
CREATE FUNCTION pg_temp.dpop(jti text, key_name text DEFAULT 'first') RETURNS text LANGUAGE sql AS $$
    SELECT wallet.dpop('/token', NULL, key_name,
        jsonb_build_object('jti', jti, 'htu', 'https://refresh.example/api/v1/openid4vci/token'))
$$;
SELECT pg_temp.offer() AS id \gset
SELECT pg_temp.redeem(:id, dpop => pg_temp.dpop('1')) AS first \gset
SELECT pg_temp.hide(:'first');
SELECT :'first'::jsonb ->> 'refresh_token' AS token \gset
UPDATE vci_refresh_token SET expires_at = clock_timestamp() + '1 hour' WHERE offer_id = :id;
SELECT pg_temp.refresh(:'token');
SELECT pg_temp.refresh(:'token', dpop => pg_temp.dpop('2', 'second'));
SELECT pg_temp.refresh(:'token', dpop => pg_temp.dpop('1')) ->> 'error' AS "a proof works once";
SELECT pg_temp.hide(pg_temp.refresh(:'token', dpop => pg_temp.dpop('3')));
SELECT pg_temp.refresh(:'token', dpop => pg_temp.dpop('4')) ->> 'token_type' AS again;
SELECT count(*), count(jkt), min(expires_at) > clock_timestamp() + '29 days' AS slid FROM vci_refresh_token WHERE offer_id = :id;
SELECT count(*), count(jkt) FROM vci_token WHERE offer_id = :id;
-- One that is not bound stays so; the access token is bound.
SELECT pg_temp.refresh(pg_temp.redeem(pg_temp.offer()) ->> 'refresh_token', dpop => pg_temp.dpop('5')) AS answer \gset
SELECT :'answer'::jsonb ->> 'token_type', pg_temp.refresh(:'answer'::jsonb ->> 'refresh_token') ->> 'token_type';

-- What ends one: time, cancelling, a renewed link, the issuer's decision to give none.
SELECT pg_temp.offer() AS id \gset
SELECT pg_temp.redeem(:id) AS first \gset
SELECT :'first'::jsonb ->> 'refresh_token' AS token \gset
SAVEPOINT fresh;
UPDATE vci_refresh_token SET expires_at = clock_timestamp() WHERE offer_id = :id;
SELECT pg_temp.refresh(:'token');
ROLLBACK TO fresh;
SELECT vci_reopen_offer(:id) IS NOT NULL;
SELECT pg_temp.refresh(:'token');
ROLLBACK TO fresh;
SELECT pg_temp.issue(:'first'::jsonb ->> 'access_token'), pg_temp.issue(:'first'::jsonb ->> 'access_token',
    '{"credential_configuration_id": "Pass"}');
SELECT vci_cancel_offer(:id) AS "although all is issued";
SELECT pg_temp.refresh(:'token');
ROLLBACK TO fresh;
SELECT vci_pause_issuance('https://refresh.example');
SELECT pg_temp.refresh(:'token');
ROLLBACK TO fresh;
SELECT vci_alter_issuer('{"refresh_token_lifetime": null}', 'https://refresh.example');
SELECT pg_temp.refresh(:'token');
ROLLBACK TO fresh;
-- Forged, cut, of another kind: nothing is looked up.
SELECT what, pg_temp.refresh(token) FROM (VALUES ('forged', left(:'token', 39) || CASE right(:'token', 1) WHEN 'A'
    THEN 'B' ELSE 'A' END), ('cut', left(:'token', 39)), ('an access token', :'first'::jsonb ->> 'access_token'),
    ('a code', helper.code(:id)), ('empty', '')) AS t (what, token);
SELECT pg_temp.issue(:'token') AS "a refresh token is no access token";
SELECT used_at IS NULL AS unused FROM vci_refresh_token WHERE offer_id = :id;
SELECT vci_create_issuer('https://elsewhere.example', settings => '{"refresh_token_lifetime": 60}') > 0;
SELECT vci_create_key('https://elsewhere.example') IS NOT NULL;
SELECT vci_request_token(jsonb_build_object('grant_type', 'refresh_token', 'refresh_token', :'token'), issuer => 'https://elsewhere.example');
-- No token stands in the tables.
SELECT count(*) FROM vci_refresh_token AS r WHERE position(:'token' IN r::text) > 0;
ROLLBACK;

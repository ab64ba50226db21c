-- A copy of the database that issues: it answers 503 until it is adopted. And what is
-- withdrawn after a restore, and that nothing is issued without synchronous commits.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;

SELECT vci_create_issuer('https://copies.example', settings => '{"refresh_token_lifetime": 86400,
    "login_url": "https://portal.example/login", "base_path": "/copies"}') > 0, vci_create_key('https://copies.example') IS NOT NULL;
SELECT vci_create_configuration('Card', 'https://copies.example/card', binding => 'absent', issuer => 'https://copies.example');
SELECT vci_create_configuration('Slow', 'https://copies.example/slow', binding => 'absent', scope => 'slow',
    issuer => 'https://copies.example', options => '{"deferred": true}');
SELECT vci_create_client('wallet', '{https://wallet.example/cb}', issuer => 'https://copies.example');
CREATE FUNCTION helper.offer_here(configuration text DEFAULT 'Card') RETURNS bigint LANGUAGE sql AS $$
    SELECT offer_id FROM vci_create_offer(ARRAY[configuration], claims => '{"name": "Ann"}', issuer => 'https://copies.example')
$$;
CREATE FUNCTION helper.redeem_here(code text) RETURNS jsonb LANGUAGE sql AS
    $$SELECT vci_exchange_code(code, issuer => 'https://copies.example')$$;
CREATE FUNCTION helper.issue_here(token text, configuration text DEFAULT 'Card') RETURNS jsonb LANGUAGE sql AS $$
    SELECT vci_request_credential(token, jsonb_build_object('credential_configuration_id', configuration),
        issuer => 'https://copies.example')
$$;
CREATE FUNCTION helper.shown(answer jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT COALESCE(answer ->> 'error', (SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(answer) AS k))
$$;
CREATE FUNCTION helper.form_here(leaf text, form text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws('|', leaf, status, headers_out ->> 'Retry-After', body_out ->> 'error', body_out ->> 'error_description')
    FROM helper.http('POST', '/copies' || leaf, '{Host, copies.example, Content-Type, application/x-www-form-urlencoded}',
        convert_to(form, 'UTF8'))
$$;
CREATE FUNCTION helper.json_here(leaf text, token text, body text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws('|', leaf, status, headers_out ->> 'Retry-After', body_out ->> 'error', body_out ->> 'error_description')
    FROM helper.http('POST', '/copies' || leaf, ARRAY['Host', 'copies.example', 'Content-Type', 'application/json',
        'Authorization', 'Bearer ' || token], convert_to(body, 'UTF8'))
$$;
CREATE FUNCTION helper.push_here() RETURNS text LANGUAGE sql AS
    $$SELECT helper.form_here('/par', 'response_type=code&client_id=wallet&redirect_uri=https://wallet.example/cb&scope=slow'
        '&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256')$$;
CREATE FUNCTION helper.login_here() RETURNS text LANGUAGE sql AS $$
    SELECT substring(vci_authorize(jsonb_build_object('client_id', 'wallet', 'redirect_uri', 'https://wallet.example/cb',
        'response_type', 'code', 'scope', 'slow', 'code_challenge_method', 'S256',
        'code_challenge', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'), 'https://copies.example') ->> 'location'
        FROM 'request=(.*)')
$$;

-- The first issuer bound this database.
SELECT d.system_identifier = c.system_identifier, d.database_oid = b.oid, d.adopted_by = current_user, d.restored_at
FROM vci_database AS d, pg_control_system() AS c, pg_database AS b WHERE b.datname = current_database();
SELECT "check", ok, detail FROM vci_health() WHERE "check" = 'database';
SELECT vci_adopt_database(), (SELECT epoch FROM vci_epoch) AS epoch \gset before_
SELECT :'before_vci_adopt_database' AS "nothing to adopt", epoch = :before_epoch AS "same epoch",
    (SELECT count(*) FROM vci_event WHERE kind = 'database_adopted') AS events FROM vci_epoch;

-- Things under way, then another identity: as in a copy by template, where the OID is another.
SELECT helper.code(helper.offer_here()) AS code, vci_create_nonce('https://copies.example') AS nonce \gset
SELECT helper.redeem_here(helper.code(helper.offer_here())) ->> 'access_token' AS token \gset
SELECT helper.redeem_here(helper.code(helper.offer_here('Slow'))) ->> 'access_token' AS slow_token \gset
SELECT helper.issue_here(:'slow_token', 'Slow') ->> 'transaction_id' AS transaction \gset
SELECT vci_deferred_complete(id) FROM vci_deferred_info WHERE issuer = 'https://copies.example' AND state = 'waiting';
SELECT helper.login_here() AS login \gset
UPDATE vci_database SET database_oid = 1;
SELECT "check", ok, detail FROM vci_health() WHERE "check" = 'database';
SELECT helper.form_here('/token', helper.form(:'code'));
SELECT helper.json_here('/credential', :'token', '{"credential_configuration_id": "Card"}');
SELECT helper.json_here('/deferred_credential', :'slow_token', jsonb_build_object('transaction_id', :'transaction')::text);
SELECT helper.push_here();
SELECT helper.shown(helper.redeem_here(:'code')), helper.shown(helper.issue_here(:'token')), helper.login_here() IS NULL;
SELECT helper.errors(
    $$SELECT vci_issue_sdjwt('Card', '{}', issuer => 'https://copies.example')$$,
    $$SELECT vci_issue_and_record('Card', '{}', issuer => 'https://copies.example')$$,
    format('SELECT vci_authorize_approve(%L, %L, %L, %L, issuer => %L)', :'login', 'person', '7', '{"a": 1}', 'https://copies.example'));
-- What leads to no credential works: offers are made, as with a pause, metadata and verifying.
SELECT helper.offer_here() > 0, vci_create_nonce('https://copies.example') IS NOT NULL;
SELECT status FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, copies.example}');

-- Adopting it: who may, and what then holds.
SET ROLE regress_vci_stranger;
SELECT helper.errors('SELECT openid4vci.vci_adopt_database()', $$SELECT openid4vci.vci_after_restore(now())$$,
    'SELECT openid4vci.vci_rotate_root_key()');
RESET ROLE;
DROP ROLE IF EXISTS regress_vci_keeper;
CREATE ROLE regress_vci_keeper;
SELECT vci_grant('regress_vci_keeper', 'key_admin', 'https://copies.example');
SET ROLE regress_vci_keeper;
SELECT helper.errors('SELECT openid4vci.vci_adopt_database()', $$SELECT openid4vci.vci_after_restore(now())$$,
    'SELECT openid4vci.vci_rotate_root_key()');
RESET ROLE;
SELECT vci_grant('regress_vci_keeper', 'key_admin');
SET ROLE regress_vci_keeper;
SELECT openid4vci.vci_adopt_database(), openid4vci.vci_adopt_database() AS again;
RESET ROLE;
SELECT adopted_by, restored_at - adopted_at < interval '1 minute', database_oid = (SELECT oid FROM pg_database WHERE datname = current_database())
FROM vci_database;
SELECT epoch = :before_epoch AS "same epoch", (SELECT count(*) FROM vci_event WHERE kind = 'database_adopted') AS events
FROM vci_epoch;
SELECT "check", ok, detail FROM vci_health() WHERE "check" = 'database';
SELECT actor, issuer_id IS NULL FROM vci_event_info WHERE kind = 'database_adopted';
SELECT helper.shown(helper.issue_here(:'token'));
SELECT helper.shown(helper.redeem_here(:'code'));
SELECT helper.json_here('/deferred_credential', :'slow_token', jsonb_build_object('transaction_id', :'transaction')::text);
-- A row that somebody deleted: the same; a new issuer does not bind what was bound before.
BEGIN;
DELETE FROM vci_database;
SELECT vci_create_issuer('https://late.example') > 0, (SELECT count(*) FROM vci_database);
SELECT helper.shown(helper.redeem_here(helper.code(helper.offer_here())));
SELECT vci_retire_issuer('https://late.example'), vci_adopt_database(), vci_adopt_database();
SELECT helper.shown(helper.redeem_here(helper.code(helper.offer_here())));
-- Rolled back, nothing of it was.
UPDATE vci_database SET system_identifier = 1;
SELECT helper.shown(helper.redeem_here(helper.code(helper.offer_here())));
ROLLBACK;
SELECT helper.shown(helper.redeem_here(helper.code(helper.offer_here())));

-- After a restore: what was made up to then and may still lead to a credential is withdrawn.
SELECT helper.errors('SELECT vci_after_restore(NULL)', $$SELECT vci_after_restore(now() + interval '1 hour')$$,
    $$SELECT vci_after_restore('infinity')$$) ~ '^22(004 cut must not be null|023 cut lies in the future: .*)\n    HINT It is the time';
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT helper.errors($$SELECT vci_after_restore(now())$$, 'SELECT vci_rotate_root_key()');
ROLLBACK;
SELECT * FROM vci_after_restore('2020-01-01');

CREATE TEMPORARY TABLE thing (name text, offer_id bigint, code text, token text);
INSERT INTO thing SELECT name, id, helper.code(id) FROM unnest('{pending,pin,redeemed,issued,waiting,expired,cancelled,over}'::text[]) AS name,
    LATERAL (SELECT helper.offer_here(CASE name WHEN 'waiting' THEN 'Slow' ELSE 'Card' END) WHERE name <> '') AS o (id);
UPDATE thing SET token = helper.redeem_here(code) ->> 'access_token' WHERE name IN ('redeemed', 'issued', 'waiting', 'over');
SELECT name, helper.shown(helper.issue_here(token, CASE name WHEN 'waiting' THEN 'Slow' ELSE 'Card' END))
FROM thing WHERE name IN ('issued', 'waiting');
SELECT vci_cancel_offer(offer_id) FROM thing WHERE name = 'cancelled';
UPDATE vci_offer AS o SET expires_at = now() - interval '1 hour' FROM thing AS t WHERE t.offer_id = o.id AND name = 'expired';
UPDATE vci_token AS x SET expires_at = now() - interval '1 hour' FROM thing AS t WHERE t.offer_id = x.offer_id AND name = 'over';
UPDATE vci_refresh_token AS x SET expires_at = now() - interval '1 hour' FROM thing AS t WHERE t.offer_id = x.offer_id AND name = 'over';
SELECT helper.login_here() AS login, clock_timestamp() AS cut, helper.push_here() ~ '^/par.201' AS pushed \gset
SELECT helper.offer_here() AS later \gset
CREATE TEMPORARY TABLE generation AS SELECT id, generation FROM vci_offer;
SELECT count(*) AS pending FROM vci_offer_info WHERE state = 'pending' AND created_at <= :'cut' \gset
SELECT pending = :pending, redeemed >= 3 FROM vci_after_restore(:'cut');
SELECT t.name, o.generation > g.generation AS raised FROM thing AS t JOIN vci_offer AS o ON o.id = t.offer_id
    JOIN generation AS g ON g.id = o.id ORDER BY t.name;
SELECT o.generation > g.generation AS "raised, though made later" FROM vci_offer AS o JOIN generation AS g USING (id) WHERE id = :later;
SELECT name, helper.shown(helper.redeem_here(code)) AS "old code" FROM thing WHERE name IN ('pending', 'pin') ORDER BY name;
SELECT name, helper.shown(helper.redeem_here(helper.code(offer_id))) AS "new code" FROM thing WHERE name IN ('pending', 'pin') ORDER BY name;
SELECT name, helper.shown(helper.issue_here(token)) AS "old token" FROM thing WHERE name IN ('redeemed', 'issued') ORDER BY name;
SELECT name, regexp_replace(helper.error(format('SELECT vci_reopen_offer(%s)', offer_id)), '\d+$|\d+(?=\n)', '...') FROM thing WHERE name IN ('redeemed', 'issued') ORDER BY name;
SELECT helper.errors(format('SELECT vci_authorization_request(%L, %L)', :'login', 'https://copies.example')) AS "login is over";
SELECT kind, issuer_id IS NULL, actor = current_user FROM vci_event_info WHERE kind = 'database_restored' ORDER BY id DESC LIMIT 1;
SELECT restored_at > now() - interval '1 hour' FROM vci_database;

-- synchronous_commit = off: a crash could bring back what a wallet used.
SELECT helper.offer_here() AS offer \gset
SELECT helper.code(:offer) AS code \gset
SET synchronous_commit = off;
SELECT "check", ok, detail FROM vci_health() WHERE "check" = 'durability';
SELECT helper.form_here('/token', helper.form(:'code'));
SELECT helper.json_here('/credential', :'token', '{}');
SELECT helper.push_here();
SELECT helper.errors(format('SELECT vci_exchange_code(%L, issuer => %L)', :'code', 'https://copies.example'),
    $$SELECT vci_request_token('{}', issuer => 'https://copies.example')$$,
    $$SELECT vci_request_credential('t', '{}', issuer => 'https://copies.example')$$,
    $$SELECT vci_request_deferred('t', 't', issuer => 'https://copies.example')$$,
    $$SELECT vci_issue_and_record('Card', '{}', issuer => 'https://copies.example')$$);
-- What records nothing needs no disk.
SELECT vci_issue_sdjwt('Card', '{}', issuer => 'https://copies.example') IS NOT NULL, helper.offer_here() > 0;
SELECT status FROM helper.http('GET', '/.well-known/openid-credential-issuer', '{Host, copies.example}');
SET synchronous_commit = local;
SELECT helper.shown(helper.redeem_here(:'code'));
SET synchronous_commit = remote_write;
SELECT helper.shown(helper.redeem_here(helper.code(helper.offer_here())));
RESET synchronous_commit;

SELECT vci_retire_issuer('https://copies.example');
DROP OWNED BY regress_vci_keeper;
DELETE FROM vci_duty WHERE role_name = 'regress_vci_keeper';
DROP ROLE regress_vci_keeper;

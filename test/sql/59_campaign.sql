-- Campaigns: from a query of people to one offer each.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT vci_create_issuer('https://campaign.example') > 0;
SELECT vci_create_key('https://campaign.example') IS NOT NULL;
SELECT vci_create_configuration(id, 'https://campaign.example/' || id, claims => claims, binding => binding, issuer => 'https://campaign.example')
FROM (VALUES ('Card', '[{"path": ["name"], "mandatory": true}]'::jsonb, NULL), ('Pass', NULL, 'absent')) AS c (id, claims, binding);
DROP ROLE IF EXISTS regress_vci_maker, regress_vci_runner, regress_vci_outsider;
CREATE ROLE regress_vci_maker;
CREATE ROLE regress_vci_runner;
CREATE ROLE regress_vci_outsider;
SELECT vci_grant(role, 'offerer', 'https://campaign.example') FROM unnest('{regress_vci_maker,regress_vci_runner}'::name[]) AS role;
-- Errors tell them.
SELECT setval('openid4vci.vci_campaign_id_seq', 5900), setval('openid4vci.vci_offer_id_seq', 590000);
CREATE SCHEMA people;
CREATE TABLE people.person (id integer PRIMARY KEY, name text, area text, phone text, locale text);
INSERT INTO people.person SELECT n, CASE WHEN n % 10 <> 3 THEN 'Person ' || n END, CASE WHEN n % 2 = 0 THEN 'NCR' END, '+63' || n, 'tl'
FROM generate_series(1, 25) AS n;
CREATE VIEW people.recipients AS SELECT 'A-' || id AS reference, 'res.partner' AS subject_model, id AS subject_id,
    jsonb_strip_nulls(jsonb_build_object('name', name)) AS claims, jsonb_strip_nulls(jsonb_build_object('area', area)) AS labels,
    phone AS address, locale AS language FROM people.person;
GRANT USAGE ON SCHEMA people TO regress_vci_maker;
GRANT SELECT ON people.recipients TO regress_vci_maker;

-- What can be no campaign.
SET ROLE regress_vci_maker;
SELECT helper.errors(
    $$SELECT vci_create_campaign(NULL, '{Card}', 'people.recipients')$$,
    $$SELECT vci_create_campaign('', '{Card}', 'people.recipients')$$,
    $$SELECT vci_create_campaign('A', NULL, 'people.recipients')$$,
    $$SELECT vci_create_campaign('A', '{}', 'people.recipients')$$,
    $$SELECT vci_create_campaign('A', '{Card,Card}', 'people.recipients')$$,
    $$SELECT vci_create_campaign('A', '{Nothing}', 'people.recipients')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'people.person')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'recipients')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'SELECT 1 AS id')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'SELECT address FROM people.recipients')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'SELECT 1 AS reference, 2 AS reference')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'SELECT 1 AS reference, ''{}'' AS claims')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'SELECT 1 AS reference; SELECT 2 AS reference')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'DELETE FROM people.person RETURNING id AS reference')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'WITH d AS (DELETE FROM people.person RETURNING id) SELECT id AS reference FROM d')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'SELECT reference FROM people.recipients FOR UPDATE')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'SELECT 1 AS reference INTO people.made')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'SHOW search_path')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'not a query')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'people.recipients', '{"colour": 1}')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'people.recipients', '{"tx_code": {"length": 3}}')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'people.recipients', '{"tx_code": {"mode": "letters"}}')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'people.recipients', '{"tx_code": {"pin": 1}}')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'people.recipients', '{"expires_in": "0 days"}')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'people.recipients', '{"pace": 0}')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'people.recipients', '{"labels": []}')$$,
    $$SELECT vci_create_campaign('A', '{Card}', 'people.recipients', '{"channel": 7}')$$);

SELECT vci_create_campaign('November', '{Card}', 'people.recipients',
    '{"tx_code": {"length": 5, "description": "Printed below"}, "expires_in": "30 days", "labels": {"program": "cash", "area": "?"}, "channel": "sms"}') AS campaign \gset
SELECT helper.error($$SELECT vci_create_campaign('November', '{Card}', 'people.recipients')$$);
SELECT name, state, configuration_ids, recipients, tx_code, expires_in, pace, labels, channel, people, made, created_by
FROM vci_campaign_info WHERE id = :campaign;

-- The dry run: an offer that is there, people without a name, and nothing changes.
SELECT created FROM vci_create_offer('{Card}', claims => '{"name": "Early"}', reference => 'A-1', tx_code => '4321');
SELECT created FROM vci_create_offer('{Pass}', claims => '{"name": "Other"}', reference => 'A-2');
SELECT count(*) AS offers FROM vci_offer_info WHERE issuer = 'https://campaign.example' \gset
SELECT * FROM vci_check_campaign(:campaign);
SELECT * FROM vci_check_campaign(:campaign, 1) WHERE outcome = 'failure';
SELECT count(*) = :offers FROM vci_offer_info WHERE issuer = 'https://campaign.example';
SELECT state, people FROM vci_campaign_info WHERE id = :campaign;
SELECT helper.errors('SELECT FROM vci_check_campaign(' || :campaign || ', -1)', 'SELECT FROM vci_check_campaign(0)');

-- Somebody else runs it, who may not read the people himself.
SET ROLE regress_vci_runner;
SELECT helper.error('SELECT FROM people.recipients');
SELECT helper.error('CALL vci_campaign_run(' || :campaign || ')');
BEGIN;
CALL vci_campaign_run(:campaign);
ROLLBACK;
CALL vci_campaign_run(NULL);
CALL vci_campaign_run(:campaign, 0);
SELECT * FROM vci_campaign_step(:campaign);
SELECT state, people, made, remaining, started_at IS NULL FROM vci_campaign_info WHERE id = :campaign;
SELECT state, made, existing, failed, remaining FROM vci_campaign_step(:campaign, 4);
SELECT state, people, made, existing, failed, remaining, rate > 0, time_left >= '0' FROM vci_campaign_info WHERE id = :campaign;
SET client_min_messages = notice;
CALL vci_campaign_run(:campaign, 7);
CALL vci_campaign_run(:campaign);
CALL vci_campaign_run(:campaign);
SET client_min_messages = warning;
SELECT state, people, made, existing, failed, remaining, rate, time_left, finished_at IS NOT NULL FROM vci_campaign_info WHERE id = :campaign;
SELECT reference, failure FROM vci_campaign_failure_info WHERE campaign_id = :campaign ORDER BY id;
SELECT count(*), count(DISTINCT reference), count(*) FILTER (WHERE created_by = 'regress_vci_runner') FROM vci_offer_info WHERE campaign_id = :campaign;
SELECT reference, state, subject_model, subject_id, labels, tx_code_required, expires_at - created_at > '29 days 23 h', campaign_id = :campaign, opened_at
FROM vci_offer_info WHERE issuer = 'https://campaign.example' AND reference IN ('A-1', 'A-2', 'A-4', 'A-5') ORDER BY reference;
RESET ROLE;
-- Claims lie with the offer alone; who had an offer is told of it, too.
SELECT reference, offer_id IS NOT NULL AS offer, claims, address, language, channel, delivery, failure FROM vci_campaign_recipient
WHERE campaign_id = :campaign AND reference IN ('A-1', 'A-2', 'A-3', 'A-4') ORDER BY reference;
SELECT count(*), count(DISTINCT offer_id) FROM vci_event JOIN vci_offer ON vci_offer.id = offer_id WHERE kind = 'offer_created' AND campaign_id = :campaign;

-- Its transaction codes are good, and differ.
SELECT count(DISTINCT tx_code_verifier) = count(*), min(tx_code_length), min(tx_code_mode), min(tx_code_description) FROM vci_offer WHERE campaign_id = :campaign;

-- Whoever is new and whose data was mended come with a reload; the rest stays.
UPDATE people.person SET name = 'Found' WHERE id = 3;
INSERT INTO people.person VALUES (26, 'Late', NULL, NULL, NULL);
SELECT vci_resume_campaign(:campaign), vci_resume_campaign(:campaign, reload => true);
SELECT state, people, made, existing, failed, remaining FROM vci_campaign_info WHERE id = :campaign;
CALL vci_campaign_run(:campaign);
SELECT state, people, made, existing, failed, remaining FROM vci_campaign_info WHERE id = :campaign;
SELECT reference FROM vci_offer_info WHERE campaign_id = :campaign ORDER BY created_at DESC LIMIT 2;

-- What was handed out stays what it is; everything else may change.
SELECT helper.errors(
    format('SELECT vci_alter_campaign(%s, %L)', :campaign, '{"tx_code": null}'),
    format('SELECT vci_alter_campaign(%s, %L)', :campaign, '{"configuration_ids": ["Pass"]}'),
    format('SELECT vci_alter_campaign(%s, %L)', :campaign, '{"name": null}'),
    format('SELECT vci_alter_campaign(%s, %L)', :campaign, '{"state": "finished"}'),
    format('SELECT vci_alter_campaign(%s, %L)', :campaign, '[]'),
    'SELECT vci_alter_campaign(0, ''{}'')');
SELECT vci_alter_campaign(:campaign, '{"name": "December", "expires_in": null, "pace": 6000, "labels": null, "channel": "print"}');
SELECT name, expires_in, pace, labels, channel, tx_code, created_by FROM vci_campaign_info WHERE id = :campaign;
SET ROLE regress_vci_maker;
SELECT vci_create_campaign('January', '{Pass}', 'SELECT ''J-'' || n AS reference, ''{"n": 1}''::jsonb AS claims FROM pg_catalog.generate_series(1, 3) AS n') AS january \gset
SELECT helper.error(format('SELECT vci_alter_campaign(%s, %L)', :january, '{"name": "December"}'));
SELECT vci_alter_campaign(:january, '{"configuration_ids": ["Pass"], "tx_code": {}}');
SELECT tx_code, channel FROM vci_campaign_info WHERE id = :january;

-- Paused, nothing is made; cancelled, nothing any more, and what is open ends.
SELECT state, loaded FROM vci_campaign_step(:january);
SELECT vci_pause_campaign(:january), vci_pause_campaign(:january);
SELECT state, made, remaining FROM vci_campaign_step(:january);
CALL vci_campaign_run(:january);
SELECT vci_resume_campaign(:january), vci_resume_campaign(:january);
SELECT state, made FROM vci_campaign_step(:january, 2);
RESET ROLE;
SELECT vci_exchange_code(helper.code(id), NULL, 'https://campaign.example') ->> 'error' FROM vci_offer WHERE reference = 'J-1';
SET ROLE regress_vci_maker;
SELECT vci_cancel_campaign(:january, 1), vci_cancel_campaign(:january), vci_cancel_campaign(:january);
SELECT state, made, remaining FROM vci_campaign_step(:january);
SELECT reference, state FROM vci_offer_info WHERE campaign_id = :january ORDER BY reference;
SELECT helper.errors('SELECT vci_resume_campaign(' || :january || ')', 'SELECT vci_alter_campaign(' || :january || ', ''{"pace": 1}'')',
    'SELECT vci_cancel_campaign(' || :january || ', 0)');
SELECT vci_pause_campaign(:january);

-- A row without a reference: the others wait until the query is mended, and whoever mends it lends his rights.
SELECT vci_create_campaign('Gap', '{Pass}', 'SELECT CASE WHEN n <> 2 THEN ''G-'' || n END AS reference, ''{"n": 1}''::jsonb AS claims FROM pg_catalog.generate_series(1, 3) AS n') AS gap \gset
SELECT * FROM vci_check_campaign(:gap);
SELECT helper.error('SELECT FROM vci_campaign_step(' || :gap || ')');
SELECT people, state FROM vci_campaign_info WHERE id = :gap;
SET ROLE regress_vci_runner;
SELECT vci_alter_campaign(:gap, '{"recipients": "SELECT ''G-'' || n % 2 AS reference, ''{\"n\": 1}''::jsonb AS claims FROM pg_catalog.generate_series(1, 3) AS n"}');
SELECT * FROM vci_check_campaign(:gap);
CALL vci_campaign_run(:gap);
SELECT state, people, made, created_by FROM vci_campaign_info WHERE id = :gap;

-- Its rights end with the duty of whoever gave the query.
SET ROLE regress_vci_maker;
SELECT vci_create_campaign('Left', '{Pass}', 'people.recipients') AS left \gset
RESET ROLE;
SELECT vci_revoke('regress_vci_maker', 'offerer', 'https://campaign.example');
SET ROLE regress_vci_runner;
SELECT helper.errors('SELECT FROM vci_campaign_step(' || :left || ')', 'SELECT FROM vci_check_campaign(' || :left || ')');
SELECT helper.error(format('SELECT vci_alter_campaign(%s, %L)', :left, '{"recipients": "people.recipients"}'));
SET ROLE regress_vci_maker;
SELECT helper.errors('SELECT FROM openid4vci.vci_campaign_step(' || :gap || ')', 'SELECT FROM openid4vci.vci_campaign_info');
RESET ROLE;
-- Nor does another role of the same name lend its own.
SELECT vci_grant('regress_vci_maker', 'offerer', 'https://campaign.example');
SET ROLE regress_vci_runner;
SELECT helper.error('SELECT FROM vci_campaign_step(' || :left || ')');
SELECT created_by = '' FROM vci_campaign_info WHERE id = :left;
SET ROLE regress_vci_maker;
SELECT vci_alter_campaign(:left, '{"recipients": "people.recipients"}');
SELECT state, loaded FROM vci_campaign_step(:left);
RESET ROLE;

-- A hostile query: nothing of whoever runs it is in reach, and nothing of it stays.
CREATE SCHEMA evil AUTHORIZATION regress_vci_maker;
CREATE TABLE evil.prey (what text);
CREATE SEQUENCE evil.drawn;
SET ROLE regress_vci_maker;
CREATE TABLE evil.seen (who name, session name, path text, what text);
CREATE FUNCTION evil.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN statement || ': done';
EXCEPTION WHEN OTHERS THEN
    RETURN statement || ': ' || SQLERRM;
END $$;
CREATE FUNCTION evil.look(id integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    SELECT string_agg(evil.try(s), E'\n') INTO said FROM unnest(ARRAY['SET ROLE regress_vci_runner', 'RESET ROLE', 'SET SESSION AUTHORIZATION DEFAULT',
        'SET search_path = evil', 'SET DateStyle = ''ISO, YMD''', 'CREATE TEMP TABLE trap (a text)',
        'DECLARE trap CURSOR WITH HOLD FOR SELECT 1', 'PREPARE trap AS SELECT 1', 'LISTEN openid4vci', 'SELECT lastval()',
        'INSERT INTO evil.prey VALUES (1)', 'SELECT FROM openid4vci.vci_campaign', 'SELECT FROM openid4vci.vci_issuer_info WHERE 1 / 0 = 1',
        'CREATE TEMP VIEW people AS SELECT 1', 'DISCARD ALL', 'COMMIT']) AS s;
    INSERT INTO evil.seen VALUES (current_user, session_user = current_user, current_setting('search_path'), said);
    RETURN 'E-' || id;
END $$;
SELECT vci_create_campaign('Evil', '{Pass}', 'SELECT evil.look(n) AS reference, ''{"n": 1}''::jsonb AS claims FROM pg_catalog.generate_series(1, 1) AS n') AS evil \gset
RESET ROLE;
GRANT ALL ON evil.prey, evil.drawn TO regress_vci_runner;
GRANT USAGE ON SCHEMA evil TO regress_vci_runner;
SET ROLE regress_vci_runner;
SELECT nextval('evil.drawn');
CALL vci_campaign_run(:evil);
SELECT current_user, current_setting('search_path'), current_setting('DateStyle') <> 'ISO, YMD', (SELECT count(*) FROM pg_prepared_statements) + (SELECT count(*) FROM pg_cursors) AS left;
RESET ROLE;
SELECT * FROM evil.seen;
SELECT count(*) FROM evil.prey;
-- One that raises, or ends the session's patience, stops the run and changes nothing.
SET ROLE regress_vci_maker;
CREATE FUNCTION evil.raise(id integer) RETURNS text LANGUAGE plpgsql AS $$ BEGIN IF id = 2500 THEN RAISE 'boo'; END IF; RETURN 'R-' || id; END $$;
SELECT vci_create_campaign('Raise', '{Pass}', 'SELECT evil.raise(n) AS reference FROM pg_catalog.generate_series(1, 3000) AS n') AS raise \gset
SELECT vci_create_campaign('Sleep', '{Pass}', 'SELECT ''S'' || pg_catalog.pg_sleep(600) AS reference') AS sleep \gset
SET ROLE regress_vci_runner;
\set VERBOSITY terse
CALL vci_campaign_run(:raise);
SET statement_timeout = '300ms';
CALL vci_campaign_run(:sleep);
RESET statement_timeout;
\set VERBOSITY default
SELECT name, state, people FROM vci_campaign_info WHERE id IN (:raise, :sleep) ORDER BY id;
SELECT current_user;

-- An outsider can't tell which campaigns there are.
RESET ROLE;
SELECT vci_create_issuer('https://campaign.example/other') > 0;
SELECT vci_grant('regress_vci_outsider', 'offerer', 'https://campaign.example/other');
SET ROLE regress_vci_outsider;
SELECT count(*) FROM vci_campaign_info;
SELECT count(*) FROM vci_campaign_failure_info;
SELECT helper.errors('SELECT vci_pause_campaign(' || :campaign || ')', 'SELECT vci_pause_campaign(0)', 'SELECT vci_cancel_campaign(' || :campaign || ')',
    'SELECT FROM vci_campaign_step(' || :campaign || ')', 'SELECT FROM vci_check_campaign(' || :campaign || ')');
CALL vci_campaign_run(:campaign);
RESET ROLE;

-- The pace: a chunk, and then somebody has to wait.
SELECT vci_create_campaign('Slow', '{Pass}', 'SELECT ''P-'' || n AS reference, ''{"n": 1}''::jsonb AS claims FROM pg_catalog.generate_series(1, 9) AS n',
    '{"pace": 90}', 'https://campaign.example') AS slow \gset
SELECT loaded FROM vci_campaign_step(:slow);
SELECT made, wait_seconds FROM vci_campaign_step(:slow);
SELECT made, wait_seconds BETWEEN 0.5 AND 2 FROM vci_campaign_step(:slow);
SELECT made, remaining FROM vci_campaign_info WHERE id = :slow;

-- Whoever reads its chunks next is not told by old statistics that it addresses one person.
BEGIN;
ANALYZE vci_campaign_recipient;
SELECT vci_create_campaign('Many', '{Pass}', 'SELECT ''M-'' || n AS reference FROM pg_catalog.generate_series(1, 2000) AS n',
    issuer => 'https://campaign.example') AS many \gset
SELECT loaded FROM vci_campaign_step(:many);
SELECT :many = ANY (most_common_vals::text::bigint[]) FROM pg_catalog.pg_stats
WHERE tablename = 'vci_campaign_recipient' AND attname = 'campaign_id';
ROLLBACK;

-- A key or configuration that is gone stops it, and fails nobody.
SELECT vci_retire_configuration('Pass', 'https://campaign.example');
UPDATE vci_campaign SET paced_until = NULL WHERE id = :slow;
SELECT helper.error('SELECT FROM vci_campaign_step(' || :slow || ')');
SELECT made, failed, remaining FROM vci_campaign_info WHERE id = :slow;
SELECT vci_revoke(d.role_name, d.duty, d.issuer) FROM vci_duty_info AS d
    WHERE d.role_name IN ('regress_vci_maker', 'regress_vci_runner', 'regress_vci_outsider');
SELECT vci_retire_issuer(url) FROM vci_issuer_info WHERE url LIKE 'https://campaign.example%' ORDER BY url;
DROP SCHEMA people, evil CASCADE;
DROP OWNED BY regress_vci_maker, regress_vci_runner, regress_vci_outsider;
DROP ROLE regress_vci_maker, regress_vci_runner, regress_vci_outsider;

-- Seals over the events: what they cover, what vci_verify_events finds, who may ask.
SET client_min_messages = warning;

-- Another session's transaction can hold the newest events back for a moment.
CREATE FUNCTION helper.seal_all() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WHILE EXISTS (SELECT FROM vci_event WHERE id > COALESCE((SELECT max(upper(event_ids)) - 1
                  FROM vci_event_seal), 0)) LOOP
        PERFORM vci_seal_events();
    END LOOP;
END $$;
SELECT helper.seal_all();

-- Each event is in one segment, each segment has what it says, and the ids of seals have no gap.
SELECT count(*) > 0 AS events, count(*) FILTER (WHERE s.n <> 1) AS "not in one segment"
FROM vci_event AS e, LATERAL (SELECT count(*) FROM vci_event_seal WHERE event_ids @> e.id) AS s (n);
SELECT count(*) > 0 AS seals, count(*) = max(id) AS "no gap", max(events) <= 1000 AS small,
    bool_and(events = (SELECT count(*) FROM vci_event AS e WHERE s.event_ids @> e.id)) AS counted
FROM vci_event_seal AS s WHERE kind = 'segment';

-- The digest, made again by what the documents say of it: values with their lengths.
CREATE FUNCTION helper.field(value bytea) RETURNS bytea LANGUAGE sql AS
    $$SELECT COALESCE(int4send(length(value)) || value, '\xffffffff')$$;
CREATE FUNCTION helper.digest(ids int8multirange) RETURNS bytea LANGUAGE sql AS $$
    SELECT sha256(string_agg(
        helper.field(int8send(id)) || helper.field(timestamptz_send(at))
            || helper.field(int8send(issuer_id)) || helper.field(int8send(offer_id))
            || helper.field(int8send(authorization_id)) || helper.field(int8send(token_id))
            || helper.field(int8send(deferred_id)) || helper.field(int8send(credential_id))
            || helper.field(textsend(kind)) || helper.field(textsend(actor::text))
            || helper.field(int8send(key_id)) || helper.field(textsend(role_name::text))
            || helper.field(textsend(duty)), '' ORDER BY id))
    FROM openid4vci.vci_event WHERE ids @> id
$$;
SELECT count(*) FILTER (WHERE digest <> helper.digest(event_ids)) AS others
FROM vci_event_seal WHERE kind = 'segment';

SELECT segments > 0 AS segments, events = (SELECT count(*) FROM vci_event) AS all_events,
    broken_segment, problem
FROM vci_verify_events();
-- Nothing new, nothing to seal; so many at once.
SELECT vci_seal_events(), vci_seal_events(NULL);
SELECT helper.errors($$SELECT vci_seal_events(0)$$, $$SELECT vci_seal_events(-1)$$);
BEGIN;
SELECT max(id) AS last FROM vci_event_seal \gset
INSERT INTO vci_event (id, horizon, kind, actor)
    SELECT nextval('vci_event_id_seq'), '3', 'many', 'regress' FROM generate_series(1, 2500);
SELECT vci_seal_events(700), vci_seal_events(1500), vci_seal_events(), vci_seal_events();
SELECT id - :last AS seal, events FROM vci_event_seal WHERE id > :last ORDER BY id;
SELECT problem FROM vci_verify_events();
ROLLBACK;
-- A gap that a rollback left is no member.
BEGIN;
SELECT nextval('vci_event_id_seq') AS gap \gset
INSERT INTO vci_event (id, horizon, kind, actor)
    SELECT nextval('vci_event_id_seq'), '3', 'around a gap', 'regress' FROM generate_series(1, 2);
SELECT nextval('vci_event_id_seq') > :gap AS another;
INSERT INTO vci_event (id, horizon, kind, actor)
    VALUES (nextval('vci_event_id_seq'), '3', 'around a gap', 'regress');
SELECT vci_seal_events();
SELECT n, event_ids @> :gap::bigint + n AS member
FROM vci_event_seal, generate_series(0, 5) AS n WHERE id = (SELECT max(id) FROM vci_event_seal) ORDER BY n;
ROLLBACK;

-- The head names the newest seal, for somebody to keep elsewhere.
SELECT vci_event_head() AS head, split_part(vci_event_head(), '.', 1)::bigint AS newest,
    split_part(vci_event_head(), '.', 2) AS mac \gset
SELECT :'head' ~ '^[1-9][0-9]*[.][A-Za-z0-9_-]{43}$' AS well_formed,
    decode(translate(:'mac', '-_', '+/') || '=', 'base64') = mac AS its_mac
FROM vci_event_seal WHERE id = :newest;
SELECT problem FROM vci_verify_events(:'head');
-- Later seals follow it.
BEGIN;
INSERT INTO vci_event (id, horizon, kind, actor) VALUES (nextval('vci_event_id_seq'), '3', 'one more', 'regress');
SELECT vci_seal_events();
SELECT vci_event_head() <> :'head' AS moved, problem FROM vci_verify_events(:'head');
ROLLBACK;
-- A head of another chain, and what is none.
SELECT broken_segment = :newest AS this_one, problem
FROM vci_verify_events(:'newest' || '.' || CASE WHEN :'mac' LIKE 'A%' THEN 'B' ELSE 'A' END || substr(:'mac', 2));
SELECT broken_segment = :newest + 1 AS behind_it,
    problem = format('the newest seals are gone: head tells of seal %s, the last one that is there is seal %s',
        :newest + 5, :newest) AS problem
FROM vci_verify_events(:newest + 5 || '.' || :'mac');
SELECT helper.errors($$SELECT vci_verify_events('')$$, $$SELECT vci_verify_events('1')$$,
    $$SELECT vci_verify_events('.' || repeat('A', 43))$$, $$SELECT vci_verify_events('0.' || repeat('A', 43))$$,
    $$SELECT vci_verify_events('01.' || repeat('A', 43))$$, $$SELECT vci_verify_events('-1.' || repeat('A', 43))$$,
    $$SELECT vci_verify_events('1.' || repeat('A', 42))$$, $$SELECT vci_verify_events('1.' || repeat('A', 44))$$,
    $$SELECT vci_verify_events('1.' || repeat('A', 42) || 'B')$$, $$SELECT vci_verify_events('1.' || repeat('A', 42) || '=')$$,
    $$SELECT vci_verify_events('9999999999999999999.' || repeat('A', 43))$$);

-- What becomes of it when somebody who can drop the triggers changes something. Undone each time.
CREATE FUNCTION helper.after_tampering(tampering text, head text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    verdict record;
BEGIN
    ALTER TABLE openid4vci.vci_event DISABLE TRIGGER vci_event_append_only;
    ALTER TABLE openid4vci.vci_event_seal DISABLE TRIGGER vci_event_append_only;
    EXECUTE tampering;
    SELECT * INTO STRICT verdict FROM vci_verify_events(head);
    RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
    RETURN CASE WHEN verdict.problem IS NULL THEN 'all is right'
                ELSE verdict.broken_segment || ': ' || verdict.problem END;
END $$;
-- Three segments of five events; before them so many that seals and events have two digits.
DO $$
BEGIN
    FOR n IN 1..20 LOOP
        INSERT INTO vci_event (id, horizon, kind, actor) VALUES (nextval('vci_event_id_seq'), '3', 'made', 'regress');
        PERFORM vci_seal_events();
    END LOOP;
    FOR n IN 1..3 LOOP
        INSERT INTO vci_event (id, horizon, kind, actor, issuer_id)
            SELECT nextval('vci_event_id_seq'), '3', 'made', 'regress', 0 FROM generate_series(1, 5);
        PERFORM vci_seal_events();
    END LOOP;
END $$;
SELECT max(id) - 1 AS middle, max(upper(event_ids)) - 8 AS event, vci_event_head() AS head FROM vci_event_seal \gset
SELECT event_ids = int8multirange(int8range(:event - 2, :event + 3)) AS "the middle one" FROM vci_event_seal WHERE id = :middle;
-- Numbers differ between runs.
CREATE FUNCTION helper.shown(verdict text, middle bigint, event bigint) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(CASE
        WHEN w.word !~ '^\d\d+$' THEN w.word
        WHEN w.word::bigint BETWEEN middle - 1 AND middle + 2 THEN 'SEAL' || to_char(w.word::bigint - middle, 'SG9')
        WHEN w.word::bigint BETWEEN event - 9 AND event + 9 THEN 'EVENT' || to_char(w.word::bigint - event, 'SG9')
        ELSE w.word END, '' ORDER BY w.n)
    FROM regexp_matches(regexp_replace(verdict, 'first of \d+', 'first of N'), '\d+|\D+', 'g') WITH ORDINALITY AS m (words, n), LATERAL (SELECT m.words[1], m.n) AS w (word, n)
$$;
-- Any column, and what is NULL: it is another value than 0 or an empty text. The horizon is of the cluster.
SELECT c.change, helper.shown(helper.after_tampering(format('UPDATE vci_event SET %s WHERE id = %s', c.change, :event)),
    :middle, :event) AS verdict
FROM unnest(ARRAY['at = at + interval ''1 microsecond''', 'issuer_id = NULL', 'offer_id = 0',
    'authorization_id = 0', 'token_id = 0', 'deferred_id = 0', 'credential_id = 0', 'kind = ''''',
    'kind = ''mad'', actor = ''eregress''', 'actor = ''regresS''', 'key_id = 0', 'role_name = ''''',
    'duty = ''''', 'horizon = ''4''']) AS c (change);
SELECT t.tampering, helper.shown(helper.after_tampering(
    replace(replace(t.tampering, 'EVENT', :'event'), 'SEAL', :'middle')), :middle, :event) AS verdict
FROM unnest(ARRAY[
    'DELETE FROM vci_event WHERE id = EVENT',
    'DELETE FROM vci_event WHERE id BETWEEN EVENT - 2 AND EVENT + 2',
    'UPDATE vci_event SET id = -id WHERE id = EVENT',
    'INSERT INTO vci_event (id, horizon, kind, actor) VALUES (0, ''3'', ''before all'', ''regress'')',
    'UPDATE vci_event_seal SET sealed_at = sealed_at + interval ''1 microsecond'' WHERE id = SEAL',
    'UPDATE vci_event_seal SET event_ids = ''{}'' WHERE id = SEAL',
    'UPDATE vci_event_seal SET event_ids = ''{(,)}'' WHERE id = SEAL',
    'UPDATE vci_event_seal SET events = events - 1 WHERE id = SEAL',
    'UPDATE vci_event_seal SET digest = '''' WHERE id = SEAL',
    'UPDATE vci_event_seal SET mac = '''' WHERE id = SEAL',
    'UPDATE vci_event_seal SET kind = ''checkpoint'', purged_through = SEAL WHERE id = SEAL',
    'UPDATE vci_event_seal AS s SET mac = o.mac FROM vci_event_seal AS o WHERE s.id = SEAL AND o.id = SEAL - 1',
    'DELETE FROM vci_event_seal WHERE id = SEAL',
    'DELETE FROM vci_event_seal WHERE id = SEAL; UPDATE vci_event_seal SET id = SEAL WHERE id = SEAL + 1',
    'INSERT INTO vci_event_seal SELECT 0, kind, event_ids, events, purged_through, sealed_at, digest, mac FROM vci_event_seal WHERE id = SEAL',
    'INSERT INTO vci_event_seal SELECT id + 2, ''checkpoint'', ''{}'', 0, SEAL, sealed_at, digest, mac FROM vci_event_seal WHERE id = SEAL'
    ]) AS t (tampering);
-- The end can be cut off without a trace, but not past a head; nor can it be sealed anew.
SELECT t.tampering, helper.shown(helper.after_tampering(replace(t.tampering, 'SEAL', :'middle')), :middle, :event) AS verdict,
    helper.shown(helper.after_tampering(replace(t.tampering, 'SEAL', :'middle'), :'head'), :middle, :event) AS "with the head"
FROM unnest(ARRAY[
    'DELETE FROM vci_event_seal WHERE id > SEAL',
    'DELETE FROM vci_event_seal WHERE id > SEAL; DELETE FROM vci_event WHERE id >= (SELECT upper(event_ids) FROM vci_event_seal WHERE id = SEAL)',
    'DELETE FROM vci_event_seal WHERE id > SEAL; DO ''BEGIN PERFORM vci_seal_events(); END''']) AS t (tampering);
SELECT helper.shown(helper.after_tampering('DELETE FROM vci_event_seal; DELETE FROM vci_event', :'head'), :middle, :event);
-- Without the key nothing can be checked, and no new chain begins in silence.
SELECT helper.after_tampering('UPDATE vci_database SET event_key = NULL'), helper.after_tampering('DELETE FROM vci_database');
SELECT helper.error('UPDATE vci_database SET event_key = NULL; SELECT vci_seal_events()');
-- A gap between two segments is no place to put something.
DO $$
BEGIN
    PERFORM nextval('vci_event_id_seq');
    INSERT INTO vci_event (id, horizon, kind, actor) VALUES (nextval('vci_event_id_seq'), '3', 'behind a gap', 'regress');
    PERFORM vci_seal_events();
END $$;
SELECT max(upper(event_ids)) - 2 AS gap, max(id) AS seal FROM vci_event_seal \gset
SELECT helper.after_tampering(format('INSERT INTO vci_event (id, horizon, kind, actor) VALUES (%s, ''3'', ''late'', ''regress'')', :gap))
    = format('%s: event %s was added: it is none of those that were sealed', :seal, :gap) AS named;
SELECT problem FROM vci_verify_events(:'head');

-- The root key is needed, to seal and to verify. Verifying writes nothing.
SET openid4vci.root_key_file = '/nonexistent';
SELECT regexp_replace(helper.error(call), '\n.*', '') FROM unnest(ARRAY['SELECT vci_seal_events()', 'SELECT vci_verify_events()']) AS call;
RESET openid4vci.root_key_file;
BEGIN READ ONLY;
SELECT vci_event_head() IS NOT NULL AS head, problem FROM vci_verify_events();
ROLLBACK;
SELECT helper.error('SET TRANSACTION READ ONLY; SELECT vci_seal_events()');

-- Who may: an auditor of all issuers; sealing is for those who may purge, too.
DROP ROLE IF EXISTS regress_vci_auditor, regress_vci_one_auditor, regress_vci_sealer;
CREATE ROLE regress_vci_auditor;
CREATE ROLE regress_vci_one_auditor;
CREATE ROLE regress_vci_sealer;
SELECT vci_grant('regress_vci_auditor', 'auditor'), vci_grant('regress_vci_sealer', 'offerer'),
    vci_grant('regress_vci_one_auditor', 'auditor', 'https://registry.example');
SET ROLE regress_vci_auditor;
SELECT openid4vci.vci_seal_events() >= 0 AS seals, openid4vci.vci_event_head() IS NOT NULL AS head,
    problem FROM openid4vci.vci_verify_events();
SELECT count(*) > 0 AS seals, bool_and(mac ~ '^[0-9a-f]{64}$') AS macs FROM openid4vci.vci_event_seal_info;
SELECT helper.errors('SELECT FROM openid4vci.vci_event_seal', 'DELETE FROM openid4vci.vci_event',
    'SELECT FROM openid4vci.vci_database');
SET ROLE regress_vci_one_auditor;
SELECT helper.errors('SELECT openid4vci.vci_seal_events()', 'SELECT openid4vci.vci_event_head()',
    'SELECT openid4vci.vci_verify_events()');
SELECT count(*) FROM openid4vci.vci_event_seal_info;
SET ROLE regress_vci_sealer;
SELECT openid4vci.vci_seal_events() >= 0 AS seals;
SELECT helper.errors('SELECT openid4vci.vci_event_head()', 'SELECT openid4vci.vci_verify_events()');
RESET ROLE;
SELECT vci_revoke('regress_vci_sealer', 'offerer');
SELECT vci_grant('regress_vci_sealer', 'issuer_admin');
SET ROLE regress_vci_sealer;
SELECT openid4vci.vci_seal_events() >= 0 AS seals;
RESET ROLE;
SELECT vci_revoke('regress_vci_auditor', 'auditor'), vci_revoke('regress_vci_sealer', 'issuer_admin'),
    vci_revoke('regress_vci_one_auditor', 'auditor', 'https://registry.example');
DROP ROLE regress_vci_auditor, regress_vci_one_auditor, regress_vci_sealer;

-- vci_health tells when events wait for a day.
SELECT helper.seal_all();
SELECT ok, detail FROM vci_health() WHERE "check" = 'events';
BEGIN;
INSERT INTO vci_event (id, horizon, kind, actor, at)
    VALUES (nextval('vci_event_id_seq'), '3', 'old', 'regress', now() - interval '25 hours');
SELECT ok, regexp_replace(detail, 'since [^;]*', 'since ...') FROM vci_health() WHERE "check" = 'events';
SELECT vci_seal_events();
SELECT ok FROM vci_health() WHERE "check" = 'events';
INSERT INTO vci_event (id, horizon, kind, actor, at)
    VALUES (nextval('vci_event_id_seq'), '3', 'new', 'regress', now() - interval '23 hours');
SELECT ok FROM vci_health() WHERE "check" = 'events';
ROLLBACK;
DROP FUNCTION helper.seal_all, helper.field, helper.digest, helper.after_tampering, helper.shown;

-- Status lists (draft-ietf-oauth-status-list): which place a credential gets by every way to a
-- record, how its status changes, who is meant by a change, and what verifying says then.
\pset format unaligned
\pset tuples_only on

-- The place that a credential carries, with its list by name, and the one in its record.
CREATE FUNCTION helper.place(sd_jwt text) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(s ->> 'uri', '.*/', '') || ' ' || (s ->> 'idx')
    FROM helper.jwt_part(sd_jwt, 2) AS p, jsonb_extract_path(p, 'status', 'status_list') AS s
$$;
CREATE FUNCTION helper.recorded_place(credential bigint) RETURNS text LANGUAGE sql AS $$
    SELECT l.name || ' ' || c.status_index
    FROM openid4vci.vci_credential AS c JOIN openid4vci.vci_status_list AS l ON l.id = c.status_list_id
    WHERE c.id = credential
$$;
-- What the list says at a credential's place, read from its chunk bit by bit.
CREATE FUNCTION helper.listed(credential bigint) RETURNS integer LANGUAGE sql AS $$
    SELECT COALESCE((SELECT sum(get_bit(k.statuses, c.status_index * l.bits % 8192 + n) << n)::integer
        FROM openid4vci.vci_status_chunk AS k, generate_series(0, l.bits - 1) AS n
        WHERE k.list_id = l.id AND k.chunk = c.status_index * l.bits / 8192), 0)
    FROM openid4vci.vci_credential AS c JOIN openid4vci.vci_status_list AS l ON l.id = c.status_list_id
    WHERE c.id = credential
$$;
CREATE FUNCTION helper.status(credential bigint) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', s.status, 'listed ' || helper.listed(credential),
        CASE WHEN s.changed_by = current_user THEN 'by me' ELSE 'by ' || s.changed_by END, s.reason)
    FROM openid4vci.vci_credential_status(credential) AS s
$$;
CREATE FUNCTION helper.status_events(first bigint) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(regexp_replace(kind, 'credential_', ''), ' ' ORDER BY id) FROM openid4vci.vci_event
    WHERE credential_id >= first AND kind IN ('credential_revoked', 'credential_suspended', 'credential_reinstated')
$$;
-- A recorded credential of a person.
CREATE FUNCTION helper.permit(person text, configuration text DEFAULT 'Permit') RETURNS bigint LANGUAGE sql AS $$
    SELECT credential_id FROM openid4vci.vci_issue_and_record(configuration, '{"zone": "north"}',
        subject_model => 'status.person', subject_id => person)
$$;
-- What is expected to fail, without ids.
CREATE FUNCTION helper.status_errors(VARIADIC calls text[]) RETURNS SETOF text LANGUAGE sql AS
    $$SELECT regexp_replace(helper.error(call), '(credential|offer) [0-9]{2,}', '\1 N') FROM unnest(calls) AS call$$;

-- The options of a configuration.
SELECT vci_create_configuration('Permit', 'https://registry.example/credentials/permit', binding => 'absent');
SELECT status_bits IS NULL, w3c_status, vct_integrity FROM vci_configuration_info WHERE id = 'Permit';
SELECT helper.permit('before') AS before, nextval('vci_status_position_seq') AS position,
    (SELECT count(*) FROM vci_status_list) AS lists \gset
SELECT helper.errors(
    $$SELECT vci_alter_configuration('Permit', '{"status_bits": 3}')$$,
    $$SELECT vci_alter_configuration('Permit', '{"status_bits": "2"}')$$,
    $$SELECT vci_alter_configuration('Permit', '{"status_bits": 1.5}')$$,
    $$SELECT vci_alter_configuration('Permit', '{"w3c_status": 1}')$$,
    $$SELECT vci_alter_configuration('Permit', '{"vct_integrity": "yes"}')$$,
    $$SELECT vci_alter_configuration('Permit', '{"w3c_status": true}')$$,
    $$SELECT vci_create_configuration('Permits', 'v', options => '{"status_bits": 16}')$$);
SELECT vci_alter_configuration('Permit', '{"status_bits": 2}');
SELECT status_bits, w3c_status FROM vci_configuration_info WHERE id = 'Permit';
-- A place needs a record, and what was issued before has none.
SELECT helper.errors($$SELECT vci_issue_sdjwt('Permit', '{"zone": "north"}')$$);
SELECT helper.status(:before), (SELECT status FROM vci_credential_info WHERE id = :before), vci_revoke(:before);

-- Recorded by an operator.
SELECT credential_id AS first, credential
FROM vci_issue_and_record('Permit', '{"zone": "north"}', subject_model => 'status.person', subject_id => '1') \gset
SELECT helper.jwt_part(:'credential', 2) -> 'status' = jsonb_build_object('status_list', jsonb_build_object(
        'idx', s.idx, 'uri', s.uri)), s.uri ~ '^https://registry\.example/api/v1/openid4vci/status-lists/[A-Za-z0-9_-]{22}$',
    s.idx BETWEEN 0 AND l.size - 1, l.bits, l.part, s.status, s.value, s.reason, s.changed_at, s.changed_by,
    helper.place(:'credential') = helper.recorded_place(:first)
FROM vci_credential_status(:first) AS s, vci_credential AS c JOIN vci_status_list AS l ON l.id = c.status_list_id
WHERE c.id = :first;
SELECT helper.claims(:'credential') ? 'status' AS "never concealed";
SELECT status, status_index IS NOT NULL, status_list_id IS NOT NULL, status_changed_at, status_changed_by, status_reason
FROM vci_credential_info WHERE id = :first;
SELECT helper.errors($$SELECT vci_issue_and_record('Permit', '{"status": "mine"}')$$);
-- The list and the one that comes after it are there; a configuration without status has neither.
SELECT count(*) - :lists, max(part) - min(part), bool_and(closed_at IS NULL) FROM vci_status_list WHERE bits = 2;
SELECT nextval('vci_status_position_seq') - :position AS "positions used: 1, and this look";

-- Through the endpoints: a place for each proof, the same ones for a repeated request.
SELECT vci_alter_configuration('Permit', '{"binding": "required", "older": []}');
SELECT vci_alter_issuer('{"batch_size": 3}');
CREATE FUNCTION helper.permit_offer(label text) RETURNS bigint LANGUAGE sql AS $$
    SELECT offer_id FROM openid4vci.vci_create_offer('{Permit}', 'status.person', 'offered',
        claims => '{"zone": "south"}', labels => jsonb_build_object('permit', label))
$$;
CREATE FUNCTION helper.places(body jsonb) RETURNS text[] LANGUAGE sql AS $$
    SELECT array_agg(helper.place(c ->> 'credential') ORDER BY n)
    FROM jsonb_array_elements(body -> 'credentials') WITH ORDINALITY AS e (c, n)
$$;
SELECT helper.permit_offer('red') AS offer \gset
SELECT helper.token(:offer) AS token, vci_create_nonce() AS nonce \gset
SELECT jsonb_build_object('credential_configuration_id', 'Permit', 'proofs', jsonb_build_object('jwt',
    jsonb_build_array(wallet.proof(:'nonce'), wallet.proof(:'nonce', 'second')))) AS request \gset
SELECT status, helper.places(body) AS places FROM helper.post_json(:'token', :'request') \gset
SELECT :status, :'places'::text[] = array_agg(helper.recorded_place(id) ORDER BY instance), count(DISTINCT status_index)
FROM vci_credential WHERE offer_id = :offer;
SELECT status, helper.places(body) = :'places' FROM helper.post_json(:'token', :'request');
-- Also when the configuration has none meanwhile; the next one then has none.
SELECT vci_alter_configuration('Permit', '{"status_bits": null}');
SELECT status, helper.places(body) = :'places' FROM helper.post_json(:'token', :'request');
SELECT status, helper.places(body) FROM helper.post_json(helper.token(helper.permit_offer('red')),
    jsonb_build_object('credential_configuration_id', 'Permit', 'proofs', jsonb_build_object('jwt',
        jsonb_build_array(wallet.proof(vci_create_nonce())))));
SELECT vci_alter_configuration('Permit', '{"status_bits": 2, "deferred": true}');
-- Several requests at once (drafts 11 to 13): a place for each, the same ones again.
SELECT vci_alter_configuration('Permit', '{"deferred": false}');
SELECT vci_create_offer('{Permit,EntitlementCredential}', claims => '{"zone": "south", "entitlementId": "E", "amount": {"value": 1}}')
    AS o \gset
SELECT helper.token((:'o'::vci_created_offer).offer_id) AS token, vci_create_nonce() AS nonce \gset
SELECT jsonb_build_object('credential_requests', jsonb_build_array(
    jsonb_build_object('credential_configuration_id', 'Permit') || helper.proofs(wallet.proof(:'nonce')),
    jsonb_build_object('credential_configuration_id', 'EntitlementCredential') || helper.proofs(wallet.proof(:'nonce', 'second')))) AS request \gset
CREATE FUNCTION helper.batch_places(body jsonb) RETURNS text[] LANGUAGE sql AS $$
    SELECT array_agg(helper.place(COALESCE(r ->> 'credential', r #>> '{credentials,0,credential}')) ORDER BY n)
    FROM jsonb_array_elements(body -> 'credential_responses') WITH ORDINALITY AS e (r, n)
$$;
SELECT status, helper.batch_places(body) AS places FROM helper.post_to('batch_credential', :'token', :'request') \gset
SELECT :status, :'places'::text[] = array_agg(helper.recorded_place(id) ORDER BY id), (:'places'::text[])[2] IS NULL
FROM vci_credential WHERE offer_id = (:'o'::vci_created_offer).offer_id;
SELECT status, helper.batch_places(body) IS NOT DISTINCT FROM :'places'::text[] FROM helper.post_to('batch_credential', :'token', :'request');
SELECT vci_alter_configuration('Permit', '{"deferred": true}');
-- Deferred.
SELECT helper.permit_offer('blue') AS deferred_offer \gset
SELECT helper.token(:deferred_offer) AS token \gset
SELECT status, body ->> 'transaction_id' AS transaction FROM helper.post_json(:'token',
    jsonb_build_object('credential_configuration_id', 'Permit', 'proofs', jsonb_build_object('jwt',
        jsonb_build_array(wallet.proof(vci_create_nonce()))))) \gset
SELECT count(*) AS "nothing yet" FROM vci_credential WHERE offer_id = :deferred_offer;
SELECT vci_deferred_complete(id) FROM vci_deferred WHERE offer_id = :deferred_offer;
SELECT helper.places(r) AS places FROM vci_request_deferred(:'token', :'transaction') AS r \gset
SELECT :'places'::text[] = array_agg(helper.recorded_place(id)) FROM vci_credential WHERE offer_id = :deferred_offer;
SELECT helper.places(r) = :'places' AS repeated FROM vci_request_deferred(:'token', :'transaction') AS r;
SELECT vci_alter_configuration('Permit', '{"deferred": false, "binding": "absent"}');
SELECT vci_alter_issuer('{"batch_size": null}');

-- One credential: suspended, valid again, revoked, and never valid again.
SELECT vci_suspend(:first, 'papers are being checked'), helper.status(:first);
SELECT vci_verify_sdjwt(:'credential') - '{header,issuer}'::text[];
SELECT vci_suspend(:first, 'again'), helper.status(:first);
SELECT vci_reinstate(:first, 'papers in order'), helper.status(:first);
SELECT vci_verify_sdjwt(:'credential') -> 'valid', vci_reinstate(:first);
SELECT vci_suspend(:first), vci_revoke(:first, 'moved away'), helper.status(:first);
SELECT vci_verify_sdjwt(:'credential') - '{header,issuer}'::text[];
SELECT vci_revoke(:first, 'again'), vci_suspend(:first), vci_reinstate(:first), helper.status(:first);
SELECT helper.status_events(:first);
SELECT status, status_reason, status_changed_by = current_user, status_changed_at > issued_at FROM vci_credential_info
WHERE id = :first;
SELECT actor = current_user, offer_id, issuer_id IS NOT NULL FROM vci_event
WHERE credential_id = :first AND kind = 'credential_revoked';
-- The list's version rises with each change and with nothing else.
SELECT version FROM vci_status_list WHERE id = (SELECT status_list_id FROM vci_credential WHERE id = :first);
-- A place that is none, or of nobody: not valid.
SELECT v ->> 'error', v ->> 'error_description' FROM vci_verify_sdjwt(:'credential') AS v;
UPDATE vci_status_list SET name = 'elsewhere' || name WHERE name = split_part(helper.place(:'credential'), ' ', 1);
SELECT v ->> 'error', v ->> 'error_description' FROM vci_verify_sdjwt(:'credential') AS v;
UPDATE vci_status_list SET name = replace(name, 'elsewhere', '');

-- Who is meant.
SELECT array_agg(helper.permit(n::text)) AS permits FROM generate_series(101, 110) AS n \gset
SELECT helper.permit('101') AS same_person \gset
SELECT vci_revoke(subject_model => 'status.person', subject_id => '101', reason => 'two of them'),
    helper.status(:same_person), vci_revoke(subject_model => 'other', subject_id => '102'), vci_revoke(subject_id => '102');
SELECT vci_suspend(offer => :offer), vci_suspend(labels => '{"permit": "blue"}'), vci_reinstate(labels => '{"permit": "red"}'),
    vci_revoke(labels => '{"permit": "none"}');
SELECT offer_id = :offer, status, helper.listed(id) FROM vci_credential_info WHERE offer_id IN (:offer, :deferred_offer)
ORDER BY id;
-- Many by the set, many by rows, and no more than were asked for.
SELECT sum(vci_suspend(p)) FROM unnest(:'permits'::bigint[]) AS p;
SELECT vci_reinstate(subject_model => 'status.person', subject_id => '103', max_rows => 1);
SELECT array_agg(status ORDER BY id) FROM vci_credential_info WHERE id = ANY (:'permits');
SELECT bool_and(helper.listed(id) = CASE status WHEN 'revoked' THEN 1 WHEN 'suspended' THEN 2 ELSE 0 END) FROM vci_credential_info
WHERE status_list_id IS NOT NULL;
SELECT helper.permit('many') FROM generate_series(1, 5) \g /dev/null
SELECT vci_revoke(subject_model => 'status.person', subject_id => 'many', max_rows => 2) FROM generate_series(1, 4);
-- Many calls in one transaction raise the list's version once; what was fetched between them, or undone, is not kept.
CREATE FUNCTION helper.published(credential bigint) RETURNS text LANGUAGE sql AS $$
    SELECT encode(sha256(convert_to(helper.jwt_part(convert_from(h.body, 'UTF8'), 2) #>> '{status_list,lst}', 'UTF8')), 'hex')
    FROM openid4vci.vci_credential_status(credential) AS s,
        openid4vci.vci_http('GET', substring(s.uri FROM 'https://[^/]+(.*)'), '{Host, registry.example}') AS h
$$;
SELECT helper.permit('one') AS one, helper.permit('two') AS two, helper.permit('three') AS three \gset
SELECT version AS version, helper.published(:one) AS list_before FROM vci_status_list
WHERE id = (SELECT status_list_id FROM vci_credential WHERE id = :one) \gset
BEGIN;
SELECT vci_suspend(:one), helper.published(:one) AS list_first \gset
SELECT vci_revoke(:two), helper.published(:one) AS list_second \gset
SAVEPOINT before;
SELECT vci_revoke(:three), helper.published(:one) AS list_third \gset
ROLLBACK TO before;
SELECT :'list_before' <> :'list_first', :'list_first' <> :'list_second', :'list_second' <> :'list_third', helper.published(:one) = :'list_second';
COMMIT;
SELECT version - :version, helper.published(:one) = :'list_second' FROM vci_status_list
WHERE id = (SELECT status_list_id FROM vci_credential WHERE id = :one);
BEGIN;
SELECT vci_reinstate(:one), helper.published(:one) = :'list_second';
ROLLBACK;
SELECT helper.published(:one) = :'list_second', helper.status(:one), helper.status(:three);
-- A campaign's, and of those the ones with a label.
INSERT INTO vci_campaign (issuer_id, name, configuration_ids, recipients, created_by)
    SELECT id, 'winter', '{Permit}', 'none', current_user FROM vci_issuer WHERE url = 'https://registry.example';
CREATE FUNCTION helper.in_campaign(label text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    made bigint := helper.permit_offer(label);
BEGIN
    INSERT INTO openid4vci.vci_campaign_recipient (campaign_id, offer_id, reference)
        SELECT id, made, 'winter ' || made FROM openid4vci.vci_campaign WHERE name = 'winter';
    PERFORM openid4vci.vci_request_credential(helper.token(made), '{"credential_configuration_id": "Permit"}');
    RETURN (SELECT id FROM openid4vci.vci_credential WHERE offer_id = made);
END
$$;
SELECT helper.in_campaign('green') AS green, helper.in_campaign('grey') AS grey \gset
SELECT vci_suspend(campaign => 'winter', labels => '{"permit": "grey"}'), helper.status(:green), helper.status(:grey);
SELECT vci_revoke(campaign => 'winter', reason => 'withdrawn'), helper.status(:green), helper.status(:grey);
SELECT vci_revoke(campaign => 'winter');

-- vci_revoke takes a duty back, or revokes: each call means what it says.
CREATE ROLE regress_vci_revoked;
SELECT vci_grant('regress_vci_revoked', 'reporter');
SELECT vci_revoke('regress_vci_revoked', 'reporter') IS NULL, count(*) FROM vci_duty WHERE role_name = 'regress_vci_revoked'
GROUP BY 1;
SELECT count(*) FROM vci_duty WHERE role_name = 'regress_vci_revoked';
SELECT vci_revoke(:grey, 'reporter'), vci_revoke(credential => :grey);
SELECT helper.errors($$SELECT vci_revoke('17', 'reason')$$, $$SELECT vci_revoke('regress_vci_revoked', 'reporter')$$);
DROP ROLE regress_vci_revoked;

-- Refusals; nothing is meant by saying nothing.
SELECT helper.status_errors('SELECT vci_revoke(reason => ''x'')', 'SELECT vci_suspend()', 'SELECT vci_reinstate(NULL::bigint)',
    'SELECT vci_revoke(1, offer => 1)', 'SELECT vci_revoke(offer => 1, labels => ''{"a": 1}'')',
    'SELECT vci_revoke(1, subject_model => ''x'')', 'SELECT vci_revoke(subject_model => ''x'')',
    'SELECT vci_revoke(labels => ''{}'')', 'SELECT vci_revoke(labels => ''[]'')', 'SELECT vci_revoke(labels => ''null'')',
    'SELECT vci_revoke(campaign => ''summer'')', 'SELECT vci_revoke(0)', 'SELECT vci_revoke(999999999999)',
    'SELECT vci_revoke(offer => 999999999999)', 'SELECT vci_revoke(1, max_rows => 0)', 'SELECT vci_revoke(1, max_rows => NULL)',
    'SELECT vci_revoke(1, max_rows => 1000001)', format('SELECT vci_revoke(1, %L)', repeat('x', 1025)),
    'SELECT vci_revoke(1, issuer => ''https://nobody.example'')', 'SELECT vci_credential_status(999999999999)');
SELECT vci_credential_status(NULL) IS NULL;

-- One bit says revoked or not.
SELECT vci_create_configuration('Pair', 'https://registry.example/credentials/pair', binding => 'absent', options => '{"status_bits": 1}');
SELECT helper.permit('pair', 'Pair') AS pair \gset
SELECT helper.status_errors(format('SELECT vci_suspend(%s)', :pair));
SELECT vci_revoke(:pair, 'one bit'), helper.status(:pair);
-- What is over stays as it is.
SELECT helper.permit('over') AS over \gset
UPDATE vci_credential SET expires_at = clock_timestamp() - interval '1 second' WHERE id = :over;
SELECT vci_revoke(:over), helper.status(:over), status FROM vci_credential_info WHERE id = :over;

-- credentialStatus beside it, for each purpose that the bits can tell, and reserved then.
SELECT helper.errors($$SELECT vci_issue_and_record('Permit', '{"credentialStatus": []}')$$);
SELECT vci_alter_configuration('Permit', '{"w3c_status": true}'), vci_alter_configuration('Pair', '{"w3c_status": true}');
SELECT helper.errors($$SELECT vci_issue_and_record('Permit', '{"credentialStatus": []}')$$);
SELECT jsonb_path_query_array(p, '$.credentialStatus[*].statusPurpose'), jsonb_path_query_array(p, '$.credentialStatus[*].type'),
    p #>> '{credentialStatus,0,statusListIndex}' = p #>> '{status,status_list,idx}',
    p #>> '{credentialStatus,0,statusListCredential}' = (p #>> '{status,status_list,uri}') || '/revocation'
FROM unnest('{Permit,Pair}'::text[]) AS c, vci_issue_and_record(c, '{"zone": "north"}') AS i, helper.jwt_part(i.credential, 2) AS p;

-- A list that its transaction made goes with it, also from what the session remembers.
CREATE FUNCTION helper.place_in(configuration text) RETURNS text LANGUAGE sql AS $$
    SELECT helper.place(credential) FROM openid4vci.vci_issue_and_record(configuration, '{"zone": "north"}')
$$;
SELECT vci_create_configuration('Quartet', 'https://registry.example/credentials/quartet', binding => 'absent', options => '{"status_bits": 4}');
BEGIN;
SELECT helper.place_in('Quartet') IS NOT NULL;
ROLLBACK;
BEGIN;
SAVEPOINT before;
SELECT helper.place_in('Quartet') IS NOT NULL;
ROLLBACK TO before;
SELECT helper.place_in('Quartet') AS place \gset
COMMIT;
SELECT count(*) FROM vci_status_list WHERE name = split_part(:'place', ' ', 1);
SELECT split_part(helper.place_in('Quartet'), ' ', 1) = split_part(:'place', ' ', 1);

-- Small lists: from one to the next without a place given twice, each with all of its places.
SELECT vci_alter_issuer('{"status_list_size": 1024}');
CREATE TEMP TABLE quartet AS SELECT helper.place_in('Quartet') AS place, n FROM generate_series(1, 2500) AS n;
SELECT count(*) = count(DISTINCT place), count(DISTINCT split_part(place, ' ', 1)) IN (3, 4),
    max(split_part(place, ' ', 2)::integer) < 1024 FROM quartet;
-- Nor does a place tell of the one before: their distance is never the same for long.
SELECT max(times) < 25 FROM (SELECT count(*) AS times FROM (SELECT split_part(place, ' ', 2)::integer
    - lag(split_part(place, ' ', 2)::integer) OVER (ORDER BY n) AS distance FROM quartet) AS d GROUP BY distance) AS t;

-- An older state gives its positions again, and so new lists; the old ones stay as they are.
SELECT last_value AS position FROM vci_status_position_seq \gset
BEGIN;
SELECT count(*) FROM vci_after_restore(clock_timestamp());
SELECT setval('vci_status_position_seq', 1) \g /dev/null
SELECT bool_and(closed_at IS NOT NULL) FROM vci_status_list;
INSERT INTO quartet SELECT helper.place_in('Quartet'), n FROM generate_series(2501, 5000) AS n;
SELECT count(*), count(DISTINCT place) FROM quartet;
SELECT helper.status(:first), count(*) FILTER (WHERE closed_at IS NULL) > 2 FROM vci_status_list;
ROLLBACK;
SELECT setval('vci_status_position_seq', :position) \g /dev/null
SELECT closed_at IS NULL FROM vci_status_list WHERE name = split_part(helper.place_in('Quartet'), ' ', 1);

-- Who makes a list meets one that was committed since: that one is taken.
CREATE FUNCTION helper.come_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 1 THEN
        INSERT INTO openid4vci.vci_status_list (issuer_id, bits, size, part, name)
        VALUES (NEW.issuer_id, NEW.bits, NEW.size, NEW.part, 'first' || NEW.part);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER come_first BEFORE INSERT ON vci_status_list FOR EACH ROW EXECUTE FUNCTION helper.come_first();
SELECT vci_alter_issuer('{"status_list_size": 4096}');
SELECT starts_with(helper.place_in('Quartet'), 'first');
SELECT count(*), count(DISTINCT part), bool_and(name LIKE 'first%') FROM vci_status_list WHERE size = 4096;
DROP TRIGGER come_first ON vci_status_list;

-- Whose record is purged stays revoked in the list.
SELECT helper.recorded_place(:pair) AS place, status_list_id AS list, status_index AS place_index FROM vci_credential WHERE id = :pair \gset
DELETE FROM vci_credential WHERE id = :pair;
SELECT get_bit(statuses, :place_index % 8192) FROM vci_status_chunk WHERE list_id = :list AND chunk = :place_index / 8192;

SELECT vci_alter_issuer('{"status_list_size": null}');
SELECT vci_retire_configuration(id) FROM unnest('{Permit,Pair,Quartet}'::text[]) AS id;

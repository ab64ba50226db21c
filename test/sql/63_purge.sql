-- Keeping and forgetting: when an offer ends, what vci_purge erases and removes, and what not.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT vci_create_issuer('https://purge.example', settings => '{"retry_window": 10}') > 0;
SELECT vci_create_key('https://purge.example') IS NOT NULL;
SELECT id AS issuer FROM vci_issuer_info WHERE url = 'https://purge.example' \gset
SELECT vci_create_configuration(id, 'https://purge.example/' || id, binding => 'absent', issuer => 'https://purge.example')
FROM (VALUES ('Card'), ('Pass')) AS c (id);

CREATE SCHEMA purge;
-- Purges until nothing is left. How many rows go is not shown: other tests' are among them.
CREATE FUNCTION purge.all() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WHILE (SELECT sum(remaining) FROM openid4vci.vci_purge()) > 0 LOOP END LOOP;
END $$;
CREATE FUNCTION purge.offer(configurations text[], claims jsonb DEFAULT '{"name": "Ann"}', options jsonb DEFAULT '{}')
RETURNS bigint LANGUAGE sql AS $$
    SELECT offer_id FROM openid4vci.vci_create_offer(configurations, claims => claims, subject_id => '7',
        options => options, issuer => 'https://purge.example')
$$;
CREATE FUNCTION purge.token(offer bigint) RETURNS text LANGUAGE sql AS $$
    SELECT openid4vci.vci_exchange_code(helper.code(offer), issuer => 'https://purge.example') ->> 'access_token'
$$;
CREATE FUNCTION purge.request(token text, request jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN a ? 'error' THEN (a ->> 'error') || ': ' || (a ->> 'error_description')
                WHEN a ? 'transaction_id' THEN a ->> 'transaction_id' ELSE 'issued' END
    FROM openid4vci.vci_request_credential(token, request, issuer => 'https://purge.example') AS a
$$;
-- When the offer ends, in words: which of the times it is near.
CREATE FUNCTION purge.ends(offer bigint) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN o.ends_at IS NULL THEN 'unknown'
        WHEN o.ends_at = o.expires_at THEN 'with its expiry'
        WHEN o.ends_at = o.expires_at + interval '10 minutes' THEN 'with the last code'
        WHEN o.ends_at = (SELECT max(expires_at) FROM openid4vci.vci_token WHERE offer_id = o.id) THEN 'with its token'
        WHEN o.ends_at BETWEEN r.last AND r.last + interval '1 hour 2 seconds' THEN 'with its refresh token'
        WHEN o.ends_at = (SELECT max(expires_at) FROM openid4vci.vci_deferred WHERE offer_id = o.id) THEN 'with its deferral'
        WHEN o.ends_at BETWEEN clock_timestamp() + interval '5 seconds' AND clock_timestamp() + interval '11 seconds' THEN 'with the retry window'
        WHEN o.ends_at <= clock_timestamp() THEN 'now' ELSE o.ends_at::text END
        || CASE WHEN o.claims_due IS NULL THEN '' WHEN o.claims_due = o.expires_at THEN ', due at its expiry'
                WHEN o.claims_due = o.ends_at THEN ', due then' ELSE ', due ' || o.claims_due END
        || CASE WHEN o.claims_erased_at IS NULL THEN '' ELSE ', erased' END
    FROM openid4vci.vci_offer AS o, LATERAL (SELECT max(expires_at) AS last FROM openid4vci.vci_refresh_token
        WHERE offer_id = o.id) AS r WHERE o.id = offer
$$;
CREATE FUNCTION purge.claims(offer bigint) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', COALESCE(claims::text, '-'), datasets::text) FROM openid4vci.vci_offer WHERE id = offer
$$;
SELECT helper.sweep_anew(), purge.all();

-- What an operator reads: one row a kind.
SELECT kind, purged >= 0, remaining >= 0 FROM vci_purge();
SELECT helper.errors($$SELECT vci_purge(0)$$, $$SELECT vci_purge(-5)$$);
SELECT count(*) FROM vci_purge(NULL);
SET ROLE regress_vci_reporter;
SELECT left(helper.error($$SELECT openid4vci.vci_purge()$$), 5);
RESET ROLE;
SELECT vci_grant('regress_vci_stranger', 'offerer', 'https://purge.example');
SET ROLE regress_vci_stranger;
SELECT left(helper.error($$SELECT openid4vci.vci_purge()$$), 5);
RESET ROLE;
SELECT vci_revoke('regress_vci_stranger', 'offerer', 'https://purge.example');
SELECT vci_grant('regress_vci_stranger', 'offerer');
SET ROLE regress_vci_stranger;
SELECT count(*) FROM openid4vci.vci_purge();
RESET ROLE;
SELECT vci_revoke('regress_vci_stranger', 'offerer');

-- An offer ends with its expiry, its token, the retry window after its one credential.
SELECT purge.offer('{Card}') AS one \gset
SELECT purge.ends(:one);
SELECT purge.token(:one) AS token \gset
SELECT purge.ends(:one);
SELECT purge.request(:'token', '{"credential_configuration_id": "Card"}');
SELECT purge.ends(:one);
-- Of several credentials the last one counts, also of several datasets of one configuration.
SELECT purge.offer('{Card,Pass}', options => '{"datasets": [{"configuration_id": "Card", "claims": {"name": "Ben"}},
    {"configuration_id": "Card", "claims": {"name": "Cy"}, "subject_id": "8"}]}') AS several \gset
SELECT purge.token(:several) AS token \gset
SELECT request, purge.request(:'token', request::jsonb), purge.ends(:several)
FROM (VALUES (1, '{"credential_identifier": "Card#1"}'), (2, '{"credential_identifier": "Pass#1"}'),
    (3, '{"credential_identifier": "Card#1"}'), (4, '{"credential_identifier": "Card#2"}')) AS r (n, request) ORDER BY n;
-- Cancelled it ends at once; extended and reopened with its new expiry.
SELECT purge.offer('{Card}') AS cancelled \gset
SELECT vci_cancel_offer(:cancelled), purge.ends(:cancelled);
SELECT vci_reopen_offer(:cancelled) IS NOT NULL;
SELECT purge.ends(:cancelled);
SELECT vci_extend_offer(:cancelled, '5 minutes') IS NOT NULL;
SELECT purge.ends(:cancelled);
SELECT vci_cancel_offer(:cancelled);
-- A refresh token outlives what was issued, and each use prolongs the offer.
SELECT vci_alter_issuer('{"refresh_token_lifetime": 864000}', 'https://purge.example');
SELECT purge.offer('{Card}') AS refreshed \gset
SELECT vci_exchange_code(helper.code(:refreshed), issuer => 'https://purge.example') AS answer \gset
SELECT purge.ends(:refreshed), purge.request(:'answer'::jsonb ->> 'access_token', '{"credential_configuration_id": "Card"}');
SELECT purge.ends(:refreshed);
UPDATE vci_offer SET ends_at = clock_timestamp() + interval '1 minute' WHERE id = :refreshed;
SELECT vci_request_token(jsonb_build_object('grant_type', 'refresh_token', 'refresh_token',
    :'answer'::jsonb ->> 'refresh_token'), issuer => 'https://purge.example') ? 'access_token';
SELECT purge.ends(:refreshed);
-- Also when the issuer gives none any more, for those that are out may come back with them.
SELECT purge.offer('{Card}') AS outlived \gset
SELECT purge.token(:outlived) AS token \gset
SELECT vci_alter_issuer('{"refresh_token_lifetime": null}', 'https://purge.example');
SELECT purge.request(:'token', '{"credential_configuration_id": "Card"}'), purge.ends(:outlived);
-- A deferral is waited for; once it is fetched, the retry window.
SELECT vci_alter_configuration('Card', '{"deferred": true}', 'https://purge.example');
SELECT purge.offer('{Card}') AS deferred, purge.offer('{Card}') AS unfetched \gset
SELECT purge.token(:deferred) AS token, purge.token(:unfetched) AS other_token \gset
SELECT purge.request(:'token', '{"credential_configuration_id": "Card"}') AS transaction,
    purge.request(:'other_token', '{"credential_configuration_id": "Card"}') IS NOT NULL AS asked \gset
SELECT purge.ends(:deferred);
SELECT vci_deferred_complete(id, '{"name": "Ann, decided"}') FROM vci_deferred WHERE offer_id IN (:deferred, :unfetched);
SELECT vci_request_deferred(:'token', :'transaction', issuer => 'https://purge.example') ? 'error';
SELECT purge.ends(:deferred);
-- A denied one ends when vci_purge comes to it, here below; not while another one can be had.
SELECT purge.offer('{Card}') AS denied, purge.offer('{Card,Pass}') AS denied_one \gset
SELECT purge.request(purge.token(:denied), '{"credential_configuration_id": "Card"}') <> '',
    purge.request(purge.token(:denied_one), '{"credential_configuration_id": "Card"}') <> '';
SELECT vci_deferred_deny(id, 'no') FROM vci_deferred WHERE offer_id IN (:denied, :denied_one);
SELECT purge.ends(:denied);
SELECT vci_alter_configuration('Card', '{"deferred": false}', 'https://purge.example');
-- A code given out at the last moment is good for minutes more.
SELECT vci_create_client('wallet', '{https://wallet.example/}', issuer => 'https://purge.example');
SELECT vci_alter_issuer('{"login_url": "https://portal.example/login"}', 'https://purge.example');
SELECT offer_id AS by_code FROM vci_create_offer('{Card}', claims => '{"name": "Ann"}', subject_id => '7',
    grants => '{authorization_code}', issuer => 'https://purge.example') \gset
SELECT purge.ends(:by_code);
-- No claims, nothing due.
SELECT vci_alter_configuration('Pass', '{"deferred": true}', 'https://purge.example');
SELECT purge.offer('{Pass}', NULL) AS bare \gset
SELECT purge.ends(:bare);

-- Nothing is erased before its time.
SELECT purge.all();
SELECT purge.claims(:one), purge.claims(:several), purge.claims(:deferred);

-- Issued for the last time, the retry window over: erased, without waiting for its expiry. The
-- deferral's claims, too; other datasets keep who they are for.
UPDATE vci_offer SET ends_at = ends_at - interval '12 seconds' WHERE id IN (:one, :several, :deferred);
UPDATE vci_deferred SET issued_at = issued_at - interval '12 seconds' WHERE offer_id = :deferred;
CREATE TABLE purge.retry_windows AS SELECT id, retry_window FROM vci_issuer;
UPDATE vci_issuer SET retry_window = 0;
SELECT pg_sleep(3.2);
SELECT helper.sweep_anew();
SELECT purge.all();
UPDATE vci_issuer AS i SET retry_window = w.retry_window FROM purge.retry_windows AS w WHERE w.id = i.id;
SELECT purge.claims(:one), purge.claims(:several), purge.claims(:deferred);
SELECT purge.ends(:one), claims_erased_at IS NOT NULL AS shown FROM vci_offer_info WHERE id = :one;
SELECT claims FROM vci_deferred WHERE offer_id = :deferred;
-- The cancelled one went with them; what can still be issued stayed.
SELECT purge.claims(:cancelled), purge.ends(:cancelled);
SELECT purge.claims(:refreshed), purge.claims(:outlived), purge.claims(:by_code), purge.claims(:bare);

SELECT purge.claims(:denied), purge.ends(:denied), purge.claims(:denied_one), purge.ends(:denied_one);

-- When it is due and does not end yet, it is looked at again when it ends.
UPDATE vci_offer SET claims_due = clock_timestamp() - interval '1 second' WHERE id IN (:refreshed, :unfetched);
SELECT purge.all();
SELECT purge.ends(:refreshed), purge.ends(:unfetched);
UPDATE vci_offer SET ends_at = clock_timestamp() - interval '1 second', claims_due = clock_timestamp() - interval '1 second'
WHERE id IN (:refreshed, :by_code);
SELECT purge.all();
SELECT purge.claims(:refreshed), purge.claims(:by_code);
-- A deferral that was never fetched: erased when it expires.
UPDATE vci_deferred SET expires_at = clock_timestamp() - interval '1 second' WHERE offer_id = :unfetched;
SELECT helper.sweep_anew();
SELECT purge.all();
SELECT claims FROM vci_deferred WHERE offer_id = :unfetched;

-- What is erased comes back by no way.
SELECT regexp_replace(helper.error(format('SELECT openid4vci.%s(%s)', call, :by_code)), 'offer \d+', 'offer N')
FROM unnest('{vci_extend_offer,vci_rotate_code}'::text[]) AS call;
SELECT regexp_replace(helper.error(format('SELECT openid4vci.vci_reset_tx_code(%s, NULL)', :by_code)), 'offer \d+', 'offer N');
SELECT regexp_replace(helper.error(format('SELECT openid4vci.vci_reopen_offer(%s)', :cancelled)), 'offer \d+', 'offer N');
SELECT vci_alter_issuer('{"refresh_token_lifetime": 864000}', 'https://purge.example');
SELECT vci_request_token(jsonb_build_object('grant_type', 'refresh_token', 'refresh_token',
    :'answer'::jsonb ->> 'refresh_token'), issuer => 'https://purge.example') - 'c_nonce';
SELECT vci_alter_issuer('{"refresh_token_lifetime": null}', 'https://purge.example');
-- A claims source alone must not fill the credential of an offer whose own claims are gone.
CREATE FUNCTION purge.source(model text, id text) RETURNS jsonb LANGUAGE sql AS $$SELECT '{"from": "source"}'::jsonb$$;
SELECT purge.offer('{Card}') AS erased \gset
SELECT purge.token(:erased) AS token \gset
SELECT vci_alter_configuration('Card', '{"claims_source": "purge.source"}', 'https://purge.example');
UPDATE vci_offer SET claims = NULL, claims_erased_at = clock_timestamp(), claims_due = NULL WHERE id = :erased;
SELECT purge.request(:'token', '{"credential_configuration_id": "Card"}');
SELECT vci_alter_configuration('Card', '{"claims_source": null}', 'https://purge.example');

-- An issuer that keeps claims: nothing is due, nothing erased, until it keeps them no more.
SELECT vci_alter_issuer('{"keep_claims": true}', 'https://purge.example');
SELECT purge.offer('{Card}') AS kept, purge.offer('{Card}', NULL, '{"datasets": [{"configuration_id": "Card", "claims": {"name": "Cy"}}]}') AS kept_too \gset
SELECT purge.ends(:kept), purge.ends(:kept_too);
UPDATE vci_offer SET ends_at = clock_timestamp() - interval '1 day', expires_at = clock_timestamp() - interval '1 day'
WHERE id IN (:kept, :kept_too);
-- One that was made before goes on being kept.
UPDATE vci_offer SET ends_at = clock_timestamp() - interval '1 second', claims_due = clock_timestamp() - interval '1 second'
WHERE id = :outlived;
SELECT helper.sweep_anew();
SELECT purge.all();
SELECT purge.claims(:outlived), purge.claims(:kept), purge.claims(:kept_too);
SELECT vci_alter_issuer('{"keep_claims": false}', 'https://purge.example');
SELECT purge.all();
SELECT purge.claims(:outlived), purge.claims(:kept), purge.claims(:kept_too);
-- Offers of an earlier version tell no end: thirty days after their expiry, longer where the
-- issuer's tokens live longer.
SELECT purge.offer('{Card}') AS old, purge.offer('{Card}') AS older \gset
UPDATE vci_offer SET ends_at = NULL, claims_due = NULL, expires_at = clock_timestamp() - interval '1 day' *
    CASE id WHEN :old THEN 29 ELSE 31 END WHERE id IN (:old, :older);
SELECT helper.sweep_anew();
SELECT purge.all();
SELECT purge.claims(:old), purge.claims(:older);

-- Retention. Tokens and what goes with them: 30 days after their end, or as the issuer says.
CREATE FUNCTION purge.rows() RETURNS text LANGUAGE sql AS $$
    WITH issuer AS (SELECT id FROM openid4vci.vci_issuer WHERE url = 'https://purge.example')
    SELECT format('tokens %s, refresh %s, authorizations %s, deferred %s, offers %s, credentials %s',
        (SELECT count(*) FROM openid4vci.vci_token, issuer WHERE issuer_id = issuer.id),
        (SELECT count(*) FROM openid4vci.vci_refresh_token, issuer WHERE issuer_id = issuer.id),
        (SELECT count(*) FROM openid4vci.vci_authorization, issuer WHERE issuer_id = issuer.id),
        (SELECT count(*) FROM openid4vci.vci_deferred, issuer WHERE issuer_id = issuer.id),
        (SELECT count(*) FROM openid4vci.vci_offer, issuer WHERE issuer_id = issuer.id),
        (SELECT count(*) FROM openid4vci.vci_credential, issuer WHERE issuer_id = issuer.id))
$$;
CREATE FUNCTION purge.age(days integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    issuer bigint := id FROM openid4vci.vci_issuer WHERE url = 'https://purge.example';
    span interval := days * interval '1 day';
BEGIN
    UPDATE openid4vci.vci_token SET expires_at = expires_at - span, created_at = created_at - span WHERE issuer_id = issuer;
    UPDATE openid4vci.vci_refresh_token SET expires_at = expires_at - span, created_at = created_at - span WHERE issuer_id = issuer;
    UPDATE openid4vci.vci_deferred SET expires_at = expires_at - span, issued_at = issued_at - span, denied_at = denied_at - span,
        created_at = created_at - span WHERE issuer_id = issuer;
    UPDATE openid4vci.vci_offer SET ends_at = ends_at - span, expires_at = expires_at - span,
        created_at = created_at - span WHERE issuer_id = issuer;
    UPDATE openid4vci.vci_authorization SET expires_at = expires_at - span, code_expires_at = code_expires_at - span,
        created_at = created_at - span WHERE issuer_id = issuer;
    UPDATE openid4vci.vci_credential SET expires_at = expires_at - span, issued_at = issued_at - span WHERE issuer_id = issuer;
    PERFORM helper.sweep_anew();
END $$;
INSERT INTO vci_authorization (issuer_id, generation, expires_at, approved_at, code_expires_at, pushed, identifiers,
    client_id, redirect_uri, configuration_ids)
SELECT :issuer, 1, COALESCE(approved_at, clock_timestamp()), approved_at, approved_at + interval '1 minute', false, false, 'wallet',
    'https://wallet.example/', '{Card}'
FROM (VALUES (clock_timestamp()), (clock_timestamp() - interval '31 days'), (NULL)) AS a (approved_at);
SELECT purge.rows();
SELECT purge.age(20), purge.all();
SELECT purge.rows();
-- The token of a deferral that can be fetched stays, however old it is.
UPDATE vci_deferred SET expires_at = clock_timestamp() + interval '30 days', issued_at = NULL WHERE offer_id = :unfetched;
SELECT purge.age(20), purge.all();
SELECT purge.rows();
SELECT count(*) FROM vci_token WHERE offer_id = :unfetched;
UPDATE vci_deferred SET expires_at = clock_timestamp() WHERE offer_id = :unfetched;
SELECT vci_alter_issuer('{"token_retention": 3600}', 'https://purge.example');
SELECT purge.age(0), purge.all();
SELECT purge.rows();
SELECT purge.age(1), purge.all();
SELECT purge.rows();
-- Offers and credentials stay for good, unless the issuer says how long.
SELECT purge.age(2000), purge.all();
SELECT purge.rows();
SELECT vci_alter_issuer('{"offer_retention": 86400, "credential_retention": 864000}', 'https://purge.example');
-- A credential whose token can still ask stands against issuing it twice.
SELECT purge.offer('{Card}') AS asking \gset
SELECT purge.token(:asking) AS token \gset
SELECT purge.request(:'token', '{"credential_configuration_id": "Card"}');
UPDATE vci_credential SET issued_at = issued_at - interval '1000 days', expires_at = expires_at - interval '1000 days'
WHERE offer_id = :asking;
SELECT helper.sweep_anew(), purge.all();
SELECT purge.rows();
SELECT purge.request(:'token', '{"credential_configuration_id": "Card"}');
-- So it does for a request that began before the token's end and still waits for a lock.
UPDATE vci_token SET expires_at = clock_timestamp() - interval '1 minute' WHERE offer_id = :asking;
SELECT helper.sweep_anew(), purge.all();
SELECT count(*) FROM vci_credential WHERE offer_id = :asking;
UPDATE vci_token SET expires_at = clock_timestamp() + interval '1 day' WHERE offer_id = :asking;
-- Reports still show the credential whose offer is gone, and a deferral without it.
UPDATE vci_offer SET ends_at = ends_at - interval '2 days' WHERE id = :asking;
INSERT INTO vci_deferred (issuer_id, generation, offer_id, token_id, dataset, wait_seconds, expires_at, by_source,
    configuration_id, format, response_shape, holder_jwks)
VALUES (:issuer, 1, :asking, 0, 1, 5, clock_timestamp() + interval '1 day', false, 'Card', 'dc+sd-jwt', 'credentials', '[null]');
SELECT helper.sweep_anew(), purge.all();
SELECT purge.rows();
SELECT offer_id = :asking, configuration_id FROM vci_credential_info WHERE issuer_id = :issuer;
SELECT state, offer_id = :asking FROM vci_deferred_info WHERE issuer_id = :issuer;
SELECT purge.request(:'token', '{"credential_configuration_id": "Card"}');

-- A refresh token whose successor is gone was replaced: it must not begin a new family.
SELECT vci_alter_issuer('{"refresh_token_lifetime": 864000}', 'https://purge.example');
SELECT purge.offer('{Card}') AS family \gset
SELECT vci_exchange_code(helper.code(:family), issuer => 'https://purge.example') ->> 'refresh_token' AS first \gset
SELECT jsonb_build_object('grant_type', 'refresh_token', 'refresh_token', :'first') AS again \gset
-- An offer of 0.1.0 does not tell its end: a deferral of it may live longer than this refresh token.
UPDATE vci_offer SET ends_at = NULL WHERE id = :family;
SELECT vci_request_token(:'again', issuer => 'https://purge.example') ? 'access_token';
SELECT ends_at > expires_at + interval '30 days' FROM vci_offer WHERE id = :family;
DELETE FROM vci_refresh_token WHERE offer_id = :family AND successor_id IS NULL;
SELECT vci_request_token(:'again', issuer => 'https://purge.example');
SELECT count(*) FROM vci_event WHERE offer_id = :family AND kind = 'refresh_replayed';

-- The settings: what they may be, and that null goes back.
SELECT helper.errors($$SELECT vci_alter_issuer('{"token_retention": 3599}', 'https://purge.example')$$,
    $$SELECT vci_alter_issuer('{"offer_retention": 3600}', 'https://purge.example')$$,
    $$SELECT vci_alter_issuer('{"event_retention": 2147483648}', 'https://purge.example')$$,
    $$SELECT vci_alter_issuer('{"keep_claims": "yes"}', 'https://purge.example')$$);
SELECT keep_claims, token_retention, offer_retention, credential_retention, event_retention
FROM vci_issuer_info WHERE id = :issuer;
SELECT vci_alter_issuer('{"keep_claims": null, "token_retention": null, "offer_retention": null,
    "credential_retention": null, "event_retention": null}', 'https://purge.example');
SELECT keep_claims, token_retention, offer_retention, credential_retention, event_retention
FROM vci_issuer_info WHERE id = :issuer;

-- A retired issuer's rows are over, too.
SELECT purge.offer('{Card}') AS last \gset
SELECT purge.token(:last) IS NOT NULL;
SELECT vci_retire_issuer('https://purge.example');
SELECT purge.age(100), purge.all();
SELECT purge.rows();
DROP SCHEMA purge CASCADE;

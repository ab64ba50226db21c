-- Deliveries of campaigns: taken once, marked in any order, sent again, and never with a secret
-- too many; offers of a campaign or with labels extended and cancelled at once.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;

SELECT vci_create_issuer('https://delivery.example') > 0;
SELECT vci_create_key('https://delivery.example') IS NOT NULL;
SELECT vci_create_configuration('Letter', 'urn:letter', binding => 'absent', issuer => 'https://delivery.example');
CREATE ROLE regress_vci_sender;
CREATE ROLE regress_vci_pin_sender;
CREATE ROLE regress_vci_other_sender;
SELECT vci_grant('regress_vci_sender', 'gateway', 'https://delivery.example');
SELECT vci_grant('regress_vci_pin_sender', 'tx_code_gateway', 'https://delivery.example');
SELECT vci_grant('regress_vci_other_sender', 'gateway', (SELECT min(url) FROM vci_issuer_info
    WHERE url <> 'https://delivery.example' AND retired_at IS NULL));
CREATE SCHEMA delivery;
GRANT USAGE ON SCHEMA delivery TO PUBLIC;

-- A campaign of ten people: odd ones by SMS, which is the campaign's channel, even ones by e-mail.
CREATE TABLE delivery.people AS
    SELECT format('N-%s', lpad(n::text, 2, '0')) AS reference, CASE WHEN n % 2 = 0 THEN 'email' END AS channel,
        CASE WHEN n % 2 = 0 THEN format('p%s@example.org', n) ELSE format('+1555%s', n) END AS address, 'es' AS language,
        jsonb_build_object('district', CASE WHEN n <= 4 THEN 'hill' ELSE 'shore' END) AS labels,
        '{"a": 1}'::jsonb AS claims
    FROM generate_series(1, 10) AS n;
SELECT vci_create_campaign('north', '{Letter}', 'delivery.people', '{"channel": "sms", "expires_in": "1 day",
    "tx_code": {"length": 5}}', 'https://delivery.example') AS campaign \gset
SELECT loaded FROM vci_campaign_step(:campaign);
SELECT made FROM vci_campaign_step(:campaign);
CREATE VIEW delivery.state AS
    SELECT reference, delivery, attempts, delivery_note, sent_at IS NOT NULL AS sent, delivered_at IS NOT NULL AS delivered
    FROM vci_campaign_recipient WHERE reference ~ '^N-' ORDER BY reference;
CREATE FUNCTION delivery.ids(refs text[]) RETURNS bigint[] LANGUAGE sql STABLE AS
    'SELECT array_agg(id ORDER BY reference) FROM openid4vci.vci_campaign_recipient WHERE reference = ANY (refs)'
    SECURITY DEFINER;
CREATE FUNCTION delivery.events(refs text[]) RETURNS TABLE (reference text, kinds text) LANGUAGE sql STABLE AS $$
    SELECT r.reference, string_agg(e.kind, ' ' ORDER BY e.id) FROM openid4vci.vci_campaign_recipient AS r
    JOIN openid4vci.vci_event AS e ON e.offer_id = r.offer_id AND e.kind ~ '^offer_(sent|delivered|undelivered|ext|rev|cancel)'
    WHERE r.reference = ANY (refs) GROUP BY 1 ORDER BY 1
$$;

-- The queue, and what a person opens.
SET ROLE regress_vci_sender;
SELECT reference, campaign, issuer, channel, address, language, delivery, attempts, tx_code_required,
    link ~ '^https://delivery\.example/o/[A-Za-z0-9_-]{40}$' AS link
FROM vci_delivery_queue ORDER BY reference;
-- Who sends links sees no codes, who sends codes no links, and each its own issuer's alone.
SELECT helper.errors('SELECT * FROM vci_delivery_tx_codes', 'SELECT vci_delivery_tx_code(1, 1)',
    'SELECT * FROM vci_offer_info', 'SELECT vci_resend(reference => ''N-01'')', 'SELECT vci_offer_uri(1)');
SET ROLE regress_vci_pin_sender;
SELECT reference, campaign, issuer, channel, address, language, delivery, tx_code ~ '^[0-9]{5}$' AS code
FROM vci_delivery_tx_codes ORDER BY reference;
SELECT helper.errors('SELECT * FROM vci_delivery_queue', 'SELECT vci_delivery_link(1, 1)',
    'SELECT * FROM vci_take_deliveries()');
SET ROLE regress_vci_other_sender;
SELECT count(*) FROM vci_delivery_queue;
SELECT count(*) FROM vci_take_deliveries();
SELECT vci_delivery_link(:campaign, 1) IS NULL;
SELECT helper.error(format('SELECT * FROM vci_take_deliveries(%s)', :campaign)) ~ '^42704 there is no campaign [0-9]+ that you deliver$';
SELECT helper.error(format('SELECT vci_mark_deliveries(%L, ''sent'')', delivery.ids('{N-01}')))
    ~ '^42704 there is no delivery [0-9]+ of a campaign that you deliver';
RESET ROLE;

-- The code is the one that the offer asks for, until the offer has another one.
BEGIN;
SELECT vci_exchange_code(helper.code(o.id), t.tx_code, 'https://delivery.example') ? 'access_token' AS "a token"
FROM vci_delivery_tx_codes AS t JOIN vci_offer_info AS o USING (reference) WHERE reference = 'N-01';
SELECT vci_reset_tx_code(id) IS NOT NULL FROM vci_offer_info WHERE reference = 'N-02';
SELECT string_agg(reference, ' ' ORDER BY reference) AS codes FROM vci_delivery_tx_codes;
ROLLBACK;

-- Each is taken once, by its channel, until the lease ends.
SET ROLE regress_vci_sender;
SELECT reference, recipient_channel, attempts, link IS NOT NULL, expires_at > now() FROM vci_take_deliveries(:campaign, 'sms', 2);
SELECT reference FROM vci_take_deliveries(NULL, 'sms', 2, '1 hour');
SELECT reference FROM vci_take_deliveries(:campaign, 'email');
SELECT reference FROM vci_take_deliveries();
SELECT reference FROM vci_take_deliveries();
RESET ROLE;
UPDATE vci_campaign_recipient SET delivery_at = clock_timestamp() - interval '1 second'
    WHERE reference = ANY ('{N-01,N-02}');
SELECT reference, attempts FROM vci_take_deliveries(:campaign);
SELECT helper.errors('SELECT * FROM vci_take_deliveries(0)', 'SELECT * FROM vci_take_deliveries(max_rows => 0)',
    'SELECT * FROM vci_take_deliveries(max_rows => 100001)', 'SELECT * FROM vci_take_deliveries(max_rows => NULL)',
    'SELECT * FROM vci_take_deliveries(lease => ''-1 s'')');

-- Marks: once, twice, late and out of order.
SET ROLE regress_vci_sender;
SELECT vci_mark_deliveries(delivery.ids('{N-01,N-02,N-03}'), 'sent');
SELECT vci_mark_deliveries(delivery.ids('{N-01,N-02,N-03}'), 'sent');
SELECT vci_mark_deliveries(delivery.ids('{N-01,N-04}'), 'delivered');
SELECT vci_mark_deliveries(delivery.ids('{N-01,N-04}'), 'sent');
SELECT vci_mark_deliveries(delivery.ids('{N-01,N-02,N-05}'), 'failed', 'no such number');
SELECT vci_mark_deliveries(delivery.ids('{N-05}'), 'sent', campaign => :campaign);
SELECT vci_mark_deliveries(delivery.ids('{N-05}'), 'delivered', campaign => :campaign);
SELECT vci_mark_deliveries(delivery.ids('{N-06}') || delivery.ids('{N-06}'), 'sent');
SELECT vci_mark_deliveries('{}', 'sent');
RESET ROLE;
SELECT * FROM delivery.state;
SELECT * FROM delivery.events('{N-01,N-02,N-03,N-04,N-05,N-06}');
-- A wrong id tells which, and nothing is marked.
SELECT helper.error(format('SELECT vci_mark_deliveries(%L, ''sent'')', delivery.ids('{N-07}') || '{9000000000}'));
SELECT helper.errors('SELECT vci_mark_deliveries(NULL, ''sent'')', 'SELECT vci_mark_deliveries(''{NULL}'', ''sent'')',
    'SELECT vci_mark_deliveries(''{{1}}'', ''sent'')', 'SELECT vci_mark_deliveries(''{1}'', ''taken'')',
    'SELECT vci_mark_deliveries(''{1}'', NULL)', 'SELECT vci_mark_deliveries(''{1}'', ''sent'', repeat(''x'', 1001))',
    'SELECT vci_mark_deliveries(''{1}'', ''sent'', campaign => 0)');
SELECT * FROM delivery.state WHERE reference = 'N-07';

-- Sent again: as long as the offer is pending.
SELECT helper.errors('SELECT vci_resend()', 'SELECT vci_resend(max_rows => 0)', 'SELECT vci_resend(labels => ''{}'')',
    'SELECT vci_resend(labels => ''[]'')', 'SELECT vci_resend(0)', 'SELECT vci_resend(reference => ''N-01'')',
    format('SELECT vci_resend(%s, delivery => ''queued'')', :campaign));
SELECT vci_resend(reference => 'N-01', issuer => 'https://delivery.example');
SELECT vci_resend(reference => 'N-01', issuer => 'https://delivery.example');
SELECT vci_cancel_offer(offer_id) FROM vci_campaign_recipient WHERE reference = 'N-03';
SELECT vci_resend(labels => '{"district": "hill"}', delivery => 'delivered', issuer => 'https://delivery.example');
SELECT vci_resend(:campaign, max_rows => 1);
SELECT vci_resend(:campaign, '{"district": "shore"}');
SELECT vci_resend(:campaign);
SELECT * FROM delivery.state;
SELECT reference, attempts FROM vci_take_deliveries(:campaign) ORDER BY reference;
SELECT vci_mark_deliveries(delivery.ids('{N-01,N-02}'), 'delivered');
SELECT * FROM delivery.events('{N-01,N-02}');

-- What can no longer be redeemed is not sent, nor while the campaign or the issuer stands still.
UPDATE vci_campaign_recipient SET delivery = 'queued' WHERE campaign_id = :campaign;
UPDATE vci_offer SET redeemed_at = now() WHERE reference = 'N-04';
UPDATE vci_offer SET expires_at = clock_timestamp() - interval '1 s' WHERE reference = 'N-05';
UPDATE vci_campaign_recipient SET offer_id = 9000000000 WHERE reference = 'N-06';
SELECT reference FROM vci_delivery_queue ORDER BY reference;
UPDATE vci_campaign SET paused_at = now() WHERE id = :campaign;
SELECT count(*) FROM vci_take_deliveries(:campaign);
UPDATE vci_campaign SET paused_at = NULL WHERE id = :campaign;
BEGIN;
SELECT vci_pause_issuance('https://delivery.example');
SELECT helper.error(format('SELECT * FROM vci_take_deliveries(%s)', :campaign));
-- Who takes whatever there is gets that of other issuers meanwhile.
SELECT vci_create_issuer('https://delivery.example/other') > 0;
SELECT vci_create_key('https://delivery.example/other') IS NOT NULL;
SELECT vci_create_configuration('Letter', 'urn:letter', binding => 'absent', issuer => 'https://delivery.example/other');
SELECT vci_create_campaign('other', '{Letter}', 'SELECT ''O-1'' AS reference, ''{"a": 1}''::jsonb AS claims',
    issuer => 'https://delivery.example/other') AS other \gset
SELECT loaded FROM vci_campaign_step(:other);
SELECT made FROM vci_campaign_step(:other);
SELECT reference FROM vci_take_deliveries() WHERE campaign_id IN (:campaign, :other);
ROLLBACK;
BEGIN;
UPDATE vci_database SET database_oid = 1;
SELECT helper.errors(format('SELECT * FROM vci_take_deliveries(%s)', :campaign),
    format('SELECT link FROM vci_delivery_queue WHERE campaign_id = %s', :campaign),
    format('SELECT vci_delivery_tx_code(%s, %s)', :campaign, (delivery.ids('{N-01}'))[1]));
ROLLBACK;
SELECT reference FROM vci_take_deliveries(:campaign) ORDER BY reference;
SELECT reference, delivery, delivery_note FROM delivery.state WHERE delivery = 'failed';

-- Many offers are extended at once, and none is shortened.
SELECT helper.errors($$SELECT vci_extend_offers(now() + '1 day')$$, $$SELECT vci_extend_offers(now(), labels => '{"a": 1}')$$,
    $$SELECT vci_extend_offers(NULL, labels => '{"a": 1}')$$, $$SELECT vci_extend_offers('infinity', labels => '{"a": 1}')$$,
    $$SELECT vci_extend_offers('-infinity', labels => '{"a": 1}')$$, $$SELECT vci_extend_offers(now() + '11 years', labels => '{"a": 1}')$$,
    'SELECT vci_cancel_offers()', 'SELECT vci_cancel_offers(0)', 'SELECT vci_cancel_offers(labels => ''{}'')');
SELECT helper.error(format('SELECT vci_cancel_offers(%s, issuer => %L)', :campaign, min(url)))
    ~ '^42704 campaign [0-9]+ is not one of issuer https://' FROM vci_issuer_info
    WHERE url <> 'https://delivery.example' AND retired_at IS NULL;
UPDATE vci_offer SET expiry_noted_at = now() WHERE reference = 'N-05';
UPDATE vci_offer SET expires_at = now() + interval '90 days' WHERE reference = 'N-10';
SELECT date_trunc('second', now()) + interval '60 days' AS later \gset
SELECT vci_extend_offers(:'later', labels => '{"district": "shore"}',
    issuer => 'https://delivery.example', max_rows => 3);
SELECT vci_extend_offers(:'later', labels => '{"district": "shore"}',
    issuer => 'https://delivery.example');
SELECT vci_extend_offers(:'later', labels => '{"district": "shore"}',
    issuer => 'https://delivery.example');
SELECT vci_extend_offers(date_trunc('second', now()) + interval '70 days', :campaign, '{"district": "hill"}');
SELECT reference, labels ->> 'district', round(extract(epoch FROM expires_at - now()) / 86400) AS days, ends_at = expires_at,
    claims_due = expires_at, expiry_noted_at IS NULL
FROM vci_offer WHERE reference ~ '^N-' ORDER BY reference;
SELECT * FROM delivery.events('{N-02,N-05,N-10}');
-- Many are cancelled at once, but for those that nothing more can come of.
UPDATE vci_offer SET redeemed_at = now(), issued_at = now() WHERE reference = 'N-07';
SELECT vci_cancel_offers(:campaign, '{"district": "shore"}', max_rows => 2);
SELECT vci_cancel_offers(:campaign, '{"district": "shore"}');
SELECT vci_cancel_offers(:campaign, '{"district": "shore"}');
SELECT vci_cancel_offers(labels => '{"district": "hill"}', issuer => 'https://delivery.example');
SELECT reference, state FROM vci_offer_info WHERE reference ~ '^N-' ORDER BY reference;
SELECT * FROM delivery.events('{N-02,N-07,N-08}');
SELECT count(*) FROM vci_delivery_queue WHERE campaign_id = :campaign;

-- People are forgotten: their addresses once nothing can be sent any more, themselves with their offers.
CREATE FUNCTION delivery.purge() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1 .. 2 LOOP
        PERFORM helper.sweep_anew();
        WHILE (SELECT sum(remaining) FROM openid4vci.vci_purge(1000)) > 0 LOOP END LOOP;
    END LOOP;
END $$;
CREATE VIEW delivery.kept AS
    SELECT reference, concat_ws(' ', address, claims, delivery_note) AS of_the_person FROM vci_campaign_recipient
    WHERE reference ~ '^N-' ORDER BY reference;
BEGIN;
INSERT INTO vci_campaign_recipient (campaign_id, reference, address, claims, failure, failed_at)
    VALUES (:campaign, 'N-11', '+155511', '{"a": 1}', 'no such configuration', now());
UPDATE vci_offer AS o SET ends_at = now() - CASE WHEN r.reference = 'N-03' THEN interval '29 days' ELSE interval '31 days' END
    FROM vci_campaign_recipient AS r WHERE r.offer_id = o.id AND r.campaign_id = :campaign AND r.reference < 'N-05';
UPDATE vci_offer SET ends_at = now() + interval '1 day' WHERE reference > 'N-05' AND reference < 'N-99';
SELECT delivery.purge();
SELECT * FROM delivery.kept;
UPDATE vci_campaign SET finished_at = now() - interval '31 days' WHERE id = :campaign;
SELECT delivery.purge();
SELECT * FROM delivery.kept WHERE reference = 'N-11';
SELECT vci_alter_issuer('{"offer_retention": 2592000}', 'https://delivery.example');
SELECT delivery.purge();
SELECT * FROM delivery.kept;
ROLLBACK;

DELETE FROM vci_campaign_recipient WHERE campaign_id = :campaign;
DELETE FROM vci_campaign WHERE id = :campaign;
SELECT vci_revoke('regress_vci_sender', 'gateway', 'https://delivery.example');
SELECT vci_revoke('regress_vci_pin_sender', 'tx_code_gateway', 'https://delivery.example');
SELECT vci_revoke('regress_vci_other_sender', 'gateway', (SELECT min(url) FROM vci_issuer_info
    WHERE url <> 'https://delivery.example' AND retired_at IS NULL));
DROP SCHEMA delivery CASCADE;
DROP ROLE regress_vci_sender, regress_vci_pin_sender, regress_vci_other_sender;
SELECT vci_retire_issuer('https://delivery.example');

-- An offer's life: vci_extend_offer, vci_rotate_code, vci_reset_tx_code, vci_reopen_offer and
-- vci_cancel_offer in each state, and what becomes of earlier links and tokens.
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION helper.state(offer_id bigint) RETURNS text LANGUAGE sql AS
    'SELECT state FROM openid4vci.vci_offer_info WHERE id = offer_id';
CREATE FUNCTION helper.exchange(code text,
    tx_code text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT COALESCE(r ->> 'error' || ': ' || (r ->> 'error_description'), 'access_token')
    FROM openid4vci.vci_exchange_code(code, tx_code) AS r
$$;

-- One offer in each state; "issued" was redeemed and its credential issued.
CREATE TABLE helper.offer AS
    SELECT state, (vci_create_offer('{Membership}', claims => '{"member": true}',
    generate_tx_code => state = 'locked',
                                    expires_in => '1 hour')).offer_id AS id
    FROM unnest('{pending,expired,redeemed,issued,cancelled,locked}'::text[]) AS state;
UPDATE vci_offer SET expires_at = clock_timestamp() - interval '1 second'
WHERE id = (SELECT id FROM helper.offer WHERE state = 'expired');
SELECT id AS pending FROM helper.offer WHERE state = 'pending' \gset
SELECT id AS expired FROM helper.offer WHERE state = 'expired' \gset
SELECT id AS redeemed FROM helper.offer WHERE state = 'redeemed' \gset
SELECT id AS issued FROM helper.offer WHERE state = 'issued' \gset
SELECT id AS cancelled FROM helper.offer WHERE state = 'cancelled' \gset
SELECT id AS locked FROM helper.offer WHERE state = 'locked' \gset
SELECT helper.token(:redeemed) AS redeemed_token, helper.token(:issued) AS issued_token,
       vci_cancel_offer(:cancelled) AS was_cancelled \gset
SELECT status, body ? 'credentials'
    FROM helper.post_json(:'issued_token', '{"credential_configuration_id": "Membership"}');
SELECT helper.exchange(helper.code(:locked), '000000' || n) FROM generate_series(1, 6) AS n;
SELECT o.state, i.state, i.tx_code_failures, i.locked, i.redeemed_at IS NOT NULL AS redeemed,
    i.issued_at IS NOT NULL AS issued,
       i.cancelled_at IS NOT NULL AS cancelled
FROM helper.offer AS o JOIN vci_offer_info AS i USING (id) ORDER BY id;
-- The link of each is still rebuilt.
SELECT count(vci_offer_uri(id)) FROM helper.offer;

-- The offer of a code, of a link by value or by reference, and of text with one in it.
SELECT vci_find_offer(helper.code(:pending)) = :pending, vci_find_offer(vci_offer_uri(:pending)) = :pending,
    vci_find_offer(vci_offer_uri(:pending, 'reference')) = :pending,
    vci_find_offer(E'Maria wrote: \n' || vci_offer_uri(:locked) || ' does not work') = :locked;
SELECT bool_and(vci_find_offer(vci_offer_uri(id)) = id) AS "in each state" FROM helper.offer;
-- Whatever is no code of ours, or not whole, or of another kind, finds none.
SELECT vci_find_offer(code) IS NULL
FROM (VALUES (''), ('x'), (repeat('A', 40)), (reverse(helper.code(:pending))), (left(helper.code(:pending), 39)),
    (helper.code(:pending) || 'A'), (upper(helper.code(:pending))), (:'redeemed_token'), (NULL)) AS c (code);
SELECT helper.error(format('SELECT vci_find_offer(%L)', repeat('A', 65537)));

-- Each function in each state; helper.error undoes what it did.
SELECT function, state, regexp_replace(helper.error(format('SELECT %s(%s)', function, id)), '\m'
    || id || '\M', '(id)', 'g')
FROM helper.offer, unnest('{vci_extend_offer,vci_rotate_code,vci_reset_tx_code,vci_reopen_offer,vci_cancel_offer}'::text[])
    WITH ORDINALITY AS f (function, n) ORDER BY n, id;
SELECT function, helper.error(format('SELECT %s(-1)', function)),
    helper.error(format('SELECT %s(NULL) IS NULL', function))
FROM unnest('{vci_extend_offer,vci_rotate_code,vci_reset_tx_code,vci_reopen_offer,vci_cancel_offer}'::text[]) AS function;
SELECT vci_extend_offer(NULL), vci_rotate_code(NULL), vci_reset_tx_code(NULL),
    vci_reopen_offer(NULL), vci_cancel_offer(NULL);

-- Extending: the link stays, an expired offer is pending again.
SELECT helper.code(:expired) AS code \gset
SELECT helper.exchange(:'code');
SELECT vci_extend_offer(:expired, '2 hours') - clock_timestamp() BETWEEN '1:59:00' AND '2:00:00',
    helper.state(:expired),
       helper.code(:expired) = :'code';
SELECT vci_extend_offer(:expired) - clock_timestamp() BETWEEN '6 days 23:59:00'
    AND '7 days' AS "the issuer's lifetime";
SELECT vci_extend_offer(:expired,
    '1 second') < clock_timestamp() + interval '1 second 1 ms' AS "shorter works too";
SELECT helper.error(format('SELECT vci_extend_offer(%s, %L)', :expired, span))
FROM unnest('{0,-1 hour,3653 days}'::interval[]) AS span;
SELECT vci_extend_offer(:expired) IS NOT NULL;
SELECT helper.exchange(:'code');

-- Rotating: every earlier link is dead, by value and by reference.
SELECT helper.code(:pending) AS old_code, vci_offer_uri(:pending, 'reference') AS old_link \gset
SELECT vci_rotate_code(:pending) AS new_link \gset
-- A code that was replaced finds its offer; not one of another row, to which the id was given before.
SELECT vci_find_offer(:'old_code') = :pending, vci_find_offer(:'old_link') = :pending,
    vci_find_offer(:'new_link') = :pending;
BEGIN;
UPDATE vci_offer SET generation = generation - 2 WHERE id = :pending;
SELECT vci_find_offer(:'old_code');
UPDATE vci_offer SET generation = generation + 20000 WHERE id = :pending;
SELECT vci_find_offer(:'old_code'), vci_find_offer(helper.code(:pending)) = :pending;
DELETE FROM vci_offer WHERE id = :pending;
SELECT vci_find_offer(:'old_code');
ROLLBACK;
SELECT :'new_link' = vci_offer_uri(:pending), helper.code(:pending) <> :'old_code',
    :'old_link' <> vci_offer_uri(:pending, 'reference');
SELECT helper.exchange(:'old_code');
SELECT status, body_out FROM helper.http('GET',
    regexp_replace(helper.percent_decode(split_part(:'old_link', '=', 2)), '^https://[^/]*', ''),
                                         '{Host, registry.example}');
SELECT status FROM helper.http('GET',
    regexp_replace(helper.percent_decode(split_part(vci_offer_uri(:pending, 'reference'), '=', 2)),
    '^https://[^/]*', ''),
                               '{Host, registry.example}');
SELECT helper.exchange(helper.code(:pending)), helper.state(:pending);

-- A new PIN: the count starts again, the former PIN is dead, mode and length stay.
SELECT vci_reset_tx_code(:locked) AS pin \gset
SELECT :'pin' ~ '^[0-9]{6}$', tx_code_failures, locked FROM vci_offer_info WHERE id = :locked;
SELECT vci_reset_tx_code(:locked, '87654321');
SELECT helper.exchange(helper.code(:locked), :'pin');
SELECT helper.errors(format('SELECT vci_reset_tx_code(%s, %L)', :locked, '12ab'),
    format('SELECT vci_reset_tx_code(%s, %L)', :locked, ''));
SELECT tx_code_failures FROM vci_offer_info WHERE id = :locked;
SELECT tx_code #> '{grants,urn:ietf:params:oauth:grant-type:pre-authorized_code,tx_code}'
FROM (SELECT helper.percent_decode(split_part(vci_offer_uri(:locked), '=', 2))::jsonb)
    AS o (tx_code);
SELECT helper.exchange(helper.code(:locked), '87654321'), helper.state(:locked);

-- Reopening what was redeemed, while nothing was issued: earlier code and token die.
SELECT helper.code(:redeemed) AS old_code \gset
SELECT vci_reopen_offer(:redeemed) = vci_offer_uri(:redeemed), helper.state(:redeemed);
SELECT helper.exchange(:'old_code');
SELECT status, body, headers ->> 'WWW-Authenticate'
    FROM helper.post_json(:'redeemed_token', '{"credential_configuration_id": "Membership"}');
SELECT helper.token(:redeemed) AS second_token \gset
SELECT status, body ? 'credentials'
    FROM helper.post_json(:'second_token', '{"credential_configuration_id": "Membership"}');
SELECT helper.errors(format('SELECT vci_reopen_offer(%s)', :redeemed)) ~ 'a credential was issued';
-- A cancelled one too; its lifetime is restored when it is over.
UPDATE vci_offer SET expires_at = clock_timestamp() - interval '1 day' WHERE id = :cancelled;
SELECT vci_reopen_offer(:cancelled) IS NOT NULL;
SELECT state, cancelled_at, expires_at - clock_timestamp() BETWEEN '6 days 23:59:00' AND '7 days'
    FROM vci_offer_info WHERE id = :cancelled;

-- Cancelling: the code, the link and a token already given are dead; what is issued stays issued.
SELECT helper.token(:cancelled) AS token, helper.code(:cancelled) AS code,
    vci_offer_uri(:cancelled, 'reference') AS link \gset
SELECT vci_cancel_offer(:cancelled), vci_cancel_offer(:cancelled), vci_cancel_offer(:issued);
SELECT helper.state(:cancelled), helper.state(:issued);
SELECT helper.exchange(:'code');
SELECT status, body FROM helper.post_json(:'token',
    '{"credential_configuration_id": "Membership"}');
SELECT status, body_out FROM helper.http('GET',
    regexp_replace(helper.percent_decode(split_part(:'link', '=', 2)), '^https://[^/]*', ''),
                                         '{Host, registry.example}');

-- Of two credentials one is issued: the offer can still be cancelled, which keeps the other
-- from whoever has the token. With a single one there is nothing left to keep.
SELECT offer_id AS two FROM vci_create_offer('{Membership,EntitlementCredential}',
    claims => '{"entitlementId": "E-1"}') \gset
SELECT helper.token(:two) AS token \gset
SELECT status FROM helper.post_json(:'token', '{"credential_configuration_id": "Membership"}');
SELECT status, body ->> 'error' AS "the token is alive" FROM helper.post_json(:'token',
    '{"credential_configuration_id": "EntitlementCredential"}');
SELECT vci_cancel_offer(:two), vci_cancel_offer(:two);
SELECT status, body ->> 'error', headers ->> 'WWW-Authenticate' FROM helper.post_json(:'token',
    '{"credential_configuration_id": "EntitlementCredential"}');
SELECT state, issued_at IS NOT NULL AS issued, cancelled_at IS NOT NULL AS cancelled
    FROM vci_offer_info WHERE id = :two;
SELECT offer_id AS one FROM vci_create_offer('{Membership}', claims => '{}') \gset
SELECT status FROM helper.post_json(helper.token(:one),
    '{"credential_configuration_id": "Membership"}');
SELECT vci_cancel_offer(:one), helper.state(:one);

-- All of them set-based, over the reopened campaign of the previous file.
SELECT count(vci_rotate_code(id)), count(vci_extend_offer(id, '1 day')) FROM vci_offer_info
    WHERE reference LIKE 'campaign/%';
SELECT count(*) FILTER (WHERE vci_cancel_offer(id)) FROM vci_offer_info
    WHERE reference LIKE 'campaign/%';
SELECT state, count(*) FROM vci_offer_info WHERE reference LIKE 'campaign/%' GROUP BY state;
-- A rolled back change leaves the code as it was.
BEGIN;
SELECT vci_reopen_offer(id) IS NOT NULL FROM vci_offer_info WHERE reference = 'campaign/1';
SELECT state FROM vci_offer_info WHERE reference = 'campaign/1';
ROLLBACK;
SELECT state FROM vci_offer_info WHERE reference = 'campaign/1';
DROP TABLE helper.offer;

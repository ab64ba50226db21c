-- vci_exchange_code and vci_create_nonce: the token endpoint's work in SQL.
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION helper.new_offer(tx_code text DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $$
    SELECT offer_id FROM openid4vci.vci_create_offer('{Membership}', claims => '{"member": true}', tx_code => tx_code)
$$;

-- OpenSPP's shape: c_nonce stands in the response; lifetimes of a day.
SELECT helper.new_offer() AS id \gset
SELECT helper.hide(r), length(r ->> 'access_token'), r ->> 'c_nonce' ~ '^[A-Za-z0-9_-]{76}$'
FROM vci_exchange_code(helper.code(:id)) AS r;
-- A code works once.
SELECT vci_exchange_code(helper.code(:id));
SELECT state, redeemed_at <= clock_timestamp(), issued_at FROM vci_offer_info WHERE id = :id;
SELECT count(*), max(expires_at - created_at) BETWEEN '23:59:59' AND '24:00:01' FROM vci_token
    WHERE offer_id = :id;

-- A transaction code: right, missing, unexpected, wrong.
SELECT helper.new_offer('123456') AS id \gset
SELECT vci_exchange_code(helper.code(:id));
SELECT tx_code_failures AS "a missing one does not count" FROM vci_offer_info WHERE id = :id;
SELECT vci_exchange_code(helper.code(:id), '654321');
SELECT vci_exchange_code(helper.code(:id), '') ->> 'error' AS "empty is missing, as in a form";
SELECT vci_exchange_code(helper.code(:id), '123456 ');
SELECT tx_code_failures, locked, state FROM vci_offer_info WHERE id = :id;
SELECT vci_exchange_code(helper.code(:id),
    '123456') ? 'access_token' AS "a wrong one does not burn the code";
SELECT vci_exchange_code(helper.code(helper.new_offer()), '123456');

-- Five wrong ones lock the offer; then the right one is refused too, until it is reset.
SELECT helper.new_offer('123456') AS id \gset
SELECT n, r ->> 'error', r ->> 'error_description'
FROM generate_series(1, 7) AS n,
    LATERAL vci_exchange_code(helper.code(:id), lpad(n::text, 6, '0')) AS r;
SELECT vci_exchange_code(helper.code(:id), '123456');
SELECT tx_code_failures, locked, state FROM vci_offer_info WHERE id = :id;
SELECT vci_reset_tx_code(:id, '123456');
SELECT vci_exchange_code(helper.code(:id), '123456') ? 'access_token';
-- How many is a setting.
SELECT vci_alter_issuer('{"tx_code_max_failures": 1}');
SELECT helper.new_offer('123456') AS id \gset
SELECT vci_exchange_code(helper.code(:id), '000000') ->> 'error_description';
SELECT vci_exchange_code(helper.code(:id), '123456') ->> 'error_description';
SELECT locked FROM vci_offer_info WHERE id = :id;
SELECT vci_alter_issuer('{"tx_code_max_failures": null}');
-- A PIN of any script counts by its bytes.
SELECT vci_exchange_code(helper.code(o.offer_id), 'пароль') ? 'access_token'
FROM vci_create_offer('{Membership}', claims => '{}', tx_code => 'пароль',
    tx_code_mode => 'text') AS o;

-- Expired, and what is no code at all. A forged code moves no counter.
SELECT helper.new_offer('123456') AS id \gset
SELECT helper.code(:id) AS code \gset
SELECT why, vci_exchange_code(code, '000000') FROM (VALUES
    ('another last character', left(:'code', 39) || CASE right(:'code', 1) WHEN 'A' THEN 'B'
    ELSE 'A' END),
    ('another first character', CASE left(:'code', 1) WHEN 'A' THEN 'B' ELSE 'A' END
    || right(:'code', 39)),
    ('cut', left(:'code', 39)), ('longer', :'code' || 'A'), ('padded', :'code' || '='),
    ('empty', ''),
    ('hostile', '''; DROP TABLE vci_offer; --'), ('no ASCII', 'cödé'), ('control', E'\x01'),
    ('long', repeat('A', 100000)),
    ('a token', (SELECT vci_exchange_code(helper.code(helper.new_offer())) ->> 'access_token')),
    ('a reference ticket', split_part(helper.percent_decode(vci_offer_uri(:id, 'reference')),
    '/offer/', 2))) AS c (why, code);
SELECT tx_code_failures FROM vci_offer_info WHERE id = :id;
UPDATE vci_offer SET expires_at = clock_timestamp() WHERE id = :id;
SELECT vci_exchange_code(:'code', '123456');

SELECT helper.errors($$SELECT vci_exchange_code(NULL)$$,
    $$SELECT vci_exchange_code('x', issuer => 'https://unknown.example')$$);

-- The issuer's lifetimes; profile final leaves the members of older drafts out.
BEGIN;
SELECT vci_alter_issuer('{"access_token_lifetime": 60, "c_nonce_lifetime": 30}');
SELECT helper.hide(vci_exchange_code(helper.code(helper.new_offer())));
SELECT count(vci_alter_configuration(id, '{"older": []}')) FROM vci_configuration_info
    WHERE retired_at IS NULL AND issuer = 'https://registry.example';
SELECT vci_alter_issuer('{"access_token_lifetime": null, "c_nonce_lifetime": null, "profile": "final"}');
SELECT helper.hide(vci_exchange_code(helper.code(o.offer_id))),
    o.expires_at - clock_timestamp() BETWEEN '59 min' AND '1 hour'
FROM vci_create_offer('{Membership}', claims => '{}') AS o;
ROLLBACK;

-- Set-based, and what a caller rolls back did not happen.
SELECT count(*) FILTER (WHERE r ? 'access_token'), count(DISTINCT r ->> 'access_token'),
    count(DISTINCT r ->> 'c_nonce')
FROM generate_series(1, 50) AS n,
    LATERAL (SELECT vci_exchange_code(helper.code(helper.new_offer())) FROM (SELECT n) AS x)
    AS e (r);
SELECT helper.new_offer() AS id \gset
BEGIN;
SELECT vci_exchange_code(helper.code(:id)) ? 'access_token';
ROLLBACK;
SELECT vci_exchange_code(helper.code(:id)) ? 'access_token';

-- A nonce each time, writing nothing.
SELECT count(*) AS spent FROM vci_nonce \gset
SELECT count(DISTINCT vci_create_nonce()),
    bool_and(vci_create_nonce('https://registry.example') ~ '^[A-Za-z0-9_-]{76}$')
FROM generate_series(1, 100);
SELECT count(*) - :spent AS written FROM vci_nonce;
SELECT helper.errors($$SELECT vci_create_nonce('https://unknown.example')$$);
BEGIN READ ONLY;
SELECT vci_create_nonce() IS NOT NULL;
ROLLBACK;

-- vci_http: POST /token (OpenID4VCI 1.0 section 6, RFC 6749 section 5), /nonce, and offers by reference.
\pset format unaligned
\pset tuples_only on

SELECT helper.new_offer() AS id \gset
SELECT status, headers, helper.hide(body) FROM helper.post_form(helper.form(helper.code(:id)));
SELECT status, headers, body FROM helper.post_form(helper.form(helper.code(:id)));
-- Transaction codes: each error by its code and status.
SELECT helper.new_offer('123456') AS id \gset
SELECT status, body FROM helper.post_form(helper.form(helper.code(:id)));
SELECT status, body FROM helper.post_form(helper.form(helper.code(:id), ''));
SELECT status, body FROM helper.post_form(helper.form(helper.code(:id), '000000'));
SELECT tx_code_failures FROM vci_offer_info WHERE id = :id;
SELECT status, body ? 'access_token' FROM helper.post_form(helper.form(helper.code(:id), '123456'));
SELECT status, body FROM helper.post_form(helper.form(helper.code(helper.new_offer()), '123456'));
-- A PIN as a form encodes it.
SELECT status, body ? 'access_token'
    FROM vci_create_offer('{Membership}', claims => '{}', tx_code => 'p+ä %&=',
    tx_code_mode => 'text') AS o,
    LATERAL helper.post_form(helper.form(helper.code(o.offer_id), 'p%2B%c3%A4+%25%26%3D'));

-- The form itself. A code that was good stays good.
SELECT helper.new_offer() AS id \gset
SELECT helper.code(:id) AS code,
    'grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code' AS grant \gset
SELECT what, status, body FROM (VALUES
    ('empty', ''), ('only &', '&&&'), ('no grant_type', 'pre-authorized_code=' || :'code'),
    ('empty grant_type', 'grant_type=&pre-authorized_code=' || :'code'),
    ('another grant', 'grant_type=authorization_code&code=' || :'code'),
    ('client credentials', 'grant_type=client_credentials'), ('no code', :'grant'),
    ('empty code', :'grant' || '&pre-authorized_code='),
    ('underscore', :'grant' || '&pre_authorized_code=' || :'code'),
    ('code twice', :'grant' || '&pre-authorized_code=' || :'code' || '&pre-authorized_code='
    || :'code'),
    ('grant twice', :'grant' || '&' || :'grant' || '&pre-authorized_code=' || :'code'),
    ('unknown twice', helper.form(:'code', more => '&x=1&x=1')),
    ('twice, once encoded', helper.form(:'code', more => '&pre-authorized%5Fcode=' || :'code')),
    ('NUL', helper.form(:'code', more => '&x=%00')),
    ('bad escape', helper.form(:'code', more => '&x=%zz')),
    ('cut escape', helper.form(:'code', more => '&x=%4')),
    ('bad UTF-8', helper.form(:'code', more => '&x=%ff%fe')),
    ('overlong UTF-8', helper.form(:'code', more => '&x=%c0%80')),
    ('a surrogate', helper.form(:'code', more => '&x=%ed%a0%80')),
    ('65 parameters', helper.form(:'code',
    more => (SELECT string_agg('&p' || n || '=1', '') FROM generate_series(1, 63) AS n))),
    ('JSON', '{"grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code"}'),
    ('forged code', helper.form('AAAA')), ('long code', helper.form(repeat('A', 500000))),
    ('hostile code', helper.form('%27%3B+DROP+TABLE+vci_offer%3B+--'))) AS f (what, form),
    LATERAL helper.post_form(form);
-- Unknown parameters are ignored, client ones too (RFC 6749 section 3.2).
SELECT status, body ? 'access_token'
    FROM helper.post_form(helper.form(:'code',
    more => '&client_id=wallet&redirect_uri=x&unknown=%F0%9F%99%82'));
-- Bytes that are no UTF-8, and NUL bytes.
SELECT status, body_out FROM unnest(ARRAY['\x6772616e745f747970653dff'::bytea, '\x00',
    '\x6100623d63']) AS body,
    LATERAL helper.http('POST', '/api/v1/openid4vci/token',
    '{Host, registry.example, Content-Type, application/x-www-form-urlencoded}', body);

-- The media type.
SELECT type, status, body_out ->> 'error', body_out ->> 'error_description'
    FROM unnest(ARRAY['application/x-www-form-urlencoded',
    'APPLICATION/X-WWW-FORM-URLENCODED; charset=UTF-8',
    'application/x-www-form-urlencoded; charset=iso-8859-1', 'application/json', 'text/plain',
    'multipart/form-data; boundary=x', '', 'application/x-www-form-urlencodedx',
    'application/x-www-form-urlencoded;']) AS type,
    LATERAL helper.http('POST', '/api/v1/openid4vci/token',
    ARRAY['Host', 'registry.example', 'Content-Type', type], convert_to(helper.form('x'), 'UTF8'));
SELECT status, body_out ->> 'error'
    FROM helper.http('POST', '/api/v1/openid4vci/token', '{Host, registry.example}',
    convert_to(helper.form('x'), 'UTF8'));
SELECT status, body_out ->> 'error' FROM helper.http('POST', '/api/v1/openid4vci/token',
    '{Host, registry.example, Content-Type, application/x-www-form-urlencoded, content-type, application/x-www-form-urlencoded}',
    convert_to(helper.form('x'), 'UTF8'));

-- authorization_details (section 6.1.1): the response names credential identifiers.
SELECT offer_id AS id FROM vci_create_offer('{EntitlementCredential,Membership}',
    claims => '{"entitlementId": "E-1"}') \gset
SELECT helper.code(:id) AS code \gset
SELECT details, status, helper.hide(body)
    FROM unnest(ARRAY['[]', '{}', 'x', '[1]', '[{}]', '[{"type": "other"}]',
    '[{"type": "openid_credential"}]',
    '[{"type": "openid_credential", "credential_configuration_id": "Unknown"}]',
    '[{"type": "openid_credential", "credential_configuration_id": 1}]',
    '[{"type": "openid_credential", "type": "x", "credential_configuration_id": "Membership"}]']) AS details,
    LATERAL helper.post_form(helper.form(:'code', more => '&authorization_details='
    || replace(details, ' ', '+')));
SELECT status, helper.hide(body)
    FROM helper.post_form(helper.form(:'code',
    more => '&authorization_details=[{"type":"openid_credential","credential_configuration_id":"Membership"}]'));
SELECT configuration_ids, identifiers FROM vci_token WHERE offer_id = :id;

-- Expired, cancelled, replaced.
SELECT helper.new_offer() AS id \gset
SELECT helper.code(:id) AS code \gset
UPDATE vci_offer SET expires_at = clock_timestamp() WHERE id = :id;
SELECT status, body FROM helper.post_form(helper.form(:'code'));
SELECT vci_rotate_code(:id) IS NOT NULL;
SELECT status, body FROM helper.post_form(helper.form(:'code'));
SELECT vci_cancel_offer(:id);
SELECT status, body FROM helper.post_form(helper.form(helper.code(:id)));

-- The nonce endpoint (section 7): anybody, no body needed, never stored.
SELECT count(*) AS spent FROM vci_nonce \gset
SELECT status, headers_out, helper.hide(body_out)
    FROM helper.http('POST', '/api/v1/openid4vci/nonce', '{Host, registry.example}');
SELECT status FROM helper.http('POST', '/api/v1/openid4vci/nonce',
    '{Host, registry.example, Content-Type, application/json}', '{"x": 1');
SELECT count(DISTINCT body_out ->> 'c_nonce') FROM generate_series(1, 20) AS n,
    LATERAL helper.http('POST', '/api/v1/openid4vci/nonce',
    ARRAY['Host', 'registry.example', 'X-N', n::text]);
SELECT count(*) - :spent AS written FROM vci_nonce;

-- An offer by reference: fetched as often as a wallet likes, also after it was redeemed; never cached.
SELECT helper.new_offer('123456') AS id \gset
SELECT regexp_replace(helper.percent_decode(split_part(vci_offer_uri(:id, 'reference'), '=', 2)),
    '^https://[^/]*', '') AS target \gset
SELECT status, headers_out, helper.hide(body_out)
    FROM helper.http('GET', :'target', '{Host, registry.example}');
SELECT body_out = helper.percent_decode(split_part(vci_offer_uri(:id), '=', 2))::jsonb
    FROM helper.http('GET', :'target', '{Host, registry.example}');
SELECT vci_exchange_code(helper.code(:id), '123456') ? 'access_token';
SELECT status, body_out ? 'grants' FROM helper.http('GET', :'target', '{Host, registry.example}');
SELECT what, status, body_out FROM (VALUES ('forged', left(:'target', -1)
    || CASE right(:'target', 1) WHEN 'A' THEN 'B' ELSE 'A' END), ('cut', left(:'target', -2)),
    ('longer', :'target' || 'A'),
    ('a code is no ticket', '/api/v1/openid4vci/offer/' || helper.code(:id)),
    ('an id', '/api/v1/openid4vci/offer/' || :id),
    ('hostile', '/api/v1/openid4vci/offer/%27%3BDROP')) AS t (what, target),
    LATERAL helper.http('GET', target, '{Host, registry.example}');
SELECT status FROM helper.http('HEAD', :'target', '{Host, registry.example}');
UPDATE vci_offer SET expires_at = clock_timestamp() WHERE id = :id;
SELECT status, body_out FROM helper.http('GET', :'target', '{Host, registry.example}');
-- A code is not burnt for credentials that are no longer issued; while one of them is, it works.
SELECT vci_create_configuration(id, 'v', binding => 'absent')
    FROM unnest('{Fleeting,Passing}'::text[]) AS id;
SELECT offer_id AS id FROM vci_create_offer('{Fleeting,Passing}', claims => '{}') \gset
SELECT vci_retire_configuration('Fleeting');
BEGIN;
SELECT status FROM helper.post_form(helper.form(helper.code(:id)));
ROLLBACK;
SELECT vci_retire_configuration('Passing');
SELECT status, body FROM helper.post_form(helper.form(helper.code(:id)));
SELECT vci_exchange_code(helper.code(:id)) ->> 'error';
SELECT state, redeemed_at FROM vci_offer_info WHERE id = :id;
SELECT count(*) FROM vci_token WHERE offer_id = :id;

-- An offer for one wallet alone: another one learns nothing of the PIN, and can't lock it.
SELECT offer_id AS id FROM vci_create_offer('{Membership}', claims => '{}', tx_code => '123456',
    options => '{"client_id": "wallet"}') \gset
SELECT more, status, body FROM unnest('{"",&client_id=other,&client_id=Wallet}'::text[]) AS more,
    LATERAL helper.post_form(helper.form(helper.code(:id), '000000', more));
SELECT status, body FROM helper.post_form(helper.form(helper.code(:id), '123456'));
SELECT tx_code_failures FROM vci_offer_info WHERE id = :id;
SELECT status, body ->> 'error' FROM helper.post_form(helper.form(helper.code(:id), '000000', '&client_id=wallet'));
SELECT status, body ? 'access_token' FROM helper.post_form(helper.form(helper.code(:id), '123456', '&client_id=wallet'));
SELECT client_id FROM vci_token WHERE offer_id = :id;
-- After a wrong PIN the next one has to wait, if the issuer says so: 429, and nothing counts meanwhile.
SELECT vci_alter_issuer('{"tx_code_retry_delay": 30}');
SELECT helper.new_offer('123456') AS id \gset
SELECT status, body FROM helper.post_form(helper.form(helper.code(:id), '000000'));
SELECT tx_code, status, (headers ->> 'Retry-After')::integer BETWEEN 1 AND 30 AS retry_after, body ->> 'error',
    regexp_replace(body ->> 'error_description', '[0-9]+', 'N')
FROM unnest('{000000,123456}'::text[]) AS tx_code, LATERAL helper.post_form(helper.form(helper.code(:id), tx_code));
SELECT tx_code_failures FROM vci_offer_info WHERE id = :id;
UPDATE vci_offer SET tx_code_failed_at = tx_code_failed_at - interval '30 s' WHERE id = :id;
SELECT status, body ->> 'error' FROM helper.post_form(helper.form(helper.code(:id), '000000'));
SELECT vci_reset_tx_code(:id, '654321');
SELECT status, body ? 'access_token' AS "a new PIN need not wait" FROM helper.post_form(helper.form(helper.code(:id), '654321'));
SELECT kind FROM vci_event WHERE offer_id = :id ORDER BY id;
SELECT vci_alter_issuer('{"tx_code_retry_delay": null}');
-- The last wrong PIN locks the offer, which is an event of its own.
SELECT helper.new_offer('123456') AS id \gset
SELECT count(*) FROM generate_series(1, 6) AS n, LATERAL helper.post_form(helper.form(helper.code(:id), lpad(n::text, 6, '0')));
SELECT kind, count(*) FROM vci_event WHERE offer_id = :id GROUP BY kind ORDER BY min(id);

-- Several datasets behind one configuration: identifiers are named without being asked for, and are the only way.
SELECT offer_id AS id FROM vci_create_offer('{EntitlementCredential,Membership}', claims => '{"entitlementId": "E-0"}',
    options => '{"datasets": [{"configuration_id": "Membership", "claims": {"who": "mother"}},
                              {"configuration_id": "Membership", "claims": {"who": "child"}}]}') \gset
SELECT body -> 'authorization_details' AS details, body ->> 'access_token' AS token FROM helper.post_form(helper.form(helper.code(:id))) \gset
SELECT :'details';
SELECT request, status, COALESCE(body ->> 'error', (helper.claims(body #>> '{credentials,0,credential}') ->> 'who')) FROM unnest(ARRAY[
    '{"credential_configuration_id": "Membership"}', '{"credential_identifier": "Membership"}',
    '{"credential_identifier": "Membership#3"}', '{"credential_identifier": "Membership#2"}',
    '{"credential_identifier": "Membership#1"}']) AS request,
    LATERAL helper.post_json(:'token', request::jsonb);
SELECT dataset, configuration_id FROM vci_credential WHERE offer_id = :id ORDER BY id;
-- One dataset each: no identifiers, unless they are asked for.
SELECT offer_id AS id FROM vci_create_offer('{EntitlementCredential,Membership}', claims => '{"entitlementId": "E-0"}',
    options => '{"datasets": [{"configuration_id": "Membership", "claims": {"who": "mother"}}]}') \gset
SELECT status, helper.hide(body) FROM helper.post_form(helper.form(helper.code(:id)));

-- While issuance is paused nothing is counted or redeemed.
SELECT helper.new_offer('123456') AS id \gset
SELECT vci_pause_issuance();
SELECT status, headers ? 'Retry-After', body FROM unnest('{000000,123456}'::text[]) AS tx_code,
    LATERAL helper.post_form(helper.form(helper.code(:id), tx_code));
SELECT vci_exchange_code(helper.code(:id), '123456') ->> 'error';
SELECT vci_resume_issuance();
SELECT tx_code_failures, state FROM vci_offer_info WHERE id = :id;

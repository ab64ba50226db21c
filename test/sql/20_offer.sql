-- vci_create_offer: what goes in, what comes out, what is refused.
\pset format unaligned
\pset tuples_only on

-- The configurations of this file and the following ones.
SELECT vci_create_configuration('EntitlementCredential',
    'https://registry.example/credentials/entitlement',
    always_disclosed => '["entitlementId", "entitlementStatus"]',
    selectively_disclosable => '["programName", "amount", ["amount", "value"], ["amount", "currency"]]',
    claims => '[{"path": ["entitlementId"], "mandatory": true}]');
SELECT vci_create_configuration('Membership', 'https://registry.example/credentials/membership',
    binding => 'absent');

SELECT * FROM vci_create_offer('{EntitlementCredential}',
    claims => '{"entitlementId": "E-1"}') \gset
SELECT helper.hide(:'credential_offer');
SELECT :'created' AS created, :{?tx_code} AS "has a transaction code",
       :'expires_at'::timestamptz - clock_timestamp() BETWEEN '6 days 23:59:00'
       AND '7 days' AS "a week by default";
-- The code holds 30 bytes: id, generation and MAC, nothing to guess or to read.
SELECT length(helper.base64url_decode(helper.code(:'credential_offer'::jsonb)));
-- By value the link holds the offer itself, by reference an address at the issuer.
SELECT helper.percent_decode(split_part(:'credential_offer_uri', '?credential_offer=',
    2))::jsonb = :'credential_offer'::jsonb,
       split_part(:'credential_offer_uri', '?', 1),
       regexp_replace(helper.percent_decode(split_part(:'credential_offer_uri_by_reference',
       '?credential_offer_uri=', 2)), '[A-Za-z0-9_-]{40}$', '(ticket)');
SELECT state, configuration_ids, subject_model, subject_id, reference, labels, tx_code_required,
    tx_code_failures,
       locked, redeemed_at, issued_at, cancelled_at, created_by = current_user
FROM vci_offer_info WHERE id = :offer_id;
SELECT vci_offer_uri(:offer_id) = :'credential_offer_uri',
    vci_offer_uri(:offer_id, 'value') = :'credential_offer_uri',
       vci_offer_uri(:offer_id, by => 'reference') = :'credential_offer_uri_by_reference';
-- Another offer has another code.
SELECT helper.code(:offer_id) <> helper.code((vci_create_offer('{EntitlementCredential}',
    claims => '{"entitlementId": "E-1"}')).offer_id);
-- Whoever reads the table finds no code in it.
SELECT count(*) FROM vci_offer o WHERE position(helper.code(:offer_id) IN o::text) > 0;

-- Several configurations, subject, labels, lifetime, grants.
SELECT helper.hide(o.credential_offer), o.expires_at - clock_timestamp() BETWEEN '59 min'
    AND '1 hour'
FROM vci_create_offer('{Membership,EntitlementCredential}', subject_model => 'spp.entitlement',
    subject_id => '42',
    claims => '{"entitlementId": "E-2"}', expires_in => '1 hour',
    labels => '{"campaign": "2026-Q1", "area": ["N", 7]}',
    grants => '{urn:ietf:params:oauth:grant-type:pre-authorized_code}',
    issuer => 'https://registry.example',
    reference => 'entitlement/42') AS o;
SELECT configuration_ids, subject_model, subject_id, reference, labels, created_by = current_user
FROM vci_offer_info WHERE reference = 'entitlement/42';

-- reference: repeating a call gives the same offer again and changes nothing.
SELECT o.created, o.offer_id = i.id, helper.code(o.credential_offer) = helper.code(i.id), o.tx_code,
    o.expires_at = i.expires_at
FROM vci_create_offer('{Membership}', claims => '{"other": true}', reference => 'entitlement/42',
                      generate_tx_code => true) AS o
                      JOIN vci_offer_info AS i ON i.reference = 'entitlement/42';
SELECT configuration_ids, tx_code_required FROM vci_offer_info WHERE reference = 'entitlement/42';
-- Any text is a reference, compared byte by byte.
SELECT count(DISTINCT o.offer_id), bool_and(o.created)
    FROM unnest(ARRAY['a', 'A', 'ä', U&'a\0308', ' a', '''; DROP TABLE vci_offer; --',
    '"', '\', repeat('r', 255)]) AS reference,
    LATERAL vci_create_offer('{Membership}', claims => '{}', reference => reference) AS o;

-- Set-based: an offer for each row, and again the same ones.
CREATE TEMP TABLE entitlement AS SELECT n FROM generate_series(1, 300) AS n;
SELECT count(*), count(DISTINCT o.offer_id), count(DISTINCT o.credential_offer_uri),
    bool_and(o.created)
FROM entitlement, LATERAL vci_create_offer('{Membership}', claims => jsonb_build_object('n', n),
                                           reference => 'campaign/' || n) AS o;
SELECT count(*), count(DISTINCT o.offer_id), bool_or(o.created)
FROM entitlement, LATERAL vci_create_offer('{Membership}', claims => jsonb_build_object('n', n),
                                           reference => 'campaign/' || n) AS o;

-- Transaction codes: given, or generated; numeric or text.
SELECT o.tx_code, o.credential_offer #> '{grants,urn:ietf:params:oauth:grant-type:pre-authorized_code,tx_code}'
FROM vci_create_offer('{Membership}', claims => '{}', tx_code => '123456',
                      tx_code_description => 'Enter the PIN sent to your mobile') AS o;
SELECT o.tx_code ~ '^[0-9]{6}$',
    o.credential_offer #> '{grants,urn:ietf:params:oauth:grant-type:pre-authorized_code,tx_code}'
FROM vci_create_offer('{Membership}', claims => '{}', generate_tx_code => true) AS o;
SELECT o.tx_code ~ '^[2-9A-HJ-NP-Z]{12}$',
    o.credential_offer #> '{grants,urn:ietf:params:oauth:grant-type:pre-authorized_code,tx_code}'
FROM vci_create_offer('{Membership}', claims => '{}', generate_tx_code => true,
    tx_code_mode => 'text', tx_code_length => 12) AS o;
-- The length follows the code that is given: characters, not bytes.
SELECT o.tx_code, o.credential_offer #> '{grants,urn:ietf:params:oauth:grant-type:pre-authorized_code,tx_code}'
FROM vci_create_offer('{Membership}', claims => '{}', tx_code => 'пароль-é', tx_code_mode => 'text',
    tx_code_length => 6) AS o;
-- A description has 300 characters at most (section 4.1.1), not bytes.
SELECT length(o.credential_offer #>> '{grants,urn:ietf:params:oauth:grant-type:pre-authorized_code,tx_code,description}')
FROM vci_create_offer('{Membership}', claims => '{}', generate_tx_code => true,
    tx_code_description => repeat('é', 300)) AS o;
SELECT helper.errors(
    $$SELECT vci_create_offer('{Membership}', claims => '{}', generate_tx_code => true, tx_code_description => repeat('é', 301))$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', tx_code => '123456', generate_tx_code => true)$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', tx_code => '123')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', tx_code => '')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', tx_code => repeat('1', 65))$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', tx_code => '12345a')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', tx_code => '１２３４')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', tx_code => E'ab\ncd', tx_code_mode => 'text')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', tx_code => ' abcd', tx_code_mode => 'text')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', tx_code => E'ab\u200bcd', tx_code_mode => 'text')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', generate_tx_code => true, tx_code_length => 3)$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', generate_tx_code => true, tx_code_length => 65)$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', generate_tx_code => true, tx_code_length => -2147483648)$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', generate_tx_code => true, tx_code_mode => 'emoji')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', generate_tx_code => true, tx_code_mode => NULL)$$);

-- A holder: a DID or a public JWK.
SELECT offer_id AS id FROM vci_create_offer('{EntitlementCredential}',
    claims => '{"entitlementId": "E-3"}', holder => 'did:web:wallet.example:holder123') \gset
SELECT holder_did FROM vci_offer_info WHERE id = :id;
SELECT offer_id AS id FROM vci_create_offer('{EntitlementCredential}',
    claims => '{"entitlementId": "E-3"}', holder => wallet.did()) \gset
SELECT holder_did = wallet.did() FROM vci_offer_info WHERE id = :id;
SELECT offer_id AS id FROM vci_create_offer('{EntitlementCredential}',
    claims => '{"entitlementId": "E-3"}',
    holder => (wallet.public_jwk() || '{"kid": "1", "use": "sig"}')::text) \gset
SELECT i.holder_did IS NULL AS "no DID", t.holder_jwk = wallet.public_jwk() AS "the key alone"
FROM vci_offer_info AS i JOIN vci_offer AS t USING (id) WHERE id = :id;
SELECT helper.error(format('SELECT vci_create_offer(%L, claims => %L, holder => %L)',
    '{EntitlementCredential}', '{"entitlementId": 1}', holder))
FROM (VALUES ('alice'), (''), ('did:example:123'), ('did:jwk:'), ('did:jwk:e30'), ('did:key:z6Mk'),
    ('{}'), ('{"kty": "oct", "k": "AA"}'),
    ('{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}'), ('{"kty":'),
    ((SELECT (jwk || jsonb_build_object('d', jwk -> 'dp'))::text FROM wallet.key
    WHERE name = 'first')), ('did:web:' || repeat('a', 9000)),
    ('did:web:'), ('did:web:a b'), (E'did:web:a\tb'), ('did:web:wallet.example/path'),
    ('did:web:wallet.example?x'),
    ('did:web:wallet.example#'), ('did:web:é'), ('did:web:wallet.example#key-1')) AS h (holder);

-- Claims: what the formats reserve is refused with a hint.
SELECT name, helper.error(format('SELECT vci_create_offer(%L, claims => %L)', '{Membership}',
    json_build_object(name, 'x')))
FROM unnest('{iss,iat,nbf,exp,cnf,vct,vct#integrity,status,_sd_alg,_sd,...}'::text[]) AS name;
SELECT claims, helper.error(format('SELECT vci_create_offer(%L, claims => %L)', '{Membership}',
    claims))
FROM (VALUES ('{"a": {"_sd": []}}'), ('{"a": [{"b": [{"...": 1}]}]}'),
    ('{"a": {"status": "approved", "iss": 1, "exp": 2, "_sd_alg": 3}}'),
    ('{"Status": 1, "_SD": 2, "sub": "s"}'), ('[]'), ('"x"'), ('null')) AS c (claims);
-- What is needed must be there.
SELECT helper.errors(
    $$SELECT vci_create_offer('{EntitlementCredential}', claims => '{"programName": "x"}')$$,
    $$SELECT vci_create_offer('{EntitlementCredential}', claims => '{"entitlementId": null}')$$,
    $$SELECT vci_create_offer('{Membership}')$$,
    $$SELECT vci_create_offer('{Membership}', subject_id => '1')$$,
    $$SELECT vci_create_offer('{Membership}', claims => (repeat('{"a":', 40) || '1' || repeat('}', 40))::jsonb)$$,
    $$SELECT vci_create_offer('{Membership}', claims => jsonb_build_object('a', repeat('x', 2000000)))$$);

-- The other arguments: NULL, unknown, oversize, of a wrong kind.
SELECT helper.errors(
    $$SELECT vci_create_offer(NULL)$$,
    $$SELECT vci_create_offer('{}', claims => '{}')$$,
    $$SELECT vci_create_offer('{NULL}', claims => '{}')$$,
    $$SELECT vci_create_offer('{{Membership},{Membership}}', claims => '{}')$$,
    $$SELECT vci_create_offer('{Membership,Membership}', claims => '{}')$$,
    $$SELECT vci_create_offer('{membership}', claims => '{}')$$,
    $$SELECT vci_create_offer(ARRAY['''; DROP TABLE vci_offer; --'], claims => '{}')$$,
    $$SELECT vci_create_offer(array_fill('Membership'::text, '{33}'), claims => '{}')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', expires_in => '0')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', expires_in => '-1 day')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', expires_in => '11 years')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', expires_in => '2147483647 months')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', reference => '')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', reference => repeat('r', 256))$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', reference => E'a\tb')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', subject_model => repeat('m', 256))$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', subject_id => '')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', labels => '[]')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', labels => '"x"')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', grants => '{authorization_code}')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', grants => '{}')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', issuer => 'https://unknown.example')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', options => '{"color": "red"}')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', options => '[]')$$,
    $$SELECT vci_offer_uri(0)$$,
    $$SELECT vci_offer_uri(-1)$$,
    $$SELECT vci_offer_uri(9223372036854775807)$$,
    $$SELECT vci_offer_uri(1, 'name')$$);
SELECT vci_offer_uri(NULL) IS NULL, vci_offer_uri(:offer_id, NULL) IS NULL;

-- A transaction code that is described but not asked for would be missed: refused.
SELECT helper.errors(
    $$SELECT vci_create_offer('{Membership}', claims => '{}', tx_code_description => 'by SMS')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', tx_code_mode => 'text')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', tx_code_length => 8)$$);
-- A repeated reference gives the offer as it is, and says in which state.
SELECT o.created, o.state FROM vci_create_offer('{Membership}', claims => '{}', reference => 'state') AS o;
SELECT vci_cancel_offer(id) FROM vci_offer_info WHERE reference = 'state';
SELECT o.created, o.state FROM vci_create_offer('{Membership}', claims => '{}', reference => 'state') AS o;
-- A holder that is named is never ignored: a credential bound to nobody would go to anybody.
SELECT helper.errors(
    format('SELECT vci_create_offer(%L, claims => %L, holder => %L)', '{Membership}', '{}', wallet.did()),
    format('SELECT vci_create_offer(%L, claims => %L, holder => %L)', '{Membership}', '{}',
    wallet.public_jwk()),
    format('SELECT vci_create_offer(%L, claims => %L, holder => %L)',
    '{EntitlementCredential,Membership}', '{"entitlementId": "E-1"}', wallet.did()),
    format('SELECT vci_create_offer(%L, claims => %L, holder => %L)', '{EntitlementCredential}',
    '{"entitlementId": "E-1"}', wallet.did()));
-- More than a credential can carry is said when the offer is made, not when the code is spent.
SELECT helper.errors(
    $$SELECT vci_create_offer('{Membership}', claims => (SELECT jsonb_object_agg('k' || n, n) FROM generate_series(1, 1100) AS n))$$,
    $$SELECT vci_create_offer('{EntitlementCredential}', claims => jsonb_build_object('entitlementId', repeat('x', 60000)))$$,
    $$SELECT vci_create_offer('{Membership,EntitlementCredential}', claims => jsonb_build_object('entitlementId', repeat('x', 60000)))$$,
    -- few bytes in a jsonb, 131 kB each when written out
    $$SELECT vci_create_offer('{Membership}', claims => (SELECT jsonb_object_agg('k' || n, 1e131071) FROM generate_series(1, 5) AS n))$$);
SELECT status FROM vci_create_offer('{Membership}',
    claims => (SELECT jsonb_object_agg('k' || n, n) FROM generate_series(1, 1000) AS n)) AS o,
    LATERAL helper.post_json(helper.token(o.offer_id),
    '{"credential_configuration_id": "Membership"}');
-- For one wallet alone: its client_id stands with the offer.
SELECT offer_id AS id FROM vci_create_offer('{Membership}', claims => '{}', options => '{"client_id": "wallet"}') \gset
SELECT client_id FROM vci_offer_info WHERE id = :id;
SELECT helper.errors(
    $$SELECT vci_create_offer('{Membership}', claims => '{}', options => '{"client_id": 7}')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', options => '{"client_id": ""}')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', options => jsonb_build_object('client_id', repeat('x', 256)))$$);
-- Several credentials of one configuration: datasets, each with its own subject or claims.
SELECT offer_id AS id FROM vci_create_offer('{EntitlementCredential,Membership}', subject_model => 'person', subject_id => '7',
    options => '{"datasets": [
        {"configuration_id": "EntitlementCredential", "claims": {"entitlementId": "E-1"}, "name": "Ann"},
        {"configuration_id": "EntitlementCredential", "claims": {"entitlementId": "E-2"}, "subject_id": "8"},
        {"configuration_id": "Membership", "claims": {}}]}') \gset
SELECT datasets, configuration_ids FROM vci_offer_info WHERE id = :id;
SELECT helper.errors(
    $$SELECT vci_create_offer('{Membership}', claims => '{}', options => '{"datasets": {}}')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', options => '{"datasets": []}')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', options => '{"datasets": [{"configuration_id": "EntitlementCredential", "claims": {"entitlementId": "E-1"}}]}')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', options => '{"datasets": [{"configuration_id": "Membership"}]}')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', options => '{"datasets": [{"configuration_id": "Membership", "claims": {}, "color": 1}]}')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', options => jsonb_build_object('datasets',
        (SELECT jsonb_agg('{"configuration_id": "Membership", "claims": {}}'::jsonb) FROM generate_series(1, 65))))$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', options => '{"datasets": [{"configuration_id": "Membership", "subject_id": "8"}]}')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', options => '{"datasets": [{"configuration_id": "Membership", "claims": {"iss": "x"}}]}')$$,
    $$SELECT vci_create_offer('{EntitlementCredential}', claims => '{"entitlementId": "E-1"}', options => '{"datasets": [{"configuration_id": "EntitlementCredential", "claims": {"programName": "P"}}]}')$$,
    $$SELECT vci_create_offer('{Membership}', claims => '{}', options => '{"datasets": [{"configuration_id": "Membership", "claims": {}}, {"configuration_id": "Membership", "subject_id": "8"}]}')$$,
    $$SELECT vci_create_offer('{EntitlementCredential,Membership}', options => '{"datasets": [{"configuration_id": "Membership", "claims": {}}]}')$$,
    $$SELECT vci_create_offer('{Membership}', options => jsonb_build_object('datasets', jsonb_build_array(
        '{"configuration_id": "Membership", "claims": {}}'::jsonb, jsonb_build_object('configuration_id', 'Membership',
        'claims', (SELECT jsonb_object_agg('k' || n, n) FROM generate_series(1, 1100) AS n)))))$$);

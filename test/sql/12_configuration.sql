-- vci_create_configuration, vci_alter_configuration, vci_retire_configuration and the
-- DID documents of did:web holders.
\pset format unaligned
\pset tuples_only on

SELECT vci_create_configuration('Plain', 'https://registry.example/plain');
SELECT format, vct, scope, validity, binding, older, decoys, always_disclosed,
    selectively_disclosable,
       claims, display, claims_source, retired_at FROM vci_configuration_info WHERE id = 'Plain';

SELECT vci_create_configuration('Full', 'https://registry.example/full',
    always_disclosed => '["id", ["address", "country"]]',
    selectively_disclosable => '["name", ["address", "city"], ["degrees", null, "type"], ["languages", 1]]',
    claims => '[{"path": ["id"], "mandatory": true, "display": [{"name": "Number", "locale": "en"}, {"name": "Numéro", "locale": "fr"}]},
                {"path": ["degrees", null, "type"]}]',
    display => '[{"name": "Full", "locale": "en", "logo": {"uri": "https://registry.example/l.png", "alt_text": "l"},
                  "background_color": "#12107c", "text_color": "#fff", "description": "d"},
                 {"name": "Plein", "locale": "fr"}]',
    validity => '1 year 2 months', format => 'vc+sd-jwt', scope => 'full', binding => 'optional',
    issuer => 'https://registry.example',
    options => '{"decoys": 3, "older": ["format_request", "singular_proof"]}');
SELECT format, vct, scope, validity, binding, older, decoys, always_disclosed,
    selectively_disclosable,
       jsonb_array_length(claims), jsonb_array_length(display) FROM vci_configuration_info
       WHERE id = 'Full';

-- NULL, unknown, oversize, hostile.
SELECT helper.errors(
    $$SELECT vci_create_configuration(NULL, 'v')$$,
    $$SELECT vci_create_configuration('C', NULL)$$,
    $$SELECT vci_create_configuration('', 'v')$$,
    $$SELECT vci_create_configuration('C', '')$$,
    $$SELECT vci_create_configuration(repeat('C', 256), 'v')$$,
    $$SELECT vci_create_configuration('C', repeat('v', 1025))$$,
    $$SELECT vci_create_configuration(E'C\n', 'v')$$,
    $$SELECT vci_create_configuration('C', E'v\x7f')$$,
    $$SELECT vci_create_configuration('Plain', 'v')$$,
    $$SELECT vci_create_configuration('C', 'v', issuer => 'https://unknown.example')$$,
    $$SELECT vci_create_configuration('C', 'v', format => 'jwt_vc_json')$$,
    $$SELECT vci_create_configuration('C', 'v', format => '')$$,
    $$SELECT vci_create_configuration('C', 'v', binding => 'none')$$,
    $$SELECT vci_create_configuration('C', 'v', scope => 'two words')$$,
    $$SELECT vci_create_configuration('C', 'v', scope => repeat('s', 256))$$,
    $$SELECT vci_create_configuration('C', 'v', validity => '-1 day')$$,
    $$SELECT vci_create_configuration('C', 'v', options => '{"decoys": 65}')$$,
    $$SELECT vci_create_configuration('C', 'v', options => '{"decoys": -1}')$$,
    $$SELECT vci_create_configuration('C', 'v', options => '{"decoys": "3"}')$$,
    $$SELECT vci_create_configuration('C', 'v', options => '{"decoy": 3}')$$,
    $$SELECT vci_create_configuration('C', 'v', options => '[]')$$,
    $$SELECT vci_create_configuration('C', 'v', options => '{"older": ["everything"]}')$$,
    $$SELECT vci_create_configuration('C', 'v', options => '{"older": [1]}')$$,
    $$SELECT vci_create_configuration('C', 'v', options => '{"older": "metadata"}')$$);
SELECT count(*) AS "nothing stays of these" FROM vci_configuration
    WHERE id NOT IN ('Early', 'Plain', 'Full');

-- NULL validity is no exp. An id goes into URLs and headers: visible ASCII, however odd.
SELECT vci_create_configuration($$Odd';--<&>{}%/$$, 'urn:eudi:x:1', validity => NULL);
SELECT id, helper.error(format('SELECT vci_create_configuration(%L, %L)', id, 'v'))
FROM unnest(ARRAY['with space', '"', '\', '#', 'é', E'\u200b']) AS id;
SELECT id, validity, scope = id FROM vci_configuration_info WHERE vct = 'urn:eudi:x:1';

-- Claims path pointers (OpenID4VCI 1.0 appendix C) and their descriptions.
SELECT paths, helper.error(format('SELECT vci_create_configuration(%L, %L, selectively_disclosable => %L)',
    'C', 'v', paths))
FROM (VALUES ('{}'), ('"name"'), ('[1]'), ('[true]'), ('[[]]'), ('[["a", -1]]'), ('[["a", 1.5]]'),
    ('[["a", {}]]'),
    ('[["a", "b"], ["a", "b"]]'), ('[["_sd"]]'), ('[["a", "_sd"]]'), ('[["a", "..."]]'),
    ('["iss"]'),
    ('["status"]'), ('["vct#integrity"]'), ('["cnf"]'), ('[[null]]')) AS p (paths);
SELECT helper.errors(
    $$SELECT vci_create_configuration('C', 'v', always_disclosed => '["a"]', selectively_disclosable => '["a"]')$$,
    $$SELECT vci_create_configuration('C', 'v', always_disclosed => '["exp"]')$$,
    $$SELECT vci_create_configuration('C', 'v', claims => '{}')$$,
    $$SELECT vci_create_configuration('C', 'v', claims => '[{}]')$$,
    $$SELECT vci_create_configuration('C', 'v', claims => '[{"path": "a"}]')$$,
    $$SELECT vci_create_configuration('C', 'v', claims => '[{"path": ["a"]}, {"path": ["a"]}]')$$,
    $$SELECT vci_create_configuration('C', 'v', claims => '[{"path": ["a"], "mandatory": "yes"}]')$$,
    $$SELECT vci_create_configuration('C', 'v', claims => '[{"path": ["a"], "display": [{"locale": "en"}]}]')$$,
    $$SELECT vci_create_configuration('C', 'v', claims => '[{"path": ["iat"]}]')$$,
    $$SELECT vci_create_configuration('C', 'v', display => '[{"name": "a", "background_color": "blue"}]')$$,
    $$SELECT vci_create_configuration('C', 'v', display => '[{"name": "a", "text_color": "#12345"}]')$$,
    $$SELECT vci_create_configuration('C', 'v', display => '[{"name": "a", "logo": {"uri": "http://registry.example/l.png"}}]')$$,
    $$SELECT vci_create_configuration('C', 'v', display => '[{"name": "a"}, {"name": "b"}]')$$,
    $$SELECT vci_create_configuration('C', 'v', display => '{"name": "a"}')$$);

-- vci_alter_configuration: one member at a time, null goes back to the default.
SELECT vci_alter_configuration('Full',
    '{"decoys": 0, "scope": null, "validity": "30 days", "format": "dc+sd-jwt",
    "older": [], "binding": "absent", "vct": "https://registry.example/fuller", "claims": null, "display": null,
    "always_disclosed": ["id"], "selectively_disclosable": null}');
SELECT format, vct, scope, validity, binding, older, decoys, always_disclosed,
    selectively_disclosable,
       claims, display FROM vci_configuration_info WHERE id = 'Full';
SELECT vci_alter_configuration('Full', '{"validity": null, "binding": null}',
    issuer => 'https://registry.example');
SELECT validity, binding, vct FROM vci_configuration_info WHERE id = 'Full';
-- A validity is at least a second: nothing else than null makes a credential without end.
SELECT helper.errors(
    $$SELECT vci_alter_configuration('Full', '{"validity": "0"}')$$,
    $$SELECT vci_alter_configuration('Full', '{"validity": "0.4 seconds"}')$$,
    $$SELECT vci_alter_configuration('Full', '{"validity": "-1 day"}')$$,
    $$SELECT vci_alter_configuration('Full', '{"validity": "101 years"}')$$,
    $$SELECT vci_alter_configuration('Full', '{"validity": "a year"}')$$);
SELECT vci_alter_configuration('Full', '{"older": null}');
SELECT older FROM vci_configuration_info WHERE id = 'Full';
SELECT vci_alter_configuration('Full', '{"older": []}');
SELECT vci_alter_configuration('Full', NULL), vci_alter_configuration('Full', '{}');
SELECT helper.errors(
    $$SELECT vci_alter_configuration(NULL, '{}')$$,
    $$SELECT vci_alter_configuration('Unknown', '{}')$$,
    $$SELECT vci_alter_configuration('full', '{"decoys": 1}')$$,
    $$SELECT vci_alter_configuration('Full', '[]')$$,
    $$SELECT vci_alter_configuration('Full', '{"id": "Other"}')$$,
    $$SELECT vci_alter_configuration('Full', '{"vct": null}')$$,
    $$SELECT vci_alter_configuration('Full', '{"vct": 1}')$$,
    $$SELECT vci_alter_configuration('Full', '{"validity": "soon"}')$$,
    $$SELECT vci_alter_configuration('Full', '{"validity": 3}')$$,
    $$SELECT vci_alter_configuration('Full', '{"decoys": 1e400}')$$,
    $$SELECT vci_alter_configuration('Full', '{"decoys": 1.5}')$$,
    $$SELECT vci_alter_configuration('Full', '{"selectively_disclosable": ["id"]}')$$,
    $$SELECT vci_alter_configuration('Full', '{"claims_source": 1}')$$);

-- A configuration may defer, and may be published in the shape of OpenSPP's guide.
SELECT vci_create_configuration('Slowly', 'v', options => '{"deferred": true, "older": ["credential_definition"]}');
SELECT deferred, older FROM vci_configuration_info WHERE id = 'Slowly';
SELECT vci_alter_configuration('Slowly', '{"deferred": false}');
SELECT deferred FROM vci_configuration_info WHERE id = 'Slowly';
SELECT helper.errors(
    $$SELECT vci_alter_configuration('Slowly', '{"deferred": "yes"}')$$,
    $$SELECT vci_create_configuration('C', 'v', options => '{"deferred": 1}')$$);

-- Profile final knows no older shapes; a configuration that has them stands in its way.
SELECT helper.errors($$SELECT vci_alter_issuer('{"profile": "final"}')$$);
BEGIN;
SELECT count(vci_alter_configuration(id, '{"older": []}')) FROM vci_configuration_info
    WHERE retired_at IS NULL;
SELECT vci_alter_issuer('{"profile": "final"}');
SELECT helper.errors(
    $$SELECT vci_alter_configuration('Plain', '{"older": ["metadata"]}')$$,
    $$SELECT vci_create_configuration('C', 'v', options => '{"older": ["metadata"]}')$$);
SELECT vci_create_configuration('Final', 'v');
SELECT older FROM vci_configuration_info WHERE id = 'Final';
ROLLBACK;

-- Each has a number of its own, which stays.
SELECT count(*) = count(DISTINCT number) AND min(number) > 0 FROM vci_configuration_info;
SELECT number FROM vci_configuration_info WHERE id = 'Full' \gset
SELECT vci_alter_configuration('Full', '{"decoys": 2}');

-- A retired configuration is gone, and its id is not used again.
SELECT vci_retire_configuration('Full', 'https://registry.example');
SELECT number = :number FROM vci_configuration_info WHERE id = 'Full';
SELECT id, retired_at IS NOT NULL FROM vci_configuration_info WHERE id = 'Full';
SELECT helper.errors(
    $$SELECT vci_retire_configuration('Full')$$,
    $$SELECT vci_retire_configuration(NULL)$$,
    $$SELECT vci_retire_configuration('''; DROP TABLE vci_configuration; --')$$,
    $$SELECT vci_alter_configuration('Full', '{"decoys": 1}')$$,
    $$SELECT vci_create_configuration('Full', 'v')$$,
    $$SELECT vci_create_offer('{Full}', claims => '{"id": 1}')$$,
    $$SELECT vci_issue_sdjwt('Full', '{"id": 1}')$$);
SELECT count(vci_retire_configuration(id)) FROM vci_configuration_info WHERE retired_at IS NULL;

-- DID documents: loaded by an operator, because the database asks nobody.
SELECT vci_load_did_document('did:web:wallet.example:holder',
    '{"id": "did:web:wallet.example:holder"}');
SELECT vci_load_did_document('did:web:wallet.example:holder',
    '{"id": "did:web:wallet.example:holder", "x": 1}');
SELECT did, document, loaded_by = current_user, loaded_at <= clock_timestamp()
    FROM vci_did_document;
SELECT vci_load_did_document(NULL, '{}') IS NULL, vci_load_did_document('did:web:a', NULL) IS NULL;
SELECT helper.errors(
    $$SELECT vci_load_did_document('did:web:wallet.example', '{}')$$,
    $$SELECT vci_load_did_document('did:web:wallet.example', '{"id": "did:web:other.example"}')$$,
    $$SELECT vci_load_did_document('did:web:wallet.example', '[]')$$,
    $$SELECT vci_load_did_document('did:web:wallet.example', '{"id": 1}')$$,
    $$SELECT vci_load_did_document('did:jwk:abc', '{"id": "did:jwk:abc"}')$$,
    $$SELECT vci_load_did_document('did:web:wallet.example#key', '{"id": "did:web:wallet.example#key"}')$$,
    $$SELECT vci_load_did_document('https://wallet.example', '{"id": "https://wallet.example"}')$$,
    $$SELECT vci_load_did_document('', '{"id": ""}')$$,
    $$SELECT vci_load_did_document('did:web:' || repeat('a', 1025), '{}')$$);
SELECT vci_drop_did_document('did:web:wallet.example:holder'),
    vci_drop_did_document('did:web:wallet.example:holder'),
       vci_drop_did_document(NULL), vci_drop_did_document('''; DROP TABLE vci_did_document; --');
SELECT count(*) FROM vci_did_document;

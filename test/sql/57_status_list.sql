-- Status lists as they are published, at vci_http: tokens, W3C credentials, the list of lists, what
-- is cached, what is refused. TAP looks into the lists (070), this runs under sanitizers, too.
\pset format unaligned
\pset tuples_only on

SELECT vci_create_issuer('https://registry.example/lists', profile => 'final') \g /dev/null
SELECT vci_create_key('https://registry.example/lists') \g /dev/null
SELECT vci_create_configuration('Listed', 'urn:listed', binding => 'absent',
    options => '{"status_bits": 2, "w3c_status": true}', issuer => 'https://registry.example/lists');
SELECT vci_create_configuration('Bit', 'urn:bit', binding => 'absent',
    options => '{"status_bits": 1}', issuer => 'https://registry.example/lists');

-- An answer without what differs from run to run.
CREATE FUNCTION helper.list(rest text, VARIADIC headers text[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer openid4vci.vci_http_response;
    told text;
BEGIN
    answer := openid4vci.vci_http('GET', '/lists/api/v1/openid4vci/status-lists' || rest, headers, '');
    SELECT string_agg(name || ': ' || CASE name WHEN 'ETag' THEN regexp_replace(value, '[\w-]{22}', '...') ELSE value END,
            ' | ' ORDER BY i)
        INTO told
        FROM generate_series(1, array_length(answer.headers, 1) / 2) AS i,
            LATERAL (VALUES (answer.headers[2 * i - 1], answer.headers[2 * i])) AS h (name, value)
        WHERE name !~ '^(Access-Control|Pragma)';
    RETURN concat_ws(' | ', answer.status, told,
        CASE WHEN answer.status >= 400 THEN convert_from(answer.body, 'UTF8')
             WHEN length(answer.body) = 0 THEN 'empty'
             WHEN substr(answer.body, 1, 2) = '\x1f8b' THEN 'gzip' END);
END
$$;
CREATE FUNCTION helper.list_etag(rest text) RETURNS text LANGUAGE sql AS $$
    SELECT headers[array_position(headers, 'ETag') + 1]
    FROM openid4vci.vci_http('GET', '/lists/api/v1/openid4vci/status-lists' || rest, '{}', '')
$$;
-- Header and payload of a token, without what differs.
CREATE FUNCTION helper.list_token(rest text, name text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT replace(p::text, name, 'NAME') FROM openid4vci.vci_http('GET', '/lists/api/v1/openid4vci/status-lists' || rest, '{}', ''),
        convert_from(body, 'UTF8') AS token, LATERAL (VALUES
        (helper.jwt_part(token, 1) - 'kid'),
        (helper.jwt_part(token, 2) - ARRAY['iat', 'exp', 'validFrom', 'validUntil'] #- '{status_list,lst}'
            #- '{credentialSubject,encodedList}')) AS parts (p)
$$;

SELECT helper.list('');
SELECT credential_id AS listed, substring(s ->> 'uri' FROM '[^/]+$') AS name
    FROM vci_issue_and_record('Listed', '{}', issuer => 'https://registry.example/lists'),
        LATERAL (SELECT helper.jwt_part(credential, 2) #> '{status,status_list}' AS s) AS x \gset
SELECT substring(helper.jwt_part(credential, 2) #>> '{status,status_list,uri}' FROM '[^/]+$') AS bit_name
    FROM vci_issue_and_record('Bit', '{}', issuer => 'https://registry.example/lists') \gset

-- Each kind.
SELECT helper.list('/' || :'name');
SELECT helper.list_token('/' || :'name', :'name');
SELECT helper.list('/' || :'name' || '/revocation');
SELECT helper.list_token('/' || :'name' || '/revocation', :'name');
SELECT helper.list_token('/' || :'name' || '/suspension', :'name');
SELECT helper.list('/' || :'name', 'Accept-Encoding', 'br, gzip');
SELECT helper.list('/' || :'name', 'Accept-Encoding', 'gzip;q=0');

-- Nothing is built for who has it; a change makes it something else.
SELECT helper.list_etag('/' || :'name') AS etag \gset
SELECT helper.list('/' || :'name', 'If-None-Match', :'etag');
SELECT helper.list('/' || :'name', 'If-None-Match', '"a", ' || :'etag', 'Accept-Encoding', 'gzip');
SELECT vci_suspend(:listed, 'lost');
SELECT helper.list_etag('/' || :'name') <> :'etag';
SELECT helper.list_etag('') AS etag \gset
SELECT helper.list('', 'If-None-Match', :'etag');

-- What is not there, not kept, not to be had.
SELECT helper.list(rest) FROM (VALUES ('/'), ('/x'), ('/' || repeat('A', 22)), ('/' || :'bit_name' || '/suspension'),
    ('/' || :'name' || '?time=1686925000')) AS r (rest);
SELECT helper.list('/' || :'name', 'Accept', 'application/statuslist+cwt');
SELECT status FROM helper.http('POST', '/lists/api/v1/openid4vci/status-lists/' || :'name');
-- The list of another issuer.
SELECT status FROM helper.http('GET', '/api/v1/openid4vci/status-lists/' || :'name');

-- Settings that go with them.
SELECT helper.errors(
    $$SELECT vci_alter_issuer('{"status_list_size": 1000}', 'https://registry.example/lists')$$,
    $$SELECT vci_alter_issuer('{"status_list_size": 3072}', 'https://registry.example/lists')$$,
    $$SELECT vci_alter_issuer('{"status_list_ttl": 0}', 'https://registry.example/lists')$$,
    $$SELECT vci_alter_issuer('{"status_list_lifetime": 59}', 'https://registry.example/lists')$$,
    $$SELECT vci_alter_issuer('{"status_list_lifetime": 3599}', 'https://registry.example/lists')$$);
SELECT vci_alter_issuer('{"status_list_ttl": 300, "status_list_lifetime": 300}', 'https://registry.example/lists');
SELECT helper.list('/' || :'name');

-- What was issued names the URL of its list: moving or closing it is told, unless there is none yet.
SELECT vci_alter_issuer('{"base_path": "/elsewhere"}', 'https://registry.example/lists');
SELECT vci_alter_issuer('{"base_path": null}', 'https://registry.example/lists');
SELECT vci_alter_issuer('{"endpoints": {"status_list": {"enabled": false}}}', 'https://registry.example/lists');
SELECT vci_alter_issuer('{"endpoints": {"status_list": {"enabled": true}}}', 'https://registry.example/lists');
SELECT vci_alter_issuer('{"base_path": "/elsewhere", "endpoints": {"status_list": {"path": "/api/v1/openid4vci/status-lists"}}}',
    'https://registry.example/lists');
SELECT vci_alter_issuer('{"base_path": null, "endpoints": {"status_list": {"path": null}}}', 'https://registry.example/lists');

-- More lists than a session keeps tokens of: whoever comes back is answered as before.
INSERT INTO vci_status_list (issuer_id, name, bits, size, part, closed_at)
    SELECT l.issuer_id, 'abcdefghijklmnopqrs' || n, 1, 1024, n, now() FROM vci_status_list AS l, generate_series(100, 120) AS n
    WHERE l.name = :'name';
SELECT count(*), count(DISTINCT helper.list('/abcdefghijklmnopqrs' || n % 21 + 100)) FROM generate_series(1, 63) AS n;
SELECT helper.list_token('/abcdefghijklmnopqrs107', 'abcdefghijklmnopqrs107');

DELETE FROM vci_status_list WHERE name LIKE 'abcdefghijklmnopqrs%';
SELECT vci_retire_issuer('https://registry.example/lists');
SELECT status FROM helper.http('GET', '/lists/api/v1/openid4vci/status-lists/' || :'name');

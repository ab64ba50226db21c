-- The built-in login-and-consent page, and what it asks of the registry.
\pset format unaligned
\pset tuples_only on

-- The registry's side: it keeps what it was asked, and knows two people.
CREATE SCHEMA consent;
CREATE TABLE consent.asked (n serial, form jsonb);
CREATE FUNCTION consent.authenticate(form jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO consent.asked (form) VALUES (form #- '{request,id}' #- '{request,offer_id}');
    IF form #>> '{fields,password}' <> 'topsecret' THEN
        RETURN NULL;
    END IF;
    RETURN CASE form #>> '{fields,username}'
        WHEN 'maria' THEN '{"subject_model": "res.partner", "subject_id": "1",
                            "claims": {"member": true}, "labels": {"desk": "online"}}'
        WHEN 'pedro' THEN '{"subject_model": "res.partner", "subject_id": "2",
                            "claims": {"member": true}}'
        WHEN 'json null' THEN 'null'
        WHEN 'a string' THEN '"maria"'
        WHEN 'no model' THEN '{"subject_id": "1"}'
        WHEN 'a number' THEN '{"subject_model": "res.partner", "subject_id": 1}'
        WHEN 'more' THEN '{"subject_model": "res.partner", "subject_id": "1", "admin": true}'
        WHEN 'claims' THEN '{"subject_model": "res.partner", "subject_id": "1", "claims": []}'
        WHEN 'reserved' THEN '{"subject_model": "res.partner", "subject_id": "1",
                               "claims": {"iss": "me"}}'
    END::jsonb;
END
$$;
SELECT vci_alter_issuer('{"authenticate": "consent.authenticate"}');
SELECT vci_create_client('consent-wallet', '{https://wallet.example/back}', 'Wallet <1>');

-- A browser. The session is what it has: the request in its address bar, and its cookie.
CREATE TYPE consent.session AS (request text, cookie text);
CREATE FUNCTION consent.headers(answer vci_http_response) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_object_agg(answer.headers[2 * i - 1], answer.headers[2 * i])
    FROM generate_series(1, array_length(answer.headers, 1) / 2) AS i
$$;
CREATE FUNCTION consent.text(answer vci_http_response) RETURNS text LANGUAGE sql AS $$
    SELECT convert_from(answer.body, 'UTF8')
$$;
CREATE FUNCTION consent.begin(more text DEFAULT '', cookie text DEFAULT NULL) RETURNS consent.session
LANGUAGE plpgsql AS $$
DECLARE
    headers jsonb := consent.headers(openid4vci.vci_http('GET',
        '/api/v1/openid4vci/authorize?response_type=code&client_id=consent-wallet&state=s%26t'
        || '&redirect_uri=https%3A%2F%2Fwallet.example%2Fback&code_challenge_method=S256'
        || '&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&authorization_details='
        || '%5B%7B%22type%22%3A%22openid_credential%22%2C%22credential_configuration_id%22%3A'
        || '%22Membership%22%7D%5D' || more,
        '{Host, registry.example}'::text[]
            || CASE WHEN cookie IS NULL THEN '{}' ELSE ARRAY['Cookie', '__Host-vci=' || cookie] END,
        ''));
BEGIN
    RETURN (substring(headers ->> 'Location', 'consent\?request=(.*)'),
            substring(headers ->> 'Set-Cookie', '__Host-vci=([^;]*)'));
END
$$;
CREATE FUNCTION consent.get(session consent.session, headers text[] DEFAULT '{}')
RETURNS vci_http_response LANGUAGE sql AS $$
    SELECT openid4vci.vci_http('GET', '/api/v1/openid4vci/consent?request=' || (session).request,
        ARRAY['Host', 'registry.example', 'Cookie', '__Host-vci=' || (session).cookie] || headers, '')
$$;
CREATE FUNCTION consent.csrf(session consent.session) RETURNS text LANGUAGE sql AS $$
    SELECT substring(consent.text(consent.get(session)) FROM 'name="csrf" value="([^"]*)"')
$$;
CREATE FUNCTION consent.post(session consent.session, form text, csrf text,
    headers text[] DEFAULT '{Content-Type, application/x-www-form-urlencoded}')
RETURNS vci_http_response LANGUAGE sql AS $$
    SELECT openid4vci.vci_http('POST', '/api/v1/openid4vci/consent',
        ARRAY['Host', 'registry.example', 'Cookie', '__Host-vci=' || (session).cookie] || headers,
        convert_to(concat('request=' || (session).request, '&csrf=' || csrf, '&' || form), 'UTF8'))
$$;
CREATE FUNCTION consent.log_in(session consent.session, username text, csrf text,
    password text DEFAULT 'topsecret') RETURNS vci_http_response LANGUAGE sql AS $$
    SELECT consent.post(session, 'decision=approve&username=' || username || '&password=' || password,
                        csrf)
$$;
-- What a person sees of an answer: its status, where it leads, heading, problem, details.
CREATE FUNCTION consent.seen(answer vci_http_response) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', answer.status,
        regexp_replace(consent.headers(answer) ->> 'Location', 'code=[^&]{40}', 'code=...'),
        substring(consent.text(answer) FROM '<h1>([^<]*)'),
        substring(consent.text(answer) FROM 'role="alert">([^<]*)'),
        substring(consent.text(answer) FROM 'Details: ([^<]*)'))
$$;
CREATE FUNCTION consent.failures(session consent.session) RETURNS integer LANGUAGE sql AS $$
    SELECT login_failures FROM vci_authorization_info ORDER BY id DESC LIMIT 1
$$;

-- The page: who asks whom for what, and its headers.
SELECT request, cookie, b::consent.session AS session FROM consent.begin() AS b \gset
SELECT length(:'request'), :'cookie' ~ '^[A-Za-z0-9_-]{22}$';
SELECT consent.seen(consent.get(:'session')), consent.csrf(:'session') ~ '^[A-Za-z0-9_-]{43}$';
SELECT regexp_replace(jsonb_pretty(consent.headers(consent.get(:'session'))), 'sha256-[^'']*',
    'sha256-...');
SELECT regexp_replace(substring(consent.text(consent.get(:'session')) FROM '<main>.*</main>'),
    'value="[A-Za-z0-9_-]{40,43}"', 'value="..."', 'g');
-- HEAD, and the languages.
SELECT status, length(body) FROM vci_http('HEAD', '/api/v1/openid4vci/consent?request=' || :'request',
    ARRAY['Host', 'registry.example', 'Cookie', '__Host-vci=' || :'cookie'], '');
SELECT accepted, consent.headers(answer) ->> 'Content-Language',
    substring(consent.text(answer) FROM '<html[^>]*>'), substring(consent.text(answer) FROM '<h1>[^<]*')
    FROM unnest('{"de, fr;q=0.5", "pt-BR", "ar", "tlh", ""}'::text[]) AS accepted,
    LATERAL consent.get(:'session', ARRAY['Accept-Language', accepted]) AS answer;

-- Approving: what the registry is asked, where the browser goes, and what is noted.
SELECT consent.csrf(:'session') AS csrf \gset
SELECT max(id) AS last_event FROM vci_event \gset
SELECT consent.seen(consent.log_in(:'session', 'maria', :'csrf'));
SELECT form FROM consent.asked;
SELECT state, login_failures FROM vci_authorization_info ORDER BY id DESC LIMIT 1;
SELECT kind FROM vci_event WHERE id > :last_event ORDER BY id;
SELECT grants, subject_model, subject_id, labels, claims FROM vci_offer ORDER BY id DESC LIMIT 1;
-- Pressed twice it leads to the same place; the page and a denial come too late, a wrong login stays wrong.
SELECT consent.headers(consent.log_in(:'session', 'maria', :'csrf')) ->> 'Location'
     = consent.headers(consent.log_in(:'session', 'maria', :'csrf')) ->> 'Location' AS same;
SELECT consent.seen(consent.get(:'session'));
SELECT consent.seen(consent.post(:'session', 'decision=deny', :'csrf'));
SELECT consent.seen(consent.log_in(:'session', 'maria', :'csrf', 'wrong'));

-- The same browser keeps its cookie; one that we did not make is replaced.
SELECT (consent.begin(cookie => :'cookie')).cookie = :'cookie' AS kept,
    (consent.begin(cookie => 'mine')).cookie = 'mine' AS taken;

-- Denying needs no login; again it leads to the same place, and nobody can approve any more.
SELECT consent.begin() AS session \gset
SELECT consent.csrf(:'session') AS csrf, (SELECT count(*) FROM consent.asked) AS asked \gset
SELECT consent.seen(consent.post(:'session', 'decision=deny', :'csrf')) FROM generate_series(1, 2);
SELECT consent.seen(consent.log_in(:'session', 'maria', :'csrf'));
SELECT state, (SELECT count(*) FROM consent.asked) = :asked AS "nobody was asked" FROM vci_authorization_info
    ORDER BY id DESC LIMIT 1;

-- Wrong logins count, also JSON's null; the fifth ends the request, and nobody is asked after it.
SELECT consent.begin() AS session \gset
SELECT consent.csrf(:'session') AS csrf \gset
SELECT consent.seen(consent.log_in(:'session', 'maria', :'csrf', 'wrong')), consent.failures(:'session');
SELECT consent.seen(consent.log_in(:'session', 'json+null', :'csrf')), consent.failures(:'session');
SELECT consent.seen(consent.log_in(:'session', 'nobody', :'csrf')), consent.failures(:'session');
SELECT form -> 'attempt' FROM consent.asked ORDER BY n DESC LIMIT 1;
-- What is missing was not tried.
SELECT consent.seen(consent.post(:'session', 'decision=approve&username=maria', :'csrf')),
    consent.failures(:'session');
SELECT consent.seen(consent.log_in(:'session', 'x', :'csrf')) FROM generate_series(1, 2);
SELECT count(*) AS asked FROM consent.asked \gset
SELECT consent.seen(consent.log_in(:'session', 'maria', :'csrf'));
SELECT i.state, a.reason, i.login_failures, (SELECT count(*) FROM consent.asked) = :asked AS "nobody was asked"
    FROM vci_authorization_info AS i JOIN vci_authorization AS a USING (id) ORDER BY id DESC LIMIT 1;

-- An answer that is no person is the registry's fault, raised; nothing is counted.
SELECT consent.begin() AS session \gset
SELECT consent.csrf(:'session') AS csrf \gset
SELECT helper.error(format('SELECT consent.log_in(%L, %L, %L)', :'session', username, :'csrf'))
    FROM unnest('{a+string, no+model, a+number, more, claims, reserved}'::text[]) AS username;
SELECT consent.failures(:'session');

-- issuer_state is no authentication: the words for somebody else than the offer's subject are
-- those for nobody, and the page does not tell whose the offer is.
SELECT credential_offer #>> '{grants,authorization_code,issuer_state}' AS issuer_state
    FROM vci_create_offer('{Membership}', claims => '{"member": true}', subject_model => 'res.partner',
    subject_id => '2', grants => '{authorization_code}') \gset
SELECT consent.begin('&issuer_state=' || :'issuer_state') AS session \gset
SELECT consent.csrf(:'session') AS csrf \gset
SELECT consent.text(consent.get(:'session')) ~ 'res.partner' AS tells;
SELECT consent.seen(consent.log_in(:'session', 'maria', :'csrf')), consent.failures(:'session');
SELECT consent.seen(consent.log_in(:'session', 'pedro', :'csrf'));
-- The right person, but the offer was cancelled meanwhile: the wallet hears of it.
SELECT offer_id, credential_offer #>> '{grants,authorization_code,issuer_state}' AS issuer_state
    FROM vci_create_offer('{Membership}', claims => '{"member": true}', subject_model => 'res.partner',
    subject_id => '2', grants => '{authorization_code}') \gset
SELECT consent.begin('&issuer_state=' || :'issuer_state') AS session \gset
SELECT consent.csrf(:'session') AS csrf \gset
SELECT FROM vci_cancel_offer(:offer_id);
SELECT consent.seen(consent.log_in(:'session', 'pedro', :'csrf'));

-- Another browser: without cookie, with another one, with no cookie of ours. Nothing counts.
SELECT consent.begin() AS session \gset
SELECT (:'session'::consent.session).*, consent.csrf(:'session') AS csrf \gset
SELECT consent.begin() AS other \gset
SELECT cookie, consent.seen(consent.get((:'request', cookie))),
    consent.seen(consent.log_in((:'request', cookie), 'maria', :'csrf', 'wrong'))
    FROM unnest('{"", "AAAAAAAAAAAAAAAAAAAAAA", "short"}'::text[]) AS cookie;
SELECT consent.seen(consent.get((:'request', (:'other'::consent.session).cookie)));
-- A token that is missing, forged, of another request, of another browser.
SELECT consent.seen(consent.log_in(:'session', 'maria', csrf)) FROM (VALUES (NULL), (''), ('x'),
    (repeat('A', 43)), (consent.csrf((:'request', :'cookie'))), (consent.csrf(:'other'))) AS t (csrf)
    WHERE csrf IS DISTINCT FROM :'csrf';
SELECT consent.seen(consent.log_in((:'request', (:'other'::consent.session).cookie)::consent.session, 'maria', :'csrf'));
SELECT login_failures FROM vci_authorization_info ORDER BY id DESC OFFSET 1 LIMIT 1;
-- A request that is forged, missing, of another kind or twice.
SELECT consent.seen(consent.get((request, :'cookie'))) FROM unnest(ARRAY['', 'x', repeat('A', 40),
    :'issuer_state', :'request' || '&request=' || :'request', '%zz']) AS request;
-- The form itself: media type, size, decision, the page that sent it.
SELECT type, consent.seen(consent.post(:'session', 'decision=deny', :'csrf', ARRAY['Content-Type', type]))
    FROM unnest('{application/json, multipart/form-data, text/plain}'::text[]) AS type;
SELECT form, consent.seen(consent.post(:'session', form, :'csrf'))
    FROM unnest('{"", decision=, decision=maybe, decision=deny&decision=approve, decision=%ff}'::text[]) AS form;
SELECT consent.seen(consent.post(:'session', 'x=' || repeat('x', 17000), :'csrf'));
SELECT consent.seen(consent.log_in(:'session', repeat('x', 1001), :'csrf'));
SELECT header, value, consent.seen(consent.post(:'session', 'decision=approve&username=maria', :'csrf',
    ARRAY['Content-Type', 'application/x-www-form-urlencoded', header, value]))
    FROM (VALUES ('Origin', 'https://evil.example'), ('Origin', 'http://registry.example'),
    ('Origin', 'https://registry.example'), ('Origin', 'null'), ('Sec-Fetch-Site', 'cross-site'),
    ('Sec-Fetch-Site', 'same-site'), ('Sec-Fetch-Site', 'same-origin')) AS h (header, value);

-- What was entered comes back as text, but for a password, and stands nowhere else.
SELECT unnest(regexp_matches(consent.text(consent.log_in(:'session', '%22%3E%3Cscript%3E', :'csrf', 'hunter2')),
    '<input id=[^>]*>', 'g'));
SELECT count(*) FROM vci_authorization AS a WHERE a::text ~ 'hunter2|topsecret';
SELECT count(*) FROM vci_event AS e WHERE e::text ~ 'hunter2|topsecret';

-- Fields of the registry's own, in its own languages.
SELECT vci_alter_issuer('{"login_fields": [
    {"name": "card", "type": "number", "display": [{"name": "Card number", "locale": "en"},
                                                   {"name": "Numéro de carte", "locale": "fr"}]},
    {"name": "date_of_birth", "type": "date", "label": "Date of birth", "required": false}]}');
SELECT unnest(regexp_matches(consent.text(consent.get(:'session', '{Accept-Language, fr}')),
    '<label.*?</label>|<input id=[^>]*>', 'g'));
SELECT consent.seen(consent.post(:'session', 'decision=approve&card=12&password=x', :'csrf'));
SELECT form -> 'fields' FROM consent.asked ORDER BY n DESC LIMIT 1;
SELECT vci_alter_issuer('{"login_fields": null}');

-- Time that is over, a wallet that was thrown out, a paused issuer, one that names nobody to ask.
BEGIN;
UPDATE vci_authorization SET expires_at = clock_timestamp();
SELECT consent.seen(consent.get(:'session'));
SELECT consent.seen(consent.log_in(:'session', 'maria', :'csrf'));
ROLLBACK;
BEGIN;
SELECT vci_retire_client('consent-wallet');
SELECT consent.seen(consent.get(:'session'));
ROLLBACK;
BEGIN;
SELECT vci_retire_configuration('Membership', 'https://registry.example');
SELECT consent.seen(consent.log_in(:'session', 'maria', :'csrf'));
ROLLBACK;
BEGIN;
SELECT vci_pause_issuance();
SELECT consent.seen(consent.get(:'session')), consent.headers(consent.get(:'session')) ->> 'Retry-After';
ROLLBACK;
BEGIN;
SELECT vci_alter_issuer('{"authenticate": null}');
SELECT consent.seen(consent.get(:'session'));
ROLLBACK;
BEGIN;
SET TRANSACTION READ ONLY;
SELECT consent.seen(consent.get(:'session'));
ROLLBACK;

SELECT vci_alter_issuer('{"authenticate": null}');
SELECT vci_retire_client('consent-wallet');
SET client_min_messages = warning;
DROP SCHEMA consent CASCADE;

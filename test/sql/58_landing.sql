-- Short links, the landing pages that they lead to, and type metadata at the vct of credentials.
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA landing;
CREATE FUNCTION landing.headers(answer vci_http_response) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_object_agg(answer.headers[2 * i - 1], answer.headers[2 * i])
    FROM generate_series(1, array_length(answer.headers, 1) / 2) AS i
$$;
CREATE FUNCTION landing.text(answer vci_http_response) RETURNS text LANGUAGE sql AS $$
    SELECT convert_from(answer.body, 'UTF8')
$$;
CREATE FUNCTION landing.path(offer bigint) RETURNS text LANGUAGE sql AS $$
    SELECT substring(openid4vci.vci_offer_uri(offer, 'page') FROM '^https://[^/]*(/.*)$')
$$;
CREATE FUNCTION landing.get(path text, headers text[] DEFAULT '{}', method text DEFAULT 'GET')
RETURNS vci_http_response LANGUAGE sql AS $$
    SELECT openid4vci.vci_http(method, path, '{Host, registry.example}'::text[] || headers, '')
$$;
-- What a person sees of an answer: its status, where it leads, language, heading.
CREATE FUNCTION landing.seen(answer vci_http_response) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', answer.status,
        regexp_replace(landing.headers(answer) ->> 'Location', '[A-Za-z0-9_-]{40}$', '...'),
        landing.headers(answer) ->> 'Content-Language',
        substring(landing.text(answer) FROM '<h1>([^<]*)'))
$$;
CREATE FUNCTION landing.main(answer vci_http_response) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(regexp_replace(regexp_replace(substring(landing.text(answer)
        FROM '<main>.*</main>'), '%2F[A-Za-z0-9_-]{40}"', '%2F..."', 'g'), '20\d\d-\d\d-\d\d \d\d:\d\d',
        '2...', 'g'), '<path.*?>', '', 'g')
$$;
CREATE FUNCTION landing.opened(offer bigint) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', opened_at IS NOT NULL, (SELECT count(*) FROM openid4vci.vci_event
        WHERE offer_id = offer AND kind = 'offer_opened')) FROM openid4vci.vci_offer WHERE id = offer
$$;

-- A link that fits into a message, which vci_find_offer knows; its QR code; nothing else is a way.
\set claims '{"entitlementId": "1", "entitlementStatus": "approved"}'
SELECT offer_id AS id FROM vci_create_offer('{EntitlementCredential}', claims => :'claims') \gset
SELECT landing.path(:id) AS path \gset
SELECT regexp_replace(vci_offer_uri(:id, by => 'page'), '[A-Za-z0-9_-]{40}$', '...'), length(vci_offer_uri(:id, 'page'));
SELECT vci_find_offer(vci_offer_uri(:id, 'page')) = :id, vci_find_offer('Open ' || :'path' || '.') = :id;
SELECT vci_offer_qr(:id, 'svg', 'page') LIKE '<svg %aria-label="QR code of a credential offer"%</svg>',
    length(vci_offer_qr(:id, 'terminal', 'page')) < length(vci_offer_qr(:id, 'terminal', 'reference')),
    substr(vci_offer_qr_png(:id, 'page'), 2, 3) = 'PNG';
SELECT helper.errors(format($$SELECT vci_offer_uri(%s, 'mail')$$, :id));

-- The page, and its headers: nothing is kept, framed, followed, fetched or run.
SELECT landing.main(landing.get(:'path'));
SELECT regexp_replace(jsonb_pretty(landing.headers(landing.get(:'path'))), 'sha256-[^'']*', 'sha256-...');
SELECT landing.text(landing.get(:'path')) ~* '<script|(src|href|action)="http|\son[a-z]+=|style="' AS "fetches or runs";
SELECT (h.answer).status, length((h.answer).body), landing.headers(h.answer) ->> 'Content-Length'
    = length((landing.get(:'path')).body)::text
FROM (SELECT landing.get(:'path', method => 'HEAD') AS answer) AS h;
SELECT landing.headers(landing.get(:'path', method => 'OPTIONS')), (landing.get(:'path', method => 'PUT')).status;

-- Previews of the link change nothing: neither the row nor a row beside it.
SELECT ctid AS place, (SELECT count(*) FROM vci_event) AS events FROM vci_offer WHERE id = :id \gset
SELECT count(landing.get(:'path', method => m)) FROM unnest('{GET,HEAD,OPTIONS,GET}'::text[]) AS m;
SELECT ctid = :'place', (SELECT count(*) FROM vci_event) = :events, landing.opened(:id) FROM vci_offer WHERE id = :id;

-- The button counts once, and leads to the wallet each time; from whatever page it was pressed.
SELECT landing.seen(landing.get(:'path', method => 'POST')), landing.opened(:id);
SELECT landing.seen(landing.get(:'path', h, 'POST')), landing.opened(:id)
FROM unnest(ARRAY['{Origin, https://elsewhere.example, Sec-Fetch-Site, cross-site}',
    '{Content-Type, application/json}'])  AS t, LATERAL (SELECT t::text[] AS h) AS headers;
SELECT landing.headers(landing.get(:'path', method => 'POST')) ->> 'Location' = vci_offer_uri(:id, 'reference');
SELECT landing.seen(landing.get(:'path'));

-- Languages, also from right to left.
SELECT accepted, landing.headers(answer) ->> 'Content-Language', substring(landing.text(answer) FROM '<html[^>]*>'),
    substring(landing.text(answer) FROM 'class="primary">([^<]*)'), substring(landing.text(answer) FROM '<svg[^>]*aria-label="([^"]*)')
FROM unnest('{"de, fr;q=0.5", "pt-BR", "es-MX", "ar", "tlh", ""}'::text[]) AS accepted,
    LATERAL landing.get(:'path', ARRAY['Accept-Language', accepted]) AS answer;

-- What the page tells of codes, of logging in, and of wallets.
SELECT offer_id AS coded FROM vci_create_offer('{Membership}', claims => '{}', tx_code => '123456',
    tx_code_description => 'On the <letter>') \gset
SELECT unnest(regexp_matches(landing.main(landing.get(landing.path(:coded))), '<p>Your wallet will[^\n]*\n<p [^\n]*', 'g'));
BEGIN;
SELECT vci_alter_issuer('{"login_url": "https://portal.example/login"}');
SELECT vci_create_client('landing-wallet', '{https://wallet.example/back}');
SELECT offer_id AS login FROM vci_create_offer('{Membership}', subject_model => 'res.partner', subject_id => '1',
    claims => '{}', grants => '{authorization_code}') \gset
SELECT unnest(regexp_matches(landing.main(landing.get(landing.path(:login))), '<p>Your wallet will[^\n]*', 'g'));
ROLLBACK;
SELECT vci_alter_issuer('{"wallet_url": "https://wallets.example/get?for=a&b"}');
SELECT vci_issuer_settings() ->> 'wallet_url';
SELECT substring(landing.main(landing.get(:'path')) FROM '<h2>No wallet.*?</a>');
SELECT vci_alter_issuer('{"wallet_url": null}');
SELECT vci_issuer_settings() -> 'wallet_url';
SELECT helper.errors($$SELECT vci_alter_issuer('{"wallet_url": "http://wallets.example"}')$$,
    $$SELECT vci_alter_issuer('{"wallet_url": "javascript:alert(1)"}')$$, $$SELECT vci_alter_issuer('{"wallet_url": 1}')$$);

-- In each state: what the page says, and that its button does nothing but say the same.
CREATE TABLE landing.standing AS SELECT situation, (vci_create_offer('{EntitlementCredential}', claims => :'claims',
    tx_code => '1234')).offer_id AS id
FROM unnest('{pending,locked,expired,redeemed,lapsed,issued,cancelled,replaced}'::text[]) AS situation;
CREATE TABLE landing.link AS SELECT situation, id, landing.path(id) AS path FROM landing.standing;
SELECT id AS locked FROM landing.link WHERE situation = 'locked' \gset
UPDATE vci_offer SET tx_code_failures = 5 WHERE id = :locked;
UPDATE vci_offer SET expires_at = clock_timestamp() - interval '1 s'
    WHERE id = (SELECT id FROM landing.link WHERE situation = 'expired');
UPDATE vci_offer SET redeemed_at = clock_timestamp(), ends_at = clock_timestamp() + interval '1 h'
    WHERE id IN (SELECT id FROM landing.link WHERE situation IN ('redeemed', 'issued'));
UPDATE vci_offer SET redeemed_at = clock_timestamp(), ends_at = clock_timestamp() - interval '1 s'
    WHERE id = (SELECT id FROM landing.link WHERE situation = 'lapsed');
UPDATE vci_offer SET issued_at = clock_timestamp() WHERE id = (SELECT id FROM landing.link WHERE situation = 'issued');
SELECT vci_cancel_offer(id) FROM landing.link WHERE situation = 'cancelled';
SELECT vci_rotate_code(id) IS NOT NULL FROM landing.link WHERE situation = 'replaced';
SELECT situation, landing.seen(landing.get(path)), landing.seen(landing.get(path, method => 'POST')), landing.opened(id),
    landing.text(landing.get(path)) ~ '<form|openid-credential-offer' AS "a way in" FROM landing.link ORDER BY id;
SELECT substring(landing.main(landing.get(path)) FROM '<p>.*</p>') FROM landing.link WHERE situation = 'issued';
-- With a new code the page works again; the new link of a replaced one does.
SELECT vci_reset_tx_code(:locked, '4321');
SELECT landing.seen(landing.get(landing.path(id))) FROM landing.link WHERE situation IN ('locked', 'replaced');
-- An offer that was purged.
SELECT landing.path(:coded) AS gone \gset
BEGIN;
DELETE FROM vci_offer WHERE id = :coded;
SELECT landing.seen(landing.get(:'gone'));
ROLLBACK;

-- Forged codes and those of other kinds: 404, for people, in whatever length they come.
SELECT f.what, landing.seen(landing.get(f.path)), landing.seen(landing.get(f.path, method => 'POST'))
FROM (VALUES ('the last letter changed', substr(:'path', 1, length(:'path') - 1) || CASE right(:'path', 1) WHEN 'A' THEN 'B' ELSE 'A' END),
    ('cut off', substr(:'path', 1, 30)), ('longer', :'path' || 'A'),
    ('another kind', '/o/' || right(vci_offer_uri(:id, 'reference'), 40)),
    ('a code', '/o/' || helper.code(:id)), ('markup', '/o/%3Cscript%3E'), ('a word', '/o/x')) AS f (what, path);
SELECT (landing.get('/o')).status, (landing.get('/o/')).status, (landing.get('/o/a/b')).status;
SELECT status FROM helper.http('GET', '/api/v1/openid4vci/offer/' || right(:'path', 40), '{Host, registry.example}');
SELECT status, body ->> 'error' FROM helper.post_form(helper.form(right(:'path', 40)));

-- Paused, read-only, switched off, moved.
BEGIN;
SELECT vci_pause_issuance();
SELECT landing.seen(landing.get(:'path')), landing.headers(landing.get(:'path')) ->> 'Retry-After';
ROLLBACK;
SELECT offer_id AS unread FROM vci_create_offer('{Membership}', claims => '{}') \gset
SELECT landing.path(:unread) AS unread_path \gset
BEGIN;
SET TRANSACTION READ ONLY;
SELECT landing.seen(landing.get(:'unread_path')), landing.seen(landing.get(:'unread_path', method => 'POST')), landing.opened(:unread);
ROLLBACK;
BEGIN;
SELECT vci_alter_issuer('{"endpoints": {"landing": {"enabled": false}}}');
SELECT (landing.get(:'path')).status;
SELECT helper.errors(format($$SELECT vci_offer_uri(%s, 'page')$$, :id));
ROLLBACK;
BEGIN;
SELECT vci_alter_issuer('{"endpoints": {"landing": {"base_url": "https://go.example", "path": "/g"}}}');
SELECT left(vci_offer_uri(:id, 'page'), 21), (landing.get(:'path')).status,
    landing.seen(vci_http('GET', '/g/' || right(:'path', 40), '{Host, go.example}', ''));
SELECT landing.seen(vci_http('GET', '/g/' || right(:'path', 40), '{}', ''));
ROLLBACK;
-- Where wallets can't fetch the offer, the link has all of it.
BEGIN;
SELECT vci_alter_issuer('{"endpoints": {"offer": {"enabled": false}}}');
SELECT landing.headers(landing.get(:'path', method => 'POST')) ->> 'Location' = vci_offer_uri(:id, 'value');
ROLLBACK;
-- What is too long for a QR code is offered to this device alone.
BEGIN;
SELECT vci_alter_issuer('{"endpoints": {"offer": {"enabled": false}}}');
SELECT count(vci_create_configuration(left(repeat('Long', 32), 120) || n, 'https://registry.example/long/' || n)) FROM generate_series(10, 40) AS n;
SELECT offer_id AS long FROM vci_create_offer((SELECT array_agg(left(repeat('Long', 32), 120) || n) FROM generate_series(10, 40) AS n),
    claims => '{"name": "Ann"}') \gset
SELECT length(vci_offer_uri(:long, 'value')) > 2953;
SELECT (a).status, position(vci_offer_uri(:long, 'value') in replace(landing.text(a), '&amp;', '&')) > 0 AS plain_link,
    landing.text(a) LIKE '%<svg%' AS code
FROM landing.get(substr(vci_offer_uri(:long, 'page'), 25)) AS a;
ROLLBACK;

-- Names are text, whatever stands in them; a logo is shown when it needs no fetching.
BEGIN;
SELECT vci_alter_issuer('{"display": [{"name": "</title><script>alert(1)</script>\"&", "logo": {"uri": "data:image/png;base64,AA==", "alt_text": "\"><script>"}}]}');
SELECT vci_alter_configuration('EntitlementCredential', '{"display": [{"name": "<b>Aid</b>", "description": "<img src=x onerror=alert(1)>", "logo": {"uri": "https://elsewhere.example/l.png"}}]}');
SELECT landing.main(landing.get(:'path')) ~ '<script|<b>|<img src=x|elsewhere';
SELECT unnest(regexp_matches(landing.main(landing.get(:'path')), '<img[^>]*>|<h3>.*?</h3>', 'g'));
ROLLBACK;

-- Type metadata: at the vct, and where older drafts look.
SELECT vci_create_configuration('Voucher', 'https://registry.example/types/voucher/1',
    always_disclosed => '["number"]', selectively_disclosable => '["amount"]',
    claims => '[{"path": ["amount"], "mandatory": true, "display": [{"name": "Amount", "locale": "en"}]}]',
    display => '[{"name": "Voucher", "locale": "en", "background_color": "#123456"}]', binding => 'absent',
    options => '{"vct_integrity": true}');
SELECT (landing.get('/types/voucher/1')).status, landing.text(landing.get('/types/voucher/1'));
SELECT landing.headers(landing.get('/types/voucher/1')) - 'ETag';
SELECT landing.text(landing.get(path)) = landing.text(landing.get('/types/voucher/1'))
FROM unnest('{/.well-known/vct/types/voucher/1,/types/voucher/1?}'::text[]) AS path;
SELECT (landing.get('/types/voucher/1', ARRAY['If-None-Match', landing.headers(landing.get('/types/voucher/1')) ->> 'ETag'])).status,
    (landing.get('/types/voucher/1', '{}', 'HEAD')).status, (landing.get('/types/voucher/1', '{}', 'POST')).status;
SELECT path, (landing.get(path)).status FROM unnest('{/types/voucher,/types/voucher/1/,/types/voucher/11,/voucher/1,/.well-known/vct,/.well-known/vcttypes/voucher/1}'::text[]) AS path;
SELECT (vci_http('GET', '/types/voucher/1', ARRAY['Host', host], '')).status, host FROM unnest('{localhost:8080,REGISTRY.example}'::text[]) AS host;
-- Credentials carry the digest of these bytes; those of other configurations none.
SELECT helper.jwt_part(vci_issue_sdjwt('Voucher', '{"number": 1, "amount": 2}'), 2) ->> 'vct#integrity'
    = 'sha256-' || encode(sha256((landing.get('/types/voucher/1')).body), 'base64') AS digest,
    helper.jwt_part(vci_issue_sdjwt('Membership', '{}'), 2) ? 'vct#integrity' AS other;
-- One vct has one document, and the digest is that one's: the first configuration by id speaks.
SELECT vci_create_configuration('VoucherToo', 'https://registry.example/types/voucher/1', binding => 'absent',
    options => '{"vct_integrity": true}');
SELECT helper.jwt_part(vci_issue_sdjwt('VoucherToo', '{"number": 1, "amount": 2}'), 2) ->> 'vct#integrity'
    = 'sha256-' || encode(sha256((landing.get('/types/voucher/1')).body), 'base64') AS digest,
    landing.text(landing.get('/types/voucher/1'))::jsonb ->> 'name';
SELECT vci_retire_configuration('VoucherToo', 'https://registry.example');
-- What changes it changes the digest; what is none of ours is not served, and has no digest.
BEGIN;
SELECT landing.headers(landing.get('/types/voucher/1')) ->> 'ETag' AS etag \gset
SELECT vci_alter_configuration('Voucher', '{"display": [{"name": "Coupon"}]}');
SELECT landing.headers(landing.get('/types/voucher/1')) ->> 'ETag' <> :'etag',
    helper.jwt_part(vci_issue_sdjwt('Voucher', '{"number": 1, "amount": 2}'), 2) ->> 'vct#integrity'
    = 'sha256-' || encode(sha256((landing.get('/types/voucher/1')).body), 'base64') AS digest;
ROLLBACK;
SELECT helper.errors($$SELECT vci_alter_configuration('Voucher', '{"vct": "https://elsewhere.example/types/voucher/1"}')$$,
    $$SELECT vci_alter_configuration('Voucher', '{"vct": "urn:example:voucher"}')$$);
BEGIN;
SELECT vci_alter_configuration('Voucher', '{"vct": "https://elsewhere.example/types/voucher/1", "vct_integrity": false}');
SELECT (landing.get('/types/voucher/1')).status,
    helper.jwt_part(vci_issue_sdjwt('Voucher', '{"number": 1, "amount": 2}'), 2) ? 'vct#integrity';
ROLLBACK;
-- A path where something of the issuer's lies keeps it.
BEGIN;
SELECT vci_alter_configuration('Voucher', '{"vct": "https://registry.example/api/v1/openid4vci/jwks"}');
SELECT landing.text(landing.get('/api/v1/openid4vci/jwks'))::jsonb ? 'keys';
ROLLBACK;
SELECT vci_retire_configuration('Voucher', 'https://registry.example');
SELECT (landing.get('/types/voucher/1')).status;

SET client_min_messages = warning;
DROP SCHEMA landing CASCADE;

-- vci_offer_qr and vci_offer_qr_png: the offer's link as a picture.
\pset format unaligned
\pset tuples_only on

SELECT offer_id AS id FROM vci_create_offer('{Membership}', claims => '{"member": true}') \gset

-- SVG: one square symbol with its quiet zone, no script, nothing of the link in plain text.
SELECT vci_offer_qr(:id) ~ '^<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 (\d+) \1" width="\d+" height="\d+"',
       vci_offer_qr(:id) ~ '<path fill="#fff" d="[^"<>]+"/><path d="[^"<>]+"/></svg>$',
       vci_offer_qr(:id) !~* 'script|href|openid|http://registry';
-- Any symbol of model 2 is 17 + 4 * version modules wide; four modules of margin on each side.
SELECT mod(width - 8 - 17, 4) = 0 AND width BETWEEN 29 AND 185
FROM (SELECT substring(vci_offer_qr(:id) FROM 'viewBox="0 0 (\d+)')::integer) AS s (width);
SELECT length(vci_offer_qr(:id, by => 'value')) > length(vci_offer_qr(:id,
    by => 'reference')) AS "a longer link is a larger symbol";
SELECT vci_offer_qr(:id) = vci_offer_qr(:id, 'svg', 'reference') AS "by reference by default";

-- Terminal: lines of one length, of half blocks.
SELECT count(DISTINCT length(line)), bool_and(line ~ '^[█▀▄ ]+$'),
    count(*) = (max(length(line)) + 1) / 2
FROM regexp_split_to_table(vci_offer_qr(:id, 'terminal'), E'\n') AS line;

-- PNG: signature, header, and size by scale; the data: URI holds the same file.
SELECT encode(substr(png, 1, 8), 'hex'), encode(substr(png, 13, 4), 'escape'),
    encode(substr(png, length(png) - 7, 4), 'escape')
FROM vci_offer_qr_png(:id) AS png;
SELECT scale, get_byte(png, 18) * 256 + get_byte(png,
    19) = scale * (SELECT substring(vci_offer_qr(:id) FROM 'viewBox="0 0 (\d+)')::integer) AS width,
       substr(png, 17, 4) = substr(png, 21, 4) AS square
FROM unnest('{1,8,32}'::integer[]) AS scale,
    LATERAL vci_offer_qr_png(:id, 'reference', scale) AS png;
SELECT decode(split_part(vci_offer_qr(:id, 'png'), 'data:image/png;base64,', 2),
    'base64') = vci_offer_qr_png(:id);

-- After a rotation the picture shows the new link.
SELECT vci_offer_qr(:id) AS former \gset
SELECT vci_rotate_code(:id) IS NOT NULL AND vci_offer_qr(:id) <> :'former';

-- NULL, unknown, oversize, hostile.
SELECT vci_offer_qr(NULL), vci_offer_qr(:id, NULL), vci_offer_qr(:id, by => NULL),
    vci_offer_qr_png(NULL), vci_offer_qr_png(:id, scale => NULL);
SELECT helper.errors(
    $$SELECT vci_offer_qr(-1)$$,
    $$SELECT vci_offer_qr_png(9223372036854775807)$$,
    format('SELECT vci_offer_qr(%s, %L)', :id, 'gif'),
    format('SELECT vci_offer_qr(%s, %L)', :id, 'SVG'),
    format('SELECT vci_offer_qr(%s, %L)', :id, '<script>'),
    format('SELECT vci_offer_qr(%s, by => %L)', :id, ''),
    format('SELECT vci_offer_qr_png(%s, %L)', :id, 'both'),
    format('SELECT vci_offer_qr_png(%s, scale => 0)', :id),
    format('SELECT vci_offer_qr_png(%s, scale => 33)', :id),
    format('SELECT vci_offer_qr_png(%s, scale => -2147483648)', :id));
-- A link that no QR code can hold says what to do instead.
SELECT offer_id AS id FROM vci_create_offer('{Membership}', claims => '{}',
    generate_tx_code => true,
    tx_code_description => repeat('🙂', 300)) \gset
SELECT regexp_replace(helper.error(format('SELECT vci_offer_qr(%s, by => %L)', :id, 'value')),
    '\d+ char', 'N char');
SELECT vci_offer_qr(:id) IS NOT NULL;

-- From 0.1.0 to 0.2.0. What it leaves equals a fresh installation of 0.2.0, catalog by
-- catalog. No table is rewritten. It grants nothing to roles: rights given in a script
-- count as the extension's own, and pg_dump would leave them out. After it, type
-- SELECT openid4vci.vci_reapply_duties();

\echo Use "ALTER EXTENSION openid4vci UPDATE TO '0.2.0'" to load this file. \quit

-- pg_catalog is searched first without being named; named, it would be where objects go.
SET LOCAL search_path TO openid4vci, pg_temp;

-- Columns and constraints of the tables that were there --------------------------

ALTER TABLE vci_issuer
    ADD COLUMN keep_claims          boolean NOT NULL DEFAULT false,
    ADD COLUMN token_retention      integer CHECK (token_retention BETWEEN 3600 AND 315360000),
    ADD COLUMN offer_retention      integer CHECK (offer_retention BETWEEN 86400 AND 2147483647),
    ADD COLUMN credential_retention integer CHECK (credential_retention BETWEEN 86400 AND 2147483647),
    ADD COLUMN event_retention      integer CHECK (event_retention BETWEEN 86400 AND 2147483647),
    ADD COLUMN status_list_size     integer CHECK (status_list_size BETWEEN 1024 AND 16777216
                                                   AND (status_list_size & (status_list_size - 1)) = 0),
    ADD COLUMN status_list_ttl      integer CHECK (status_list_ttl BETWEEN 1 AND 31536000),
    ADD COLUMN status_list_lifetime integer CHECK (status_list_lifetime BETWEEN 60 AND 31536000),
    ADD COLUMN wallet_url           text COLLATE "C",
    ADD COLUMN report_labels        text[] COLLATE "C" NOT NULL DEFAULT '{}';

ALTER TABLE vci_key
    ADD COLUMN activated_at    timestamptz,
    ADD COLUMN destroyed_at    timestamptz,
    ADD COLUMN published_until timestamptz,
    ADD COLUMN x5c             jsonb,
    ALTER COLUMN private_key DROP NOT NULL,
    DROP CONSTRAINT vci_key_state_check,
    ADD CONSTRAINT vci_key_state_check CHECK (state IN ('next', 'active', 'retired', 'destroyed')),
    ADD CONSTRAINT vci_key_destroyed_check CHECK ((state = 'destroyed') = (private_key IS NULL));

CREATE SEQUENCE vci_configuration_number_seq AS integer;

-- A default that draws numbers would rewrite the table, so the column gets it once it is filled.
ALTER TABLE vci_configuration
    ADD COLUMN longest_validity interval,
    ADD COLUMN number           integer,
    ADD COLUMN status_bits      integer CHECK (status_bits IN (1, 2, 4, 8)),
    ADD COLUMN w3c_status       boolean NOT NULL DEFAULT false,
    ADD COLUMN vct_integrity    boolean NOT NULL DEFAULT false;
UPDATE vci_configuration AS c SET number = n.number
FROM (SELECT o.issuer_id, o.id, pg_catalog.row_number() OVER (ORDER BY o.created_at, o.issuer_id, o.id)
      FROM vci_configuration AS o) AS n (issuer_id, id, number)
WHERE n.issuer_id OPERATOR(pg_catalog.=) c.issuer_id AND n.id OPERATOR(pg_catalog.=) c.id;
SELECT pg_catalog.setval('openid4vci.vci_configuration_number_seq', pg_catalog.max(c.number))
FROM vci_configuration AS c HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0;
ALTER TABLE vci_configuration
    ALTER COLUMN number SET DEFAULT pg_catalog.nextval('openid4vci.vci_configuration_number_seq'),
    ALTER COLUMN number SET NOT NULL,
    ADD CONSTRAINT vci_configuration_number_key UNIQUE (number);
ALTER SEQUENCE vci_configuration_number_seq OWNED BY vci_configuration.number;

ALTER TABLE vci_offer
    ADD COLUMN ends_at          timestamptz,
    ADD COLUMN claims_due       timestamptz,
    ADD COLUMN claims_erased_at timestamptz,
    ADD COLUMN opened_at        timestamptz,
    ADD COLUMN campaign_id      bigint,
    ADD COLUMN expiry_noted_at  timestamptz;

ALTER TABLE vci_credential
    ADD COLUMN status            integer NOT NULL DEFAULT 0,
    ADD COLUMN status_list_id    bigint,
    ADD COLUMN status_index      integer,
    ADD COLUMN status_changed_at timestamptz,
    ADD COLUMN status_changed_by name,
    ADD COLUMN status_reason     text;

ALTER TABLE vci_event
    ADD COLUMN key_id    bigint,
    ADD COLUMN role_name name,
    ADD COLUMN duty      text COLLATE "C",
    ALTER COLUMN issuer_id DROP NOT NULL;

ALTER TABLE vci_offer SET (autovacuum_vacuum_insert_scale_factor = 0.02);
ALTER TABLE vci_token SET (autovacuum_vacuum_insert_scale_factor = 0.02);
ALTER TABLE vci_credential
    SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
ALTER TABLE vci_event
    SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);

-- Comments of changed tables --------------------------------------------------

COMMENT ON COLUMN vci_issuer.keep_claims IS 'Claims stored with offers and deferrals stay; otherwise vci_purge erases them once nothing more can be issued of them';
COMMENT ON COLUMN vci_issuer.token_retention IS 'Seconds that tokens, refresh tokens, authorization requests and deferrals are kept after their end; NULL: 30 days';
COMMENT ON COLUMN vci_issuer.offer_retention IS 'Seconds that offers are kept after nothing more can come of them; NULL: for good';
COMMENT ON COLUMN vci_issuer.credential_retention IS 'Seconds that records of credentials are kept after their exp, or after issuing where they have none; NULL: for good';
COMMENT ON COLUMN vci_issuer.event_retention IS 'Seconds that events are kept; segments span issuers, so the longest of all counts; NULL: for good';
COMMENT ON COLUMN vci_issuer.status_list_size IS 'Entries of a new status list, a power of two; NULL: 1048576';
COMMENT ON COLUMN vci_issuer.status_list_ttl IS 'Seconds within which a changed status is seen: how long HTTP caches (max-age) and verifiers (ttl) together keep a status list token; NULL: 3600';
COMMENT ON COLUMN vci_issuer.status_list_lifetime IS 'Seconds that a status list token is good for (exp); NULL: 86400';
COMMENT ON COLUMN vci_issuer.wallet_url IS 'Where people get a wallet, for the landing page';
COMMENT ON COLUMN vci_issuer.report_labels IS 'Names of the labels by which the funnel counts';
COMMENT ON TABLE vci_key IS 'Signing keys; of the active ones that activated last signs';
COMMENT ON COLUMN vci_key.state IS 'next: published, does not sign yet; active; retired: signs no more; destroyed: the private half is gone';
COMMENT ON COLUMN vci_key.private_key IS 'PKCS #8, sealed (AES-256-GCM) under the root key root_key_id; NULL once destroyed';
COMMENT ON COLUMN vci_key.published_until IS 'Of a retired or destroyed key: when the last credential that it can have signed is over; NULL: for good';
COMMENT ON COLUMN vci_key.x5c IS 'Certificate chain of the key (RFC 7515 section 4.1.6), base64 DER, leaf first, without the trust anchor';
COMMENT ON COLUMN vci_configuration.longest_validity IS 'The longest validity that it ever had, NULL: without end; tells how long a retired key must stay published';
COMMENT ON SEQUENCE vci_configuration_number_seq IS 'Numbers of vci_configuration';
COMMENT ON COLUMN vci_configuration.number IS 'Another name for it, of one number and in the whole database, for programs that refer to rows so; never given twice';
COMMENT ON COLUMN vci_configuration.status_bits IS 'Its credentials can be revoked (1 bit) or revoked and suspended (2, 4 or 8) by a status list; NULL: neither';
COMMENT ON COLUMN vci_configuration.w3c_status IS 'Its credentials also carry credentialStatus (W3C Bitstring Status List) of the same bits';
COMMENT ON COLUMN vci_configuration.vct_integrity IS 'Its credentials carry the digest of their type metadata (vct#integrity)';
COMMENT ON COLUMN vci_offer.ends_at IS 'When nothing more can be issued of it: its expiry, then that of its tokens, refresh tokens and deferrals, or the retry window after the last credential';
COMMENT ON COLUMN vci_offer.claims_due IS 'When vci_purge looks whether its claims can be erased; NULL: there are none, they are erased, or the issuer keeps them';
COMMENT ON COLUMN vci_offer.claims_erased_at IS 'When its claims were erased; it can issue no more';
COMMENT ON COLUMN vci_offer.opened_at IS 'When somebody first pressed the button of its landing page';
COMMENT ON COLUMN vci_offer.campaign_id IS 'The campaign that made it; NULL: none';
COMMENT ON COLUMN vci_offer.expiry_noted_at IS 'When its expiry was noted as an event; NULL: not yet, or it was extended since';
COMMENT ON TABLE vci_event IS 'What happened to which row, no claims: evidence, and an outbox for integrations, which read it with vci_events. Append-only';
COMMENT ON COLUMN vci_event.issuer_id IS 'NULL: it concerns the database or all issuers';
COMMENT ON COLUMN vci_event.role_name IS 'Who got or lost the duty';

CREATE INDEX vci_offer_claims_due ON vci_offer (claims_due) WHERE claims_due IS NOT NULL;
CREATE INDEX vci_offer_subject ON vci_offer (subject_id) WHERE subject_id IS NOT NULL;
CREATE INDEX vci_offer_labels ON vci_offer USING gin (labels jsonb_path_ops) WHERE labels IS NOT NULL;
CREATE INDEX vci_offer_expires_at ON vci_offer (expires_at);
CREATE INDEX vci_credential_subject ON vci_credential (subject_id) WHERE subject_id IS NOT NULL;
CREATE INDEX vci_credential_offer ON vci_credential (offer_id) WHERE offer_id IS NOT NULL;
CREATE INDEX vci_deferred_offer ON vci_deferred (offer_id);
COMMENT ON INDEX vci_offer_claims_due IS 'For vci_purge; no step of a wallet touches it';
COMMENT ON INDEX vci_offer_subject IS 'For the registry''s pages and programs: what was offered to whom. Without the model, which tells few apart; no step of a wallet touches it';
COMMENT ON INDEX vci_offer_labels IS 'For what is done by labels: vci_revoke, vci_extend_offers, reports; no step of a wallet touches it';
COMMENT ON INDEX vci_offer_expires_at IS 'For noting which offers have expired; no step of a wallet touches it';
COMMENT ON INDEX vci_credential_subject IS 'What was issued to whom';
COMMENT ON INDEX vci_credential_offer IS 'What came of an offer';
COMMENT ON COLUMN vci_credential.status IS 'As in its status list: 0 valid, 1 revoked, 2 suspended (draft-ietf-oauth-status-list section 7.1)';
COMMENT ON COLUMN vci_credential.status_list_id IS 'The list that tells its status; NULL: it was issued without';
COMMENT ON COLUMN vci_credential.status_index IS 'Its place in the list (idx)';
COMMENT ON COLUMN vci_credential.status_reason IS 'Of the last change, for the registry: verifiers see the status alone';
COMMENT ON INDEX vci_deferred_offer IS 'What of an offer waits';

CREATE TABLE vci_event_seal (
    id             bigint PRIMARY KEY,
    kind           text COLLATE "C" NOT NULL CHECK (kind IN ('segment', 'checkpoint')),
    event_ids      int8multirange NOT NULL,
    events         bigint NOT NULL,
    purged_through bigint,
    sealed_at      timestamptz NOT NULL,
    digest         bytea NOT NULL,
    mac            bytea NOT NULL
);
COMMENT ON TABLE vci_event_seal IS 'Seals over segments of vci_event, each with a MAC that includes the one before';
COMMENT ON COLUMN vci_event_seal.id IS 'From 1, without gaps';
COMMENT ON COLUMN vci_event_seal.kind IS 'segment: seals events; checkpoint: tells that the events of earlier segments were purged';
COMMENT ON COLUMN vci_event_seal.event_ids IS 'Ids of exactly the events that the segment holds';
COMMENT ON COLUMN vci_event_seal.purged_through IS 'Of a checkpoint: the last segment whose events were purged';
COMMENT ON COLUMN vci_event_seal.digest IS 'SHA-256 over the events in the order of their ids';
COMMENT ON COLUMN vci_event_seal.mac IS 'HMAC-SHA-256 over this seal and the mac before it, under a key derived from event_key of vci_database';

CREATE INDEX vci_event_seal_checkpoint ON vci_event_seal (id) WHERE kind = 'checkpoint';
COMMENT ON INDEX vci_event_seal_checkpoint IS 'For vci_purge and vci_verify_events: what was purged last';

-- Status lists: what was issued stays valid, is suspended or revoked. A list is kept in chunks,
-- so that a change writes a kilobyte; a chunk that is not there is all valid. A credential gets
-- number p of the sequence: its list is the open one of part p / size, its index a keyed
-- permutation of p % size, so nobody waits for another and none tells of its neighbours.

CREATE SEQUENCE vci_status_position_seq CACHE 32;
COMMENT ON SEQUENCE vci_status_position_seq IS 'Positions in status lists, each given once';

CREATE SEQUENCE vci_status_list_id_seq;
COMMENT ON SEQUENCE vci_status_list_id_seq IS 'Ids of vci_status_list';

CREATE TABLE vci_status_list (
    id         bigint PRIMARY KEY DEFAULT pg_catalog.nextval('openid4vci.vci_status_list_id_seq'),
    issuer_id  bigint NOT NULL,
    name       text COLLATE "C" NOT NULL UNIQUE,
    bits       integer NOT NULL CHECK (bits IN (1, 2, 4, 8)),
    size       integer NOT NULL,
    part       bigint NOT NULL,
    version    bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at  timestamptz
) WITH (fillfactor = 50);
ALTER SEQUENCE vci_status_list_id_seq OWNED BY vci_status_list.id;
CREATE UNIQUE INDEX vci_status_list_part_key ON vci_status_list (issuer_id, bits, size, part) WHERE closed_at IS NULL;
COMMENT ON TABLE vci_status_list IS 'Status lists (draft-ietf-oauth-status-list)';
COMMENT ON INDEX vci_status_list_part_key IS 'One open list for each range of positions';
COMMENT ON COLUMN vci_status_list.name IS 'Random, the last segment of its URI; the key of its permutation is derived from it';
COMMENT ON COLUMN vci_status_list.size IS 'Entries, a power of two';
COMMENT ON COLUMN vci_status_list.part IS 'It holds positions part * size and following';
COMMENT ON COLUMN vci_status_list.version IS 'Raised with each change of a status';
COMMENT ON COLUMN vci_status_list.closed_at IS 'No further credential gets an entry: after a restore, positions may be given again';

CREATE TABLE vci_status_chunk (
    list_id  bigint NOT NULL,
    chunk    integer NOT NULL,
    statuses bytea NOT NULL,
    PRIMARY KEY (list_id, chunk)
) WITH (fillfactor = 50);
ALTER TABLE vci_status_chunk ALTER COLUMN statuses SET STORAGE PLAIN;
COMMENT ON TABLE vci_status_chunk IS 'Statuses of a list, 1024 bytes a row, as the list is published; a missing row is all 0';

-- Campaigns: offers for many people at once, made in the background and handed to gateways.

CREATE SEQUENCE vci_campaign_id_seq;
COMMENT ON SEQUENCE vci_campaign_id_seq IS 'Ids of vci_campaign';

CREATE TABLE vci_campaign (
    id                bigint PRIMARY KEY DEFAULT pg_catalog.nextval('openid4vci.vci_campaign_id_seq'),
    issuer_id         bigint NOT NULL,
    name              text NOT NULL,
    configuration_ids text[] COLLATE "C" NOT NULL,
    recipients        text NOT NULL,
    tx_code           jsonb,
    expires_in        interval,
    pace              integer CHECK (pace BETWEEN 1 AND 100000000),
    labels            jsonb,
    channel           text COLLATE "C",
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by        name NOT NULL,
    loaded_at         timestamptz,
    started_at        timestamptz,
    paused_at         timestamptz,
    finished_at       timestamptz,
    cancelled_at      timestamptz,
    recipient_count   bigint NOT NULL DEFAULT 0,
    made_count        bigint NOT NULL DEFAULT 0,
    existing_count    bigint NOT NULL DEFAULT 0,
    failed_count      bigint NOT NULL DEFAULT 0,
    counted_at        timestamptz,
    rate              double precision,
    paced_until       timestamptz,
    CONSTRAINT vci_campaign_name_key UNIQUE (issuer_id, name)
) WITH (fillfactor = 50);
ALTER SEQUENCE vci_campaign_id_seq OWNED BY vci_campaign.id;
COMMENT ON TABLE vci_campaign IS 'Campaigns: who gets offers, of what, and how';
COMMENT ON COLUMN vci_campaign.recipients IS 'Query or relation that lists them; runs with the rights of created_by, restricted';
COMMENT ON COLUMN vci_campaign.tx_code IS 'NULL: no transaction code; else {length, mode, description}';
COMMENT ON COLUMN vci_campaign.expires_in IS 'Lifetime of each offer; NULL: offer_lifetime of the issuer';
COMMENT ON COLUMN vci_campaign.pace IS 'Offers a minute at most; NULL: as fast as they go';
COMMENT ON COLUMN vci_campaign.labels IS 'Put on each offer; a recipient''s own labels come over them';
COMMENT ON COLUMN vci_campaign.channel IS 'Of recipients that name none: sms, print, email ...';
COMMENT ON COLUMN vci_campaign.recipient_count IS 'Of vci_campaign_recipient; counted here with the next three, so that millions of rows are not counted at each look';
COMMENT ON COLUMN vci_campaign.existing_count IS 'Recipients whose reference had an offer already';
COMMENT ON COLUMN vci_campaign.counted_at IS 'When the last chunk was counted';
COMMENT ON COLUMN vci_campaign.rate IS 'Recipients a second, about the last half minute';
COMMENT ON COLUMN vci_campaign.paced_until IS 'When the pace lets the next chunk begin';

CREATE SEQUENCE vci_campaign_recipient_id_seq CACHE 32;
COMMENT ON SEQUENCE vci_campaign_recipient_id_seq IS 'Ids of vci_campaign_recipient';

CREATE TABLE vci_campaign_recipient (
    campaign_id   bigint NOT NULL,
    id            bigint NOT NULL DEFAULT pg_catalog.nextval('openid4vci.vci_campaign_recipient_id_seq'),
    offer_id      bigint,
    reference     text COLLATE "C" NOT NULL,
    subject_model text COLLATE "C",
    subject_id    text COLLATE "C",
    labels        jsonb,
    claims        jsonb,
    holder        text COLLATE "C",
    channel       text COLLATE "C",
    address       text,
    language      text COLLATE "C",
    failure       text,
    failed_at     timestamptz,
    delivery      text COLLATE "C" CHECK (delivery IN ('queued', 'taken', 'sent', 'delivered', 'failed')),
    delivery_at   timestamptz,
    delivery_note text,
    attempts      integer NOT NULL DEFAULT 0,
    sent_at       timestamptz,
    delivered_at  timestamptz,
    PRIMARY KEY (campaign_id, id),
    CONSTRAINT vci_campaign_recipient_reference_key UNIQUE (campaign_id, reference)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
ALTER SEQUENCE vci_campaign_recipient_id_seq OWNED BY vci_campaign_recipient.id;
CREATE INDEX vci_campaign_recipient_open ON vci_campaign_recipient (campaign_id, id) WHERE offer_id IS NULL AND failed_at IS NULL;
CREATE INDEX vci_campaign_recipient_queue ON vci_campaign_recipient (campaign_id, channel, id) WHERE delivery IN ('queued', 'taken');
CREATE INDEX vci_campaign_recipient_offer ON vci_campaign_recipient (offer_id) WHERE offer_id IS NOT NULL;
CREATE INDEX vci_campaign_recipient_failed ON vci_campaign_recipient (campaign_id, id) WHERE failed_at IS NOT NULL;
COMMENT ON TABLE vci_campaign_recipient IS 'Whom a campaign addresses, as its query listed them once, and how far each one is';
COMMENT ON INDEX vci_campaign_recipient_open IS 'Who has no offer yet';
COMMENT ON INDEX vci_campaign_recipient_failed IS 'Who gets none, and why';
COMMENT ON INDEX vci_campaign_recipient_queue IS 'What a gateway has to send';
COMMENT ON INDEX vci_campaign_recipient_offer IS 'To whom an offer went';
COMMENT ON COLUMN vci_campaign_recipient.claims IS 'Until the offer is made, which has them from then on';
COMMENT ON COLUMN vci_campaign_recipient.address IS 'Telephone number, e-mail address ...: what the gateway of the channel needs';
COMMENT ON COLUMN vci_campaign_recipient.failure IS 'Why no offer could be made';
COMMENT ON COLUMN vci_campaign_recipient.delivery IS 'NULL: there is no offer yet';
COMMENT ON COLUMN vci_campaign_recipient.delivery_at IS 'When it became so; of taken: until when the gateway has it';
COMMENT ON COLUMN vci_campaign_recipient.sent_at IS 'When a gateway first sent it';
COMMENT ON COLUMN vci_campaign_recipient.delivered_at IS 'When it was first delivered';
COMMENT ON COLUMN vci_campaign_recipient.delivery_note IS 'What the gateway said of it last';
COMMENT ON COLUMN vci_campaign_recipient.attempts IS 'How often a gateway took it';

-- The funnel counts what events tell, added up by vci_refresh_funnel, so that a report reads some
-- rows instead of millions.

CREATE TABLE vci_funnel (
    issuer_id   bigint NOT NULL,
    campaign_id bigint NOT NULL,
    day         date NOT NULL,
    label       text COLLATE "C" NOT NULL,
    value       text COLLATE "C" NOT NULL,
    step        text COLLATE "C" NOT NULL,
    bucket      integer NOT NULL,
    count       bigint NOT NULL,
    PRIMARY KEY (issuer_id, campaign_id, day, label, value, step, bucket)
) WITH (fillfactor = 70);
COMMENT ON TABLE vci_funnel IS 'How many offers reached which step';
COMMENT ON COLUMN vci_funnel.campaign_id IS '0: of no campaign';
COMMENT ON COLUMN vci_funnel.day IS 'UTC day on which the offer was made';
COMMENT ON COLUMN vci_funnel.label IS 'Name of one of the issuer''s report_labels; empty: all offers';
COMMENT ON COLUMN vci_funnel.value IS 'The label''s value as text; empty: all offers';
COMMENT ON COLUMN vci_funnel.bucket IS 'Of step latency: of how long it took from offer to credential; else 0';

CREATE TABLE vci_funnel_state (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    mark      bigint NOT NULL DEFAULT 0,
    expired_through timestamptz,
    as_of     timestamptz
);
COMMENT ON TABLE vci_funnel_state IS 'How far vci_refresh_funnel has come';
COMMENT ON COLUMN vci_funnel_state.mark IS 'Id of the last event that is counted';
COMMENT ON COLUMN vci_funnel_state.expired_through IS 'Offers that expired up to then are noted';
COMMENT ON COLUMN vci_funnel_state.as_of IS 'What was told until then is counted';

CREATE TABLE vci_database (
    singleton         boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    system_identifier bigint NOT NULL,
    database_oid      oid NOT NULL,
    adopted_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    adopted_by        name NOT NULL,
    event_key         bytea,
    root_key_id       text COLLATE "C",
    restored_at       timestamptz
);
COMMENT ON TABLE vci_database IS 'The one database that may issue: written with the first issuer, and dumped, so that a copy finds that it is another and stays paused until vci_adopt_database()';
COMMENT ON COLUMN vci_database.system_identifier IS 'Of pg_control_system()';
COMMENT ON COLUMN vci_database.event_key IS 'Key of the seals over events, sealed under the root key root_key_id; NULL before the first seal';
COMMENT ON COLUMN vci_database.restored_at IS 'When it was last adopted or brought back to an earlier state: DPoP proofs, and tokens of external servers not seen yet, that were made before are refused, because their use may be forgotten; NULL: never';

CREATE TABLE vci_purge_state (
    kind     text COLLATE "C" PRIMARY KEY,
    mark     bigint NOT NULL DEFAULT 0,
    swept_at timestamptz
);
COMMENT ON TABLE vci_purge_state IS 'How far vci_purge has come with each kind of row';
COMMENT ON COLUMN vci_purge_state.mark IS 'Id up to which the present sweep has looked';
COMMENT ON COLUMN vci_purge_state.swept_at IS 'When the last whole sweep ended';
INSERT INTO vci_purge_state (kind) VALUES ('kept_claims'), ('claims'), ('deferred'), ('token'),
    ('refresh_token'), ('authorization'), ('offer'), ('credential'), ('recipient_campaign'),
    ('recipient');

SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_configuration_number_seq', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_event_seal', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_database', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_status_position_seq', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_status_list', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_status_list_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_status_chunk', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_campaign', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_campaign_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_campaign_recipient', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_campaign_recipient_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_funnel', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_funnel_state', '');

-- Functions -------------------------------------------------------------------

CREATE FUNCTION vci_event_append_only() RETURNS trigger
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'vci_event_append_only';
COMMENT ON FUNCTION vci_event_append_only() IS 'Trigger: refuses (55000) UPDATE, DELETE and TRUNCATE of evidence; the DELETE of vci_purge alone passes';

CREATE FUNCTION vci_refresh_funnel(max_events integer DEFAULT 100000) RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_refresh_funnel';
COMMENT ON FUNCTION vci_refresh_funnel(integer) IS
'Brings vci_funnel_info and vci_latency_info up to date: notes which offers have expired (event offer_expired), at most max_events of them, and counts at most max_events (1 to 1000000) events that are not counted yet and settled, as vci_events has it. Returns how many both were; 0 also while another session is at it, so cron may call it as often as it likes. vci_purge and vci_campaign_run call it too. For all who read reports. Error 22023 (max_events).';

CREATE FUNCTION vci_recount_funnel() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_recount_funnel';
COMMENT ON FUNCTION vci_recount_funnel() IS
'Forgets what the funnel has counted, so that vci_refresh_funnel counts all events again: after report_labels was changed. Offers that were purged are not counted then. Error 55000 when events were purged. Duty issuer_admin for all issuers.';

CREATE FUNCTION vci_reapply_duties() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_reapply_duties';
COMMENT ON FUNCTION vci_reapply_duties() IS
'Gives each role of vci_duty exactly the privileges on this schema''s objects that its duties need, and takes others from it: after ALTER EXTENSION openid4vci UPDATE, and after a restore into a server whose roles came later. A role that does not exist is told in a WARNING. For the extension''s owner and superusers, in a READ COMMITTED transaction (25001).';

DROP FUNCTION vci_create_key(text, text);
CREATE FUNCTION vci_create_key(issuer text DEFAULT NULL, alg text DEFAULT 'ES256', state text DEFAULT 'active') RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_create_key';
COMMENT ON FUNCTION vci_create_key(text, text, text) IS
'Generates a signing key (ES256, ES384 or EdDSA), seals it under the root key and returns its kid (RFC 7638 thumbprint). state: active (it signs from now on) or next (it is published, and signs when vci_rotate_key or vci_alter_key activates it). Of the active keys the one that was activated last signs. Errors: 22023 (alg, state), 55000 with a hint when there is no root key.';

CREATE FUNCTION vci_import_key(private_key text, issuer text DEFAULT NULL, state text DEFAULT 'active', certificates text DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_import_key';
COMMENT ON FUNCTION vci_import_key(text, text, text, text) IS
'As vci_create_key, with a key that was made elsewhere. private_key: PEM (PKCS #8 or SEC 1, not encrypted) or a private JWK (RFC 7517), of P-256, P-384 or Ed25519. certificates: as for vci_set_key_certificates. Returns the kid, which is the thumbprint, whatever kid the JWK has. Errors: 22023 (what is given; the text tells nothing of the key), 42710 when the issuer has the key, 55000 when it had it and destroyed it, or without root key. An error keeps the statement out of the server''s log; log_statement does not.';

CREATE FUNCTION vci_destroy_key(kid text, issuer text DEFAULT NULL, unpublish boolean DEFAULT false) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_destroy_key';
COMMENT ON FUNCTION vci_destroy_key(text, text, boolean) IS
'Erases the private half of a retired key, for good; its public half stays published as before. unpublish true takes a key in any state, for one that leaked: it leaves JWKS, jwt-vc-issuer and did.json at once, and what it signed verifies no more. Of a destroyed key it does that alone. Backups, WAL and, until vacuum, the table hold the sealed private half still. Errors: 42704 (kid), 55000 (not retired, without unpublish).';

CREATE FUNCTION vci_rotate_key(issuer text DEFAULT NULL, alg text DEFAULT NULL, overlap interval DEFAULT '1 hour', OUT kid text, OUT state text) RETURNS record
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_rotate_key';
COMMENT ON FUNCTION vci_rotate_key(text, text, interval) IS
'Hands signing over to a new key in two steps, a call each, fit for cron. No next key: makes one (alg: that of the signing key) and returns it, state next. A next key (of this alg, when it is given) that has been published for overlap (0 to 10 years): activates it, retires all other active keys and returns it, state active. Errors: 55000 when the next key is younger than overlap (the detail says how long to wait), when it has no certificates and the signing key has, or without root key; 22023 (alg, overlap).';

CREATE FUNCTION vci_set_key_certificates(kid text, certificates text, issuer text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_set_key_certificates';
COMMENT ON FUNCTION vci_set_key_certificates(text, text, text) IS
'Attaches a certificate chain to a key; each credential that it signs carries it as x5c in its header (RFC 7515 section 4.1.6). certificates: PEM, 1 to 4, the key''s own first, each signed by the next and valid now; a self-signed one at the end is the trust anchor, which is left out (HAIP 1.0 section 6.1.1). NULL takes the chain away. Errors: 22023 (another key''s, self-signed, a gap, expired, not PEM), 42704 (kid), 55000 (a destroyed key).';

CREATE FUNCTION vci_key_csr(kid text, subject text DEFAULT NULL, issuer text DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vci_key_csr';
COMMENT ON FUNCTION vci_key_csr(text, text, text) IS
'A certificate signing request (PKCS #10, RFC 2986) in PEM, signed by the key. subject: as openssl req -subj takes it, /C=XX/O=Ministry/CN=registry.example; NULL: the host of the issuer URL as CN. Alternative names: that host, and the issuer URL as URI. Errors: 22023 (subject), 42704 (kid), 55000 (a destroyed key, or no root key).';

CREATE FUNCTION vci_revoke(
        credential bigint DEFAULT NULL, reason text DEFAULT NULL, offer bigint DEFAULT NULL,
        subject_model text DEFAULT NULL, subject_id text DEFAULT NULL, campaign text DEFAULT NULL,
        labels jsonb DEFAULT NULL, issuer text DEFAULT NULL, max_rows integer DEFAULT 100000) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'vci_revoke_credentials';
COMMENT ON FUNCTION vci_revoke(bigint, text, bigint, text, text, text, jsonb, text, integer) IS
'Revokes credentials for good and returns how many it changed: their place in the status list says 1 (draft-ietf-oauth-status-list section 7.1), for verifiers within status_list_ttl of the issuer. Which ones is said in one way: credential (vci_credential_info.id), offer (its id), subject_model and subject_id (model NULL: those recorded without one), campaign (its name), labels (the offer has them all), or campaign and labels. reason: for the registry alone, at most 1024 bytes. issuer: URL, NULL for that of credential or offer, or the only one. At most max_rows (1 to 1000000) are changed: call again, each time in a transaction of its own, until it returns 0. Credentials that are revoked already, have expired or were issued without status_bits stay as they are. Cancel the offer first (vci_cancel_offer) where nothing more is to come of it. Notes credential_revoked for each. Errors: 22023 (none or several ways), 42704 (unknown, or of an issuer for which the caller lacks the duty). Duty offerer. Not to be mixed up with vci_revoke(role, duty, issuer), which takes a duty back.';

CREATE FUNCTION vci_suspend(
        credential bigint DEFAULT NULL, reason text DEFAULT NULL, offer bigint DEFAULT NULL,
        subject_model text DEFAULT NULL, subject_id text DEFAULT NULL, campaign text DEFAULT NULL,
        labels jsonb DEFAULT NULL, issuer text DEFAULT NULL, max_rows integer DEFAULT 100000) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'vci_suspend';
COMMENT ON FUNCTION vci_suspend(bigint, text, bigint, text, text, text, jsonb, text, integer) IS
'Suspends valid credentials until vci_reinstate or vci_revoke, and returns how many it changed: their place in the status list says 2. Arguments and errors as of vci_revoke(credential); also 55000 when one that is meant has a list of 1 bit for each. Notes credential_suspended for each. Duty offerer.';

CREATE FUNCTION vci_reinstate(
        credential bigint DEFAULT NULL, reason text DEFAULT NULL, offer bigint DEFAULT NULL,
        subject_model text DEFAULT NULL, subject_id text DEFAULT NULL, campaign text DEFAULT NULL,
        labels jsonb DEFAULT NULL, issuer text DEFAULT NULL, max_rows integer DEFAULT 100000) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'vci_reinstate';
COMMENT ON FUNCTION vci_reinstate(bigint, text, bigint, text, text, text, jsonb, text, integer) IS
'Makes suspended credentials valid again and returns how many it changed; revoked ones stay revoked. Arguments and errors as of vci_revoke(credential). Notes credential_reinstated for each. Duty offerer.';

CREATE FUNCTION vci_credential_status(credential bigint, OUT status text, OUT value integer, OUT reason text,
                                      OUT changed_at timestamptz, OUT changed_by name, OUT uri text, OUT idx integer) RETURNS record
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'vci_credential_status';
COMMENT ON FUNCTION vci_credential_status(bigint) IS
'The status of a credential (vci_credential_info.id) now. status: valid, suspended, revoked, expired (and not revoked), or none when it was issued without status_bits. value: what its status list says, 0, 1 or 2; reason, changed_at, changed_by: of the last change, NULL when there was none; uri (NULL of a retired issuer) and idx: its place, as it carries it. Earlier changes are events. Error 42704 when there is no such credential of an issuer that the caller may read.';

CREATE FUNCTION vci_adopt_database() RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_adopt_database';
COMMENT ON FUNCTION vci_adopt_database() IS
'Lets this database issue where it is a copy of the one that did (a restored dump, a copy by CREATE DATABASE ... TEMPLATE, an upgraded cluster), which until then answers 503: binds it to this system identifier and database OID, voids every c_nonce and DPoP proof given out before, closes its status lists (those published stay; credentials get places in new ones), and returns true. False, with nothing changed, when it is bound already or has no issuer yet. The original must issue no more: both would redeem the same codes. After a restore call vci_after_restore first. Event database_adopted. Duty key_admin for all issuers.';

CREATE FUNCTION vci_after_restore(cut timestamptz, OUT pending bigint, OUT redeemed bigint) RETURNS record
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_after_restore';
COMMENT ON FUNCTION vci_after_restore(timestamptz) IS
'For a database that was brought back to the state it had at cut (an older dump, a point-in-time recovery, a promoted standby that had not received everything): what happened since is forgotten, so codes and tokens that wallets used in that time would be good again. Kills the link, codes and tokens of every offer created up to cut that can still lead to a credential, authorization requests under way, and every c_nonce and DPoP proof; tokens of external servers made before this moment and not seen yet are refused; status lists are closed, since places that were given in that time would be given again: credentials get theirs in new lists. pending: offers whose new link (vci_offer_uri) must be sent; redeemed: offers whose tokens died, for vci_reopen_offer. Nobody redeems while it runs. Errors: 22004 cut is null, 22023 it lies in the future, 25001 the transaction is not READ COMMITTED. Event database_restored. Duty key_admin for all issuers.';

CREATE FUNCTION vci_rotate_root_key() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_rotate_root_key';
COMMENT ON FUNCTION vci_rotate_root_key() IS
'Seals everything anew under the first root key (data keys of issuers, private signing keys, the key of the event seals), all or nothing, and returns how many rows it changed; 0 when all were sealed under it already. Codes, tokens and credentials stay good. Put the new key into the first line, keep the old lines until this has run, then take them away. Waits for whoever is making an issuer or a key, and they wait for it. Errors: 55000 when a key that sealed a row is not there, 25001 when the transaction is not READ COMMITTED. Event root_key_rotated, unless there was nothing to do. Duty key_admin for all issuers.';

DROP FUNCTION vci_purge(integer);
CREATE FUNCTION vci_purge(max_rows integer DEFAULT 10000, OUT kind text, OUT purged bigint,
        OUT remaining bigint) RETURNS SETOF record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE ROWS 12 AS 'MODULE_PATHNAME', 'vci_purge_batch';
COMMENT ON FUNCTION vci_purge(integer) IS
'One batch of forgetting: removes or changes at most max_rows rows that nobody needs any more, in all kinds together. A row a kind: purged, how many went; remaining, 0 when nothing is left that is due and free, else about how many rows are still to be removed or looked at, so that a caller repeats until their sum is 0. Kinds: nonce and dpop_proof (spent, and past their lifetime), kept_claims (made due, when an issuer keeps claims no more), claims (of offers and deferrals of which nothing more can be issued: erased unless the issuer has keep_claims), deferred, token and refresh_token (token_retention after their end), authorization (the same; not approved: a day), offer (offer_retention after its end), recipient (of a campaign: with its offer; without one offer_retention after the campaign''s end; where that is NULL address, claims and note are erased after 30 days), credential (credential_retention after its exp, and once its token is over), event (event_retention; whole segments, so up to 999 more than max_rows; new events are sealed first). Rows that somebody has locked are left to the next call; several calls may run at once and wait for nobody. Error 22023 when max_rows is not positive; 40001 under REPEATABLE READ when a row changed meanwhile. Duty issuer_admin or offerer for all issuers.';

DROP FUNCTION vci_events(bigint, integer);
CREATE FUNCTION vci_events(after bigint DEFAULT 0, max_rows integer DEFAULT 1000,
        OUT id bigint, OUT at timestamptz, OUT issuer text, OUT kind text, OUT offer_id bigint,
        OUT authorization_id bigint, OUT token_id bigint, OUT deferred_id bigint,
        OUT credential_id bigint, OUT key_id bigint, OUT role_name name, OUT duty text)
        RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 1000 AS 'MODULE_PATHNAME', 'vci_events';
COMMENT ON FUNCTION vci_events(bigint, integer) IS
'The events behind the id after, in the order of their ids, at most max_rows (1 to 100000), of the caller''s issuers; those that concern the database or all issuers (issuer NULL) for who has a reading duty for all. A program that remembers the last id it got and asks again from there misses none and gets none twice: events whose forerunners may still be on their way are held back until those transactions end.';

CREATE FUNCTION vci_seal_events(max_events integer DEFAULT 100000) RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_seal_events';
COMMENT ON FUNCTION vci_seal_events(integer) IS
'Seals the events that no transaction can add an earlier one to any more, at most max_events, in segments of at most 1000, and returns how many it sealed; 0 before the first issuer. For cron; vci_purge does it, too. One call at a time, others wait. Needs the root key (55000 without) and duty auditor, issuer_admin or offerer for all issuers; 40001 under REPEATABLE READ when others sealed meanwhile.';

CREATE FUNCTION vci_event_head() RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vci_event_head';
COMMENT ON FUNCTION vci_event_head() IS
'The newest seal over the events: its id, a dot, and its MAC in base64url; NULL before the first one. An auditor keeps it outside of the database and hands it to vci_verify_events later: with it, events and seals that were removed from the end are missed, too. Duty auditor for all issuers.';

CREATE FUNCTION vci_verify_events(head text DEFAULT NULL, OUT segments bigint, OUT events bigint,
        OUT broken_segment bigint, OUT problem text) RETURNS record
    LANGUAGE c STABLE PARALLEL SAFE COST 1000000 AS 'MODULE_PATHNAME', 'vci_verify_events';
COMMENT ON FUNCTION vci_verify_events(text) IS
'Checks every seal with its chain and every sealed event that was not purged. segments: how many segments are as they were sealed, purged ones among them; events: how many events were read for that. broken_segment: id of the first seal that breaks, problem: how (an event was changed, removed or added, a seal changed, forged or removed); both NULL when all is right. head: what vci_event_head gave earlier (22023 when it is malformed): that very seal has to be there. Writes nothing, so it runs on a standby; needs the root key (55000 without) and duty auditor for all issuers.';
CREATE FUNCTION vci_extend_offers(expires_at timestamptz, campaign bigint DEFAULT NULL,
        labels jsonb DEFAULT NULL, issuer text DEFAULT NULL, max_rows integer DEFAULT 10000) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'vci_extend_offers';
COMMENT ON FUNCTION vci_extend_offers(timestamptz, bigint, jsonb, text, integer) IS
'Lets pending and expired offers that expire before expires_at expire then, at most max_rows in one call, and returns how many: repeat it until it returns 0. Links stay the same; none is shortened. campaign: those of its recipients; labels: those whose labels contain this object (by index); one of the two at least (22023), both: those that fit both. issuer: URL, NULL for the campaign''s, or the only one. expires_at: in the future, at most 10 years off. Until the end of the transaction wallets wait for the offers that it changed. Notes offer_extended, or offer_revived where offer_expired was noted. Error 42704 when it is no campaign of an issuer of yours. Duty offerer.';

CREATE FUNCTION vci_cancel_offers(campaign bigint DEFAULT NULL, labels jsonb DEFAULT NULL,
        issuer text DEFAULT NULL, max_rows integer DEFAULT 10000) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'vci_cancel_offers';
COMMENT ON FUNCTION vci_cancel_offers(bigint, jsonb, text, integer) IS
'Cancels offers as vci_cancel_offer does, at most max_rows in one call, and returns how many: repeat it until it returns 0. What was issued stays: vci_revoke takes that back. Arguments as for vci_extend_offers. Notes offer_cancelled for each. Errors 22023 without campaign and labels, 42704 when it is no campaign of an issuer of yours. Duty offerer.';

-- Deliveries of campaigns ----------------------------------------------------------

CREATE FUNCTION vci_take_deliveries(campaign bigint DEFAULT NULL, channel text DEFAULT NULL,
        max_rows integer DEFAULT 1000, lease interval DEFAULT '10 minutes',
        OUT id bigint, OUT campaign_id bigint, OUT campaign_name text, OUT offer_id bigint,
        OUT reference text, OUT recipient_channel text, OUT address text, OUT language text,
        OUT link text, OUT expires_at timestamptz, OUT tx_code_required boolean,
        OUT attempts integer) RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 ROWS 1000 AS 'MODULE_PATHNAME', 'vci_take_deliveries';
COMMENT ON FUNCTION vci_take_deliveries(bigint, text, integer, interval) IS
'Hands deliveries to a gateway, each to one alone: they are taken until the lease (from now) ends, and queued again when nobody marked them by then. campaign: id, NULL for all of the caller''s issuers; channel: NULL for all; max_rows: 1 to 100000. id is what vci_mark_deliveries takes; recipient_channel is the recipient''s own or the campaign''s; link: what the person opens, a secret; tx_code_required: a transaction code goes to the person on another way; attempts: how often it was taken, this time too. A delivery whose offer is redeemed, cancelled, expired or purged is marked failed instead, with a note. Campaigns that are paused give none, nor do, where no campaign is given, those of issuers whose issuance is paused. Commit before sending. Errors 42704 when it is no campaign that you deliver, 55000 while issuance of the given campaign is paused or the database is a copy. Duty gateway, or offerer.';

CREATE FUNCTION vci_mark_deliveries(ids bigint[], delivery text, note text DEFAULT NULL,
        campaign bigint DEFAULT NULL) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'vci_mark_deliveries';
COMMENT ON FUNCTION vci_mark_deliveries(bigint[], text, text, bigint) IS
'Says what became of deliveries: sent, delivered or failed, with a note (at most 1000 bytes: what the operator said). Returns how many that changed. Marks may come twice, late and out of order: delivered stays so, sent after failed or delivered is nothing new, what a lease no longer holds may still be marked. ids: at most 100000, one of vci_take_deliveries or vci_delivery_queue each; 42704 names the first that is none of a campaign that the caller delivers, and nothing is marked. campaign: theirs, which spares looking in all. Notes offer_sent and offer_delivered (once for each), offer_undelivered. Duty gateway, or offerer.';

CREATE FUNCTION vci_resend(campaign bigint DEFAULT NULL, labels jsonb DEFAULT NULL,
        reference text DEFAULT NULL, delivery text DEFAULT NULL, issuer text DEFAULT NULL,
        max_rows integer DEFAULT 10000) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'vci_resend';
COMMENT ON FUNCTION vci_resend(bigint, jsonb, text, text, text, integer) IS
'Queues deliveries again whose offer is still pending, at most max_rows in one call, and returns how many: repeat it until it returns 0. campaign: its recipients; labels: those whose offer''s labels contain this object; reference: one recipient; one of the three at least (22023), several: those that fit all. delivery: only those that are sent, delivered or failed; NULL: all of these. The link stays the same. Error 42704 when it is no campaign of an issuer of yours. Duty offerer.';

CREATE FUNCTION vci_delivery_link(campaign bigint, id bigint) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'vci_delivery_link';
COMMENT ON FUNCTION vci_delivery_link(bigint, bigint) IS
'The link of a recipient''s offer, for vci_delivery_queue; NULL when the offer is not pending, or the caller does not deliver it. A secret. Error 55000 where the database is a copy. Duty gateway, or offerer.';

CREATE FUNCTION vci_delivery_tx_code(campaign bigint, id bigint) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'vci_delivery_tx_code';
COMMENT ON FUNCTION vci_delivery_tx_code(bigint, bigint) IS
'The transaction code of a recipient''s offer, derived and stored nowhere, for vci_delivery_tx_codes; NULL when the offer is not pending, asks for none, or has another one since vci_reset_tx_code, or the caller does not hand it out. A secret. Error 55000 where the database is a copy. Duty tx_code_gateway, or offerer.';

COMMENT ON FUNCTION vci_offer_uri(bigint, text) IS
'The link of an offer, rebuilt: openid-credential-offer://?credential_offer=... (by => ''value''), ?credential_offer_uri=... (by => ''reference''), or the short https link to the offer''s landing page, for messages and printed sheets (by => ''page''; error 55000 when that endpoint is switched off). A secret: who has it can redeem the offer. Also works when the offer is no longer pending.';
COMMENT ON FUNCTION vci_offer_qr(bigint, text, text) IS
'The QR code of the offer''s link as svg (an SVG document), terminal (UTF-8 half blocks) or png (a data: URI). by: reference, value or page (the link of the landing page, the shortest).';
COMMENT ON FUNCTION vci_offer_qr_png(bigint, text, integer) IS
'The QR code of the offer''s link as a PNG file. by: reference, value or page. scale: pixels a module, 1 to 32.';

CREATE FUNCTION vci_find_offer(code text) RETURNS bigint
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vci_find_offer';
COMMENT ON FUNCTION vci_find_offer(text) IS
'The id of the offer that a code belongs to; NULL when it is none of an issuer of the caller, or the offer is purged. code: a pre-authorized code, an issuer_state, or text with one in it, such as a whole link, by value, by reference or to the landing page; one that vci_rotate_code or vci_reopen_offer replaced finds its offer, too. What is forged is refused before any offer is read. A code is a secret: give it as a parameter, so that no log shows it.';

CREATE FUNCTION vci_holder_jwk(holder text) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vci_holder_jwk';
COMMENT ON FUNCTION vci_holder_jwk(text) IS
'The public JWK of a holder, for vci_issue_sdjwt and vci_issue_and_record. holder: a DID, or a DID URL that names one of its keys (did:jwk, did:key, did:web), or a public JWK, which is checked. Errors: 22023 (not a holder, not a key, several keys), 0A000 (a kind of key that is not taken), 42704 when the document of a did:web is not loaded; the hint says what to type.';

-- Campaigns ----------------------------------------------------------------------

CREATE FUNCTION vci_create_campaign(name text, configuration_ids text[], recipients text,
        options jsonb DEFAULT NULL, issuer text DEFAULT NULL) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_create_campaign';
COMMENT ON FUNCTION vci_create_campaign(text, text[], text, jsonb, text) IS
'Prepares offers for many people and returns the campaign''s id; nobody gets an offer yet. name: unique per issuer. configuration_ids: what each person is offered. recipients: schema.relation, or one SELECT that changes nothing, with a column reference (your own key of the person in this campaign, unique; text of at most 255 bytes) and, where wanted, subject_model, subject_id, labels (jsonb object), claims (jsonb), holder (a DID or public JWK), channel, address and language; other columns are refused by name. It runs with the rights of whoever gave it, restricted as a claims source is, with pg_catalog alone on its search_path, and each role that runs the campaign reads the same. options: tx_code ({length, mode, description}: each person gets a transaction code of 4 to 64 characters, 6 when it is not said, numeric or text; it is derived and stored nowhere), expires_in (an interval as text; NULL for offer_lifetime of the issuer), pace (offers a minute at most), labels (of each offer; a person''s own come over them), channel (of who names none, such as sms, print, email). issuer: URL, NULL for the only one. Errors: 22023, 42704 (unknown configuration), 42710 (the name is taken), 55000 (no active key), and those of the query. Duty offerer, which the giver of recipients must keep.';

CREATE FUNCTION vci_alter_campaign(campaign bigint, changes jsonb) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_alter_campaign';
COMMENT ON FUNCTION vci_alter_campaign(bigint, jsonb) IS
'Changes a campaign: name, configuration_ids (array), recipients, tx_code, expires_in, pace, labels, channel, as vci_create_campaign has them; null goes back to the default. What is changed is true of offers made from then on. Another query runs with the rights of whoever gives it here; who has no offer yet is forgotten and read again. Waits for the chunks that are being made. Errors: 22023, 42704, 42710, 55000 (cancelled; or offers were made and configuration_ids or tx_code would change). Duty offerer.';

CREATE FUNCTION vci_pause_campaign(campaign bigint) RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_pause_campaign';
COMMENT ON FUNCTION vci_pause_campaign(bigint) IS
'Stops a campaign: no offer is made once this is committed, whoever runs it stops, and nothing of it is handed to gateways. Waits for the chunks that are being made, and for its recipients to be loaded. False when it was paused or cancelled already. Error 42704. Duty offerer.';

CREATE FUNCTION vci_resume_campaign(campaign bigint, reload boolean DEFAULT false) RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_resume_campaign';
COMMENT ON FUNCTION vci_resume_campaign(bigint, boolean) IS
'Ends a pause; vci_campaign_run goes on then. reload: its recipients are read again, so that people who are new among them get offers, and those who could get none are tried again with what the query says of them now; who has an offer keeps it, and what is not yet made stays as it was read. That also opens a finished campaign. False when there was nothing to do. Errors: 42704, 55000 (cancelled). Duty offerer.';

CREATE FUNCTION vci_cancel_campaign(campaign bigint, max_rows integer DEFAULT 100000) RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_cancel_campaign';
COMMENT ON FUNCTION vci_cancel_campaign(bigint, integer) IS
'Ends a campaign for good, and cancels its offers of which nothing was issued yet, at most max_rows of them, noting offer_cancelled; returns how many. Call it again until it returns 0, each time in a transaction of its own. No further offer is made. What was issued stays as it is: vci_revoke takes it back. Errors: 22023, 42704. Duty offerer.';

CREATE FUNCTION vci_check_campaign(campaign bigint, max_failures integer DEFAULT 100,
        OUT outcome text, OUT recipients bigint, OUT reference text, OUT reason text) RETURNS SETOF record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE ROWS 100 AS 'MODULE_PATHNAME', 'vci_check_campaign';
COMMENT ON FUNCTION vci_check_campaign(bigint, integer) IS
'Tries a campaign without changing anything: reads its recipients and looks, by the code that makes the offers, what would come of each. First a row (outcome failure) for each of the first max_failures (0 to 100000) people for whom no offer could be made, with reference and reason; then five with numbers: recipients, new offers, existing offers (their reference has one), repeated references (only the first row of each counts), failures. Errors: 22023, 42704, 55000 (no active key), and those of the query. Duty offerer.';

CREATE PROCEDURE vci_campaign_run(campaign bigint, max_rows bigint DEFAULT NULL)
    LANGUAGE c AS 'MODULE_PATHNAME', 'vci_campaign_run';
COMMENT ON PROCEDURE vci_campaign_run(bigint, bigint) IS
'Makes the offers of a campaign: reads its recipients, once, then makes offers by chunks of at most 1000, each committed, at its pace, until it is finished, paused or cancelled, or max_rows people were dealt with. Tells its progress as NOTICEs. Whatever ends it, power failure too: call it again, and it goes on where it was; nobody gets two offers. Several sessions may run one campaign. Who can get no offer is left out with the reason in vci_campaign_failure_info. Runs vci_refresh_funnel now and then. Not within a transaction (2D000): vci_campaign_step is for that. Errors: 22004 (a row without reference), 22023, 42704 (unknown campaign, configuration retired), 55000 (no active key; who gave the query makes no offers any more), and those of the query. Duty offerer.';

CREATE FUNCTION vci_campaign_step(campaign bigint, max_rows integer DEFAULT 1000,
        OUT state text, OUT loaded bigint, OUT made bigint, OUT existing bigint, OUT failed bigint,
        OUT remaining bigint, OUT wait_seconds double precision) RETURNS record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_campaign_step';
COMMENT ON FUNCTION vci_campaign_step(bigint, integer) IS
'One step of a campaign in the caller''s transaction, for who can''t CALL vci_campaign_run (Odoo, pgbouncer, a scheduler with transactions of its own): loads its recipients, or makes offers for at most max_rows people, no more than 1000. Returns state as vci_campaign_info has it, what this step did (loaded, made, existing, failed), how many people remain, and wait_seconds, before which its pace, or others who are at the rest, leave nothing to do. Repeat it in new transactions until state is finished, paused or cancelled. Errors as of vci_campaign_run; 40001 under REPEATABLE READ when others run the campaign, too: try again. Duty offerer.';

CREATE FUNCTION vci_offer_situation(offer_id bigint, OUT situation text, OUT until timestamptz,
        OUT obstacle text, OUT next_action text, OUT actions text[]) RETURNS record
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vci_offer_situation';
COMMENT ON FUNCTION vci_offer_situation(bigint) IS
'How it stands with an offer, for a help desk. situation: pending, delayed (a wrong transaction code just now: none is taken before until), locked (too many wrong ones), expired, redeemed (the wallet may fetch), deferred (waits for a decision or the claims source), ready (the wallet may fetch what waited), denied, lapsed (a wallet redeemed it and fetched nothing), issued, cancelled, issuer_retired. until: when that ends by itself, NULL: it does not. obstacle: what keeps a wallet that does all right from its credential now: copy (of the issuing database), paused, no_key, configuration_retired, holder_unknown (did:web, its document is not loaded); NULL: nothing. next_action: the function that helps most, NULL when there is nothing to do but wait. actions: the functions of offers that take effect now. Error 42704 when it is no offer of an issuer that the caller may read.';

CREATE FUNCTION vci_person(reference text DEFAULT NULL, subject_model text DEFAULT NULL,
        subject_id text DEFAULT NULL, issuer text DEFAULT NULL,
        OUT kind text, OUT offer_id bigint, OUT deferred_id bigint, OUT credential_id bigint,
        OUT campaign text, OUT configuration_ids text[], OUT at timestamptz, OUT situation text,
        OUT summary text, OUT problem text, OUT next_action text) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 10 AS 'MODULE_PATHNAME', 'vci_person';
COMMENT ON FUNCTION vci_person(text, text, text, text) IS
'Everything of one person, for a help desk: a row for each offer, deferred credential and credential, and (kind recipient) for each campaign that has made no offer for the person, of each kind the latest 100, latest first. Who: the reference of offers and campaigns, or subject_id, with subject_model where ids of several models can be the same; both: what fits both. issuer: URL, NULL for the only one. kind: recipient, offer, deferred, credential. situation: of an offer as vci_offer_situation tells it, of a deferred one as vci_deferred_info, of a credential valid, suspended, revoked or expired, of a recipient waiting or failed. summary: the same in a sentence. problem: why the last attempt failed (a wrong PIN, a message that was not delivered and why, what the wallet told, why it was denied, suspended or revoked, why no offer could be made, what stops all wallets now); NULL: nothing did. next_action: the function that helps most; NULL: there is nothing to do. No secret, no claim, no address. Errors 22023 without reference and subject_id, 42704 for an unknown issuer. Duty: any that reads.';

CREATE FUNCTION vci_issuer_settings(issuer text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vci_issuer_settings';
COMMENT ON FUNCTION vci_issuer_settings(text) IS
'The settings of an issuer (URL; NULL: the only one) that are in force: named as vci_alter_issuer names them, with the profile''s default where the issuer has none of its own, which vci_issuer_info shows as NULL. endpoints: of each, switched off or not, {enabled, url}. Retentions are in vci_issuer_info.';

COMMENT ON FUNCTION vci_grant(name, text, text) IS
'Gives a role a duty: endpoint (run vci_http), offerer (offers, issuing, verifying), issuer_admin (issuers, configurations, wallets, servers, purging), key_admin (signing keys, root key, copies), verifier (proofs and presentations), reporter (views, health), auditor (views, sealed events, who has which duty), backup (SELECT on what pg_dump reads), gateway (deliveries of campaigns: addresses and links) or tx_code_gateway (their transaction codes, apart). issuer: URL of the one issuer it is limited to, NULL for all (backup: always all). Twice is once. For the extension''s owner and superusers; an issuer_admin gives endpoint, offerer, verifier, reporter, gateway and tx_code_gateway within its own limits. 42704 when there is no such role or issuer, 22023 when there is no such duty.';
COMMENT ON FUNCTION vci_duty_issuers(text) IS
'Ids of the issuers for which the caller has the duty, and 0 when it has it for all, those to come too; empty when it has it for none. reporter is part of offerer, issuer_admin, key_admin and auditor; gateway and tx_code_gateway of offerer. The views filter by it.';
COMMENT ON FUNCTION vci_alter_issuer(jsonb, text) IS
'Changes settings of an issuer (URL; NULL: the only one). Members: profile, display, base_path, iss_did_web (boolean), issuance_paused (boolean), notify_events (boolean: each event also by NOTIFY openid4vci); in seconds offer_lifetime, access_token_lifetime, refresh_token_lifetime (null: no refresh tokens), c_nonce_lifetime, retry_window, time_rounding, proof_max_age, tx_code_retry_delay, deferred_interval, deferred_lifetime, status_list_ttl (within which verifiers see a changed status), status_list_lifetime (of a status list token; not less than status_list_ttl), dpop_proof_max_age, authorization_request_lifetime, authorization_code_lifetime; counts tx_code_max_failures, batch_size, status_list_size (entries of new status lists, a power of two), authorization_request_rate (a minute); keep_claims (boolean: vci_purge erases no claims); in seconds after the end token_retention (null: 30 days), offer_retention, credential_retention, event_retention (null: for good); dpop (off, optional, required), dpop_nonce (boolean); login_url (the registry''s own login-and-consent page) or authenticate (schema.function(jsonb) returns jsonb, who answers for the built-in page and runs as its owner) with login_fields (array of 1 to 8 {name, type (text, password, tel, email, date, number), label or display [{locale, name}], required}). endpoints: object by endpoint name (token, nonce, credential, batch_credential, deferred_credential, notification, authorize, par, consent, offer, jwks, status_list) of {enabled, path (replaces base_path and name), base_url (replaces the issuer URL)}; names that are left out stay as they are. A null member goes back to the profile''s default; unknown members are refused (22023), as is a URL where another issuer has an endpoint (42710).';
COMMENT ON FUNCTION vci_alter_key(text, text, text) IS
'Sets the state of a key: active (it signs from now on; of a retired key that undoes its retirement) or retired (it signs no more, and stays published until published_until of vci_key_info: as long as the longest validity of any configuration lasts, or status_list_lifetime where there are status lists, and an hour, for good when a configuration has none; a key that was next is published no more). The state that it has changes nothing. Retiring the last active key is a WARNING, because issuance stops. Errors: 22023 (state), 42704 (kid), 55000 (a destroyed key).';
COMMENT ON FUNCTION vci_retire_key(text, text) IS
'Short for vci_alter_key(kid, ''retired''): the key signs no more and stays published while what it signed is good.';
COMMENT ON FUNCTION vci_create_configuration(text, text, jsonb, jsonb, jsonb, jsonb, text, interval, text, text, text, text, jsonb) IS
'Creates a credential configuration and returns its id. always_disclosed, selectively_disclosable: arrays of claims path pointers (a name, or an array of names, array positions and null for all elements); a top-level claim that neither names is selectively disclosable. claims: array of {path, mandatory, display}. display: array of {name, locale, logo, background_color, text_color, description}. claims_source: schema.function(text, text) returning jsonb, maps (subject model, subject id) to claims at issuance and runs as its owner. validity: from iat to exp, NULL for none. format: dc+sd-jwt or vc+sd-jwt. scope: NULL for the id. binding: required, optional or absent. options: decoys (0 to 64 per credential), older (array of format_request, singular_proof, untyped_proof, vc_sd_jwt, metadata, holder_without_proof, credential_definition; default by profile: openspp the first five, final none; credential_definition publishes the configuration in the shape of OpenSPP''s guide alone), deferred (boolean: each issuance waits for vci_deferred_complete), status_bits (1, 2, 4 or 8: its credentials carry a place in a status list, so that vci_revoke and, from 2 bits on, vci_suspend can reach them; then only ways that keep a record issue), w3c_status (boolean: they also carry credentialStatus for W3C Bitstring Status List; needs status_bits), vct_integrity (boolean: they carry the digest of their type metadata).';
COMMENT ON FUNCTION vci_issue_sdjwt(text, jsonb, jsonb, text) IS
'Signs an SD-JWT VC (RFC 9901) over claims under a configuration, bound to holder_jwk (public JWK; NULL only where the configuration''s binding is not required). Writes nothing. Reserved claims are refused (22023). Error 55000 for a configuration with status_bits: a place in a status list needs the record that vci_issue_and_record makes.';
COMMENT ON FUNCTION vci_issue_and_record(text, jsonb, jsonb, text, text, text) IS
'As vci_issue_sdjwt, and records the credential in vci_credential; of a configuration with status_bits it gets its place in a status list. With a subject and a claims source the claims come from there; error 55000 when it says "not yet".';
COMMENT ON FUNCTION vci_verify_sdjwt(text, text, text, jsonb, boolean, interval) IS
'Verifies an SD-JWT or SD-JWT+KB (RFC 9901 section 7). issuer_jwks: JWK set or JWK of its issuer, NULL for the keys of the issuers here for which the caller has duty verifier or offerer (iss must then be one of them). require_key_binding: NULL means when nonce or audience are expected. Returns {valid, error, error_description, claims, header, issuer, key_binding}; claims are what was disclosed. Of a credential of an issuer here for which the caller verifies, with a place in a status list, the status counts as it is now: error is revoked, suspended, or status_unknown when there is no such place.';
COMMENT ON FUNCTION vci_health() IS
'One row a check for a monitoring probe: root_key (can it be read, and does it open everything?), database (is this the one that issues, or a copy?), keys, certificates (absent when no signing key has any; not ok from 30 days before the first ends), issuance (is an issuer paused?), authorization_servers (are the keys of each external one loaded? absent when there is none), clock, writable, durability (fsync, full_page_writes, and synchronous_commit of this session), nonces, events (does somebody seal them?), duties (has each role what its duty needs?). ok false needs somebody.';

-- Triggers --------------------------------------------------------------------

CREATE TRIGGER vci_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON vci_event
    FOR EACH STATEMENT EXECUTE FUNCTION vci_event_append_only();
CREATE TRIGGER vci_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON vci_event_seal
    FOR EACH STATEMENT EXECUTE FUNCTION vci_event_append_only();
ALTER TABLE vci_event ENABLE ALWAYS TRIGGER vci_event_append_only;
ALTER TABLE vci_event_seal ENABLE ALWAYS TRIGGER vci_event_append_only;
CREATE TRIGGER vci_drop_caches AFTER INSERT OR UPDATE OR DELETE ON vci_database
    FOR EACH ROW EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches_all AFTER TRUNCATE ON vci_database
    FOR EACH STATEMENT EXECUTE FUNCTION vci_drop_caches();
ALTER TABLE vci_database ENABLE ALWAYS TRIGGER vci_drop_caches;
ALTER TABLE vci_database ENABLE ALWAYS TRIGGER vci_drop_caches_all;
COMMENT ON TRIGGER vci_event_append_only ON vci_event IS 'Evidence: rows are only added; vci_purge removes those whose time is over';
COMMENT ON TRIGGER vci_event_append_only ON vci_event_seal IS 'Evidence: rows are only added';
COMMENT ON TRIGGER vci_drop_caches ON vci_database IS 'Drops the backends'' caches, a row at a time because a replication worker fires no statement triggers';
COMMENT ON TRIGGER vci_drop_caches_all ON vci_database IS 'Drops the backends'' caches';

-- Views: columns are only ever appended ---------------------------------------

CREATE OR REPLACE VIEW vci_issuer_info WITH (security_barrier) AS
    SELECT i.id, i.url, i.base_path, i.profile, i.iss_did_web, i.offer_lifetime,
           i.access_token_lifetime, i.c_nonce_lifetime, i.retry_window, i.time_rounding,
           i.proof_max_age, i.tx_code_max_failures, i.batch_size, i.display,
           i.created_at, i.retired_at, i.dpop, i.dpop_nonce, i.dpop_proof_max_age,
           i.refresh_token_lifetime, i.authorization_request_lifetime,
           i.authorization_code_lifetime, i.authorization_request_rate, i.tx_code_retry_delay,
           i.deferred_interval, i.deferred_lifetime, i.login_url, i.authenticate, i.login_fields,
           i.endpoints, i.issuance_paused, i.notify_events, i.keep_claims, i.token_retention,
           i.offer_retention, i.credential_retention, i.event_retention,
           i.status_list_size, i.status_list_ttl, i.status_list_lifetime, i.wallet_url, i.report_labels
    FROM openid4vci.vci_issuer i
    WHERE i.id = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[]);

CREATE OR REPLACE VIEW vci_key_info WITH (security_barrier) AS
    SELECT k.id, k.issuer_id, i.url AS issuer, k.kid, k.alg, k.state, k.public_jwk,
           k.created_at, k.retired_at, k.activated_at, k.destroyed_at, k.published_until, k.x5c
    FROM openid4vci.vci_key k JOIN openid4vci.vci_issuer i ON i.id = k.issuer_id
    WHERE k.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[]);

CREATE OR REPLACE VIEW vci_configuration_info WITH (security_barrier) AS
    SELECT c.issuer_id, i.url AS issuer, c.id, c.format, c.vct, c.scope, c.validity, c.binding,
           c.older, c.decoys, c.always_disclosed, c.selectively_disclosable, c.claims, c.display,
           c.claims_source, c.created_at, c.retired_at, c.deferred, c.number,
           c.status_bits, c.w3c_status, c.vct_integrity
    FROM openid4vci.vci_configuration c JOIN openid4vci.vci_issuer i ON i.id = c.issuer_id
    WHERE c.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[]);

CREATE OR REPLACE VIEW vci_offer_info WITH (security_barrier) AS
    SELECT o.id, o.issuer_id, i.url AS issuer,
           CASE WHEN o.cancelled_at IS NOT NULL THEN 'cancelled'
                WHEN o.redeemed_at IS NOT NULL THEN 'redeemed'
                WHEN o.expires_at <= pg_catalog.clock_timestamp() THEN 'expired'
                ELSE 'pending' END COLLATE "C" AS state,
           o.configuration_ids, o.subject_model, o.subject_id, o.reference, o.labels,
           o.holder_did, o.tx_code_verifier IS NOT NULL AS tx_code_required, o.tx_code_failures,
           o.tx_code_verifier IS NOT NULL
               AND o.tx_code_failures >= COALESCE(i.tx_code_max_failures, 5) AS locked,
           o.created_at, o.expires_at, o.redeemed_at, o.issued_at, o.cancelled_at, o.created_by,
           o.grants, o.client_id, o.authorization_server,
           COALESCE(pg_catalog.jsonb_array_length(o.datasets), 0) AS datasets, o.ends_at,
           o.claims_erased_at, o.tx_code_failed_at, o.campaign_id, o.opened_at
    FROM openid4vci.vci_offer o JOIN openid4vci.vci_issuer i ON i.id = o.issuer_id
    WHERE o.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[]);

CREATE OR REPLACE VIEW vci_credential_info WITH (security_barrier) AS
    SELECT c.id, c.issuer_id, i.url AS issuer, c.configuration_id, c.format, c.offer_id,
           c.subject_model, c.subject_id, c.holder_thumbprint, k.kid, c.issued_at, c.expires_at,
           c.issued_by, c.dataset, c.instance, c.notification, c.notification_description,
           c.notified_at,
           CASE WHEN c.status_list_id IS NULL THEN 'none'
                WHEN c.status = 1 THEN 'revoked'
                WHEN c.expires_at <= pg_catalog.clock_timestamp() THEN 'expired'
                WHEN c.status = 2 THEN 'suspended'
                ELSE 'valid' END COLLATE "C" AS status,
           c.status_list_id, c.status_index, c.status_changed_at, c.status_changed_by,
           c.status_reason
    FROM openid4vci.vci_credential c
         JOIN openid4vci.vci_issuer i ON i.id = c.issuer_id
         JOIN openid4vci.vci_key k ON k.id = c.key_id
    WHERE c.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[]);

CREATE OR REPLACE VIEW vci_event_info WITH (security_barrier) AS
    SELECT e.id, e.at, e.issuer_id, i.url AS issuer, e.kind, e.offer_id, e.authorization_id,
           e.token_id, e.deferred_id, e.credential_id, e.actor, e.key_id, e.role_name, e.duty
    FROM openid4vci.vci_event e LEFT JOIN openid4vci.vci_issuer i ON i.id = e.issuer_id
    WHERE COALESCE(e.issuer_id, 0) = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[]);
COMMENT ON VIEW vci_event_info IS 'All events, for reports; a program that must miss none reads vci_events. Those of no issuer are for who reads all issuers';

CREATE VIEW vci_campaign_info WITH (security_barrier) AS
    SELECT c.id, c.issuer_id, i.url AS issuer, c.name,
           CASE WHEN c.cancelled_at IS NOT NULL THEN 'cancelled'
                WHEN c.finished_at IS NOT NULL THEN 'finished'
                WHEN c.paused_at IS NOT NULL THEN 'paused'
                WHEN c.started_at IS NOT NULL THEN 'running'
                WHEN c.loaded_at IS NOT NULL THEN 'loaded'
                ELSE 'draft' END COLLATE "C" AS state,
           c.configuration_ids, c.recipients, c.tx_code, c.expires_in, c.pace, c.labels, c.channel,
           c.recipient_count AS people, c.made_count AS made, c.existing_count AS existing,
           c.failed_count AS failed,
           c.recipient_count - c.made_count - c.existing_count - c.failed_count AS remaining,
           p.rate,
           pg_catalog.make_interval(secs => (c.recipient_count - c.made_count - c.existing_count - c.failed_count) / p.rate) AS time_left,
           c.created_at, c.created_by, c.loaded_at, c.started_at, c.paused_at, c.finished_at,
           c.cancelled_at
    FROM openid4vci.vci_campaign c JOIN openid4vci.vci_issuer i ON i.id = c.issuer_id
         CROSS JOIN LATERAL (
             SELECT CASE WHEN c.rate > 0 AND c.paused_at IS NULL AND c.finished_at IS NULL
                              AND c.cancelled_at IS NULL
                              AND c.counted_at > pg_catalog.clock_timestamp() - interval '2 minutes'
                         THEN c.rate END AS rate) p
    WHERE c.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[]);
COMMENT ON VIEW vci_campaign_info IS
'Campaigns: state (draft, loaded, running, paused, finished, cancelled), how many people they address (known once they are loaded), how many of them got an offer, had one, could get none, and remain; people a second and time left while somebody runs it. What became of the offers: vci_funnel_info.';

CREATE VIEW vci_campaign_failure_info WITH (security_barrier) AS
    SELECT r.campaign_id, r.id, c.issuer_id, c.name AS campaign, r.reference, r.subject_model,
           r.subject_id, r.failure, r.failed_at
    FROM openid4vci.vci_campaign_recipient r
         JOIN openid4vci.vci_campaign c ON c.id = r.campaign_id
    WHERE r.failed_at IS NOT NULL
          AND c.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[]);
COMMENT ON VIEW vci_campaign_failure_info IS
'People for whom a campaign could make no offer, and why. vci_resume_campaign(campaign, reload => true) tries them again.';

CREATE VIEW vci_funnel_info WITH (security_barrier) AS
    SELECT f.issuer_id, i.url AS issuer, c.id AS campaign_id,
           c.name AS campaign, f.day, f.label, f.value,
           COALESCE(pg_catalog.sum(f.count) FILTER (WHERE f.step = 'created'), 0)::bigint AS created,
           COALESCE(pg_catalog.sum(f.count) FILTER (WHERE f.step = 'sent'), 0)::bigint AS sent,
           COALESCE(pg_catalog.sum(f.count) FILTER (WHERE f.step = 'delivered'), 0)::bigint AS delivered,
           COALESCE(pg_catalog.sum(f.count) FILTER (WHERE f.step = 'undelivered'), 0)::bigint AS undelivered,
           COALESCE(pg_catalog.sum(f.count) FILTER (WHERE f.step = 'opened'), 0)::bigint AS opened,
           COALESCE(pg_catalog.sum(f.count) FILTER (WHERE f.step = 'redeemed'), 0)::bigint AS redeemed,
           COALESCE(pg_catalog.sum(f.count) FILTER (WHERE f.step = 'issued'), 0)::bigint AS issued,
           COALESCE(pg_catalog.sum(f.count) FILTER (WHERE f.step = 'accepted'), 0)::bigint AS accepted,
           COALESCE(pg_catalog.sum(f.count) FILTER (WHERE f.step = 'failed'), 0)::bigint AS failed,
           COALESCE(pg_catalog.sum(f.count) FILTER (WHERE f.step = 'locked'), 0)::bigint AS locked,
           COALESCE(pg_catalog.sum(f.count) FILTER (WHERE f.step = 'expired'), 0)::bigint AS expired,
           COALESCE(pg_catalog.sum(f.count) FILTER (WHERE f.step = 'cancelled'), 0)::bigint AS cancelled,
           COALESCE(pg_catalog.sum(f.count) FILTER (WHERE f.step = 'reopened'), 0)::bigint AS reopened,
           COALESCE(pg_catalog.sum(f.count) FILTER (WHERE f.step = 'revoked'), 0)::bigint AS revoked,
           (SELECT s.as_of FROM openid4vci.vci_funnel_state s) AS as_of
    FROM openid4vci.vci_funnel f
         JOIN openid4vci.vci_issuer i ON i.id = f.issuer_id
         LEFT JOIN openid4vci.vci_campaign c ON c.id = f.campaign_id
    WHERE f.step <> 'latency'
          AND f.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[])
    GROUP BY f.issuer_id, i.url, c.id, c.name, f.day, f.label, f.value;
COMMENT ON VIEW vci_funnel_info IS
'How many offers came how far, by campaign (NULL: of none), day on which they were made (UTC), and label: rows with an empty label count all offers, the others those with this value of one of the issuer''s report_labels. As of as_of: the last vci_refresh_funnel, or the last event that it came to when there were more. opened: the button of the landing page was pressed; redeemed: redemptions, also after reopened; issued: the first credential came; accepted, failed: what wallets told; expired: without those that were extended since; revoked: credentials.';

CREATE VIEW vci_latency_info WITH (security_barrier) AS
    SELECT b.issuer_id, b.issuer, b.campaign_id, b.campaign, b.day, b.label, b.value,
           pg_catalog.max(b.total)::bigint AS issued,
           pg_catalog.make_interval(secs => pg_catalog.min(b.seconds) FILTER (WHERE b.below >= 0.5 * b.total)) AS p50,
           pg_catalog.make_interval(secs => pg_catalog.min(b.seconds) FILTER (WHERE b.below >= 0.9 * b.total)) AS p90,
           pg_catalog.make_interval(secs => pg_catalog.min(b.seconds) FILTER (WHERE b.below >= 0.99 * b.total)) AS p99
    FROM (SELECT f.issuer_id, i.url AS issuer, c.id AS campaign_id, c.name AS campaign, f.day, f.label, f.value,
                 pg_catalog.round((pg_catalog.power(2::float8, (f.bucket + 1) / 8.0::float8) - 1)::numeric, 1)::float8 AS seconds,
                 pg_catalog.sum(f.count) OVER (PARTITION BY f.issuer_id, i.url, c.id, c.name, f.day, f.label, f.value
                                               ORDER BY f.bucket) AS below,
                 pg_catalog.sum(f.count) OVER (PARTITION BY f.issuer_id, i.url, c.id, c.name, f.day, f.label, f.value) AS total
          FROM openid4vci.vci_funnel f
               JOIN openid4vci.vci_issuer i ON i.id = f.issuer_id
               LEFT JOIN openid4vci.vci_campaign c ON c.id = f.campaign_id
          WHERE f.step = 'latency'
                AND f.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[])) b
    GROUP BY b.issuer_id, b.issuer, b.campaign_id, b.campaign, b.day, b.label, b.value;
COMMENT ON VIEW vci_latency_info IS
'How long it took from an offer to its first credential, for half of the people (p50), nine of ten (p90) and all but one in a hundred (p99), by campaign, day and label as vci_funnel_info has them. Counted in buckets: up to 9 % more than it was.';

CREATE VIEW vci_delivery_queue WITH (security_barrier) AS
    SELECT r.id, r.campaign_id, c.name AS campaign, c.issuer_id, i.url AS issuer, r.offer_id,
           r.reference, COALESCE(r.channel, c.channel) AS channel, r.address, r.language,
           openid4vci.vci_delivery_link(r.campaign_id, r.id) AS link, o.expires_at,
           o.tx_code_verifier IS NOT NULL AS tx_code_required, r.delivery, r.delivery_at, r.attempts
    FROM openid4vci.vci_campaign_recipient r
         JOIN openid4vci.vci_campaign c ON c.id = r.campaign_id
         JOIN openid4vci.vci_issuer i ON i.id = c.issuer_id
         JOIN openid4vci.vci_offer o ON o.id = r.offer_id
    WHERE r.delivery IN ('queued', 'taken') AND o.cancelled_at IS NULL AND o.redeemed_at IS NULL
          AND o.expires_at > pg_catalog.clock_timestamp()
          AND c.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('gateway'))::bigint[]);
COMMENT ON VIEW vci_delivery_queue IS
'Deliveries of campaigns that are queued, or taken by a gateway (until delivery_at), with their links. A gateway takes them by vci_take_deliveries, so that none is sent twice; who prints sheets reads this. For gateway and offerer.';

CREATE VIEW vci_delivery_tx_codes WITH (security_barrier) AS
    SELECT r.id, r.campaign_id, c.name AS campaign, c.issuer_id, i.url AS issuer, r.reference,
           COALESCE(r.channel, c.channel) AS channel, r.address, r.language, t.tx_code,
           r.delivery, r.delivery_at
    FROM openid4vci.vci_campaign_recipient r
         JOIN openid4vci.vci_campaign c ON c.id = r.campaign_id
         JOIN openid4vci.vci_issuer i ON i.id = c.issuer_id
         CROSS JOIN LATERAL openid4vci.vci_delivery_tx_code(r.campaign_id, r.id) AS t (tx_code)
    WHERE r.delivery IS NOT NULL AND t.tx_code IS NOT NULL
          AND c.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('tx_code_gateway'))::bigint[]);
COMMENT ON VIEW vci_delivery_tx_codes IS
'Transaction codes of campaigns'' pending offers, apart from their links: for the way on which codes go, once delivery is sent or delivered, or for who prints them. Derived anew at each look, so read them by id or campaign. For tx_code_gateway and offerer.';

CREATE VIEW vci_event_seal_info WITH (security_barrier) AS
    SELECT s.id, s.kind, s.event_ids, s.events, s.purged_through, s.sealed_at,
           pg_catalog.encode(s.mac, 'hex') AS mac
    FROM openid4vci.vci_event_seal s
    WHERE 0 = ANY ((SELECT openid4vci.vci_duty_issuers('auditor'))::bigint[]);
COMMENT ON VIEW vci_event_seal_info IS 'Seals over the events, for auditors of all issuers';

CREATE VIEW vci_duty_info WITH (security_barrier) AS
    SELECT d.role_name, d.duty, d.issuer_id, i.url AS issuer, d.granted_by, d.granted_at
    FROM openid4vci.vci_duty d LEFT JOIN openid4vci.vci_issuer i ON i.id = d.issuer_id
    WHERE COALESCE(d.issuer_id, 0) = ANY ((SELECT openid4vci.vci_duty_issuers('auditor'))::bigint[])
          OR COALESCE(d.issuer_id, 0) = ANY ((SELECT openid4vci.vci_duty_issuers('issuer_admin'))::bigint[]);
COMMENT ON VIEW vci_duty_info IS 'Who has which duty, for one issuer or (NULL) for all; for auditors, and for issuer_admins of their issuers';

-- What the rows that were there mean now ------------------------------------------

-- Keys signed from their creation on.
UPDATE vci_key SET activated_at = created_at;

-- 0.1.0 kept no trace of a validity that was shortened; what was issued tells it.
UPDATE vci_configuration AS c
SET longest_validity = CASE WHEN i.endless THEN NULL WHEN i.exceeds THEN i.longest ELSE c.validity END
FROM (SELECT o.issuer_id, o.id,
             o.validity IS NULL
                 OR COALESCE(pg_catalog.bool_or(r.id IS NOT NULL AND r.expires_at IS NULL), false),
             pg_catalog.bool_or(r.expires_at OPERATOR(pg_catalog.>)
                                (r.issued_at OPERATOR(pg_catalog.+) o.validity)),
             pg_catalog.max(r.expires_at OPERATOR(pg_catalog.-) r.issued_at)
      FROM vci_configuration AS o
           LEFT JOIN vci_credential AS r ON r.issuer_id OPERATOR(pg_catalog.=) o.issuer_id
                                            AND r.configuration_id OPERATOR(pg_catalog.=) o.id
      GROUP BY o.issuer_id, o.id) AS i (issuer_id, id, endless, exceeds, longest)
WHERE i.issuer_id OPERATOR(pg_catalog.=) c.issuer_id AND i.id OPERATOR(pg_catalog.=) c.id;

-- Who administers an issuer has managed its keys so far.
INSERT INTO vci_duty (role_name, duty, issuer_id, granted_by, granted_at)
    SELECT d.role_name, 'key_admin', d.issuer_id, d.granted_by, d.granted_at
    FROM vci_duty AS d WHERE d.duty OPERATOR(pg_catalog.=) 'issuer_admin';

-- This is the database that issues, not a copy of it.
INSERT INTO vci_database (system_identifier, database_oid, adopted_by)
    SELECT s.system_identifier, b.oid, CURRENT_USER
    FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_database AS b
    WHERE b.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
          AND EXISTS (SELECT FROM vci_issuer);

-- Nobody has a right on what is new, whomever the owner's default privileges favour.
-- What 0.1.0 made has its initial privileges recorded: what has none is new.

DO $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT o.kind, o.name, a.grantee
        FROM (SELECT 'TABLE', c.oid::pg_catalog.regclass::text, 'pg_catalog.pg_class'::pg_catalog.regclass,
                     c.oid, c.relowner, c.relacl
              FROM pg_catalog.pg_class AS c
              WHERE c.relnamespace OPERATOR(pg_catalog.=) 'openid4vci'::pg_catalog.regnamespace::oid
                AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'v', 'S']::"char"[])
              UNION ALL
              SELECT 'ROUTINE', p.oid::pg_catalog.regprocedure::text, 'pg_catalog.pg_proc'::pg_catalog.regclass,
                     p.oid, p.proowner, p.proacl
              FROM pg_catalog.pg_proc AS p
              WHERE p.pronamespace OPERATOR(pg_catalog.=) 'openid4vci'::pg_catalog.regnamespace::oid
             ) AS o (kind, name, class, oid, owner, acl)
             CROSS JOIN LATERAL (
                 SELECT CASE WHEN e.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'
                             ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(e.grantee)::text) END
                 FROM pg_catalog.aclexplode(o.acl) AS e
                 WHERE e.grantee OPERATOR(pg_catalog.<>) o.owner
                 UNION SELECT 'PUBLIC'
             ) AS a (grantee)
        WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_init_privs AS i
                          WHERE i.classoid OPERATOR(pg_catalog.=) o.class::oid
                            AND i.objoid OPERATOR(pg_catalog.=) o.oid)
          AND EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                      JOIN pg_catalog.pg_extension AS x ON x.oid OPERATOR(pg_catalog.=) d.refobjid
                      WHERE d.classid OPERATOR(pg_catalog.=) o.class::oid
                        AND d.objid OPERATOR(pg_catalog.=) o.oid
                        AND d.deptype OPERATOR(pg_catalog.=) 'e'
                        AND x.extname OPERATOR(pg_catalog.=) 'openid4vci')
    LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON %s %s FROM %s', made.kind, made.name, made.grantee);
    END LOOP;
END
$$;

-- The whole schema of openid4vci, readable from top to bottom.
-- Each object has its COMMENT beside it; PUBLIC has no right on any of them, and
-- vci_grant gives a role exactly what its duty needs.

\echo Use "CREATE EXTENSION openid4vci" to load this file. \quit

-- pg_catalog is searched first without being named; named, it would be where objects go.
SET LOCAL search_path TO openid4vci, pg_temp;

-- A schema made beforehand by somebody else could hold objects that shadow ours. pg_dump
-- makes the schema before the extension, with the owner that it had: any superuser will do.
DO $$
BEGIN
    IF pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8' THEN
        RAISE EXCEPTION 'openid4vci needs a database with encoding UTF8, this one has %',
            pg_catalog.getdatabaseencoding()
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'CREATE DATABASE name TEMPLATE template0 ENCODING ''UTF8'';';
    END IF;
    -- off, the backslashes of this script would mean something else
    IF pg_catalog.current_setting('standard_conforming_strings') OPERATOR(pg_catalog.<>) 'on' THEN
        RAISE EXCEPTION 'openid4vci needs standard_conforming_strings on, in this session it is off'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'SET standard_conforming_strings = on; and CREATE EXTENSION openid4vci; again.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n
                   JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
                   WHERE n.nspname OPERATOR(pg_catalog.=) 'openid4vci'
                     AND (r.rolsuper OR r.rolname OPERATOR(pg_catalog.=) current_user))
       -- whoever may create in one made before could put something there while this script runs
       OR EXISTS (SELECT FROM pg_catalog.pg_namespace n,
                       pg_catalog.aclexplode(n.nspacl) a
                       LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) a.grantee
                  WHERE n.nspname OPERATOR(pg_catalog.=) 'openid4vci'
                    AND n.xmin OPERATOR(pg_catalog.<>) pg_catalog.xid(pg_catalog.pg_current_xact_id())
                    AND a.privilege_type OPERATOR(pg_catalog.=) 'CREATE' AND r.rolsuper IS NOT TRUE
                    AND a.grantee OPERATOR(pg_catalog.<>) n.nspowner)
       -- every object in a schema depends on it, of whatever kind
       OR EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::regclass::oid
                    AND d.refobjid OPERATOR(pg_catalog.=) 'openid4vci'::regnamespace::oid
                    AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_extension'::regclass::oid)
    THEN
        RAISE EXCEPTION 'schema openid4vci exists already and is not an empty schema of a superuser where nobody else may create'
            USING ERRCODE = 'duplicate_schema',
                  HINT = 'Look at what is in it, then DROP SCHEMA openid4vci CASCADE; and CREATE EXTENSION openid4vci; again.';
    END IF;
END
$$;

REVOKE ALL ON SCHEMA openid4vci FROM PUBLIC;
COMMENT ON SCHEMA openid4vci IS 'OpenID4VCI 1.0 credential issuer';

-- Issuers -------------------------------------------------------------------

CREATE SEQUENCE vci_issuer_id_seq;
COMMENT ON SEQUENCE vci_issuer_id_seq IS 'Ids of vci_issuer';

CREATE TABLE vci_issuer (
    id                    bigint PRIMARY KEY DEFAULT pg_catalog.nextval('openid4vci.vci_issuer_id_seq'),
    url                   text COLLATE "C" NOT NULL UNIQUE,
    base_path             text COLLATE "C" NOT NULL DEFAULT '/api/v1/openid4vci'
                          CHECK (base_path ~ '^(/[A-Za-z0-9._~!$&''()*+,;=:@-]+)*$' AND base_path !~ '/\.{1,2}(/|$)'
                                 AND length(base_path) <= 256),
    profile               text COLLATE "C" NOT NULL DEFAULT 'openspp' CHECK (profile IN ('openspp', 'final')),
    iss_did_web           boolean NOT NULL DEFAULT false,
    offer_lifetime        integer CHECK (offer_lifetime BETWEEN 1 AND 315360000),
    access_token_lifetime integer CHECK (access_token_lifetime BETWEEN 1 AND 31536000),
    c_nonce_lifetime      integer CHECK (c_nonce_lifetime BETWEEN 1 AND 2592000),
    retry_window          integer CHECK (retry_window BETWEEN 0 AND 3600),
    time_rounding         integer CHECK (time_rounding BETWEEN 1 AND 604800),
    proof_max_age         integer CHECK (proof_max_age BETWEEN 1 AND 2592000),
    tx_code_max_failures  integer CHECK (tx_code_max_failures BETWEEN 1 AND 100),
    batch_size            integer CHECK (batch_size BETWEEN 1 AND 32),
    nonce_generation      integer NOT NULL DEFAULT 0,
    dpop                  text COLLATE "C" CHECK (dpop IN ('off', 'optional', 'required')),
    dpop_nonce            boolean,
    dpop_proof_max_age    integer CHECK (dpop_proof_max_age BETWEEN 1 AND 3600),
    refresh_token_lifetime integer CHECK (refresh_token_lifetime BETWEEN 1 AND 315360000),
    authorization_request_lifetime integer CHECK (authorization_request_lifetime BETWEEN 1 AND 86400),
    authorization_code_lifetime integer CHECK (authorization_code_lifetime BETWEEN 1 AND 600),
    authorization_request_rate integer CHECK (authorization_request_rate BETWEEN 1 AND 1000000),
    tx_code_retry_delay   integer CHECK (tx_code_retry_delay BETWEEN 0 AND 3600),
    deferred_interval     integer CHECK (deferred_interval BETWEEN 1 AND 2592000),
    deferred_lifetime     integer CHECK (deferred_lifetime BETWEEN 1 AND 31536000),
    login_url             text COLLATE "C",
    authenticate          text COLLATE "C",
    authenticate_owner    name,
    login_fields          jsonb,
    endpoints             jsonb NOT NULL DEFAULT '{}',
    issuance_paused       boolean NOT NULL DEFAULT false,
    notify_events         boolean NOT NULL DEFAULT false,
    display               jsonb,
    data_key              bytea NOT NULL,
    root_key_id           text COLLATE "C" NOT NULL,
    created_at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    retired_at            timestamptz,
    keep_claims           boolean NOT NULL DEFAULT false,
    token_retention       integer CHECK (token_retention BETWEEN 3600 AND 315360000),
    offer_retention       integer CHECK (offer_retention BETWEEN 86400 AND 2147483647),
    credential_retention  integer CHECK (credential_retention BETWEEN 86400 AND 2147483647),
    event_retention       integer CHECK (event_retention BETWEEN 86400 AND 2147483647),
    status_list_size      integer CHECK (status_list_size BETWEEN 1024 AND 16777216
                                         AND (status_list_size & (status_list_size - 1)) = 0),
    status_list_ttl       integer CHECK (status_list_ttl BETWEEN 1 AND 31536000),
    status_list_lifetime  integer CHECK (status_list_lifetime BETWEEN 60 AND 31536000),
    wallet_url            text COLLATE "C",
    report_labels         text[] COLLATE "C" NOT NULL DEFAULT '{}'
);
ALTER SEQUENCE vci_issuer_id_seq OWNED BY vci_issuer.id;
COMMENT ON TABLE vci_issuer IS 'Credential issuers; a NULL setting means the default of the profile';
COMMENT ON COLUMN vci_issuer.url IS 'Credential issuer identifier (OpenID4VCI 1.0 section 12.2.1), without trailing slash';
COMMENT ON COLUMN vci_issuer.data_key IS 'Key from which codes, tokens and nonces are derived, sealed under the root key root_key_id';
COMMENT ON COLUMN vci_issuer.offer_lifetime IS 'Seconds an offer is good for';
COMMENT ON COLUMN vci_issuer.access_token_lifetime IS 'Seconds an access token is good for';
COMMENT ON COLUMN vci_issuer.c_nonce_lifetime IS 'Seconds a c_nonce is good for';
COMMENT ON COLUMN vci_issuer.nonce_generation IS 'Raised when c_nonce_lifetime changes: spent c_nonces are forgotten after their lifetime, and a longer one must not revive them';
COMMENT ON COLUMN vci_issuer.dpop IS 'Sender-constrained tokens (RFC 9449): off, optional or required; NULL is optional';
COMMENT ON COLUMN vci_issuer.dpop_nonce IS 'Ask wallets for a nonce of ours in their DPoP proofs (RFC 9449 section 8); NULL: only profile final does';
COMMENT ON COLUMN vci_issuer.dpop_proof_max_age IS 'Seconds that iat of a DPoP proof may lie in the past';
COMMENT ON COLUMN vci_issuer.refresh_token_lifetime IS 'Seconds a refresh token is good for after its last use; NULL: none is given';
COMMENT ON COLUMN vci_issuer.authorization_request_lifetime IS 'Seconds a person has to log in and decide';
COMMENT ON COLUMN vci_issuer.authorization_code_lifetime IS 'Seconds an authorization code is good for';
COMMENT ON COLUMN vci_issuer.authorization_request_rate IS 'Authorization requests taken a minute; more get 429';
COMMENT ON COLUMN vci_issuer.tx_code_retry_delay IS 'Seconds that an offer takes no transaction code after a wrong one; meanwhile 429';
COMMENT ON COLUMN vci_issuer.deferred_interval IS 'Seconds a wallet shall wait before it asks again for a deferred credential';
COMMENT ON COLUMN vci_issuer.deferred_lifetime IS 'Seconds a deferred credential can be fetched after it was asked for';
COMMENT ON COLUMN vci_issuer.login_url IS 'The registry''s own login-and-consent page; gets ?request=...';
COMMENT ON COLUMN vci_issuer.authenticate IS 'schema.function(jsonb) returns jsonb: who the person at the built-in consent page is';
COMMENT ON COLUMN vci_issuer.authenticate_owner IS 'Owner of authenticate when it was registered; another owner later is an error';
COMMENT ON COLUMN vci_issuer.login_fields IS 'What the built-in consent page asks for: array of {name, type, label or display}';
COMMENT ON COLUMN vci_issuer.endpoints IS 'By endpoint name {enabled, path, base_url}; what is absent is the default';
COMMENT ON COLUMN vci_issuer.issuance_paused IS 'All that leads to a credential answers 503; offers are kept';
COMMENT ON COLUMN vci_issuer.notify_events IS 'Each event also goes out by NOTIFY openid4vci, which serialises commits';
COMMENT ON COLUMN vci_issuer.retry_window IS 'Seconds in which a byte-identical credential request gets its answer again';
COMMENT ON COLUMN vci_issuer.time_rounding IS 'Seconds to which iat and exp are rounded down';
COMMENT ON COLUMN vci_issuer.proof_max_age IS 'Seconds that iat of a key proof may lie in the past';
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

CREATE SEQUENCE vci_key_id_seq;
COMMENT ON SEQUENCE vci_key_id_seq IS 'Ids of vci_key';

CREATE TABLE vci_key (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('openid4vci.vci_key_id_seq'),
    issuer_id   bigint NOT NULL REFERENCES vci_issuer,
    kid         text COLLATE "C" NOT NULL,
    alg         text COLLATE "C" NOT NULL CHECK (alg IN ('ES256', 'ES384', 'EdDSA')),
    state       text COLLATE "C" NOT NULL DEFAULT 'active' CHECK (state IN ('next', 'active', 'retired', 'destroyed')),
    public_jwk  jsonb NOT NULL,
    private_key bytea,
    root_key_id text COLLATE "C" NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    retired_at  timestamptz,
    activated_at    timestamptz,
    destroyed_at    timestamptz,
    published_until timestamptz,
    x5c             jsonb,
    UNIQUE (issuer_id, kid),
    CONSTRAINT vci_key_destroyed_check CHECK ((state = 'destroyed') = (private_key IS NULL))
);
ALTER SEQUENCE vci_key_id_seq OWNED BY vci_key.id;
COMMENT ON TABLE vci_key IS 'Signing keys; of the active ones that activated last signs';
COMMENT ON COLUMN vci_key.kid IS 'RFC 7638 thumbprint of the public key';
COMMENT ON COLUMN vci_key.state IS 'next: published, does not sign yet; active; retired: signs no more; destroyed: the private half is gone';
COMMENT ON COLUMN vci_key.private_key IS 'PKCS #8, sealed (AES-256-GCM) under the root key root_key_id; NULL once destroyed';
COMMENT ON COLUMN vci_key.published_until IS 'Of a retired or destroyed key: when the last credential that it can have signed is over; NULL: for good';
COMMENT ON COLUMN vci_key.x5c IS 'Certificate chain of the key (RFC 7515 section 4.1.6), base64 DER, leaf first, without the trust anchor';

CREATE SEQUENCE vci_configuration_number_seq AS integer;
COMMENT ON SEQUENCE vci_configuration_number_seq IS 'Numbers of vci_configuration';

CREATE TABLE vci_configuration (
    issuer_id               bigint NOT NULL REFERENCES vci_issuer,
    id                      text COLLATE "C" NOT NULL,
    format                  text COLLATE "C" NOT NULL DEFAULT 'dc+sd-jwt',
    vct                     text COLLATE "C" NOT NULL,
    scope                   text COLLATE "C",
    validity                interval,
    binding                 text COLLATE "C" NOT NULL DEFAULT 'required' CHECK (binding IN ('required', 'optional', 'absent')),
    older                   text[] COLLATE "C" NOT NULL DEFAULT '{}',
    decoys                  integer NOT NULL DEFAULT 0,
    always_disclosed        jsonb NOT NULL DEFAULT '[]',
    selectively_disclosable jsonb NOT NULL DEFAULT '[]',
    claims                  jsonb,
    display                 jsonb,
    deferred                boolean NOT NULL DEFAULT false,
    claims_source           text COLLATE "C",
    claims_source_owner     name,
    created_at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    retired_at              timestamptz,
    longest_validity        interval,
    number                  integer NOT NULL DEFAULT pg_catalog.nextval('openid4vci.vci_configuration_number_seq'),
    status_bits             integer CHECK (status_bits IN (1, 2, 4, 8)),
    w3c_status              boolean NOT NULL DEFAULT false,
    vct_integrity           boolean NOT NULL DEFAULT false,
    PRIMARY KEY (issuer_id, id),
    CONSTRAINT vci_configuration_number_key UNIQUE (number)
);
ALTER SEQUENCE vci_configuration_number_seq OWNED BY vci_configuration.number;
COMMENT ON TABLE vci_configuration IS 'Credential configurations (OpenID4VCI 1.0 section 12.2.4)';
COMMENT ON COLUMN vci_configuration.older IS 'Switches that bend to wallets of drafts 11 to 15; empty is strict 1.0';
COMMENT ON COLUMN vci_configuration.deferred IS 'Each issuance waits for vci_deferred_complete';
COMMENT ON COLUMN vci_configuration.longest_validity IS 'The longest validity that it ever had, NULL: without end; tells how long a retired key must stay published';
COMMENT ON COLUMN vci_configuration.number IS 'Another name for it, of one number and in the whole database, for programs that refer to rows so; never given twice';
COMMENT ON COLUMN vci_configuration.status_bits IS 'Its credentials can be revoked (1 bit) or revoked and suspended (2, 4 or 8) by a status list; NULL: neither';
COMMENT ON COLUMN vci_configuration.w3c_status IS 'Its credentials also carry credentialStatus (W3C Bitstring Status List) of the same bits';
COMMENT ON COLUMN vci_configuration.vct_integrity IS 'Its credentials carry the digest of their type metadata (vct#integrity)';
COMMENT ON COLUMN vci_configuration.claims_source IS 'schema.function(text, text) returns jsonb: claims of (subject model, subject id) at issuance; a number: not yet, ask again in so many seconds';
COMMENT ON COLUMN vci_configuration.claims_source_owner IS 'Owner of claims_source when it was registered; another owner later is an error';

CREATE TABLE vci_did_document (
    did       text COLLATE "C" PRIMARY KEY,
    document  jsonb NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    loaded_by name NOT NULL
);
COMMENT ON TABLE vci_did_document IS 'DID documents of did:web holders; the database fetches none itself';

CREATE TABLE vci_duty (
    role_name  name NOT NULL,
    duty       text COLLATE "C" NOT NULL,
    issuer_id  bigint REFERENCES vci_issuer,
    granted_by name NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE NULLS NOT DISTINCT (role_name, duty, issuer_id)
);
COMMENT ON TABLE vci_duty IS 'Who may do what, for one issuer or (NULL) for all; written by vci_grant';

CREATE TABLE vci_client (
    issuer_id     bigint NOT NULL REFERENCES vci_issuer,
    client_id     text COLLATE "C" NOT NULL,
    redirect_uris text[] COLLATE "C" NOT NULL,
    pkce_required boolean NOT NULL DEFAULT true,
    name          text,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    retired_at    timestamptz,
    PRIMARY KEY (issuer_id, client_id)
);
COMMENT ON TABLE vci_client IS 'Wallets that may use the authorization code flow: public clients (RFC 6749 section 2.1)';
COMMENT ON COLUMN vci_client.redirect_uris IS 'Compared as text; the port of a loopback address may differ (RFC 8252 section 7.3)';
COMMENT ON COLUMN vci_client.pkce_required IS 'False, for profile openspp alone, takes requests without code_challenge';
COMMENT ON COLUMN vci_client.name IS 'What people read on the consent page';

CREATE TABLE vci_authorization_server (
    issuer_id       bigint NOT NULL REFERENCES vci_issuer,
    url             text COLLATE "C" NOT NULL,
    audiences       text[] COLLATE "C" NOT NULL,
    client_ids      text[] COLLATE "C" NOT NULL DEFAULT '{}',
    jwks            jsonb,
    jwks_uri        text COLLATE "C",
    jwks_loaded_at  timestamptz,
    accept_typ_jwt  boolean NOT NULL DEFAULT false,
    accept_without_jti boolean NOT NULL DEFAULT false,
    subject_claim   text COLLATE "C" NOT NULL DEFAULT 'sub',
    subject_model   text COLLATE "C",
    subject_source  text COLLATE "C",
    subject_source_owner name,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (issuer_id, url)
);
COMMENT ON TABLE vci_authorization_server IS 'External authorization servers whose JWT access tokens (RFC 9068) an issuer takes';
COMMENT ON COLUMN vci_authorization_server.url IS 'iss of its tokens';
COMMENT ON COLUMN vci_authorization_server.audiences IS 'aud must hold one of them';
COMMENT ON COLUMN vci_authorization_server.client_ids IS 'client_id (or azp) must be one of them; empty: any';
COMMENT ON COLUMN vci_authorization_server.jwks IS 'Its public keys, loaded by vci_load_jwks; the database fetches nothing';
COMMENT ON COLUMN vci_authorization_server.accept_typ_jwt IS 'Also typ JWT, as Keycloak writes it, or none, as eSignet, not at+jwt alone';
COMMENT ON COLUMN vci_authorization_server.accept_without_jti IS 'Also tokens without jti, as eSignet writes them: header and payload name them then';
COMMENT ON COLUMN vci_authorization_server.subject_claim IS 'The claim that says who the person is';
COMMENT ON COLUMN vci_authorization_server.subject_source IS 'schema.function(text) returns text: subject id of the claim''s value, NULL when unknown; without it the value is the id';

-- Offers, tokens, credentials -------------------------------------------------
-- No foreign keys from here to the tables above: hot rows there would be locked by
-- every insert. Nothing that a step updates stands in an index, so updates are HOT.
-- A fiftieth of a big table is much; many small vacuums freeze and clean a little at a time.

CREATE SEQUENCE vci_offer_id_seq CACHE 32;
COMMENT ON SEQUENCE vci_offer_id_seq IS 'Ids of vci_offer';

CREATE TABLE vci_offer (
    id                  bigint PRIMARY KEY DEFAULT pg_catalog.nextval('openid4vci.vci_offer_id_seq'),
    issuer_id           bigint NOT NULL,
    generation          integer NOT NULL,
    tx_code_failures    integer NOT NULL DEFAULT 0,
    created_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at          timestamptz NOT NULL,
    redeemed_at         timestamptz,
    issued_at           timestamptz,
    cancelled_at        timestamptz,
    tx_code_failed_at   timestamptz,
    tx_code_length      integer,
    tx_code_mode        text COLLATE "C",
    tx_code_description text,
    tx_code_verifier    bytea,
    configuration_ids   text[] COLLATE "C" NOT NULL,
    grants              text[] COLLATE "C" NOT NULL,
    created_by          name NOT NULL,
    subject_model       text COLLATE "C",
    subject_id          text COLLATE "C",
    reference           text COLLATE "C",
    holder_did          text COLLATE "C",
    holder_jwk          jsonb,
    client_id           text COLLATE "C",
    authorization_server text COLLATE "C",
    labels              jsonb,
    claims              jsonb,
    datasets            jsonb,
    ends_at             timestamptz,
    claims_due          timestamptz,
    claims_erased_at    timestamptz,
    opened_at           timestamptz,
    campaign_id         bigint,
    expiry_noted_at     timestamptz
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02,
        autovacuum_vacuum_insert_scale_factor = 0.02);
ALTER SEQUENCE vci_offer_id_seq OWNED BY vci_offer.id;
CREATE UNIQUE INDEX vci_offer_reference_key ON vci_offer (issuer_id, reference) WHERE reference IS NOT NULL;
CREATE INDEX vci_offer_claims_due ON vci_offer (claims_due) WHERE claims_due IS NOT NULL;
CREATE INDEX vci_offer_subject ON vci_offer (subject_id) WHERE subject_id IS NOT NULL;
CREATE INDEX vci_offer_labels ON vci_offer USING gin (labels jsonb_path_ops) WHERE labels IS NOT NULL;
CREATE INDEX vci_offer_expires_at ON vci_offer (expires_at);
COMMENT ON TABLE vci_offer IS 'Credential offers; their codes are MACs over id and generation, so none is stored';
COMMENT ON INDEX vci_offer_reference_key IS 'One offer a reference of the registry';
COMMENT ON INDEX vci_offer_claims_due IS 'For vci_purge; no step of a wallet touches it';
COMMENT ON INDEX vci_offer_subject IS 'For the registry''s pages and programs: what was offered to whom. Without the model, which tells few apart; no step of a wallet touches it';
COMMENT ON INDEX vci_offer_labels IS 'For what is done by labels: vci_revoke, vci_extend_offers, reports; no step of a wallet touches it';
COMMENT ON INDEX vci_offer_expires_at IS 'For noting which offers have expired; no step of a wallet touches it';
COMMENT ON COLUMN vci_offer.ends_at IS 'When nothing more can be issued of it: its expiry, then that of its tokens, refresh tokens and deferrals, or the retry window after the last credential';
COMMENT ON COLUMN vci_offer.claims_due IS 'When vci_purge looks whether its claims can be erased; NULL: there are none, they are erased, or the issuer keeps them';
COMMENT ON COLUMN vci_offer.claims_erased_at IS 'When its claims were erased; it can issue no more';
COMMENT ON COLUMN vci_offer.opened_at IS 'When somebody first pressed the button of its landing page';
COMMENT ON COLUMN vci_offer.campaign_id IS 'The campaign that made it; NULL: none';
COMMENT ON COLUMN vci_offer.expiry_noted_at IS 'When its expiry was noted as an event; NULL: not yet, or it was extended since';
COMMENT ON COLUMN vci_offer.generation IS 'Random at first, so that an id given twice after a restore makes another code; raised to kill every earlier link and token';
COMMENT ON COLUMN vci_offer.tx_code_verifier IS 'HMAC of the transaction code under a key derived from the data key';
COMMENT ON COLUMN vci_offer.client_id IS 'The only wallet that may redeem it; NULL: any';
COMMENT ON COLUMN vci_offer.authorization_server IS 'The one of several authorization servers that the offer points wallets to';
COMMENT ON COLUMN vci_offer.datasets IS 'Array of {configuration_id, subject_model, subject_id, claims, name}, numbered from 1 in each configuration; NULL: one dataset each, of the offer''s own subject and claims';
COMMENT ON COLUMN vci_offer.claims IS 'Claims given with the offer; shown by no view';

CREATE SEQUENCE vci_token_id_seq CACHE 32;
COMMENT ON SEQUENCE vci_token_id_seq IS 'Ids of vci_token';

CREATE TABLE vci_token (
    id                bigint PRIMARY KEY DEFAULT pg_catalog.nextval('openid4vci.vci_token_id_seq'),
    issuer_id         bigint NOT NULL,
    offer_id          bigint NOT NULL,
    generation        integer NOT NULL,
    offer_generation  integer NOT NULL,
    configuration_ids text[] COLLATE "C" NOT NULL,
    identifiers       boolean NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at        timestamptz NOT NULL,
    client_id         text COLLATE "C",
    jkt               text COLLATE "C",
    external_key      bytea
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
CREATE UNIQUE INDEX vci_token_external_key ON vci_token (issuer_id, external_key) WHERE external_key IS NOT NULL;
ALTER SEQUENCE vci_token_id_seq OWNED BY vci_token.id;
COMMENT ON TABLE vci_token IS 'Access tokens given out; the token itself is a MAC over id, so none is stored';
COMMENT ON COLUMN vci_token.generation IS 'Random, so that an id given twice after a restore makes another token';
COMMENT ON INDEX vci_token_external_key IS 'One row a token of an external authorization server, so that it issues once';
COMMENT ON COLUMN vci_token.jkt IS 'RFC 7638 thumbprint of the DPoP key that it is bound to; NULL: a bearer token';
COMMENT ON COLUMN vci_token.external_key IS 'SHA-256 over iss and jti of an external authorization server''s token';
COMMENT ON COLUMN vci_token.identifiers IS 'Given with credential_identifiers: the wallet must then use them';

CREATE SEQUENCE vci_refresh_token_id_seq CACHE 32;
COMMENT ON SEQUENCE vci_refresh_token_id_seq IS 'Ids of vci_refresh_token';

CREATE TABLE vci_refresh_token (
    id                bigint PRIMARY KEY DEFAULT pg_catalog.nextval('openid4vci.vci_refresh_token_id_seq'),
    issuer_id         bigint NOT NULL,
    offer_id          bigint NOT NULL,
    generation        integer NOT NULL,
    offer_generation  integer NOT NULL,
    successor_id      bigint,
    configuration_ids text[] COLLATE "C" NOT NULL,
    identifiers       boolean NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at        timestamptz NOT NULL,
    used_at           timestamptz,
    client_id         text COLLATE "C",
    jkt               text COLLATE "C"
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);
ALTER SEQUENCE vci_refresh_token_id_seq OWNED BY vci_refresh_token.id;
COMMENT ON TABLE vci_refresh_token IS 'Refresh tokens given out; the token itself is a MAC over id, so none is stored. All of one offer are a family: raising the offer''s generation revokes it';
COMMENT ON COLUMN vci_refresh_token.successor_id IS 'What replaced it; it stays good until that is used (RFC 9700 section 4.14.2)';
COMMENT ON COLUMN vci_refresh_token.used_at IS 'First use';
COMMENT ON COLUMN vci_refresh_token.jkt IS 'RFC 7638 thumbprint of the DPoP key that it is bound to; such a token is not replaced';

CREATE SEQUENCE vci_authorization_id_seq CACHE 32;
COMMENT ON SEQUENCE vci_authorization_id_seq IS 'Ids of vci_authorization';

CREATE TABLE vci_authorization (
    id                bigint PRIMARY KEY DEFAULT pg_catalog.nextval('openid4vci.vci_authorization_id_seq'),
    issuer_id         bigint NOT NULL,
    generation        integer NOT NULL,
    login_failures    integer NOT NULL DEFAULT 0,
    offer_generation  integer,
    offer_id          bigint,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at        timestamptz NOT NULL,
    opened_at         timestamptz,
    approved_at       timestamptz,
    denied_at         timestamptz,
    code_expires_at   timestamptz,
    redeemed_at       timestamptz,
    pushed            boolean NOT NULL,
    identifiers       boolean NOT NULL,
    client_id         text COLLATE "C" NOT NULL,
    redirect_uri      text COLLATE "C" NOT NULL,
    state             text COLLATE "C",
    code_challenge    text COLLATE "C",
    jkt               text COLLATE "C",
    configuration_ids text[] COLLATE "C" NOT NULL,
    browser           bytea,
    decided_by        name,
    reason            text
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
ALTER SEQUENCE vci_authorization_id_seq OWNED BY vci_authorization.id;
CREATE INDEX vci_authorization_created_at ON vci_authorization (issuer_id, created_at);
COMMENT ON TABLE vci_authorization IS 'Authorization requests (RFC 6749 section 4.1, RFC 9126); request ids and codes are MACs, so none is stored';
COMMENT ON INDEX vci_authorization_created_at IS 'For authorization_request_rate';
COMMENT ON COLUMN vci_authorization.offer_id IS 'The offer that issuer_state named, or the one that the approval made';
COMMENT ON COLUMN vci_authorization.offer_generation IS 'Of the offer when it was approved: raising it kills the code';
COMMENT ON COLUMN vci_authorization.expires_at IS 'When the decision comes too late';
COMMENT ON COLUMN vci_authorization.opened_at IS 'When a browser came with it to the authorization endpoint; a pushed request opens once';
COMMENT ON COLUMN vci_authorization.identifiers IS 'authorization_details were used, so the token response names credential_identifiers';
COMMENT ON COLUMN vci_authorization.code_challenge IS 'PKCE S256 (RFC 7636); NULL only for a client that needs none';
COMMENT ON COLUMN vci_authorization.jkt IS 'DPoP key to which the code is bound (RFC 9449 section 10)';
COMMENT ON COLUMN vci_authorization.browser IS 'SHA-256 of the cookie of the browser that asked';

CREATE SEQUENCE vci_deferred_id_seq CACHE 32;
COMMENT ON SEQUENCE vci_deferred_id_seq IS 'Ids of vci_deferred';

CREATE TABLE vci_deferred (
    id               bigint PRIMARY KEY DEFAULT pg_catalog.nextval('openid4vci.vci_deferred_id_seq'),
    issuer_id        bigint NOT NULL,
    generation       integer NOT NULL,
    offer_id         bigint NOT NULL,
    token_id         bigint NOT NULL,
    dataset          integer NOT NULL,
    wait_seconds     integer NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at       timestamptz NOT NULL,
    polled_at        timestamptz,
    completed_at     timestamptz,
    denied_at        timestamptz,
    issued_at        timestamptz,
    by_source        boolean NOT NULL,
    configuration_id text COLLATE "C" NOT NULL,
    format           text COLLATE "C" NOT NULL,
    response_shape   text COLLATE "C" NOT NULL CHECK (response_shape IN ('credentials', 'older', 'older_plural')),
    holder_jwks      jsonb NOT NULL,
    request_digest   bytea,
    claims           jsonb,
    decided_by       name,
    reason           text
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
ALTER SEQUENCE vci_deferred_id_seq OWNED BY vci_deferred.id;
CREATE UNIQUE INDEX vci_deferred_token_key ON vci_deferred (token_id, configuration_id, dataset);
CREATE INDEX vci_deferred_offer ON vci_deferred (offer_id);
COMMENT ON TABLE vci_deferred IS 'Credentials asked for and not yet issued (OpenID4VCI 1.0 section 9); the transaction_id is a MAC over id';
COMMENT ON INDEX vci_deferred_token_key IS 'One deferral a credential dataset and token';
COMMENT ON INDEX vci_deferred_offer IS 'What of an offer waits';
COMMENT ON COLUMN vci_deferred.by_source IS 'The claims source said "not yet": it is asked again at each poll. False: vci_deferred_complete decides';
COMMENT ON COLUMN vci_deferred.wait_seconds IS 'interval of the answer';
COMMENT ON COLUMN vci_deferred.holder_jwks IS 'Public keys that were proved, in the order of the proofs; JSON null: a credential without key';
COMMENT ON COLUMN vci_deferred.claims IS 'What vci_deferred_complete gave; over it goes what the claims source says when the wallet fetches';

CREATE SEQUENCE vci_credential_id_seq CACHE 32;
COMMENT ON SEQUENCE vci_credential_id_seq IS 'Ids of vci_credential';

CREATE TABLE vci_credential (
    id                bigint PRIMARY KEY DEFAULT pg_catalog.nextval('openid4vci.vci_credential_id_seq'),
    issuer_id         bigint NOT NULL,
    offer_id          bigint,
    token_id          bigint,
    key_id            bigint NOT NULL,
    dataset           integer NOT NULL DEFAULT 1,
    instance          integer NOT NULL DEFAULT 1,
    issued_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at        timestamptz,
    notified_at       timestamptz,
    configuration_id  text COLLATE "C" NOT NULL,
    format            text COLLATE "C" NOT NULL,
    issued_by         name NOT NULL,
    subject_model     text COLLATE "C",
    subject_id        text COLLATE "C",
    holder_thumbprint text COLLATE "C",
    request_digest    bytea,
    notification      text COLLATE "C" CHECK (notification IN ('credential_accepted', 'credential_failure', 'credential_deleted')),
    notification_description text,
    notification_changes integer NOT NULL DEFAULT 0,
    status            integer NOT NULL DEFAULT 0,
    status_list_id    bigint,
    status_index      integer,
    status_changed_at timestamptz,
    status_changed_by name,
    status_reason     text
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
ALTER SEQUENCE vci_credential_id_seq OWNED BY vci_credential.id;
CREATE UNIQUE INDEX vci_credential_token_key ON vci_credential (token_id, configuration_id, dataset, instance)
    WHERE token_id IS NOT NULL;
CREATE INDEX vci_credential_subject ON vci_credential (subject_id) WHERE subject_id IS NOT NULL;
CREATE INDEX vci_credential_offer ON vci_credential (offer_id) WHERE offer_id IS NOT NULL;
COMMENT ON TABLE vci_credential IS 'Credentials issued: ids and times, neither claims nor the credential itself';
COMMENT ON INDEX vci_credential_token_key IS 'One response a credential dataset and token';
COMMENT ON INDEX vci_credential_subject IS 'What was issued to whom';
COMMENT ON INDEX vci_credential_offer IS 'What came of an offer';
COMMENT ON COLUMN vci_credential.status IS 'As in its status list: 0 valid, 1 revoked, 2 suspended (draft-ietf-oauth-status-list section 7.1)';
COMMENT ON COLUMN vci_credential.status_list_id IS 'The list that tells its status; NULL: it was issued without';
COMMENT ON COLUMN vci_credential.status_index IS 'Its place in the list (idx)';
COMMENT ON COLUMN vci_credential.status_reason IS 'Of the last change, for the registry: verifiers see the status alone';
COMMENT ON COLUMN vci_credential.dataset IS 'Number of the credential dataset in the offer''s configuration, from 1';
COMMENT ON COLUMN vci_credential.notification IS 'The last event that the wallet told (OpenID4VCI 1.0 section 11)';
COMMENT ON COLUMN vci_credential.notification_changes IS 'After 16 changes, further ones are acknowledged and not kept';
COMMENT ON COLUMN vci_credential.request_digest IS 'SHA-256 of the credential request, to recognise a repeated one';

CREATE TABLE vci_nonce (
    issued_at timestamptz NOT NULL,
    random    bytea NOT NULL,
    PRIMARY KEY (issued_at, random)
);
COMMENT ON TABLE vci_nonce IS 'Spent c_nonces; asking for one writes nothing. Not dumped: a restored copy has another epoch';

CREATE TABLE vci_dpop_proof (
    digest    bytea PRIMARY KEY,
    issued_at timestamptz NOT NULL
);
CREATE INDEX vci_dpop_proof_issued_at ON vci_dpop_proof (issued_at);
COMMENT ON TABLE vci_dpop_proof IS 'DPoP proofs seen, by SHA-256 over issuer, key and jti, so that none works twice. Not dumped: they live minutes';
COMMENT ON INDEX vci_dpop_proof_issued_at IS 'For vci_purge';

CREATE TABLE vci_epoch (
    epoch bigint NOT NULL
);
COMMENT ON TABLE vci_epoch IS 'The epoch of c_nonces, made anew with each CREATE EXTENSION, so also by a restore; not dumped';
INSERT INTO vci_epoch
    SELECT ('x' || translate(left(gen_random_uuid()::text, 15), '-', '0'))::bit(60)::bigint;

-- What happened, for integrations: ids alone. Ids are drawn one by one (no CACHE), and
-- horizon tells from when on no transaction can still add an earlier one: vci_events reads
-- by it, so that a reader who remembers the last id misses none.

CREATE SEQUENCE vci_event_id_seq;
COMMENT ON SEQUENCE vci_event_id_seq IS 'Ids of vci_event';

CREATE TABLE vci_event (
    id               bigint PRIMARY KEY,
    horizon          xid8 NOT NULL,
    at               timestamptz NOT NULL DEFAULT clock_timestamp(),
    issuer_id        bigint,
    offer_id         bigint,
    authorization_id bigint,
    token_id         bigint,
    deferred_id      bigint,
    credential_id    bigint,
    kind             text COLLATE "C" NOT NULL,
    actor            name NOT NULL,
    key_id           bigint,
    role_name        name,
    duty             text COLLATE "C"
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
ALTER SEQUENCE vci_event_id_seq OWNED BY vci_event.id;
COMMENT ON TABLE vci_event IS 'What happened to which row, no claims: evidence, and an outbox for integrations, which read it with vci_events. Append-only';
COMMENT ON COLUMN vci_event.horizon IS 'The next transaction id when id was drawn';
COMMENT ON COLUMN vci_event.issuer_id IS 'NULL: it concerns the database or all issuers';
COMMENT ON COLUMN vci_event.role_name IS 'Who got or lost the duty';

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

-- Evidence is added to, never changed: not by the tables' owner, a superuser or under
-- session_replication_role, as long as the triggers stand. A statement trigger costs an
-- INSERT nothing, and lets a subscriber follow the purge.

CREATE FUNCTION vci_event_append_only() RETURNS trigger
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'vci_event_append_only';
COMMENT ON FUNCTION vci_event_append_only() IS 'Trigger: refuses (55000) UPDATE, DELETE and TRUNCATE of evidence; the DELETE of vci_purge alone passes';

CREATE TRIGGER vci_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON vci_event
    FOR EACH STATEMENT EXECUTE FUNCTION vci_event_append_only();
CREATE TRIGGER vci_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON vci_event_seal
    FOR EACH STATEMENT EXECUTE FUNCTION vci_event_append_only();
ALTER TABLE vci_event ENABLE ALWAYS TRIGGER vci_event_append_only;
ALTER TABLE vci_event_seal ENABLE ALWAYS TRIGGER vci_event_append_only;
COMMENT ON TRIGGER vci_event_append_only ON vci_event IS 'Evidence: rows are only added; vci_purge removes those whose time is over';
COMMENT ON TRIGGER vci_event_append_only ON vci_event_seal IS 'Evidence: rows are only added';

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

-- Which database this is ---------------------------------------------------------

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

-- How far the purge has come; not dumped, it begins anew in a copy.

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

SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_issuer', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_issuer_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_key', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_key_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_configuration', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_configuration_number_seq', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_did_document', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_client', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_authorization_server', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_duty', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_offer', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_offer_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_token', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_token_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_refresh_token', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_refresh_token_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_authorization', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_authorization_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_deferred', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_deferred_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_event', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_event_id_seq', '');
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
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_credential', '');
SELECT pg_catalog.pg_extension_config_dump('openid4vci.vci_credential_id_seq', '');

-- Backends cache issuers, keys, configurations and duties; a change drops the caches.

CREATE FUNCTION vci_drop_caches() RETURNS trigger
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'vci_drop_caches';
COMMENT ON FUNCTION vci_drop_caches() IS 'Trigger: tells every backend to forget what it cached of this table';

CREATE TRIGGER vci_drop_caches AFTER INSERT OR UPDATE OR DELETE ON vci_issuer
    FOR EACH ROW EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches_all AFTER TRUNCATE ON vci_issuer
    FOR EACH STATEMENT EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches AFTER INSERT OR UPDATE OR DELETE ON vci_key
    FOR EACH ROW EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches_all AFTER TRUNCATE ON vci_key
    FOR EACH STATEMENT EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches AFTER INSERT OR UPDATE OR DELETE ON vci_configuration
    FOR EACH ROW EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches_all AFTER TRUNCATE ON vci_configuration
    FOR EACH STATEMENT EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches AFTER INSERT OR UPDATE OR DELETE ON vci_duty
    FOR EACH ROW EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches_all AFTER TRUNCATE ON vci_duty
    FOR EACH STATEMENT EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches AFTER INSERT OR UPDATE OR DELETE ON vci_client
    FOR EACH ROW EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches_all AFTER TRUNCATE ON vci_client
    FOR EACH STATEMENT EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches AFTER INSERT OR UPDATE OR DELETE ON vci_authorization_server
    FOR EACH ROW EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches_all AFTER TRUNCATE ON vci_authorization_server
    FOR EACH STATEMENT EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches AFTER INSERT OR UPDATE OR DELETE ON vci_epoch
    FOR EACH ROW EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches_all AFTER TRUNCATE ON vci_epoch
    FOR EACH STATEMENT EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches AFTER INSERT OR UPDATE OR DELETE ON vci_database
    FOR EACH ROW EXECUTE FUNCTION vci_drop_caches();
CREATE TRIGGER vci_drop_caches_all AFTER TRUNCATE ON vci_database
    FOR EACH STATEMENT EXECUTE FUNCTION vci_drop_caches();
ALTER TABLE vci_issuer ENABLE ALWAYS TRIGGER vci_drop_caches;
ALTER TABLE vci_issuer ENABLE ALWAYS TRIGGER vci_drop_caches_all;
ALTER TABLE vci_key ENABLE ALWAYS TRIGGER vci_drop_caches;
ALTER TABLE vci_key ENABLE ALWAYS TRIGGER vci_drop_caches_all;
ALTER TABLE vci_configuration ENABLE ALWAYS TRIGGER vci_drop_caches;
ALTER TABLE vci_configuration ENABLE ALWAYS TRIGGER vci_drop_caches_all;
ALTER TABLE vci_duty ENABLE ALWAYS TRIGGER vci_drop_caches;
ALTER TABLE vci_duty ENABLE ALWAYS TRIGGER vci_drop_caches_all;
ALTER TABLE vci_client ENABLE ALWAYS TRIGGER vci_drop_caches;
ALTER TABLE vci_client ENABLE ALWAYS TRIGGER vci_drop_caches_all;
ALTER TABLE vci_authorization_server ENABLE ALWAYS TRIGGER vci_drop_caches;
ALTER TABLE vci_authorization_server ENABLE ALWAYS TRIGGER vci_drop_caches_all;
ALTER TABLE vci_epoch ENABLE ALWAYS TRIGGER vci_drop_caches;
ALTER TABLE vci_epoch ENABLE ALWAYS TRIGGER vci_drop_caches_all;
ALTER TABLE vci_database ENABLE ALWAYS TRIGGER vci_drop_caches;
ALTER TABLE vci_database ENABLE ALWAYS TRIGGER vci_drop_caches_all;
COMMENT ON TRIGGER vci_drop_caches ON vci_database IS 'Drops the backends'' caches, a row at a time because a replication worker fires no statement triggers';
COMMENT ON TRIGGER vci_drop_caches_all ON vci_database IS 'Drops the backends'' caches';
COMMENT ON TRIGGER vci_drop_caches ON vci_issuer IS 'Drops the backends'' caches, a row at a time because a replication worker fires no statement triggers';
COMMENT ON TRIGGER vci_drop_caches_all ON vci_issuer IS 'Drops the backends'' caches';
COMMENT ON TRIGGER vci_drop_caches ON vci_key IS 'Drops the backends'' caches, a row at a time because a replication worker fires no statement triggers';
COMMENT ON TRIGGER vci_drop_caches_all ON vci_key IS 'Drops the backends'' caches';
COMMENT ON TRIGGER vci_drop_caches ON vci_configuration IS 'Drops the backends'' caches, a row at a time because a replication worker fires no statement triggers';
COMMENT ON TRIGGER vci_drop_caches_all ON vci_configuration IS 'Drops the backends'' caches';
COMMENT ON TRIGGER vci_drop_caches ON vci_duty IS 'Drops the backends'' caches, a row at a time because a replication worker fires no statement triggers';
COMMENT ON TRIGGER vci_drop_caches_all ON vci_duty IS 'Drops the backends'' caches';
COMMENT ON TRIGGER vci_drop_caches ON vci_client IS 'Drops the backends'' caches, a row at a time because a replication worker fires no statement triggers';
COMMENT ON TRIGGER vci_drop_caches_all ON vci_client IS 'Drops the backends'' caches';
COMMENT ON TRIGGER vci_drop_caches ON vci_authorization_server IS 'Drops the backends'' caches, a row at a time because a replication worker fires no statement triggers';
COMMENT ON TRIGGER vci_drop_caches_all ON vci_authorization_server IS 'Drops the backends'' caches';
COMMENT ON TRIGGER vci_drop_caches ON vci_epoch IS 'Drops the backends'' caches, a row at a time because a replication worker fires no statement triggers';
COMMENT ON TRIGGER vci_drop_caches_all ON vci_epoch IS 'Drops the backends'' caches';

-- Duties ----------------------------------------------------------------------

CREATE FUNCTION vci_grant("role" name, duty text, issuer text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_grant';
COMMENT ON FUNCTION vci_grant(name, text, text) IS
'Gives a role a duty: endpoint (run vci_http), offerer (offers, issuing, verifying), issuer_admin (issuers, configurations, wallets, servers, purging), key_admin (signing keys, root key, copies), verifier (proofs and presentations), reporter (views, health), auditor (views, sealed events, who has which duty), backup (SELECT on what pg_dump reads), gateway (deliveries of campaigns: addresses and links) or tx_code_gateway (their transaction codes, apart). issuer: URL of the one issuer it is limited to, NULL for all (backup: always all). Twice is once. For the extension''s owner and superusers; an issuer_admin gives endpoint, offerer, verifier, reporter, gateway and tx_code_gateway within its own limits. 42704 when there is no such role or issuer, 22023 when there is no such duty.';

CREATE FUNCTION vci_revoke("role" name, duty text, issuer text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_revoke';
COMMENT ON FUNCTION vci_revoke(name, text, text) IS
'Takes back what vci_grant gave with the same arguments. Error 42704 when there is no such grant.';

CREATE FUNCTION vci_reapply_duties() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_reapply_duties';
COMMENT ON FUNCTION vci_reapply_duties() IS
'Gives each role of vci_duty exactly the privileges on this schema''s objects that its duties need, and takes others from it: after ALTER EXTENSION openid4vci UPDATE, and after a restore into a server whose roles came later. A role that does not exist is told in a WARNING. For the extension''s owner and superusers, in a READ COMMITTED transaction (25001).';

CREATE FUNCTION vci_duty_issuers(duty text) RETURNS bigint[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vci_duty_issuers';
COMMENT ON FUNCTION vci_duty_issuers(text) IS
'Ids of the issuers for which the caller has the duty, and 0 when it has it for all, those to come too; empty when it has it for none. reporter is part of offerer, issuer_admin, key_admin and auditor; gateway and tx_code_gateway of offerer. The views filter by it.';

-- Issuers, keys, configurations -------------------------------------------------

CREATE FUNCTION vci_create_issuer(url text, display jsonb DEFAULT NULL, profile text DEFAULT 'openspp',
                                  settings jsonb DEFAULT '{}') RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_create_issuer';
COMMENT ON FUNCTION vci_create_issuer(text, jsonb, text, jsonb) IS
'Creates an issuer and returns its id. url: credential issuer identifier, https (http for loopback). display: array of {name, locale, logo {uri, alt_text}}. profile: openspp (lifetimes and shapes of OpenSPP''s guide) or final (OpenID4VCI 1.0, RFC 9700). settings: see vci_alter_issuer. Needs the root key (openid4vci.root_key_file) and duty issuer_admin for all issuers.';

CREATE FUNCTION vci_alter_issuer(settings jsonb, issuer text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_alter_issuer';
COMMENT ON FUNCTION vci_alter_issuer(jsonb, text) IS
'Changes settings of an issuer (URL; NULL: the only one). Members: profile, display, base_path, iss_did_web (boolean), issuance_paused (boolean), notify_events (boolean: each event also by NOTIFY openid4vci); in seconds offer_lifetime, access_token_lifetime, refresh_token_lifetime (null: no refresh tokens), c_nonce_lifetime, retry_window, time_rounding, proof_max_age, tx_code_retry_delay, deferred_interval, deferred_lifetime, status_list_ttl (within which verifiers see a changed status), status_list_lifetime (of a status list token; not less than status_list_ttl), dpop_proof_max_age, authorization_request_lifetime, authorization_code_lifetime; counts tx_code_max_failures, batch_size, status_list_size (entries of new status lists, a power of two), authorization_request_rate (a minute); keep_claims (boolean: vci_purge erases no claims); in seconds after the end token_retention (null: 30 days), offer_retention, credential_retention, event_retention (null: for good); dpop (off, optional, required), dpop_nonce (boolean); login_url (the registry''s own login-and-consent page) or authenticate (schema.function(jsonb) returns jsonb, who answers for the built-in page and runs as its owner) with login_fields (array of 1 to 8 {name, type (text, password, tel, email, date, number), label or display [{locale, name}], required}). endpoints: object by endpoint name (token, nonce, credential, batch_credential, deferred_credential, notification, authorize, par, consent, offer, jwks, status_list) of {enabled, path (replaces base_path and name), base_url (replaces the issuer URL)}; names that are left out stay as they are. A null member goes back to the profile''s default; unknown members are refused (22023), as is a URL where another issuer has an endpoint (42710).';

CREATE FUNCTION vci_issuer_settings(issuer text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vci_issuer_settings';
COMMENT ON FUNCTION vci_issuer_settings(text) IS
'The settings of an issuer (URL; NULL: the only one) that are in force: named as vci_alter_issuer names them, with the profile''s default where the issuer has none of its own, which vci_issuer_info shows as NULL. endpoints: of each, switched off or not, {enabled, url}. Retentions are in vci_issuer_info.';

CREATE FUNCTION vci_pause_issuance(issuer text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_pause_issuance';
COMMENT ON FUNCTION vci_pause_issuance(text) IS
'Stops all issuance of an issuer (URL; NULL: the only one): whatever leads to a credential answers 503 with Retry-After, in every session from this commit on. Offers, metadata and reports stay. Event issuance_paused, unless it is paused already.';

CREATE FUNCTION vci_resume_issuance(issuer text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_resume_issuance';
COMMENT ON FUNCTION vci_resume_issuance(text) IS
'Undoes vci_pause_issuance. Event issuance_resumed, unless it is not paused.';

CREATE FUNCTION vci_retire_issuer(issuer text) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_retire_issuer';
COMMENT ON FUNCTION vci_retire_issuer(text) IS
'Retires an issuer: its endpoints answer 404, nothing of it can be offered or issued. What it issued stays recorded.';

CREATE FUNCTION vci_create_key(issuer text DEFAULT NULL, alg text DEFAULT 'ES256', state text DEFAULT 'active') RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_create_key';
COMMENT ON FUNCTION vci_create_key(text, text, text) IS
'Generates a signing key (ES256, ES384 or EdDSA), seals it under the root key and returns its kid (RFC 7638 thumbprint). state: active (it signs from now on) or next (it is published, and signs when vci_rotate_key or vci_alter_key activates it). Of the active keys the one that was activated last signs. Errors: 22023 (alg, state), 55000 with a hint when there is no root key.';

CREATE FUNCTION vci_import_key(private_key text, issuer text DEFAULT NULL, state text DEFAULT 'active', certificates text DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_import_key';
COMMENT ON FUNCTION vci_import_key(text, text, text, text) IS
'As vci_create_key, with a key that was made elsewhere. private_key: PEM (PKCS #8 or SEC 1, not encrypted) or a private JWK (RFC 7517), of P-256, P-384 or Ed25519. certificates: as for vci_set_key_certificates. Returns the kid, which is the thumbprint, whatever kid the JWK has. Errors: 22023 (what is given; the text tells nothing of the key), 42710 when the issuer has the key, 55000 when it had it and destroyed it, or without root key. An error keeps the statement out of the server''s log; log_statement does not.';

CREATE FUNCTION vci_alter_key(kid text, state text, issuer text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_alter_key';
COMMENT ON FUNCTION vci_alter_key(text, text, text) IS
'Sets the state of a key: active (it signs from now on; of a retired key that undoes its retirement) or retired (it signs no more, and stays published until published_until of vci_key_info: as long as the longest validity of any configuration lasts, or status_list_lifetime where there are status lists, and an hour, for good when a configuration has none; a key that was next is published no more). The state that it has changes nothing. Retiring the last active key is a WARNING, because issuance stops. Errors: 22023 (state), 42704 (kid), 55000 (a destroyed key).';

CREATE FUNCTION vci_retire_key(kid text, issuer text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_retire_key';
COMMENT ON FUNCTION vci_retire_key(text, text) IS
'Short for vci_alter_key(kid, ''retired''): the key signs no more and stays published while what it signed is good.';

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

CREATE FUNCTION vci_create_configuration(
        id text, vct text,
        always_disclosed jsonb DEFAULT '[]', selectively_disclosable jsonb DEFAULT '[]',
        claims jsonb DEFAULT NULL, display jsonb DEFAULT NULL,
        claims_source text DEFAULT NULL, validity interval DEFAULT '365 days',
        format text DEFAULT 'dc+sd-jwt', scope text DEFAULT NULL, binding text DEFAULT 'required',
        issuer text DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_create_configuration';
COMMENT ON FUNCTION vci_create_configuration(text, text, jsonb, jsonb, jsonb, jsonb, text, interval, text, text, text, text, jsonb) IS
'Creates a credential configuration and returns its id. always_disclosed, selectively_disclosable: arrays of claims path pointers (a name, or an array of names, array positions and null for all elements); a top-level claim that neither names is selectively disclosable. claims: array of {path, mandatory, display}. display: array of {name, locale, logo, background_color, text_color, description}. claims_source: schema.function(text, text) returning jsonb, maps (subject model, subject id) to claims at issuance and runs as its owner. validity: from iat to exp, NULL for none. format: dc+sd-jwt or vc+sd-jwt. scope: NULL for the id. binding: required, optional or absent. options: decoys (0 to 64 per credential), older (array of format_request, singular_proof, untyped_proof, vc_sd_jwt, metadata, holder_without_proof, credential_definition; default by profile: openspp the first five, final none; credential_definition publishes the configuration in the shape of OpenSPP''s guide alone), deferred (boolean: each issuance waits for vci_deferred_complete), status_bits (1, 2, 4 or 8: its credentials carry a place in a status list, so that vci_revoke and, from 2 bits on, vci_suspend can reach them; then only ways that keep a record issue), w3c_status (boolean: they also carry credentialStatus for W3C Bitstring Status List; needs status_bits), vct_integrity (boolean: they carry the digest of their type metadata).';

CREATE FUNCTION vci_alter_configuration(id text, changes jsonb, issuer text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_alter_configuration';
COMMENT ON FUNCTION vci_alter_configuration(text, jsonb, text) IS
'Changes a configuration. Members are the arguments and options of vci_create_configuration but id and issuer; validity as interval text. Unknown members are refused (22023).';

CREATE FUNCTION vci_retire_configuration(id text, issuer text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_retire_configuration';
COMMENT ON FUNCTION vci_retire_configuration(text, text) IS
'Retires a configuration: it leaves the metadata, and nothing can be offered or issued under it.';

CREATE FUNCTION vci_load_did_document(did text, document jsonb) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_load_did_document';
COMMENT ON FUNCTION vci_load_did_document(text, jsonb) IS
'Loads or replaces the DID document of a did:web holder (DID Core section 5): its id must be the DID. Duty issuer_admin for all issuers.';

CREATE FUNCTION vci_drop_did_document(did text) RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_drop_did_document';
COMMENT ON FUNCTION vci_drop_did_document(text) IS
'Forgets a loaded DID document; false when there was none.';

CREATE FUNCTION vci_create_authorization_server(
        url text, audiences text[], jwks jsonb DEFAULT NULL, options jsonb DEFAULT '{}',
        issuer text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_create_authorization_server';
COMMENT ON FUNCTION vci_create_authorization_server(text, text[], jsonb, jsonb, text) IS
'Lets an issuer trust an external authorization server: its JWT access tokens (RFC 9068) are taken at the credential endpoint and those behind it. url: iss of its tokens, to the byte; https, or http for loopback hosts. audiences: aud must hold one of these 1 to 16 strings. jwks: its public keys as a JWK set; without them every token is refused until vci_load_jwks. options: jwks_uri (where openid4vci-proxy refresh-jwks fetches the keys), client_ids (array; client_id or azp must be one of them; default: any client), accept_typ_jwt (boolean; also typ JWT, as Keycloak writes it, or none; default false), accept_without_jti (boolean; also tokens without jti, as eSignet writes them; default false), subject_claim (name of the top-level claim that says who the person is, default sub), subject_model (of the subject at issuance), subject_source (schema.function(text) returning text: subject id of the claim''s value, NULL when unknown; runs as its owner; default: the value is the id). issuer: NULL for the only one. Each token issues once, by its iss and jti (without jti, by its header and payload). 42710 when the issuer trusts this url already. Duty issuer_admin.';

CREATE FUNCTION vci_alter_authorization_server(url text, changes jsonb, issuer text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_alter_authorization_server';
COMMENT ON FUNCTION vci_alter_authorization_server(text, jsonb, text) IS
'Changes what an issuer demands of a trusted authorization server''s tokens. Members are audiences and the options of vci_create_authorization_server; null goes back to the default. Unknown members are refused (22023); 42704 when the issuer does not trust this url.';

CREATE FUNCTION vci_drop_authorization_server(url text, issuer text DEFAULT NULL) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_drop_authorization_server';
COMMENT ON FUNCTION vci_drop_authorization_server(text, text) IS
'Takes the trust back: from now on the server''s tokens are refused at the issuer (NULL: the only one), also those already used, for deferred credentials and notifications too. False when it was not trusted.';

CREATE FUNCTION vci_load_jwks(url text, jwks jsonb, issuer text DEFAULT NULL) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_load_jwks';
COMMENT ON FUNCTION vci_load_jwks(text, jsonb, text) IS
'Loads the public keys of the trusted authorization server with this url in place of the former ones, at one issuer or (NULL) at all issuers of the caller that trust it; returns at how many. jwks: a JWK set (RFC 7517 section 5) of 1 to 64 keys, at least one of which can verify ES256, ES384, EdDSA, RS256 or PS256; private or symmetric keys are refused (22023). 42704 when no such issuer trusts url. The database itself fetches nothing. Duty issuer_admin.';

CREATE FUNCTION vci_create_client(client_id text, redirect_uris text[], name text DEFAULT NULL,
                                  options jsonb DEFAULT '{}', issuer text DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_create_client';
COMMENT ON FUNCTION vci_create_client(text, text[], text, jsonb, text) IS
'Registers a wallet for the authorization code flow, a public client (RFC 6749 section 2.1), and returns its client_id (1 to 255 printable ASCII characters). redirect_uris: 1 to 32 absolute URIs of at most 2000 bytes without fragment: https, http for 127.0.0.1, [::1] and localhost, or a scheme of the wallet''s own; compared as text, but the port of 127.0.0.1 and [::1] may be any (RFC 8252 section 7.3). name: what people read on the consent page. options: pkce_required (boolean; false takes requests without code_challenge, for profile openspp alone). issuer: NULL for the only one. 42710 when the id is or was taken. Duty issuer_admin.';

CREATE FUNCTION vci_alter_client(client_id text, changes jsonb, issuer text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_alter_client';
COMMENT ON FUNCTION vci_alter_client(text, jsonb, text) IS
'Changes a wallet. Members: redirect_uris (array), name, pkce_required; null goes back to the default. Requests under way whose redirect_uri is no longer registered end. Unknown members are refused (22023); 42704 when there is no such client. Duty issuer_admin.';

CREATE FUNCTION vci_retire_client(client_id text, issuer text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_retire_client';
COMMENT ON FUNCTION vci_retire_client(text, text) IS
'Takes a wallet out of the authorization code flow: its requests under way end too, no refresh token of its is taken any more, and its id is not given again. 42704 when there is no such client. Duty issuer_admin.';

-- Offers ------------------------------------------------------------------------

CREATE TYPE vci_created_offer AS (
    offer_id                          bigint,
    credential_offer                  jsonb,
    credential_offer_uri              text,
    credential_offer_uri_by_reference text,
    tx_code                           text,
    expires_at                        timestamptz,
    created                           boolean,
    state                             text
);
COMMENT ON TYPE vci_created_offer IS
'Result of vci_create_offer: the offer object, its link by value and by reference, the transaction code (only now, and only when it was generated or given), whether this call created the offer (false: the reference had one already), and its state (pending, redeemed, expired, cancelled)';

CREATE FUNCTION vci_create_offer(
        configuration_ids text[],
        subject_model text DEFAULT NULL, subject_id text DEFAULT NULL, claims jsonb DEFAULT NULL,
        tx_code text DEFAULT NULL, generate_tx_code boolean DEFAULT false,
        tx_code_mode text DEFAULT 'numeric', tx_code_length integer DEFAULT 6,
        tx_code_description text DEFAULT NULL,
        holder text DEFAULT NULL, expires_in interval DEFAULT NULL,
        reference text DEFAULT NULL, labels jsonb DEFAULT NULL,
        grants text[] DEFAULT NULL, issuer text DEFAULT NULL,
        options jsonb DEFAULT '{}') RETURNS vci_created_offer
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'vci_create_offer';
COMMENT ON FUNCTION vci_create_offer(text[], text, text, jsonb, text, boolean, text, integer, text, text, interval, text, jsonb, text[], text, jsonb) IS
'Creates a credential offer. Give claims, or a subject whose configuration has a claims source, or both (the source wins). tx_code: a PIN given by you (4 to 64 characters), or generate_tx_code with mode (numeric, text) and length; description at most 300 characters. holder: a DID or a public JWK that alone may receive the credential. expires_in: NULL for the issuer''s offer_lifetime. reference: your own key, unique per issuer; repeating a call returns the same offer as it is, whatever its state. labels: a JSON object for reports. grants: any of urn:ietf:params:oauth:grant-type:pre-authorized_code (NULL: this alone) and authorization_code (which needs a subject_id: only that person may be approved); whichever a wallet uses first redeems the offer. issuer: URL, NULL for the only one. options: client_id (the only wallet that may redeem it), authorization_server (issuer URL or one of vci_authorization_server_info, where a wallet takes the authorization_code grant), datasets (array of {configuration_id, subject_model, subject_id, claims, name}: several credentials of one configuration, at most 64, 256 in all; each has a subject_id whose configuration has a claims source, or claims, and inherits neither from the offer); unknown members are refused. Notes the event offer_created. Over many rows use FROM ..., LATERAL vci_create_offer(...) with an argument that names a column of the row (without one it is called once for all rows); (vci_create_offer(...)).* would call it once a column.';

CREATE FUNCTION vci_offer_uri(offer_id bigint, by text DEFAULT 'value') RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vci_offer_uri';
COMMENT ON FUNCTION vci_offer_uri(bigint, text) IS
'The link of an offer, rebuilt: openid-credential-offer://?credential_offer=... (by => ''value''), ?credential_offer_uri=... (by => ''reference''), or the short https link to the offer''s landing page, for messages and printed sheets (by => ''page''; error 55000 when that endpoint is switched off). A secret: who has it can redeem the offer. Also works when the offer is no longer pending.';

CREATE FUNCTION vci_find_offer(code text) RETURNS bigint
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vci_find_offer';
COMMENT ON FUNCTION vci_find_offer(text) IS
'The id of the offer that a code belongs to; NULL when it is none of an issuer of the caller, or the offer is purged. code: a pre-authorized code, an issuer_state, or text with one in it, such as a whole link, by value, by reference or to the landing page; one that vci_rotate_code or vci_reopen_offer replaced finds its offer, too. What is forged is refused before any offer is read. A code is a secret: give it as a parameter, so that no log shows it.';

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

CREATE FUNCTION vci_offer_qr(offer_id bigint, format text DEFAULT 'svg', by text DEFAULT 'reference') RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vci_offer_qr';
COMMENT ON FUNCTION vci_offer_qr(bigint, text, text) IS
'The QR code of the offer''s link as svg (an SVG document), terminal (UTF-8 half blocks) or png (a data: URI). by: reference, value or page (the link of the landing page, the shortest).';

CREATE FUNCTION vci_offer_qr_png(offer_id bigint, by text DEFAULT 'reference', scale integer DEFAULT 8) RETURNS bytea
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vci_offer_qr_png';
COMMENT ON FUNCTION vci_offer_qr_png(bigint, text, integer) IS
'The QR code of the offer''s link as a PNG file. by: reference, value or page. scale: pixels a module, 1 to 32.';

CREATE FUNCTION vci_extend_offer(offer_id bigint, expires_in interval DEFAULT NULL) RETURNS timestamptz
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_extend_offer';
COMMENT ON FUNCTION vci_extend_offer(bigint, interval) IS
'Lets a pending or expired offer end expires_in from now (NULL: the issuer''s offer_lifetime) and returns that time. The link stays the same.';

CREATE FUNCTION vci_rotate_code(offer_id bigint) RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_rotate_code';
COMMENT ON FUNCTION vci_rotate_code(bigint) IS
'Kills every earlier link of a pending or expired offer and returns the new one (by value).';

CREATE FUNCTION vci_reset_tx_code(offer_id bigint, tx_code text DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_reset_tx_code';
COMMENT ON FUNCTION vci_reset_tx_code(bigint, text) IS
'Gives a pending or expired offer a new transaction code (generated in the offer''s mode and length when tx_code is NULL), clears the count of wrong ones, and returns it. Error 55000 when the offer has none.';

CREATE FUNCTION vci_reopen_offer(offer_id bigint) RETURNS text
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_reopen_offer';
COMMENT ON FUNCTION vci_reopen_offer(bigint) IS
'Makes a redeemed or cancelled offer pending again, as long as nothing was issued; kills its earlier link and token, restores a full lifetime if it is over, and returns the new link (by value). Error 55000 when a credential was issued, or the offer is pending or expired (extend it).';

CREATE FUNCTION vci_cancel_offer(offer_id bigint) RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_cancel_offer';
COMMENT ON FUNCTION vci_cancel_offer(bigint) IS
'Cancels an offer: its link, its tokens and its refresh tokens are dead. False when it was cancelled already or the one credential that it offers is issued and its issuer gives no refresh tokens. Notes the event offer_cancelled.';

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

-- Authorization code flow ---------------------------------------------------------

CREATE FUNCTION vci_push_authorization(parameters jsonb, dpop text DEFAULT NULL, issuer text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_push_authorization';
COMMENT ON FUNCTION vci_push_authorization(jsonb, text, text) IS
'The work of the endpoint for pushed authorization requests (RFC 9126). parameters: the request''s, by name (client_id, redirect_uri, response_type, code_challenge ...; authorization_details as JSON or as its text). dpop: a DPoP proof for that endpoint, NULL: none. Returns {request_uri, expires_in (seconds)} or {error, error_description}. Duty offerer.';

CREATE FUNCTION vci_authorize(parameters jsonb, issuer text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_authorize';
COMMENT ON FUNCTION vci_authorize(jsonb, text) IS
'The authorization endpoint''s work (RFC 6749 section 4.1.1). parameters: the request''s, by name, or client_id and request_uri of a pushed one, which opens once. Returns {location}: where the browser goes, the login-and-consent page (with ?request=...) or the wallet''s redirect_uri with an error; set_cookie too when the page is the built-in one; or {error, error_description} when client or redirect_uri do not hold, so that nobody may be sent there. Duty offerer.';

CREATE FUNCTION vci_authorization_request(request text, issuer text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vci_authorization_request';
COMMENT ON FUNCTION vci_authorization_request(text, text) IS
'What a login page shows of the request that it was given as ?request=...: {id, state (pending, approved, denied, redeemed, expired), client_id, client_name, redirect_uri, configuration_ids, credentials (array of {id, display, claims}), offer_id, subject_model, subject_id (for whom the offer is), expires_at}; what is unknown is absent. issuer: NULL for the one whose request it is. 42704 when there is no such request of an issuer of yours, 55000 when its wallet is no longer registered. Duty offerer.';

CREATE FUNCTION vci_authorize_approve(
        request text, subject_model text DEFAULT NULL, subject_id text DEFAULT NULL,
        claims jsonb DEFAULT NULL, options jsonb DEFAULT '{}', issuer text DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'vci_authorize_approve';
COMMENT ON FUNCTION vci_authorize_approve(text, text, text, jsonb, jsonb, text) IS
'Approves a request for the person who logged in at your page and returns the URL to which the browser goes: the wallet''s redirect_uri with code, state and iss. A request that an offer began (offer_id of vci_authorization_request) is approved for the subject of that offer alone, so that its link is no authentication: 42501 for another subject. Any other request gets an offer of its own for this subject, with claims or a claims source as in vci_create_offer; options: labels, datasets, as there. Repeated for the same subject while the code is good it returns the same URL. 55000 when it was denied, has expired, its code was used, its offer is no longer good, or issuance is paused; 42704 when there is no such request. Duty offerer.';

CREATE FUNCTION vci_authorize_deny(request text, reason text DEFAULT NULL, issuer text DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_authorize_deny';
COMMENT ON FUNCTION vci_authorize_deny(text, text, text) IS
'Denies a request and returns the URL to which the browser goes: the wallet''s redirect_uri with error=access_denied, state and iss. reason (at most 1000 bytes) is kept in vci_authorization_info and sent to nobody. Repeated it returns the same URL. 55000 when the request was approved or has expired, 42704 when there is none. Duty offerer.';

-- Issuing and verifying -----------------------------------------------------------

CREATE FUNCTION vci_exchange_code(pre_authorized_code text, tx_code text DEFAULT NULL, issuer text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_exchange_code';
COMMENT ON FUNCTION vci_exchange_code(text, text, text) IS
'The token endpoint''s work: redeems a pre-authorized code once. Returns the RFC 6749 response (access_token, token_type, expires_in, c_nonce, c_nonce_expires_in) or its error (error, error_description); commit either, a wrong transaction code counts only then.';

CREATE FUNCTION vci_request_token(parameters jsonb, dpop text DEFAULT NULL, issuer text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_request_token';
COMMENT ON FUNCTION vci_request_token(jsonb, text, text) IS
'The token endpoint itself (OpenID4VCI 1.0 section 6) for each of its grants. parameters: the form as an object of texts (grant_type urn:ietf:params:oauth:grant-type:pre-authorized_code with pre-authorized_code, tx_code; authorization_code with code, redirect_uri, client_id, code_verifier; refresh_token with refresh_token, client_id, scope; each with authorization_details, also as JSON array). dpop: the DPoP proof of the wallet (RFC 9449), made for the URL of the token endpoint. issuer: URL, NULL for the only one. Returns the RFC 6749 response (access_token, token_type, expires_in in seconds, refresh_token, c_nonce, c_nonce_expires_in in seconds, authorization_details) or its error (error, error_description); commit either. A code or refresh token that comes again revokes what it gave. Notes the events offer_redeemed, token_refreshed, tx_code_failed, offer_locked, code_replayed, refresh_replayed.';

CREATE FUNCTION vci_create_nonce(issuer text DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vci_create_nonce';
COMMENT ON FUNCTION vci_create_nonce(text) IS
'A fresh c_nonce (OpenID4VCI 1.0 section 7). Writes nothing.';

CREATE FUNCTION vci_holder_jwk(holder text) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vci_holder_jwk';
COMMENT ON FUNCTION vci_holder_jwk(text) IS
'The public JWK of a holder, for vci_issue_sdjwt and vci_issue_and_record. holder: a DID, or a DID URL that names one of its keys (did:jwk, did:key, did:web), or a public JWK, which is checked. Errors: 22023 (not a holder, not a key, several keys), 0A000 (a kind of key that is not taken), 42704 when the document of a did:web is not loaded; the hint says what to type.';

CREATE FUNCTION vci_issue_sdjwt(configuration_id text, claims jsonb, holder_jwk jsonb DEFAULT NULL, issuer text DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE PARALLEL SAFE COST 5000 AS 'MODULE_PATHNAME', 'vci_issue_sdjwt';
COMMENT ON FUNCTION vci_issue_sdjwt(text, jsonb, jsonb, text) IS
'Signs an SD-JWT VC (RFC 9901) over claims under a configuration, bound to holder_jwk (public JWK; NULL only where the configuration''s binding is not required). Writes nothing. Reserved claims are refused (22023). Error 55000 for a configuration with status_bits: a place in a status list needs the record that vci_issue_and_record makes.';

CREATE TYPE vci_issued_credential AS (
    credential_id bigint,
    credential    text,
    expires_at    timestamptz
);
COMMENT ON TYPE vci_issued_credential IS 'Result of vci_issue_and_record: id of the record, compact SD-JWT, its exp';

CREATE FUNCTION vci_issue_and_record(
        configuration_id text, claims jsonb DEFAULT NULL, holder_jwk jsonb DEFAULT NULL,
        subject_model text DEFAULT NULL, subject_id text DEFAULT NULL, issuer text DEFAULT NULL) RETURNS vci_issued_credential
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 5000 AS 'MODULE_PATHNAME', 'vci_issue_and_record';
COMMENT ON FUNCTION vci_issue_and_record(text, jsonb, jsonb, text, text, text) IS
'As vci_issue_sdjwt, and records the credential in vci_credential; of a configuration with status_bits it gets its place in a status list. With a subject and a claims source the claims come from there; error 55000 when it says "not yet".';

CREATE FUNCTION vci_request_credential(access_token text, request jsonb, dpop text DEFAULT NULL, issuer text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'vci_request_credential';
COMMENT ON FUNCTION vci_request_credential(text, jsonb, text, text) IS
'The credential endpoint''s work (OpenID4VCI 1.0 section 8): request is its body, access_token goes as DPoP when dpop (a DPoP proof) is given, else as Bearer. Returns the response (credentials and notification_id, or transaction_id and interval) or the error (error, error_description); commit either.';

CREATE FUNCTION vci_request_deferred(access_token text, transaction_id text, dpop text DEFAULT NULL, issuer text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'vci_request_deferred';
COMMENT ON FUNCTION vci_request_deferred(text, text, text, text) IS
'The deferred credential endpoint''s work (OpenID4VCI 1.0 section 9): the credentials of a transaction_id, or transaction_id and interval (seconds) while they wait, or the error (error, error_description); commit either. access_token: the one that asked, also when it has expired, or another one of the same offer; dpop: a DPoP proof, NULL sends it as Bearer.';

CREATE FUNCTION vci_record_notification(access_token text, notification_id text, event text, event_description text DEFAULT NULL, dpop text DEFAULT NULL, issuer text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'vci_record_notification';
COMMENT ON FUNCTION vci_record_notification(text, text, text, text, text, text) IS
'The notification endpoint''s work (OpenID4VCI 1.0 section 11): keeps what the wallet tells with the credentials of one answer. event: credential_accepted, credential_failure or credential_deleted; event_description: at most 1024 ASCII characters. Returns {} or the error (error, error_description). Idempotent; another event later replaces the earlier one.';

CREATE FUNCTION vci_deferred_complete(deferred_id bigint, claims jsonb DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_deferred_complete';
COMMENT ON FUNCTION vci_deferred_complete(bigint, jsonb) IS
'Lets the wallet fetch a deferred credential (vci_deferred_info). claims: what it will hold, NULL for the offer''s; over them goes what the claims source says when the wallet fetches. Repeating the same decision changes nothing. Errors: 42704 unknown; 55000 fetched, denied, completed with other claims, expired, withdrawn with its offer, or waiting for its claims source; 22023 claims that can''t be issued.';

CREATE FUNCTION vci_deferred_deny(deferred_id bigint, reason text DEFAULT NULL) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_deferred_deny';
COMMENT ON FUNCTION vci_deferred_deny(bigint, text) IS
'Refuses a deferred credential: the wallet gets credential_request_denied. reason: for reports alone (vci_deferred_info), at most 1024 bytes. Repeating it changes nothing. Errors: 42704 unknown; 55000 fetched, completed, expired or withdrawn with its offer.';

CREATE FUNCTION vci_verify_kbjwt(
        jwt text, expected_nonce text, expected_audience text,
        sd_jwt text DEFAULT NULL, holder_key jsonb DEFAULT NULL, holder_did text DEFAULT NULL,
        older boolean DEFAULT false, max_age interval DEFAULT '1 day') RETURNS jsonb
    LANGUAGE c STABLE PARALLEL SAFE COST 5000 AS 'MODULE_PATHNAME', 'vci_verify_kbjwt';
COMMENT ON FUNCTION vci_verify_kbjwt(text, text, text, text, jsonb, text, boolean, interval) IS
'Verifies a key proof or key binding JWT. Without sd_jwt: a proof (openid4vci-proof+jwt; with older also untyped, JWT and kb+jwt ones, whose key may be holder_key or that of holder_did). With sd_jwt (the presentation it belongs to): the kb+jwt of RFC 9901 with sd_hash; the key is holder_key or cnf. Returns {valid, error, error_description, header, payload, key, thumbprint}; a bad JWT is a result, not an error. expected_nonce NULL: not checked.';

CREATE FUNCTION vci_verify_sdjwt(
        presentation text, expected_nonce text DEFAULT NULL, expected_audience text DEFAULT NULL,
        issuer_jwks jsonb DEFAULT NULL, require_key_binding boolean DEFAULT NULL,
        max_age interval DEFAULT '1 day') RETURNS jsonb
    LANGUAGE c STABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'vci_verify_sdjwt';
COMMENT ON FUNCTION vci_verify_sdjwt(text, text, text, jsonb, boolean, interval) IS
'Verifies an SD-JWT or SD-JWT+KB (RFC 9901 section 7). issuer_jwks: JWK set or JWK of its issuer, NULL for the keys of the issuers here for which the caller has duty verifier or offerer (iss must then be one of them). require_key_binding: NULL means when nonce or audience are expected. Returns {valid, error, error_description, claims, header, issuer, key_binding}; claims are what was disclosed. Of a credential of an issuer here for which the caller verifies, with a place in a status list, the status counts as it is now: error is revoked, suspended, or status_unknown when there is no such place.';

CREATE FUNCTION vci_verify_dpop(
        proof text, method text, url text, access_token text DEFAULT NULL,
        max_age interval DEFAULT '5 minutes') RETURNS jsonb
    LANGUAGE c STABLE PARALLEL SAFE COST 5000 AS 'MODULE_PATHNAME', 'vci_verify_dpop';
COMMENT ON FUNCTION vci_verify_dpop(text, text, text, text, interval) IS
'Verifies a DPoP proof (RFC 9449 section 4.3) for a request with this method and URL: typ, signature by the key in its header, htm, htu, iat from max_age ago to 60 seconds ahead, jti, and ath when an access_token is given. Returns {valid, error, error_description, header, payload, jkt}; a bad proof is a result, not an error. jkt is the thumbprint of its key (RFC 7638). Spends nothing and checks no nonce: the endpoints do.';

CREATE TYPE vci_http_response AS (
    status  integer,
    headers text[],
    body    bytea
);
COMMENT ON TYPE vci_http_response IS 'Result of vci_http: status code, headers as flat array name, value, name, value ..., body';

CREATE FUNCTION vci_http(method text, target text, headers text[] DEFAULT '{}', body bytea DEFAULT '') RETURNS vci_http_response
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'vci_http';
COMMENT ON FUNCTION vci_http(text, text, text[], bytea) IS
'Answers one HTTP request to any endpoint of any issuer. target: path and query as they came; headers: flat array name, value, ... with duplicates. Any result, 4xx too, must be committed before it is sent. Only a fault of the server raises.';

-- Status of what was issued --------------------------------------------------------

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

-- The database as a whole ----------------------------------------------------------

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

-- Checks --------------------------------------------------------------------------

CREATE FUNCTION vci_check_issuer(issuer text DEFAULT NULL, OUT configuration_id text, OUT setting text, OUT deviation text) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE ROWS 20 AS 'MODULE_PATHNAME', 'vci_check_issuer';
COMMENT ON FUNCTION vci_check_issuer(text) IS
'Every deviation of an issuer and its configurations from OpenID4VCI 1.0 and RFC 9700, in plain words, a row each; no row: none.';

CREATE FUNCTION vci_health(OUT "check" text, OUT ok boolean, OUT detail text) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE ROWS 6 AS 'MODULE_PATHNAME', 'vci_health';
COMMENT ON FUNCTION vci_health() IS
'One row a check for a monitoring probe: root_key (can it be read, and does it open everything?), database (is this the one that issues, or a copy?), keys, certificates (absent when no signing key has any; not ok from 30 days before the first ends), issuance (is an issuer paused?), authorization_servers (are the keys of each external one loaded? absent when there is none), clock, writable, durability (fsync, full_page_writes, and synchronous_commit of this session), nonces, events (does somebody seal them?), duties (has each role what its duty needs?). ok false needs somebody.';

CREATE FUNCTION vci_purge(max_rows integer DEFAULT 10000, OUT kind text, OUT purged bigint,
        OUT remaining bigint) RETURNS SETOF record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE ROWS 12 AS 'MODULE_PATHNAME', 'vci_purge_batch';
COMMENT ON FUNCTION vci_purge(integer) IS
'One batch of forgetting: removes or changes at most max_rows rows that nobody needs any more, in all kinds together. A row a kind: purged, how many went; remaining, 0 when nothing is left that is due and free, else about how many rows are still to be removed or looked at, so that a caller repeats until their sum is 0. Kinds: nonce and dpop_proof (spent, and past their lifetime), kept_claims (made due, when an issuer keeps claims no more), claims (of offers and deferrals of which nothing more can be issued: erased unless the issuer has keep_claims), deferred, token and refresh_token (token_retention after their end), authorization (the same; not approved: a day), offer (offer_retention after its end), recipient (of a campaign: with its offer; without one offer_retention after the campaign''s end; where that is NULL address, claims and note are erased after 30 days), credential (credential_retention after its exp, and once its token is over), event (event_retention; whole segments, so up to 999 more than max_rows; new events are sealed first). Rows that somebody has locked are left to the next call; several calls may run at once and wait for nobody. Error 22023 when max_rows is not positive; 40001 under REPEATABLE READ when a row changed meanwhile. Duty issuer_admin or offerer for all issuers.';

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

-- The funnel ------------------------------------------------------------------------

CREATE FUNCTION vci_refresh_funnel(max_events integer DEFAULT 100000) RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_refresh_funnel';
COMMENT ON FUNCTION vci_refresh_funnel(integer) IS
'Brings vci_funnel_info and vci_latency_info up to date: notes which offers have expired (event offer_expired), at most max_events of them, and counts at most max_events (1 to 1000000) events that are not counted yet and settled, as vci_events has it. Returns how many both were; 0 also while another session is at it, so cron may call it as often as it likes. vci_purge and vci_campaign_run call it too. For all who read reports. Error 22023 (max_events).';

CREATE FUNCTION vci_recount_funnel() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vci_recount_funnel';
COMMENT ON FUNCTION vci_recount_funnel() IS
'Forgets what the funnel has counted, so that vci_refresh_funnel counts all events again: after report_labels was changed. Offers that were purged are not counted then. Error 55000 when events were purged. Duty issuer_admin for all issuers.';

-- Views -----------------------------------------------------------------------------

CREATE VIEW vci_issuer_info WITH (security_barrier) AS
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
COMMENT ON VIEW vci_issuer_info IS 'Issuers without their keys; a NULL setting means the profile''s default';

CREATE VIEW vci_key_info WITH (security_barrier) AS
    SELECT k.id, k.issuer_id, i.url AS issuer, k.kid, k.alg, k.state, k.public_jwk,
           k.created_at, k.retired_at, k.activated_at, k.destroyed_at, k.published_until, k.x5c
    FROM openid4vci.vci_key k JOIN openid4vci.vci_issuer i ON i.id = k.issuer_id
    WHERE k.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[]);
COMMENT ON VIEW vci_key_info IS 'Signing keys, public half';

CREATE VIEW vci_configuration_info WITH (security_barrier) AS
    SELECT c.issuer_id, i.url AS issuer, c.id, c.format, c.vct, c.scope, c.validity, c.binding,
           c.older, c.decoys, c.always_disclosed, c.selectively_disclosable, c.claims, c.display,
           c.claims_source, c.created_at, c.retired_at, c.deferred, c.number,
           c.status_bits, c.w3c_status, c.vct_integrity
    FROM openid4vci.vci_configuration c JOIN openid4vci.vci_issuer i ON i.id = c.issuer_id
    WHERE c.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[]);
COMMENT ON VIEW vci_configuration_info IS 'Credential configurations';

CREATE VIEW vci_offer_info WITH (security_barrier) AS
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
COMMENT ON VIEW vci_offer_info IS
'Offers with their state at the moment of reading: pending, redeemed, expired, cancelled. Shows neither code nor claims.';

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

CREATE VIEW vci_credential_info WITH (security_barrier) AS
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
COMMENT ON VIEW vci_credential_info IS 'Credentials issued: ids and times, no claims; and what the wallet told of them';

CREATE VIEW vci_client_info WITH (security_barrier) AS
    SELECT c.issuer_id, i.url AS issuer, c.client_id, c.redirect_uris, c.pkce_required, c.name,
           c.created_at, c.retired_at
    FROM openid4vci.vci_client c JOIN openid4vci.vci_issuer i ON i.id = c.issuer_id
    WHERE c.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[]);
COMMENT ON VIEW vci_client_info IS 'Wallets registered for the authorization code flow';

CREATE VIEW vci_authorization_server_info WITH (security_barrier) AS
    SELECT s.issuer_id, i.url AS issuer, s.url, s.audiences, s.client_ids, s.jwks_uri,
           s.jwks_loaded_at, COALESCE(pg_catalog.jsonb_array_length(s.jwks -> 'keys'), 0) AS keys,
           s.accept_typ_jwt, s.subject_claim, s.subject_model, s.subject_source, s.created_at,
           s.accept_without_jti
    FROM openid4vci.vci_authorization_server s JOIN openid4vci.vci_issuer i ON i.id = s.issuer_id
    WHERE s.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[]);
COMMENT ON VIEW vci_authorization_server_info IS 'External authorization servers that issuers trust';

CREATE VIEW vci_authorization_info WITH (security_barrier) AS
    SELECT a.id, a.issuer_id, i.url AS issuer,
           CASE WHEN a.redeemed_at IS NOT NULL THEN 'redeemed'
                WHEN a.denied_at IS NOT NULL THEN 'denied'
                WHEN a.approved_at IS NOT NULL
                    THEN CASE WHEN a.code_expires_at <= pg_catalog.clock_timestamp() THEN 'expired'
                              ELSE 'approved' END
                WHEN a.expires_at <= pg_catalog.clock_timestamp() THEN 'expired'
                ELSE 'pending' END COLLATE "C" AS state,
           a.client_id, a.configuration_ids, a.offer_id, a.pushed,
           a.code_challenge IS NOT NULL AS pkce, a.jkt IS NOT NULL AS dpop, a.login_failures,
           a.created_at, a.expires_at, a.opened_at, a.approved_at, a.denied_at, a.redeemed_at,
           a.decided_by, a.reason
    FROM openid4vci.vci_authorization a JOIN openid4vci.vci_issuer i ON i.id = a.issuer_id
    WHERE a.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[]);
COMMENT ON VIEW vci_authorization_info IS
'Authorization requests with their state at the moment of reading: pending, approved, denied, redeemed, expired. Shows neither code nor state parameter.';

CREATE VIEW vci_deferred_info WITH (security_barrier) AS
    SELECT d.id, d.issuer_id, i.url AS issuer,
           CASE WHEN d.issued_at IS NOT NULL THEN 'issued'
                WHEN d.denied_at IS NOT NULL THEN 'denied'
                WHEN d.expires_at <= pg_catalog.clock_timestamp() THEN 'expired'
                WHEN o.cancelled_at IS NULL AND o.generation = d.generation THEN
                    CASE WHEN d.completed_at IS NOT NULL THEN 'ready' ELSE 'waiting' END
                ELSE 'withdrawn' END COLLATE "C" AS state,
           d.configuration_id, d.dataset, d.offer_id, o.subject_model, o.subject_id, o.labels,
           d.by_source, d.wait_seconds,
           COALESCE(d.completed_at, d.denied_at, pg_catalog.clock_timestamp()) - d.created_at AS waiting_for,
           d.created_at, d.expires_at, d.polled_at, d.completed_at, d.denied_at, d.issued_at,
           d.decided_by, d.reason
    FROM openid4vci.vci_deferred d
         JOIN openid4vci.vci_issuer i ON i.id = d.issuer_id
         LEFT JOIN openid4vci.vci_offer o ON o.id = d.offer_id
    WHERE d.issuer_id = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[]);
COMMENT ON VIEW vci_deferred_info IS
'Deferred credentials: what waits (waiting), can be fetched (ready), was fetched (issued), denied, expired or went with its offer (withdrawn), and how long the decision took or takes';

CREATE VIEW vci_event_info WITH (security_barrier) AS
    SELECT e.id, e.at, e.issuer_id, i.url AS issuer, e.kind, e.offer_id, e.authorization_id,
           e.token_id, e.deferred_id, e.credential_id, e.actor, e.key_id, e.role_name, e.duty
    FROM openid4vci.vci_event e LEFT JOIN openid4vci.vci_issuer i ON i.id = e.issuer_id
    WHERE COALESCE(e.issuer_id, 0) = ANY ((SELECT openid4vci.vci_duty_issuers('reporter'))::bigint[]);
COMMENT ON VIEW vci_event_info IS 'All events, for reports; a program that must miss none reads vci_events. Those of no issuer are for who reads all issuers';

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

-- PUBLIC has nothing, and neither has anybody whom the installing role's default
-- privileges favour, nor a role that had a duty in an extension dropped before: rights
-- come from vci_grant alone.

DO $$
DECLARE
    grantee text;
BEGIN
    FOR grantee IN
        SELECT DISTINCT CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'
                             ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)::text) END
        FROM (SELECT n.nspowner, n.nspacl FROM pg_catalog.pg_namespace n
              WHERE n.oid OPERATOR(pg_catalog.=) 'openid4vci'::regnamespace::oid
              UNION ALL
              SELECT c.relowner, c.relacl FROM pg_catalog.pg_class c
              WHERE c.relnamespace OPERATOR(pg_catalog.=) 'openid4vci'::regnamespace::oid
              UNION ALL
              SELECT p.proowner, p.proacl FROM pg_catalog.pg_proc p
              WHERE p.pronamespace OPERATOR(pg_catalog.=) 'openid4vci'::regnamespace::oid
              UNION ALL
              SELECT t.typowner, t.typacl FROM pg_catalog.pg_type t
              WHERE t.typnamespace OPERATOR(pg_catalog.=) 'openid4vci'::regnamespace::oid
             ) AS o (owner, acl),
             pg_catalog.aclexplode(o.acl) AS a
        WHERE a.grantee OPERATOR(pg_catalog.<>) o.owner
        UNION SELECT 'PUBLIC'
    LOOP
        EXECUTE 'REVOKE ALL ON SCHEMA openid4vci FROM ' OPERATOR(pg_catalog.||) grantee;
        EXECUTE 'REVOKE ALL ON ALL TABLES IN SCHEMA openid4vci FROM ' OPERATOR(pg_catalog.||) grantee;
        EXECUTE 'REVOKE ALL ON ALL SEQUENCES IN SCHEMA openid4vci FROM ' OPERATOR(pg_catalog.||) grantee;
        EXECUTE 'REVOKE ALL ON ALL ROUTINES IN SCHEMA openid4vci FROM ' OPERATOR(pg_catalog.||) grantee;
        EXECUTE 'REVOKE ALL ON TYPE openid4vci.vci_created_offer, openid4vci.vci_issued_credential, '
                'openid4vci.vci_http_response FROM ' OPERATOR(pg_catalog.||) grantee;
    END LOOP;
END
$$;

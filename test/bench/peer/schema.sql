-- Tables of the peer issuer, in a database of its own. Codes and tokens are signed and name the
-- offer, so that none is stored; every look-up is by a primary key.
\set ON_ERROR_STOP on

CREATE TABLE offer (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    configuration_id text NOT NULL,
    subject_model    text NOT NULL,
    subject_id       text NOT NULL,
    claims           jsonb NOT NULL,
    state            text NOT NULL DEFAULT 'pending',
    expires_at       timestamptz NOT NULL,
    issued_at        timestamptz
);

CREATE TABLE token (
    offer_id   bigint PRIMARY KEY REFERENCES offer,
    expires_at timestamptz NOT NULL
);

CREATE TABLE nonce (
    nonce    text PRIMARY KEY,
    spent_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE credential (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    offer_id   bigint NOT NULL REFERENCES offer,
    thumbprint text NOT NULL,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

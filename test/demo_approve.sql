-- The person "maria" approves an authorization request: returns the URL for her browser.
-- Variable: request, the id that the login page got.
\set ON_ERROR_STOP on

-- A request that comes from an offer has the offer's claims.
SELECT openid4vci.vci_authorize_approve(:'request', 'demo.person', 'maria',
    CASE WHEN openid4vci.vci_authorization_request(:'request') ->> 'offer_id' IS NULL
         THEN demo.claims(1) END);

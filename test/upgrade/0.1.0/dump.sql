--
-- PostgreSQL database dump
--

\restrict B8E43nSxhPNl5BjUd61CrQPQJ8GXKOGRqUi5P4UPi2hMFdJRAMRZXglBoSqMhgH

-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: openid4vci; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA openid4vci;


ALTER SCHEMA openid4vci OWNER TO postgres;

--
-- Name: SCHEMA openid4vci; Type: COMMENT; Schema: -; Owner: postgres
--

COMMENT ON SCHEMA openid4vci IS 'OpenID4VCI 1.0 credential issuer';


--
-- Name: registry; Type: SCHEMA; Schema: -; Owner: registry
--

CREATE SCHEMA registry;


ALTER SCHEMA registry OWNER TO registry;

--
-- Name: openid4vci; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS openid4vci WITH SCHEMA openid4vci;


--
-- Name: EXTENSION openid4vci; Type: COMMENT; Schema: -; Owner:
--

COMMENT ON EXTENSION openid4vci IS 'OpenID4VCI 1.0 credential issuer: offers, tokens and SD-JWT credentials in SQL';


--
-- Name: claims(text, text); Type: FUNCTION; Schema: registry; Owner: registry
--

CREATE FUNCTION registry.claims(model text, id text) RETURNS jsonb
    LANGUAGE sql
    AS $$SELECT jsonb_build_object('person', id)$$;


ALTER FUNCTION registry.claims(model text, id text) OWNER TO registry;

--
-- Data for Name: vci_authorization; Type: TABLE DATA; Schema: openid4vci; Owner: postgres
--

COPY openid4vci.vci_authorization (id, issuer_id, generation, login_failures, offer_generation, offer_id, created_at, expires_at, opened_at, approved_at, denied_at, code_expires_at, redeemed_at, pushed, identifiers, client_id, redirect_uri, state, code_challenge, jkt, configuration_ids, browser, decided_by, reason) FROM stdin;
1	1	793415183	0	\N	\N	2026-11-22 03:38:29.502729+00	2026-11-22 03:39:59+00	\N	\N	\N	\N	\N	t	f	wallet	https://wallet.example/callback	of the wallet	E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM	DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0	{Slow}	\N	\N	\N
33	1	943302263	0	\N	\N	2026-11-22 03:38:29.536856+00	2026-11-22 03:48:29+00	2026-11-22 03:38:29.565733+00	\N	\N	\N	\N	t	f	wallet	https://wallet.example/callback	of the wallet	E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM	DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0	{Slow}	\N	\N	\N
65	1	571513398	0	887673090	193	2026-11-22 03:38:29.628261+00	2026-11-22 03:48:29+00	2026-11-22 03:38:29.653321+00	2026-11-22 03:38:29.67935+00	\N	2026-11-22 03:48:29+00	\N	t	f	wallet	https://wallet.example/callback	of the wallet	E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM	DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0	{Card}	\N	registry	\N
97	1	269359269	0	49063578	225	2026-11-22 03:38:29.733309+00	2026-11-22 03:48:29+00	2026-11-22 03:38:29.765968+00	2026-11-22 03:38:29.797591+00	\N	2026-11-22 03:48:29+00	2026-11-22 03:38:29.82915+00	t	f	wallet	https://wallet.example/callback	of the wallet	E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM	DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0	{Card}	\N	registry	\N
129	1	240508227	0	732968121	257	2026-11-22 03:38:29.892611+00	2026-11-22 03:48:29+00	2026-11-22 03:38:29.923265+00	2026-11-22 03:38:29.95243+00	\N	2026-11-22 03:48:29+00	2026-11-22 03:38:29.989507+00	t	f	wallet	https://wallet.example/callback	of the wallet	E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM	DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0	{Slow}	\N	registry	\N
161	1	174409362	0	654579769	289	2026-11-22 03:38:30.146809+00	2026-11-22 03:48:30+00	2026-11-22 03:38:30.169579+00	2026-11-22 03:38:30.204394+00	\N	2026-11-22 03:48:30+00	2026-11-22 03:38:30.237177+00	t	f	wallet	https://wallet.example/callback	of the wallet	E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM	DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0	{Slow}	\N	registry	\N
\.


--
-- Data for Name: vci_issuer; Type: TABLE DATA; Schema: openid4vci; Owner: postgres
--

COPY openid4vci.vci_issuer (id, url, base_path, profile, iss_did_web, offer_lifetime, access_token_lifetime, c_nonce_lifetime, retry_window, time_rounding, proof_max_age, tx_code_max_failures, batch_size, nonce_generation, dpop, dpop_nonce, dpop_proof_max_age, refresh_token_lifetime, authorization_request_lifetime, authorization_code_lifetime, authorization_request_rate, tx_code_retry_delay, deferred_interval, deferred_lifetime, login_url, authenticate, authenticate_owner, login_fields, endpoints, issuance_paused, notify_events, display, data_key, root_key_id, created_at, retired_at) FROM stdin;
1	https://issuer.example	/api/v1/openid4vci	openspp	f	\N	\N	\N	3600	\N	\N	\N	\N	0	\N	\N	3600	86400	\N	600	1000000	\N	\N	\N	https://portal.example/login	\N	\N	\N	{}	f	f	\N	\\xc26eb5390df7bc1cc1b575ced05defbf62c0c416d6305713bb4fd733ac78f591691b4727afecbea15efdd4f7f662d49558b622ecef1c5e4c11f86c2d	af95caec3aaaeeca	2026-11-22 03:38:28.829256+00	\N
\.


--
-- Data for Name: vci_authorization_server; Type: TABLE DATA; Schema: openid4vci; Owner: postgres
--

COPY openid4vci.vci_authorization_server (issuer_id, url, audiences, client_ids, jwks, jwks_uri, jwks_loaded_at, accept_typ_jwt, accept_without_jti, subject_claim, subject_model, subject_source, subject_source_owner, created_at) FROM stdin;
1	https://login.example	{cards}	{}	{"keys": [{"x": "YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y", "y": "eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk", "crv": "P-256", "kid": "k", "kty": "EC"}]}	\N	2026-11-22 03:38:28.958232+00	f	f	sub	\N	\N	\N	2026-11-22 03:38:28.956621+00
\.


--
-- Data for Name: vci_client; Type: TABLE DATA; Schema: openid4vci; Owner: postgres
--

COPY openid4vci.vci_client (issuer_id, client_id, redirect_uris, pkce_required, name, created_at, retired_at) FROM stdin;
1	wallet	{https://wallet.example/callback}	t	\N	2026-11-22 03:38:28.874012+00	\N
\.


--
-- Data for Name: vci_configuration; Type: TABLE DATA; Schema: openid4vci; Owner: postgres
--

COPY openid4vci.vci_configuration (issuer_id, id, format, vct, scope, validity, binding, older, decoys, always_disclosed, selectively_disclosable, claims, display, deferred, claims_source, claims_source_owner, created_at, retired_at) FROM stdin;
1	Card	dc+sd-jwt	https://issuer.example/Card	Card	365 days	required	{format_request,singular_proof,untyped_proof,vc_sd_jwt,metadata}	0	[]	[]	\N	\N	f	\N	\N	2026-11-22 03:38:28.84159+00	\N
1	Open	dc+sd-jwt	https://issuer.example/Open	Open	365 days	absent	{format_request,singular_proof,untyped_proof,vc_sd_jwt,metadata}	0	[]	[]	\N	\N	f	\N	\N	2026-11-22 03:38:28.843958+00	\N
1	Slow	dc+sd-jwt	https://issuer.example/Slow	slow	365 days	required	{format_request,singular_proof,untyped_proof,vc_sd_jwt,metadata}	0	[]	[]	\N	\N	t	\N	\N	2026-11-22 03:38:28.875374+00	\N
1	Lasting	dc+sd-jwt	https://issuer.example/Lasting	Lasting	100 years	required	{singular_proof}	0	[]	[]	\N	\N	f	\N	\N	2026-11-22 03:38:28.949736+00	\N
1	Endless	dc+sd-jwt	https://issuer.example/Endless	Endless	\N	required	{format_request,singular_proof,untyped_proof,vc_sd_jwt,metadata}	0	[]	[]	\N	\N	f	\N	\N	2026-11-22 03:38:28.952709+00	\N
1	Member	dc+sd-jwt	https://issuer.example/Member	member	365 days	absent	{format_request,singular_proof,untyped_proof,vc_sd_jwt,metadata}	0	[]	[]	\N	\N	f	registry.claims	registry	2026-11-22 03:38:28.954623+00	\N
\.


--
-- Data for Name: vci_credential; Type: TABLE DATA; Schema: openid4vci; Owner: postgres
--

COPY openid4vci.vci_credential (id, issuer_id, offer_id, token_id, key_id, dataset, instance, issued_at, expires_at, notified_at, configuration_id, format, issued_by, subject_model, subject_id, holder_thumbprint, request_digest, notification, notification_description, notification_changes) FROM stdin;
1	1	97	33	1	1	1	2026-11-22 03:38:29+00	2126-11-23 00:00:00+00	\N	Lasting	dc+sd-jwt	wallet_endpoint	\N	\N	DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0	\\xff296257dff058f9a37df728df9f9b6e7daaf89f41bdc4fb63562501cc2b4435	\N	\N	0
\.


--
-- Data for Name: vci_deferred; Type: TABLE DATA; Schema: openid4vci; Owner: postgres
--

COPY openid4vci.vci_deferred (id, issuer_id, generation, offer_id, token_id, dataset, wait_seconds, created_at, expires_at, polled_at, completed_at, denied_at, issued_at, by_source, configuration_id, format, response_shape, holder_jwks, request_digest, claims, decided_by, reason) FROM stdin;
1	1	732968121	257	97	1	300	2026-11-22 03:38:30.058631+00	2026-12-22 03:38:30+00	\N	\N	\N	\N	f	Slow	dc+sd-jwt	credentials	[{"x": "YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y", "y": "eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk", "crv": "P-256", "kty": "EC"}]	\\xa2f22125b1fba08a1e2075341ef701d02e26f79ccf0706441db45aeb58ad8aa5	\N	\N	\N
33	1	654579769	289	129	1	300	2026-11-22 03:38:30.305093+00	2026-12-22 03:38:30+00	\N	2026-11-22 03:38:30.363547+00	\N	\N	f	Slow	dc+sd-jwt	credentials	[{"x": "YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y", "y": "eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk", "crv": "P-256", "kty": "EC"}]	\\x7d7a03c56912249746503e6d3d45bcc44a2280d61513efc1fe856773b2d5201a	\N	registry	\N
\.


--
-- Data for Name: vci_did_document; Type: TABLE DATA; Schema: openid4vci; Owner: postgres
--

COPY openid4vci.vci_did_document (did, document, loaded_at, loaded_by) FROM stdin;
\.


--
-- Data for Name: vci_duty; Type: TABLE DATA; Schema: openid4vci; Owner: postgres
--

COPY openid4vci.vci_duty (role_name, duty, issuer_id, granted_by, granted_at) FROM stdin;
registry	issuer_admin	\N	postgres	2026-11-22 03:38:28.796404+00
registry	offerer	\N	postgres	2026-11-22 03:38:28.799754+00
registry	reporter	\N	postgres	2026-11-22 03:38:28.802288+00
wallet_endpoint	endpoint	\N	postgres	2026-11-22 03:38:28.804064+00
keeper	backup	\N	postgres	2026-11-22 03:38:28.805086+00
clerk	issuer_admin	1	postgres	2026-11-22 03:38:28.920512+00
\.


--
-- Data for Name: vci_event; Type: TABLE DATA; Schema: openid4vci; Owner: postgres
--

COPY openid4vci.vci_event (id, horizon, at, issuer_id, offer_id, authorization_id, token_id, deferred_id, credential_id, kind, actor) FROM stdin;
1	746	2026-11-22 03:38:28.989113+00	1	1	\N	\N	\N	\N	offer_created	registry
2	747	2026-11-22 03:38:29.018912+00	1	33	\N	\N	\N	\N	offer_created	registry
3	748	2026-11-22 03:38:29.047574+00	1	65	\N	\N	\N	\N	offer_created	registry
4	749	2026-11-22 03:38:29.079245+00	1	97	\N	\N	\N	\N	offer_created	registry
5	750	2026-11-22 03:38:29.110235+00	1	129	\N	\N	\N	\N	offer_created	registry
6	751	2026-11-22 03:38:29.141751+00	1	161	\N	\N	\N	\N	offer_created	registry
7	752	2026-11-22 03:38:29.174417+00	1	65	\N	1	\N	\N	offer_redeemed	wallet_endpoint
8	753	2026-11-22 03:38:29.20766+00	1	97	\N	33	\N	\N	offer_redeemed	wallet_endpoint
9	754	2026-11-22 03:38:29.308563+00	1	97	\N	33	\N	1	credential_issued	wallet_endpoint
10	755	2026-11-22 03:38:29.343286+00	1	129	\N	\N	\N	\N	offer_cancelled	registry
11	762	2026-11-22 03:38:29.594128+00	1	193	\N	\N	\N	\N	offer_created	registry
12	765	2026-11-22 03:38:29.679523+00	1	193	65	\N	\N	\N	authorization_approved	registry
13	766	2026-11-22 03:38:29.704391+00	1	225	\N	\N	\N	\N	offer_created	registry
14	769	2026-11-22 03:38:29.797906+00	1	225	97	\N	\N	\N	authorization_approved	registry
15	770	2026-11-22 03:38:29.830281+00	1	225	97	65	\N	\N	offer_redeemed	wallet_endpoint
16	771	2026-11-22 03:38:29.859087+00	1	257	\N	\N	\N	\N	offer_created	registry
17	774	2026-11-22 03:38:29.952654+00	1	257	129	\N	\N	\N	authorization_approved	registry
18	775	2026-11-22 03:38:29.991148+00	1	257	129	97	\N	\N	offer_redeemed	wallet_endpoint
19	776	2026-11-22 03:38:30.058992+00	1	257	\N	97	1	\N	credential_deferred	wallet_endpoint
20	777	2026-11-22 03:38:30.111635+00	1	289	\N	\N	\N	\N	offer_created	registry
21	780	2026-11-22 03:38:30.204734+00	1	289	161	\N	\N	\N	authorization_approved	registry
22	781	2026-11-22 03:38:30.238827+00	1	289	161	129	\N	\N	offer_redeemed	wallet_endpoint
23	782	2026-11-22 03:38:30.305348+00	1	289	\N	129	33	\N	credential_deferred	wallet_endpoint
24	783	2026-11-22 03:38:30.363988+00	1	289	\N	129	33	\N	deferred_completed	registry
\.


--
-- Data for Name: vci_key; Type: TABLE DATA; Schema: openid4vci; Owner: postgres
--

COPY openid4vci.vci_key (id, issuer_id, kid, alg, state, public_jwk, private_key, root_key_id, created_at, retired_at) FROM stdin;
2	1	bJqelG-rfR2e0jqmw-cxNIvdoNZwwjW-WbzxyyN2K28	EdDSA	active	{"x": "_he05ttBKSw39e2ajKRawTVSBzm8oD_iktsGJrUXMck", "crv": "Ed25519", "kty": "OKP"}	\\x7125cea34e9637889ce4d304b0b4bac4d3a9102d9a7f25226b4f8a9ab8ec840986921c3fe11516c36fff3851137337edfff3eea52d9622907b10670dbc20fae31f88e6e22369b2d0041db1f9	af95caec3aaaeeca	2026-11-22 03:38:29.415951+00	\N
1	1	gCv9vtkT060wxTn5MQ32RirouxTyF-LiPxNi3Emt3dU	ES256	retired	{"x": "gC3bubzjjXj2lGhVImGba1bjpgLbuRrS3L9dET4GHOc", "y": "YO_uQHyo16t570kouQafME8xh8oFEUpRdYHUGGw7jp8", "crv": "P-256", "kty": "EC"}	\\x66344a378bbd3b4f284bd274f242f681c9242868681582b77b764acd0986ada6eb55090855bee5b95c5bcd02e0a0fe53bf6abc18b676869138728f8e77fe43fd4e91db67fb80b1174aeeb2db079efbe4dd5dd5d0ce0263ed6e6950830b6d09b1c177da7fc00bc797d2253f0117a5aa8292712a79dda5023df19f4077955ad15408603c2012be7ef5cee5f04c37c2d0c4e2f874214e6ae268b7dc32ce4bad7af906c0c4bc5044	af95caec3aaaeeca	2026-11-22 03:38:28.839623+00	2026-11-22 03:38:29.442205+00
\.


--
-- Data for Name: vci_offer; Type: TABLE DATA; Schema: openid4vci; Owner: postgres
--

COPY openid4vci.vci_offer (id, issuer_id, generation, tx_code_failures, created_at, expires_at, redeemed_at, issued_at, cancelled_at, tx_code_failed_at, tx_code_length, tx_code_mode, tx_code_description, tx_code_verifier, configuration_ids, grants, created_by, subject_model, subject_id, reference, holder_did, holder_jwk, client_id, authorization_server, labels, claims, datasets) FROM stdin;
1	1	900778667	0	2026-11-22 03:38:28.988621+00	2026-11-29 03:38:28+00	\N	\N	\N	\N	\N	\N	\N	\N	{Card}	{urn:ietf:params:oauth:grant-type:pre-authorized_code}	registry	\N	\N	ENT-1	\N	\N	\N	\N	{"campaign": "2026-11"}	{"name": "Ann"}	\N
33	1	763070178	0	2026-11-22 03:38:29.018663+00	2026-11-29 03:38:29+00	\N	\N	\N	\N	8	numeric	\N	\\x01fa33f4cd2f5ce8dd7c5fd12daf6f6bd6817465cb88bbba29a42cd1294a1047	{Card}	{urn:ietf:params:oauth:grant-type:pre-authorized_code}	registry	\N	\N	\N	\N	\N	\N	\N	\N	{"name": "Ann"}	\N
65	1	801487738	0	2026-11-22 03:38:29.047366+00	2026-11-29 03:38:29+00	2026-11-22 03:38:29.17319+00	\N	\N	\N	\N	\N	\N	\N	{Card}	{urn:ietf:params:oauth:grant-type:pre-authorized_code}	registry	\N	\N	\N	\N	\N	\N	\N	\N	{"name": "Ann"}	\N
97	1	609111196	0	2026-11-22 03:38:29.078888+00	2026-11-29 03:38:29+00	2026-11-22 03:38:29.206393+00	2026-11-22 03:38:29.308829+00	\N	\N	\N	\N	\N	\N	{Lasting}	{urn:ietf:params:oauth:grant-type:pre-authorized_code}	registry	\N	\N	\N	\N	\N	\N	\N	\N	{"name": "Ann"}	\N
129	1	950343691	0	2026-11-22 03:38:29.110022+00	2026-11-29 03:38:29+00	\N	\N	2026-11-22 03:38:29.342907+00	\N	\N	\N	\N	\N	{Card}	{urn:ietf:params:oauth:grant-type:pre-authorized_code}	registry	\N	\N	\N	\N	\N	\N	\N	\N	{"name": "Ann"}	\N
161	1	106368865	0	2026-11-22 03:38:29.141494+00	2026-11-21 03:38:29.362589+00	\N	\N	\N	\N	\N	\N	\N	\N	{Card}	{urn:ietf:params:oauth:grant-type:pre-authorized_code}	registry	\N	\N	\N	\N	\N	\N	\N	\N	{"name": "Ann"}	\N
193	1	887673090	0	2026-11-22 03:38:29.593901+00	2026-11-29 03:38:29+00	\N	\N	\N	\N	\N	\N	\N	\N	{Card}	{authorization_code}	registry	person	7	\N	\N	\N	\N	\N	\N	{"name": "Ann"}	\N
225	1	49063578	0	2026-11-22 03:38:29.704222+00	2026-11-29 03:38:29+00	2026-11-22 03:38:29.829266+00	\N	\N	\N	\N	\N	\N	\N	{Card}	{authorization_code}	registry	person	7	\N	\N	\N	\N	\N	\N	{"name": "Ann"}	\N
257	1	732968121	0	2026-11-22 03:38:29.858864+00	2026-11-29 03:38:29+00	2026-11-22 03:38:29.989678+00	\N	\N	\N	\N	\N	\N	\N	{Slow}	{authorization_code}	registry	person	7	\N	\N	\N	\N	\N	\N	{"name": "Ann"}	\N
289	1	654579769	0	2026-11-22 03:38:30.111283+00	2026-11-29 03:38:30+00	2026-11-22 03:38:30.237367+00	\N	\N	\N	\N	\N	\N	\N	{Slow}	{authorization_code}	registry	person	7	\N	\N	\N	\N	\N	\N	{"name": "Ann"}	\N
\.


--
-- Data for Name: vci_refresh_token; Type: TABLE DATA; Schema: openid4vci; Owner: postgres
--

COPY openid4vci.vci_refresh_token (id, issuer_id, offer_id, generation, offer_generation, successor_id, configuration_ids, identifiers, created_at, expires_at, used_at, client_id, jkt) FROM stdin;
1	1	65	678945330	801487738	\N	{Card}	f	2026-11-22 03:38:29.173575+00	2026-11-23 03:38:29+00	\N	\N	\N
33	1	97	205424218	609111196	\N	{Lasting}	f	2026-11-22 03:38:29.20683+00	2026-11-23 03:38:29+00	\N	\N	\N
65	1	225	856715821	49063578	\N	{Card}	f	2026-11-22 03:38:29.829561+00	2026-11-23 03:38:29+00	\N	wallet	DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0
97	1	257	916742532	732968121	\N	{Slow}	f	2026-11-22 03:38:29.990125+00	2026-11-23 03:38:29+00	\N	wallet	DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0
129	1	289	899590857	654579769	\N	{Slow}	f	2026-11-22 03:38:30.237817+00	2026-11-23 03:38:30+00	\N	wallet	DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0
\.


--
-- Data for Name: vci_token; Type: TABLE DATA; Schema: openid4vci; Owner: postgres
--

COPY openid4vci.vci_token (id, issuer_id, offer_id, generation, offer_generation, configuration_ids, identifiers, created_at, expires_at, client_id, jkt, external_key) FROM stdin;
1	1	65	503455937	801487738	{Card}	f	2026-11-22 03:38:29.17411+00	2026-11-23 03:38:29+00	\N	\N	\N
33	1	97	187449295	609111196	{Lasting}	f	2026-11-22 03:38:29.207338+00	2026-11-23 03:38:29+00	\N	\N	\N
65	1	225	909383564	49063578	{Card}	f	2026-11-22 03:38:29.830024+00	2026-11-23 03:38:29+00	wallet	DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0	\N
97	1	257	1061258705	732968121	{Slow}	f	2026-11-22 03:38:29.990765+00	2026-11-23 03:38:29+00	wallet	DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0	\N
129	1	289	283171523	654579769	{Slow}	f	2026-11-22 03:38:30.23844+00	2026-11-23 03:38:30+00	wallet	DOvxvJiAdIqVWIkFt5hDtCunXLF0BV4-JGv4f-ALSm0	\N
\.


--
-- Name: vci_authorization_id_seq; Type: SEQUENCE SET; Schema: openid4vci; Owner: postgres
--

SELECT pg_catalog.setval('openid4vci.vci_authorization_id_seq', 192, true);


--
-- Name: vci_credential_id_seq; Type: SEQUENCE SET; Schema: openid4vci; Owner: postgres
--

SELECT pg_catalog.setval('openid4vci.vci_credential_id_seq', 32, true);


--
-- Name: vci_deferred_id_seq; Type: SEQUENCE SET; Schema: openid4vci; Owner: postgres
--

SELECT pg_catalog.setval('openid4vci.vci_deferred_id_seq', 64, true);


--
-- Name: vci_event_id_seq; Type: SEQUENCE SET; Schema: openid4vci; Owner: postgres
--

SELECT pg_catalog.setval('openid4vci.vci_event_id_seq', 24, true);


--
-- Name: vci_issuer_id_seq; Type: SEQUENCE SET; Schema: openid4vci; Owner: postgres
--

SELECT pg_catalog.setval('openid4vci.vci_issuer_id_seq', 1, true);


--
-- Name: vci_key_id_seq; Type: SEQUENCE SET; Schema: openid4vci; Owner: postgres
--

SELECT pg_catalog.setval('openid4vci.vci_key_id_seq', 2, true);


--
-- Name: vci_offer_id_seq; Type: SEQUENCE SET; Schema: openid4vci; Owner: postgres
--

SELECT pg_catalog.setval('openid4vci.vci_offer_id_seq', 320, true);


--
-- Name: vci_refresh_token_id_seq; Type: SEQUENCE SET; Schema: openid4vci; Owner: postgres
--

SELECT pg_catalog.setval('openid4vci.vci_refresh_token_id_seq', 160, true);


--
-- Name: vci_token_id_seq; Type: SEQUENCE SET; Schema: openid4vci; Owner: postgres
--

SELECT pg_catalog.setval('openid4vci.vci_token_id_seq', 160, true);


--
-- Name: SCHEMA openid4vci; Type: ACL; Schema: -; Owner: postgres
--

GRANT USAGE ON SCHEMA openid4vci TO registry;
GRANT USAGE ON SCHEMA openid4vci TO wallet_endpoint;
GRANT USAGE ON SCHEMA openid4vci TO keeper;
GRANT USAGE ON SCHEMA openid4vci TO clerk;


--
-- Name: FUNCTION vci_alter_authorization_server(url text, changes jsonb, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_alter_authorization_server(url text, changes jsonb, issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_alter_authorization_server(url text, changes jsonb, issuer text) TO clerk;


--
-- Name: FUNCTION vci_alter_client(client_id text, changes jsonb, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_alter_client(client_id text, changes jsonb, issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_alter_client(client_id text, changes jsonb, issuer text) TO clerk;


--
-- Name: FUNCTION vci_alter_configuration(id text, changes jsonb, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_alter_configuration(id text, changes jsonb, issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_alter_configuration(id text, changes jsonb, issuer text) TO clerk;


--
-- Name: FUNCTION vci_alter_issuer(settings jsonb, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_alter_issuer(settings jsonb, issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_alter_issuer(settings jsonb, issuer text) TO clerk;


--
-- Name: FUNCTION vci_alter_key(kid text, state text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_alter_key(kid text, state text, issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_alter_key(kid text, state text, issuer text) TO clerk;


--
-- Name: FUNCTION vci_authorization_request(request text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_authorization_request(request text, issuer text) TO registry;


--
-- Name: FUNCTION vci_authorize(parameters jsonb, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_authorize(parameters jsonb, issuer text) TO registry;


--
-- Name: FUNCTION vci_authorize_approve(request text, subject_model text, subject_id text, claims jsonb, options jsonb, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_authorize_approve(request text, subject_model text, subject_id text, claims jsonb, options jsonb, issuer text) TO registry;


--
-- Name: FUNCTION vci_authorize_deny(request text, reason text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_authorize_deny(request text, reason text, issuer text) TO registry;


--
-- Name: FUNCTION vci_cancel_offer(offer_id bigint); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_cancel_offer(offer_id bigint) TO registry;


--
-- Name: FUNCTION vci_check_issuer(issuer text, OUT configuration_id text, OUT setting text, OUT deviation text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_check_issuer(issuer text, OUT configuration_id text, OUT setting text, OUT deviation text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_check_issuer(issuer text, OUT configuration_id text, OUT setting text, OUT deviation text) TO clerk;


--
-- Name: FUNCTION vci_create_authorization_server(url text, audiences text[], jwks jsonb, options jsonb, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_create_authorization_server(url text, audiences text[], jwks jsonb, options jsonb, issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_create_authorization_server(url text, audiences text[], jwks jsonb, options jsonb, issuer text) TO clerk;


--
-- Name: FUNCTION vci_create_client(client_id text, redirect_uris text[], name text, options jsonb, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_create_client(client_id text, redirect_uris text[], name text, options jsonb, issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_create_client(client_id text, redirect_uris text[], name text, options jsonb, issuer text) TO clerk;


--
-- Name: FUNCTION vci_create_configuration(id text, vct text, always_disclosed jsonb, selectively_disclosable jsonb, claims jsonb, display jsonb, claims_source text, validity interval, format text, scope text, binding text, issuer text, options jsonb); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_create_configuration(id text, vct text, always_disclosed jsonb, selectively_disclosable jsonb, claims jsonb, display jsonb, claims_source text, validity interval, format text, scope text, binding text, issuer text, options jsonb) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_create_configuration(id text, vct text, always_disclosed jsonb, selectively_disclosable jsonb, claims jsonb, display jsonb, claims_source text, validity interval, format text, scope text, binding text, issuer text, options jsonb) TO clerk;


--
-- Name: FUNCTION vci_create_issuer(url text, display jsonb, profile text, settings jsonb); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_create_issuer(url text, display jsonb, profile text, settings jsonb) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_create_issuer(url text, display jsonb, profile text, settings jsonb) TO clerk;


--
-- Name: FUNCTION vci_create_key(issuer text, alg text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_create_key(issuer text, alg text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_create_key(issuer text, alg text) TO clerk;


--
-- Name: FUNCTION vci_create_nonce(issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_create_nonce(issuer text) TO registry;


--
-- Name: FUNCTION vci_create_offer(configuration_ids text[], subject_model text, subject_id text, claims jsonb, tx_code text, generate_tx_code boolean, tx_code_mode text, tx_code_length integer, tx_code_description text, holder text, expires_in interval, reference text, labels jsonb, grants text[], issuer text, options jsonb); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_create_offer(configuration_ids text[], subject_model text, subject_id text, claims jsonb, tx_code text, generate_tx_code boolean, tx_code_mode text, tx_code_length integer, tx_code_description text, holder text, expires_in interval, reference text, labels jsonb, grants text[], issuer text, options jsonb) TO registry;


--
-- Name: FUNCTION vci_deferred_complete(deferred_id bigint, claims jsonb); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_deferred_complete(deferred_id bigint, claims jsonb) TO registry;


--
-- Name: FUNCTION vci_deferred_deny(deferred_id bigint, reason text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_deferred_deny(deferred_id bigint, reason text) TO registry;


--
-- Name: FUNCTION vci_drop_authorization_server(url text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_drop_authorization_server(url text, issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_drop_authorization_server(url text, issuer text) TO clerk;


--
-- Name: FUNCTION vci_drop_did_document(did text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_drop_did_document(did text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_drop_did_document(did text) TO clerk;


--
-- Name: FUNCTION vci_duty_issuers(duty text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_duty_issuers(duty text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_duty_issuers(duty text) TO keeper;
GRANT ALL ON FUNCTION openid4vci.vci_duty_issuers(duty text) TO clerk;


--
-- Name: FUNCTION vci_events(after bigint, max_rows integer, OUT id bigint, OUT at timestamp with time zone, OUT issuer text, OUT kind text, OUT offer_id bigint, OUT authorization_id bigint, OUT token_id bigint, OUT deferred_id bigint, OUT credential_id bigint); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_events(after bigint, max_rows integer, OUT id bigint, OUT at timestamp with time zone, OUT issuer text, OUT kind text, OUT offer_id bigint, OUT authorization_id bigint, OUT token_id bigint, OUT deferred_id bigint, OUT credential_id bigint) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_events(after bigint, max_rows integer, OUT id bigint, OUT at timestamp with time zone, OUT issuer text, OUT kind text, OUT offer_id bigint, OUT authorization_id bigint, OUT token_id bigint, OUT deferred_id bigint, OUT credential_id bigint) TO clerk;


--
-- Name: FUNCTION vci_exchange_code(pre_authorized_code text, tx_code text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_exchange_code(pre_authorized_code text, tx_code text, issuer text) TO registry;


--
-- Name: FUNCTION vci_extend_offer(offer_id bigint, expires_in interval); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_extend_offer(offer_id bigint, expires_in interval) TO registry;


--
-- Name: FUNCTION vci_grant(role name, duty text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_grant(role name, duty text, issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_grant(role name, duty text, issuer text) TO clerk;


--
-- Name: FUNCTION vci_health(OUT "check" text, OUT ok boolean, OUT detail text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_health(OUT "check" text, OUT ok boolean, OUT detail text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_health(OUT "check" text, OUT ok boolean, OUT detail text) TO clerk;


--
-- Name: FUNCTION vci_http(method text, target text, headers text[], body bytea); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_http(method text, target text, headers text[], body bytea) TO wallet_endpoint;


--
-- Name: FUNCTION vci_issue_and_record(configuration_id text, claims jsonb, holder_jwk jsonb, subject_model text, subject_id text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_issue_and_record(configuration_id text, claims jsonb, holder_jwk jsonb, subject_model text, subject_id text, issuer text) TO registry;


--
-- Name: FUNCTION vci_issue_sdjwt(configuration_id text, claims jsonb, holder_jwk jsonb, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_issue_sdjwt(configuration_id text, claims jsonb, holder_jwk jsonb, issuer text) TO registry;


--
-- Name: FUNCTION vci_load_did_document(did text, document jsonb); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_load_did_document(did text, document jsonb) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_load_did_document(did text, document jsonb) TO clerk;


--
-- Name: FUNCTION vci_load_jwks(url text, jwks jsonb, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_load_jwks(url text, jwks jsonb, issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_load_jwks(url text, jwks jsonb, issuer text) TO clerk;


--
-- Name: FUNCTION vci_offer_qr(offer_id bigint, format text, by text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_offer_qr(offer_id bigint, format text, by text) TO registry;


--
-- Name: FUNCTION vci_offer_qr_png(offer_id bigint, by text, scale integer); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_offer_qr_png(offer_id bigint, by text, scale integer) TO registry;


--
-- Name: FUNCTION vci_offer_uri(offer_id bigint, by text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_offer_uri(offer_id bigint, by text) TO registry;


--
-- Name: FUNCTION vci_pause_issuance(issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_pause_issuance(issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_pause_issuance(issuer text) TO clerk;


--
-- Name: FUNCTION vci_purge(max_rows integer); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_purge(max_rows integer) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_purge(max_rows integer) TO clerk;


--
-- Name: FUNCTION vci_push_authorization(parameters jsonb, dpop text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_push_authorization(parameters jsonb, dpop text, issuer text) TO registry;


--
-- Name: FUNCTION vci_record_notification(access_token text, notification_id text, event text, event_description text, dpop text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_record_notification(access_token text, notification_id text, event text, event_description text, dpop text, issuer text) TO registry;


--
-- Name: FUNCTION vci_reopen_offer(offer_id bigint); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_reopen_offer(offer_id bigint) TO registry;


--
-- Name: FUNCTION vci_request_credential(access_token text, request jsonb, dpop text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_request_credential(access_token text, request jsonb, dpop text, issuer text) TO registry;


--
-- Name: FUNCTION vci_request_deferred(access_token text, transaction_id text, dpop text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_request_deferred(access_token text, transaction_id text, dpop text, issuer text) TO registry;


--
-- Name: FUNCTION vci_request_token(parameters jsonb, dpop text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_request_token(parameters jsonb, dpop text, issuer text) TO registry;


--
-- Name: FUNCTION vci_reset_tx_code(offer_id bigint, tx_code text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_reset_tx_code(offer_id bigint, tx_code text) TO registry;


--
-- Name: FUNCTION vci_resume_issuance(issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_resume_issuance(issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_resume_issuance(issuer text) TO clerk;


--
-- Name: FUNCTION vci_retire_client(client_id text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_retire_client(client_id text, issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_retire_client(client_id text, issuer text) TO clerk;


--
-- Name: FUNCTION vci_retire_configuration(id text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_retire_configuration(id text, issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_retire_configuration(id text, issuer text) TO clerk;


--
-- Name: FUNCTION vci_retire_issuer(issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_retire_issuer(issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_retire_issuer(issuer text) TO clerk;


--
-- Name: FUNCTION vci_retire_key(kid text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_retire_key(kid text, issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_retire_key(kid text, issuer text) TO clerk;


--
-- Name: FUNCTION vci_revoke(role name, duty text, issuer text); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_revoke(role name, duty text, issuer text) TO registry;
GRANT ALL ON FUNCTION openid4vci.vci_revoke(role name, duty text, issuer text) TO clerk;


--
-- Name: FUNCTION vci_rotate_code(offer_id bigint); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_rotate_code(offer_id bigint) TO registry;


--
-- Name: FUNCTION vci_verify_dpop(proof text, method text, url text, access_token text, max_age interval); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_verify_dpop(proof text, method text, url text, access_token text, max_age interval) TO registry;


--
-- Name: FUNCTION vci_verify_kbjwt(jwt text, expected_nonce text, expected_audience text, sd_jwt text, holder_key jsonb, holder_did text, older boolean, max_age interval); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_verify_kbjwt(jwt text, expected_nonce text, expected_audience text, sd_jwt text, holder_key jsonb, holder_did text, older boolean, max_age interval) TO registry;


--
-- Name: FUNCTION vci_verify_sdjwt(presentation text, expected_nonce text, expected_audience text, issuer_jwks jsonb, require_key_binding boolean, max_age interval); Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT ALL ON FUNCTION openid4vci.vci_verify_sdjwt(presentation text, expected_nonce text, expected_audience text, issuer_jwks jsonb, require_key_binding boolean, max_age interval) TO registry;


--
-- Name: TABLE vci_authorization; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_authorization TO keeper;


--
-- Name: SEQUENCE vci_authorization_id_seq; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON SEQUENCE openid4vci.vci_authorization_id_seq TO keeper;


--
-- Name: TABLE vci_issuer; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_issuer TO keeper;


--
-- Name: TABLE vci_authorization_info; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_authorization_info TO registry;
GRANT SELECT ON TABLE openid4vci.vci_authorization_info TO keeper;
GRANT SELECT ON TABLE openid4vci.vci_authorization_info TO clerk;


--
-- Name: TABLE vci_authorization_server; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_authorization_server TO keeper;


--
-- Name: TABLE vci_authorization_server_info; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_authorization_server_info TO registry;
GRANT SELECT ON TABLE openid4vci.vci_authorization_server_info TO keeper;
GRANT SELECT ON TABLE openid4vci.vci_authorization_server_info TO clerk;


--
-- Name: TABLE vci_client; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_client TO keeper;


--
-- Name: TABLE vci_client_info; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_client_info TO registry;
GRANT SELECT ON TABLE openid4vci.vci_client_info TO keeper;
GRANT SELECT ON TABLE openid4vci.vci_client_info TO clerk;


--
-- Name: TABLE vci_configuration; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_configuration TO keeper;


--
-- Name: TABLE vci_configuration_info; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_configuration_info TO registry;
GRANT SELECT ON TABLE openid4vci.vci_configuration_info TO keeper;
GRANT SELECT ON TABLE openid4vci.vci_configuration_info TO clerk;


--
-- Name: TABLE vci_credential; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_credential TO keeper;


--
-- Name: SEQUENCE vci_credential_id_seq; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON SEQUENCE openid4vci.vci_credential_id_seq TO keeper;


--
-- Name: TABLE vci_key; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_key TO keeper;


--
-- Name: TABLE vci_credential_info; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_credential_info TO registry;
GRANT SELECT ON TABLE openid4vci.vci_credential_info TO keeper;
GRANT SELECT ON TABLE openid4vci.vci_credential_info TO clerk;


--
-- Name: TABLE vci_deferred; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_deferred TO keeper;


--
-- Name: SEQUENCE vci_deferred_id_seq; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON SEQUENCE openid4vci.vci_deferred_id_seq TO keeper;


--
-- Name: TABLE vci_offer; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_offer TO keeper;


--
-- Name: TABLE vci_deferred_info; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_deferred_info TO registry;
GRANT SELECT ON TABLE openid4vci.vci_deferred_info TO keeper;
GRANT SELECT ON TABLE openid4vci.vci_deferred_info TO clerk;


--
-- Name: TABLE vci_did_document; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_did_document TO keeper;


--
-- Name: TABLE vci_dpop_proof; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_dpop_proof TO keeper;


--
-- Name: TABLE vci_duty; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_duty TO keeper;


--
-- Name: TABLE vci_epoch; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_epoch TO keeper;


--
-- Name: TABLE vci_event; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_event TO keeper;


--
-- Name: SEQUENCE vci_event_id_seq; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON SEQUENCE openid4vci.vci_event_id_seq TO keeper;


--
-- Name: TABLE vci_event_info; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_event_info TO registry;
GRANT SELECT ON TABLE openid4vci.vci_event_info TO keeper;
GRANT SELECT ON TABLE openid4vci.vci_event_info TO clerk;


--
-- Name: SEQUENCE vci_issuer_id_seq; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON SEQUENCE openid4vci.vci_issuer_id_seq TO keeper;


--
-- Name: TABLE vci_issuer_info; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_issuer_info TO registry;
GRANT SELECT ON TABLE openid4vci.vci_issuer_info TO keeper;
GRANT SELECT ON TABLE openid4vci.vci_issuer_info TO clerk;


--
-- Name: SEQUENCE vci_key_id_seq; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON SEQUENCE openid4vci.vci_key_id_seq TO keeper;


--
-- Name: TABLE vci_key_info; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_key_info TO registry;
GRANT SELECT ON TABLE openid4vci.vci_key_info TO keeper;
GRANT SELECT ON TABLE openid4vci.vci_key_info TO clerk;


--
-- Name: TABLE vci_nonce; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_nonce TO keeper;


--
-- Name: SEQUENCE vci_offer_id_seq; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON SEQUENCE openid4vci.vci_offer_id_seq TO keeper;


--
-- Name: TABLE vci_offer_info; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_offer_info TO registry;
GRANT SELECT ON TABLE openid4vci.vci_offer_info TO keeper;
GRANT SELECT ON TABLE openid4vci.vci_offer_info TO clerk;


--
-- Name: TABLE vci_refresh_token; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_refresh_token TO keeper;


--
-- Name: SEQUENCE vci_refresh_token_id_seq; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON SEQUENCE openid4vci.vci_refresh_token_id_seq TO keeper;


--
-- Name: TABLE vci_token; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON TABLE openid4vci.vci_token TO keeper;


--
-- Name: SEQUENCE vci_token_id_seq; Type: ACL; Schema: openid4vci; Owner: postgres
--

GRANT SELECT ON SEQUENCE openid4vci.vci_token_id_seq TO keeper;


--
-- PostgreSQL database dump complete
--

\unrestrict B8E43nSxhPNl5BjUd61CrQPQJ8GXKOGRqUi5P4UPi2hMFdJRAMRZXglBoSqMhgH


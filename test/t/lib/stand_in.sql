-- A stand-in with the signature of openid4vci.vci_http, for the proxy's tests: the path
-- says how it behaves, the query is its argument. What it wrote down in "effect" tells
-- which calls were committed, and how often.
CREATE SCHEMA openid4vci;
CREATE TYPE openid4vci.answer AS (status int, headers text[], body bytea);
CREATE TABLE openid4vci.effect (what text);
CREATE TABLE openid4vci.gate (open text);

-- Sequences survive a rollback, so this one counts attempts.
CREATE SEQUENCE openid4vci.attempt;

-- At commit, when the row is on its way: waits for a gate, or fails with a SQLSTATE.
CREATE TABLE openid4vci.late (does text, argument text);

CREATE FUNCTION openid4vci.wait_for_gate(wanted text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	WHILE NOT EXISTS (SELECT FROM openid4vci.gate WHERE open = wanted) LOOP
		PERFORM pg_sleep(0.02);
	END LOOP;
END $$;

CREATE FUNCTION openid4vci.be_late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.does = 'wait' THEN
		PERFORM openid4vci.wait_for_gate(NEW.argument);
	ELSIF NEW.does = 'conflict' THEN
		IF nextval('openid4vci.attempt') <= NEW.argument::int THEN
			RAISE serialization_failure;
		END IF;
	ELSE
		RAISE EXCEPTION 'late and secret' USING ERRCODE = NEW.argument;
	END IF;
	RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER be_late AFTER INSERT ON openid4vci.late
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION openid4vci.be_late();

CREATE FUNCTION openid4vci.vci_http(method text, target text, headers text[], body bytea)
RETURNS openid4vci.answer LANGUAGE plpgsql AS $$
DECLARE
	path text := split_part(target, '?', 1);
	argument text := split_part(target, '?', 2);
	answer openid4vci.answer := (200, ARRAY['Content-Type', 'text/plain'], 'done'::bytea);
BEGIN
	INSERT INTO openid4vci.effect VALUES (method || ' ' || target);
	CASE path
	WHEN '/echo' THEN
		answer.headers := ARRAY['Content-Type', 'application/json'];
		answer.body := convert_to(json_build_object('method', method, 'target', target,
			'headers', headers, 'body', encode(body, 'hex'), 'pid', pg_backend_pid())::text, 'UTF8');
	WHEN '/gate' THEN
		PERFORM openid4vci.wait_for_gate(argument);
	WHEN '/late-wait' THEN
		INSERT INTO openid4vci.late VALUES ('wait', argument);
	WHEN '/late-error' THEN
		INSERT INTO openid4vci.late VALUES ('fail', argument);
	WHEN '/late-conflict' THEN
		INSERT INTO openid4vci.late VALUES ('conflict', argument);
	WHEN '/conflict' THEN
		IF nextval('openid4vci.attempt') <= argument::int THEN
			RAISE serialization_failure;
		END IF;
	WHEN '/deadlock' THEN
		IF nextval('openid4vci.attempt') <= argument::int THEN
			RAISE deadlock_detected;
		END IF;
	WHEN '/raise' THEN
		RAISE EXCEPTION 'early and secret' USING ERRCODE = argument;
	WHEN '/die' THEN
		PERFORM pg_terminate_backend(pg_backend_pid());
	WHEN '/die-once' THEN
		IF nextval('openid4vci.attempt') = 1 THEN
			PERFORM pg_terminate_backend(pg_backend_pid());
		END IF;
	WHEN '/bytes' THEN
		answer.body := convert_to(repeat('x', argument::int), 'UTF8');
	WHEN '/status' THEN
		answer.status := argument::int;
	WHEN '/headers' THEN
		answer.headers := convert_from(body, 'UTF8')::text[];
	WHEN '/bare' THEN
		-- HEAD or 304 without content, with the headers that the body names
		answer := (argument::int, convert_from(body, 'UTF8')::text[], ''::bytea);
	WHEN '/null' THEN
		answer := NULL;
	WHEN '/null-in-row' THEN
		answer.status := NULLIF(answer.status, argument::int);
		answer.headers := CASE WHEN answer.status IS NOT NULL THEN NULL ELSE answer.headers END;
	WHEN '/null-body' THEN
		answer.body := NULL;
	ELSE
		answer.body := convert_to(path, 'UTF8');
	END CASE;
	RETURN answer;
END $$;

-- What Citus asks of a table before it distributes it, and nothing of what it then does: the
-- calls are written down and checked as create_distributed_table.c, table.c, trigger.c and
-- foreign_constraint.c of Citus do, the rows stay where they are. Each refusal says which rule.
CREATE SCHEMA citus;
CREATE TABLE citus.distributed (number serial, name regclass UNIQUE, key text NOT NULL, with_table text);

-- The catalog by which the extension knows that rows may live elsewhere.
CREATE TABLE citus.pg_dist_partition (logicalrelid regclass);
ALTER TABLE citus.pg_dist_partition SET SCHEMA pg_catalog;

CREATE FUNCTION citus.refuse(name regclass, rule text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'cannot distribute %: %', name, rule USING ERRCODE = 'feature_not_supported';
END $$;

CREATE FUNCTION citus.check_key(name regclass, key text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	found pg_attribute;
BEGIN
	SELECT * INTO found FROM pg_attribute
	WHERE attrelid = name AND attname = key AND attnum > 0 AND NOT attisdropped;
	IF found.attname IS NULL THEN
		PERFORM citus.refuse(name, 'no such column');
	ELSIF NOT found.attnotnull THEN
		-- Citus refuses the row instead (multi_router_planner.c)
		PERFORM citus.refuse(name, 'the distribution column may be null');
	ELSIF found.attgenerated <> '' OR found.attidentity <> '' THEN
		PERFORM citus.refuse(name, 'the distribution column is generated');
	ELSIF NOT EXISTS (SELECT FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
			WHERE a.amname = 'hash' AND c.opcdefault AND c.opcintype = found.atttypid) THEN
		PERFORM citus.refuse(name, 'the distribution column has no hash function');
	END IF;
END $$;

CREATE FUNCTION citus.check_indexes(name regclass, key text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	lacking text;
BEGIN
	SELECT string_agg(i.indexrelid::regclass::text, ', ') INTO lacking
	FROM pg_index i
	WHERE i.indrelid = name AND (i.indisunique OR i.indisexclusion)
	AND NOT EXISTS (SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
		JOIN pg_attribute a ON a.attrelid = name AND a.attnum = k.number
		WHERE k.place <= i.indnkeyatts AND a.attname = key);
	IF lacking IS NOT NULL THEN
		PERFORM citus.refuse(name, 'unique without the distribution column: ' || lacking);
	END IF;
END $$;

-- citus.enable_unsafe_triggers is off.
CREATE FUNCTION citus.check_bonds(name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = name AND NOT tgisinternal) THEN
		PERFORM citus.refuse(name, 'it has triggers');
	ELSIF EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND name IN (conrelid, confrelid)) THEN
		-- within a colocation group some are taken; ours has none
		PERFORM citus.refuse(name, 'it has foreign keys');
	ELSIF EXISTS (SELECT FROM pg_inherits WHERE name IN (inhrelid, inhparent)) THEN
		PERFORM citus.refuse(name, 'it has parents or children');
	ELSIF EXISTS (SELECT FROM pg_class c WHERE c.oid = name
			AND (c.relkind <> 'r' OR c.relpersistence <> 'p' OR c.relrowsecurity)) THEN
		PERFORM citus.refuse(name, 'it is no plain logged table');
	END IF;
END $$;

-- A node draws from a range of its own, which Citus makes of sequences of bigint alone.
CREATE FUNCTION citus.check_sequences(name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM pg_attrdef d JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass
			AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass
			JOIN pg_sequence s ON s.seqrelid = p.refobjid
			JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
			WHERE d.adrelid = name
			AND (s.seqtypid <> 'bigint'::regtype OR a.atttypid <> 'bigint'::regtype)) THEN
		PERFORM citus.refuse(name, 'its sequence is none of bigint');
	END IF;
END $$;

CREATE FUNCTION citus.check_colocation(name regclass, key text, other text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	types regtype[];
BEGIN
	IF other IN ('default', 'none') THEN
		RETURN;
	END IF;
	SELECT array_agg(DISTINCT a.atttypid::regtype) INTO types
	FROM (SELECT name, key UNION SELECT d.name, d.key FROM citus.distributed d
		WHERE d.name = other::regclass) AS t (name, key)
	JOIN pg_attribute a ON a.attrelid = t.name AND a.attname = t.key;
	IF NOT EXISTS (SELECT FROM citus.distributed d WHERE d.name = other::regclass) THEN
		PERFORM citus.refuse(name, other || ' is not distributed');
	ELSIF cardinality(types) <> 1 THEN
		PERFORM citus.refuse(name, 'its key is of another type than that of ' || other);
	END IF;
END $$;

CREATE FUNCTION create_distributed_table(table_name regclass, distribution_column text,
	colocate_with text DEFAULT 'default') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM citus.distributed WHERE name = table_name) THEN
		PERFORM citus.refuse(table_name, 'it is distributed already');
	END IF;
	PERFORM citus.check_key(table_name, distribution_column);
	PERFORM citus.check_indexes(table_name, distribution_column);
	PERFORM citus.check_bonds(table_name);
	PERFORM citus.check_sequences(table_name);
	PERFORM citus.check_colocation(table_name, distribution_column, colocate_with);
	INSERT INTO citus.distributed (name, key, with_table)
	VALUES (table_name, distribution_column, colocate_with);
END $$;

-- The range of a node: AlterSequenceMinMax of worker_data_fetch_protocol.c.
CREATE FUNCTION citus.give_range(sequence regclass, node bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	first bigint := (node << 48) + 1;
BEGIN
	EXECUTE format('ALTER SEQUENCE %s START %s MINVALUE %2$s MAXVALUE %s RESTART %2$s',
		sequence, first, first + (1::bigint << 48));
END $$;

-- Everything that the catalogs hold of the extension, a row each: catalog, object, content.
-- Object ids stand as names; what depends on chance or on history (pages, file numbers,
-- values for rows that are older than their column) is left out.
SET search_path TO pg_catalog;

WITH class AS (
    SELECT * FROM pg_class WHERE relnamespace = 'openid4vci'::regnamespace
), type AS (
    SELECT * FROM pg_type WHERE typnamespace = 'openid4vci'::regnamespace
), proc AS (
    SELECT * FROM pg_proc WHERE pronamespace = 'openid4vci'::regnamespace
), named AS (
    SELECT d.classid, d.objid, d.objsubid, (pg_identify_object(d.classid, d.objid, d.objsubid)).*
    FROM (SELECT classid, objid, objsubid FROM pg_depend
          UNION SELECT refclassid, refobjid, refobjsubid FROM pg_depend WHERE refclassid <> 0
          UNION SELECT classoid, objoid, objsubid FROM pg_description
          UNION SELECT classoid, objoid, objsubid FROM pg_init_privs) AS d (classid, objid, objsubid)
), ours AS (
    -- a foreign key's own triggers and a table's toast have numbers in their names
    SELECT classid, objid, objsubid, type || ' ' || identity AS name
    FROM named
    WHERE identity ~ '\mopenid4vci\M' AND identity !~ 'RI_ConstraintTrigger|pg_toast'
)
SELECT 'pg_class', c.oid::regclass::text,
       to_jsonb(c) - '{oid,relnamespace,reltype,reloftype,relowner,relam,relfilenode,reltablespace,relpages,reltuples,relallvisible,relallfrozen,reltoastrelid,relfrozenxid,relminmxid}'::text[]
       || jsonb_build_object('owner', c.relowner::regrole, 'toast', c.reltoastrelid <> 0,
                             'am', (SELECT amname FROM pg_am WHERE oid = c.relam))
FROM class AS c
UNION ALL
SELECT 'pg_attribute', format('%s.%s', a.attrelid::regclass, a.attname),
       to_jsonb(a) - '{attrelid,atttypid,attcollation,attcacheoff,atthasmissing,attmissingval}'::text[]
       || jsonb_build_object('type', format_type(a.atttypid, a.atttypmod),
                             'collation', a.attcollation::regcollation,
                             -- some builds stamp each table's columns with a number of its own
                             'attoptions', (SELECT array_agg(o ORDER BY o) FROM unnest(a.attoptions) AS o
                                            WHERE o NOT LIKE 'pg\_attver=%'),
                             'default', (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef AS d
                                         WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum))
FROM pg_attribute AS a JOIN class AS c ON c.oid = a.attrelid
WHERE a.attnum > 0
UNION ALL
SELECT 'pg_type', t.oid::regtype::text,
       to_jsonb(t) - '{oid,typnamespace,typowner,typrelid,typelem,typarray,typbasetype,typcollation}'::text[]
       || jsonb_build_object('owner', t.typowner::regrole, 'class', t.typrelid::regclass,
                             'element', t.typelem::regtype, 'array', t.typarray::regtype,
                             'collation', t.typcollation::regcollation)
FROM type AS t
UNION ALL
-- pg_node_tree knows where in the script an expression stood: the definition has it as text
SELECT 'pg_proc', p.oid::regprocedure::text,
       to_jsonb(p) - '{oid,pronamespace,proowner,prolang,provariadic,prorettype,proargtypes,proallargtypes,proargdefaults}'::text[]
       || jsonb_build_object('owner', p.proowner::regrole, 'definition', pg_get_functiondef(p.oid))
FROM proc AS p
UNION ALL
SELECT 'pg_constraint', format('%s on %s', o.conname, o.conrelid::regclass),
       to_jsonb(o) - '{oid,connamespace,conrelid,contypid,conindid,conparentid,confrelid,conpfeqop,conppeqop,conffeqop,conexclop,conbin}'::text[]
       || jsonb_build_object('definition', pg_get_constraintdef(o.oid), 'index', o.conindid::regclass)
FROM pg_constraint AS o WHERE o.connamespace = 'openid4vci'::regnamespace
UNION ALL
SELECT 'pg_index', i.indexrelid::regclass::text,
       to_jsonb(i) - '{indexrelid,indrelid,indcollation,indclass,indexprs,indpred,indcheckxmin}'::text[]
       || jsonb_build_object('definition', pg_get_indexdef(i.indexrelid))
FROM pg_index AS i JOIN class AS c ON c.oid = i.indexrelid
UNION ALL
SELECT 'pg_trigger', format('%s on %s', t.tgname, t.tgrelid::regclass),
       to_jsonb(t) - '{oid,tgrelid,tgparentid,tgfoid,tgconstrrelid,tgconstrindid,tgconstraint,tgqual}'::text[]
       || jsonb_build_object('definition', pg_get_triggerdef(t.oid))
FROM pg_trigger AS t JOIN class AS c ON c.oid = t.tgrelid
WHERE NOT t.tgisinternal
UNION ALL
SELECT 'pg_sequence', s.seqrelid::regclass::text,
       to_jsonb(s) - '{seqrelid,seqtypid}'::text[] || jsonb_build_object('type', s.seqtypid::regtype)
FROM pg_sequence AS s JOIN class AS c ON c.oid = s.seqrelid
UNION ALL
SELECT 'pg_rewrite', format('%s on %s', r.rulename, r.ev_class::regclass),
       to_jsonb(r) - '{oid,ev_class,ev_qual,ev_action}'::text[]
       || jsonb_build_object('definition', pg_get_ruledef(r.oid))
FROM pg_rewrite AS r JOIN class AS c ON c.oid = r.ev_class
UNION ALL
SELECT 'pg_namespace', n.nspname, to_jsonb(n) - '{oid,nspowner}'::text[]
       || jsonb_build_object('owner', n.nspowner::regrole)
FROM pg_namespace AS n WHERE n.nspname = 'openid4vci'
UNION ALL
SELECT 'pg_extension', x.extname,
       to_jsonb(x) - '{oid,extowner,extnamespace,extconfig,extcondition}'::text[]
       || jsonb_build_object('owner', x.extowner::regrole, 'schema', x.extnamespace::regnamespace,
              'dumped', (SELECT jsonb_object_agg(u.config::regclass, u.condition)
                         FROM unnest(x.extconfig, x.extcondition) AS u (config, condition)))
FROM pg_extension AS x WHERE x.extname = 'openid4vci'
UNION ALL
SELECT 'pg_description', o.name, to_jsonb(d.description)
FROM pg_description AS d JOIN ours AS o ON (o.classid, o.objid, o.objsubid) = (d.classoid, d.objoid, d.objsubid)
UNION ALL
SELECT 'pg_init_privs', o.name, to_jsonb(i) - '{objoid,classoid}'::text[]
FROM pg_init_privs AS i JOIN ours AS o ON (o.classid, o.objid, o.objsubid) = (i.classoid, i.objoid, i.objsubid)
UNION ALL
SELECT DISTINCT 'pg_depend', format('%s -> %s', o.name, r.type || ' ' || r.identity), to_jsonb(d.deptype)
FROM pg_depend AS d
     JOIN ours AS o ON (o.classid, o.objid, o.objsubid) = (d.classid, d.objid, d.objsubid)
     JOIN named AS r ON (r.classid, r.objid, r.objsubid) = (d.refclassid, d.refobjid, d.refobjsubid)
UNION ALL
SELECT DISTINCT 'pg_shdepend', format('%s -> %s', o.name, d.refobjid::regrole), to_jsonb(d.deptype)
FROM pg_shdepend AS d
     JOIN ours AS o ON (o.classid, o.objid, o.objsubid) = (d.classid, d.objid, d.objsubid)
WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND d.refclassid = 'pg_authid'::regclass
UNION ALL
SELECT 'pg_default_acl', format('%s in %s', a.defaclobjtype, a.defaclnamespace::regnamespace), to_jsonb(a.defaclacl)
FROM pg_default_acl AS a WHERE a.defaclnamespace = 'openid4vci'::regnamespace
ORDER BY 1, 2, 3;

-- Splits a table of Tailorbird into partitions by the hash of one of its columns: whose a row is. For PostgreSQL 14 or later, with
-- every node stopped:
--
--   psql "$TAILORBIRD_DATABASE_URL" -v ON_ERROR_STOP=1 -f split.sql -c "SELECT pg_temp.split('responses', 'profile_id', 8)"
--
-- The table keeps its name, and so do its keys and indexes. Its rows are copied, in one transaction; there must be room for them
-- once more. Its owner and what users were granted on it stay, too. What it cannot take along, such as a view on the table or a
-- trigger, it names and does nothing. A partition of another table, such as a month of events, becomes one that is split further.
CREATE FUNCTION pg_temp.split(whole regclass, whose name, parts int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  named   name     := (SELECT relname FROM pg_class WHERE oid = whole);
  aside   name     := named || '_whole';
  options text     := (SELECT coalesce('WITH (' || array_to_string(reloptions, ', ') || ')', '') FROM pg_class WHERE oid = whole);
  parent  regclass := (SELECT inhparent FROM pg_inherits WHERE inhrelid = whole);
  bound   text     := (SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = whole);
  owner   name     := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = whole);
  others  text;
  keys    text[];
  grants  text[];
  step    text;
BEGIN
  IF parent IS NOT NULL THEN
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', parent, whole);
  END IF;
  SELECT string_agg(DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid), ', ') INTO others
  FROM pg_depend d LEFT JOIN pg_constraint c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid
  WHERE (d.refclassid = 'pg_class'::regclass AND d.refobjid = whole
      OR d.refclassid = 'pg_type'::regclass AND d.refobjid = (SELECT reltype FROM pg_class WHERE oid = whole))
    AND (d.deptype = 'n' OR d.deptype = 'a' AND d.classid IN ('pg_trigger'::regclass, 'pg_policy'::regclass, 'pg_publication_rel'::regclass)
      OR c.contype = 'f')
    AND (c.contype IS NULL OR c.contype NOT IN ('p', 'u', 'c'));
  IF others IS NOT NULL THEN
    RAISE EXCEPTION 'the table % cannot be split, because of: %', named, others
      USING ERRCODE = 'dependent_objects_still_exist', HINT = 'Drop them, split the table, and make them again.';
  END IF;
  SELECT array_agg(format('GRANT %s%s ON %I TO %s%s', a.privilege_type, columns, named,
    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END)) INTO grants
  FROM (
    SELECT relacl, '' FROM pg_class WHERE oid = whole
    UNION ALL
    SELECT attacl, format(' (%I)', attname) FROM pg_attribute WHERE attrelid = whole AND NOT attisdropped
  ) AS given (acl, columns), aclexplode(acl) AS a;
  SELECT array_agg(made) INTO keys FROM (
    SELECT format('ALTER TABLE %I ADD CONSTRAINT %I %s', named, conname, pg_get_constraintdef(oid)) FROM pg_constraint
    WHERE conrelid = whole AND contype IN ('p', 'u')
    UNION ALL
    SELECT pg_get_indexdef(indexrelid) FROM pg_index i
    WHERE indrelid = whole AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid)
  ) AS wanted (made);
  EXECUTE format('ALTER TABLE %s RENAME TO %I', whole, aside);
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL EXCLUDING INDEXES) PARTITION BY HASH (%I)', named, aside, whose);
  FOR part IN 0 .. parts - 1 LOOP
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS %s, REMAINDER %s) %s', named || '_' || part, named, parts, part, options);
    EXECUTE format('ALTER TABLE %I OWNER TO %I', named || '_' || part, owner);
  END LOOP;
  EXECUTE format('ALTER TABLE %I OWNER TO %I', named, owner);
  FOREACH step IN ARRAY coalesce(grants, '{}') LOOP
    EXECUTE step;
  END LOOP;
  EXECUTE format('INSERT INTO %I SELECT * FROM %I', named, aside);
  FOR step IN SELECT attname FROM pg_attribute WHERE attrelid = whole AND attidentity <> '' LOOP -- numbers go on where they were
    PERFORM setval(pg_get_serial_sequence(quote_ident(named), step), nextval(pg_get_serial_sequence(quote_ident(aside), step)), false);
  END LOOP;
  EXECUTE format('DROP TABLE %I', aside);
  FOREACH step IN ARRAY coalesce(keys, '{}') LOOP
    EXECUTE step;
  END LOOP;
  IF parent IS NOT NULL THEN
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I %s', parent, named, bound);
  END IF;
  EXECUTE format('ANALYZE %I', named); -- nobody else does for a table in partitions
END $$;

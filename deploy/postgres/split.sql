-- Splits a table of Tailorbird into partitions by the hash of one of its columns: whose a row is. For PostgreSQL 14 or later, with
-- every node stopped:
--
--   psql "$TAILORBIRD_DATABASE_URL" -v ON_ERROR_STOP=1 -f split.sql -c "SELECT pg_temp.split('responses', 'profile_id', 8)"
--
-- The table keeps its name, and so do its keys and indexes. Its rows are copied, in one transaction; there must be room for them
-- once more. What users were granted on it is to be granted again. A partition of another table, such as a month of events,
-- becomes one that is split further.
CREATE FUNCTION pg_temp.split(whole regclass, whose name, parts int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  named   name     := (SELECT relname FROM pg_class WHERE oid = whole);
  aside   name     := named || '_whole';
  options text     := (SELECT coalesce('WITH (' || array_to_string(reloptions, ', ') || ')', '') FROM pg_class WHERE oid = whole);
  parent  regclass := (SELECT inhparent FROM pg_inherits WHERE inhrelid = whole);
  bound   text     := (SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = whole);
  keys    text[];
  step    text;
BEGIN
  IF parent IS NOT NULL THEN
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', parent, whole);
  END IF;
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
END $$;

-- +goose Up

-- Copies of events in the log that count no more, by key: the events were given to another profile when a merge was
-- undone, and stand under that one too.
CREATE TABLE buried_events (
  key BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Pairs of profiles that no event may join, the older one first, and who decided so.
CREATE TABLE kept_apart (
  profile_id INTEGER NOT NULL,
  other_id   INTEGER NOT NULL,
  since      INTEGER NOT NULL,
  actor      TEXT NOT NULL,
  note       TEXT NOT NULL,
  PRIMARY KEY (profile_id, other_id)
) STRICT, WITHOUT ROWID;

-- What people said of customers, which wins over events until it is lifted or its time is over. value is JSON.
CREATE TABLE overrides (
  id         INTEGER PRIMARY KEY,
  profile_id INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  name       TEXT NOT NULL,
  value      TEXT NOT NULL,
  set_at     INTEGER NOT NULL,
  until      INTEGER,
  actor      TEXT NOT NULL,
  note       TEXT NOT NULL,
  lifted_at  INTEGER,
  lifted_by  TEXT
) STRICT;

CREATE INDEX overrides_profile ON overrides (profile_id);

-- How many customers entered and left a segment on each day (UTC, days since 1970).
CREATE TABLE segment_days (
  segment TEXT NOT NULL,
  day     INTEGER NOT NULL,
  entered INTEGER NOT NULL,
  left_it INTEGER NOT NULL,
  PRIMARY KEY (segment, day)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE segment_days;
DROP TABLE overrides;
DROP TABLE kept_apart;
DROP TABLE buried_events;

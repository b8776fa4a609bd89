-- +goose Up

-- The queries of SQL segments: when each runs next (NULL: when somebody asks), which node is running it (0: none), the
-- query that ran last, and the result that holds.
CREATE TABLE segment_queries (
  segment       TEXT PRIMARY KEY,
  sql           TEXT NOT NULL,
  schedule      TEXT NOT NULL,
  next_run_at   INTEGER,
  cause         TEXT NOT NULL,
  actor         TEXT NOT NULL,
  asked         TEXT NOT NULL,
  node_id       INTEGER NOT NULL DEFAULT 0,
  result_at     INTEGER,
  result_rows   INTEGER NOT NULL,
  columns       TEXT NOT NULL
) STRICT;

-- Runs of these queries, the last of each segment.
CREATE TABLE segment_runs (
  id          INTEGER PRIMARY KEY,
  segment     TEXT NOT NULL,
  cause       TEXT NOT NULL,
  actor       TEXT NOT NULL,
  status      TEXT NOT NULL,
  started_at  INTEGER NOT NULL,
  finished_at INTEGER,
  listed      INTEGER NOT NULL DEFAULT 0,
  added       INTEGER NOT NULL DEFAULT 0,
  removed     INTEGER NOT NULL DEFAULT 0,
  changed     INTEGER NOT NULL DEFAULT 0,
  unknown     INTEGER NOT NULL DEFAULT 0,
  twice       INTEGER NOT NULL DEFAULT 0,
  error       TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX segment_runs_segment ON segment_runs (segment, id);

-- The rows of the results that hold, with their further columns (JSON).
CREATE TABLE segment_results (
  segment    TEXT NOT NULL,
  profile_id INTEGER NOT NULL,
  columns    TEXT NOT NULL,
  since      INTEGER NOT NULL,
  PRIMARY KEY (segment, profile_id)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE segment_results;
DROP TABLE segment_runs;
DROP TABLE segment_queries;

-- +goose Up

-- Searches for profiles that are probably one customer. summary is what one found.
CREATE TABLE match_runs (
  id          INTEGER PRIMARY KEY,
  status      TEXT NOT NULL,
  started_at  INTEGER NOT NULL,
  finished_at INTEGER,
  error       TEXT NOT NULL,
  summary     TEXT NOT NULL
) STRICT;

-- Pairs of profiles that are probably one customer, and what was decided about them. a_id is the older one; bits are
-- log2 of the odds.
CREATE TABLE match_candidates (
  id          INTEGER PRIMARY KEY,
  a_id        INTEGER NOT NULL,
  b_id        INTEGER NOT NULL,
  probability REAL NOT NULL,
  bits        REAL NOT NULL,
  evidence    TEXT NOT NULL,
  status      TEXT NOT NULL,
  found_at    INTEGER NOT NULL,
  decided_at  INTEGER,
  decided_by  TEXT NOT NULL,
  UNIQUE (a_id, b_id)
) STRICT;

CREATE INDEX match_candidates_queue ON match_candidates (status, bits DESC, id);
CREATE INDEX match_candidates_b ON match_candidates (b_id);

-- +goose Down

DROP TABLE match_candidates;
DROP TABLE match_runs;

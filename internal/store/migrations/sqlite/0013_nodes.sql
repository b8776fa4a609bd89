-- +goose Up

-- The processes that use this database. One that has not been seen for a while is gone; its id is never given again.
CREATE TABLE nodes (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL,
  serves     INTEGER NOT NULL DEFAULT 0 -- 1: it takes requests; a command of the command line does not
) STRICT;

-- Work that one node at a time may do, by name. A claim of a node that is gone is nobody's.
CREATE TABLE claims (
  name    TEXT PRIMARY KEY,
  node_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE claims;
DROP TABLE nodes;

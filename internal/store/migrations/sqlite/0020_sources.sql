-- +goose Up

-- Secrets that people set for definitions to name, such as the password of a source, sealed under the master key.
CREATE TABLE named_secrets (
  name   TEXT PRIMARY KEY,
  value  BLOB NOT NULL,
  set_at INTEGER NOT NULL,
  set_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Messages of sources that could not become events. They wait for somebody to mend what is wrong, or to discard them.
CREATE TABLE quarantine (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  source      TEXT NOT NULL,
  topic       TEXT NOT NULL,
  topic_id    TEXT NOT NULL,
  "partition" INTEGER NOT NULL,
  "offset"    INTEGER NOT NULL,
  key         BLOB,
  value       BLOB,
  size        INTEGER NOT NULL, -- of the value as it came; more than is kept where only its beginning is
  headers     TEXT,             -- JSON
  sent_at     INTEGER NOT NULL, -- the message's timestamp
  reason      TEXT NOT NULL,
  at          INTEGER NOT NULL,
  attempts    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX quarantine_message ON quarantine (source, topic, topic_id, "partition", "offset");
CREATE INDEX quarantine_source ON quarantine (source, id);

-- +goose Down
DROP TABLE quarantine;
DROP TABLE named_secrets;

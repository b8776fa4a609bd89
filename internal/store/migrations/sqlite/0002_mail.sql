-- +goose Up

-- The one sending of a campaign, with the definition as it was when it began. The counts are of its messages by status;
-- queued includes what is being sent.
CREATE TABLE campaign_runs (
  id               INTEGER PRIMARY KEY,
  campaign         TEXT NOT NULL UNIQUE,
  version          INTEGER NOT NULL,
  template_version INTEGER NOT NULL,
  definition       TEXT NOT NULL,
  status           TEXT NOT NULL,
  cursor           INTEGER NOT NULL,
  enqueued         INTEGER NOT NULL,
  recipients       INTEGER NOT NULL DEFAULT 0,
  queued           INTEGER NOT NULL DEFAULT 0,
  sent             INTEGER NOT NULL DEFAULT 0,
  bounced          INTEGER NOT NULL DEFAULT 0,
  failed           INTEGER NOT NULL DEFAULT 0,
  skipped          INTEGER NOT NULL DEFAULT 0,
  in_doubt         INTEGER NOT NULL DEFAULT 0,
  started_at       INTEGER NOT NULL,
  finished_at      INTEGER
) STRICT;

-- One row a recipient, skipped ones included; run_id is 0 for a test message. transport is what was about to get it:
-- sink or relay. untold_since is when it was sent or refused, until the customer's events tell so. node_id is the node that
-- has it in hand, to send it or to tell what became of it; 0: none.
CREATE TABLE messages (
  id               INTEGER PRIMARY KEY,
  run_id           INTEGER NOT NULL,
  campaign         TEXT NOT NULL,
  profile_id       INTEGER NOT NULL,
  email            TEXT NOT NULL,
  status           TEXT NOT NULL,
  reason           TEXT NOT NULL DEFAULT '',
  detail           TEXT NOT NULL DEFAULT '',
  subject          TEXT NOT NULL DEFAULT '',
  transport        TEXT NOT NULL DEFAULT '',
  attempts         INTEGER NOT NULL DEFAULT 0,
  first_attempt_at INTEGER,
  next_attempt_at  INTEGER NOT NULL,
  created_at       INTEGER NOT NULL,
  sent_at          INTEGER,
  untold_since     INTEGER,
  node_id          INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A person gets a campaign once.
CREATE UNIQUE INDEX messages_person ON messages (run_id, profile_id) WHERE run_id > 0;
CREATE INDEX messages_profile ON messages (profile_id);
CREATE INDEX messages_queue ON messages (run_id, next_attempt_at) WHERE status = 'queued' AND node_id = 0;
CREATE INDEX messages_held ON messages (node_id) WHERE node_id <> 0;
CREATE INDEX messages_untold ON messages (id) WHERE untold_since IS NOT NULL;

-- And so does an address: those of a run's messages that were not skipped.
CREATE TABLE run_addresses (
  run_id INTEGER NOT NULL,
  email  TEXT NOT NULL,
  PRIMARY KEY (run_id, email)
) STRICT, WITHOUT ROWID;

CREATE TABLE suppressions (
  email      TEXT PRIMARY KEY,
  reason     TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the built-in sink received; raw is compressed (zstd), message_id 0 where it is none of ours.
CREATE TABLE mailbox (
  id          INTEGER PRIMARY KEY,
  sender      TEXT NOT NULL,
  recipient   TEXT NOT NULL,
  subject     TEXT NOT NULL,
  message_id  INTEGER NOT NULL,
  campaign    TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  raw         BLOB NOT NULL
) STRICT;

CREATE INDEX mailbox_recipient ON mailbox (recipient);
CREATE INDEX mailbox_campaign ON mailbox (campaign);
CREATE INDEX mailbox_message ON mailbox (message_id);

CREATE TABLE sending_keys (
  domain      TEXT PRIMARY KEY,
  selector    TEXT NOT NULL,
  private_key BLOB NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE sending_keys;
DROP TABLE mailbox;
DROP TABLE suppressions;
DROP TABLE run_addresses;
DROP TABLE messages;
DROP TABLE campaign_runs;

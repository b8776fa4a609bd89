-- +goose Up

CREATE TABLE secrets (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE api_keys (
  id           INTEGER PRIMARY KEY,
  name         TEXT NOT NULL,
  hash         BLOB NOT NULL UNIQUE,
  scopes       TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER
) STRICT;

CREATE TABLE sessions (
  hash       BLOB PRIMARY KEY,
  key_id     INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Everything that people define, with its whole history; spec is NULL in a version that deletes.
CREATE TABLE definitions (
  kind       TEXT NOT NULL,
  name       TEXT NOT NULL,
  version    INTEGER NOT NULL,
  spec       TEXT,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (kind, name, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE profiles (
  id             INTEGER PRIMARY KEY,
  version        INTEGER NOT NULL DEFAULT 1,
  traits         TEXT NOT NULL,
  computed       TEXT NOT NULL,
  preferences    TEXT NOT NULL,
  subscribed     INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  first_seen_at  INTEGER NOT NULL,
  last_seen_at   INTEGER NOT NULL,
  next_change_at INTEGER,
  merged_into    INTEGER,
  state          BLOB NOT NULL
) STRICT;

CREATE INDEX profiles_next_change ON profiles (next_change_at) WHERE next_change_at IS NOT NULL;

CREATE TABLE identifiers (
  type       TEXT NOT NULL,
  value      TEXT NOT NULL,
  profile_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (type, value)
) STRICT, WITHOUT ROWID;

-- Profiles that became one, and why; undone_at where that was taken back. The sides are both profiles as they were:
-- what undoing needs and events do not say.
CREATE TABLE merges (
  id          INTEGER PRIMARY KEY,
  winner_id   INTEGER NOT NULL,
  loser_id    INTEGER NOT NULL,
  merged_at   INTEGER NOT NULL,
  cause       TEXT NOT NULL,
  message_id  TEXT NOT NULL,
  identifiers TEXT NOT NULL,
  actor       TEXT NOT NULL,
  note        TEXT NOT NULL,
  winner_side TEXT NOT NULL,
  loser_side  TEXT NOT NULL,
  undone_at   INTEGER,
  undone_by   TEXT
) STRICT;

CREATE INDEX merges_winner ON merges (winner_id);
CREATE INDEX merges_loser ON merges (loser_id);

CREATE TABLE memberships (
  segment    TEXT NOT NULL,
  profile_id INTEGER NOT NULL,
  since      INTEGER NOT NULL,
  PRIMARY KEY (segment, profile_id)
) STRICT, WITHOUT ROWID;

-- Segments and computed traits as the engine follows them. built is 1 once a definition holds for every profile, and born
-- once it, or one before it of the same name, did.
CREATE TABLE rules (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  key         TEXT NOT NULL UNIQUE,
  fingerprint TEXT NOT NULL,
  built       INTEGER NOT NULL,
  born        INTEGER NOT NULL
) STRICT;

-- Behaviour terms that the engine keeps per profile, and whether every profile has what history holds of them.
CREATE TABLE terms (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  key      TEXT NOT NULL UNIQUE,
  filled   INTEGER NOT NULL
) STRICT;

-- The filling of rules and terms from history that is on its way, if any. Blocks up to boundary are the history: later
-- events were applied as they came. Profiles up to through were there by then; those up to done have been filled.
CREATE TABLE fillings (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  boundary INTEGER NOT NULL,
  through  INTEGER NOT NULL,
  done     INTEGER NOT NULL
) STRICT;

-- Profiles that something happened to since the boundary, while they wait to be filled.
CREATE TABLE filling_waits (
  profile_id INTEGER PRIMARY KEY
) STRICT;

-- One row a commit: its events as they came, and who entered and left segments, compressed, and when they were applied.
-- Up to the block that the setting 'applied' names, what follows from the events is in the other tables; the engine works
-- through later ones at its start.
CREATE TABLE event_blocks (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  records    INTEGER NOT NULL,
  applied_at INTEGER NOT NULL,
  data       BLOB NOT NULL
) STRICT;

-- Sorted runs: events and transitions by profile and time (kind 'events'), message ids (kind 'ids'). until is the last
-- block that a run holds; while something is filled, no run holds blocks of both sides of its boundary.
CREATE TABLE runs (
  id      INTEGER PRIMARY KEY,
  kind    TEXT NOT NULL,
  level   INTEGER NOT NULL,
  until   INTEGER NOT NULL,
  records INTEGER NOT NULL,
  events  INTEGER NOT NULL,
  filter  BLOB
) STRICT;

CREATE TABLE run_pages (
  id        INTEGER PRIMARY KEY,
  run_id    INTEGER NOT NULL,
  first_key BLOB NOT NULL,
  records   INTEGER NOT NULL,
  data      BLOB NOT NULL
) STRICT;

CREATE INDEX run_pages_key ON run_pages (run_id, first_key);

-- What customers, and machines on their behalf, did with messages; one row each time.
CREATE TABLE responses (
  id         INTEGER PRIMARY KEY,
  message_id INTEGER NOT NULL,
  profile_id INTEGER NOT NULL,
  name       TEXT NOT NULL,
  link       TEXT NOT NULL,
  machine    INTEGER NOT NULL,
  at         INTEGER NOT NULL
) STRICT;

CREATE INDEX responses_message ON responses (message_id);

-- Orders, each with the message that earned it (last touch). The key would let an event have one for each customer; what keeps it to
-- one is that a message id is taken once, the conversion is written with its event, and undoing a merge deletes it before it writes it
-- anew.
CREATE TABLE conversions (
  event      TEXT NOT NULL,
  message_id INTEGER NOT NULL,
  profile_id INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  revenue    REAL NOT NULL,
  PRIMARY KEY (event, profile_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX conversions_message ON conversions (message_id);

-- Names of events and traits that have been seen, for completion.
CREATE TABLE words (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- Counters by day, for the overview.
CREATE TABLE daily_counts (
  day   INTEGER NOT NULL,
  name  TEXT NOT NULL,
  value REAL NOT NULL,
  PRIMARY KEY (day, name)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE daily_counts;
DROP TABLE words;
DROP TABLE conversions;
DROP TABLE responses;
DROP TABLE run_pages;
DROP TABLE runs;
DROP TABLE event_blocks;
DROP TABLE filling_waits;
DROP TABLE fillings;
DROP TABLE terms;
DROP TABLE rules;
DROP TABLE memberships;
DROP TABLE merges;
DROP TABLE identifiers;
DROP TABLE profiles;
DROP TABLE definitions;
DROP TABLE sessions;
DROP TABLE api_keys;
DROP TABLE settings;
DROP TABLE secrets;

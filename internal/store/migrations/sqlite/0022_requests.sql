-- +goose Up

-- What was answered to requests that carried an Idempotency-Key, for a day; the answer is sealed, and NULL while the
-- request is being worked on.
CREATE TABLE idempotent_requests (
  key_id      INTEGER NOT NULL,
  name        TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  answer      BLOB,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (key_id, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotent_requests_age ON idempotent_requests (created_at);

-- +goose Down
DROP TABLE idempotent_requests;

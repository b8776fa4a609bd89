-- +goose Up

-- What was answered to requests that carried an Idempotency-Key, for a day; the answer is sealed, and NULL while the
-- request is being worked on.
CREATE TABLE idempotent_requests (
  key_id      BIGINT NOT NULL,
  name        TEXT COLLATE "C" NOT NULL,
  fingerprint BYTEA NOT NULL,
  answer      BYTEA,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (key_id, name)
);

CREATE INDEX idempotent_requests_age ON idempotent_requests (created_at);

-- +goose Down
DROP TABLE idempotent_requests;

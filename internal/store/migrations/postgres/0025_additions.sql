-- +goose Up

-- What fillings added to profiles since these were stored as a whole. Time changes one at the sooner of both next_change_at,
-- or later.
CREATE TABLE additions (
  profile_id     BIGINT PRIMARY KEY,
  version        BIGINT NOT NULL, -- of the profile; to another it adds nothing
  next_change_at BIGINT,
  data           BYTEA NOT NULL
);

CREATE INDEX additions_next_change ON additions (next_change_at) WHERE next_change_at IS NOT NULL;

-- +goose Down
DROP TABLE additions;

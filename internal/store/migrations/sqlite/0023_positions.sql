-- +goose Up

-- How far the events of a topic have been applied: the offset of the next message, by topic (name and id) and partition.
CREATE TABLE stream_positions (
  topic       TEXT NOT NULL,
  partition   INTEGER NOT NULL,
  next_offset INTEGER NOT NULL,
  PRIMARY KEY (topic, partition)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE stream_positions;

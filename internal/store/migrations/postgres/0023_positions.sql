-- +goose Up

-- How far the events of a topic have been applied: the offset of the next message, by topic (name and id) and partition.
CREATE TABLE stream_positions (
  topic       TEXT COLLATE "C" NOT NULL,
  partition   BIGINT NOT NULL,
  next_offset BIGINT NOT NULL,
  PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

-- +goose Down
DROP TABLE stream_positions;

-- +goose Up

-- How many customers are in a segment.
CREATE TABLE segment_sizes (
  segment TEXT COLLATE "C" PRIMARY KEY,
  members BIGINT NOT NULL
) WITH (fillfactor = 50);

INSERT INTO segment_sizes (segment, members) SELECT segment, count(*) FROM memberships GROUP BY segment;

-- +goose Down
DROP TABLE segment_sizes;

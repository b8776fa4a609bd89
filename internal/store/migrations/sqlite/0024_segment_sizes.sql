-- +goose Up

-- How many customers are in a segment.
CREATE TABLE segment_sizes (
  segment TEXT PRIMARY KEY,
  members INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO segment_sizes (segment, members) SELECT segment, count(*) FROM memberships GROUP BY segment;

-- +goose Down
DROP TABLE segment_sizes;

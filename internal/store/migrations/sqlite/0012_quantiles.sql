-- +goose Up

-- Where the parts of quantiles begin among all customers (JSON), by what is asked, each time that they moved.
CREATE TABLE quantiles (
  key   TEXT NOT NULL,
  since INTEGER NOT NULL,
  cuts  TEXT NOT NULL,
  PRIMARY KEY (key, since)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE quantiles;

-- +goose Up

-- Where the parts of quantiles begin among all customers (JSON), by what is asked, each time that they moved.
CREATE TABLE quantiles (
  key   TEXT COLLATE "C" NOT NULL,
  since BIGINT NOT NULL,
  cuts  TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (key, since)
);

-- +goose Down
DROP TABLE quantiles;

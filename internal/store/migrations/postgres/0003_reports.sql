-- +goose Up

-- Lists of a campaign's messages, and the overview's opens and clicks by day, which grow at their end.
CREATE INDEX messages_campaign ON messages (campaign);
CREATE INDEX responses_at ON responses (at, name, machine, message_id);

-- +goose Down
DROP INDEX responses_at;
DROP INDEX messages_campaign;

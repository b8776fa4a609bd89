package store

import (
	"context"
	"strings"
)

// streamSetting and the name of a topic name the setting that says in which cluster the topic is.
const streamSetting = "stream:"

// Streams lists the streams that feed the database, or did and may have events that were not applied: by the name of the topic,
// the id of its cluster, "" where that is not known.
func (s *Store) Streams(ctx context.Context) (clusters map[string]string, err error) {
	err = s.read(ctx, func(c *Conn) error {
		clusters = map[string]string{}
		err := c.Query(`SELECT DISTINCT topic FROM stream_positions`, nil, func(r Row) error {
			topic, _, _ := strings.Cut(r.Text(0), "/")
			clusters[topic] = ""
			return nil
		})
		if err != nil {
			return err
		}
		return c.Query(`SELECT name, value FROM settings WHERE name LIKE $1`, []any{streamSetting + "%"}, func(r Row) error {
			clusters[strings.TrimPrefix(r.Text(0), streamSetting)] = r.Text(1)
			return nil
		})
	})
	return clusters, err
}

// AdoptStream notes that a stream feeds the database, and gives the id of the cluster that is noted: the first one stays.
func (s *Store) AdoptStream(ctx context.Context, topic, cluster string) (noted string, err error) {
	err = s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, streamSetting+topic, cluster)
		if err != nil {
			return err
		}
		_, err = c.One(`SELECT value FROM settings WHERE name = $1`, []any{streamSetting + topic}, func(r Row) error {
			noted = r.Text(0)
			return nil
		})
		return err
	})
	return noted, err
}

// RetireStream forgets a stream, and how far its events have been applied.
func (s *Store) RetireStream(ctx context.Context, topic string) error {
	return s.Update(ctx, func(c *Conn) error {
		// What begins with the name and a /, which no name has: 0 is the next sign.
		if _, err := c.Exec(`DELETE FROM stream_positions WHERE topic >= $1 AND topic < $2`, topic+"/", topic+"0"); err != nil {
			return err
		}
		_, err := c.Exec(`DELETE FROM settings WHERE name = $1`, streamSetting+topic)
		return err
	})
}

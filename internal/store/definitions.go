package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tailorbird/tailorbird/internal/definition"
)

// Definitions lists the latest version of everything that is not deleted, by kind and name.
func (s *Store) Definitions(ctx context.Context) ([]definition.Definition, error) {
	const query = `
		SELECT d.kind, d.name, d.version, d.spec, d.created_at, d.created_by,
		  (SELECT min(f.created_at) FROM definitions f
		   WHERE f.kind = d.kind AND f.name = d.name AND f.version >
		     (SELECT coalesce(max(g.version), 0) FROM definitions g WHERE g.kind = d.kind AND g.name = d.name AND g.spec IS NULL))
		FROM definitions d
		WHERE d.spec IS NOT NULL
		  AND NOT EXISTS (SELECT 1 FROM definitions l WHERE l.kind = d.kind AND l.name = d.name AND l.version > d.version)
		ORDER BY d.kind, d.name`
	var list []definition.Definition
	err := s.read(ctx, func(c *Conn) error {
		return c.Query(query, nil, func(r Row) error {
			list = append(list, definition.Definition{
				Ref:     definition.Ref{Kind: definition.Kind(r.Text(0)), Name: r.Text(1)},
				Version: int(r.Int(2)), Spec: r.Bytes(3),
				UpdatedAt: timeOf(r.Int(4)), UpdatedBy: r.Text(5), CreatedAt: timeOf(r.Int(6)),
			})
			return nil
		})
	})
	return list, err
}

// DefinitionsAt lists the version of everything that was in force at a moment, by kind and name.
func (s *Store) DefinitionsAt(ctx context.Context, at time.Time) ([]definition.Definition, error) {
	const query = `
		SELECT d.kind, d.name, d.version, d.spec, d.created_at, d.created_by FROM definitions d
		WHERE d.spec IS NOT NULL AND d.version =
		  (SELECT max(l.version) FROM definitions l WHERE l.kind = d.kind AND l.name = d.name AND l.created_at <= $1)
		ORDER BY d.kind, d.name`
	var list []definition.Definition
	err := s.read(ctx, func(c *Conn) error {
		return c.Query(query, []any{at.UnixMicro()}, func(r Row) error {
			list = append(list, definition.Definition{
				Ref:     definition.Ref{Kind: definition.Kind(r.Text(0)), Name: r.Text(1)},
				Version: int(r.Int(2)), Spec: r.Bytes(3), UpdatedAt: timeOf(r.Int(4)), UpdatedBy: r.Text(5),
			})
			return nil
		})
	})
	return list, err
}

// Versions lists the history of one definition, newest first.
func (s *Store) Versions(ctx context.Context, ref definition.Ref) ([]definition.Version, error) {
	const query = `SELECT version, spec, created_at, created_by FROM definitions WHERE kind = $1 AND name = $2 ORDER BY version DESC`
	var list []definition.Version
	err := s.read(ctx, func(c *Conn) error {
		return c.Query(query, []any{string(ref.Kind), ref.Name}, func(r Row) error {
			list = append(list, definition.Version{
				Version: int(r.Int(0)), Spec: json.RawMessage(r.Bytes(1)), At: timeOf(r.Int(2)), By: r.Text(3),
			})
			return nil
		})
	})
	return list, err
}

// SaveDefinitions appends one version for each revision, all or none.
func (s *Store) SaveDefinitions(ctx context.Context, revisions []definition.Revision) error {
	const insert = `
		INSERT INTO definitions (kind, name, version, spec, created_at, created_by)
		SELECT $1, $2, coalesce(max(version), 0) + 1, $3, $4, $5 FROM definitions WHERE kind = $1 AND name = $2`
	return s.Update(ctx, func(c *Conn) error {
		if err := revise(c); err != nil {
			return err
		}
		for _, r := range revisions {
			var spec any
			if r.Spec != nil {
				spec = string(r.Spec)
			}
			if _, err := c.Exec(insert, string(r.Kind), r.Name, spec, r.At.UnixMicro(), r.By); err != nil {
				return err
			}
		}
		return nil
	})
}

func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

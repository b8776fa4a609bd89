package cli

import (
	"context"
	"net/http"
)

type keyCommand struct {
	List   keyList   `cmd:"" help:"List keys."`
	Create keyCreate `cmd:"" help:"Make a key; it is shown once."`
	Delete keyDelete `cmd:"" help:"Revoke a key."`
}

type keyList struct{ connection }

func (c *keyList) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/keys", nil, 0, []column{
		{"ID", "id"}, {"NAME", "name"}, {"SCOPES", "scopes"}, {"CREATED", "created_at"}, {"LAST USED", "last_used_at"},
	})
}

type keyCreate struct {
	connection
	Name   string   `arg:"" help:"What the key is for."`
	Scopes []string `required:"" help:"What it allows: track, read, write, send, metrics, admin." placeholder:"SCOPE,…"`
}

func (*keyCreate) Help() string {
	return `Example:

  tailorbird key create 'web shop' --scopes track`
}

func (c *keyCreate) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodPost, "/api/v1/keys", map[string]any{"name": c.Name, "scopes": c.Scopes})
}

type keyDelete struct {
	connection
	ID string `arg:"" help:"Id of the key."`
}

func (c *keyDelete) Run(ctx context.Context) error {
	return c.remove(ctx, under("keys", c.ID), "key "+c.ID)
}

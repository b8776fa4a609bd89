package server

import (
	"context"

	"github.com/tailorbird/tailorbird/internal/report"
)

type listMessagesInput struct {
	Paging
	Campaign string `query:"campaign" maxLength:"64" doc:"Of this campaign only"`
	Profile  string `query:"profile" maxLength:"64" doc:"To this profile only"`
}

func (s *server) listMessages(ctx context.Context, in *listMessagesInput) (answer[page[report.Message]], error) {
	q := report.Messages{Campaign: in.Campaign, Cursor: in.Cursor, Limit: in.Limit}
	if in.Profile != "" {
		id, err := s.config.Profiles.ProfileID(ctx, in.Profile)
		if err != nil {
			return answer[page[report.Message]]{}, err
		}
		q.Profile = id
	}
	list, next, err := s.config.Reports.Messages(ctx, q)
	return answer[page[report.Message]]{pageOf(list, next)}, err
}

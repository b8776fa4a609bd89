package server

import (
	"context"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// Identity reads what was decided of profiles by hand.
type Identity interface {
	// StoredProfileID reads a public id as it is, whether the profile lives or was merged into another; NotFound where
	// there is none.
	StoredProfileID(ctx context.Context, public string) (int64, error)
	// OverrideHistory lists every override that a profile ever had, newest first.
	OverrideHistory(ctx context.Context, profileID int64) ([]profile.OverrideView, error)
}

// Decider carries out what is decided of profiles by hand, as engine.Engine does.
type Decider interface {
	Merge(ctx context.Context, a, b int64, cause engine.MergeCause) (survivor int64, err error)
	Unmerge(ctx context.Context, loser int64, actor, note string) (*engine.Unmerged, error)
	KeepApart(ctx context.Context, a, b int64, actor, note string) error
	AllowTogether(ctx context.Context, a, b int64) error
	Override(ctx context.Context, profileID int64, o profile.Override) error
	LiftOverride(ctx context.Context, profileID int64, kind, name, actor string) error
}

func (s *server) identityRoutes() {
	const one = "/api/v1/profiles/{id}"
	post(s, access.Write, one+"/merge", "mergeProfiles", "Make two profiles one", s.mergeProfiles)
	post(s, access.Write, one+"/unmerge", "unmergeProfile", "Take a merge back", s.unmergeProfile)
	put(s, access.Write, one+"/apart/{other}", "keepProfilesApart", "Make sure that no event joins two profiles", s.keepApart)
	remove(s, access.Write, one+"/apart/{other}", "allowProfilesTogether", "Let events join two profiles again", s.allowTogether)
	get(s, access.Read, one+"/overrides", "listProfileOverrides", "What a person ever said of a profile, newest first", s.listOverrides)
	put(s, access.Write, one+"/overrides/segment/{name}", "overrideSegment", "Put a customer into a segment, or keep them out, whatever events say", s.overrideSegment)
	put(s, access.Write, one+"/overrides/trait/{name}", "overrideTrait", "Say what a trait is, whatever events say", s.overrideTrait)
	remove(s, access.Write, one+"/overrides/{kind}/{name}", "liftOverride", "Let events count again", s.liftOverride)
}

// Remark is what a person says of a decision.
type Remark struct {
	Note string `json:"note,omitempty" maxLength:"500" doc:"Why, in words, for whoever reads it later"`
}

type mergeInput struct {
	ProfileRef
	Body struct {
		RenderFor
		Remark
	}
}

// mergeProfiles makes two profiles one, because the caller says that they are one customer.
func (s *server) mergeProfiles(ctx context.Context, in *mergeInput) (answer[profile.View], error) {
	one, err := s.config.Profiles.ProfileID(ctx, in.ID)
	if err != nil {
		return answer[profile.View]{}, err
	}
	other, ok, err := s.profileOf(ctx, in.Body.RenderFor)
	if err == nil && !ok {
		err = fault.Field("profile_id", "is missing; name the other profile by profile_id or identifier")
	}
	if err != nil {
		return answer[profile.View]{}, err
	}
	survivor, err := s.config.Decider.Merge(ctx, one, other, engine.MergeCause{
		Kind: engine.MergedByHand, Identifiers: []identity.Identifier{}, Actor: caller(ctx).Name, Note: in.Body.Note,
	})
	if err != nil {
		return answer[profile.View]{}, err
	}
	view, err := s.viewProfile(ctx, survivor)
	return answer[profile.View]{view}, err
}

type unmergeInput struct {
	ID   string `path:"id" doc:"The profile that was merged into another: profile_id of one of its merged[]"`
	Body Remark
}

// Unmerged is what undoing a merge made.
type Unmerged struct {
	Profiles []profile.View `json:"profiles" doc:"The profiles that the one became, oldest first"`
	Moved    int            `json:"moved" doc:"Events that went back to the other profile"`
}

func (s *server) unmergeProfile(ctx context.Context, in *unmergeInput) (answer[Unmerged], error) {
	loser, err := s.config.Identity.StoredProfileID(ctx, in.ID)
	if err != nil {
		return answer[Unmerged]{}, err
	}
	u, err := s.config.Decider.Unmerge(ctx, loser, caller(ctx).Name, in.Body.Note)
	if err != nil {
		return answer[Unmerged]{}, err
	}
	views, err := s.config.Profiles.ProfileViews(ctx, u.Profiles)
	return answer[Unmerged]{Unmerged{Profiles: views, Moved: u.Moved}}, err
}

// PairRef is the path of two profiles.
type PairRef struct {
	ProfileRef
	Other string `path:"other" doc:"The other profile's id"`
}

func (s *server) pair(ctx context.Context, in PairRef) (one, other int64, err error) {
	if one, err = s.config.Profiles.ProfileID(ctx, in.ID); err != nil {
		return 0, 0, err
	}
	other, err = s.config.Profiles.ProfileID(ctx, in.Other)
	return one, other, err
}

type keepApartInput struct {
	PairRef
	Body Remark
}

func (s *server) keepApart(ctx context.Context, in *keepApartInput) (answer[profile.View], error) {
	one, other, err := s.pair(ctx, in.PairRef)
	if err != nil {
		return answer[profile.View]{}, err
	}
	if err := s.config.Decider.KeepApart(ctx, one, other, caller(ctx).Name, in.Body.Note); err != nil {
		return answer[profile.View]{}, err
	}
	view, err := s.viewProfile(ctx, one)
	return answer[profile.View]{view}, err
}

func (s *server) allowTogether(ctx context.Context, in *PairRef) (nothing, error) {
	one, other, err := s.pair(ctx, *in)
	if err != nil {
		return nothing{}, err
	}
	return nothing{}, s.config.Decider.AllowTogether(ctx, one, other)
}

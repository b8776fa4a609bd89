package server

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/identity/match"
	"github.com/tailorbird/tailorbird/internal/identity/review"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/report"
	"github.com/tailorbird/tailorbird/internal/source"
)

// schemaNames are the names of types in the OpenAPI document, where they are not those of Go. Clients generate their
// types from it.
var schemaNames = map[reflect.Type]string{
	reflect.TypeFor[Detail]():            "ProblemError",
	reflect.TypeFor[expr.Node]():         "ConditionNode",
	reflect.TypeFor[expr.Behaviour]():    "ConditionBehaviour",
	reflect.TypeFor[expr.Sequence]():     "ConditionSequence",
	reflect.TypeFor[expr.Step]():         "ConditionStep",
	reflect.TypeFor[expr.Warning]():      "ConditionWarning",
	reflect.TypeFor[OverviewPage]():      "Overview",
	reflect.TypeFor[report.Daily]():      "OverviewDay",
	reflect.TypeFor[LoopStatus]():        "Loop",
	reflect.TypeFor[profile.View]():      "Profile",
	reflect.TypeFor[match.Evidence]():    "MatchEvidence",
	reflect.TypeFor[match.Learnt]():      "MatchField",
	reflect.TypeFor[match.Level]():       "MatchLevel",
	reflect.TypeFor[review.Summary]():    "MatchSummary",
	reflect.TypeFor[SegmentSpec]():       "SegmentInput",
	reflect.TypeFor[Preview]():           "SegmentPreview",
	reflect.TypeFor[TraitSpec]():         "TraitInput",
	reflect.TypeFor[TemplateSpec]():      "TemplateInput",
	reflect.TypeFor[Rendering]():         "Rendered",
	reflect.TypeFor[CampaignSpec]():      "CampaignInput",
	reflect.TypeFor[TestMessage]():       "TestSend",
	reflect.TypeFor[report.Campaign]():   "Report",
	reflect.TypeFor[report.Day]():        "ReportDay",
	reflect.TypeFor[report.Link]():       "ReportLink",
	reflect.TypeFor[report.Skipped]():    "ReportSkipped",
	reflect.TypeFor[Mail]():              "MailboxItem",
	reflect.TypeFor[source.Definition](): "SourceInput",
	reflect.TypeFor[source.Registry]():   "SourceRegistry",
	reflect.TypeFor[source.TLS]():        "SourceTLS",
	reflect.TypeFor[source.SASL]():       "SourceSASL",
	reflect.TypeFor[OpenMail]():          "Mail",
}

// schemaName names a page after what it lists: ProfileList.
func schemaName(t reflect.Type, hint string) string {
	if name, ok := schemaNames[t]; ok {
		return name
	}
	if strings.HasPrefix(t.Name(), "page[") {
		if items, ok := t.FieldByName("Items"); ok {
			return schemaName(items.Type.Elem(), hint) + "List"
		}
	}
	return huma.DefaultSchemaNamer(t, hint)
}

// Object is JSON that is passed on as it is, and described as an object of any members.
type Object json.RawMessage

// MarshalJSON gives the text itself; none is an empty object.
func (o Object) MarshalJSON() ([]byte, error) {
	if len(o) == 0 {
		return []byte("{}"), nil
	}
	return o, nil
}

// UnmarshalJSON keeps the text.
func (o *Object) UnmarshalJSON(text []byte) error {
	*o = append((*o)[:0], text...)
	return nil
}

// Schema describes it to huma.
func (Object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

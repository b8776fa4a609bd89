package server

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/report"
)

// schemaNames are the names of types in the OpenAPI document, where they are not those of Go. Clients generate their
// types from it.
var schemaNames = map[reflect.Type]string{
	reflect.TypeFor[Detail]():          "ProblemError",
	reflect.TypeFor[OverviewPage]():    "Overview",
	reflect.TypeFor[report.Daily]():    "OverviewDay",
	reflect.TypeFor[LoopStatus]():      "Loop",
	reflect.TypeFor[profile.View]():    "Profile",
	reflect.TypeFor[SegmentSpec]():     "SegmentInput",
	reflect.TypeFor[Preview]():         "SegmentPreview",
	reflect.TypeFor[TraitSpec]():       "TraitInput",
	reflect.TypeFor[TemplateSpec]():    "TemplateInput",
	reflect.TypeFor[Rendering]():       "Rendered",
	reflect.TypeFor[CampaignSpec]():    "CampaignInput",
	reflect.TypeFor[TestMessage]():     "TestSend",
	reflect.TypeFor[report.Campaign](): "Report",
	reflect.TypeFor[report.Day]():      "ReportDay",
	reflect.TypeFor[report.Link]():     "ReportLink",
	reflect.TypeFor[report.Skipped]():  "ReportSkipped",
	reflect.TypeFor[Mail]():            "MailboxItem",
	reflect.TypeFor[OpenMail]():        "Mail",
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

package server

import (
	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/event"
)

// anyone marks operations that need no key; signedIn those that any valid key may call.
const (
	anyone   access.Scope = ""
	signedIn access.Scope = "any"
)

// routes is the table of everything that the server answers.
func (s *server) routes() {
	// Tracking, as Segment's libraries call it; the browser's library uses the short paths.
	s.tracking(single(event.Identify), "identify", "i")
	s.tracking(single(event.Track), "track", "t")
	s.tracking(single(event.Page), "page", "p")
	s.tracking(single(event.Screen), "screen", "s")
	s.tracking(single(event.Group), "group", "g")
	s.tracking(single(event.Alias), "alias", "a")
	s.tracking(batch(), "batch", "b")
	s.tracking(history(), "import")

	// Links in mail.
	s.mux.HandleFunc("GET /o/{token}", s.opened)
	s.mux.HandleFunc("GET /c/{token}", s.clicked)
	s.mux.HandleFunc("GET /u/{token}", s.askUnsubscribe)
	s.mux.HandleFunc("POST /u/{token}", s.unsubscribe)

	// Management.
	const v1 = "/api/v1"
	post(s, anyone, v1+"/session", "signIn", "Sign in with a key", s.signIn)
	get(s, signedIn, v1+"/session", "getSession", "Who is signed in", s.getSession)
	remove(s, anyone, v1+"/session", "signOut", "Sign out", s.signOut)
	get(s, access.Read, v1+"/overview", "getOverview", "The last days and the state of the loop", s.getOverview)
	get(s, access.Read, v1+"/vocabulary", "getVocabulary", "Words for completing conditions", s.getVocabulary)
	get(s, access.Read, v1+"/vocabulary/properties", "getProperties", "Properties of events, for completing conditions", s.getProperties)

	post(s, access.Read, v1+"/conditions/tree", "readCondition", "A condition as text and as a form's tree, either way", s.conditionTree)

	get(s, access.Read, v1+"/profiles", "listProfiles", "List or search profiles", s.listProfiles)
	get(s, access.Read, v1+"/profiles/{id}", "getProfile", "Get a profile", s.getProfile)
	get(s, access.Read, v1+"/profiles/{id}/events", "listProfileEvents", "A profile's events, newest first", s.listProfileEvents)

	s.sourceRoutes()
	s.matchRoutes()
	s.identityRoutes()
	s.membershipRoutes()
	s.queryRoutes()

	get(s, access.Read, v1+"/segments", "listSegments", "List segments", s.listSegments)
	get(s, access.Read, v1+"/segments/{name}", "getSegment", "Get a segment", s.getSegment)
	put(s, access.Write, v1+"/segments/{name}", "putSegment", "Create or change a segment", s.putSegment)
	get(s, access.Read, v1+"/segments/{name}/overlap", "getSegmentOverlap", "How many members other segments have too", s.segmentOverlap)
	post(s, access.Read, v1+"/segments/preview", "previewSegment", "Try a condition without saving it", s.previewSegment)
	definitions(s, v1+"/segments", definition.Segment)

	get(s, access.Read, v1+"/traits", "listTraits", "List computed traits", s.listTraits)
	get(s, access.Read, v1+"/traits/{name}", "getTrait", "Get a computed trait", s.getTrait)
	put(s, access.Write, v1+"/traits/{name}", "putTrait", "Create or change a computed trait", s.putTrait)
	post(s, access.Read, v1+"/traits/preview", "previewTrait", "Try an expression on some profiles without saving it", s.previewTrait)
	definitions(s, v1+"/traits", definition.Trait)

	get(s, access.Read, v1+"/templates", "listTemplates", "List templates", s.listTemplates)
	get(s, access.Read, v1+"/templates/{name}", "getTemplate", "Get a template", s.getTemplate)
	put(s, access.Write, v1+"/templates/{name}", "putTemplate", "Create or change a template", s.putTemplate)
	post(s, access.Read, v1+"/templates/{name}/render", "renderTemplate", "Render a template for a profile", s.renderTemplate)
	post(s, access.Read, v1+"/templates/preview", "previewTemplate", "Render a draft without saving it", s.previewTemplate)
	definitions(s, v1+"/templates", definition.Template)

	get(s, access.Read, v1+"/campaigns", "listCampaigns", "List campaigns", s.listCampaigns)
	get(s, access.Read, v1+"/campaigns/{name}", "getCampaign", "Get a campaign", s.getCampaign)
	put(s, access.Write, v1+"/campaigns/{name}", "putCampaign", "Create or change a campaign", s.putCampaign)
	accept(s, access.Send, v1+"/campaigns/{name}/send", "sendCampaign", "Send a campaign; asking twice sends once", s.sendCampaign)
	post(s, access.Send, v1+"/campaigns/{name}/pause", "pauseCampaign", "Pause sending", s.pauseCampaign)
	post(s, access.Send, v1+"/campaigns/{name}/resume", "resumeCampaign", "Resume sending", s.resumeCampaign)
	post(s, access.Send, v1+"/campaigns/{name}/test", "testCampaign", "Send one test message", s.testCampaign)
	get(s, access.Read, v1+"/campaigns/{name}/report", "getCampaignReport", "What a campaign was worth", s.getReport)
	get(s, access.Read, v1+"/messages", "listMessages", "List messages, newest first", s.listMessages)
	definitions(s, v1+"/campaigns", definition.Campaign)

	get(s, access.Read, v1+"/mailbox", "listMailbox", "Mail in the built-in sink, newest first", s.listMailbox)
	get(s, access.Read, v1+"/mailbox/{id}", "getMail", "One mail of the sink, taken apart", s.getMail)
	get(s, access.Read, v1+"/mailbox/{id}/raw", "getRawMail", "One mail of the sink as it came", s.getRawMail)

	get(s, access.Read, v1+"/definitions", "listDefinitions", "Everything that is defined", s.listDefinitions)
	get(s, access.Read, v1+"/starters/{name}", "getStarter", "Traits and segments to begin with, to be applied as they are", getStarter)
	post(s, access.Write, v1+"/definitions/apply", "applyDefinitions", "Make the definitions as given, all or nothing", s.applyDefinitions)
	get(s, access.Admin, v1+"/keys", "listKeys", "List API keys", s.listKeys)
	create(s, access.Admin, v1+"/keys", "createKey", "Make an API key, shown once", s.createKey)
	remove(s, access.Admin, v1+"/keys/{id}", "deleteKey", "Revoke an API key", s.deleteKey)
	get(s, access.Read, v1+"/suppressions", "listSuppressions", "Addresses that get no mail", s.listSuppressions)
	create(s, access.Write, v1+"/suppressions", "addSuppression", "Suppress an address", s.addSuppression)
	remove(s, access.Write, v1+"/suppressions/{email}", "removeSuppression", "Lift a suppression", s.removeSuppression)
	get(s, access.Read, v1+"/sending-domains", "listSendingDomains", "DNS records for the domains we send from", s.listDomains)

	get(s, access.Admin, v1+"/backups", "listBackups", "List backups, newest first", s.listBackups)
	accept(s, access.Admin, v1+"/backups", "makeBackup", "Make a backup in the background", s.makeBackup)
	get(s, access.Admin, v1+"/backups/{name}", "getBackup", "How far a backup is", s.getBackup)
	get(s, access.Admin, v1+"/backups/{name}/file", "downloadBackup", "The file of a backup", s.downloadBackup)
	remove(s, access.Admin, v1+"/backups/{name}", "deleteBackup", "Delete a backup", s.deleteBackup)

	s.mux.HandleFunc("GET /api/openapi.json", s.openAPI())
	s.mux.HandleFunc("GET /api/docs", s.docs())
	s.mux.HandleFunc("/api/", s.unknownCall)
	s.mux.HandleFunc("/v1/", s.unknownCall)

	// Operation.
	s.mux.HandleFunc("GET /healthz", s.healthy)
	s.mux.HandleFunc("GET /readyz", s.ready)
	s.mux.HandleFunc("GET /metrics", s.scrape)
	if s.config.Extra != nil {
		s.mux.Handle("/demo/", s.config.Extra)
	}
	s.mux.Handle("/", application(s.config.UI))
}

func (s *server) tracking(e endpoint, names ...string) {
	for _, name := range names {
		s.mux.HandleFunc("POST /v1/"+name, s.track(e))
		s.mux.HandleFunc("OPTIONS /v1/"+name, preflight)
		s.mux.HandleFunc("/v1/"+name, onlyPost)
	}
}

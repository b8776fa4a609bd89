package content

import (
	"strings"
	"testing"
	"time"
)

// TestHostileTemplatesEndSoon compiles and renders bodies that are made to take long. Each takes well under two
// seconds; the bound leaves room for a busy machine and still fails on work that grows with the square.
func TestHostileTemplatesEndSoon(t *testing.T) {
	section := func(inside string) string { return inBody("<mj-section>" + inside + "</mj-section>") }
	for name, src := range map[string]Source{
		"images":         {Body: strings.Repeat("<img>", 100000), Format: HTML},
		"nested":         {Body: strings.Repeat("<div>", 100000), Format: HTML},
		"open quotes":    {Body: strings.Repeat("<a href='", 50000), Format: HTML},
		"braces":         {Body: strings.Repeat("{", 500000), Format: HTML},
		"open tags":      {Body: strings.Repeat("{% ", 160000), Format: HTML},
		"outputs":        {Body: strings.Repeat("{{a}}", 100000), Format: HTML},
		"most outputs":   {Body: strings.Repeat("{{a}}", maxTags), Format: HTML},
		"rules":          {Body: "<style>" + strings.Repeat(".a .b{color:red}", 15000) + "</style>" + strings.Repeat("<p class=a><b class=b>x</b></p>", 8000), Format: HTML},
		"most rules":     {Body: "<style>" + strings.Repeat(".a .b{color:red}", 400) + "</style>" + strings.Repeat("<p class=a><b class=b>x</b></p>", 1000), Format: HTML},
		"components":     {Body: section("<mj-column>" + strings.Repeat("<mj-text>{{a}}</mj-text>", 4900) + "</mj-column>"), Format: MJML},
		"markers":        {Body: inBody(strings.Repeat("{{a}}", 4900)), Format: MJML},
		"columns":        {Body: section(strings.Repeat("{{a}}<mj-column/>", 4900)), Format: MJML},
		"nested bodies":  {Body: "<mjml>" + strings.Repeat("<mj-body>", 50000), Format: MJML},
		"text in pieces": {Body: strings.Repeat("a<b></b>", 60000), Format: HTML},
		"lists":          {Body: strings.Repeat("<ul><li>a", 50000), Format: HTML},
	} {
		start := time.Now()
		if template, err := Compile(src, Options{}); err == nil {
			_, _ = template.Render(t.Context(), nil, testLinks("x"))
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

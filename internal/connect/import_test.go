package connect

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/internal/fault"
)

func mustMapping(t testing.TB, text string) *Mapping {
	t.Helper()
	m, err := ParseMapping("mapping.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (c *collector) texts() []string {
	var all []string
	for _, e := range c.events {
		all = append(all, string(e))
	}
	return all
}

const orders = `
event: '"Order Completed"'
user_id: row.customer
timestamp: timestamp(row.day, "yyyy-MM-dd")
source: shop
gather:
  key: row.order
  item: {sku: row.sku, price: double(row.price)}
properties:
  order_id: row.order
  total: sum(items, i, i.price)
`

func TestEventOfOneRow(t *testing.T) {
	mapping := mustMapping(t, `
type: identify
user_id: row.id
timestamp: '"2011-12-10T08:00:00+01:00"'
traits:
  email: lower(row.email)
  name: 'row.name == "" ? null : row.name'
  address: {city: row.city, country: '"GB"'}
  tags: [row.city, '"x"']
external_ids: {loyalty_id: row.card}
context: {campaign: {source: '"import"'}}
`)
	path := writeFile(t, "people.csv", "id,name,email,city,card\n7,,Ada@Example.COM,\"Lon\"\"don\",L1\n8,B,b@example.com,,\n")
	sink := &collector{}
	if _, err := Import(t.Context(), ImportConfig{Path: path, Mapping: mapping}, sink); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"type":"identify","messageId":"people-2-ID","userId":"7","timestamp":"2011-12-10T07:00:00Z",` +
			`"traits":{"email":"ada@example.com","address":{"city":"Lon\"don","country":"GB"},"tags":["Lon\"don","x"]},` +
			`"context":{"campaign":{"source":"import"},"externalIds":[{"type":"loyalty_id","id":"L1"}]}}`,
		`{"type":"identify","messageId":"people-3-ID","userId":"8","timestamp":"2011-12-10T07:00:00Z",` +
			`"traits":{"email":"b@example.com","name":"B","address":{"city":"","country":"GB"},"tags":["","x"]},` +
			`"context":{"campaign":{"source":"import"}}}`,
	}
	for i, text := range sink.texts() {
		var m struct{ MessageID string }
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		digest := m.MessageID[len("people-2-"):]
		if text = strings.Replace(text, digest, "ID", 1); text != want[i] {
			t.Errorf("event %d:\n%s\nwant\n%s", i, text, want[i])
		}
	}
}

func TestEventsOfJSONLines(t *testing.T) {
	mapping := mustMapping(t, `
type: row.type
event: row.event
user_id: row.userId
message_id: row.id
timestamp: row.at
properties: row.properties
where: row.skip != true
`)
	text := strings.Join([]string{
		`{"type":"track","event":"A","userId":12,"id":"m1","at":"2020-01-01T00:00:00Z","properties":{"n":9007199254740993,"f":1.50,"deep":{"x":null,"y":[1,"z"]}}}`,
		`{"type":"page","userId":"u","id":"m2","at":"2020-01-01T00:00:00.5Z"}  `,
		`{"type":"track","event":"A","userId":"u","skip":true}`,
		`{"type":"nonsense","userId":"u","at":"2020-01-01T00:00:00Z"}`,
		`{"type":"track","event":"A","at":"2020-01-01T00:00:00Z"}`,
		`{"type":"track","userId":"u","at":"2020-01-01T00:00:00Z"}`,
		`{"type":"track","event":"A","userId":"u","at":"yesterday"}`,
		`{"type":"track","event":"A","userId":"u"}`,
		`{"type":"track","event":"A","userId":"u","at":"2020-01-01T00:00:00Z","properties":3}`,
		`[1]`, `{"a":`, `{"a":1}{}`, `{"a":1e999}`,
	}, "\n")
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	fmt.Fprint(writer, text)
	writer.Close()
	path := writeFile(t, "events.jsonl.gz", packed.String())
	sink := &collector{}
	summary, err := Import(t.Context(), ImportConfig{Path: path, Mapping: mapping}, sink)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"type":"track","event":"A","messageId":"m1","userId":"12","timestamp":"2020-01-01T00:00:00Z","properties":{"deep":{"y":[1,"z"]},"f":1.5,"n":9007199254740993}}`,
		`{"type":"page","messageId":"m2","userId":"u","timestamp":"2020-01-01T00:00:00.5Z"}`,
	}
	if !slices.Equal(sink.texts(), want) {
		t.Errorf("events\n%s\nwant\n%s", strings.Join(sink.texts(), "\n"), strings.Join(want, "\n"))
	}
	if summary.Rows != 13 || summary.RowsFiltered != 1 || summary.RowsRejected != 10 {
		t.Errorf("summary %+v", summary)
	}
	rows := readRejects(t, summary.Rejected)
	for i, want := range []string{"type: ", "user_id: ", "event: ", "timestamp: ", "timestamp: ", "properties: ", "not a JSON", "not a JSON", "not one JSON", "out of range"} {
		if !strings.Contains(rows[i+1][1], want) || rows[i+1][0] != fmt.Sprint(i+4) || rows[i+1][2] != strings.Split(text, "\n")[i+3] {
			t.Errorf("rejected row %q, want line %d and a reason with %q", rows[i+1], i+4, want)
		}
	}
}

func readRejects(t testing.TB, path string) [][]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Rows of many orders are shuffled; every budget must give what gathering by hand gives.
func TestGatherScatteredRows(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	type order struct {
		first string
		skus  []string
		total int
	}
	orderOf := map[string]*order{}
	var keys []string
	text := bytes.NewBufferString("order,customer,day,sku,price\n")
	for row := range 20_000 {
		key := fmt.Sprintf("o%d", random.IntN(3_000))
		customer := fmt.Sprintf("c%d", row)
		if orderOf[key] == nil {
			orderOf[key] = &order{first: customer}
			keys = append(keys, key)
		}
		price := random.IntN(1000)
		sku := fmt.Sprintf("s%d", random.IntN(50))
		orderOf[key].skus = append(orderOf[key].skus, sku)
		orderOf[key].total += price
		fmt.Fprintf(text, "%s,%s,2020-01-02,%s,%d.%02d\n", key, customer, sku, price/100, price%100)
	}
	path := writeFile(t, "orders.csv", text.String())
	var inMemory []string
	for _, budget := range []int{64 << 20, 300_000, 16 << 10} {
		sink := &collector{}
		summary, err := Import(t.Context(), ImportConfig{
			Path: path, Mapping: mustMapping(t, orders), MemoryBudget: budget, TempDir: t.TempDir(), BatchEvents: 100, InFlight: 1,
		}, sink)
		if err != nil {
			t.Fatal(err)
		}
		if summary.Events != int64(len(keys)) {
			t.Fatalf("budget %d: summary %+v, want %d events", budget, summary, len(keys))
		}
		texts := sink.texts()
		if inMemory == nil {
			inMemory = slices.Clone(texts)
			for i, key := range keys { // in the order of first rows
				var m struct {
					MessageID, UserID string
					Properties        struct {
						Total    float64
						Products []struct{ SKU string }
					}
				}
				if err := json.Unmarshal([]byte(texts[i]), &m); err != nil {
					t.Fatal(err)
				}
				want := orderOf[key]
				var skus []string
				for _, p := range m.Properties.Products {
					skus = append(skus, p.SKU)
				}
				if m.MessageID != "shop-"+key || m.UserID != want.first || !slices.Equal(skus, want.skus) || m.Properties.Total != float64(want.total)/100 {
					t.Fatalf("event %d is %s, want %s %+v", i, texts[i], key, want)
				}
			}
			sort.Strings(inMemory)
			continue
		}
		sort.Strings(texts)
		if !slices.Equal(texts, inMemory) {
			t.Errorf("budget %d gives other events than gathering in memory", budget)
		}
	}
}

func TestRejectedRowsOfCSV(t *testing.T) {
	text := "order,customer,day,sku,price\n" +
		"1,ada,2020-01-01,a,1.10\n" +
		"1,ada,2020-01-01,=cmd(),x\n" + // a bad number: the order goes without this row
		"2,bob,2020-01-01,a\n" + // a column short
		"2,bob,2020-01-01,a,1,extra\n" +
		"3,b\xffb,2020-01-01,a,1\n" +
		"4,eve,tomorrow,a,1\n" + // no time: the whole order is refused
		"4,eve,2020-01-01,-5,2\n" +
		",eve,2020-01-01,a,1\n" +
		"5,eve,2020-01-01,\"a,1\n" +
		"6,eve,2020-01-01,\"b \"\"c\"\"\",1\n" +
		"7,,2020-01-01,a,NaN\n"
	path := writeFile(t, "orders.csv", text)
	sink := &collector{refuse: func(event json.RawMessage) string {
		if strings.Contains(string(event), `"shop-6"`) {
			return "properties: not today"
		}
		return ""
	}}
	summary, err := Import(t.Context(), ImportConfig{Path: path, Mapping: mustMapping(t, orders)}, sink)
	if err != nil {
		t.Fatal(err)
	}
	want := Summary{Rows: 11, RowsRejected: 10, Events: 1, EventsRejected: 2, EventsPartial: 1, Rejected: path + ".rejected.csv"}
	if summary != want {
		t.Errorf("summary %+v, want %+v", summary, want)
	}
	if len(sink.events) != 1 || !strings.Contains(string(sink.events[0]), `"total":1.1,"products":[{"sku":"a","price":1.1}]`) {
		t.Errorf("events %s", sink.texts())
	}
	got := readRejects(t, summary.Rejected)
	for i, want := range [][]string{
		{"line", "reason", "order", "customer", "day", "sku", "price"},
		{"3", `gather.item.price: "x" is not a number`, "1", "ada", "2020-01-01", "'=cmd()", "x"},
		{"4", "the row has 4 columns, the header 5", "2", "bob", "2020-01-01", "a"},
		{"5", "the row has 6 columns, the header 5", "2", "bob", "2020-01-01", "a", "1", "extra"},
		{"6", "the row is not UTF-8 (byte 0xff at column 4)", "3", "b\xffb", "2020-01-01", "a", "1"},
		{"9", "gather.key: the key is empty", "", "eve", "2020-01-01", "a", "1"},
		{"10", "text follows the closing quote of a column", "5,eve,2020-01-01,\"a,1"},
		{"12", `gather.item.price: "NaN" is not a number`, "7", "", "2020-01-01", "a", "NaN"},
		{"7", `timestamp: "tomorrow" is not a time in layout "yyyy-MM-dd"`, "4", "eve", "tomorrow", "a", "1"},
		{"8", `timestamp: "tomorrow" is not a time in layout "yyyy-MM-dd"`, "4", "eve", "2020-01-01", "-5", "2"},
		{"11", "properties: not today", "6", "eve", "2020-01-01", `b "c"`, "1"},
	} {
		if i >= len(got) || !slices.Equal(got[i], want) {
			t.Errorf("rejects row %d: %q, want %q", i, got[min(i, len(got)-1)], want)
		}
	}
}

func TestTooLargeEvents(t *testing.T) {
	text := bytes.NewBufferString("order,customer,day,sku,price\n")
	for range 60_000 { // 60,000 rows of one key make an event of more than 1 MB, and of more than is kept
		fmt.Fprintf(text, "big,ada,2020-01-01,%s,1\n", strings.Repeat("s", 50))
	}
	for range 20_000 {
		fmt.Fprintf(text, "middle,ada,2020-01-01,%s,1\n", strings.Repeat("s", 40))
	}
	fmt.Fprintf(text, "small,ada,2020-01-01,s,1\n")
	path := writeFile(t, "orders.csv", text.String())
	for _, budget := range []int{64 << 20, 100 << 10} {
		sink := &collector{}
		summary, err := Import(t.Context(), ImportConfig{Path: path, Mapping: mustMapping(t, orders), MemoryBudget: budget, TempDir: t.TempDir()}, sink)
		if err != nil {
			t.Fatal(err)
		}
		if summary.Events != 1 || summary.EventsRejected != 2 || summary.RowsRejected != 80_000 {
			t.Errorf("summary %+v", summary)
		}
		if rows := readRejects(t, summary.Rejected); len(rows) != 80_001 || !strings.Contains(rows[1][1], "60000 rows") {
			t.Errorf("%d rows are in the rejects file, the first %q", len(rows), rows[1])
		}
	}
}

const single = `
event: '"Seen"'
user_id: row.id
timestamp: '"2020-01-01T00:00:00Z"'
`

// An import that is interrupted anywhere and run again delivers every row once and rejects every bad row once.
func TestResume(t *testing.T) {
	text := bytes.NewBufferString("id,n,pad\n")
	pad := strings.Repeat("x", 100)
	const rows = 60_000
	for i := range rows {
		if i%1000 == 7 {
			fmt.Fprintf(text, ",%d,%s\n", i, pad) // no id: rejected
			continue
		}
		fmt.Fprintf(text, "u%d,%d,%s\n", i, i, pad)
	}
	path := writeFile(t, "seen.csv", text.String())
	config := ImportConfig{Path: path, Mapping: mustMapping(t, single), BatchEvents: 100, Target: "here"}
	broken := errors.New("broken")
	delivered := &collector{}
	runs, resumed := 0, false
	for ; ; runs++ {
		before := len(delivered.events)
		delivered.count = 0
		delivered.fail = func(batches int) error {
			if runs < 4 && batches > 70+30*runs {
				return broken
			}
			return nil
		}
		summary, err := Import(t.Context(), config, delivered)
		resumed = resumed || summary.ResumedAfter > 0
		if len(delivered.events)-before != int(summary.Events) && err == nil {
			t.Errorf("run %d: summary %+v, but %d events came", runs, summary, len(delivered.events)-before)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, broken) {
			t.Fatal(err)
		}
	}
	if runs != 4 || !resumed {
		t.Errorf("%d interruptions, resumed: %v", runs, resumed)
	}
	ids := map[string]int{}
	for _, e := range delivered.events {
		var m struct{ MessageID string }
		if err := json.Unmarshal(e, &m); err != nil {
			t.Fatal(err)
		}
		ids[m.MessageID]++
	}
	if len(ids) != rows-rows/1000 {
		t.Errorf("%d different events came, want %d", len(ids), rows-rows/1000)
	}
	if again := len(delivered.events) - len(ids); again > 4*config.BatchEvents*40 {
		t.Errorf("%d events were sent again: the import does not go on where it was", again)
	}
	got := readRejects(t, path+".rejected.csv")
	if len(got) != rows/1000+1 {
		t.Errorf("%d rejected rows, want %d", len(got)-1, rows/1000)
	}
	for i, row := range got[1:] {
		if row[0] != fmt.Sprint(i*1000+7+2) {
			t.Errorf("rejected row %d is %q", i, row)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*state*")); len(left) > 0 {
		t.Errorf("a finished import leaves %v", left)
	}
}

func TestResumeOnlyToTheSameTarget(t *testing.T) {
	path := writeFile(t, "seen.csv", "id\n"+strings.Repeat("ada\n", 50_000))
	config := ImportConfig{Path: path, Mapping: mustMapping(t, single), BatchEvents: 10, Target: "one"}
	sink := &collector{fail: func(batches int) error {
		if batches > 3000 {
			return errors.New("broken")
		}
		return nil
	}}
	if _, err := Import(t.Context(), config, sink); err == nil {
		t.Fatal("no interruption")
	}
	config.Target = "two"
	other := &collector{}
	summary, err := Import(t.Context(), config, other)
	if err != nil || summary.ResumedAfter != 0 || len(other.events) != 50_000 {
		t.Errorf("%+v %v with %d events, want all 50,000", summary, err, len(other.events))
	}
}

func TestCancel(t *testing.T) {
	path := writeFile(t, "orders.csv", "id\n"+strings.Repeat("ada\n", 100_000))
	ctx, cancel := context.WithCancel(t.Context())
	sink := &collector{fail: func(batches int) error {
		if batches == 5 {
			cancel()
		}
		return nil
	}}
	_, err := Import(ctx, ImportConfig{Path: path, Mapping: mustMapping(t, single)}, sink)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

func TestFilesThatCannotBeImported(t *testing.T) {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	for i := range 100_000 {
		fmt.Fprintf(writer, "u%d\n", i)
	}
	writer.Close()
	for name, text := range map[string]string{
		"empty.csv": "", "utf16.csv": "\xff\xfei\x00d\x00\n\x00", "latin.csv": "i\xe9d\n1\n", "quote.csv": "\"id\n1\n",
		"cut.csv.gz": packed.String()[:packed.Len()/2], "garbage.csv.gz": "\x1f\x8bxxxx", "what.bin": "id\n1\n",
	} {
		path := writeFile(t, name, text)
		mapping := single
		if name == "cut.csv.gz" {
			mapping += "columns: [id]\n"
		}
		_, err := Import(t.Context(), ImportConfig{Path: path, Mapping: mustMapping(t, mapping)}, &collector{})
		if fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v, want an invalid file", name, err)
		}
	}
	path := writeFile(t, "a.csv", "id\n1\n")
	if _, err := Import(t.Context(), ImportConfig{Path: path, Mapping: mustMapping(t, single), Rejected: path}, &collector{}); err == nil {
		t.Error("the rejects file may be the file itself")
	}
	if _, err := Import(t.Context(), ImportConfig{Path: "none.csv", Mapping: mustMapping(t, single)}, &collector{}); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("absent file: %v", err)
	}
}

func TestDialects(t *testing.T) {
	sink := &collector{}
	mapping := mustMapping(t, "delimiter: \"\\t\"\nencoding: windows-1252\ncolumns: [id, name]\nuser_id: row.id\nevent: row.name\ntimestamp: '\"2020-01-01T00:00:00Z\"'\nmessage_id: row.id\n")
	path := writeFile(t, "x.txt", "1\tcaf\xe9 \x80\r\n2\t\"a\tb\"\r\n")
	if _, err := Import(t.Context(), ImportConfig{Path: path, Mapping: mapping}, sink); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"type":"track","event":"café €","messageId":"1","userId":"1","timestamp":"2020-01-01T00:00:00Z"}`,
		`{"type":"track","event":"a\tb","messageId":"2","userId":"2","timestamp":"2020-01-01T00:00:00Z"}`,
	}
	if !slices.Equal(sink.texts(), want) {
		t.Errorf("events %q", sink.texts())
	}
	marked := writeFile(t, "bom.csv", "\ufeffid\nada\n")
	if summary, err := Import(t.Context(), ImportConfig{Path: marked, Mapping: mustMapping(t, single)}, &collector{}); err != nil || summary.Events != 1 {
		t.Errorf("with a byte order mark: %+v %v", summary, err)
	}
}

func TestPreview(t *testing.T) {
	path := writeFile(t, "orders.csv", "order,customer,day,sku,price\n1,ada,2020-01-01,a,1\n2,bob,2020-01-01,a,x\n3,eve,2020-01-01,a,3\n1,ada,2020-01-01,b,2\n")
	preview, err := PreviewImport(t.Context(), ImportConfig{Path: path, Mapping: mustMapping(t, orders)}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(preview.Events) != 1 || !strings.Contains(string(preview.Events[0]), `"total":3`) || !preview.Complete || preview.Rows != 4 {
		t.Errorf("preview %+v", preview)
	}
	if want := []RejectedRow{{3, `gather.item.price: "x" is not a number`, "2,bob,2020-01-01,a,x"}}; !slices.Equal(preview.Rejected, want) {
		t.Errorf("rejected %+v", preview.Rejected)
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
		t.Errorf("a preview leaves %v", left)
	}
}

func FuzzImport(f *testing.F) {
	f.Add("order,customer,day,sku,price\n1,ada,2020-01-01,a,1\n", orders)
	f.Add("id\n1\n\"2", single)
	f.Add(`{"id":1}`, "format: jsonl\n"+single)
	f.Fuzz(func(t *testing.T, text, mapping string) {
		m, err := ParseMapping("mapping.yaml", []byte(mapping))
		if err != nil {
			return
		}
		path := writeFile(t, "data.csv", text)
		sink := &collector{}
		summary, err := Import(t.Context(), ImportConfig{Path: path, Mapping: m, MemoryBudget: 20_000, TempDir: t.TempDir()}, sink)
		if err != nil {
			return
		}
		for _, e := range sink.events {
			if !json.Valid(e) {
				t.Fatalf("an event is not JSON: %q", e)
			}
		}
		if m.key == nil && summary.Rows != summary.RowsFiltered+summary.RowsRejected+summary.Events {
			t.Fatalf("rows are lost: %+v", summary)
		}
	})
}

package liquid_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/liquid"
)

type base struct {
	ID     int `json:"id"`
	Shadow string
}

type Named struct{ Inside string }

type label string

type money struct{ cents int }

func (m money) String() string { return big.NewInt(int64(m.cents)).String() + " cents" }

type tree struct {
	base
	Named     `json:"named"`
	Shadow    string
	Label     label             `json:"label"`
	Children  []*tree           `json:"children"`
	Parent    *tree             `json:"parent"`
	At        time.Time         `json:"at"`
	Later     *time.Time        `json:"later"`
	Pair      [2]int            `json:"pair"`
	Small     uint8             `json:"small"`
	Large     uint64            `json:"large"`
	Half      float32           `json:"half"`
	Exact     json.Number       `json:"exact"`
	Raw       json.RawMessage   `json:"raw"`
	Bytes     []byte            `json:"bytes"`
	Words     map[string]string `json:"words"`
	Open      map[string]any    `json:"open"`
	Any       any               `json:"any"`
	Items     []any             `json:"items"`
	Ready     liquid.Value      `json:"ready"`
	Price     money             `json:"price"`
	Drop      greeter           `json:"drop"`
	Lazy      *liquid.Lazy      `json:"lazy"`
	Ordered   *liquid.Map       `json:"ordered"`
	Hidden    string            `json:"-"`
	Renamed   string            `json:"wrong" liquid:"right"`
	unexposed string
}

func family() *tree {
	at := time.Date(2024, 2, 29, 13, 5, 9, 0, time.UTC)
	ordered := &liquid.Map{}
	ordered.Set("z", 1)
	t := &tree{
		base: base{ID: 7, Shadow: "inner"}, Named: Named{"in"}, Shadow: "outer", Label: "l", At: at, Later: &at, Pair: [2]int{4, 5},
		Small: 200, Large: 1 << 63, Half: 0.5, Exact: "12.50", Raw: json.RawMessage(`{"k":[1]}`), Bytes: []byte("bytes"),
		Words: map[string]string{"w": "W"}, Open: map[string]any{"o": map[string]any{"p": 1}}, Any: []int{1, 2}, Items: []any{"i", 1},
		Ready: liquid.HTML("<b>"), Price: money{150}, Drop: greeter{"ada"}, Ordered: ordered, Hidden: "hidden", Renamed: "r", unexposed: "u",
		Lazy: liquid.LoadOnUse(func(context.Context) (any, error) { return "loaded", nil }),
	}
	t.Children = []*tree{{base: base{ID: 8}, Parent: t}, nil, {base: base{ID: 9}, Parent: t}}
	return t
}

// TestBoundStruct renders a struct of fields of every sort, bound and as a value in a map.
func TestBoundStruct(t *testing.T) {
	engine := liquid.New(liquid.WithAutoEscape(true), liquid.WithPartials(liquid.Sources{
		"part": "{{ id }}{{ own }}", "inc": "{{ id }}{% assign id = 'new' %}{{ label }}",
	}))
	for _, c := range [][2]string{
		{"{{ id }} {{ Shadow }} {{ named.Inside }} {{ Inside }} {{ label }} {{ right }}{{ wrong }}{{ Hidden }}{{ unexposed }}", "7 outer in  l r"},
		{"{% for c in children %}{{ c.id }}{{ c.parent.id }}{{ c.parent.label }}{% if c == nil %}nil{% endif %} {% endfor %}", "87l nil 97l "},
		{"{{ children.size }}{{ children[2].id }}{{ children[-1].parent.children.first.id }}{{ parent.parent.id }}{% unless parent %}none{% endunless %}", "398none"},
		{"{{ at | date: '%d.%m.' }} {{ later | date: '%Y' }} {% if at == later %}same{% endif %}", "29.02. 2024 same"},
		{"{{ pair | join: '+' }} {{ pair.last }} {{ small }} {{ large }} {{ half }} {{ exact }} {{ raw.k[0] }} {{ bytes }}", "4+5 5 200 9223372036854775808 0.5 12.5 1 bytes"},
		{"{{ words.w }}{{ open.o.p }}{{ any | sum }}{{ items | join }}{{ ready }}{{ price }}{{ drop.greeting }}{{ lazy }}{{ ordered.z }}", "W13i 1<b>150 centshello adaloaded1"},
		{"{% render 'part', own: label %}{% include 'inc' %}{{ id }}{% assign label = 'set' %}{{ label }}", "l7lnewset"},
		{"{% for c in children %}{% for f in c %}{{ f[0] }} {% break %}{% endfor %}{% endfor %}", "id id "},
	} {
		template, err := engine.Parse(c[0])
		if err != nil {
			t.Fatal(err)
		}
		bound, err := liquid.Bind[tree](template)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := bound.Render(context.Background(), family()); got != c[1] || err != nil {
			t.Errorf("%s wrote %q, %v, want %q", c[0], got, err, c[1])
		}
	}
	check(t, engine, map[string]any{"t": family(), "v": *family(), "list": []tree{*family()}}, [][2]string{
		{"{{ t.id }}{{ t.Shadow }}{{ t.children[0].parent.label }}{{ t.price }}{{ t.lazy }}{{ t.at | date: '%Y' }}", "7outerl150 centsloaded2024"},
		{"{{ v.id }}{{ v.Shadow }}{{ v.children[0].parent.label }}{{ v.named.Inside }}", "7outerlin"},
		{"{{ list[0].id }}{{ list | map: 'label' }}{{ list | where: 'id', 7 | size }}{{ list.first.pair.size }}", "7l12"},
	})
}

func TestBoundTemplateOfMissingFields(t *testing.T) {
	engine := liquid.New(liquid.WithStrictVariables(true), liquid.WithGlobals(map[string]any{"shop": "Pottery"}),
		liquid.WithObject("object", func(_ context.Context, data liquid.Value) (any, error) {
			id, _ := data.Get("id")
			return id, nil
		}))
	template, err := engine.Parse("{{ id }}{{ shop }}{{ object }}{{ campaign }}{% if id == 1 %}{{ missing }}{% endif %}")
	if err != nil {
		t.Fatal(err)
	}
	bound, err := liquid.Bind[base](template.Specialize(map[string]any{"campaign": "Spring"}))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := bound.Render(context.Background(), &base{ID: 3}); got != "3Pottery3Spring" || err != nil {
		t.Errorf("wrote %q, %v", got, err)
	}
	var e *liquid.Error
	if _, err := bound.Render(context.Background(), &base{ID: 1}); !errors.As(err, &e) || e.Kind != liquid.UndefinedVariableError {
		t.Errorf("error %v, want an undefined variable", err)
	}
	if got, err := bound.Render(context.Background(), nil); got != "0Pottery0Spring" || err != nil {
		t.Errorf("wrote %q, %v, want the zero struct", got, err)
	}
	if _, err := liquid.Bind[map[string]any](template); !errors.As(err, &e) || e.Kind != liquid.ArgumentError {
		t.Errorf("error %v, want an argument error", err)
	}
}

// TestDataWithinItself renders, compares and sorts data that contains itself, or shares parts so often that it would
// never end.
func TestDataWithinItself(t *testing.T) {
	self := map[string]any{"a": 1}
	self["b"], self["c"] = self, self
	list := []any{1, nil}
	list[1] = list
	shared := map[string]any{"x": 1}
	other := map[string]any{"x": 1}
	for range 60 {
		shared = map[string]any{"l": shared, "r": shared}
		other = map[string]any{"l": other, "r": other}
	}
	data := map[string]any{"self": self, "list": list, "shared": shared, "other": other, "lists": []any{map[string]any{"k": list}, map[string]any{"k": []any{1, list}}}, "family": family()}
	check(t, liquid.New(), data, [][2]string{
		{"{{ self }}", `{"a"=>1, "b"=>{...}, "c"=>{...}}`},
		{"{{ list }}", "1"},
		{"{% if self == self %}same{% endif %}{% if list == list %}same{% endif %}", "samesame"},
		{"{{ family.children[0] | size }}", "25"},
	})
	for source, want := range map[string]liquid.Kind{
		"{{ shared }}": 0, "{% if shared == other %}{% endif %}": liquid.StepLimit, "{{ shared | json }}": 0, "{{ list | join }}": 0,
		"{{ list | sort }}": 0, "{{ lists | sort: 'k' }}": 0, "{{ list | uniq }}": 0, "{{ list | append: shared }}": 0, "{{ self | json }}": liquid.ArgumentError,
		"{{ lists | uniq: 'k' | size }}": 0, "{{ family }}": 0, "{{ list | flatten }}": liquid.UndefinedFilterError,
	} {
		start := time.Now()
		kind := kindOf(t, liquid.New(), source, data)
		if want != 0 && kind != want {
			t.Errorf("%s ended with %v, want %v", source, kind, want)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("%s took %v", source, d)
		}
	}
}

package liquid_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// differentialAreas generate the templates of TestDifferential, each for one part of the language.
var differentialAreas = map[string]func(g *generator) string{
	"all":        (*generator).template,
	"arguments":  (*generator).arguments,
	"case":       (*generator).caseTemplate,
	"comparison": (*generator).comparisons,
	"continue":   (*generator).continued,
	"counters":   (*generator).counters,
	"cycle":      (*generator).cycles,
	"dates":      (*generator).dates,
	"liquid":     (*generator).liquidTags,
	"numbers":    (*generator).numbers,
	"properties": (*generator).properties,
	"ranges":     (*generator).ranges,
	"tablerow":   (*generator).tableRows,
	"unicode":    (*generator).unicodeText,
	"whitespace": (*generator).whitespace,
}

// generator makes random templates.
type generator struct{ *rand.Rand }

func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func (g *generator) repeat(low, high int, separator string, one func() string) string {
	parts := make([]string, low+g.IntN(high-low+1))
	for i := range parts {
		parts[i] = one()
	}
	return strings.Join(parts, separator)
}

func (g *generator) value() string {
	if g.chance(60) {
		return pick(g, "s", "t", "n", "f", "neg", "z", "yes", "no", "e", "sp", "a", "nums", "mix", "objs", "h", "nest", "html", "u",
			"ea", "eh", "numstr", "d", "p", "missing", "p.q.r", "p.q.l[0]", "p.q.l[-1]", "a[1]", "objs[0].k", "h.size", "a.size", "a.first",
			"nums.last", "s.size", "h.first", "nest[1][0]", "h['x']", "h[e]", "objs.first.v", "a[n]", "a[f]", "a[s]", "eh.size", "n.size", "p['q'].l.size")
	}
	return g.literal()
}

func (g *generator) literal() string {
	return pick(g, "1", "0", "-1", "2", "10", "3.5", "-0.5", "1.0", "100", "'a'", "''", "' '", "\"b\"", "'foo'", "'l'", "true", "false", "'12.5'", "'x'", "'1'", "'2'", "'-'")
}

// filters with the number of arguments that each is given: at least, at most.
var differentialFilters = map[string][2]int{
	"abs": {0, 0}, "append": {1, 1}, "at_least": {1, 1}, "at_most": {1, 1}, "capitalize": {0, 0}, "ceil": {0, 0}, "concat": {1, 1},
	"default": {0, 2}, "divided_by": {1, 1}, "downcase": {0, 0}, "escape": {0, 0}, "escape_once": {0, 0}, "first": {0, 0}, "floor": {0, 0},
	"join": {0, 1}, "last": {0, 0}, "lstrip": {0, 0}, "minus": {1, 1}, "modulo": {1, 1}, "newline_to_br": {0, 0}, "plus": {1, 1},
	"prepend": {1, 1}, "remove": {1, 1}, "remove_first": {1, 1}, "remove_last": {1, 1}, "replace": {1, 2}, "replace_first": {1, 2},
	"replace_last": {2, 2}, "reverse": {0, 0}, "round": {0, 1}, "rstrip": {0, 0}, "size": {0, 0}, "slice": {1, 2}, "sort": {0, 0},
	"split": {1, 1}, "strip": {0, 0}, "strip_html": {0, 0}, "strip_newlines": {0, 0}, "times": {1, 1}, "truncate": {0, 2},
	"truncatewords": {0, 2}, "uniq": {0, 0}, "upcase": {0, 0}, "url_decode": {0, 0}, "url_encode": {0, 0}, "base64_encode": {0, 0},
}

var differentialFilterNames = slices.Sorted(maps.Keys(differentialFilters))

func (g *generator) pipeline() string {
	return g.value() + g.repeat(0, 3, "", func() string {
		name := pick(g, differentialFilterNames...)
		bounds := differentialFilters[name]
		if args := g.repeat(bounds[0], bounds[1], ", ", g.value); args != "" {
			name += ": " + args
		}
		return " | " + name
	})
}

func (g *generator) condition() string {
	comparison := func() string {
		if g.chance(30) {
			return g.value()
		}
		return g.value() + " " + pick(g, "==", "!=", "<>", "<", ">", "<=", ">=", "contains") + " " + g.value()
	}
	return comparison() + g.repeat(0, 2, "", func() string { return pick(g, " and ", " or ") + comparison() })
}

func (g *generator) tag(body string) string {
	return pick(g, "{%", "{%", "{%", "{%-") + " " + body + " " + pick(g, "%}", "%}", "%}", "-%}")
}

func (g *generator) output() string {
	return pick(g, "{{", "{{", "{{", "{{-") + " " + g.pipeline() + " " + pick(g, "}}", "}}", "}}", "-}}")
}

func (g *generator) block(depth int) string {
	return g.repeat(0, 4, "", func() string {
		switch {
		case g.chance(50):
			return g.output()
		case g.chance(50) || depth == 0:
			return pick(g, " ", "\n", "x", " a ", "\n  ", "-")
		}
		return g.statement(depth - 1)
	})
}

func (g *generator) statement(depth int) string {
	body := func() string { return g.block(depth) }
	otherwise := func() string {
		if g.chance(40) {
			return g.tag("else") + body()
		}
		return ""
	}
	switch g.IntN(13) {
	case 0:
		return g.tag("if "+g.condition()) + body() + g.tag("elsif "+g.condition()) + body() + otherwise() + g.tag("endif")
	case 1:
		return g.tag("unless "+g.condition()) + body() + otherwise() + g.tag("endunless")
	case 2:
		when := func() string {
			return g.tag("when "+g.repeat(1, 3, pick(g, ", ", " or "), g.value)) + body()
		}
		return g.tag("case "+g.value()) + " " + g.repeat(1, 3, "", when) + otherwise() + g.tag("endcase")
	case 3, 4, 5:
		option := pick(g, "", "", " reversed") + pick(g, "", "", " limit: 2", " limit: n", " limit: -1") + pick(g, "", "", " offset: 1", " offset: continue", " offset: missing")
		inner := "{{ i }}{{ forloop." + pick(g, "index", "rindex0", "first", "last", "length", "name", "parentloop.index") + " }}"
		if g.chance(30) {
			inner += "{% if " + g.condition() + " %}{% " + pick(g, "break", "continue") + " %}{% endif %}"
		}
		return g.tag("for i in "+g.value()+option) + body() + inner + body() + otherwise() + g.tag("endfor")
	case 6:
		field := pick(g, "col", "col0", "row", "col_first", "index", "first", "last", "rindex")
		return g.tag("tablerow i in "+g.value()+" cols: 2") + "{{ i }}{{ tablerowloop." + field + " }}" + g.tag("endtablerow")
	case 7:
		return g.tag("assign " + pick(g, "y", "s", "n", "a") + " = " + g.pipeline())
	case 8:
		return g.tag("capture y") + body() + g.tag("endcapture") + "{{ y }}"
	case 9:
		return g.tag("cycle " + pick(g, "", "'g': ", "n: ") + "'o', 2, 'p'")
	case 10:
		return g.tag(pick(g, "increment ", "decrement ") + pick(g, "ctr", "n"))
	case 11:
		return g.tag("ifchanged") + body() + g.tag("endifchanged")
	}
	return "{% liquid\n assign y = " + g.pipeline() + "\n echo y\n if " + g.condition() + "\n echo 'T'\n endif\n%}"
}

func (g *generator) template() string {
	return g.repeat(1, 3, "", func() string { return g.statement(2) })
}

// arguments puts values of every type into every filter.
func (g *generator) arguments() string {
	name := pick(g, differentialFilterNames...)
	bounds := differentialFilters[name]
	odd := func() string {
		return pick(g, g.value(), g.value(), "nil", "true", "false", "1.5", "'-2'", "-1", "h", "a", "nest", "(1..3)", "'é'", "' 3 '", "'1_0'", "'1e2'")
	}
	line := odd() + " | " + name
	if args := g.repeat(bounds[0], bounds[1], ", ", odd); args != "" {
		line += ": " + args
	}
	return "{{ " + line + " }}{% assign r = " + line + " %}{{ r | size }}{{ r[0] }}{% if r == nil %}nil{% endif %}"
}

// properties uses the filters that look into items.
func (g *generator) properties() string {
	list := pick(g, "objs", "objs", "objs", "mix", "a", "nums", "h", "nest", "s", "n", "nil", "ea", "p", "(1..3)", "rows", "rows", "words")
	key := pick(g, "'k'", "'v'", "'k'", "'none'", "'size'", "s", "n", "''", "'b'", "'x'")
	filter := pick(g, "map: "+key, "where: "+key, "where: "+key+", "+g.value(), "where: "+key+", "+pick(g, "1", "2.5", "'foo'", "nil", "true"), "sort: "+key, "sort_natural: 'v' | size",
		"sort_natural", "sort", "uniq: "+key, "compact: "+key, "compact", "reverse", "concat: a", "first", "last", "join: "+key)
	return "{% assign r = " + list + " | " + filter + " %}{{ r }}|{{ r | size }}|{% for i in r %}{{ i }},{{ i.k }};{% endfor %}"
}

func (g *generator) caseTemplate() string {
	operand := func() string { return pick(g, g.value(), "empty", "blank", "nil", "true", "(1..3)", "1.0", "1") }
	when := func() string {
		return g.tag("when "+g.repeat(1, 3, pick(g, ", ", " or ", ",", "  or  "), operand)) + pick(g, "x", "{{ n }}", " ", "")
	}
	return "{% for i in (1..2) %}" + g.tag("case "+operand()) + pick(g, "", " ", "junk", "{{ n }}") + g.repeat(0, 3, "", when) +
		pick(g, "", g.tag("else")+"e", g.tag("else")+"e"+when(), g.tag("else")+"1"+g.tag("else")+"2") + g.tag("endcase") + "{% endfor %}"
}

func (g *generator) comparisons() string {
	operand := func() string {
		return pick(g, g.value(), g.value(), "empty", "blank", "nil", "true", "false", "(1..2)", "(1..n)", "2.0", "'2'", "''", "' '", "a.first", "h.y", "nest[0]", "nums[1]")
	}
	return "{% if " + operand() + " " + pick(g, "==", "!=", "<>", "<", ">", "<=", ">=", "contains") + " " + operand() + " %}y{% else %}n{% endif %}" +
		"{% unless " + operand() + pick(g, "", " == "+operand(), " and "+operand(), " or "+operand()+" and "+operand()) + " %}y{% else %}n{% endunless %}"
}

// continued runs loops that go on where another one ended.
func (g *generator) continued() string {
	return g.repeat(2, 5, "|", func() string {
		options := pick(g, "", " reversed") + pick(g, "", " limit: 1", " limit: 2", " limit: z", " limit: nil") + pick(g, " offset: continue", " offset:continue", " offset: 1", " offset: 2", "")
		return "{% for " + pick(g, "i", "i", "j") + " in " + pick(g, "nums", "nums", "a", "(1..6)", "(1..n)", "h", "s") + options + " %}{{ " + pick(g, "i", "j") + " }}" +
			pick(g, "", "{% break %}", "{% if forloop.index == 2 %}{% break %}{% endif %}", "{% continue %}", "{{ forloop.length }}") + "{% else %}e{% endfor %}"
	})
}

func (g *generator) counters() string {
	name := func() string { return pick(g, "c", "c", "n", "k", "c-d") }
	return g.repeat(2, 8, "", func() string {
		return pick(g, "{% increment "+name()+" %}", "{% decrement "+name()+" %}", "{{ "+name()+" }}", "{% assign "+name()+" = "+g.literal()+" %}",
			"{% capture "+name()+" %}{% increment "+name()+" %}x{% endcapture %}", "{% for "+name()+" in (1..2) %}{% increment c %}{{ c }}{% endfor %}", "{% if "+name()+" == 1 %}one{% endif %}")
	})
}

func (g *generator) cycles() string {
	value := func() string {
		return pick(g, "'a'", "'b'", "1", "2.0", "n", "s", "missing", "true", "nil", "a[0]", "\"a\"")
	}
	return "{% for i in (1.." + pick(g, "3", "4") + ") %}" + g.repeat(1, 3, "-", func() string {
		return "{%" + pick(g, " ", "-") + "cycle " + pick(g, "", "", "'x': ", "n: ", "i: ", "s:", "1: ") + g.repeat(1, 3, pick(g, ", ", ",", " , "), value) + " %}"
	}) + "{% endfor %}"
}

func (g *generator) dates() string {
	input := pick(g, "'2024-02-29 13:05:09'", "'2024-02-29'", "'2024-02-29T13:05:09Z'", "'2024-02-29T13:05:09+02:00'", "'2021-01-01 00:00:00 -0500'", "1152098955", "'1152098955'", "0", "-86400",
		"d", "'March 14, 2016'", "'14 Mar 2016 5:06 pm'", "'Fri, 16 Jul 2004 01:00:00 GMT'", "'2004-07-16 01:00:00.123456'", "'07/16/2004'", "'2004/07/16'", "''", "nil", "'junk'", "'1999-12-31 23:59:59'", "'0099-01-05'",
		"'2006-05-05 10:00'", "'2010-12'", "5.5", "true", "a", "'20240229'", "'20240229T130509'", "'2020-366'", "'2020-W10-3'", "'12:30'", "'Jan 5'", "'5 January'", "'2024-02-30'")
	format := g.repeat(1, 4, pick(g, " ", "-", "/"), func() string {
		if g.chance(10) {
			return pick(g, "%:z", "%::z", "%%", "%", "%E", "%i", "%+", "%_:z", "%010z", "%_10z")
		}
		return "%" + pick(g, "", "", "", "-", "0", "^", "_", "#", "10", "-5", "03", "_7", "^8") + pick(g, strings.Split("a A b B c C d D e F g G h H I j k l L m M n N p P q r R s S t T u U v V w W x X y Y z Z", " ")...)
	})
	if strings.HasPrefix(input, "'12:30") || strings.HasPrefix(input, "'Jan") || strings.HasPrefix(input, "'5 J") {
		format = "%H:%M %d %b" // the rest comes from the clock
	}
	return "{{ " + input + " | date: " + pick(g, "'"+format+"'", "'"+format+"'", "'"+format+"'", "'"+format+"'", "nil", "''", "5") + " }}"
}

func (g *generator) liquidTags() string {
	line := func() string {
		return pick(g, "assign v = "+g.pipeline(), "echo "+g.pipeline(), "echo v", "# a comment", "#", "", "  ", "increment c", "cycle 'a', 'b'", "capture w\n echo v\n endcapture\n echo w",
			"if "+g.condition()+"\n echo 'y'\n else\n echo 'n'\n endif", "for i in a\n  echo i\n if i == 'a'\n break\n endif\n endfor", "case n\n when 5, 6\n echo 'five'\n else\n echo 'other'\n endcase",
			"unless yes\n echo 1\n endunless", "comment\n echo 'x'\n endcomment", "tablerow i in nums cols:2\n echo i\n endtablerow", "ifchanged\n echo v\n endifchanged", "echo 'a' | append: \"b\"")
	}
	comment := func() string {
		return pick(g, "{% # one %}", "{%- # two -%}", "{% #three\n # four\n %}", "{% comment %}{{ x }} {% if x %} {% endif %}{% endcomment %}", "{%- comment -%} {% raw %} x {% endraw %}{%- endcomment -%}", "{% raw %}{{ x }}{% y {% endraw %}", "{% raw %} a {% endraw %} ")
	}
	return g.repeat(1, 2, " ", func() string {
		return pick(g, comment(), "") + "{%" + pick(g, "-", "") + " liquid\n assign first = 1\n" + g.repeat(1, 5, "\n", line) + "\n" + pick(g, "-", "") + "%}" + pick(g, comment(), "", " x")
	})
}

func (g *generator) numbers() string {
	number := func() string {
		return pick(g, "0", "1", "-1", "7", "10", "100", "0.1", "0.2", "0.3", "1.0", "2.5", "-2.5", "3.14159", "1e3", "1000000.0", "123456789.123", "0.00001", "99999999999999999999", "-0.0", "1.5", "0.5", "'3.7'", "'-1.50'", "'4'", "'abc'", "'1.2.3'", "'5 apples'", "n", "f", "big", "numstr", "neg", "nil", "10000000000000000.0", "123456789012345680.0", "5e-324", "1.10")
	}
	return "{{ " + number() + g.repeat(0, 4, "", func() string {
		return pick(g, " | plus: "+number(), " | minus: "+number(), " | times: "+number(), " | divided_by: "+number(), " | modulo: "+number(), " | round", " | round: 1", " | round: "+pick(g, "2", "0", "-1", "-2", "5"), " | ceil", " | floor", " | abs",
			" | at_least: "+number(), " | at_most: "+number())
	}) + " }}"
}

func (g *generator) ranges() string {
	end := func() string {
		return pick(g, "1", "3", "0", "-2", "n", "z", "f", "'2'", "'x'", "missing", "a.size", "neg", "s.size", "2.9", "-2.9", "numstr", "h.x", "true", "a", "'4.7'")
	}
	span := "(" + end() + ".." + end() + ")"
	return pick(g, "{% for i in "+span+pick(g, "", " reversed", " limit: 2", " offset: 1")+" %}{{ i }},{% else %}e{% endfor %}", "{% assign r = "+span+" %}{{ r }} {{ r.size }} {{ r.first }} {{ r.last }} {{ r | join: '-' }}",
		"{{ "+span+" | "+pick(g, "size", "first", "last", "reverse", "map: 'x'", "join: '+'", "sort", "concat: a", "slice: 1", "slice: 1, 2", "uniq", "compact", "append: 'x'", "times: 2", "split: '.'", "default: 'd'", "where: 'a'")+" }}",
		"{% if "+span+" contains "+end()+" %}y{% endif %}{% if "+span+" == "+span+" %}same{% endif %}{% if "+span+" == empty %}empty{% endif %}", "{% tablerow i in "+span+" cols: "+end()+" %}{{ i }}{% endtablerow %}", "{% case 2 %}{% when "+span+" %}in{% else %}out{% endcase %}")
}

func (g *generator) tableRows() string {
	number := func() string { return pick(g, "1", "2", "3", "0", "-1", "n", "nil", "'2'", "2.6", "missing", "f") }
	options := g.repeat(0, 3, pick(g, " ", ", "), func() string { return pick(g, "cols", "cols", "limit", "offset") + pick(g, ":", ": ") + number() })
	body := "{{ i }}" + pick(g, "", "{{ i.k }}", "{{ tablerowloop."+pick(g, "col", "col0", "row", "col_first", "index", "index0", "rindex", "rindex0", "first", "last", "length")+" }}", "{% for j in (1..2) %}{{ j }}{% endfor %}", "{% tablerow j in a %}{{ j }}{% endtablerow %}")
	return "{% for o in (1..2) %}" + g.tag("tablerow i in "+pick(g, "nums", "a", "(1..5)", "objs", "h", "s", "nil", "ea", "n", "nest", "(1..n)")+" "+options) + body + g.tag("endtablerow") + "{% endfor %}"
}

func (g *generator) unicodeText() string {
	text := pick(g, "u", "'é'", "'日本語テキスト'", "'e\u0301a'", "'👩‍👩‍👧 x'", "'ÀÉÎ'", "'ſ ﬁ ŉ'", "'a\u00a0b'", "' \u2003x '", "'ǆ'", "'ΑΣ'", "'İI'", "mixed")
	return "{{ " + text + g.repeat(1, 3, "", func() string {
		return " | " + pick(g, "upcase", "downcase", "capitalize", "size", "reverse", "split: ''", "slice: 1", "slice: -2, 2", "truncate: 3", "truncate: 4, '…'", "truncatewords: 1", "strip", "lstrip", "rstrip", "url_encode", "url_encode | url_decode", "escape", "append: 'é'",
			"replace: 'é', 'e'", "remove: '本'", "split: '' | reverse | join: ''", "split: ' '", "sort_natural", "base64_encode", "base64_encode | base64_decode", "first", "last", "strip_html", "newline_to_br", "join: '…'")
	}) + " }}"
}

func (g *generator) whitespace() string {
	space := func() string { return pick(g, " ", "\n", "\t", "  \n ", "", "x", "\r\n") }
	dash := func() string { return pick(g, "", "-") }
	tag := func(body string) string {
		return "{%" + dash() + pick(g, " ", "", "\n", "\t ") + body + pick(g, " ", "", "\n") + dash() + "%}"
	}
	piece := func() string {
		return pick(g, "{{"+dash()+pick(g, " ", "")+pick(g, "n", "s", "''", "sp", "' '")+pick(g, " ", "")+dash()+"}}", tag("assign v = n"), tag("comment")+space()+tag("endcomment"), "{% raw %}"+space()+"{{ x }}"+space()+"{% endraw %}",
			tag("if n")+space()+tag("endif"), tag("if e")+space()+"y"+tag("else")+space()+tag("endif"), tag("for i in nums")+space()+pick(g, "", "{{ i }}")+space()+tag("endfor"), tag("capture w")+space()+tag("endcapture"), tag("# note"), tag("increment c"),
			tag("case n")+space()+tag("when 5")+space()+pick(g, "", "x")+tag("endcase"), tag("unless n")+space()+tag("endunless"), tag("cycle 'a'"), tag("echo s"), tag("ifchanged")+space()+tag("endifchanged"), "{{"+dash()+"}}", "{{ }}")
	}
	return g.repeat(1, 5, "", func() string { return space() + piece() + space() })
}

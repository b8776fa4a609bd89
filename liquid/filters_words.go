package liquid

var wordFilters = []*filter{
	{name: "pluralize", min: 1, max: 2, text: pluralize},
	{name: "to_sentence", max: 2, text: toSentence},
}

// pluralize writes the word that goes with a number: {{ n | pluralize: "item", "items" }}. Without a plural it adds
// an s. The number itself is not written.
func pluralize(c *Call, dst []byte) []byte {
	if toNumber(c.input).compare(number{small: 1}) == 0 {
		return c.put(dst, c.text(c.args[0]))
	}
	if len(c.args) > 1 {
		return c.put(dst, c.text(c.args[1]))
	}
	return append(c.put(dst, c.text(c.args[0])), 's')
}

// toSentence joins a list as a sentence does: "a, b and c". The word before the last item and the separator can be
// given: {{ names | to_sentence: "und" }}.
func toSentence(c *Call, dst []byte) []byte {
	word, separator := "and", ", "
	if len(c.args) > 0 {
		word = c.text(c.args[0])
	}
	if len(c.args) > 1 {
		separator = c.text(c.args[1])
	}
	items := c.items()
	start := len(dst)
	for i, item := range items {
		switch {
		case i == 0:
		case i == len(items)-1:
			dst = append(append(append(dst, ' '), word...), ' ')
		default:
			dst = append(dst, separator...)
		}
		dst = append(dst, c.text(item)...)
		if !c.st.room(len(dst) - start) {
			return dst
		}
	}
	return dst
}

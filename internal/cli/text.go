package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/tailorbird/tailorbird/internal/fault"
)

const maxText = 1 << 20 // bytes of a condition, an expression or the body of a template

// text is what was given directly, as what says how, or what stands in the file that --file names.
func text(streams Streams, what, given, file string) (string, error) {
	switch {
	case given != "" && file != "":
		return "", badUsage("give %s or --file, not both", what)
	case given == "" && file == "":
		return "", badUsage("give %s or --file", what)
	case file == "":
		return given, nil
	}
	return readText(streams, file)
}

// readText reads a file; "-" is standard input.
func readText(streams Streams, file string) (string, error) {
	from := streams.In
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", fault.Wrap(fault.Invalid, err, "the file cannot be read")
		}
		defer f.Close()
		from = f
	}
	content, err := io.ReadAll(io.LimitReader(from, maxText+1))
	if err == nil && len(content) > maxText {
		err = fmt.Errorf("it has more than %d bytes", maxText)
	}
	return string(content), fault.Wrap(fault.Invalid, err, "%s cannot be read", file)
}

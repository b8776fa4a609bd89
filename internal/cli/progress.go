package cli

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress is a bar on a terminal, and nothing anywhere else.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress begins a bar; total may be 0 until set says better.
func newProgress(w io.Writer, what string, total int64) progress {
	file, is := w.(*os.File)
	if !is || !term.IsTerminal(int(file.Fd())) {
		return progress{}
	}
	return progress{progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionClearOnFinish(),
	)}
}

// set moves the bar; it is at its end only when end says so.
func (p progress) set(done, total int64) {
	if p.bar == nil {
		return
	}
	p.bar.ChangeMax64(max(total, 1))
	_ = p.bar.Set64(min(done, max(total, 1)-1)) // a bar that cannot be drawn is no failure
}

// end takes the bar away.
func (p progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

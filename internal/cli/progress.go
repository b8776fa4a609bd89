package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress is a bar on a terminal. Anywhere else it is a line for every tenth, or nothing.
type progress struct {
	bar    *progressbar.ProgressBar
	spoken *spoken
}

// spoken is progress in lines.
type spoken struct {
	w    io.Writer
	what string
	next int64 // percent that is to be told next
}

// newSpokenProgress begins a bar for what people wait for, also where there is no terminal.
func newSpokenProgress(w io.Writer, what string) progress {
	p := newProgress(w, what, 0)
	if p.bar == nil {
		p.spoken = &spoken{w: w, what: what}
	}
	return p
}

func (s *spoken) set(done, total int64) {
	if percent := 100 * done / max(total, 1); percent >= s.next {
		fmt.Fprintf(s.w, "%s: %d %%\n", s.what, percent)
		s.next = percent/10*10 + 10
	}
}

// newProgress begins a bar; total may be 0 until set says better.
func newProgress(w io.Writer, what string, total int64) progress {
	file, is := w.(*os.File)
	if !is || !term.IsTerminal(int(file.Fd())) {
		return progress{}
	}
	return progress{bar: progressbar.NewOptions64(total,
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
	if p.spoken != nil {
		p.spoken.set(done, total)
	}
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

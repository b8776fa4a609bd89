package connect

import "sync"

// tally counts what an import does and reports it.
type tally struct {
	mu       sync.Mutex
	summary  Summary
	progress Progress
	report   func(Progress)
}

func (t *tally) update(change func(*Summary)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.summary)
	if t.report == nil {
		return
	}
	t.progress.Rows, t.progress.Events, t.progress.Rejected = t.summary.Rows, t.summary.Events, t.summary.RowsRejected
	t.report(t.progress)
}

func (t *tally) chunk(m *mapped, read int64) {
	t.update(func(s *Summary) {
		s.Rows += int64(len(m.rows))
		s.RowsFiltered += int64(m.filtered)
		s.RowsRejected += int64(len(m.refused))
		t.progress.BytesRead = read
	})
}

func (t *tally) accepted(events int) { t.update(func(s *Summary) { s.Events += int64(events) }) }
func (t *tally) rejected(rows int)   { t.update(func(s *Summary) { s.RowsRejected += int64(rows) }) }
func (t *tally) refused()            { t.update(func(s *Summary) { s.EventsRejected++ }) }
func (t *tally) partial()            { t.update(func(s *Summary) { s.EventsPartial++ }) }
func (t *tally) gathered(events int) {
	t.update(func(*Summary) { t.progress.Gathered = int64(events) })
}

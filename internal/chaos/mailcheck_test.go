package chaos

import "fmt"

// message is what became of one mail, by the program's word.
type message struct {
	To, Status string
}

// auditMail compares a campaign's messages with the mails that the post office accepted. readers is how many must have been
// written to, each once; 0 where that is not known.
func auditMail(campaign string, messages []message, mails []mail, readers int) (failures []string, told string) {
	accepted := map[string]int{}
	for _, m := range mails {
		if m.campaign == campaign {
			accepted[m.to]++
		}
	}
	arrived, doubtful := len(accepted), 0
	status, addressed := map[string]int{}, map[string]bool{}
	twice := tally{what: "mails of " + campaign + " that went out twice"}
	unlike := tally{what: "messages of " + campaign + " that are not what became of them"}
	for to, times := range accepted {
		if times > 1 {
			twice.add(fmt.Sprintf("%s (%d times)", to, times))
		}
	}
	for _, m := range messages {
		status[m.Status]++
		if m.Status == "skipped" && readers == 0 {
			continue // another profile with the same address had been written to
		}
		if addressed[m.To] {
			unlike.add("a second message to " + m.To)
		}
		addressed[m.To] = true
		times := accepted[m.To]
		delete(accepted, m.To)
		switch {
		case m.Status == "sent" && times >= 1:
		case m.Status == "in_doubt":
			doubtful += min(1, times)
		default:
			unlike.add(fmt.Sprintf("%s to %s, which arrived %d times", m.Status, m.To, times))
		}
	}
	for to := range accepted {
		unlike.add("none to " + to + ", who got one")
	}
	for i := range readers {
		if to := fmt.Sprintf("reader-%d@readers.example", i); !addressed[to] {
			unlike.add("none to " + to)
		}
	}
	if readers > 0 && len(addressed) != readers {
		unlike.add(fmt.Sprintf("%d in all, for %d readers", len(addressed), readers))
	}
	told = fmt.Sprintf("%s: messages %v, %d mails arrived, %d of them in doubt", campaign, status, arrived, doubtful)
	return said(twice, unlike), told
}

package shop

import "time"

// The shop's own newsletter of the past: weekly, on Tuesdays at nine, about one category after the other.
const newsletterHour = 9

var newsletterSubjects = map[string]string{
	"outdoor": "The long way home", "kitchen": "Something good on the table", "garden": "Small plots, big summers", "living": "A warmer room",
	"clothing": "New on the rail", "sport": "A little further", "kids": "For small hands", "paper": "Worth writing down",
}

// firstNewsletter is the time of the first newsletter at or after t.
func firstNewsletter(t time.Time) time.Time {
	at := time.Date(t.Year(), t.Month(), t.Day(), newsletterHour, 0, 0, 0, time.UTC)
	for at.Before(t) || at.Weekday() != time.Tuesday {
		at = at.AddDate(0, 0, 1)
	}
	return at
}

// newsletter is the newsletter of a Tuesday: a picture of each of three products, and the category's page.
func (s *Shop) newsletter(at time.Time) Mail {
	week := int(at.Unix() / (7 * 24 * 3600))
	category := s.catalogue.Categories[week%len(s.catalogue.Categories)]
	m := Mail{
		ID: "newsletter-" + at.Format(time.DateOnly), Campaign: "Newsletter " + at.Format(time.DateOnly),
		Subject: newsletterSubjects[category.ID], At: at,
		Links: []Link{{URL: s.PageURL("c/" + category.ID), Topic: category.ID}},
	}
	products := s.catalogue.In(category.ID)
	for i := range 3 {
		p := products[(week+i*7)%len(products)]
		m.Links = append(m.Links, Link{URL: s.PageURL("p/" + p.ID), Topic: p.ID})
	}
	return m
}

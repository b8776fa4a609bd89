package match

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// table is a set of records with the truth.
type table struct {
	header []string
	rows   [][]string
	person []string // whose each row is
}

// dataFolder is where real data lie beside the repository.
func dataFolder() string {
	if folder := os.Getenv("TAILORBIRD_TEST_DATA"); folder != "" {
		return folder
	}
	return filepath.Join("..", "..", "..", "..", "shared", "data")
}

func readTable(t testing.TB, name string, person func(row map[string]string) string) table {
	t.Helper()
	file, err := os.Open(filepath.Join(dataFolder(), filepath.FromSlash(name)))
	if err != nil {
		t.Skipf("no data: %v; set TAILORBIRD_TEST_DATA to the folder that has %s", err, name)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	reader := csv.NewReader(unzipped)
	reader.TrimLeadingSpace = true
	all, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	d := table{header: all[0], rows: all[1:]}
	for _, row := range d.rows {
		named := map[string]string{}
		for i, h := range d.header {
			named[h] = row[i]
		}
		d.person = append(d.person, person(named))
	}
	return d
}

func febrl(t testing.TB, name string) table {
	return readTable(t, "febrl/"+name+".csv.gz", func(row map[string]string) string {
		return strings.Split(row["rec_id"], "-")[1]
	})
}

func fake1000(t testing.TB) table {
	return readTable(t, "splink/fake_1000.csv.gz", func(row map[string]string) string { return row["cluster"] })
}

// surveyed fills a set as the product does from traits named like the columns; ids are row numbers.
func (d table) surveyed(t testing.TB) *Records {
	t.Helper()
	var s Survey
	profiles := make([]Profile, len(d.rows))
	for i, row := range d.rows {
		profiles[i].Traits = map[string]any{}
		for c, h := range d.header {
			if h != "rec_id" && h != "unique_id" && h != "cluster" {
				profiles[i].Traits[h] = row[c]
			}
		}
		s.Add(profiles[i])
	}
	sources, err := s.Sources(nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRecords(Fields(sources))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range profiles {
		r.Add(int64(i), Values(sources, p))
	}
	return r
}

// truth is how many pairs of rows are one person.
func (d table) truth() (pairs float64) {
	size := map[string]float64{}
	for _, p := range d.person {
		pairs += size[p]
		size[p]++
	}
	return pairs
}

// quality compares pairs with the truth.
type quality struct{ precision, recall, f1 float64 }

func (q quality) String() string {
	return fmt.Sprintf("precision %.4f recall %.4f F1 %.4f", q.precision, q.recall, q.f1)
}

func (d table) quality(pairs func(yield func(a, b int64))) quality {
	var right, all float64
	pairs(func(a, b int64) {
		all++
		if d.person[a] == d.person[b] {
			right++
		}
	})
	q := quality{right / max(all, 1), right / max(d.truth(), 1), 0}
	q.f1 = 2 * q.precision * q.recall / max(q.precision+q.recall, 1e-9)
	return q
}

func grouped(r *Result) func(yield func(a, b int64)) {
	return func(yield func(a, b int64)) {
		for _, g := range r.Groups {
			for i := range g {
				for j := range i {
					yield(g[j], g[i])
				}
			}
		}
	}
}

func over(r *Result, probability float64) func(yield func(a, b int64)) {
	return func(yield func(a, b int64)) {
		for _, p := range r.Pairs {
			if p.Probability >= probability {
				yield(p.A, p.B)
			}
		}
	}
}

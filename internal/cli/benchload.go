package cli

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
)

// load makes the events of one connection: nine in ten are views, the rest carts, orders and customers who say who they
// are. It is made to cost little, because it shares the processors with what it measures.
type load struct {
	random *rand.Rand
	zipf   *rand.Zipf
	run    string // begins every message id
	worker int
	active int // customers who do something
	known  int // customers that there are; the active ones are spread evenly among them
	made   int
	buffer []byte
}

// newLoad begins the events of a worker. Customers are active by a power law: the k-th most active one does about
// 1/(k+50)^1.05 as much as the first.
func newLoad(seed uint64, run string, worker, active, known int) *load {
	random := rand.New(rand.NewPCG(seed, uint64(worker)))
	return &load{
		random: random, zipf: rand.NewZipf(random, 1.05, 50, uint64(active-1)), run: run, worker: worker, active: active, known: max(known, active),
	}
}

// batch makes events; they are valid until the next call.
func (l *load) batch(size int) []json.RawMessage {
	batch := make([]json.RawMessage, size)
	l.buffer = l.buffer[:0]
	if cap(l.buffer) < 1024*size {
		l.buffer = make([]byte, 0, 1024*size)
	}
	for i := range batch {
		from := len(l.buffer)
		l.event()
		batch[i] = l.buffer[from:len(l.buffer):len(l.buffer)]
	}
	return batch
}

func (l *load) text(parts ...string) {
	for _, p := range parts {
		l.buffer = append(l.buffer, p...)
	}
}

func (l *load) number(n int) { l.buffer = strconv.AppendInt(l.buffer, int64(n), 10) }

func (l *load) money(most float64) {
	l.buffer = strconv.AppendFloat(l.buffer, 1+l.random.Float64()*most, 'f', 2, 64)
}

// head begins an event of a customer.
func (l *load) head(customer int) {
	l.made++
	l.text(`{"messageId":"`, l.run, `-`)
	l.number(l.worker)
	l.text(`-`)
	l.number(l.made)
	l.text(`","userId":"customer-`)
	l.number(customer)
	l.text(`",`)
}

const benchContext = `"context":{"library":{"name":"bench","version":"1"},"locale":"de-DE","page":{"path":"/p","url":"https://shop.example/p"}}}`

func (l *load) event() {
	customer := int(l.zipf.Uint64()) * (l.known / l.active)
	switch kind := l.random.IntN(100); {
	case kind < 2:
		l.identify(customer)
	case kind < 5:
		l.head(customer)
		l.text(`"type":"track","event":"Order Completed","properties":{"order_id":"o-`)
		l.number(l.made)
		l.text(`","total":`)
		l.money(300)
		l.text(`,"products":[{`)
		l.product()
		l.text(`},{`)
		l.product()
		l.text(`}]},`, benchContext)
	default:
		l.head(customer)
		name := "Product Viewed"
		if kind < 10 {
			name = "Product Added"
		}
		l.text(`"type":"track","event":"`, name, `","properties":{`)
		l.product()
		l.text(`},`, benchContext)
	}
}

// identify says who a customer is.
func (l *load) identify(customer int) {
	l.head(customer)
	l.text(`"type":"identify","traits":{"email":"customer-`)
	l.number(customer)
	l.text(`@shop.example","first_name":"Ada","country":"`, benchCountries[customer%len(benchCountries)],
		`","plan":"`, benchPlans[customer%len(benchPlans)], `"},`, benchContext)
}

func (l *load) product() {
	p := l.random.IntN(500)
	l.text(`"product_id":"p-`)
	l.number(p)
	l.text(`","name":"Product `)
	l.number(p)
	l.text(`","category":"`, benchCategories[p%len(benchCategories)], `","price":`)
	l.money(100)
	l.text(`,"currency":"EUR"`)
}

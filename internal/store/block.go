package store

import "github.com/tailorbird/tailorbird/internal/event"

const (
	blockTable = "event_blocks"

	// appliedSetting names the block up to which what follows from events is in the tables.
	appliedSetting = "applied"
)

// block is the records of one commit: its events, in the order in which they were applied, and transitions.
type block struct {
	id             int64
	at             int64 // when they were applied, µs
	records        *packed
	hashes         [][idSize]byte // of the events' message ids
	buried, raised [][]byte       // keys of copies of events that count no more, or again
}

// events reads a block's events, and notes their hashes.
func (b *block) events() (events []*event.Event, err error) {
	for r := range b.records.all() {
		if !isEvent(r) {
			continue
		}
		e, err := decodeEvent(r)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
		b.hashes = append(b.hashes, idHash(e.MessageID))
	}
	return events, nil
}

// storedBlock is a block as tables hold it.
type storedBlock struct {
	id      int64
	records int
	at      int64
	data    []byte
}

// insert puts the block into a table of blocks.
func (b *storedBlock) insert(c *Conn, table string) error {
	_, err := c.Exec(`INSERT INTO `+table+` (id, records, applied_at, data) VALUES ($1, $2, $3, $4)`, b.id, b.records, b.at, b.data)
	return err
}

// readBlocks lists those of a table after an id, by id.
func readBlocks(c *Conn, table string, after int64) (blocks []*storedBlock, err error) {
	err = c.Query(`SELECT id, records, applied_at, data FROM `+table+` WHERE id > $1 ORDER BY id`, []any{after}, func(r Row) error {
		blocks = append(blocks, &storedBlock{r.Int(0), int(r.Int(1)), r.Int(2), r.Bytes(3)})
		return nil
	})
	return blocks, err
}

// open reads what a block holds.
func (b *storedBlock) open() (*block, []*event.Event, error) {
	records, err := unpack(b.data)
	if err != nil {
		return nil, nil, err
	}
	opened := &block{id: b.id, at: b.at, records: records}
	events, err := opened.events()
	return opened, events, err
}

// appliedBlock is the block up to which what follows from events is in the tables; 0 for none.
func appliedBlock(c *Conn) (int64, error) {
	return c.Int(`SELECT CAST(value AS INTEGER) FROM settings WHERE name = $1`, appliedSetting)
}

package connect

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// partitions are temporary files that together hold groups, all parts of one key in the same file and in the order in
// which they were put. They are readable by their owner only and vanish with the process where the system allows it.
type partitions struct {
	dir     string
	seed    maphash.Seed // another for each level, so that a partition can be split again
	files   []*os.File
	writers []*bufio.Writer
	scratch []byte
}

const (
	partitionCount  = 64
	partitionBuffer = 16 << 10
)

func newPartitions(parent string) (*partitions, error) {
	dir, err := os.MkdirTemp(parent, "tailorbird-import-")
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "no temporary directory for the import")
	}
	p := &partitions{dir: dir, seed: maphash.MakeSeed()}
	for i := range partitionCount {
		file, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(i)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, errors.Join(fault.Wrap(fault.Internal, err, "no temporary file for the import"), p.Close())
		}
		// Unix keeps a removed file for as long as it is open, so that even a killed import leaves nothing behind.
		// Elsewhere this fails, and Close removes the directory.
		_ = os.Remove(file.Name())
		p.files = append(p.files, file)
		p.writers = append(p.writers, bufio.NewWriterSize(file, partitionBuffer))
	}
	return p, nil
}

// put appends a group to the file of its key.
func (p *partitions) put(g *group, from *arena) error {
	flags := uint64(0)
	if g.without {
		flags |= 1
	}
	if g.oversize {
		flags |= 2
	}
	to := appendText(p.scratch[:0], g.key)
	to = binary.AppendUvarint(to, flags)
	to = binary.AppendUvarint(to, uint64(g.rows))
	to = binary.AppendUvarint(to, uint64(g.line))
	to = appendText(to, g.head)
	to = binary.AppendUvarint(to, uint64(g.size))
	p.scratch = to
	writer := p.writers[maphash.String(p.seed, g.key)%partitionCount]
	_, err := writer.Write(to)
	from.pieces(g, func(piece []byte) {
		if err == nil {
			_, err = writer.Write(piece)
		}
	})
	return fault.Wrap(fault.Internal, err, "a temporary file of the import cannot be written")
}

// load gathers what one file holds.
func (p *partitions) load(i int, into *gatherer) error {
	err := p.writers[i].Flush()
	if err == nil {
		_, err = p.files[i].Seek(0, io.SeekStart)
	}
	if err != nil {
		return fault.Wrap(fault.Internal, err, "a temporary file of the import cannot be used")
	}
	r := partReader{from: bufio.NewReaderSize(p.files[i], 64<<10)}
	for r.more() {
		key, flags := string(r.text()), r.number()
		rows, line := int(r.number()), int64(r.number())
		head := string(r.text())
		items := r.text()
		if r.err != nil {
			break
		}
		if rows > 0 {
			if err := into.add(key, line, rows, items, func() string { return head }); err != nil {
				return err
			}
		}
		if err := into.mark(key, flags&1 != 0, flags&2 != 0); err != nil {
			return err
		}
	}
	return fault.Wrap(fault.Internal, r.err, "a temporary file of the import cannot be read back")
}

// mark carries the flags of a part over to its group.
func (g *gatherer) mark(key string, without, oversize bool) error {
	if !without && !oversize {
		return nil
	}
	to := g.group(key)
	to.without = to.without || without
	to.oversize = to.oversize || oversize
	return g.keepBudget()
}

// partReader reads what put wrote. The first error sticks.
type partReader struct {
	from   *bufio.Reader
	buffer []byte
	err    error
}

func (r *partReader) more() bool {
	if r.err != nil {
		return false
	}
	_, err := r.from.Peek(1)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return err == nil
}

func (r *partReader) number() uint64 {
	if r.err != nil {
		return 0
	}
	var value uint64
	value, r.err = binary.ReadUvarint(r.from)
	return value
}

// text is valid until the next call.
func (r *partReader) text() []byte {
	size := int(r.number())
	if r.err != nil {
		return nil
	}
	if cap(r.buffer) < size {
		r.buffer = make([]byte, size)
	}
	r.buffer = r.buffer[:size]
	_, r.err = io.ReadFull(r.from, r.buffer)
	return r.buffer
}

// Close closes and removes the files. It may be called twice.
func (p *partitions) Close() error {
	var errs []error
	for _, file := range p.files {
		errs = append(errs, file.Close())
	}
	p.files = nil
	errs = append(errs, os.RemoveAll(p.dir))
	return fault.Wrap(fault.Internal, errors.Join(errs...), "temporary files of the import cannot be removed")
}

package wire

import (
	"hash/maphash"
	"sync/atomic"
)

// names are texts that were read lately as names, by their hash: an installation has few, and reads each of them again and
// again.
var (
	names     [1024]atomic.Pointer[string]
	namesSeed = maphash.MakeSeed()
)

// Name reads what AppendText wrote, as Text does. It is for texts of which there are few, such as the names of traits: most
// cost no memory of their own.
func (d *Decoder) Name() string {
	text := d.Bytes()
	if len(text) > 64 {
		return string(text)
	}
	place := &names[maphash.Bytes(namesSeed, text)%uint64(len(names))]
	if known := place.Load(); known != nil && *known == string(text) {
		return *known
	}
	fresh := string(text)
	place.Store(&fresh)
	return fresh
}

package connect

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// checkpoint is how far an interrupted import had come. It counts only for the same file, mapping and target; in any
// other case the import begins anew, which costs time but is as correct, because message ids do not change.
type checkpoint struct {
	Import  string   `json:"import"` // fingerprint of file, mapping and target
	Through position `json:"through"`
}

func fingerprint(s *source, m *Mapping, source, target string) (string, error) {
	info, err := s.file.Stat()
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "the file cannot be examined")
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %x %q %q", info.Size(), info.ModTime().UnixNano(), m.digest, source, target))
	return hex.EncodeToString(sum[:]), nil
}

// loadCheckpoint gives the position at which to go on, zero for the beginning.
func loadCheckpoint(path, fingerprint string) (position, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return position{}, nil
	}
	if err != nil {
		return position{}, fault.Wrap(fault.Invalid, err, "the state of the interrupted import cannot be read")
	}
	var saved checkpoint
	if err := json.Unmarshal(data, &saved); err == nil && saved.Import == fingerprint {
		return saved.Through, nil
	}
	return position{}, nil
}

// saveCheckpoint writes through a second file, so that a crash leaves either the old state or the new.
func saveCheckpoint(path string, state checkpoint) error {
	data, err := json.Marshal(state)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the state of the import cannot be written")
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	return fault.Wrap(fault.Internal, err, "the state of the import cannot be written")
}

func dropCheckpoint(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fault.Wrap(fault.Internal, err, "the state of the import cannot be removed")
	}
	return nil
}

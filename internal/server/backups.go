package server

import (
	"context"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tailorbird/tailorbird/internal/backup"
)

// Backups keeps copies of everything.
type Backups interface {
	// Begin makes one in the background; Conflict while one is being made, or where the data are not ours to copy.
	Begin(ctx context.Context) (backup.Backup, error)
	// List gives all, newest first; Conflict where the data are not ours to copy.
	List() ([]backup.Backup, error)
	// Get finds one by name, or fails with NotFound.
	Get(name string) (backup.Backup, error)
	// Open opens the file of one that is done.
	Open(name string) (*os.File, error)
	// Delete removes one that is done.
	Delete(name string) error
}

// Backup is one file that holds everything.
type Backup struct {
	Name       string     `json:"name"`
	Status     string     `json:"status" enum:"running,done,failed"`
	CreatedAt  time.Time  `json:"created_at" doc:"What was acknowledged before is in it"`
	Progress   float64    `json:"progress" doc:"How much of the database has been copied, 0 to 1"`
	Bytes      int64      `json:"bytes"`
	VerifiedAt *time.Time `json:"verified_at" doc:"When the file had been written and read back; null before"`
	Encrypted  bool       `json:"encrypted" doc:"With the server's passphrase; only then the master key is in it"`
	Problem    string     `json:"problem,omitempty" doc:"Why it failed"`
}

func backupOf(b backup.Backup) Backup {
	out := Backup{
		Name: b.Name, Status: b.Status, CreatedAt: b.CreatedAt, Progress: b.Progress, Bytes: b.Bytes, VerifiedAt: moment(b.VerifiedAt),
		Encrypted: b.Encrypted(), Problem: b.Problem,
	}
	if b.Status == backup.Done {
		out.Progress = 1
	}
	return out
}

func (s *server) listBackups(_ context.Context, in *Paging) (answer[page[Backup]], error) {
	all, err := s.config.Backups.List()
	if err != nil {
		return answer[page[Backup]]{}, err
	}
	list := make([]Backup, len(all))
	for i, b := range all {
		list[i] = backupOf(b)
	}
	return cut(list, *in)
}

func (s *server) makeBackup(ctx context.Context, _ *struct{}) (answer[Backup], error) {
	b, err := s.config.Backups.Begin(ctx)
	return answer[Backup]{backupOf(b)}, err
}

type backupInput struct {
	Name string `path:"name"`
}

func (s *server) getBackup(_ context.Context, in *backupInput) (answer[Backup], error) {
	b, err := s.config.Backups.Get(in.Name)
	return answer[Backup]{backupOf(b)}, err
}

func (s *server) deleteBackup(_ context.Context, in *backupInput) (nothing, error) {
	return nothing{}, s.config.Backups.Delete(in.Name)
}

// downloadBackup streams a file for as long as its reader takes some of it every minute or two.
func (s *server) downloadBackup(_ context.Context, in *backupInput) (huma.StreamResponse, error) {
	file, err := s.config.Backups.Open(in.Name)
	if err != nil {
		return huma.StreamResponse{}, err
	}
	return huma.StreamResponse{Body: func(ctx huma.Context) {
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			s.config.Log.ErrorContext(ctx.Context(), "a backup cannot be read", "name", in.Name, "error", err)
			ctx.SetStatus(http.StatusInternalServerError)
			return
		}
		ctx.SetHeader("Content-Type", "application/octet-stream")
		ctx.SetHeader("Content-Disposition", `attachment; filename="`+in.Name+`"`)
		ctx.SetHeader("Content-Length", strconv.FormatInt(info.Size(), 10))
		_, w := humago.Unwrap(ctx)
		if _, err := io.Copy(&patient{w, http.NewResponseController(w)}, file); err != nil {
			s.config.Log.WarnContext(ctx.Context(), "a backup was not read to its end", "name", in.Name, "error", err)
		}
	}}, nil
}

// patient gives each piece of a long answer the time of a short one.
type patient struct {
	w       io.Writer
	control *http.ResponseController
}

func (p *patient) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // in-process, there is no connection to set it on
	return p.w.Write(b)
}

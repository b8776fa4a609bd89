package store

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// PostgreSQL's codes of what passes.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	uniqueViolation      = "23505"
	lockNotAvailable     = "55P03"
	queryCanceled        = "57014"
	readOnlyTransaction  = "25006"
	idleInTransaction    = "25P03"
	checkViolation       = "23514"
	diskFull             = "53100"
	adminShutdown        = "57P01"
	crashShutdown        = "57P02"
	stalePlan            = "0A000" // also of what is not supported at all

	insufficientPrivilege = "42501"

	// Of queries that are not ours.
	syntaxError        = "42601"
	duplicateColumn    = "42701"
	undefinedTable     = "42P01"
	undefinedParameter = "42P02"
	outOfMemory        = "53200"
	temporaryFiles     = "53400"
)

// Why PostgreSQL lets nobody in.
const (
	invalidPassword      = "28P01"
	invalidAuthorization = "28000"
	noDatabase           = "3D000"
)

// passing are the classes of errors that are no fault of the request: connections, resources, operators, the system.
var passing = []string{"08", "53", "57", "58"}

// isInTheWay reports whether another transaction made one fail that may be tried again.
func isInTheWay(err error) bool {
	return isCode(err, serializationFailure) || isCode(err, deadlockDetected)
}

// isBroken reports whether it is the connection that failed, and was there: also by what it had prepared for tables that have been
// changed since.
func isBroken(err error) bool {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code == adminShutdown || e.Code == crashShutdown || e.Code == idleInTransaction || e.Code == stalePlan
	}
	var broken *brokenError
	return errors.As(err, &broken)
}

// isCode reports whether PostgreSQL failed with a code.
func isCode(err error, code string) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == code
}

// brokenError is an error of a connection, as opposed to an answer of the server.
type brokenError struct{ error }

func (e *brokenError) Unwrap() error { return e.error }

// postgresError gives the driver's errors a code.
func postgresError(err error, query string) error {
	var e *pgconn.PgError
	switch {
	case errors.Is(err, errRolledBack):
		return fault.Wrap(fault.Internal, err, "nothing was written")
	case !errors.As(err, &e):
		return fault.Wrap(fault.Unavailable, &brokenError{err}, "the database does not answer")
	case e.Code == uniqueViolation:
		return fault.Wrap(fault.Conflict, err, "it exists already")
	case e.Code == serializationFailure, e.Code == deadlockDetected, e.Code == lockNotAvailable, e.Code == queryCanceled:
		return fault.Wrap(fault.Unavailable, err, "the database is busy")
	case e.Code == readOnlyTransaction:
		return fault.Wrap(fault.Unavailable, err, "the database takes no changes now")
	case e.Code == diskFull:
		return fault.Wrap(fault.Unavailable, err, "the disk is full")
	case e.Code == insufficientPrivilege:
		return fault.Wrap(fault.Unavailable, err, "the program's user of PostgreSQL lacks a right that a node needs (%s); see PostgreSQL in docs/operations.md", e.Message)
	case e.Code == idleInTransaction:
		return fault.Wrap(fault.Unavailable, err, "the transaction stood still for too long")
	case len(e.Code) == 5 && slices.Contains(passing, e.Code[:2]):
		return fault.Wrap(fault.Unavailable, err, "the database is not available")
	}
	return fmt.Errorf("store: %w in: %s", err, query)
}

// databaseSetting is the setting that says where PostgreSQL is.
const databaseSetting = "database_url"

// unconnected says why a first connection could not be made, and what to do.
func unconnected(config *pgconn.Config, err error) error {
	say := func(code fault.Code, format string, args ...any) error {
		return &fault.Error{Code: code, Setting: databaseSetting, Message: fmt.Sprintf(format, args...), Cause: dialed(err)}
	}
	where := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	var network net.Error
	switch {
	case isCode(err, invalidPassword), isCode(err, invalidAuthorization):
		return say(fault.Forbidden, "PostgreSQL at %s does not let the user %s in; see to the password, or to pg_hba.conf", where, config.User)
	case isCode(err, noDatabase):
		return say(fault.NotFound, "PostgreSQL at %s has no database %s; make it: createdb %s", where, config.Database, config.Database)
	case errors.As(err, new(*pgconn.PgError)), errors.As(err, &network), config.TLSConfig == nil:
		return say(fault.Unavailable, "PostgreSQL at %s cannot be reached; see that it runs there and that this machine may connect to it", where)
	}
	return say(fault.Unavailable, "no TLS connection to PostgreSQL at %s can be made; sslrootcert names the authority of its certificate, "+
		"and sslmode=disable does without TLS where the way there is trusted", where)
}

// dialed is the last try of a connection that could not be made: the driver tells every one, with TLS and without.
func dialed(err error) error {
	var answer *pgconn.PgError
	var call *net.OpError
	switch {
	case errors.As(err, &answer):
		return answer
	case errors.As(err, &call):
		return call
	}
	var all interface{ Unwrap() []error }
	if !errors.As(err, &all) {
		return err
	}
	return all.Unwrap()[0]
}

package store

/*
// What SQLite offers and the driver does not show. The driver brings these symbols into the program; weak, they need not
// be there when this file alone is linked for a look at its types.
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
extern long long sqlite3_memory_used(void) __attribute__((weak));
extern void sqlite3_interrupt(sqlite3*) __attribute__((weak));
extern int sqlite3_error_offset(sqlite3*) __attribute__((weak));
extern int sqlite3_column_count(sqlite3_stmt*) __attribute__((weak));
extern const char *sqlite3_column_name(sqlite3_stmt*, int) __attribute__((weak));

static long long memory_used(void) { return sqlite3_memory_used ? sqlite3_memory_used() : 0; }
static void interrupt(void *db) { if (sqlite3_interrupt) sqlite3_interrupt(db); }
static int error_offset(void *db) { return sqlite3_error_offset ? sqlite3_error_offset(db) : -1; }
static int column_count(void *s) { return sqlite3_column_count ? sqlite3_column_count(s) : 0; }
static const char *column_name(void *s, int i) { return sqlite3_column_name ? sqlite3_column_name(s, i) : 0; }
*/
import "C"

import (
	"reflect"
	"unsafe"

	"github.com/mattn/go-sqlite3"
)

// handle is SQLite's own name of a connection.
func handle(raw *sqlite3.SQLiteConn) unsafe.Pointer {
	return reflect.ValueOf(raw).Elem().FieldByName("db").UnsafePointer()
}

// tail is the text behind the statement that was prepared.
func tail(s *sqlite3.SQLiteStmt) string { return reflect.ValueOf(s).Elem().FieldByName("t").String() }

// selected names the columns of a statement that was prepared; none for one that selects nothing, or for no statement.
func selected(s *sqlite3.SQLiteStmt) (columns []string) {
	prepared := reflect.ValueOf(s).Elem().FieldByName("s").UnsafePointer()
	if prepared == nil {
		return nil
	}
	for i := range int(C.column_count(prepared)) {
		columns = append(columns, C.GoString(C.column_name(prepared, C.int(i))))
	}
	return columns
}

// memoryUsed is what SQLite holds in the whole process, in bytes.
func memoryUsed() int64 { return int64(C.memory_used()) }

// interrupt ends what a connection is doing, compiling included.
func interrupt(db unsafe.Pointer) { C.interrupt(db) }

// errorOffset is the byte of the statement at which the last error of a connection was found; negative where there is none.
func errorOffset(db unsafe.Pointer) int { return int(C.error_offset(db)) }

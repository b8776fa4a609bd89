// A thin translation of SQLite's callbacks into those of file.go and lock.go: a C file knows the number of its handle.
#include "_cgo_export.h"
#include "vfs.h"

#include <string.h>

typedef struct {
  sqlite3_file base;
  uint64_t id;
} handle;

#define ID(file) (((handle *)(file))->id)

static int ioClose(sqlite3_file *f) { return faultfsClose(ID(f)); }
static int ioRead(sqlite3_file *f, void *buf, int n, sqlite3_int64 at) { return faultfsRead(ID(f), buf, n, at); }
static int ioWrite(sqlite3_file *f, const void *buf, int n, sqlite3_int64 at) { return faultfsWrite(ID(f), (void *)buf, n, at); }
static int ioTruncate(sqlite3_file *f, sqlite3_int64 size) { return faultfsTruncate(ID(f), size); }
static int ioSync(sqlite3_file *f, int flags) { (void)flags; return faultfsSync(ID(f)); }
static int ioSize(sqlite3_file *f, sqlite3_int64 *size) { return faultfsSize(ID(f), (int64_t *)size); }
static int ioLock(sqlite3_file *f, int level) { return faultfsLock(ID(f), level); }
static int ioUnlock(sqlite3_file *f, int level) { return faultfsUnlock(ID(f), level); }
static int ioReserved(sqlite3_file *f, int *out) { return faultfsReserved(ID(f), out); }
static int ioControl(sqlite3_file *f, int op, void *arg) { (void)f; (void)op; (void)arg; return 12; /* SQLITE_NOTFOUND */ }
static int ioSector(sqlite3_file *f) { (void)f; return 4096; }
// As SQLite's own layer for Unix: a write leaves the bytes around it alone (SQLITE_IOCAP_POWERSAFE_OVERWRITE).
static int ioDevice(sqlite3_file *f) { (void)f; return 0x1000; }
static int ioShmMap(sqlite3_file *f, int page, int size, int extend, void volatile **out) {
  return faultfsShmMap(ID(f), page, size, extend, (void **)out);
}
static int ioShmLock(sqlite3_file *f, int offset, int n, int flags) { return faultfsShmLock(ID(f), offset, n, flags); }
static void ioShmBarrier(sqlite3_file *f) { (void)f; __sync_synchronize(); }
static int ioShmUnmap(sqlite3_file *f, int drop) { (void)drop; return faultfsShmUnmap(ID(f)); }

static const sqlite3_io_methods methods = {
  2,       ioClose,  ioRead,     ioWrite,   ioTruncate, ioSync,    ioSize,    ioLock,       ioUnlock,
  ioReserved, ioControl, ioSector, ioDevice, ioShmMap,   ioShmLock, ioShmBarrier, ioShmUnmap,
};

static sqlite3_vfs layer;

static int vfsOpen(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out) {
  (void)v;
  f->pMethods = 0;
  int rc = faultfsOpen((char *)name, flags, &ID(f));
  if (rc == 0) {
    f->pMethods = &methods;
    if (out) *out = flags;
  }
  return rc;
}
static int vfsDelete(sqlite3_vfs *v, const char *name, int syncDir) { (void)v; return faultfsDelete((char *)name, syncDir); }
static int vfsAccess(sqlite3_vfs *v, const char *name, int flags, int *out) { (void)v; return faultfsAccess((char *)name, flags, out); }
static int vfsFullPathname(sqlite3_vfs *v, const char *name, int n, char *out) {
  (void)v;
  if ((int)strlen(name) >= n) return 14; /* SQLITE_CANTOPEN */
  strcpy(out, name);
  return 0;
}
static int vfsLastError(sqlite3_vfs *v, int n, char *out) { (void)v; (void)n; (void)out; return 0; }
static int vfsSleep(sqlite3_vfs *v, int us) { (void)v; faultfsSleep(us); return us; }

int faultfs_register(const char *name) {
  layer = *sqlite3_vfs_find(0); // time, randomness and libraries are the default layer's
  layer.iVersion = 2;
  layer.szOsFile = sizeof(handle);
  layer.mxPathname = 1024;
  layer.pNext = 0;
  layer.zName = name;
  layer.xOpen = vfsOpen;
  layer.xDelete = vfsDelete;
  layer.xAccess = vfsAccess;
  layer.xFullPathname = vfsFullPathname;
  layer.xSleep = vfsSleep;
  layer.xGetLastError = vfsLastError; // the system's would be that of another call
  return sqlite3_vfs_register(&layer, 0);
}

package store

// #include <unistd.h>
//
// int fsync(int fd) { return fdatasync(fd); }
import "C"

// The SQLite that is linked in knows only fsync, which also waits for a file's times: on ext4 each is a commit of the file system's
// journal, with whatever other files have in it. SQLite asks for no more than that what it wrote, and the size of the file, are on
// the disk, which is what fdatasync does, and what it uses where it is built for Linux. C code finds this function first; Go's own
// files do not come here.

package main

// #include <malloc.h>
//
// static void oneArena(void) {
// #ifdef M_ARENA_MAX
// 	mallopt(M_ARENA_MAX, 1);
// #endif
// }
import "C"

// SQLite's memory comes from one heap: with one for each of the threads that it is called from, which it hardly uses at the
// same time, twice as much of it lies idle.
func init() { C.oneArena() }

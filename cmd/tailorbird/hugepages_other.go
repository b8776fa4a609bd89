//go:build !linux

package main

// hugePages does nothing where the system decides by itself.
func hugePages() {}

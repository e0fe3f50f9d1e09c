//go:build !linux

package main

import "os"

// hideInput is not available here: what is typed stays visible.
func hideInput(*os.File) (restore func(), ok bool) { return nil, false }

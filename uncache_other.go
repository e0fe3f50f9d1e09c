//go:build !linux

package main

import "os"

func uncached(*os.File) {}

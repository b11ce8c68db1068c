//go:build stable

package main

import "github.com/karmada-io/karmada/pkg/scheduler/core"

// The build script puts this switch into a copy of the module.
func init() { stableSort = func(on bool) { core.StableSort = on } }

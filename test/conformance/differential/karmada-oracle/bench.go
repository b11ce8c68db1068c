package main

import (
	"context"
	"encoding/json"
	"fmt"
	"syscall"
	"time"

	workv1alpha2 "github.com/karmada-io/karmada/pkg/apis/work/v1alpha2"
	"github.com/karmada-io/karmada/pkg/scheduler/core"
)

// bench schedules the bindings in turn on the fleet for some seconds and counts. Processor time is the whole process's,
// collection of garbage included.
func bench(input json.RawMessage) (any, error) {
	var asked struct {
		Fleet   string                             `json:"fleet"`
		Specs   []workv1alpha2.ResourceBindingSpec `json:"specs"`
		Seconds float64                            `json:"seconds"`
	}
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	clusters, known := fleets[asked.Fleet]
	if !known || len(asked.Specs) == 0 {
		return nil, fmt.Errorf("bench needs a fleet that was sent and specs")
	}
	one, err := schedulerFor(false)
	if err != nil {
		return nil, err
	}
	if err := one.clusters.Replace(asObjects(clusters), ""); err != nil {
		return nil, err
	}
	status, options := &workv1alpha2.ResourceBindingStatus{}, &core.ScheduleAlgorithmOption{}
	var results [][]workv1alpha2.TargetCluster
	run := func(at int) error {
		// As its caller does: the scheduler may write into what it is given.
		spec := asked.Specs[at%len(asked.Specs)].DeepCopy()
		result, err := one.algorithm.Schedule(context.Background(), spec, status, options)
		if err == nil && len(results) < 5 {
			results = append(results, result.SuggestedClusters)
		}
		return err
	}
	for at := range 5 {
		if err := run(at); err != nil {
			return nil, err
		}
	}
	started, usedBefore := time.Now(), processorSeconds()
	limit := time.Duration(asked.Seconds * float64(time.Second))
	operations := 0
	for ; time.Since(started) < limit || operations == 0; operations++ {
		if err := run(operations); err != nil {
			return nil, err
		}
	}
	seconds, used := time.Since(started).Seconds(), processorSeconds()-usedBefore
	return map[string]any{
		"operations": operations, "seconds": seconds, "cpuSeconds": used,
		"perSecond": float64(operations) / seconds, "perCpuSecond": float64(operations) / used, "first": results,
	}, nil
}

func processorSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"

	clusterv1alpha1 "github.com/karmada-io/karmada/pkg/apis/cluster/v1alpha1"
	workv1alpha2 "github.com/karmada-io/karmada/pkg/apis/work/v1alpha2"
	"github.com/karmada-io/karmada/pkg/features"
	clusterlister "github.com/karmada-io/karmada/pkg/generated/listers/cluster/v1alpha1"
	schedulercache "github.com/karmada-io/karmada/pkg/scheduler/cache"
	"github.com/karmada-io/karmada/pkg/scheduler/core"
	"github.com/karmada-io/karmada/pkg/scheduler/framework"
	"github.com/karmada-io/karmada/pkg/scheduler/framework/plugins"
	"github.com/karmada-io/karmada/pkg/scheduler/framework/runtime"
	"github.com/karmada-io/karmada/pkg/util/indexregistry"
	"k8s.io/client-go/tools/cache"
)

// stableSort makes Karmada's sorting of capacities stable, or not; nil in a build of the unchanged module.
var stableSort func(bool)

// fleets are the clusters named by earlier `fleet` lines.
var fleets = map[string][]*clusterv1alpha1.Cluster{}

func setFleet(input json.RawMessage) (any, error) {
	var asked struct {
		Fleet    string                     `json:"fleet"`
		Clusters []*clusterv1alpha1.Cluster `json:"clusters"`
	}
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	// One at a time: whoever asks sends a fleet before the cases that name it.
	clear(fleets)
	fleets[asked.Fleet] = asked.Clusters
	return map[string]int{"clusters": len(asked.Clusters)}, nil
}

type assumed map[string][]struct {
	Namespace  string                   `json:"namespace"`
	Components []workv1alpha2.Component `json:"components"`
}

type scheduleInput struct {
	Fleet                          string                             `json:"fleet"`
	Spec                           workv1alpha2.ResourceBindingSpec   `json:"spec"`
	Status                         workv1alpha2.ResourceBindingStatus `json:"status"`
	EnableEmptyWorkloadPropagation bool                               `json:"enableEmptyWorkloadPropagation"`
	// Bindings are the others there are, for workload affinity.
	Bindings         []*workv1alpha2.ResourceBinding `json:"bindings"`
	AssumedWorkloads assumed                         `json:"assumedWorkloads"`
}

// core with what it reads.
type scheduler struct {
	clusters  cache.Indexer
	bindings  cache.Indexer
	cache     schedulercache.Cache
	algorithm core.ScheduleAlgorithm
	// filters are frameworks of one plugin each, to hear what everyone would say.
	filters map[string]framework.Framework
}

var schedulers = map[bool]*scheduler{}

func schedulerFor(withAffinity bool) (*scheduler, error) {
	if known := schedulers[withAffinity]; known != nil {
		return known, nil
	}
	made := &scheduler{
		clusters: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{}),
		bindings: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{
			indexregistry.ResourceBindingIndexByAffinityGroup:     groupOf(func(g *workv1alpha2.WorkloadAffinityGroups) string { return g.AffinityGroup }),
			indexregistry.ResourceBindingIndexByAntiAffinityGroup: groupOf(func(g *workv1alpha2.WorkloadAffinityGroups) string { return g.AntiAffinityGroup }),
		}),
		filters: map[string]framework.Framework{},
	}
	made.cache = schedulercache.NewCache(clusterlister.NewClusterLister(made.clusters), made.bindings, 0)
	registry := plugins.NewInTreeRegistry()
	algorithm, err := core.NewGenericScheduler(made.cache, registry)
	if err != nil {
		return nil, err
	}
	made.algorithm = algorithm
	for _, name := range registry.FactoryNames() {
		single, err := runtime.NewFramework(runtime.Registry{name: registry[name]})
		if err != nil {
			return nil, err
		}
		made.filters[name] = single
	}
	schedulers[withAffinity] = made
	return made, nil
}

func groupOf(which func(*workv1alpha2.WorkloadAffinityGroups) string) cache.IndexFunc {
	return func(obj any) ([]string, error) {
		binding, ok := obj.(*workv1alpha2.ResourceBinding)
		if !ok || binding.Spec.WorkloadAffinityGroups == nil || which(binding.Spec.WorkloadAffinityGroups) == "" {
			return nil, nil
		}
		return []string{which(binding.Spec.WorkloadAffinityGroups)}, nil
	}
}

func schedule(input json.RawMessage) (any, error) {
	var asked scheduleInput
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	clusters, known := fleets[asked.Fleet]
	if !known {
		return nil, fmt.Errorf("fleet %q was not sent", asked.Fleet)
	}
	one, err := schedulerFor(features.FeatureGate.Enabled(features.WorkloadAffinity))
	if err != nil {
		return nil, err
	}
	if err := one.clusters.Replace(asObjects(clusters), ""); err != nil {
		return nil, err
	}
	if err := one.bindings.Replace(asObjects(asked.Bindings), ""); err != nil {
		return nil, err
	}
	defer one.assume(asked.AssumedWorkloads)()

	plain := one.outcome(&asked)
	if stableSort == nil {
		return plain, nil
	}
	stableSort(true)
	other := one.outcome(&asked)
	stableSort(false)
	if sameAnswer(plain, other) {
		return plain, nil
	}
	return map[string]any{"outcomes": []any{plain, other}}, nil
}

func asObjects[T any](list []T) []any {
	objects := make([]any, len(list))
	for i := range list {
		objects[i] = list[i]
	}
	return objects
}

// assume puts workloads in flight into the cache and returns what takes them out again.
func (s *scheduler) assume(workloads assumed) func() {
	var undo []func()
	for cluster, list := range workloads {
		for i, workload := range list {
			key := fmt.Sprintf("assumed/%s-%d", cluster, i)
			s.cache.AssigningResourceBindings().Assume(key, cluster, schedulercache.AssumedWorkload{
				Namespace:  workload.Namespace,
				Components: workload.Components,
			})
			undo = append(undo, func() { s.cache.AssigningResourceBindings().ReleaseClusterAssumption(key, cluster) })
		}
	}
	return func() {
		for _, each := range undo {
			each()
		}
	}
}

func (s *scheduler) outcome(asked *scheduleInput) map[string]any {
	spec, status := asked.Spec.DeepCopy(), asked.Status.DeepCopy()
	options := &core.ScheduleAlgorithmOption{EnableEmptyWorkloadPropagation: asked.EnableEmptyWorkloadPropagation}
	result, err := s.algorithm.Schedule(context.Background(), spec, status, options)
	if err == nil {
		return map[string]any{"clusters": result.SuggestedClusters}
	}
	var fit *framework.FitError
	var short *framework.UnschedulableError
	switch {
	case errors.As(err, &fit):
		reasons, texts := s.refusals(asked)
		return map[string]any{"error": err.Error(), "errorKind": "NoClusterFit", "reasons": reasons, "errorAnyOf": texts}
	case errors.As(err, &short):
		return map[string]any{"error": err.Error(), "errorKind": "Unschedulable"}
	default:
		return map[string]any{"error": err.Error(), "errorKind": "SchedulerError"}
	}
}

type refusal struct {
	Plugin string `json:"plugin"`
	Reason string `json:"reason"`
}

// refusals are what every filter says of every cluster, and the messages that come of the orders in which filters may run.
func (s *scheduler) refusals(asked *scheduleInput) (map[string][]refusal, []string) {
	names := make([]string, 0, len(s.filters))
	for name := range s.filters {
		names = append(names, name)
	}
	sort.Strings(names)
	reasons := map[string][]refusal{}
	results := map[string]map[string]*framework.Result{}
	snapshot := s.cache.Snapshot()
	involved := map[string]bool{}
	for _, info := range snapshot.GetClusters() {
		cluster := info.Cluster()
		if !cluster.DeletionTimestamp.IsZero() {
			continue
		}
		for _, name := range names {
			result := s.filters[name].RunFilterPlugins(&framework.FilterContext{
				Context:                context.Background(),
				BindingSpec:            &asked.Spec,
				BindingStatus:          &asked.Status,
				Cluster:                cluster,
				ResourceBindingIndexer: s.cache.ResourceBindingIndexer(),
				AssigningBindings:      s.cache.AssigningResourceBindings().GetBindings(),
			})
			if result.IsSuccess() {
				continue
			}
			if results[cluster.Name] == nil {
				results[cluster.Name] = map[string]*framework.Result{}
			}
			results[cluster.Name][name] = result
			involved[name] = true
			for _, reason := range result.Reasons() {
				reasons[cluster.Name] = append(reasons[cluster.Name], refusal{name, reason})
			}
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !involved[name] })
	texts := map[string]bool{}
	permute(names, func(order []string) {
		first := framework.ClusterToResultMap{}
		for cluster, said := range results {
			for _, name := range order {
				if said[name] != nil {
					first[cluster] = said[name]
					break
				}
			}
		}
		text := (&framework.FitError{NumAllClusters: snapshot.NumOfClusters(), Diagnosis: framework.Diagnosis{ClusterToResultMap: first}}).Error()
		texts[text] = true
	})
	list := make([]string, 0, len(texts))
	for text := range texts {
		list = append(list, text)
	}
	sort.Strings(list)
	return reasons, list
}

func permute(items []string, visit func([]string)) {
	var walk func(int)
	walk = func(at int) {
		if at >= len(items) {
			visit(items)
			return
		}
		for i := at; i < len(items); i++ {
			items[at], items[i] = items[i], items[at]
			walk(at + 1)
			items[at], items[i] = items[i], items[at]
		}
	}
	walk(0)
}

// sameAnswer compares without the order of targets.
func sameAnswer(a, b map[string]any) bool {
	return flat(a) == flat(b)
}

func flat(answer map[string]any) string {
	targets, ok := answer["clusters"].([]workv1alpha2.TargetCluster)
	if !ok {
		return fmt.Sprint(answer["errorKind"])
	}
	lines := make([]string, len(targets))
	for i, target := range targets {
		lines[i] = fmt.Sprintf("%s=%d", target.Name, target.Replicas)
	}
	sort.Strings(lines)
	return fmt.Sprint(lines)
}

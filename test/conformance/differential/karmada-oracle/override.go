package main

import (
	"context"
	"encoding/json"
	"time"

	clusterv1alpha1 "github.com/karmada-io/karmada/pkg/apis/cluster/v1alpha1"
	policyv1alpha1 "github.com/karmada-io/karmada/pkg/apis/policy/v1alpha1"
	"github.com/karmada-io/karmada/pkg/controllers/binding"
	"github.com/karmada-io/karmada/pkg/util/overridemanager"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// overrideReader answers for clusters and override policies, all that overriding reads.
type overrideReader struct {
	client.Client
	clusters    []clusterv1alpha1.Cluster
	clusterWide []policyv1alpha1.ClusterOverridePolicy
	namespaced  []policyv1alpha1.OverridePolicy
}

func (r *overrideReader) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	for _, cluster := range r.clusters {
		if target, ok := into.(*clusterv1alpha1.Cluster); ok && cluster.Name == key.Name {
			cluster.DeepCopyInto(target)
			return nil
		}
	}
	return apierrors.NewNotFound(schema.GroupResource{Group: "cluster.karmada.io", Resource: "clusters"}, key.Name)
}

func (r *overrideReader) List(_ context.Context, into client.ObjectList, options ...client.ListOption) error {
	wanted := client.ListOptions{}
	wanted.ApplyOptions(options)
	switch list := into.(type) {
	case *policyv1alpha1.ClusterOverridePolicyList:
		for _, policy := range r.clusterWide {
			list.Items = append(list.Items, *policy.DeepCopy())
		}
	case *policyv1alpha1.OverridePolicyList:
		for _, policy := range r.namespaced {
			if wanted.Namespace == "" || policy.Namespace == wanted.Namespace {
				list.Items = append(list.Items, *policy.DeepCopy())
			}
		}
	}
	return nil
}

// readPolicies sorts policies of the two kinds apart.
func (r *overrideReader) readPolicies(policies []json.RawMessage) error {
	for _, text := range policies {
		var kind metav1.TypeMeta
		if err := json.Unmarshal(text, &kind); err != nil {
			return err
		}
		if kind.Kind == "ClusterOverridePolicy" {
			var policy policyv1alpha1.ClusterOverridePolicy
			if err := json.Unmarshal(text, &policy); err != nil {
				return err
			}
			r.clusterWide = append(r.clusterWide, policy)
			continue
		}
		var policy policyv1alpha1.OverridePolicy
		if err := json.Unmarshal(text, &policy); err != nil {
			return err
		}
		r.namespaced = append(r.namespaced, policy)
	}
	return nil
}

type overrideInput struct {
	Object   *unstructured.Unstructured `json:"object"`
	Cluster  clusterv1alpha1.Cluster    `json:"cluster"`
	Policies []json.RawMessage          `json:"policies"`
}

func (input overrideInput) reader() (*overrideReader, error) {
	reader := &overrideReader{clusters: []clusterv1alpha1.Cluster{input.Cluster}}
	return reader, reader.readPolicies(input.Policies)
}

func override(input json.RawMessage) (any, error) {
	var asked overrideInput
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	reader, err := asked.reader()
	if err != nil {
		return nil, err
	}
	manager := overridemanager.New(reader, &record.FakeRecorder{})
	clusterWide, namespaced, err := manager.ApplyOverridePolicies(asked.Object, asked.Cluster.Name)
	if err != nil {
		return map[string]any{"error": err.Error()}, nil
	}
	answer := map[string]any{
		"object":                 asked.Object,
		"appliedClusterPolicies": appliedNames(clusterWide),
		"appliedPolicies":        appliedNames(namespaced),
	}
	annotations, err := binding.RecordAppliedOverrides(clusterWide, namespaced, nil)
	if err != nil {
		return map[string]any{"error": err.Error()}, nil
	}
	if len(annotations) > 0 {
		answer["workAnnotations"] = annotations
	}
	return answer, nil
}

func appliedNames(applied *overridemanager.AppliedOverrides) []string {
	names := []string{}
	if applied != nil {
		for _, item := range applied.AppliedItems {
			names = append(names, item.PolicyName)
		}
	}
	return names
}

// benchOverride overrides one object again and again and counts; the lists of policies are answered from memory.
func benchOverride(input json.RawMessage) (any, error) {
	var asked struct {
		overrideInput
		Seconds float64 `json:"seconds"`
	}
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	reader, err := asked.reader()
	if err != nil {
		return nil, err
	}
	manager := overridemanager.New(reader, &record.FakeRecorder{})
	return measure(time.Duration(asked.Seconds*float64(time.Second)), func() error {
		_, _, err := manager.ApplyOverridePolicies(asked.Object.DeepCopy(), asked.Cluster.Name)
		return err
	})
}

// measure runs an operation for a while, after some runs that do not count.
func measure(limit time.Duration, run func() error) (any, error) {
	for range 5 {
		if err := run(); err != nil {
			return nil, err
		}
	}
	started, usedBefore := time.Now(), processorSeconds()
	operations := 0
	for ; time.Since(started) < limit || operations == 0; operations++ {
		if err := run(); err != nil {
			return nil, err
		}
	}
	seconds, used := time.Since(started).Seconds(), processorSeconds()-usedBefore
	return map[string]any{
		"operations": operations, "seconds": seconds, "cpuSeconds": used,
		"perSecond": float64(operations) / seconds, "perCpuSecond": float64(operations) / used,
	}, nil
}

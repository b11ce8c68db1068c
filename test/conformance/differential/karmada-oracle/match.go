package main

import (
	"context"
	"encoding/json"

	clusterv1alpha1 "github.com/karmada-io/karmada/pkg/apis/cluster/v1alpha1"
	policyv1alpha1 "github.com/karmada-io/karmada/pkg/apis/policy/v1alpha1"
	"github.com/karmada-io/karmada/pkg/detector"
	"github.com/karmada-io/karmada/pkg/util"
	"github.com/karmada-io/karmada/pkg/util/fedinformer/keys"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func match(input json.RawMessage) (any, error) {
	var asked struct {
		Resource *unstructured.Unstructured       `json:"resource"`
		Selector *policyv1alpha1.ResourceSelector `json:"selector"`
		Cluster  *clusterv1alpha1.Cluster         `json:"cluster"`
		Affinity *policyv1alpha1.ClusterAffinity  `json:"affinity"`
		Policies []json.RawMessage                `json:"policies"`
	}
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	switch {
	case asked.Selector != nil:
		priority := util.ResourceSelectorPriority(asked.Resource, *asked.Selector)
		return map[string]any{"implicitPriority": int(priority), "matches": util.ResourceMatches(asked.Resource, *asked.Selector)}, nil
	case asked.Affinity != nil:
		return map[string]any{"matches": util.ClusterMatches(asked.Cluster, *asked.Affinity)}, nil
	default:
		return choose(asked.Resource, asked.Policies)
	}
}

// policyReader answers lists of policies; the detector asks for nothing else when it looks for a match.
type policyReader struct {
	client.Client
	namespaced []policyv1alpha1.PropagationPolicy
	cluster    []policyv1alpha1.ClusterPropagationPolicy
}

func (r *policyReader) List(_ context.Context, into client.ObjectList, options ...client.ListOption) error {
	var asked client.ListOptions
	asked.ApplyOptions(options)
	switch list := into.(type) {
	case *policyv1alpha1.PropagationPolicyList:
		for _, policy := range r.namespaced {
			if asked.Namespace == "" || policy.Namespace == asked.Namespace {
				list.Items = append(list.Items, policy)
			}
		}
	case *policyv1alpha1.ClusterPropagationPolicyList:
		list.Items = append(list.Items, r.cluster...)
	}
	return nil
}

func choose(resource *unstructured.Unstructured, policies []json.RawMessage) (any, error) {
	reader := &policyReader{}
	for _, text := range policies {
		var kind metav1.TypeMeta
		if err := json.Unmarshal(text, &kind); err != nil {
			return nil, err
		}
		if kind.Kind == "PropagationPolicy" {
			var policy policyv1alpha1.PropagationPolicy
			if err := json.Unmarshal(text, &policy); err != nil {
				return nil, err
			}
			reader.namespaced = append(reader.namespaced, policy)
			continue
		}
		var policy policyv1alpha1.ClusterPropagationPolicy
		if err := json.Unmarshal(text, &policy); err != nil {
			return nil, err
		}
		reader.cluster = append(reader.cluster, policy)
	}
	looking := &detector.ResourceDetector{Client: reader}
	key, err := keys.ClusterWideKeyFunc(resource)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"propagationPolicy": nil, "clusterPropagationPolicy": nil}
	own, err := looking.LookForMatchedPolicy(resource, key)
	if err != nil {
		return nil, err
	}
	if own != nil {
		answer["propagationPolicy"] = own.Namespace + "/" + own.Name
	}
	wide, err := looking.LookForMatchedClusterPolicy(resource, key)
	if err != nil {
		return nil, err
	}
	if wide != nil {
		answer["clusterPropagationPolicy"] = wide.Name
	}
	return answer, nil
}

package main

import (
	"context"
	"encoding/json"

	clusterv1alpha1 "github.com/karmada-io/karmada/pkg/apis/cluster/v1alpha1"
	workv1alpha2 "github.com/karmada-io/karmada/pkg/apis/work/v1alpha2"
	estimator "github.com/karmada-io/karmada/pkg/estimator/client"
)

func estimate(input json.RawMessage) (any, error) {
	var asked struct {
		Clusters            []*clusterv1alpha1.Cluster        `json:"clusters"`
		ReplicaRequirements *workv1alpha2.ReplicaRequirements `json:"replicaRequirements"`
		Components          []workv1alpha2.Component          `json:"components"`
		AssumedWorkloads    assumed                           `json:"assumedWorkloads"`
	}
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	inFlight := map[string][]estimator.AssumedWorkload{}
	for cluster, list := range asked.AssumedWorkloads {
		for _, workload := range list {
			inFlight[cluster] = append(inFlight[cluster], estimator.AssumedWorkload{
				Namespace: workload.Namespace, Components: workload.Components,
			})
		}
	}
	general := estimator.NewGeneralEstimator()
	rows := []map[string]any{}
	if asked.Components != nil {
		answers, err := general.MaxAvailableComponentSets(context.Background(), estimator.ComponentSetEstimationRequest{
			Clusters: asked.Clusters, Components: asked.Components, AssumedWorkloads: inFlight,
		})
		if err != nil {
			return nil, err
		}
		for _, each := range answers {
			rows = append(rows, map[string]any{"name": each.Name, "sets": each.Sets})
		}
		return map[string]any{"clusters": rows}, nil
	}
	answers, err := general.MaxAvailableReplicas(context.Background(), estimator.ReplicaEstimationRequest{
		Clusters: asked.Clusters, ReplicaRequirements: asked.ReplicaRequirements, AssumedWorkloads: inFlight,
	})
	if err != nil {
		return nil, err
	}
	for _, each := range answers {
		rows = append(rows, map[string]any{"name": each.Name, "replicas": each.Replicas})
	}
	return map[string]any{"clusters": rows}, nil
}

package main

import (
	"context"
	"encoding/json"
	"time"
	_ "unsafe"

	clusterv1alpha1 "github.com/karmada-io/karmada/pkg/apis/cluster/v1alpha1"
	configv1alpha1 "github.com/karmada-io/karmada/pkg/apis/config/v1alpha1"
	workv1alpha1 "github.com/karmada-io/karmada/pkg/apis/work/v1alpha1"
	workv1alpha2 "github.com/karmada-io/karmada/pkg/apis/work/v1alpha2"
	_ "github.com/karmada-io/karmada/pkg/controllers/binding"
	"github.com/karmada-io/karmada/pkg/resourceinterpreter"
	"github.com/karmada-io/karmada/pkg/util/gclient"
	"github.com/karmada-io/karmada/pkg/util/helper"
	"github.com/karmada-io/karmada/pkg/util/indexregistry"
	"github.com/karmada-io/karmada/pkg/util/overridemanager"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

// ensureWork is what the binding controller does once orphans are gone and the template is there.
//
//go:linkname ensureWork github.com/karmada-io/karmada/pkg/controllers/binding.ensureWork
func ensureWork(
	ctx context.Context, c client.Client, interpreter resourceinterpreter.ResourceInterpreter, workload *unstructured.Unstructured,
	manager overridemanager.OverrideManager, binding metav1.Object, scope apiextensionsv1.ResourceScope,
) error

// readBinding gives a binding of either kind.
func readBinding(text json.RawMessage) (client.Object, apiextensionsv1.ResourceScope, error) {
	var kind metav1.TypeMeta
	if err := json.Unmarshal(text, &kind); err != nil {
		return nil, "", err
	}
	if kind.Kind == "ClusterResourceBinding" {
		binding := &workv1alpha2.ClusterResourceBinding{}
		return binding, apiextensionsv1.ClusterScoped, json.Unmarshal(text, binding)
	}
	binding := &workv1alpha2.ResourceBinding{}
	return binding, apiextensionsv1.NamespaceScoped, json.Unmarshal(text, binding)
}

func buildWorks(input json.RawMessage) (any, error) {
	var asked struct {
		Template         *unstructured.Unstructured `json:"template"`
		Binding          json.RawMessage            `json:"binding"`
		Clusters         []clusterv1alpha1.Cluster  `json:"clusters"`
		OverridePolicies []json.RawMessage          `json:"overridePolicies"`
	}
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	known, err := interpreter()
	if err != nil {
		return nil, err
	}
	binding, scope, err := readBinding(asked.Binding)
	if err != nil {
		return nil, err
	}
	reader := &overrideReader{clusters: asked.Clusters}
	if err := reader.readPolicies(asked.OverridePolicies); err != nil {
		return nil, err
	}
	store := fake.NewClientBuilder().WithScheme(gclient.NewSchema()).Build()
	manager := overridemanager.New(reader, &record.FakeRecorder{})
	failed := ensureWork(context.Background(), store, known, asked.Template, manager, binding, scope)
	var works workv1alpha1.WorkList
	if err := store.List(context.Background(), &works); err != nil {
		return nil, err
	}
	written := []any{}
	for _, work := range works.Items {
		plain, err := plainWork(work)
		if err != nil {
			return nil, err
		}
		written = append(written, plain)
	}
	answer := map[string]any{"works": written}
	if failed != nil {
		answer["error"] = failed.Error()
	}
	return answer, nil
}

// plainWork leaves out what the fake store has added.
func plainWork(work workv1alpha1.Work) (map[string]any, error) {
	work.ResourceVersion = ""
	work.APIVersion, work.Kind = workv1alpha1.GroupVersion.String(), "Work"
	text, err := json.Marshal(work)
	if err != nil {
		return nil, err
	}
	var plain map[string]any
	if err := json.Unmarshal(text, &plain); err != nil {
		return nil, err
	}
	if metadata, ok := plain["metadata"].(map[string]any); ok && metadata["creationTimestamp"] == nil {
		delete(metadata, "creationTimestamp")
	}
	return plain, nil
}

// workLister lists the Works of a binding, which an index finds by the binding's id.
type workLister struct {
	client.Client
	works []workv1alpha1.Work
}

func (l *workLister) List(ctx context.Context, into client.ObjectList, options ...client.ListOption) error {
	list, ok := into.(*workv1alpha1.WorkList)
	if !ok {
		return l.Client.List(ctx, into, options...)
	}
	wanted := client.ListOptions{}
	wanted.ApplyOptions(options)
	labels := map[string]string{
		indexregistry.WorkIndexByLabelResourceBindingID:        workv1alpha2.ResourceBindingPermanentIDLabel,
		indexregistry.WorkIndexByLabelClusterResourceBindingID: workv1alpha2.ClusterResourceBindingPermanentIDLabel,
	}
	for index, label := range labels {
		if id, asked := wanted.FieldSelector.RequiresExactMatch(index); asked {
			for _, work := range l.works {
				if work.Labels[label] == id {
					list.Items = append(list.Items, *work.DeepCopy())
				}
			}
		}
	}
	return nil
}

func collectStatus(input json.RawMessage) (any, error) {
	var asked struct {
		Template *unstructured.Unstructured `json:"template"`
		Binding  json.RawMessage            `json:"binding"`
		Works    []workv1alpha1.Work        `json:"works"`
	}
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	known, err := interpreter()
	if err != nil {
		return nil, err
	}
	binding, _, err := readBinding(asked.Binding)
	if err != nil {
		return nil, err
	}
	store := &workLister{
		Client: fake.NewClientBuilder().WithScheme(gclient.NewSchema()).WithObjects(binding).WithStatusSubresource(binding).Build(),
		works:  asked.Works,
	}
	started := time.Now()
	var status workv1alpha2.ResourceBindingStatus
	var failed error
	switch typed := binding.(type) {
	case *workv1alpha2.ResourceBinding:
		failed = helper.AggregateResourceBindingWorkStatus(context.Background(), store, typed, &record.FakeRecorder{})
		status = typed.Status
	case *workv1alpha2.ClusterResourceBinding:
		failed = helper.AggregateClusterResourceBindingWorkStatus(context.Background(), store, typed, &record.FakeRecorder{})
		status = typed.Status
	}
	if failed != nil {
		return map[string]any{"error": failed.Error()}, nil
	}
	answer := map[string]any{"aggregatedStatus": status.AggregatedStatus, "conditions": status.Conditions}
	if known.HookEnabled(asked.Template.GroupVersionKind(), configv1alpha1.InterpreterOperationAggregateStatus) {
		aggregated, err := known.AggregateStatus(asked.Template, status.AggregatedStatus)
		if err != nil {
			return map[string]any{"error": err.Error()}, nil
		}
		answer["template"] = aggregated
	}
	return withoutClock(answer, started)
}

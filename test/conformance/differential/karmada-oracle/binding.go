package main

import (
	"context"
	"encoding/json"
	"sync"

	policyv1alpha1 "github.com/karmada-io/karmada/pkg/apis/policy/v1alpha1"
	"github.com/karmada-io/karmada/pkg/detector"
	"github.com/karmada-io/karmada/pkg/resourceinterpreter"
	"github.com/karmada-io/karmada/pkg/util"
	"github.com/karmada-io/karmada/pkg/util/fedinformer/genericmanager"
	"github.com/karmada-io/karmada/pkg/util/gclient"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	corev1lister "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// interpreter knows no customizations and asks no webhooks.
var interpreter = sync.OnceValues(func() (resourceinterpreter.ResourceInterpreter, error) {
	configs := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(gclient.NewSchema(), map[schema.GroupVersionResource]string{
		util.ResourceInterpreterCustomizationsGVR:        "ResourceInterpreterCustomizationList",
		util.ResourceInterpreterWebhookConfigurationsGVR: "ResourceInterpreterWebhookConfigurationList",
	})
	services := corev1lister.NewServiceLister(cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{}))
	made := resourceinterpreter.NewResourceInterpreter(genericmanager.NewSingleClusterInformerManager(context.Background(), configs, 0), services)
	return made, made.Start(context.Background())
})

// classReader answers for PriorityClasses, all that building a binding reads.
type classReader struct {
	client.Client
	classes []schedulingv1.PriorityClass
}

func (r *classReader) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	for _, class := range r.classes {
		if target, ok := into.(*schedulingv1.PriorityClass); ok && class.Name == key.Name {
			class.DeepCopyInto(target)
			return nil
		}
	}
	return apierrors.NewNotFound(schema.GroupResource{Group: "scheduling.k8s.io", Resource: "priorityclasses"}, key.Name)
}

func buildBinding(input json.RawMessage) (any, error) {
	var asked struct {
		Template        *unstructured.Unstructured   `json:"template"`
		Policy          json.RawMessage              `json:"policy"`
		PriorityClasses []schedulingv1.PriorityClass `json:"priorityClasses"`
	}
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	known, err := interpreter()
	if err != nil {
		return nil, err
	}
	building := &detector.ResourceDetector{
		Client:              &classReader{classes: asked.PriorityClasses},
		ResourceInterpreter: known,
		EventRecorder:       &record.FakeRecorder{},
	}
	var kind metav1.TypeMeta
	if err := json.Unmarshal(asked.Policy, &kind); err != nil {
		return nil, err
	}
	if kind.Kind == "PropagationPolicy" {
		var policy policyv1alpha1.PropagationPolicy
		if err := json.Unmarshal(asked.Policy, &policy); err != nil {
			return nil, err
		}
		id := policy.Labels[policyv1alpha1.PropagationPolicyPermanentIDLabel]
		built, err := building.BuildResourceBinding(asked.Template, &policy.Spec, id, policy.ObjectMeta, detector.AddPPClaimMetadata)
		return bindingAnswer("ResourceBinding", built, err)
	}
	var policy policyv1alpha1.ClusterPropagationPolicy
	if err := json.Unmarshal(asked.Policy, &policy); err != nil {
		return nil, err
	}
	id := policy.Labels[policyv1alpha1.ClusterPropagationPolicyPermanentIDLabel]
	if asked.Template.GetNamespace() != "" {
		built, err := building.BuildResourceBinding(asked.Template, &policy.Spec, id, policy.ObjectMeta, detector.AddCPPClaimMetadata)
		return bindingAnswer("ResourceBinding", built, err)
	}
	built, err := building.BuildClusterResourceBinding(asked.Template, &policy.Spec, id, policy.ObjectMeta)
	return bindingAnswer("ClusterResourceBinding", built, err)
}

func bindingAnswer(kind string, binding any, err error) (any, error) {
	if err != nil {
		return map[string]any{"error": err.Error()}, nil
	}
	return map[string]any{"bindingKind": kind, "binding": binding}, nil
}

package main

import (
	"context"
	"encoding/json"
	"fmt"

	policyv1alpha1 "github.com/karmada-io/karmada/pkg/apis/policy/v1alpha1"
	"github.com/karmada-io/karmada/pkg/util/gclient"
	"github.com/karmada-io/karmada/pkg/webhook/clusteroverridepolicy"
	"github.com/karmada-io/karmada/pkg/webhook/clusterpropagationpolicy"
	"github.com/karmada-io/karmada/pkg/webhook/overridepolicy"
	"github.com/karmada-io/karmada/pkg/webhook/propagationpolicy"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

var decoder = admission.NewDecoder(gclient.NewSchema())

var mutating = map[string]admission.Handler{
	"PropagationPolicy":        propagationpolicy.NewMutatingHandler(decoder),
	"ClusterPropagationPolicy": clusterpropagationpolicy.NewMutatingHandler(decoder),
	"OverridePolicy":           &overridepolicy.MutatingAdmission{Decoder: decoder},
}

var validating = map[string]admission.Handler{
	"PropagationPolicy":        &propagationpolicy.ValidatingAdmission{Decoder: decoder},
	"ClusterPropagationPolicy": &clusterpropagationpolicy.ValidatingAdmission{Decoder: decoder},
	"OverridePolicy":           &overridepolicy.ValidatingAdmission{Decoder: decoder},
	"ClusterOverridePolicy":    &clusteroverridepolicy.ValidatingAdmission{Decoder: decoder},
}

func admitPolicy(input json.RawMessage) (any, error) {
	var asked struct {
		Namespace string                `json:"namespace"`
		Operation admissionv1.Operation `json:"operation"`
		Policy    json.RawMessage       `json:"policy"`
		// OldPolicy is what an update replaces.
		OldPolicy json.RawMessage `json:"oldPolicy"`
	}
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	var kind metav1.TypeMeta
	if err := json.Unmarshal(asked.Policy, &kind); err != nil {
		return nil, err
	}
	if validating[kind.Kind] == nil {
		return nil, fmt.Errorf("no webhook for %s", kind.Kind)
	}
	request := func(object []byte) admission.Request {
		return admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
			Namespace: asked.Namespace,
			Operation: asked.Operation,
			Object:    runtime.RawExtension{Raw: object},
			OldObject: runtime.RawExtension{Raw: asked.OldPolicy},
		}}
	}
	answer := map[string]any{}
	stored := []byte(asked.Policy)
	if handler := mutating[kind.Kind]; handler != nil {
		response := handler.Handle(context.Background(), request(stored))
		if !response.Allowed {
			return map[string]any{"allowed": false, "message": response.Result.Message}, nil
		}
		patched, err := apply(stored, response)
		if err != nil {
			return nil, err
		}
		stored = patched
		var object map[string]any
		if err := json.Unmarshal(stored, &object); err != nil {
			return nil, err
		}
		if asked.Operation == admissionv1.Create {
			hideNewID(object)
		}
		answer["defaulted"] = object
	}
	response := validating[kind.Kind].Handle(context.Background(), request(stored))
	answer["allowed"] = response.Allowed
	if !response.Allowed && response.Result != nil {
		answer["message"] = response.Result.Message
	}
	return answer, nil
}

func apply(object []byte, response admission.Response) ([]byte, error) {
	if len(response.Patches) == 0 {
		return object, nil
	}
	text, err := json.Marshal(response.Patches)
	if err != nil {
		return nil, err
	}
	patch, err := jsonpatch.DecodePatch(text)
	if err != nil {
		return nil, err
	}
	return patch.Apply(object)
}

// hideNewID replaces the identifier that is new in every run.
func hideNewID(object map[string]any) {
	metadata, _ := object["metadata"].(map[string]any)
	labels, _ := metadata["labels"].(map[string]any)
	for _, label := range []string{policyv1alpha1.PropagationPolicyPermanentIDLabel, policyv1alpha1.ClusterPropagationPolicyPermanentIDLabel} {
		if kind := object["kind"]; labels[label] != nil && ((kind == "PropagationPolicy") == (label == policyv1alpha1.PropagationPolicyPermanentIDLabel)) {
			labels[label] = "<uuid>"
		}
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"time"

	configv1alpha1 "github.com/karmada-io/karmada/pkg/apis/config/v1alpha1"
	workv1alpha2 "github.com/karmada-io/karmada/pkg/apis/work/v1alpha2"
	"github.com/karmada-io/karmada/pkg/resourceinterpreter/customized/declarative"
	"github.com/karmada-io/karmada/pkg/resourceinterpreter/customized/declarative/luavm"
	"github.com/karmada-io/karmada/pkg/resourceinterpreter/default/native"
	"github.com/karmada-io/karmada/pkg/resourceinterpreter/default/thirdparty"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// level is what the declarative levels have in common; the native one is wrapped to look the same.
type level interface {
	HookEnabled(kind schema.GroupVersionKind, operation configv1alpha1.InterpreterOperation) bool
	GetReplicas(*unstructured.Unstructured) (int32, *workv1alpha2.ReplicaRequirements, bool, error)
	GetComponents(*unstructured.Unstructured) ([]workv1alpha2.Component, bool, error)
	ReviseReplica(*unstructured.Unstructured, int64) (*unstructured.Unstructured, bool, error)
	Retain(*unstructured.Unstructured, *unstructured.Unstructured) (*unstructured.Unstructured, bool, error)
	AggregateStatus(*unstructured.Unstructured, []workv1alpha2.AggregatedStatusItem) (*unstructured.Unstructured, bool, error)
	GetDependencies(*unstructured.Unstructured) ([]configv1alpha1.DependentObjectReference, bool, error)
	ReflectStatus(*unstructured.Unstructured) (*runtime.RawExtension, bool, error)
	InterpretHealth(*unstructured.Unstructured) (bool, bool, error)
}

type nativeLevel struct{ *native.DefaultInterpreter }

func (n nativeLevel) GetReplicas(o *unstructured.Unstructured) (int32, *workv1alpha2.ReplicaRequirements, bool, error) {
	replicas, requirements, err := n.DefaultInterpreter.GetReplicas(o)
	return replicas, requirements, true, err
}

func (n nativeLevel) GetComponents(o *unstructured.Unstructured) ([]workv1alpha2.Component, bool, error) {
	components, err := n.DefaultInterpreter.GetComponents(o)
	return components, true, err
}

func (n nativeLevel) ReviseReplica(o *unstructured.Unstructured, replica int64) (*unstructured.Unstructured, bool, error) {
	revised, err := n.DefaultInterpreter.ReviseReplica(o, replica)
	return revised, true, err
}

func (n nativeLevel) Retain(desired, observed *unstructured.Unstructured) (*unstructured.Unstructured, bool, error) {
	retained, err := n.DefaultInterpreter.Retain(desired, observed)
	return retained, true, err
}

func (n nativeLevel) AggregateStatus(o *unstructured.Unstructured, items []workv1alpha2.AggregatedStatusItem) (*unstructured.Unstructured, bool, error) {
	aggregated, err := n.DefaultInterpreter.AggregateStatus(o, items)
	return aggregated, true, err
}

func (n nativeLevel) GetDependencies(o *unstructured.Unstructured) ([]configv1alpha1.DependentObjectReference, bool, error) {
	dependencies, err := n.DefaultInterpreter.GetDependencies(o)
	return dependencies, true, err
}

func (n nativeLevel) ReflectStatus(o *unstructured.Unstructured) (*runtime.RawExtension, bool, error) {
	status, err := n.DefaultInterpreter.ReflectStatus(o)
	return status, true, err
}

func (n nativeLevel) InterpretHealth(o *unstructured.Unstructured) (bool, bool, error) {
	healthy, err := n.DefaultInterpreter.InterpretHealth(o)
	return healthy, true, err
}

var (
	nativeOnce     = sync.OnceValue(func() nativeLevel { return nativeLevel{native.NewDefaultInterpreter()} })
	thirdPartyOnce = sync.OnceValue(thirdparty.NewConfigurableInterpreter)
)

// freshStates gives a declarative level Lua states that no other script has left globals in.
func freshStates(of any) {
	hidden(of, "luaVM").Set(reflect.ValueOf(luavm.New(false, 1)))
}

type interpretInput struct {
	Level          string                                             `json:"level"`
	Customizations []*configv1alpha1.ResourceInterpreterCustomization `json:"customizations"`
	Operation      configv1alpha1.InterpreterOperation                `json:"operation"`
	Object         *unstructured.Unstructured                         `json:"object"`
	Desired        *unstructured.Unstructured                         `json:"desired"`
	Observed       *unstructured.Unstructured                         `json:"observed"`
	Replica        int64                                              `json:"replica"`
	Items          []workv1alpha2.AggregatedStatusItem                `json:"items"`
}

func (input interpretInput) asked() (level, error) {
	switch input.Level {
	case "native":
		return nativeOnce(), nil
	case "thirdparty":
		freshStates(thirdPartyOnce())
		return thirdPartyOnce(), nil
	case "custom", "":
		made := declarative.NewConfigurableInterpreter(nil)
		made.LoadConfig(input.Customizations)
		return made, nil
	}
	return nil, fmt.Errorf("unknown level %q", input.Level)
}

func interpret(input json.RawMessage) (any, error) {
	var asked interpretInput
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	one, err := asked.asked()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	answer, err := callLevel(one, asked)
	if err != nil {
		return map[string]any{"error": err.Error()}, nil
	}
	return withoutClock(answer, started)
}

func callLevel(one level, asked interpretInput) (map[string]any, error) {
	object := asked.Object
	if object == nil {
		object = asked.Desired
	}
	if !one.HookEnabled(object.GroupVersionKind(), asked.Operation) && asked.Operation != configv1alpha1.InterpreterOperationInterpretStatus {
		return nil, fmt.Errorf("no hook")
	}
	switch asked.Operation {
	case configv1alpha1.InterpreterOperationInterpretReplica:
		replicas, requirements, _, err := one.GetReplicas(object)
		answer := map[string]any{"replicas": replicas}
		if requirements != nil {
			answer["requirements"] = requirements
		}
		return answer, err
	case configv1alpha1.InterpreterOperationInterpretComponent:
		components, _, err := one.GetComponents(object)
		return map[string]any{"components": components}, err
	case configv1alpha1.InterpreterOperationReviseReplica:
		revised, _, err := one.ReviseReplica(object, asked.Replica)
		return map[string]any{"object": revised}, err
	case configv1alpha1.InterpreterOperationRetain:
		retained, _, err := one.Retain(object, asked.Observed)
		return map[string]any{"object": retained}, err
	case configv1alpha1.InterpreterOperationAggregateStatus:
		aggregated, _, err := one.AggregateStatus(object, asked.Items)
		return map[string]any{"object": aggregated}, err
	case configv1alpha1.InterpreterOperationInterpretDependency:
		dependencies, _, err := one.GetDependencies(object)
		return map[string]any{"dependencies": dependencies, "anyOrder": true}, err
	case configv1alpha1.InterpreterOperationInterpretStatus:
		status, _, err := one.ReflectStatus(object)
		return map[string]any{"status": status}, err
	case configv1alpha1.InterpreterOperationInterpretHealth:
		healthy, _, err := one.InterpretHealth(object)
		return map[string]any{"healthy": healthy}, err
	}
	return nil, fmt.Errorf("unknown operation %q", asked.Operation)
}

// withoutClock is the answer as JSON, with "<now>" in place of every time that was read from the clock since `since`.
func withoutClock(answer any, since time.Time) (any, error) {
	text, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		return nil, err
	}
	return replaceTimes(plain, since.Truncate(time.Second)), nil
}

func replaceTimes(value any, since time.Time) any {
	switch typed := value.(type) {
	case map[string]any:
		for key, inner := range typed {
			typed[key] = replaceTimes(inner, since)
		}
	case []any:
		for index, inner := range typed {
			typed[index] = replaceTimes(inner, since)
		}
	case string:
		if at, err := time.Parse(time.RFC3339, typed); err == nil && !at.Before(since) && at.Before(since.Add(time.Minute)) {
			return "<now>"
		}
	}
	return value
}

// benchInterpret asks the same again and again and counts. Lua states are pooled, as in Karmada.
func benchInterpret(input json.RawMessage) (any, error) {
	var asked struct {
		interpretInput
		Seconds float64 `json:"seconds"`
	}
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	one, err := asked.asked()
	if err != nil {
		return nil, err
	}
	return measure(time.Duration(asked.Seconds*float64(time.Second)), func() error {
		_, err := callLevel(one, asked.interpretInput)
		return err
	})
}

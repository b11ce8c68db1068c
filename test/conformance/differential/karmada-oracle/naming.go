package main

import (
	"encoding/json"
	"fmt"

	"github.com/karmada-io/karmada/pkg/util/names"
)

var namings = map[string]func(a, b, c string) any{
	"GenerateBindingName":             func(a, b, _ string) any { return names.GenerateBindingName(a, b) },
	"GenerateWorkName":                func(a, b, c string) any { return names.GenerateWorkName(a, b, c) },
	"GenerateBindingReferenceKey":     func(a, b, _ string) any { return names.GenerateBindingReferenceKey(a, b) },
	"GeneratePolicyName":              func(a, b, c string) any { return names.GeneratePolicyName(a, b, c) },
	"GenerateExecutionSpaceName":      func(a, _, _ string) any { return names.GenerateExecutionSpaceName(a) },
	"GenerateServiceAccountName":      func(a, _, _ string) any { return names.GenerateServiceAccountName(a) },
	"GenerateRoleName":                func(a, _, _ string) any { return names.GenerateRoleName(a) },
	"GenerateImpersonationSecretName": func(a, _, _ string) any { return names.GenerateImpersonationSecretName(a) },
	"GenerateEstimatorServiceName":    func(a, b, _ string) any { return names.GenerateEstimatorServiceName(a, b) },
	"GenerateEndpointSliceName":       func(a, b, _ string) any { return names.GenerateEndpointSliceName(a, b) },
	"GenerateDerivedServiceName":      func(a, _, _ string) any { return names.GenerateDerivedServiceName(a) },
	"IsReservedNamespace":             func(a, _, _ string) any { return names.IsReservedNamespace(a) },
	"GetClusterName": func(a, _, _ string) any {
		cluster, err := names.GetClusterName(a)
		if err != nil {
			return map[string]any{"error": err.Error()}
		}
		return map[string]any{"cluster": cluster}
	},
}

func callNaming(input json.RawMessage) (any, error) {
	var asked struct {
		Function string   `json:"function"`
		Args     []string `json:"args"`
	}
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	call, known := namings[asked.Function]
	if !known {
		return nil, fmt.Errorf("no function %s", asked.Function)
	}
	args := append(asked.Args, "", "", "")
	return map[string]any{"result": call(args[0], args[1], args[2])}, nil
}

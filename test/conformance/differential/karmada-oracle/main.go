// Karmada's own answers to cases, as JSON lines: one `{id, op, input}` a line in, one `{id, answer}` a line out.
// Everything that decides is Karmada's code, called in this process; this program only gives it the input and writes down
// what it says.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/karmada-io/karmada/pkg/features"
	"k8s.io/klog/v2"
)

type request struct {
	ID    string          `json:"id"`
	Op    string          `json:"op"`
	Input json.RawMessage `json:"input"`
}

type response struct {
	ID     string `json:"id"`
	Answer any    `json:"answer,omitempty"`
	// Panic is what Karmada died of on this input.
	Panic string `json:"panic,omitempty"`
	// Problem is why this program could not ask at all.
	Problem string `json:"problem,omitempty"`
}

// gated is the part of every input that names the feature gates which differ from Karmada's defaults.
type gated struct {
	FeatureGates map[string]bool `json:"featureGates"`
}

var operations = map[string]func(json.RawMessage) (any, error){
	"fleet":            setFleet,
	"schedule":         schedule,
	"schedule-process": scheduleProcess,
	"estimate":         estimate,
	"match":            match,
	"policy-admission": admitPolicy,
	"binding":          buildBinding,
	"naming":           callNaming,
	"bench":            bench,
	"override":         override,
	"bench-override":   benchOverride,
	"interpret":        interpret,
	"bench-interpret":  benchInterpret,
	"work":             buildWorks,
	"status":           collectStatus,
}

func main() {
	logs := flag.NewFlagSet("logs", flag.ExitOnError)
	klog.InitFlags(logs)
	_ = logs.Set("logtostderr", "false")
	_ = logs.Set("stderrthreshold", "FATAL")
	klog.SetOutput(io.Discard)

	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<28)
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for lines.Scan() {
		if err := encoder.Encode(answer(lines.Bytes())); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := out.Flush(); err != nil {
			os.Exit(1)
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answer(line []byte) (result response) {
	var asked request
	if err := json.Unmarshal(line, &asked); err != nil {
		return response{Problem: err.Error()}
	}
	result.ID = asked.ID
	operation, known := operations[asked.Op]
	if !known {
		result.Problem = "unknown op " + asked.Op
		return result
	}
	defer func() {
		if problem := recover(); problem != nil {
			result.Panic = fmt.Sprintf("%v\n%s", problem, debug.Stack())
		}
	}()
	restore, err := setGates(asked.Input)
	if err != nil {
		result.Problem = err.Error()
		return result
	}
	defer restore()
	value, err := operation(asked.Input)
	if err != nil {
		result.Problem = err.Error()
		return result
	}
	result.Answer = value
	return result
}

// setGates sets the gates an input names and returns what sets them back.
func setGates(input json.RawMessage) (func(), error) {
	var wanted gated
	if err := json.Unmarshal(input, &wanted); err != nil {
		return nil, err
	}
	before := map[string]bool{}
	for name := range wanted.FeatureGates {
		for known := range features.FeatureGate.GetAll() {
			if string(known) == name {
				before[name] = features.FeatureGate.Enabled(known)
			}
		}
	}
	if err := features.FeatureGate.SetFromMap(wanted.FeatureGates); err != nil {
		return nil, err
	}
	return func() { _ = features.FeatureGate.SetFromMap(before) }, nil
}

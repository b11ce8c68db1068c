package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"
	"unsafe"

	workv1alpha2 "github.com/karmada-io/karmada/pkg/apis/work/v1alpha2"
	"github.com/karmada-io/karmada/pkg/features"
	karmadafake "github.com/karmada-io/karmada/pkg/generated/clientset/versioned/fake"
	informerfactory "github.com/karmada-io/karmada/pkg/generated/informers/externalversions"
	program "github.com/karmada-io/karmada/pkg/scheduler"
	"github.com/karmada-io/karmada/pkg/util"
	"github.com/karmada-io/karmada/pkg/util/gclient"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	kubefake "k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/record"
)

// doSchedule is what the scheduler does with one key of its queue.
//
//go:linkname doSchedule github.com/karmada-io/karmada/pkg/scheduler.(*Scheduler).doSchedule
func doSchedule(s *program.Scheduler, key string) error

type schedulerProgram struct {
	*program.Scheduler
	informers informerfactory.SharedInformerFactory
}

var programs = map[[2]bool]*schedulerProgram{}

func programFor(withAffinity, withEmpty bool) (*schedulerProgram, error) {
	key := [2]bool{withAffinity, withEmpty}
	if known := programs[key]; known != nil {
		return known, nil
	}
	made, err := program.NewScheduler(
		dynamicfake.NewSimpleDynamicClient(gclient.NewSchema()),
		karmadafake.NewSimpleClientset(),
		kubefake.NewSimpleClientset(),
		program.WithSchedulerName(program.DefaultScheduler),
		program.WithEnableSchedulerPlugin([]string{"*"}),
		program.WithEnableEmptyWorkloadPropagation(withEmpty),
	)
	if err != nil {
		return nil, err
	}
	// Objects are put where its informers would put them, and events go nowhere.
	informers, ok := hidden(made, "informerFactory").Interface().(informerfactory.SharedInformerFactory)
	if !ok {
		return nil, errors.New("the scheduler has no informers")
	}
	hidden(made, "eventRecorder").Set(reflect.ValueOf(record.EventRecorder(&record.FakeRecorder{})))
	programs[key] = &schedulerProgram{made, informers}
	return programs[key], nil
}

// hidden is a field that the package keeps to itself.
func hidden(of any, name string) reflect.Value {
	field := reflect.ValueOf(of).Elem().FieldByName(name)
	return reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
}

func scheduleProcess(input json.RawMessage) (any, error) {
	plain, err := processOnce(input)
	if err != nil || stableSort == nil {
		return plain, err
	}
	stableSort(true)
	other, err := processOnce(input)
	stableSort(false)
	if err != nil {
		return nil, err
	}
	targets := func(answer map[string]any) map[string]any { return map[string]any{"clusters": answer["clusters"]} }
	if sameAnswer(targets(plain), targets(other)) {
		return plain, nil
	}
	return map[string]any{"outcomes": []any{plain, other}}, nil
}

func processOnce(input json.RawMessage) (map[string]any, error) {
	var asked struct {
		Fleet                          string          `json:"fleet"`
		Binding                        json.RawMessage `json:"binding"`
		EnableEmptyWorkloadPropagation bool            `json:"enableEmptyWorkloadPropagation"`
	}
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	clusters, known := fleets[asked.Fleet]
	if !known {
		return nil, fmt.Errorf("fleet %q was not sent", asked.Fleet)
	}
	one, err := programFor(features.FeatureGate.Enabled(features.WorkloadAffinity), asked.EnableEmptyWorkloadPropagation)
	if err != nil {
		return nil, err
	}
	if err := one.informers.Cluster().V1alpha1().Clusters().Informer().GetIndexer().Replace(asObjects(clusters), ""); err != nil {
		return nil, err
	}
	var kind metav1.TypeMeta
	if err := json.Unmarshal(asked.Binding, &kind); err != nil {
		return nil, err
	}
	if kind.Kind == "ClusterResourceBinding" {
		return one.scheduleCluster(asked.Binding)
	}
	return one.scheduleNamespaced(asked.Binding)
}

func (s *schedulerProgram) scheduleNamespaced(text json.RawMessage) (map[string]any, error) {
	var before workv1alpha2.ResourceBinding
	if err := json.Unmarshal(text, &before); err != nil {
		return nil, err
	}
	indexer := s.informers.Work().V1alpha2().ResourceBindings().Informer().GetIndexer()
	if err := indexer.Replace([]any{before.DeepCopy()}, ""); err != nil {
		return nil, err
	}
	client := karmadafake.NewSimpleClientset(before.DeepCopy())
	s.KarmadaClient = client
	_ = doSchedule(s.Scheduler, before.Namespace+"/"+before.Name)
	after, err := client.WorkV1alpha2().ResourceBindings(before.Namespace).Get(context.Background(), before.Name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	return written(before.ObjectMeta, after.ObjectMeta, before.Spec, after.Spec, before.Status, after.Status), nil
}

func (s *schedulerProgram) scheduleCluster(text json.RawMessage) (map[string]any, error) {
	var before workv1alpha2.ClusterResourceBinding
	if err := json.Unmarshal(text, &before); err != nil {
		return nil, err
	}
	indexer := s.informers.Work().V1alpha2().ClusterResourceBindings().Informer().GetIndexer()
	if err := indexer.Replace([]any{before.DeepCopy()}, ""); err != nil {
		return nil, err
	}
	client := karmadafake.NewSimpleClientset(before.DeepCopy())
	s.KarmadaClient = client
	_ = doSchedule(s.Scheduler, before.Name)
	after, err := client.WorkV1alpha2().ClusterResourceBindings().Get(context.Background(), before.Name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	return written(before.ObjectMeta, after.ObjectMeta, before.Spec, after.Spec, before.Status, after.Status), nil
}

func written(
	beforeMeta, afterMeta metav1.ObjectMeta,
	beforeSpec, afterSpec workv1alpha2.ResourceBindingSpec,
	beforeStatus, afterStatus workv1alpha2.ResourceBindingStatus,
) map[string]any {
	changed := !apiequality.Semantic.DeepEqual(beforeMeta.Annotations, afterMeta.Annotations) ||
		!apiequality.Semantic.DeepEqual(beforeSpec, afterSpec) || !apiequality.Semantic.DeepEqual(beforeStatus, afterStatus)
	var conditions []map[string]any
	for _, condition := range afterStatus.Conditions {
		shown := map[string]any{
			"type": condition.Type, "status": condition.Status, "reason": condition.Reason, "message": condition.Message,
			"lastTransitionTime": clockText(&condition.LastTransitionTime),
		}
		if condition.ObservedGeneration != 0 {
			shown["observedGeneration"] = condition.ObservedGeneration
		}
		conditions = append(conditions, shown)
	}
	return map[string]any{
		"appliedPlacement":              afterMeta.Annotations[util.PolicyPlacementAnnotation],
		"changed":                       changed,
		"clusters":                      afterSpec.Clusters,
		"conditions":                    conditions,
		"lastScheduledTime":             clockText(afterStatus.LastScheduledTime),
		"schedulerObservedAffinityName": afterStatus.SchedulerObservedAffinityName,
		"schedulerObservedGeneration":   afterStatus.SchedulerObservedGeneration,
	}
}

// clockText is the time, or <now> for a reading of the clock during this case.
func clockText(at *metav1.Time) any {
	if at == nil || at.IsZero() {
		return nil
	}
	if time.Since(at.Time) < time.Hour {
		return "<now>"
	}
	return at.UTC().Format(time.RFC3339)
}

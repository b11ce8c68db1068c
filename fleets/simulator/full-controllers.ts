// The controllers of a cluster at level `full`.
import { autoscalerController } from "./controllers/autoscaling/autoscaler-controller.ts";
import { cronJobController } from "./controllers/cron-job/cron-job-controller.ts";
import { daemonSetController } from "./controllers/daemon-set/daemon-set-controller.ts";
import { deploymentController } from "./controllers/deployment/deployment-controller.ts";
import { disruptionController, staleDisruptionController } from "./controllers/disruption/disruption-controller.ts";
import { jobController } from "./controllers/job/job-controller.ts";
import { jobPodRelease } from "./controllers/job/job-pod-release.ts";
import { ttlController } from "./controllers/job/ttl-controller.ts";
import { endpointSliceController } from "./controllers/network/endpoint-slice-controller.ts";
import { endpointsController } from "./controllers/network/endpoints-controller.ts";
import { ingressController, loadBalancerController } from "./controllers/network/load-balancer-controller.ts";
import { resourceQuotaController } from "./controllers/quota/resource-quota-controller.ts";
import { replicaSetController, replicationController } from "./controllers/replica-set/replica-set-controller.ts";
import { statefulSetController } from "./controllers/stateful-set/stateful-set-controller.ts";
import { storageDriver } from "./controllers/volumes/storage-driver.ts";
import { volumeBinder } from "./controllers/volumes/volume-binder.ts";
import { volumeExpander } from "./controllers/volumes/volume-expansion.ts";
import type { Controller } from "./kernel/controller.ts";
import { kubelet } from "./kubelet/kubelet.ts";
import { nodeLifecycleController } from "./node-lifecycle/node-lifecycle-controller.ts";
import { podGcController } from "./node-lifecycle/pod-gc-controller.ts";
import { taintEvictionController } from "./node-lifecycle/taint-eviction-controller.ts";
import { podScheduler } from "./scheduler/pod-scheduler.ts";

/** All of them, made anew for one cluster, in the order in which they take turns. */
export function fullControllers(): Controller[] {
  return [
    podScheduler(),
    kubelet(),
    replicaSetController(),
    deploymentController(),
    replicationController(),
    statefulSetController(),
    daemonSetController(),
    nodeLifecycleController(),
    taintEvictionController(),
    podGcController(),
    cronJobController(),
    jobController(),
    jobPodRelease(),
    ttlController(),
    autoscalerController(),
    disruptionController(),
    staleDisruptionController(),
    volumeBinder(),
    storageDriver(),
    volumeExpander(),
    endpointSliceController(),
    endpointsController(),
    loadBalancerController(),
    ingressController(),
    resourceQuotaController(),
  ];
}

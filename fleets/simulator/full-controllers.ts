// The controllers of a cluster at level `full`.
import { cronJobController } from "./controllers/cron-job/cron-job-controller.ts";
import { daemonSetController } from "./controllers/daemon-set/daemon-set-controller.ts";
import { deploymentController } from "./controllers/deployment/deployment-controller.ts";
import { jobController } from "./controllers/job/job-controller.ts";
import { jobPodRelease } from "./controllers/job/job-pod-release.ts";
import { ttlController } from "./controllers/job/ttl-controller.ts";
import { endpointSliceController } from "./controllers/network/endpoint-slice-controller.ts";
import { endpointsController } from "./controllers/network/endpoints-controller.ts";
import { ingressController, loadBalancerController } from "./controllers/network/load-balancer-controller.ts";
import { replicaSetController, replicationController } from "./controllers/replica-set/replica-set-controller.ts";
import { statefulSetController } from "./controllers/stateful-set/stateful-set-controller.ts";
import { storageDriver } from "./controllers/volumes/storage-driver.ts";
import { volumeBinder } from "./controllers/volumes/volume-binder.ts";
import { volumeExpander } from "./controllers/volumes/volume-expansion.ts";
import type { Controller } from "./kernel/controller.ts";
import { kubelet } from "./kubelet/kubelet.ts";
import { podScheduler } from "./scheduler/pod-scheduler.ts";

/** All of them, made anew for one cluster. Their order breaks no tie: what comes first is served first. */
export function fullControllers(): Controller[] {
  return [
    // Before the Deployments': who owns hears of a change after who is meant, as with informers' queues.
    replicaSetController(),
    deploymentController(),
    replicationController(),
    statefulSetController(),
    daemonSetController(),
    cronJobController(),
    jobController(),
    jobPodRelease(),
    ttlController(),
    volumeBinder(),
    storageDriver(),
    volumeExpander(),
    endpointSliceController(),
    endpointsController(),
    loadBalancerController(),
    ingressController(),
    podScheduler(),
    kubelet(),
  ];
}

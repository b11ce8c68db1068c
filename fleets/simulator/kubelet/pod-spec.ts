// A Pod's spec as the kubelet reads it: the server has checked and defaulted it.
import type { KubeObject } from "../../../kube/object.ts";

export interface Probe {
  readonly initialDelaySeconds?: number;
  readonly periodSeconds?: number;
  readonly failureThreshold?: number;
  readonly successThreshold?: number;
  readonly exec?: unknown;
  readonly httpGet?: { readonly path?: string; readonly port?: number | string; readonly scheme?: string };
  readonly tcpSocket?: { readonly port?: number | string };
  readonly grpc?: { readonly port?: number };
}

interface KeySource {
  readonly name?: string;
  readonly key: string;
  readonly optional?: boolean;
}

interface WholeSource {
  readonly name?: string;
  readonly optional?: boolean;
}

interface RestartRule {
  readonly action: string;
  readonly exitCodes?: { readonly operator: string; readonly values?: readonly number[] };
}

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly imagePullPolicy?: "Always" | "IfNotPresent" | "Never";
  readonly restartPolicy?: "Always" | "OnFailure" | "Never";
  readonly restartPolicyRules?: readonly RestartRule[];
  readonly env?: readonly {
    readonly name: string;
    readonly valueFrom?: { readonly configMapKeyRef?: KeySource; readonly secretKeyRef?: KeySource };
  }[];
  readonly envFrom?: readonly { readonly configMapRef?: WholeSource; readonly secretRef?: WholeSource }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds?: number } } };
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
    readonly recursiveReadOnly?: string;
  }[];
}

interface Volume {
  readonly name: string;
  readonly configMap?: VolumeSource & { readonly name?: string };
  readonly secret?: VolumeSource & { readonly secretName?: string };
  readonly projected?: {
    readonly sources?: readonly {
      readonly configMap?: VolumeSource & { readonly name?: string };
      readonly secret?: VolumeSource & { readonly name?: string };
    }[];
  };
}

interface VolumeSource {
  readonly optional?: boolean;
  readonly items?: readonly { readonly key: string }[];
}

export interface PodSpec {
  readonly nodeName?: string;
  readonly hostNetwork?: boolean;
  readonly restartPolicy?: "Always" | "OnFailure" | "Never";
  readonly terminationGracePeriodSeconds?: number;
  readonly activeDeadlineSeconds?: number;
  readonly readinessGates?: readonly { readonly conditionType: string }[];
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
}

/** The Pod's `spec`. */
export function specOf(pod: KubeObject): PodSpec {
  // The server refuses Pods of another form.
  return (pod["spec"] ?? { containers: [] }) as PodSpec;
}

/** `sidecar`: an init container that is kept running; `init`: one that must end; `main`: the rest. */
export type ContainerRole = "init" | "sidecar" | "main";

/** Whether an init container goes on running beside the others. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

/** All containers in the order of their start, with what they are. */
export function containersOf(spec: PodSpec): { readonly container: Container; readonly role: ContainerRole }[] {
  const init = (spec.initContainers ?? []).map((container) => ({
    container,
    role: isSidecar(container) ? ("sidecar" as const) : ("init" as const),
  }));
  return [...init, ...spec.containers.map((container) => ({ container, role: "main" as const }))];
}

/** Whether a container that ended with `exitCode` is to run again: its own rules, then its policy, then the Pod's. */
export function shouldRestart(container: Container, spec: PodSpec, exitCode: number): boolean {
  if (container.restartPolicy !== undefined) {
    const rule = (container.restartPolicyRules ?? []).find(({ exitCodes }) => {
      const isListed = exitCodes?.values?.includes(exitCode) === true;
      return exitCodes?.operator === "In" ? isListed : exitCodes?.operator === "NotIn" && !isListed;
    });
    if (rule !== undefined && (rule.action === "Restart" || rule.action === "RestartAllContainers")) return true;
  }
  const policy = container.restartPolicy ?? spec.restartPolicy ?? "Always";
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/** How the kubelet names a Pod in messages. */
export function podDescription(pod: KubeObject): string {
  const { name = "", namespace = "", uid = "" } = pod.metadata;
  return `${name}_${namespace}(${uid})`;
}

// Which estimators are asked beside what clusters report of themselves.

export interface EstimatorProfile {
  /** Estimate from the nodes and pods of the members, which are watched anyway. */
  readonly inProcess: boolean;
  /** Ask Karmada's estimators in or beside the members. */
  readonly remote: RemoteEstimatorProfile | undefined;
  /** Answer Karmada's schedulers and deschedulers about all members. */
  readonly serving: EstimatorServingProfile | undefined;
}

/** As Karmada's scheduler is told of them. */
export interface RemoteEstimatorProfile {
  /** Longest wait for all clusters together. */
  readonly timeoutMs: number;
  readonly port: number;
  /** An estimator is reached by Service `<prefix>-<cluster>`. */
  readonly servicePrefix: string;
  readonly serviceNamespace: string;
  /** Leave out clusters whose sync mode is Pull. */
  readonly skipsPull: boolean;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly caFile: string | undefined;
  /** TLS with whatever certificate the other side has. */
  readonly insecureSkipVerify: boolean;
}

export interface EstimatorServingProfile {
  readonly host: string;
  readonly port: number;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** Authorities of clients' certificates. */
  readonly clientCaFile: string | undefined;
  readonly insecureSkipClientVerify: boolean;
}

export const NO_ESTIMATORS: EstimatorProfile = { inProcess: false, remote: undefined, serving: undefined };

// The parts of a CronJob that its controller looks at.
import { isObject, type KubeObject } from "../../../../kube/object.ts";

interface CronJobSpec {
  readonly schedule: string;
  readonly timeZone?: string;
  readonly startingDeadlineSeconds?: number;
  readonly concurrencyPolicy?: string;
  readonly suspend?: boolean;
  readonly successfulJobsHistoryLimit?: number;
  readonly failedJobsHistoryLimit?: number;
  readonly jobTemplate: {
    readonly metadata?: {
      readonly labels?: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly spec: Readonly<Record<string, unknown>>;
  };
}

interface JobReference {
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly apiVersion?: string;
  readonly resourceVersion?: string;
}

/** A CronJob's status while it is worked out. */
export interface CronJobStatus {
  active?: readonly JobReference[];
  lastScheduleTime?: string;
  lastSuccessfulTime?: string;
}

export interface CronJob extends KubeObject {
  readonly spec: CronJobSpec;
  readonly status: CronJobStatus;
}

/** A CronJob of the store, as its controller reads it. */
export function cronJobOf(object: KubeObject): CronJob {
  // The server has checked and completed every CronJob that it holds; only a status may be absent.
  return (isObject(object["status"]) ? object : { ...object, status: {} }) as CronJob;
}

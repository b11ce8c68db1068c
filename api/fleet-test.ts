// test.flaghoist.io/v1alpha1: a file of fleet tests, `*.fleet.yaml` in a repository. Never stored in the API.
import { z } from "zod";

/** The API version of fleet tests. */
export const FLEET_TEST_VERSION = "test.flaghoist.io/v1alpha1";

const PARTS = ["cluster", "zone", "region", "provider"] as const;

const words = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
const labels = z.record(z.string(), z.string());
const amount = z.int().min(0);

const clustersSchema = z.strictObject({
  names: words.optional().describe("Names of clusters."),
  provider: words.optional().describe("One of these providers."),
  region: words.optional().describe("One of these regions."),
  zone: words.optional().describe("Stands in one of these zones."),
  labels: labels.optional().describe("Has these labels."),
});
/** Clusters by what they are; all that is said must hold, and nothing means every cluster. */
export type TestedClusters = z.output<typeof clustersSchema>;

// Not `on`: YAML 1.1 takes that for true.
const inClusters = clustersSchema
  .optional()
  .describe("Looks only at copies in these clusters. The default is every cluster.");

const amountFields = {
  atLeast: amount.optional().describe("So many or more."),
  atMost: amount.optional().describe("So many or fewer."),
  exactly: amount.optional().describe("So many."),
};

const objectsSchema = z
  .strictObject({
    apiVersion: z.string().optional().describe("apps/v1; needed only where several groups have the kind."),
    kind: z.string().min(1).describe("Deployment."),
    namespace: z
      .string()
      .optional()
      .describe("The namespace; `*` stands for anything. The default is every namespace."),
    name: z.string().optional().describe("The name; `*` stands for anything. The default is every name."),
    labels: labels.optional().describe("Has these labels."),
  })
  .describe("The objects that are looked at.");
/** Objects of the control plane. */
export type TestedObjects = z.output<typeof objectsSchema>;

const whenLostSchema = z
  .strictObject({
    any: z.enum(PARTS).optional().describe("Each cluster, zone, region or provider, one at a time."),
    cluster: z.string().optional().describe("This cluster."),
    zone: z.string().optional().describe("All clusters that stand in this zone and in no other."),
    region: z.string().optional().describe("All clusters of this region."),
    provider: z.string().optional().describe("All clusters of this provider."),
  })
  .refine((lost) => Object.values(lost).filter((value) => value !== undefined).length === 1, {
    message: "needs one of any, cluster, zone, region, provider",
  })
  .describe("What stops answering.");
export type WhenLost = z.output<typeof whenLostSchema>;

const fieldSchema = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .describe("`spec.template.spec.containers[web].image`; `[*]` is each item, and at least one must be there."),
    equals: z.unknown().optional().describe("Has this value."),
    matches: z.string().optional().describe("Is text that this regular expression (RE2) matches, in part."),
    absent: z.literal(true).optional().describe("Is not there."),
    in: inClusters,
  })
  .refine(
    ({ equals, matches, absent }) => [equals, matches, absent].filter((value) => value !== undefined).length === 1,
    { message: "needs one of equals, matches, absent" },
  );
export type TestedField = z.output<typeof fieldSchema>;

const expectSchema = z
  .strictObject({
    replicas: z
      .strictObject({ ...amountFields, in: inClusters })
      .optional()
      .describe("How many replicas there are in all."),
    copies: z
      .strictObject({ ...amountFields, in: inClusters })
      .optional()
      .describe("On how many clusters there is a copy."),
    survives: z
      .strictObject({
        whenLost: whenLostSchema,
        atLeast: z
          .union([amount, z.literal("budget")])
          .describe(
            "Replicas that are left; `budget`: as many as the strictest PodDisruptionBudget of its Pods says, and one without any.",
          ),
        counting: z
          .enum(["atOnce", "recovered"])
          .default("atOnce")
          .describe("atOnce: those that go on; recovered: with those that failover has moved. The default is atOnce."),
      })
      .optional()
      .describe("How many replicas are left when a part of the fleet is lost."),
    onlyOn: clustersSchema.optional().describe("No copy is on any other cluster."),
    neverOn: clustersSchema.optional().describe("No copy is on any of these clusters."),
    presentOn: clustersSchema.optional().describe("A copy is on each of these clusters."),
    absent: z.literal(true).optional().describe("There is no such object, or it is on no cluster."),
    spread: z
      .strictObject({
        over: z.enum(PARTS).describe("What is counted."),
        atLeast: amount.describe("Over so many."),
      })
      .optional()
      .describe("Over how many clusters, zones, regions or providers the copies are."),
    images: z
      .strictObject({
        allow: z.array(z.string().min(1)).optional().describe("Each image fits one of these; `*` stands for anything."),
        deny: z.array(z.string().min(1)).optional().describe("No image fits any of these; `*` stands for anything."),
        in: inClusters,
      })
      .refine(({ allow, deny }) => allow !== undefined || deny !== undefined, { message: "needs allow or deny" })
      .optional()
      .describe("The images of all containers. `nginx` counts as docker.io/library/nginx, too."),
    fields: z.array(fieldSchema).min(1).optional().describe("Fields of each copy."),
  })
  .refine((expect) => Object.keys(expect).length > 0, { message: "expects nothing" })
  .describe("What must hold; all of it.");
export type Expectations = z.output<typeof expectSchema>;

const caseSchema = z.strictObject({
  name: z.string().min(1).max(500).describe("What is tested, as people say it."),
  skip: z.string().optional().describe("Why the test is not run."),
  objects: objectsSchema,
  each: z
    .boolean()
    .default(true)
    .describe(
      "true: it holds for each of the objects; false: numbers are of all of them together. The default is true.",
    ),
  expect: expectSchema,
});
/** One test, defaulted. */
export type FleetTestCase = z.output<typeof caseSchema>;

/** A whole file. */
export const fleetTestSchema = z
  .strictObject({
    apiVersion: z.literal(FLEET_TEST_VERSION).describe(`${FLEET_TEST_VERSION}.`),
    kind: z.literal("FleetTest").describe("FleetTest."),
    metadata: z
      .strictObject({
        name: z.string().min(1).describe("Name of the file's tests."),
        labels: labels.optional().describe("For whoever keeps many; no effect."),
        annotations: labels.optional().describe("For whoever keeps many; no effect."),
      })
      .optional()
      .describe("Names the tests."),
    description: z.string().optional().describe("What the tests are about, for people."),
    tests: z.array(caseSchema).min(1).max(1000).describe("The tests."),
  })
  .describe("Outcomes that every change must keep.");
export type FleetTest = z.output<typeof fleetTestSchema>;

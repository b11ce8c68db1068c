// The names of other objects that stand in a pod spec.

import { type Fields, fieldsAt, objectsAt, textAt } from "./field-access.ts";

// Where each kind of volume keeps its reference to a Secret.
const SECRET_REFERENCES: readonly (readonly [volume: string, reference: string])[] = [
  ["cephfs", "secretRef"],
  ["cinder", "secretRef"],
  ["flexVolume", "secretRef"],
  ["rbd", "secretRef"],
  ["scaleIO", "secretRef"],
  ["iscsi", "secretRef"],
  ["storageos", "secretRef"],
  ["csi", "nodePublishSecretRef"],
];

/** ConfigMaps of environment and volumes, each once, sorted. Optional references count too. */
export function configMapNames(podSpec: Fields): readonly string[] {
  const names = environmentNames(podSpec, "configMapRef", "configMapKeyRef");
  for (const volume of objectsAt(podSpec, "volumes")) {
    names.push(textAt(fieldsAt(volume, "configMap"), "name"));
    for (const source of projections(volume)) names.push(textAt(fieldsAt(source, "configMap"), "name"));
  }
  return distinct(names);
}

/** Secrets for image pulls, environment and volumes, each once, sorted. Optional references count too. */
export function secretNames(podSpec: Fields): readonly string[] {
  const names = objectsAt(podSpec, "imagePullSecrets").map((secret) => textAt(secret, "name"));
  names.push(...environmentNames(podSpec, "secretRef", "secretKeyRef"));
  for (const volume of objectsAt(podSpec, "volumes")) {
    names.push(textAt(fieldsAt(volume, "secret"), "secretName"), textAt(fieldsAt(volume, "azureFile"), "secretName"));
    for (const source of projections(volume)) names.push(textAt(fieldsAt(source, "secret"), "name"));
    for (const [kind, reference] of SECRET_REFERENCES) names.push(textAt(fieldsAt(volume, kind, reference), "name"));
  }
  return distinct(names);
}

/** Volume claims, each once, sorted. */
export function persistentVolumeClaimNames(podSpec: Fields): readonly string[] {
  return distinct(
    objectsAt(podSpec, "volumes").map((volume) => textAt(fieldsAt(volume, "persistentVolumeClaim"), "claimName")),
  );
}

function environmentNames(podSpec: Fields, wholeReference: string, keyReference: string): string[] {
  const names: string[] = [];
  for (const list of ["initContainers", "containers", "ephemeralContainers"]) {
    for (const container of objectsAt(podSpec, list)) {
      for (const source of objectsAt(container, "envFrom"))
        names.push(textAt(fieldsAt(source, wholeReference), "name"));
      for (const variable of objectsAt(container, "env")) {
        names.push(textAt(fieldsAt(variable, "valueFrom", keyReference), "name"));
      }
    }
  }
  return names;
}

function projections(volume: Fields): readonly Fields[] {
  return objectsAt(fieldsAt(volume, "projected"), "sources");
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)].filter((name) => name !== "").sort();
}

// Validation of a Pod's volumes and of where containers mount them.
import { checkDnsLabel } from "../../../kube/names.ts";
import type { Json, JsonObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";
import { listOf, part, textOf } from "./cell-values.ts";
import {
  duplicateValue,
  forbiddenValue,
  invalidValue,
  notFoundValue,
  oneOf,
  problems,
  required,
} from "./field-errors.ts";
import { fieldRefErrors } from "./validate-containers.ts";

/** Volume types in the order in which the reference looks at them: the first is the one that is meant. */
const TYPES =
  "emptyDir hostPath gitRepo gcePersistentDisk awsElasticBlockStore secret nfs iscsi glusterfs persistentVolumeClaim rbd cephfs quobyte downwardAPI fc azureFile configMap azureDisk vsphereVolume photonPersistentDisk portworxVolume scaleIO storageos projected csi ephemeral image flocker flexVolume cinder".split(
    " ",
  );
const HOST_PATHS = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];
const MODE_RULE = "must be a number between 0 and 0777 (octal), both inclusive";

function modeErrors(field: string, mode: Json | undefined): FieldError[] {
  return typeof mode === "number" && (mode < 0 || mode > 0o777) ? [invalidValue(field, mode, MODE_RULE)] : [];
}

function relativePathErrors(field: string, path: string): FieldError[] {
  if (path.startsWith("/")) return [invalidValue(field, path, "must be a relative path")];
  return path.split("/").includes("..") ? [invalidValue(field, path, "must not contain '..'")] : [];
}

function itemErrors(source: JsonObject, path: string): FieldError[] {
  return listOf(source["items"]).flatMap((item, index) => {
    const at = `${path}.items[${index}]`;
    const target = textOf(item["path"]);
    return [
      ...(textOf(item["key"]) === "" ? [required(`${at}.key`)] : []),
      ...(target === "" ? [required(`${at}.path`)] : relativePathErrors(`${at}.path`, target)),
      ...modeErrors(`${at}.mode`, item["mode"]),
    ];
  });
}

function downwardErrors(source: JsonObject, path: string): FieldError[] {
  return listOf(source["items"]).flatMap((item, index) => {
    const at = `${path}[${index}]`;
    const target = textOf(item["path"]);
    const errors = target === "" ? [required(`${path}.path`)] : relativePathErrors(`${path}.path`, target);
    const field = item["fieldRef"] as JsonObject | undefined;
    if (field !== undefined) errors.push(...fieldRefErrors(field, `${path}.fieldRef`));
    else if (item["resourceFieldRef"] === undefined) {
      errors.push(required(path, "one of fieldRef and resourceFieldRef is required"));
    }
    return [...errors, ...modeErrors(`${at}.mode`, item["mode"])];
  });
}

/** Hardly ever wrong beyond its name, so only what clients run into. */
function sourceErrors(type: string, source: JsonObject, path: string): FieldError[] {
  switch (type) {
    case "hostPath": {
      const host = textOf(source["path"]);
      const errors: FieldError[] = host === "" ? [required(`${path}.path`)] : [];
      if (host.split("/").includes("..")) errors.push(invalidValue(`${path}.path`, host, "must not contain '..'"));
      return [...errors, ...oneOf(`${path}.type`, source["type"], HOST_PATHS)];
    }
    case "emptyDir":
      return textOf(source["sizeLimit"]).startsWith("-")
        ? [forbiddenValue(`${path}.sizeLimit`, "SizeLimit field must be a valid resource quantity")]
        : [];
    case "secret":
    case "configMap": {
      const key = type === "secret" ? "secretName" : "name";
      const missing = textOf(source[key]) === "" ? [required(`${path}.${key}`)] : [];
      return [...missing, ...modeErrors(`${path}.defaultMode`, source["defaultMode"]), ...itemErrors(source, path)];
    }
    case "persistentVolumeClaim":
      return textOf(source["claimName"]) === "" ? [required(`${path}.claimName`)] : [];
    case "nfs": {
      const target = textOf(source["path"]);
      const errors: FieldError[] = textOf(source["server"]) === "" ? [required(`${path}.server`)] : [];
      if (target === "") errors.push(required(`${path}.path`));
      else if (!target.startsWith("/")) errors.push(invalidValue(`${path}.path`, target, "must be an absolute path"));
      return errors;
    }
    case "downwardAPI":
      return [...modeErrors(`${path}.defaultMode`, source["defaultMode"]), ...downwardErrors(source, path)];
    case "csi":
      return textOf(source["driver"]) === "" ? [required(`${path}.driver`)] : [];
    case "projected":
      return listOf(source["sources"]).flatMap((entry, index) => {
        const at = `${path}.sources[${index}]`;
        return ["secret", "configMap"].flatMap((kind) => {
          if (entry[kind] === undefined) return [];
          const inner = part(entry, kind);
          const missing = textOf(inner["name"]) === "" ? [required(`${at}.${kind}.name`)] : [];
          return [...missing, ...itemErrors(inner, `${at}.${kind}`)];
        });
      });
    default:
      return [];
  }
}

/** Adds errors of the volumes, and answers the names of those that can be mounted. */
export function volumeErrors(spec: JsonObject, path: string, errors: FieldError[]): Set<string> {
  const names = new Set<string>();
  for (const [index, volume] of listOf(spec["volumes"]).entries()) {
    const name = textOf(volume["name"]);
    const at = `${path}[${index}]`;
    const found: FieldError[] = [];
    const [first, ...others] = TYPES.filter((type) => volume[type] !== undefined);
    for (const extra of others) found.push(forbiddenValue(`${at}.${extra}`, "may not specify more than 1 volume type"));
    if (first !== undefined) found.push(...sourceErrors(first, part(volume, first), `${at}.${first}`));
    if (name === "") found.push(required(`${at}.name`));
    else found.push(...problems(`${at}.name`, name, checkDnsLabel(name)));
    if (names.has(name)) found.push(duplicateValue(`${at}.name`, name));
    if (found.length === 0) names.add(name);
    errors.push(...found);
  }
  return names;
}

export function mountErrors(container: JsonObject, path: string, volumes: ReadonlySet<string>): FieldError[] {
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  const devices = listOf(container["volumeDevices"]);
  const mounts = listOf(container["volumeMounts"]);
  for (const [index, mount] of mounts.entries()) {
    const at = `${path}.volumeMounts[${index}]`;
    const name = textOf(mount["name"]);
    if (name === "") errors.push(required(`${at}.name`));
    else if (!volumes.has(name)) errors.push(notFoundValue(`${at}.name`, name));
    const mountPath = textOf(mount["mountPath"]);
    if (mountPath === "") errors.push(required(`${at}.mountPath`));
    if (paths.has(mountPath)) errors.push(invalidValue(`${at}.mountPath`, mountPath, "must be unique"));
    paths.add(mountPath);
    if (devices.some((device) => device["name"] === name)) {
      errors.push(invalidValue(`${at}.name`, name, "must not already exist in volumeDevices"));
    }
    const sub = textOf(mount["subPath"]);
    if (sub !== "") errors.push(...relativePathErrors(`${at}.subPath`, sub));
    const expression = textOf(mount["subPathExpr"]);
    if (expression !== "" && sub !== "") {
      errors.push(invalidValue(`${at}.subPathExpr`, expression, "subPathExpr and subPath are mutually exclusive"));
    }
    const modes = ["Bidirectional", "HostToContainer", "None"];
    errors.push(...oneOf(`${at}.mountPropagation`, mount["mountPropagation"], modes));
  }
  for (const [index, device] of devices.entries()) {
    const at = `${path}.volumeDevices[${index}]`;
    const name = textOf(device["name"]);
    if (name === "") errors.push(required(`${at}.name`));
    else if (!volumes.has(name)) errors.push(notFoundValue(`${at}.name`, name));
    if (textOf(device["devicePath"]) === "") errors.push(required(`${at}.devicePath`));
    if (mounts.some((mount) => mount["name"] === name)) {
      errors.push(invalidValue(`${at}.name`, name, "must not already exist in volumeMounts"));
    }
  }
  return errors;
}

// A schema with every kind of list and map, for the tests of field ownership.
import { fieldTypeFromSchema, type SchemaNode } from "./structural.ts";

const TEXT: SchemaNode = { type: "string" };
export const TEXT_MAP: SchemaNode = { type: "object", additionalProperties: TEXT };

export const METADATA_SCHEMA: SchemaNode = {
  type: "object",
  properties: {
    name: TEXT,
    namespace: TEXT,
    uid: TEXT,
    resourceVersion: TEXT,
    generation: { type: "integer" },
    creationTimestamp: { type: "string", format: "date-time" },
    labels: TEXT_MAP,
    annotations: TEXT_MAP,
    finalizers: { type: "array", items: TEXT, "x-kubernetes-list-type": "set" },
    managedFields: { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "atomic" },
  },
};

export const WIDGET_SCHEMA: SchemaNode = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        size: { type: "integer" },
        title: TEXT,
        on: { type: "boolean" },
        port: { "x-kubernetes-int-or-string": true },
        cpu: { oneOf: [{ type: "string" }, { type: "number" }] },
        plain: TEXT_MAP,
        whole: { ...TEXT_MAP, "x-kubernetes-map-type": "atomic" },
        nested: { type: "object", properties: { a: TEXT, b: TEXT } },
        list: { type: "array", items: TEXT },
        set: { type: "array", items: TEXT, "x-kubernetes-list-type": "set" },
        items: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: {
            type: "object",
            properties: {
              name: TEXT,
              value: TEXT,
              tags: { type: "array", items: TEXT, "x-kubernetes-list-type": "set" },
            },
          },
        },
        ports: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["port", "protocol"],
          items: {
            type: "object",
            properties: { port: { type: "integer" }, protocol: { type: "string", default: "TCP" }, name: TEXT },
          },
        },
        free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
      },
    },
    status: { type: "object", properties: { phase: TEXT } },
  },
};

export const WIDGET_TYPE = fieldTypeFromSchema(WIDGET_SCHEMA, { metadata: fieldTypeFromSchema(METADATA_SCHEMA) });

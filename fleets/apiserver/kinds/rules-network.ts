// Rules of Services, Ingresses and their kin.
import { allocateServiceValues, completeService, keepAllocatedValues } from "./default-services.ts";
import type { KindRules } from "./kind-rules.ts";
import { validateEndpointSliceUpdate, validateIngress } from "./validate-network.ts";
import { validateIngressClass, validateIngressClassUpdate } from "./validate-others.ts";
import { serviceWarnings, validateService, validateServiceUpdate } from "./validate-services.ts";

export const NETWORK_RULES: Readonly<Record<string, KindRules>> = {
  "/v1/Service": {
    nameRule: "service",
    createOnUpdate: true,
    prepareForCreate: completeService,
    prepareForUpdate(service, old) {
      keepAllocatedValues(service, old);
      completeService(service);
    },
    allocate: allocateServiceValues,
    warnings: serviceWarnings,
    validate: validateService,
    validateUpdate: validateServiceUpdate,
  },
  "/v1/Endpoints": {
    createOnUpdate: true,
    warnings: () => ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"],
  },
  "discovery.k8s.io/v1/EndpointSlice": { generation: true, validateUpdate: validateEndpointSliceUpdate },
  "networking.k8s.io/v1/Ingress": { generation: true, validate: validateIngress },
  "networking.k8s.io/v1/IngressClass": {
    generation: true,
    validate: validateIngressClass,
    validateUpdate: validateIngressClassUpdate,
  },
  "networking.k8s.io/v1/NetworkPolicy": { generation: true },
};

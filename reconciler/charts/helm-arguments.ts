// What Helm is told, and what of our environment it sees.

import type { ChartInflation, ChartPull } from "../../renderers/kustomize/generators/helm-charts.ts";

/** Arguments that win over what an entry says, as kustomize's flags of these names do. */
export interface HelmDefaults {
  readonly kubeVersion?: string | undefined;
  readonly apiVersions?: readonly string[] | undefined;
  readonly debug?: boolean | undefined;
}

/** The arguments of `helm template`, in kustomize's order. */
export function templateArguments(
  request: ChartInflation,
  chart: string,
  values: readonly string[],
  defaults: HelmDefaults,
): string[] {
  const apiVersions = (defaults.apiVersions?.length ?? 0) > 0 ? (defaults.apiVersions ?? []) : request.apiVersions;
  const kubeVersion = defaults.kubeVersion || request.kubeVersion;
  return [
    "template",
    request.releaseName || "--generate-name",
    chart,
    ...option("--namespace", request.namespace),
    ...option("--name-template", request.nameTemplate),
    ...values.flatMap((file) => ["-f", file]),
    ...apiVersions.flatMap((version) => ["--api-versions", version]),
    ...option("--kube-version", kubeVersion),
    ...(request.includeCRDs ? ["--include-crds"] : []),
    ...(request.skipTests ? ["--skip-tests"] : []),
    ...(request.skipHooks ? ["--no-hooks"] : []),
    ...(request.debug || defaults.debug === true ? ["--debug"] : []),
    ...(request.devel ? ["--devel"] : []),
  ];
}

/** The arguments of `helm pull` into `folder`. */
export function pullArguments(request: ChartPull, folder: string): string[] {
  const { repo, name, version, devel } = request;
  const chart = repo.startsWith("oci://") ? [`${repo.replace(/\/$/, "")}/${name}`] : ["--repo", repo, name];
  return [
    "pull",
    "--untar",
    "--untardir",
    folder,
    ...chart,
    ...option("--version", version),
    ...(devel ? ["--devel"] : []),
  ];
}

function option(flag: string, value: string): string[] {
  return value === "" ? [] : [flag, value];
}

/** What a pull needs to reach a repository: the way there and who we are. */
const NETWORK_VARIABLES = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "HELM_REGISTRY_CONFIG",
  "HELM_REPOSITORY_CONFIG",
  "DOCKER_CONFIG",
];

/**
 * The environment of one run. Templates of release names can read it (`{{ env "NAME" }}`), so nothing of ours is in it
 * but PATH, and what reaches a repository when something is pulled. Plugins, clusters and settings of the user's home
 * are out of sight.
 */
export function helmEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  home: string,
  network: boolean,
): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: own["PATH"] ?? "",
    HOME: home,
    TMPDIR: home,
    HELM_CONFIG_HOME: `${home}/config`,
    HELM_CACHE_HOME: `${home}/cache`,
    HELM_DATA_HOME: `${home}/data`,
    HELM_PLUGINS: `${home}/plugins`,
    KUBECONFIG: `${home}/kubeconfig`,
  };
  if (!network) {
    // A local chart needs no network; whatever asked for one would meet a proxy that is not there.
    return { ...environment, HTTP_PROXY: NOWHERE, HTTPS_PROXY: NOWHERE };
  }
  for (const name of NETWORK_VARIABLES) if (own[name] !== undefined) environment[name] = own[name];
  return environment;
}

const NOWHERE = "http://127.0.0.1:9";

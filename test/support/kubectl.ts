import { x } from "tinyexec";
import { labTools } from "../../lab/tools";

/** The fields of a Kubernetes object that tests read. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    name: string;
    uid: string;
    namespace?: string;
    labels?: Record<string, string>;
  };
  readonly spec?: { replicas?: number; containers?: { image: string }[] };
  readonly status?: { readyReplicas?: number; desiredReplicas?: number };
}

/** Runs kubectl with one cluster. */
export class Kubectl {
  private constructor(
    private readonly command: string,
    private readonly kubeconfig: string,
  ) {}

  static async of(kubeconfig: string): Promise<Kubectl> {
    const tools = await labTools.ensure(["kubectl"], console.log);
    return new Kubectl(tools.get("kubectl") ?? "kubectl", kubeconfig);
  }

  /**
   * Runs a command and returns its output.
   * @throws Error with the error output of kubectl
   */
  async run(...args: string[]): Promise<string> {
    const result = await x(this.command, ["--kubeconfig", this.kubeconfig, ...args]);
    if (result.exitCode !== 0) {
      throw new Error(`kubectl ${args.join(" ")}: ${result.stderr.trim()}`);
    }
    return result.stdout;
  }

  /** Lists objects of some kinds. */
  async list(kinds: string, ...args: string[]): Promise<KubernetesObject[]> {
    return JSON.parse(await this.run("get", kinds, "-o", "json", ...args)).items;
  }

  /** The prediction rates of pods in the custom metrics API, as an autoscaler gets them. */
  async requestRates(namespace: string): Promise<{ pod: string; value: string }[]> {
    const path = `/apis/custom.metrics.k8s.io/v1beta1/namespaces/${namespace}/pods/*/inference_requests_per_second`;
    const { items } = JSON.parse(await this.run("get", "--raw", path)) as {
      items: { describedObject: { name: string }; value: string }[];
    };
    return items.map(({ describedObject, value }) => ({ pod: describedObject.name, value }));
  }
}

import { Release } from "@pulumi/kubernetes/helm/v3";
import type { CertManagerArgs } from "@pulumi/kubernetes-cert-manager";
import { version } from "@pulumi/kubernetes-cert-manager/package.json";
import { ComponentResource, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import { main } from "@pulumi/pulumi/provider";
import { releaseArgs } from "./release-args";

// The plugin of @pulumi/kubernetes-cert-manager, for an engine that cannot download the official one, which is not in any Go
// module proxy. The npm package is the official one, unchanged.

const TYPE = "kubernetes-cert-manager:index:CertManager";

class CertManager extends ComponentResource {
  readonly status: Output<unknown>;

  constructor(name: string, args: CertManagerArgs, opts: ComponentResourceOptions) {
    super(TYPE, name, {}, opts);
    const release = new Release(`${name}-helm`, releaseArgs(args), { parent: this });
    this.status = release.status;
    this.registerOutputs({ status: this.status });
  }
}

main(
  {
    version,
    construct: async (name, type, inputs, options) => {
      if (type !== TYPE) {
        throw new Error(`unknown resource type ${type}`);
      }
      const { urn, status } = new CertManager(name, inputs, options);
      return { urn, state: { status } };
    },
  },
  process.argv.slice(2),
);

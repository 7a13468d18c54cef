import type { Command } from "commander";
import { subcommand, whole } from "./common/options";
import { run } from "./interruption";
import type { StartOptions } from "./stack/start";

export const start: Command = subcommand(
  "start",
  "Updates a stack, and asks its first model for a prediction",
  "start --context my-cluster --registry ghcr.io/acme --domain ml.example.com --ingress-namespace traefik",
  "The stack is on the local cluster, which is started where needed, or on a cluster of yours.",
)
  .option(
    "--stack <name>",
    "the stack, whose file is Pulumi.<name>.yaml; default: dev, with --context one that is named after the context",
  )
  .option("--context <name>", "a kubeconfig context; default: the local cluster is used")
  .optionsGroup("Options with --context, which Pulumi.<name>.yaml keeps:")
  .option("--registry <path>", "where built images are pushed, such as ghcr.io/acme (required)")
  .option("--domain <name>", "the domain of the models' host names (required)")
  .option(
    "--ingress-namespace <name>",
    "the namespace of the ingress controller's pods, which network policies admit (required)",
  )
  .option("--ingress-class <name>", "the ingress class; default: the cluster's")
  .option(
    "--ingress-port <number>",
    "the port of the host names below the domain; default: 80, or 443 with an issuer",
    whole(65_535),
  )
  .option("--issuer <name>", "a cert-manager ClusterIssuer; default: no TLS")
  .option("--storage-class <name>", "the storage class; default: the cluster's")
  .option(
    "--mirror <host>",
    "a registry that holds the third-party images under their full names; default: upstream",
  )
  .option("--builder <name>", "the buildx builder; default: the current one")
  .option(
    "--ca-file <path>",
    "CA bundle that package installs inside image builds must trust, behind a proxy; default: none",
  )
  .action((options: StartOptions) =>
    run("npm start continues from here", async (interruption) => {
      const work = await import("./stack/start");
      await work.start(options, interruption);
    }),
  );

import { IMAGE } from "../harness";
import { batchJob, deployment, trainJob } from "../objects";
import type { RuleCases } from "./case";

const CONTAINER = "[0].spec.template.spec.containers[0]";
const container = "spec.template.spec.containers[0]";
const good = [deployment];
const digest = `sha256:${"b".repeat(64)}`;
const config = {
  images: { registries: ["registry.example", "quay.io/team", "*.corp.example:5000"] },
};
const stray = {
  apiVersion: "trainer.kubeflow.org/v1alpha1",
  kind: "TrainJob",
  metadata: { name: "train", namespace: "team" },
  spec: { trainer: { image: IMAGE } },
};

/** Rules for images, except for those that contact registries. */
export const IMAGE_CASES: Readonly<Record<string, RuleCases>> = {
  "image-digest": {
    good: [deployment, stray, trainJob],
    passes: { "a tag as well": { [`${CONTAINER}.image`]: `quay.io/a/b:1.2@${digest}` } },
    fails: {
      "a tag": [
        { [`${CONTAINER}.image`]: "nginx:1.27" },
        `${container}.image is not pinned by a sha256 digest`,
      ],
      "a short digest": [
        { [`${CONTAINER}.image`]: "nginx@sha256:abc" },
        `${container}.image is not pinned by a sha256 digest`,
      ],
      "no image": [
        { [`${CONTAINER}.image`]: undefined },
        `${container}.image is not pinned by a sha256 digest`,
      ],
      "an image that an operator starts": [
        { "[1].spec.trainer.image": "pytorch" },
        "spec.trainer.image is not pinned by a sha256 digest",
      ],
    },
  },
  "image-registry": {
    good: [deployment, stray],
    config,
    passes: {
      "a path of a registry": { [`${CONTAINER}.image`]: `quay.io/team/app@${digest}` },
      "by pattern": { [`${CONTAINER}.image`]: `a.corp.example:5000/app@${digest}` },
    },
    fails: {
      "the default registry": [
        { [`${CONTAINER}.image`]: `app@${digest}` },
        `${container}.image is not from an allowed registry`,
      ],
      "a name with the same prefix": [
        { [`${CONTAINER}.image`]: `registry.example.attacker.net/app@${digest}` },
        `${container}.image is not from an allowed registry`,
      ],
      "another path": [
        { [`${CONTAINER}.image`]: `quay.io/teams/app@${digest}` },
        `${container}.image is not from an allowed registry`,
      ],
      "an invalid reference": [
        { [`${CONTAINER}.image`]: "registry.example/app name" },
        `${container}.image is not from an allowed registry`,
      ],
      "an image that an operator starts": [
        { "[1].spec.trainer.image": "pytorch" },
        "spec.trainer.image is not from an allowed registry",
      ],
    },
  },
  "image-pull-policy": {
    good: [...good, batchJob],
    passes: { always: { [`${CONTAINER}.imagePullPolicy`]: "Always" } },
    fails: {
      never: [
        { [`${CONTAINER}.imagePullPolicy`]: "Never" },
        `${container}.imagePullPolicy is Never`,
      ],
    },
  },
};

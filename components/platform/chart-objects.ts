import * as pulumi from "@pulumi/pulumi";
import { containerImages, fullReference, withImages } from "../images/rewrite";
import { labels } from "../kubernetes/labels";

/** How the objects of a chart are changed. */
export interface ObjectSettings {
  /** Name of the Helm release. */
  readonly release: string;
  /** The images by digest, by their upstream names. */
  readonly references: ReadonlyMap<string, string>;
  /** Whether CRDs stay in the cluster when their resources are deleted. */
  readonly crds: "keep" | "delete";
  readonly owner: string;
  readonly retainData: boolean;
}

/** Kinds whose data is lost when their resource is deleted or replaced. */
const DATA = /:(Namespace|PersistentVolume|PersistentVolumeClaim|StatefulSet)$/;
const CRD = /:CustomResourceDefinition$/;

/** Sets the images, the labels and the protection of a chart's objects. */
export function chartObjects(name: string, settings: ObjectSettings): pulumi.ResourceTransform {
  const { release, references, crds, owner, retainData } = settings;
  const own = labels({ name: release, instance: release, component: "chart", owner });
  // The engine calls the function below outside of the program's context, where the stack is not known.
  const stack = pulumi.getStack();
  return ({ custom, type, props, opts }) => {
    if (!custom) {
      return undefined;
    }
    const labelled = withLabels(props, own);
    if (CRD.test(type)) {
      return { props: labelled, opts: { ...opts, retainOnDelete: crds === "keep" } };
    }
    const object = withImages(labelled, references);
    refuseOtherImages(name, object, [...references.values()], stack);
    const isData = retainData && DATA.test(type);
    return { props: object, opts: isData ? { ...opts, protect: true } : opts };
  };
}

/** An object with more labels. Its own ones stay, as other objects of the chart may select them. */
function withLabels(
  { metadata, ...fields }: pulumi.Inputs,
  more: Record<string, string>,
): pulumi.Inputs {
  return { ...fields, metadata: { ...metadata, labels: { ...more, ...metadata?.labels } } };
}

/** @throws Error if a container has an image that is none of the references */
function refuseOtherImages(
  name: string,
  object: pulumi.Inputs,
  references: readonly string[],
  stack: string,
): void {
  const others = containerImages(object).filter((image) => !references.includes(image));
  if (others.length > 0) {
    const { kind, metadata } = object;
    const path = [kind, metadata.namespace, metadata.name].filter(Boolean).join("/");
    const missing = [...new Set(others.map(fullReference))];
    throw new Error(
      `${name}: ${path} has an image that is not in the chart's images: ${missing.join(", ")}; add it there, and run ${lockCommand(missing, stack)}`,
    );
  }
}

/** The command that adds images to the lock file of a stack. */
export function lockCommand(images: readonly string[], stack: string): string {
  const options = images.map((image) => ` --image ${image}`).join("");
  return `\`npm run images:lock -- --stack ${stack}${options}\``;
}

import * as pulumi from "@pulumi/pulumi";

/** The value of an output, and of all outputs in a value. */
export function known<T>(value: pulumi.Input<T>): Promise<pulumi.Unwrap<T>> {
  return new Promise((resolve) => {
    pulumi.output(value).apply(resolve);
  });
}

import * as pulumi from "@pulumi/pulumi";

/**
 * A value that a component hands on: what uses it depends on all resources of the component. They cannot use it
 * themselves.
 */
export function outputOf(
  component: pulumi.ComponentResource,
  value: pulumi.Input<string>,
): pulumi.Output<string> {
  return pulumi.all([value, component.urn]).apply(([known]) => known);
}

import { pins } from "../../../toolchain/pins";
import { checkPins } from "../../support/pin-checks";

checkPins(pins, {
  // The provider's module has no release versions; its SDK has.
  "pulumi-resource-kubernetes": `github.com/pulumi/pulumi-kubernetes/sdk/v4 v${pins["pulumi-resource-kubernetes"].version}`,
});

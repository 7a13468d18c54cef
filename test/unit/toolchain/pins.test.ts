import { pins } from "../../../toolchain/pins";
import { checkPins } from "../../support/pin-checks";

checkPins(pins, {
  // The provider's module is served under versions of no release; its SDK has the release's.
  "pulumi-resource-kubernetes": `github.com/pulumi/pulumi-kubernetes/sdk/v4 v${pins["pulumi-resource-kubernetes"].version}`,
});

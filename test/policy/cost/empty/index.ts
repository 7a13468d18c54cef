import { PolicyPack } from "@pulumi/policy";

new PolicyPack("empty", {
  policies: [
    {
      name: "nothing",
      description: "Nothing.",
      enforcementLevel: "mandatory",
      validateResource: () => undefined,
    },
  ],
});

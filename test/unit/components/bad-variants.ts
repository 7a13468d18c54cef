import type { BadInput } from "./bad-inputs";

const model = (fields: object) => ({ name: "churn", ...fields });
const main = { name: "main", weight: 90 };
const next = { name: "next", weight: 10 };
const header = { name: "x-variant", value: "a" };
/** What is wrong with variants, their Gateway and their promotion. */
export const variants: BadInput[] = [
  ["team.models[0].variants", [main, main], /is taken; choose another name/, "@[1].name"],
  [
    "team.models[0].variants",
    [{ ...main, weight: -1 }],
    /must be at least 0; it is: Its share/,
    "@[0].weight",
  ],
  [
    "team.models[0].variants",
    [{ ...main, weight: 0.5 }],
    /must be of type whole number/,
    "@[0].weight",
  ],
  ["team.models[0].variants", [{ name: "main" }], /is missing; it is: Its share/, "@[0].weight"],
  ["team.models[0].variants", [{ ...main, weight: 0 }], /have no weight at all; give/],
  [
    "team.models[0].variants",
    [{ ...main, name: "Main" }],
    /must be 1 to 20 lower-case/,
    "@[0].name",
  ],
  [
    "team.models[0].variants",
    [{ ...main, name: "a".repeat(21) }],
    /1 to 20 lower-case/,
    "@[0].name",
  ],
  [
    "team.models[0].variants",
    [main, next],
    /has no Gateway to split .+; switch platform.gateway on/,
  ],
  [
    "team.models[0].variants",
    [
      { ...main, header },
      { ...next, header },
    ],
    /is another variant's; choose/,
    "@[1].header",
  ],
  [
    "team.models[0].variants",
    [{ ...main, header: { ...header, name: "X_Variant" } }],
    /must be a lower-case header name, such as/,
    "@[0].header.name",
  ],
  [
    "team.models[0].variants",
    [{ ...main, header: { ...header, value: "a, b" } }],
    /must be letters, digits, dots and dashes, such as/,
    "@[0].header.value",
  ],
  [
    "team.models",
    [model({ variants: [main] }), model({ name: "churn-main" })],
    /is taken; choose another name/,
    "team.models[1].name",
  ],
  [
    "team.models",
    [model({ variants: [main, next], ingress: false })],
    /is what splits requests between variants; leave it on/,
    "team.models[0].ingress",
  ],
  ["team.models[0].promotion", { threshold: 1 }, /has nothing to choose from; write two variants/],
  [
    "team.models",
    [model({ variants: [main, next], promotion: { threshold: 1, steps: [50, 10] } })],
    /must rise and end with 100; write them like/,
    "team.models[0].promotion.steps",
  ],
  [
    "team.models",
    [model({ variants: [main, next], promotion: { threshold: 2.5 } })],
    /must be less than 2\.5; it is: Seconds/,
    "team.models[0].promotion.threshold",
  ],
  [
    "team.models",
    [model({ variants: [main, next], promotion: { threshold: 1, window: 101 } })],
    /makes 303 s of all steps, but .+ raise autoscale\.scaleDownSeconds, or shorten/,
    "team.models[0].promotion.window",
  ],
  [
    "team.models",
    [
      model({
        autoscale: { kind: "none" },
        variants: [main, { ...next, autoscale: { kind: "cpu", scaleDownSeconds: 60 } }],
        promotion: { threshold: 1, window: 30 },
      }),
    ],
    /makes 90 s of all steps/,
    "team.models[0].promotion.window",
  ],
  [
    "team.models",
    [
      model({ name: "a", variants: [{ ...main, name: "b-c" }] }),
      model({ name: "a-b", variants: [{ ...main, name: "c" }] }),
    ],
    /is taken; choose another name/,
    "team.models[1].name",
  ],
  [
    "team.models",
    [model({ name: "churn-main" }), model({ variants: [main] })],
    /is taken; choose another name/,
    "team.models[1].name",
  ],
  ["platform.gateway", { mode: "install" }, /is missing; it is: GatewayClass/, "@.className"],
  [
    "platform",
    { gateway: { mode: "install", className: "x" }, ingress: { issuer: "letsencrypt" } },
    /has no certificates, but ingress.issuer asks for TLS; bring one/,
    "platform.gateway.mode",
  ],
];

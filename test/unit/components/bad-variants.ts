import type { BadInput } from "./bad-inputs";

const model = (fields: object) => ({ name: "churn", ...fields });
const main = { name: "main", weight: 90 };
const next = { name: "next", weight: 10 };
const header = { name: "x-variant", value: "a" };
/** Bad inputs for variants, their Gateway and their promotion. */
export const variants: BadInput[] = [
  ["team.models[0].variants", [main, main], /is already in use; choose another name/, "@[1].name"],
  [
    "team.models[0].variants",
    [{ ...main, weight: -1 }],
    /must be at least 0; expected: Share of/,
    "@[0].weight",
  ],
  [
    "team.models[0].variants",
    [{ ...main, weight: 0.5 }],
    /must be of type whole number/,
    "@[0].weight",
  ],
  ["team.models[0].variants", [{ name: "main" }], /is missing; expected: Share of/, "@[0].weight"],
  ["team.models[0].variants", [{ ...main, weight: 0 }], /all have the weight 0; set/],
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
  ["team.models[0].variants", [main, next], /has no Gateway to split .+; install platform.gateway/],
  [
    "team.models[0].variants",
    [
      { ...main, header },
      { ...next, header },
    ],
    /is already in use; choose another value/,
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
    /is already in use; choose another name/,
    "team.models[1].name",
  ],
  [
    "team.models",
    [model({ variants: [main, next], ingress: false })],
    /must be true with more than one variant.+; set it, or keep/,
    "team.models[0].ingress",
  ],
  ["team.models[0].promotion", { threshold: 1 }, /needs two variants; add one/],
  [
    "team.models",
    [model({ variants: [main, next], promotion: { threshold: 1, steps: [50, 10] } })],
    /must increase and end with 100, such as/,
    "team.models[0].promotion.steps",
  ],
  [
    "team.models",
    [model({ variants: [main, next], promotion: { threshold: 2.5 } })],
    /must be less than 2\.5; expected: Maximum of this latency/,
    "team.models[0].promotion.threshold",
  ],
  [
    "team.models",
    [model({ variants: [main, next], promotion: { threshold: 1, window: 101 } })],
    /makes all steps take 303 s, but .+ increase autoscale\.scaleDownSeconds, or shorten/,
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
    /makes all steps take 90 s/,
    "team.models[0].promotion.window",
  ],
  [
    "team.models",
    [
      model({ name: "a", variants: [{ ...main, name: "b-c" }] }),
      model({ name: "a-b", variants: [{ ...main, name: "c" }] }),
    ],
    /is already in use; choose another name/,
    "team.models[1].name",
  ],
  [
    "team.models",
    [model({ name: "churn-main" }), model({ variants: [main] })],
    /is already in use; choose another name/,
    "team.models[1].name",
  ],
  ["platform.gateway", { mode: "install" }, /is missing; expected: GatewayClass/, "@.className"],
  [
    "platform",
    { gateway: { mode: "install", className: "x" }, ingress: { issuer: "letsencrypt" } },
    /is missing: with ingress.issuer a Gateway is served with TLS; set it to 443/,
    "platform.gateway.httpsPort",
  ],
];

import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import type { MockMonitor } from "@pulumi/pulumi/runtime/mocks";

/** The engine's marker of secret values (`@pulumi/pulumi`, runtime/rpc.js). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
/** The digest of every image in these tests. */
export const DIGEST = `sha256:${"d".repeat(64)}`;

/** A resource that the program has declared. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** URN of the parent; empty for the stack itself. */
  readonly parent: string;
  /** `urn::id` of the provider; empty for components and without an explicit provider. */
  readonly provider: string;
  readonly custom: boolean;
  /** Inputs with secrets in plain text; `secrets` has the paths of secrets. */
  readonly inputs: Inputs;
  /** Dotted paths of the inputs that the engine would encrypt. */
  readonly secrets: string[];
  /** Names of the hooks that run before it is created. */
  readonly hooks: string[];
  readonly options: {
    readonly protect: boolean;
    readonly ignoreChanges: string[];
    readonly replaceOnChanges: string[];
    readonly deleteBeforeReplace: boolean;
    readonly additionalSecretOutputs: string[];
    readonly dependencies: string[];
    /** Earlier names and parents, as `URN of the parent::name`. */
    readonly aliases: string[];
    readonly createTimeout: string;
    readonly updateTimeout: string;
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the type of inputs depends on the resource.
export type Inputs = Record<string, any>;

export interface Stack {
  /** Keys without the project's name, values as in `Pulumi.<stack>.yaml`. */
  readonly config?: Inputs;
  /** Keys that `pulumi config set --secret` would have encrypted, in plain text. */
  readonly secrets?: Inputs;
  /** Whether it is a preview. Default: an update. */
  readonly preview?: boolean;
  /** Outputs of other stacks by their names. */
  readonly references?: Record<string, Inputs>;
  /** Name of the stack; default: dev. */
  readonly name?: string;
}

export interface Run {
  // biome-ignore lint/plugin: it is set while the object is in use.
  outputs: Inputs;
  readonly registrations: Registration[];
  /** Tokens of the provider functions that were called. */
  readonly calls: string[];
  /** The error of the program. */
  // biome-ignore lint/plugin: it is set while the object is in use.
  error?: Error;
}

// Missing in the SDK's types, or internal: `pulumi up` waits for it before it exits.
const runtime = pulumi.runtime as unknown as typeof pulumi.runtime & {
  waitForRPCs(): Promise<void>;
};

/**
 * Runs a program without an engine, until all of its resources are registered.
 * @param program the export of `index.ts`
 */
export async function run(program: () => Promise<unknown>, stack: Stack = {}): Promise<Run> {
  const result: Run = { outputs: {}, registrations: [], calls: [] };
  const { config = {}, secrets = {}, references = {}, name = "dev", preview = false } = stack;
  configure(config, secrets);
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => ({
        id: `${name}-id`,
        state: state(type, name, inputs, { references, preview }),
      }),
      call: ({ token }) => {
        result.calls.push(token);
        return { sha256Digest: DIGEST };
      },
    },
    "ml-platform",
    name,
    preview,
    "organization",
  );
  record(result.registrations);
  // In the SDK, the error would cause an unhandled rejection for each output of the stack.
  const caught = () =>
    program().catch((error: Error) => {
      result.error = error;
    });
  result.outputs = (await pulumi.runtime.runInPulumiStack(caught)) ?? {};
  await runtime.waitForRPCs();
  return result;
}

function configure(config: Inputs, secrets: Inputs): void {
  const flat = Object.entries({ ...config, ...secrets }).map(([key, value]) => [
    `ml-platform:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(
    Object.fromEntries(flat),
    Object.keys(secrets).map((key) => `ml-platform:${key}`),
  );
}

/** The outputs of a resource: inputs with generated names and digests. */
function state(
  type: string,
  name: string,
  inputs: Inputs,
  { references = {}, preview }: Pick<Stack, "references" | "preview">,
): Inputs {
  if (type === "pulumi:pulumi:StackReference") {
    return { ...inputs, outputs: references[inputs.name] ?? {}, secretOutputNames: [] };
  }
  if (type === "docker-build:index:Image") {
    // As the provider does in a preview, where it builds nothing.
    const [tag] = inputs.tags;
    return preview
      ? { ...inputs, ref: tag, digest: "" }
      : { ...inputs, ref: `${tag}@${DIGEST}`, digest: DIGEST };
  }
  if (!inputs.metadata) {
    return inputs;
  }
  return { ...inputs, metadata: { name: `${name}-autonamed`, ...inputs.metadata } };
}

/** Records parents and options, which the SDK does not pass to mocks, from the requests. */
function record(registrations: Registration[]): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as MockMonitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, response) => {
      if (response) {
        registrations.push(registration(request, response.getUrn()));
      }
      callback(error, response);
    });
  // The SDK's mock does not support hooks, which only an engine calls.
  Object.assign(monitor, {
    registerResourceHook: (_request: unknown, callback: (error: null) => void) => callback(null),
    registerErrorHook: (_request: unknown, callback: (error: null) => void) => callback(null),
  });
}

function registration(request: RegisterResourceRequest, urn: string): Registration {
  const secrets: string[] = [];
  const timeouts = request.getCustomtimeouts();
  return {
    type: request.getType(),
    name: request.getName(),
    urn,
    parent: request.getParent(),
    provider: request.getProvider(),
    custom: request.getCustom(),
    inputs: reveal(request.getObject()?.toJavaScript() ?? {}, [], secrets) as Inputs,
    secrets,
    hooks: request.getHooks()?.getBeforeCreateList() ?? [],
    options: {
      protect: request.getProtect() ?? false,
      ignoreChanges: request.getIgnorechangesList(),
      replaceOnChanges: request.getReplaceonchangesList(),
      deleteBeforeReplace: request.getDeletebeforereplace() ?? false,
      additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
      dependencies: request.getDependenciesList(),
      aliases: request.getAliasesList().map((alias) => {
        const spec = alias.getSpec();
        return `${spec?.getParenturn()}::${spec?.getName()}`;
      }),
      createTimeout: timeouts?.getCreate() ?? "",
      updateTimeout: timeouts?.getUpdate() ?? "",
    },
  };
}

/** Removes the engine's markers, and records the paths of secrets. */
function reveal(value: unknown, path: string[], secrets: string[]): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => reveal(item, [...path, `${index}`], secrets));
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const fields = value as Inputs;
  if (fields[SIGNATURE] === SECRET) {
    secrets.push(path.join("."));
    return reveal(fields.value, path, secrets);
  }
  return Object.fromEntries(
    Object.entries(fields).map(([key, item]) => [key, reveal(item, [...path, key], secrets)]),
  );
}

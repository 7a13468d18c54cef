/** Range of versions `[from, below)`, both `major.minor.patch`. */
export type Range = readonly [from: string, below: string];

/** How a tool on PATH prints its version, and the accepted range. */
export interface PathRule {
  readonly versionArgs: readonly string[];
  readonly range: Range;
}

/**
 * A change of a dependency for a build: it removes a feature that is not used, or adapts a line to the versions that all
 * tools of a module share.
 */
export interface Patch {
  readonly module: string;
  /** Path in the module of the changed file, or of the package whose Go files are all replaced. */
  readonly path: string;
  /** Path of the replacement in the folder of the `go.mod`, or texts of the changed file with their replacements. */
  readonly with: string | readonly (readonly [from: string, to: string])[];
}

/** A file of a dependency that is available in the folder of the `go.mod`, for `go:embed`. */
export interface Embed {
  readonly module: string;
  /** Path of the file in its module. */
  readonly path: string;
  /** Path in the build, relative to the folder of the `go.mod`. */
  readonly file: string;
}

/** A Go module that pins the dependencies of tools, with the same versions for all tools. */
export interface GoModule {
  /** Absolute path of the folder with `go.mod` and `go.sum`. */
  readonly folder: string;
  /** Build tags. */
  readonly tags?: readonly string[];
  readonly patches?: readonly Patch[];
  readonly embeds?: readonly Embed[];
}

/** Architectures of releases, as in their file names. */
export type Architecture = "amd64" | "arm64";

/**
 * Where a project publishes the executable of a release. `{version}` is replaced by the pin's version and `{arch}` by the
 * machine's architecture. It is not part of the hash of a build.
 */
export interface Release {
  readonly url: string;
  /** URL of the file with the SHA-256 of `url`: only the checksum, or a list of `sha256  name`. */
  readonly checksums: string;
  /** Path of the executable in a `.tar.gz`. Default: `url` is the executable itself. */
  readonly member?: string;
  /** Pinned checksums: those of the release must be equal. */
  readonly sha256?: Partial<Record<Architecture, string>>;
  /** Whether it must be statically linked, as it runs in an empty image. If the release is not, it is built. */
  readonly static?: boolean;
}

/** A tool that is built from a Go module. */
export interface GoPin {
  readonly kind: "go";
  /** The version of the tool, without `v`. */
  readonly version: string;
  readonly module: GoModule;
  /** Package to build: an import path, or a path in the module's folder that begins with `./`. */
  readonly package: string;
  /** Link-time values, as `import/path.Name=value`. */
  readonly values?: readonly string[];
  /** Default: the tool on PATH is never used (it must be static for an image, or prints no version). */
  readonly onPath?: PathRule;
  /** Default: it is always built, as its project publishes no executable, or none with a checksum. */
  readonly release?: Release;
}

/** A tool that is a shell script. */
export interface ScriptPin {
  readonly kind: "script";
  readonly version: string;
  readonly text: string;
}

/** A pinned tool. */
export type Pin = GoPin | ScriptPin;

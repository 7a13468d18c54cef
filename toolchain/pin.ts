/** Range of versions `[from, below)`, both `major.minor.patch`. */
export type Range = readonly [from: string, below: string];

/** How a tool on PATH is asked for its version, and which answers will do. */
export interface PathRule {
  readonly versionArgs: readonly string[];
  readonly range: Range;
}

/**
 * A change of a dependency for a build: a part that only holds what the tool could do besides is left out, or a line is made
 * to fit the versions that all tools of a module share.
 */
export interface Patch {
  readonly module: string;
  /** Path in the module of the changed file, or of the package whose Go files are all replaced. */
  readonly path: string;
  /** The replacing file's path in the folder of the `go.mod`, or texts of the changed file and what replaces each. */
  readonly with: string | readonly (readonly [from: string, to: string])[];
}

/** A file of a dependency that the build sees in the folder of the `go.mod`, for `go:embed`. */
export interface Embed {
  readonly module: string;
  /** The file's path in its module. */
  readonly path: string;
  /** Where the build sees it, relative to the folder of the `go.mod`. */
  readonly file: string;
}

/** A Go module that pins what tools are built from, in one set of versions for all that share packages. */
export interface GoModule {
  /** Absolute path of the folder with `go.mod` and `go.sum`. */
  readonly folder: string;
  /** Build tags. */
  readonly tags?: readonly string[];
  readonly patches?: readonly Patch[];
  readonly embeds?: readonly Embed[];
}

/** Architectures that releases are taken for, as their file names have them. */
export type Architecture = "amd64" | "arm64";

/**
 * Where a project publishes the executable of a release. In the texts `{version}` stands for the pin's version and `{arch}`
 * for the machine's architecture. It does not enter the hash of a build.
 */
export interface Release {
  readonly url: string;
  /** Address of the file in which the release has the sha256 of what is at `url`: bare, or in a list of `sha256  name`. */
  readonly checksums: string;
  /** The executable's path in a `.tar.gz`. Absent: `url` is the executable itself. */
  readonly member?: string;
  /** Sums that this repository knows by itself: what the release says must agree. */
  readonly sha256?: Partial<Record<Architecture, string>>;
  /** Whether it must be statically linked, as it runs in an empty image. It is built where the release's is not. */
  readonly static?: boolean;
}

/** A tool that is built from a Go module. */
export interface GoPin {
  readonly kind: "go";
  /** The version that people know it by, without `v`. */
  readonly version: string;
  readonly module: GoModule;
  /** Package to build: an import path, or a path of the module's folder that begins with `./`. */
  readonly package: string;
  /** Link-time values, as `import/path.Name=value`. */
  readonly values?: readonly string[];
  /** Absent: the tool of PATH is never taken (it must be static for an image, or tells no version). */
  readonly onPath?: PathRule;
  /** Absent: it is always built, as its project publishes no executable, or none with a checksum. */
  readonly release?: Release;
}

/** A tool that is a shell script. */
export interface ScriptPin {
  readonly kind: "script";
  readonly version: string;
  readonly text: string;
}

/** What a tool is made of. */
export type Pin = GoPin | ScriptPin;

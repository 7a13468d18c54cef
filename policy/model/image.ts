/** A parsed image reference. */
export interface ImageReference {
  /** Host and port, `docker.io` if it has none. */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest?: string;
}

const REFERENCE =
  /^(?<name>[^@\s]+?)(?::(?<tag>[\w][\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;

/** Parses an image reference as container runtimes do; undefined if it is not valid. */
export function parseImage(text: unknown): ImageReference | undefined {
  const { name, tag, digest } = REFERENCE.exec(`${text ?? ""}`)?.groups ?? {};
  if (name === undefined) {
    return undefined;
  }
  const [first = "", ...rest] = name.split("/");
  const hosted = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const path = hosted ? rest.join("/") : name;
  return {
    registry: hosted ? first : "docker.io",
    repository: !hosted && !path.includes("/") ? `library/${path}` : path,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}

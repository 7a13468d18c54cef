import type { Resource } from "../../policy/model/resource";
import { DOCKERFILE_RULES } from "../../policy/rules/dockerfile";
import { evaluateResource } from "./harness";

/** A Dockerfile without violations. */
export const GOOD = `# syntax=docker/dockerfile:1
ARG BASE=python:3.13-slim
FROM \${BASE} AS builder
RUN pip install --upgrade pip
COPY requirements.txt .
RUN pip install \\
    # from the lock file

    --target /venv -r requirements.txt

FROM \${BASE} AS runtime
USER 65532:65532

FROM runtime AS serving
COPY --from=builder /venv /venv
ENTRYPOINT ["python"]
CMD ["-m", "serving"]
`;

/** A resource that builds an image. */
export function image(props: object, type = "docker-build:index:Image"): Resource {
  const urn = `urn:pulumi:dev::p::${type}::image`;
  return { type, urn, name: "image", protect: false, props: { ...props } };
}

/** The same, with the Dockerfile as a property. */
export const inline = (text: string, props: object = {}) =>
  image({ dockerfile: { inline: text }, ...props });

/** The findings, without remedies. */
export async function said(resource: Resource): Promise<string[]> {
  const { findings, unknown } = await evaluateResource(DOCKERFILE_RULES, resource);
  return [...findings.map(({ message }) => message.split(". ")[0] ?? ""), ...unknown];
}

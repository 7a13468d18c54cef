import type { Kubectl } from "./kubectl";

/**
 * Runs a Python program in a pod like that of the team's training job, which has succeeded: with its image, its environment
 * and its permissions.
 * @param name of the pod
 * @returns its output
 */
export async function runInTrainingPod(
  kubectl: Kubectl,
  team: string,
  name: string,
  program: string,
): Promise<string> {
  const inTeam = ["-n", team];
  const job = ["get", "jobs", ...inTeam, "-l", "app.kubernetes.io/component=training", "-o"];
  const trained = JSON.parse(await kubectl.run(...job, "json")).items[0].spec.template;
  const { initContainers: _, ...spec } = trained.spec;
  const [container] = spec.containers;
  const pod = {
    apiVersion: "v1",
    metadata: { name, labels: trained.metadata.labels },
    spec: { ...spec, containers: [{ ...container, command: ["python", "-c", program] }] },
  };
  // With the labels of the Job its controller would count the pod.
  for (const key of Object.keys(pod.metadata.labels)) {
    if (/job-name|controller-uid/.test(key)) {
      delete pod.metadata.labels[key];
    }
  }
  const image = ["--image", container.image, "--restart=Never"];
  await kubectl.run("run", name, ...inTeam, ...image, "--overrides", JSON.stringify(pod));
  const done = ["wait", ...inTeam, `pod/${name}`, "--timeout=180s"];
  try {
    await kubectl.run(...done, "--for=jsonpath={.status.phase}=Succeeded");
  } catch (error) {
    throw new Error(`${error}\n${await kubectl.run("logs", ...inTeam, name)}`);
  }
  const log = await kubectl.run("logs", ...inTeam, name);
  await kubectl.run("delete", "pod", ...inTeam, name);
  return log;
}

import { ApiException, KubeConfig } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { answer } from "../../../components/kubernetes/client";

const config = new KubeConfig();
config.loadFromClusterAndUser(
  { name: "c", server: "https://cluster:6443", skipTLSVerify: false },
  { name: "u" },
);

/** An error as the client throws it where no connection was made. */
function unconnected(code: string, message: string): Error {
  return new TypeError("fetch failed", { cause: Object.assign(new Error(message), { code }) });
}

/** Fails as often as there are errors, and counts how often it is asked. */
function requests(...errors: Error[]) {
  const asked = { times: 0 };
  const request = async () => {
    asked.times += 1;
    const error = errors.shift();
    if (error) {
      throw error;
    }
    return "an answer";
  };
  return { asked, request };
}

describe("an API server", () => {
  it("is asked again where it does not take the connection in time", async () => {
    const late = unconnected("UND_ERR_CONNECT_TIMEOUT", "Connect Timeout Error");
    const { asked, request } = requests(late);
    expect(await answer(config, request)).toBe("an answer");
    expect(asked.times).toBe(2);
  });

  it("is not asked again where nobody listens, and the message says so", async () => {
    const { asked, request } = requests(unconnected("ECONNREFUSED", "connect ECONNREFUSED"));
    await expect(answer(config, request)).rejects.toThrow(
      "the cluster at https://cluster:6443 cannot be reached (connect ECONNREFUSED)",
    );
    expect(asked.times).toBe(1);
  });

  it("is not asked again where it has answered", async () => {
    const refusal = () => new ApiException(403, "", '{"message":"no rights"}', {});
    const { asked, request } = requests(refusal(), refusal());
    await expect(answer(config, request)).rejects.toThrow("answers 403: no rights");
    expect(await answer(config, request, 403)).toBeUndefined();
    expect(asked.times).toBe(2);
  });
});

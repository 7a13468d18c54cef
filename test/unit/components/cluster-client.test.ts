import { ApiException, KubeConfig } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { answer } from "../../../components/kubernetes/client";

const config = new KubeConfig();
config.loadFromClusterAndUser(
  { name: "c", server: "https://cluster:6443", skipTLSVerify: false },
  { name: "u" },
);

/** An error as the client throws it when it cannot connect. */
function connectionError(code: string, message: string): Error {
  return new TypeError("fetch failed", { cause: Object.assign(new Error(message), { code }) });
}

/** A request that fails once for each error, and counts its attempts. */
function requests(...errors: Error[]) {
  const attempts = { count: 0 };
  const request = async () => {
    attempts.count += 1;
    const error = errors.shift();
    if (error) {
      throw error;
    }
    return "a response";
  };
  return { attempts, request };
}

describe("a request to the API server", () => {
  it("is retried after a connection timeout", async () => {
    const late = connectionError("UND_ERR_CONNECT_TIMEOUT", "Connect Timeout Error");
    const { attempts, request } = requests(late);
    expect(await answer(config, request)).toBe("a response");
    expect(attempts.count).toBe(2);
  });

  it("is not retried after a refused connection, and the error has the reason", async () => {
    const { attempts, request } = requests(connectionError("ECONNREFUSED", "connect ECONNREFUSED"));
    await expect(answer(config, request)).rejects.toThrow(
      "the cluster at https://cluster:6443 cannot be reached (connect ECONNREFUSED)",
    );
    expect(attempts.count).toBe(1);
  });

  it("is not retried after a response", async () => {
    const forbidden = () => new ApiException(403, "", '{"message":"no rights"}', {});
    const { attempts, request } = requests(forbidden(), forbidden());
    await expect(answer(config, request)).rejects.toThrow("responds with status 403: no rights");
    expect(await answer(config, request, 403)).toBeUndefined();
    expect(attempts.count).toBe(2);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseSubnet, linkAddresses, overlaps } from "../../../lab/cluster/addresses";

describe("overlaps", () => {
  it.each([
    ["10.0.0.0/8", "10.231.7.0/30", true],
    ["10.231.7.0/30", "10.231.7.4/30", false],
    ["10.231.7.3", "10.231.7.0/30", true],
    ["192.168.1.1/24", "192.168.1.200/32", true],
    ["0.0.0.0/0", "198.18.0.0/30", true],
    ["128.0.0.0/1", "10.0.0.0/8", false],
  ])("%s and %s: %s", (one, other, expected) => {
    expect(overlaps(one, other)).toBe(expected);
    expect(overlaps(other, one)).toBe(expected);
  });
});

describe("linkAddresses", () => {
  it("returns the two usable addresses", () => {
    expect(linkAddresses("10.231.255.252/30")).toEqual({
      subnet: "10.231.255.252/30",
      host: "10.231.255.253",
      node: "10.231.255.254",
    });
  });
});

describe("chooseSubnet", () => {
  it("returns the same network for a lab, and another one for another lab", () => {
    expect(chooseSubnet("dev", [])).toBe(chooseSubnet("dev", []));
    expect(chooseSubnet("dev", [])).not.toBe(chooseSubnet("e2e-lab", []));
  });

  it("returns the next network if the first is in use", () => {
    const first = chooseSubnet("dev", []);
    const next = chooseSubnet("dev", [first]);
    expect(next).not.toBe(first);
    expect(next).toMatch(/^10\.231\./);
  });

  it("skips a range that a VPN routes", () => {
    expect(chooseSubnet("dev", ["10.0.0.0/8"])).toMatch(/^172\.29\./);
    expect(chooseSubnet("dev", ["10.0.0.0/8", "172.16.0.0/12"])).toMatch(/^192\.168\.231\./);
  });

  it("lists the ranges if none is free", () => {
    expect(() => chooseSubnet("dev", ["0.0.0.0/1", "128.0.0.0/1"])).toThrow(
      /No free addresses.*10\.231\.0\.0\/16.*ip route/,
    );
  });

  it("never returns a network that is in use", () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const network = fc
      .tuple(octet, octet, fc.integer({ min: 17, max: 32 }))
      .map(([third, fourth, bits]) => `10.231.${third}.${fourth}/${bits}`);
    fc.assert(
      fc.property(fc.string(), fc.array(network, { maxLength: 20 }), (name, used) => {
        const subnet = chooseSubnet(name, used);
        expect(used.filter((cidr) => overlaps(cidr, subnet))).toEqual([]);
      }),
    );
  });
});

import { InvalidArgumentError } from "commander";

/** Reads an option that is a whole number from 1 to `most`. */
export function whole(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw new InvalidArgumentError(`write a whole number from 1 to ${most}`);
  };
}

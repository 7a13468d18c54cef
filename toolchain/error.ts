/** A failure that the message explains to the user in full: commands print it without a stack trace. */
export class ToolError extends Error {
  override readonly name = "ToolError";
}

// Which program is the server. Nothing in here knows the editor, so that it can be tested without one.

export interface Wishes {
  /** The program `loopsafe`, or empty. */
  path: string;
  /** A Python that has loopsafe, or empty. */
  interpreter: string;
  /** The Python of the project, as the Python extension says; empty where that is not known. */
  active: string;
  platform: NodeJS.Platform;
}

export interface Command {
  command: string;
  args: string[];
}

/** How the server is started. */
export function serverCommand(wishes: Wishes): Command {
  if (wishes.path) {
    return { command: wishes.path, args: ["server"] };
  }
  const python = wishes.interpreter || wishes.active || (wishes.platform === "win32" ? "python" : "python3");
  // Isolated: nothing may be imported from the folder that is open, whose code is not trusted.
  return { command: python, args: ["-I", "-m", "loopsafe", "server"] };
}

/** The settings that the server knows: those that are set, without the extension's own. */
export function serverSettings(given: Record<string, unknown>): Record<string, unknown> {
  const own = new Set(["path", "interpreter", "trace"]);
  return Object.fromEntries(
    Object.entries(given).filter(([name, value]) => !own.has(name) && value !== null && value !== undefined),
  );
}

/** Whether the settings that changed are about the program, so that it has to be started anew. */
export function needsRestart(affects: (section: string) => boolean): boolean {
  return affects("loopsafe.path") || affects("loopsafe.interpreter");
}

/** The code of the finding at a row, if there is one. */
export function codeAt(
  findings: readonly { source?: string; code?: unknown; range: { start: { line: number }; end: { line: number } } }[],
  line: number,
): string | undefined {
  const found = findings.find((one) => one.source === "loopsafe" && one.range.start.line <= line && line <= one.range.end.line);
  const code = found?.code;
  const value = typeof code === "object" && code !== null && "value" in code ? (code as { value: unknown }).value : code;
  return typeof value === "string" ? value : undefined;
}

// The server as the extension starts it, with the settings that the extension sends. LOOPSAFE_PYTHON names a Python that
// has loopsafe; without it there is nothing to start.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-languageserver-protocol/node";

import { serverCommand, serverSettings } from "../src/command";

const python = process.env.LOOPSAFE_PYTHON ?? "";
const manifest = JSON.parse(readFileSync(join(process.cwd(), "package.json"), "utf8"));

interface Settings {
  [name: string]: { default: unknown };
}

/** What VS Code gives where the user has set nothing. */
function defaults(): Record<string, unknown> {
  const properties = manifest.contributes.configuration.properties as Settings;
  return Object.fromEntries(
    Object.entries(properties).map(([name, one]) => [name.split(".")[1] ?? name, one.default]),
  );
}

test("the server starts, takes the settings, and knows the commands", { skip: !python }, async () => {
  const { command, args } = serverCommand({ path: "", interpreter: python, active: "", platform: process.platform });
  const server = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const connection = createMessageConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin));
  const complaints: unknown[] = [];
  connection.onNotification("window/showMessage", (message) => complaints.push(message));
  connection.listen();
  const result: any = await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: null,
    workspaceFolders: null,
    capabilities: {},
    initializationOptions: serverSettings(defaults()),
  });
  const known: string[] = result.capabilities.executeCommandProvider.commands;
  const declared = manifest.contributes.commands.map((one: { command: string }) => one.command);
  for (const name of declared.filter((one: string) => !one.endsWith("Here"))) {
    assert.ok(known.includes(name), name);
  }
  await connection.sendNotification("initialized", {});
  const page: string = await connection.sendRequest("workspace/executeCommand", { command: "loopsafe.explain", arguments: ["LSF102"] });
  assert.match(page, /^# LSF102/);
  await connection.sendRequest("shutdown");
  assert.deepEqual(complaints, []);
  const ended = new Promise((resolve) => server.once("exit", resolve));
  await connection.sendNotification("exit");
  assert.equal(await ended, 0);
  connection.dispose();
});

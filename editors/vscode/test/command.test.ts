import assert from "node:assert/strict";
import { test } from "node:test";

import { codeAt, needsRestart, serverCommand, serverSettings } from "../src/command";

const none = { path: "", interpreter: "", active: "", platform: "linux" as const };
const module_ = ["-I", "-m", "loopsafe", "server"];

test("the program that is named goes first", () => {
  const wishes = { path: "/opt/loopsafe", interpreter: "/opt/python", active: "/env/python", platform: "linux" as const };
  assert.deepEqual(serverCommand(wishes), { command: "/opt/loopsafe", args: ["server"] });
  assert.deepEqual(serverCommand({ ...wishes, path: "" }), { command: "/opt/python", args: module_ });
  assert.deepEqual(serverCommand({ ...wishes, path: "", interpreter: "" }), { command: "/env/python", args: module_ });
});

test("without any wish it is the system's Python", () => {
  assert.equal(serverCommand(none).command, "python3");
  assert.equal(serverCommand({ ...none, platform: "win32" }).command, "python");
});

test("the server is told what is set, and nothing of the extension's own", () => {
  const given = { path: "x", interpreter: "y", trace: { server: "off" }, select: null, ignore: ["LSF102"], delay: 300 };
  assert.deepEqual(serverSettings(given), { ignore: ["LSF102"], delay: 300 });
});

test("another program needs another start", () => {
  assert.ok(needsRestart((section) => section === "loopsafe.path"));
  assert.ok(!needsRestart((section) => section === "loopsafe.select"));
});

test("the code of the finding in a row", () => {
  const range = { start: { line: 3 }, end: { line: 5 } };
  const findings = [
    { source: "other", code: "E501", range },
    { source: "loopsafe", code: { value: "LSF102" }, range },
  ];
  assert.equal(codeAt(findings, 4), "LSF102");
  assert.equal(codeAt(findings, 6), undefined);
  assert.equal(codeAt([{ source: "loopsafe", range }], 3), undefined);
});

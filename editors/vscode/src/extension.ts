import * as vscode from "vscode";
import { LanguageClient, type LanguageClientOptions, type ServerOptions } from "vscode-languageclient/node";

import { codeAt, needsRestart, serverCommand, serverSettings } from "./command";

const SCHEME = "loopsafe";
let client: LanguageClient | undefined;

/** Texts that commands answer with, each under an address of its own. */
class Answers implements vscode.TextDocumentContentProvider {
  private readonly texts = new Map<string, string>();

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.path) ?? "";
  }

  async show(name: string, text: string, language: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}` });
    this.texts.set(uri.path, text);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.languages.setTextDocumentLanguage(document, language);
    await vscode.window.showTextDocument(document, { preview: true, viewColumn: vscode.ViewColumn.Beside });
  }
}

const answers = new Answers();

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  context.subscriptions.push(
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, answers),
    vscode.commands.registerCommand("loopsafe.traceHere", traceHere),
    vscode.commands.registerCommand("loopsafe.explainHere", explainHere),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (needsRestart((section) => event.affectsConfiguration(section))) {
        await deactivate();
        await start();
      }
    }),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
  client = undefined;
}

async function start(): Promise<void> {
  const settings = vscode.workspace.getConfiguration("loopsafe");
  const command = serverCommand({
    path: settings.get("path", ""),
    interpreter: settings.get("interpreter", ""),
    active: await activePython(),
    platform: process.platform,
  });
  const server: ServerOptions = command;
  const options: LanguageClientOptions = {
    documentSelector: [{ scheme: "file", language: "python" }],
    initializationOptions: current(),
    middleware: {
      workspace: { configuration: (parameters) => parameters.items.map(() => current()) },
      executeCommand: async (name, values, next) => {
        const result: unknown = await next(name, values);
        await tell(name, result);
        return result;
      },
    },
  };
  client = new LanguageClient("loopsafe", "loopsafe", server, options);
  try {
    await client.start();
  } catch (error) {
    const how = `${command.command} ${command.args.join(" ")}`;
    void vscode.window.showErrorMessage(
      `loopsafe cannot be started (${how}): ${String(error)}. Install it with pip install "loopsafe[lsp]", or set loopsafe.path.`,
    );
  }
}

function current(): Record<string, unknown> {
  return serverSettings(JSON.parse(JSON.stringify(vscode.workspace.getConfiguration("loopsafe"))));
}

/** The interpreter that the Python extension has for the first folder; empty where that extension is not there. */
async function activePython(): Promise<string> {
  const extension = vscode.extensions.getExtension("ms-python.python");
  if (!extension || !vscode.workspace.isTrusted) {
    return "";
  }
  try {
    const api = extension.isActive ? extension.exports : await extension.activate();
    const path = api.environments.getActiveEnvironmentPath(vscode.workspace.workspaceFolders?.[0]?.uri);
    const environment = await api.environments.resolveEnvironment(path);
    return environment?.executable.uri?.fsPath ?? "";
  } catch {
    return "";
  }
}

async function tell(name: string, result: unknown): Promise<void> {
  if (typeof result !== "string") {
    return;
  }
  if (name === "loopsafe.trace") {
    await answers.show("trace", result, "plaintext");
  } else if (name === "loopsafe.explain") {
    await answers.show("rule.md", result, "markdown");
  } else {
    void vscode.window.showInformationMessage(result);
  }
}

async function traceHere(): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor) {
    await vscode.commands.executeCommand("loopsafe.trace", editor.document.uri.toString(), editor.selection.active.line);
  }
}

async function explainHere(): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const code = editor && codeAt(vscode.languages.getDiagnostics(editor.document.uri), editor.selection.active.line);
  if (code) {
    await vscode.commands.executeCommand("loopsafe.explain", code);
  } else {
    void vscode.window.showInformationMessage("There is no finding in this line.");
  }
}

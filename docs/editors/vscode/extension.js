// Starts `plunk lsp` for .flow files; everything else is the server's.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = () => {
  const command = workspace.getConfiguration("plunk").get("command");
  client = new LanguageClient(
    "plunk",
    "Plunk .flow",
    { command, args: ["lsp"] },
    { documentSelector: [{ language: "flow" }] },
  );
  return client.start();
};

exports.deactivate = () => client?.stop();

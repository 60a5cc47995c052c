// A client made with the TypeScript SDK: connects, lists tools, makes the calls it is given, prints what came back as JSON.
// node client.mjs FOLDER_WITH_NODE_MODULES URL TOKEN CALLS; CALLS is JSON: [[tool, arguments], ...]
import { createRequire } from "node:module";
import path from "node:path";

const [folder, url, token, calls] = process.argv.slice(2);
const require = createRequire(path.join(folder, "package.json"));
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const { SSEClientTransport } = require("@modelcontextprotocol/sdk/client/sse.js");

const Transport = url.endsWith("/sse") ? SSEClientTransport : StreamableHTTPClientTransport;
const requestInit = token ? { headers: { Authorization: `Bearer ${token}` } } : {};
const client = new Client({ name: "typescript-test", version: "1" });
const told = { server: null, tools: [], results: [] };
try {
  await client.connect(new Transport(new URL(url), { requestInit }));
  told.server = client.getServerVersion();
  told.tools = (await client.listTools()).tools.map((tool) => tool.name);
  for (const [name, args] of JSON.parse(calls)) {
    told.results.push(await client.callTool({ name, arguments: args }));
  }
  if (client.transport.terminateSession) await client.transport.terminateSession();
  await client.close();
} catch (error) {
  told.error = `${error.code ?? ""} ${error.message}`.trim();
}
console.log(JSON.stringify(told));
process.exit(0);

/** `node clients/typescript/run.mjs file.ts`: bundles one TypeScript file with @mpp/client and runs it. For first steps. */
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const client = fileURLToPath(new URL("dist/index.js", import.meta.url));
const { outputFiles } = await build({
  entryPoints: [process.argv[2] ?? "first.ts"],
  bundle: true,
  write: false,
  platform: "node",
  format: "esm",
  target: "node20",
  alias: { "@mpp/client": client },
});
await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);

// Runs a program built for wasm32-wasip1, as cargo's runner: node wasm/run.mjs PROGRAM.wasm ARGUMENTS...
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const [program, ...rest] = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", args: [program, ...rest], env: process.env, preopens: { "/": "/" }, returnOnExit: true });
const { instance } = await WebAssembly.instantiate(readFileSync(program), wasi.getImportObject());
const code = wasi.start(instance);
process.exit(code);

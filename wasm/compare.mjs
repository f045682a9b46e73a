// Predicts rows with the WebAssembly module and holds the scores against the native ones: the same bytes.
// Usage: node wasm/compare.mjs MODULE.wasm MODEL.glass ROWS.json   (cargo xtask wasm makes all three)
// ROWS.json: [{"row": [1.5, "text", null, ...], "scores": [0.25, 0.75]}, ...]
import { readFileSync } from "node:fs";

const [modulePath, modelPath, rowsPath] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(readFileSync(modulePath), {});
const net = instance.exports;
const give = (bytes) => bytes.forEach((byte) => net.glassnet_byte(byte));

give(readFileSync(modelPath));
const columns = net.glassnet_load();
if (columns < 0) {
  console.error("the module does not read the model file");
  process.exit(1);
}

const utf8 = new TextEncoder();
const cases = JSON.parse(readFileSync(rowsPath, "utf8"));
let largest = 0;
let scores = 0;
let others = 0;
for (const [number, { row, scores: native }] of cases.entries()) {
  if (row.length !== columns) throw new Error(`row ${number + 1} has ${row.length} values, the model takes ${columns}`);
  for (const value of row) {
    if (value === null) net.glassnet_missing();
    else if (typeof value === "number") net.glassnet_number(value);
    else {
      give(utf8.encode(value));
      net.glassnet_text();
    }
  }
  const count = net.glassnet_predict();
  if (count !== native.length) throw new Error(`row ${number + 1}: ${count} scores, ${native.length} natively`);
  for (let place = 0; place < count; place++) {
    const score = net.glassnet_score(place);
    const difference = Math.abs(score - native[place]);
    if (!Object.is(score, native[place])) others += 1; // tells -0 from 0; all NaNs are one
    if (!(difference <= largest)) largest = difference; // a NaN is the largest of all
    scores += 1;
  }
}
console.log(`${cases.length} rows, ${scores} scores, ${others} of them other bytes, largest difference ${largest}`);
process.exit(scores > 0 && others === 0 ? 0 : 1);

// Answers requests by LiteRT.js under node: node litertjs.mjs PACKAGES MODEL.tflite
//
// PACKAGES is the folder of LiteRT.js. The first line of standard output describes
// the signatures; then a line {"name", "inputs"} of standard input is answered by a line
// {"outputs", "seconds"} (of the call alone). Arrays are {"shape", "type", "data"}, their bytes in
// base64.

import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import readline from 'node:readline';
import {pathToFileURL} from 'node:url';
import vm from 'node:vm';

const [packages, file] = process.argv.slice(2);
const core = path.resolve(packages, 'core');
const types = {float32: Float32Array, int32: Int32Array};

// What a browser has and node has not: scripts and files by address.
globalThis.self = globalThis;
globalThis.require = createRequire(path.join(core, 'wasm', 'here.js'));
globalThis.__dirname = path.join(core, 'wasm');
globalThis.__filename = path.join(core, 'wasm', 'here.js');
globalThis.importScripts = (name) => vm.runInThisContext(fs.readFileSync(name, 'utf8'));
const fetched = globalThis.fetch;
globalThis.fetch = async (address, options) => {
  const name = String(address);
  if (/^https?:/.test(name)) {
    return fetched(address, options);
  }
  const headers = {'content-type': name.endsWith('.wasm') ? 'application/wasm' : 'text/plain'};
  return new Response(fs.readFileSync(name), {headers});
};
console.log = console.info = console.warn = console.error;  // standard output holds answers alone

const {loadLiteRt, loadAndCompile, Tensor} =
  await import(pathToFileURL(path.join(core, 'dist/index.js')));
await loadLiteRt(path.join(core, 'wasm') + '/');
const model = await loadAndCompile(new Uint8Array(fs.readFileSync(file)), {accelerator: 'wasm'});

function say(value) {
  process.stdout.write(JSON.stringify(value) + '\n');
}

function described(details) {
  return Object.fromEntries(details.map((each) => [each.name, [[...each.shape], each.dtype]]));
}

function decoded({shape, type, data}) {
  const bytes = Buffer.from(data, 'base64');
  const array = new types[type](bytes.length / types[type].BYTES_PER_ELEMENT);
  new Uint8Array(array.buffer).set(bytes);
  return new Tensor(array, shape);
}

async function answered({name, inputs}) {
  const given = Object.fromEntries(
    Object.entries(inputs).map(([key, value]) => [key, decoded(value)]));
  const started = performance.now();
  const results = await model.signatures[name].run(given);
  for (const tensor of Object.values(results)) {
    await tensor.data();
  }
  const seconds = (performance.now() - started) / 1000;
  const shapes = described(model.signatures[name].getOutputDetails());
  const outputs = {};
  for (const [key, tensor] of Object.entries(results)) {
    const array = await tensor.data();
    const data = Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64');
    outputs[key] = {shape: shapes[key][0], type: shapes[key][1], data};
    tensor.delete();
  }
  Object.values(given).forEach((tensor) => tensor.delete());
  return {outputs, seconds};
}

const runners = Object.entries(model.signatures);
say(Object.fromEntries(runners.map(([name, each]) =>
  [name, [described(each.getInputDetails()), described(each.getOutputDetails())]])));
for await (const line of readline.createInterface({input: process.stdin})) {
  say(await answered(JSON.parse(line)));
}
process.exit(0);

// Runs one Python file in MicroPython (wasm): what it prints goes to standard output.
//
//   node run.mjs FILE.py [--copy FROM:TO]... [--heap BYTES]
//
// The pure modules are importable as `gatepost`. Each --copy puts a file or folder of this machine
// at TO inside. Where the script defines `more()` it is called until it answers False: this
// MicroPython gives memory back only between two calls. An error in the script ends the process
// with 1, its traceback on standard error.

import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { FIRMWARE, copyFile, copyTree, load } from './runtime.mjs';

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    copy: { type: 'string', multiple: true, default: [] },
    heap: { type: 'string', default: String(256 * 1024) },
  },
});

const mp = await load(Number(given.heap), (text) => process.stdout.write(text));
copyTree(mp, path.join(FIRMWARE, 'gatepost'), '/lib/gatepost');
for (const pair of given.copy) {
  const [from, to] = pair.split(':');
  if (fs.statSync(from).isDirectory()) copyTree(mp, from, to);
  else copyFile(mp, from, to);
}
try {
  mp.runPython(fs.readFileSync(positionals[0], 'utf8'));
  const more = mp.globals.get('more');
  while (more !== undefined && more());
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

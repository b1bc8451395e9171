// Starts MicroPython (wasm) and gives it the firmware's own files, unchanged.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadMicroPython } from '@micropython/micropython-webassembly-pyscript/micropython.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
export const FIRMWARE = path.dirname(HERE);

// A MicroPython whose print goes to `say`, as it is written.
export function load(heapBytes, say = (text) => process.stderr.write(text)) {
  return loadMicroPython({ heapsize: heapBytes, stdout: say, stderr: say, linebuffer: false });
}

// Copies the pure modules and the simulated board where `import` finds them.
export function install(mp, firmware = FIRMWARE) {
  copyTree(mp, path.join(firmware, 'gatepost'), '/lib/gatepost');
  copyFile(mp, path.join(HERE, 'sim_board.py'), '/lib/sim_board.py');
}

export function copyFile(mp, from, to) {
  makeFolders(mp, path.posix.dirname(to));
  mp.FS.writeFile(to, fs.readFileSync(from));
}

export function copyTree(mp, from, to) {
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const source = path.join(from, entry.name);
    const target = path.posix.join(to, entry.name);
    if (entry.isDirectory() && entry.name !== '__pycache__') copyTree(mp, source, target);
    else if (entry.isFile() && /\.(py|json)$/.test(entry.name)) copyFile(mp, source, target);
  }
}

function makeFolders(mp, folder) {
  let made = '';
  for (const part of folder.split('/').filter(Boolean)) {
    made += `/${part}`;
    if (!mp.FS.analyzePath(made).exists) mp.FS.mkdir(made);
  }
}

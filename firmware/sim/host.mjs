// The firmware in real MicroPython, as one process: standard input and output are the serial wire.
//
//   node host.mjs --settings gate.json [--pins SOCKET] [--boot N] [--cause N] [--uid HEX]
//                 [--ticks N | --clock wrap] [--jumper] [--firmware FOLDER]
//
// 1. Standard output carries wire bytes and nothing else; all words go to standard error.
// 2. The outputs are off until the firmware says otherwise, and off again before this process ends.
// 3. A pass of the firmware runs every 5 ms and at once when bytes arrive.
// 4. What the host does not read in time is lost, as on a UART: writing never waits.
// 5. An error that leaves the firmware ends the process with 70; the end of the wire ends it with 0.
//
// Pins, one JSON object a line, over the Unix socket SOCKET this process connects to.
// To it: {"inputs": mask} bit i = the circuit of input i is closed; {"line": {"hears", "says"}}
// false = that direction of the cable is cut; {"sense": "follows" | "open" | "closed"} what the
// opening relay's second contact shows. From it: {"ready": true}, {"outputs": mask, "at": ticks}
// at each change, {"fed": ticks} about ten times a second while the watchdog is fed.

import fs from 'node:fs';
import net from 'node:net';
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { FIRMWARE, install, load } from './runtime.mjs';

const TICK_MS = 5;
const FED_EVERY_MS = 100;
const TICKS_PERIOD = 2 ** 30;
const BEFORE_WRAP_MS = 5000;
const RELAY_SENSE = 1 << 11;
const EXIT_BROKEN = 70;

const { values: given } = parseArgs({
  options: {
    settings: { type: 'string' },
    pins: { type: 'string' },
    boot: { type: 'string', default: '1' },
    cause: { type: 'string', default: '1' },
    uid: { type: 'string', default: '5053544e30303031' },
    ticks: { type: 'string', default: '0' },
    clock: { type: 'string', default: '' },
    jumper: { type: 'boolean', default: false },
    firmware: { type: 'string', default: FIRMWARE },
  },
});

const firstTicks =
  given.clock === 'wrap' ? TICKS_PERIOD - BEFORE_WRAP_MS : Number(given.ticks) % TICKS_PERIOD;
const pins = { socket: null, inputs: 0, outputs: 0, sense: 'follows' };
const line = { hears: true, says: true };
const received = [];
let began = performance.now();
let fedToldAt = -Infinity;

const ticks = () => (firstTicks + Math.floor(performance.now() - began)) % TICKS_PERIOD;

function tell(message) {
  if (pins.socket !== null && !pins.socket.destroyed) {
    pins.socket.write(JSON.stringify(message) + '\n');
  }
}

function writeOutputs(mask) {
  if (mask !== pins.outputs) {
    pins.outputs = mask;
    tell({ outputs: mask, at: ticks() });
  }
}

function readInputs() {
  if (pins.sense === 'closed' || (pins.sense === 'follows' && pins.outputs & 1)) {
    return pins.inputs | RELAY_SENSE;
  }
  return pins.inputs & ~RELAY_SENSE;
}

function feed() {
  if (performance.now() - fedToldAt >= FED_EVERY_MS) {
    fedToldAt = performance.now();
    tell({ fed: ticks() });
  }
}

function write(hex) {
  if (!line.says) return;
  try {
    fs.writeSync(1, Buffer.from(hex, 'hex'));
  } catch (error) {
    if (error.code !== 'EAGAIN') end(0);
  }
}

function readReceived() {
  const hex = Buffer.concat(received).toString('hex');
  received.length = 0;
  return hex;
}

function end(status) {
  writeOutputs(0);
  if (pins.socket === null) process.exit(status);
  pins.socket.end(() => process.exit(status));
  setTimeout(() => process.exit(status), 200);
}

function obey(text) {
  const message = JSON.parse(text);
  if ('inputs' in message) pins.inputs = message.inputs;
  if ('sense' in message) pins.sense = message.sense;
  if ('line' in message) Object.assign(line, message.line);
}

// Settles when the pins are known: a board never reads inputs that are not there yet.
function connectPins(path) {
  return new Promise((settled, failed) => {
    const socket = net.connect(path);
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('error', (error) => (pins.socket === null ? failed(error) : end(0)));
    socket.on('close', () => end(0));
    socket.on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      lines.forEach(obey);
      pins.socket = socket;
      if (lines.length > 0) settled();
    });
  });
}

async function main() {
  const settings = fs.readFileSync(given.settings, 'utf8');
  process.on('SIGTERM', () => end(0));
  process.on('SIGINT', () => end(0));
  if (given.pins) await connectPins(given.pins);
  const mp = await load(256 * 1024);
  mp.registerJsModule('yard', {
    ticks, feed, write,
    read_inputs: readInputs,
    write_outputs: writeOutputs,
    read: readReceived,
    waiting: () => received.length,
    random: (n) => randomBytes(n).toString('hex'),
  });
  install(mp, given.firmware);
  const passes = mp.pyimport('sim_board');
  began = performance.now();
  passes.start(settings, given.uid, Number(given.cause), Number(given.boot), given.jumper);
  const pass = () => {
    try {
      passes.tick();
    } catch (error) {
      process.stderr.write(`firmware ended: ${error.message}\n`);
      clearInterval(timer);
      end(EXIT_BROKEN);
    }
  };
  process.stdin.on('data', (bytes) => {
    if (line.hears) {
      received.push(bytes);
      pass();
    }
  });
  process.stdin.on('end', () => end(0));
  process.stdin.on('error', () => end(0));
  const timer = setInterval(pass, TICK_MS);
  tell({ fed: ticks() }); // the watchdog runs from now on
  tell({ ready: true });
}

main().catch((error) => {
  process.stderr.write(`${error.stack ?? error}\n`);
  end(EXIT_BROKEN);
});

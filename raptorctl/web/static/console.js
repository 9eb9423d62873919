// A machine's console: bytes both ways over one WebSocket; see raptorctl/web/sockets.py.
"use strict";
const OUTSIDE = 4401, REFUSED = 4403, ABSENT = 4404, TAKEN = 4409, OFF = 4410;
const PASTE = 4096; // bytes at a time: a serial line takes no more at once
const LONGEST = 15000; // milliseconds between two attempts
const place = document.getElementById("terminal");
const said = document.getElementById("said");
const buttons = Object.fromEntries(["take", "again", "size"].map((id) => [id, document.getElementById(id)]));
const terminal = new Terminal({
  scrollback: 10000,
  fontFamily: "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace",
  fontSize: 14,
  screenReaderMode: true,
  allowProposedApi: false,
  linkHandler: { activate() {} }, // a guest opens no pages
  theme: { background: "#101417", foreground: "#e6e6e6" },
});
const fit = new FitAddon.FitAddon();
terminal.loadAddon(fit);
terminal.open(place);
fit.fit();
new ResizeObserver(() => fit.fit()).observe(place);
terminal.focus();

let socket = null;
let wait = 500;
let timer = 0;
let opened = false;
let fresh = true; // nothing of its past has been shown yet

function tell(text, shown = []) {
  said.textContent = text;
  for (const name of ["take", "again"]) { buttons[name].hidden = !shown.includes(name); }
}

function later(text) {
  tell(text, ["again"]);
  clearTimeout(timer);
  timer = setTimeout(connect, wait);
  wait = Math.min(wait * 2, LONGEST);
}

function closed(event) {
  socket = null;
  if (!opened) { reloadIfOutside(); }
  const why = event.reason ? `: ${event.reason}` : "";
  switch (event.code) {
    case OUTSIDE: location.reload(); break;
    case ABSENT: tell("There is no such machine."); break;
    case REFUSED: tell(`Refused${why}`, ["again"]); break;
    case TAKEN: tell("Somebody else has this console.", ["take", "again"]); break;
    case OFF: later("The machine is off; waiting for it."); break;
    default: later("The connection ended; trying again.");
  }
}

function connect(take = false) {
  clearTimeout(timer);
  if (socket) { return; }
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const asked = `${take ? "&take=1" : ""}${fresh ? "&tail=1" : ""}`;
  socket = new WebSocket(`${scheme}//${location.host}${place.dataset.socket}${asked}`);
  socket.binaryType = "arraybuffer";
  opened = false;
  socket.onopen = () => { opened = true; tell("Connected"); };
  socket.onmessage = (event) => { wait = 500; fresh = false; terminal.write(new Uint8Array(event.data)); };
  socket.onclose = closed;
}

function send(bytes) {
  if (!socket || socket.readyState !== WebSocket.OPEN) { return; }
  for (let at = 0; at < bytes.length; at += PASTE) { socket.send(bytes.slice(at, at + PASTE)); }
}

terminal.onData((text) => send(new TextEncoder().encode(text)));
terminal.onBinary((text) => send(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
buttons.take.addEventListener("click", () => { connect(true); terminal.focus(); });
buttons.again.addEventListener("click", () => { connect(); terminal.focus(); });
// libvirt's stream carries bytes only: the size goes to the guest as something that is typed.
buttons.size.addEventListener("click", () => {
  send(new TextEncoder().encode(`stty rows ${terminal.rows} cols ${terminal.cols}\r`));
  terminal.focus();
});
connect();

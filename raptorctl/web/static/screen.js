// A machine's screen: noVNC over one WebSocket; see raptorctl/web/screen.py.
// What a guest says of a name or a clipboard is not listened to.
import RFB from "./novnc-1.3.0/core/rfb.js";

const OUTSIDE = 4401, REFUSED = 4403, ABSENT = 4404, OFF = 4410;
const LONGEST = 15000; // milliseconds between two attempts
const place = document.getElementById("screen");
const said = document.getElementById("said");
const again = document.getElementById("again");
const attention = document.getElementById("attention");

let screen = null;
let wait = 500;
let timer = 0;
let opened = false;

function tell(text, more = false) {
  said.textContent = text;
  again.hidden = !more;
}

function closed(event) {
  screen = null;
  if (!opened) { reloadIfOutside(); }
  const why = event.reason ? `: ${event.reason}` : "";
  const later = { [OFF]: "The machine is off; waiting for it." }[event.code] || "The connection ended; trying again.";
  switch (event.code) {
    case OUTSIDE: location.reload(); return;
    case ABSENT: tell("There is no such machine."); return;
    case REFUSED: tell(`Refused${why}`, true); return;
    default:
      tell(later, true);
      clearTimeout(timer);
      timer = setTimeout(connect, wait);
      wait = Math.min(wait * 2, LONGEST);
  }
}

function connect() {
  clearTimeout(timer);
  if (screen) { return; }
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}${place.dataset.socket}`);
  opened = false;
  socket.addEventListener("open", () => { opened = true; });
  socket.addEventListener("close", closed);
  screen = new RFB(place, socket, { shared: true });
  screen.scaleViewport = true;
  screen.background = "#101417";
  screen.addEventListener("connect", () => { wait = 500; tell("Connected"); screen.focus(); });
}

again.addEventListener("click", connect);
attention.addEventListener("click", () => { if (screen) { screen.sendCtrlAltDel(); screen.focus(); } });
connect();

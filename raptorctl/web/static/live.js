// What is pushed is laid over the page by htmx; here is what a lost connection means.
"use strict";
const OUTSIDE = 4401, REFUSED = 4403, ABSENT = 4404; // of raptorctl/web/sockets.py
const LATER = 15000; // milliseconds until another attempt, where htmx makes none by itself
const lost = document.getElementById("lost");
const trying = lost.textContent;
let opened = false;

function told(closed) {
  if (closed.code === ABSENT) { return "What this page shows is not there any more."; }
  return closed.code === REFUSED && closed.reason ? `${trying} The host says: ${closed.reason}` : trying;
}

document.body.addEventListener("htmx:wsOpen", () => { opened = true; lost.hidden = true; });
document.body.addEventListener("htmx:wsClose", (event) => {
  const closed = event.detail.event;
  if (closed.code === OUTSIDE) { location.reload(); return; }
  if (!opened) { reloadIfOutside(); }
  opened = false;
  lost.textContent = told(closed);
  lost.hidden = false;
  if (closed.code === REFUSED) { setTimeout(event.detail.socketWrapper.reconnect, LATER); }
});

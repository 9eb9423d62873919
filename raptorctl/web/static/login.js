// Whether the login is over while the host was away: who refuses a WebSocket tells no script why, so a page is asked for.
"use strict";
function reloadIfOutside() {
  fetch("/", { method: "HEAD", cache: "no-store" })
    .then((answer) => { if (answer.status === 401) { location.reload(); } }, () => {}); // still away
}

// What is pushed is laid over the page by htmx; here is what a lost connection means.
"use strict";
const OUTSIDE = 4401; // of raptorctl/web/sockets.py: the login has ended
const lost = document.getElementById("lost");
document.body.addEventListener("htmx:wsOpen", () => { lost.hidden = true; });
document.body.addEventListener("htmx:wsClose", (event) => {
  if (event.detail.event && event.detail.event.code === OUTSIDE) { location.reload(); return; }
  lost.hidden = false;
});

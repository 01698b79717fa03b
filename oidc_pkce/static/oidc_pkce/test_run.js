/* An answer in the fragment never reaches a server: send it to this page as a form would. */
"use strict";
if (document.getElementById("oidc-fragment") && location.hash.includes("=")) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = location.pathname;
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    const input = Object.assign(document.createElement("input"), { type: "hidden", name, value });
    form.append(input);
  }
  // The address with the tokens does not stay in the history.
  history.replaceState(null, "", location.pathname);
  document.body.append(form);
  HTMLFormElement.prototype.submit.call(form);
}

/* Comfort for the Admin Portal; every form works without it. */
"use strict";

/* Leaving a form with unsaved changes asks first. */
for (const form of document.querySelectorAll("form[data-guard]")) {
  const asSent = () => new URLSearchParams(new FormData(form)).toString();
  const before = asSent();
  let submitted = false;
  form.addEventListener("submit", () => { submitted = true; });
  window.addEventListener("beforeunload", (event) => {
    if (!submitted && asSent() !== before) event.preventDefault();
  });
}

/* A button beside whatever is worth copying, where the browser allows it. */
if (navigator.clipboard) {
  for (const value of document.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button oidc-copy";
    button.textContent = value.dataset.copy || "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(value.textContent);
      button.textContent = value.dataset.copied || "Copied";
    });
    value.after(button);
  }
}

/* Comfort for the Admin Portal; every form works without it. */
"use strict";

function make(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/* A text area with one entry per line becomes rows, each with a Remove button, and a field to add
   one. The text area stays, hidden, and is what the form sends. */
class Lines {
  constructor(area) {
    this.area = area;
    this.words = area.dataset;
    this.label = area.id ? document.querySelector(`label[for="${area.id}"]`) : null;
    this.rows = make("ul", { className: "oidc-lines-rows" });
    this.entry = make("input", { type: "text", className: "vTextField", spellcheck: false, autocomplete: "off" });
    this.add = make("button", { type: "button", className: "button", textContent: this.words.add });
    this.adding = make("div", { className: "oidc-lines-add" }, this.entry, this.add);
    this.group = make("div", { className: "oidc-lines" }, this.rows, this.adding);
    this.takeOver();
    for (const line of this.split(area.value)) this.append(line);
    this.update();
  }

  /* The label, the help and the errors belong to the field that is visible. */
  takeOver() {
    const name = this.label ? this.label.textContent.replace(/:\s*$/, "").trim() : this.words.entry;
    this.name = name;
    this.group.setAttribute("role", "group");
    this.group.setAttribute("aria-label", name);
    const description = this.area.getAttribute("aria-describedby");
    if (description) this.entry.setAttribute("aria-describedby", description);
    this.faults = this.area.closest(".form-row")?.querySelector(".errorlist")?.textContent || "";
    this.add.setAttribute("aria-label", `${this.words.add}: ${name}`);
    if (this.area.id) {
      this.entry.id = this.area.id;
      this.area.removeAttribute("id");
    } else this.entry.setAttribute("aria-label", name);
    this.entry.disabled = this.area.disabled;
    this.add.hidden = this.area.disabled;
    this.area.hidden = true;
    this.area.after(this.group);
    this.add.addEventListener("click", () => { this.take(); this.entry.focus(); });
    this.entry.addEventListener("input", () => this.update());
    this.entry.addEventListener("paste", (event) => this.paste(event, this.entry));
    this.entry.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !this.entry.value.trim()) return;
      event.preventDefault();
      this.take();
    });
  }

  split(text) {
    return text.split(/\r\n|\r|\n/).map((line) => line.trim()).filter(Boolean);
  }

  inputs() {
    return [...this.rows.querySelectorAll("input")];
  }

  /* What is typed but not yet added is sent as well: nobody means to lose it. */
  update() {
    const values = [...this.inputs(), this.entry].map((input) => input.value.trim());
    this.area.value = values.filter(Boolean).join("\n");
    this.inputs().forEach((input, index) => {
      input.setAttribute("aria-label", `${this.name}: ${this.words.entry} ${index + 1}`);
      input.nextSibling?.setAttribute("aria-label", `${this.words.remove}: ${input.value}`);
    });
    this.rows.hidden = !this.rows.children.length;
    this.adding.hidden = this.area.disabled && !this.rows.hidden;
    this.area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  append(line, before = null) {
    const input = make("input", { type: "text", className: "vTextField", value: line, spellcheck: false, autocomplete: "off" });
    const row = make("li", {}, input);
    input.disabled = this.area.disabled;
    if (this.faults.includes(`“${line.slice(0, 200)}”`)) input.setAttribute("aria-invalid", "true");
    if (!input.disabled) {
      const remove = make("button", { type: "button", className: "button oidc-remove", textContent: this.words.remove });
      remove.addEventListener("click", () => this.remove(row));
      row.append(remove);
    }
    input.addEventListener("input", () => this.update());
    input.addEventListener("paste", (event) => this.paste(event, input));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); this.entry.focus(); }
    });
    this.rows.insertBefore(row, before);
  }

  take() {
    for (const line of this.split(this.entry.value)) this.append(line);
    this.entry.value = "";
    this.update();
  }

  remove(row) {
    const next = row.nextElementSibling || row.previousElementSibling;
    row.remove();
    this.update();
    (next ? next.querySelector("button") : this.entry).focus();
  }

  /* Several lines make several rows. */
  paste(event, input) {
    const lines = this.split(event.clipboardData.getData("text"));
    if (lines.length < 2) return;
    event.preventDefault();
    const before = input === this.entry ? null : input.closest("li").nextSibling;
    for (const line of lines) this.append(line, before);
    this.update();
  }
}

for (const area of document.querySelectorAll("textarea[data-lines]")) {
  if (!area.name.includes("__prefix__")) new Lines(area);
}

/* A field that only some choice needs is shown with that choice; errors stay in sight. */
for (const field of document.querySelectorAll("[data-shown-for]")) {
  const row = field.closest(".form-row");
  const [name, value] = field.dataset.shownFor.split("=");
  const show = () => {
    const chosen = [...field.form.elements].some((one) => one.name === name && one.value === value && one.checked);
    row.hidden = !chosen && !row.querySelector(".errorlist");
  };
  field.form.addEventListener("change", show);
  show();
}

/* Leaving a form with unsaved changes asks first; sending it does not. */
for (const form of document.querySelectorAll("form[data-guard]")) {
  const asSent = () => JSON.stringify([...new FormData(form)].map(([name, value]) => [name, value.name ?? value]));
  const before = form.dataset.guard === "changed" ? "" : asSent();
  let submitted = false;
  form.addEventListener("submit", () => { submitted = true; });
  window.addEventListener("pageshow", () => { submitted = false; });
  window.addEventListener("beforeunload", (event) => {
    if (!submitted && asSent() !== before) event.preventDefault();
  });
}

/* A button beside whatever is worth copying, where the browser allows it. */
if (navigator.clipboard) {
  for (const value of document.querySelectorAll("[data-copy]")) {
    const words = value.dataset;
    const button = make("button", { type: "button", className: "button oidc-copy", textContent: words.copy || "Copy" });
    if (words.copyName) button.setAttribute("aria-label", `${button.textContent}: ${words.copyName}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(value.textContent);
      button.textContent = words.copied || "Copied";
      if (words.copyName) button.setAttribute("aria-label", `${button.textContent}: ${words.copyName}`);
    });
    value.after(button);
  }
}

/* Asks for new requests every two seconds, while the page is in sight and the watch lasts. */
"use strict";

const PAUSE = 2000;
const PATIENCE = 15000;

class WatchedRequests {
  constructor(list) {
    this.list = list;
    this.timer = document.querySelector("[data-remaining]");
    this.ends = performance.now() + 1000 * Number(this.timer.dataset.remaining);
    this.isOver = false;
    this.isAsking = false;
  }

  begin() {
    this.show("without-script", false);
    this.clock = setInterval(() => this.tick(), 1000);
    this.asking = setInterval(() => this.ask(), PAUSE);
    document.addEventListener("visibilitychange", () => this.ask());
    this.tick();
  }

  tick() {
    const left = Math.max(0, Math.round((this.ends - performance.now()) / 1000));
    this.timer.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left === 0) this.ask();
  }

  async ask() {
    if (this.isOver || this.isAsking || document.visibilityState !== "visible") return;
    this.isAsking = true;
    try {
      this.take(await this.answer());
    } catch {
      this.show("unreachable", true);
    } finally {
      this.isAsking = false;
    }
  }

  /* Without following: an ended session leads to the page that signs in. */
  async answer() {
    const newest = this.list.querySelector("[data-request]");
    const address = `${this.list.dataset.news}?after=${newest ? newest.dataset.request : 0}`;
    const signal = AbortSignal.timeout(PATIENCE);
    const response = await fetch(address, { redirect: "manual", cache: "no-store", signal });
    return { response, text: response.status === 200 ? await response.text() : "" };
  }

  take({ response, text }) {
    this.show("unreachable", response.status >= 500);
    if (response.status === 200) this.add(text);
    if (response.headers.get("Oidc-Watch") === "over") this.end("ended");
    else if (response.type === "opaqueredirect") this.end("signed-out");
    else if (response.status === 403 || response.status === 404) this.end("refused");
  }

  add(text) {
    const piece = document.createElement("template");
    piece.innerHTML = text;
    document.querySelector("[data-told]").textContent = piece.content.querySelector(".oidc-watch-told").textContent;
    const arrived = [...piece.content.querySelectorAll("[data-request]")];
    arrived.forEach((each) => each.classList.add("oidc-watched-new"));
    this.list.prepend(...arrived);
    [...this.list.children].slice(Number(this.list.dataset.most)).forEach((each) => each.remove());
    this.show("empty", false);
  }

  end(why) {
    this.isOver = true;
    clearInterval(this.clock);
    clearInterval(this.asking);
    this.show("while-on", false);
    this.show(why, true);
  }

  show(name, isShown) {
    document.querySelectorAll(`[data-${name}]`).forEach((each) => { each.hidden = !isShown; });
  }
}

const watched = document.querySelector("[data-news]");
if (watched) new WatchedRequests(watched).begin();

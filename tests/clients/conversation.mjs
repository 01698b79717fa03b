// How a test and a client talk: the client's registration comes as the first argument, a URL for the
// browser goes out as one line, what arrived at the client comes in as one, the result goes out.
import { createInterface } from "node:readline/promises";

export const registration = JSON.parse(process.argv[2]);

export async function sendTheBrowserTo(url) {
  const { callback, form } = JSON.parse(await ask(url));
  if (!form) return new URL(callback);
  return new Request(callback, { method: "POST", body: new URLSearchParams(form) });
}

async function ask(url) {
  console.log(url.href);
  const lines = createInterface({ input: process.stdin });
  const answer = await lines.question("");
  lines.close();
  return answer;
}

export function report(result) {
  console.log(JSON.stringify(result));
}

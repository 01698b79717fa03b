// How a test and a client talk: the client's registration comes as the first argument, the
// authorization URL goes out as one line, the callback URL comes in as one, the result goes out.
import { createInterface } from "node:readline/promises";

export const registration = JSON.parse(process.argv[2]);

export async function sendTheBrowserTo(url) {
  console.log(url.href);
  const lines = createInterface({ input: process.stdin });
  const callback = await lines.question("");
  lines.close();
  return new URL(callback);
}

export function report(result) {
  console.log(JSON.stringify(result));
}

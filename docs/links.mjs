// Whether the links of all pages in git lead to a file, and to a heading in it.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], { encoding: "utf8" });
const pages = listed.trim().split("\n").filter((page) => existsSync(page));

const withoutCode = (text) => text.replaceAll(/^```[^]*?^```/gm, "").replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, " "));

// As GitHub names headings.
const slug = (heading) =>
  heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");

const anchors = new Map();
const anchorsOf = (page) => {
  if (!anchors.has(page)) {
    const text = readFileSync(page, "utf8").replaceAll(/^```[^]*?^```/gm, "");
    anchors.set(page, new Set([...text.matchAll(/^#{1,6} (.*)$/gm)].map(([, heading]) => slug(heading))));
  }
  return anchors.get(page);
};

let wrong = 0;
for (const page of pages) {
  for (const [, target] of withoutCode(readFileSync(page, "utf8")).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path, anchor] = target.split("#");
    const file = path === "" ? page : normalize(join(dirname(page), decodeURI(path)));
    const leads = existsSync(file) && (!anchor || !file.endsWith(".md") || anchorsOf(file).has(anchor));
    if (!leads) {
      console.error(`FAIL ${page}: ${target} leads nowhere`);
      wrong += 1;
    }
  }
}
process.exit(wrong === 0 ? 0 : 1);

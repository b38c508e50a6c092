// Makes the reference page of the custom resources: one definition as JSON a line on standard input, Markdown on standard
// output. Run by docs/generate.sh.
import { readFileSync } from "node:fs";

// Fields of Kubernetes itself: described there, and hundreds of lines long.
const OF_KUBERNETES = new Map([
  ["affinity", "Affinity"],
  ["tolerations", "Toleration"],
  ["topologySpreadConstraints", "TopologySpreadConstraint"],
  ["seLinuxOptions", "SELinuxOptions"],
]);
const ORDER = ["DiskCluster", "Member", "Group"];
// A part that has been described already is referred to when it has more fields than this.
const WORTH_REFERRING = 4;

const definitions = readFileSync(0, "utf8").trim().split("\n").map((line) => JSON.parse(line));
definitions.sort((a, b) => ORDER.indexOf(a.spec.names.kind) - ORDER.indexOf(b.spec.names.kind));

const out = [];
const say = (...lines) => out.push(...lines);

// What is between backticks is shown as it is.
const line = (text) =>
  String(text)
    .split(/(`[^`]*`)/)
    .map((part, at) => (at % 2 === 1 ? part : part.replaceAll("<", "&lt;")))
    .join("")
    .replaceAll(/\s+/g, " ")
    .trim();
const cell = (text) => line(text).replaceAll("|", "\\|");
const code = (value) => `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;

function typeOf(name, schema) {
  const foreign = OF_KUBERNETES.get(name);
  if (foreign) return schema.type === "array" ? `list of ${foreign}` : foreign;
  if (schema["x-kubernetes-int-or-string"]) return "number or text";
  switch (schema.type) {
    case "array": return `list of ${typeOf("", schema.items).replace(/^object$/, "objects").replace(/^text$/, "texts").replace(/^whole number$/, "whole numbers")}`;
    case "string": return schema.format === "date-time" ? "time" : "text";
    case "integer": return "whole number";
    case "boolean": return "true or false";
    case "object": return schema.additionalProperties ? `map of ${typeOf("", schema.additionalProperties)}` : "object";
    default: throw new Error(`${name} has the type ${schema.type}, which this script does not know`);
  }
}

function limits(schema, required) {
  const said = required ? ["**required**"] : [];
  const of = (low, high, what) => {
    if (low !== undefined && high !== undefined) said.push(`${low} to ${high}${what}`);
    else if (low !== undefined) said.push(`at least ${low}${what}`);
    else if (high !== undefined) said.push(`at most ${high}${what}`);
  };
  if (schema.enum) said.push(schema.enum.map(code).join(", "));
  of(schema.minimum, schema.maximum, "");
  of(schema.minLength, schema.maxLength, " characters");
  of(schema.minItems, schema.maxItems, " items");
  of(schema.minProperties, schema.maxProperties, " entries");
  if (schema.pattern) said.push(code(schema.pattern));
  if (schema["x-kubernetes-list-map-keys"]) said.push(`one for each ${schema["x-kubernetes-list-map-keys"].join(", ")}`);
  const items = schema.items ?? schema.additionalProperties;
  if (items && items.type !== "object") {
    const each = limits(items, false);
    if (each) said.push(`each: ${each}`);
  }
  return said.join("; ");
}

// Of a message that the API server puts together, the words that are always there.
const refusal = ({ message, messageExpression }) =>
  message ?? [...messageExpression.matchAll(/'([^']*)'/g)].map(([, words]) => words).filter((words) => /[a-z]{2}/.test(words)).join(" … ").replaceAll(/%[ds]/g, "…");
const shape = (schema) => JSON.stringify(schema.properties);
const size = (schema) => Object.values(schema.properties ?? {}).reduce((sum, one) => sum + 1 + size(inner(one)), 0);
const inner = (schema) => schema.items ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : schema);

// A default of an object repeats the defaults of its fields.
function defaultOf(schema) {
  if (schema.default === undefined || schema.default === "" || schema.type === "object") return "";
  return code(schema.default);
}

/** All fields below a schema as rows of a table, and what must hold beyond them. */
function walk(schema, path, known, rows, rules) {
  for (const rule of schema["x-kubernetes-validations"] ?? []) rules.push([path, refusal(rule)]);
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const list = field.type === "array" && inner(field).type === "object";
    const here = `${path}${path ? "." : ""}${name}${list ? "[]" : ""}`;
    const type = typeOf(name, field);
    const part = inner(field);
    const before = size(part) > WORTH_REFERRING ? known.get(shape(part)) : undefined;
    const about = [field.description ?? ""];
    if (OF_KUBERNETES.has(name)) about.push("See the API reference of Kubernetes.");
    if (before) about.push(`Its fields are those of \`${before}\`.`);
    rows.push([code(here), type, defaultOf(field), limits(field, schema.required?.includes(name)), about.join(" ")]);
    if (part !== field) for (const rule of field["x-kubernetes-validations"] ?? []) rules.push([here, refusal(rule)]);
    if (OF_KUBERNETES.has(name) || before) continue;
    if (part.properties) {
      known.set(shape(part), here);
      walk(part, here, known, rows, rules);
    } else {
      for (const rule of part["x-kubernetes-validations"] ?? []) rules.push([here, refusal(rule)]);
    }
  }
}

function table(rows) {
  say("| Field | Type | Default | Limits | |", "|---|---|---|---|---|");
  for (const row of rows) say(`| ${row.map(cell).join(" | ")} |`);
  say("");
}

function section(title, schema, root, known) {
  const rows = [];
  const rules = [];
  walk(schema, root, known, rows, rules);
  if (rows.length === 0) return;
  say(title, "");
  if (schema.description) say(cell(schema.description), "");
  table(rows);
  if (rules.length > 0) {
    say("Refused, too:", "");
    for (const [path, message] of rules) say(`- \`${path}\`: ${line(message)}`);
    say("");
  }
}

say(
  "# Custom resources",
  "",
  "<!-- Generated from crds/ by docs/generate.sh: edit api/src/kubernetes, then make generate. -->",
  "",
  "Every field of the three kinds. All are `internetdisk.dev/v1alpha1` and live in a namespace; what that version promises is in",
  "[api-versions.md](api-versions.md). `kubectl explain diskcluster.spec.disk` says the same. `kubectl` refuses a field that is not",
  "known; a program that does not ask for strict validation has it dropped without a word. Amounts of bytes are quantities of",
  "Kubernetes (`10Gi`, `500M`). What has no default and is not required may be left out.",
  "",
  "Some fields are there and are not followed yet: [what is not there](../guide/troubleshooting.md#notsupported).",
  "",
  ...definitions.map(({ spec: { names } }) => `- [${names.kind}](#${names.kind.toLowerCase()})`),
  "",
);

for (const { metadata, spec } of definitions) {
  const { kind, shortNames, plural } = spec.names;
  const [version] = spec.versions;
  const schema = version.schema.openAPIV3Schema;
  say(`## ${kind}`, "", schema.description ?? "", "");
  say(`\`kubectl get ${plural}\`, short \`${(shortNames ?? []).join("`, `")}\`; definition \`${metadata.name}\`.`, "");
  const columns = version.additionalPrinterColumns ?? [];
  const named = (wide) => columns.filter((one) => Boolean(one.priority) === wide).map((one) => one.name).join(", ");
  say(`Columns: ${named(false)}; with \`-o wide\` also ${named(true)}.`, "");
  if (version.subresources?.scale) {
    const { specReplicasPath, statusReplicasPath } = version.subresources.scale;
    say(`\`kubectl scale\` and autoscalers write \`${specReplicasPath.slice(1)}\` and read \`${statusReplicasPath.slice(1)}\`.`, "");
  }
  const fields = (version.selectableFields ?? []).map(({ jsonPath }) => `\`${jsonPath.slice(1)}\``);
  if (fields.length > 0) say(`\`--field-selector\` takes ${fields.join(", ")}.`, "");
  const own = schema["x-kubernetes-validations"] ?? [];
  if (own.length > 0) {
    for (const rule of own) say(`- ${line(refusal(rule))}`);
    say("");
  }
  const known = new Map();
  const parts = schema.properties.spec;
  const isPart = (field) => inner(field).type === "object" && Boolean(inner(field).properties) && size(inner(field)) > WORTH_REFERRING;
  const split = (keep) => Object.fromEntries(Object.entries(parts.properties).filter(([, field]) => keep(field)));
  section(`### ${kind} spec`, { ...parts, description: undefined, properties: split((field) => !isPart(field)) }, "spec", known);
  for (const [name, field] of Object.entries(split(isPart))) {
    section(`### ${kind} spec.${name}`, { properties: { [name]: field }, required: parts.required }, "spec", known);
  }
  section(`### ${kind} status`, { ...schema.properties.status, description: undefined }, "status", known);
}

process.stdout.write(`${out.join("\n").replaceAll(/\n{3,}/g, "\n\n").trimEnd()}\n`);

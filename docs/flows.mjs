// Evaluates the NetworkPolicies that the operator and the chart make: who reaches which port. Prints the table for
// docs/guide/security.md, and fails when something is let in that nobody needs, or kept out that somebody does.
// Arguments: files with a policy, or a list of them, as JSON.
import { readFileSync } from "node:fs";

const pod = (title, namespace, component, instance) => ({
  title,
  namespace,
  labels: component
    ? { "app.kubernetes.io/name": "internet-disk", "app.kubernetes.io/component": component, "app.kubernetes.io/instance": instance }
    : { app: "something" },
});
const WEB = pod("web pod", "disk", "web", "demo");
const DISK = pod("disk pod", "disk", "disk", "demo");
const CHECK = pod("checking pod", "disk", "check", "demo");
const OPERATOR = pod("operator", "internetdisk-system", "operator", "internet-disk");
const NEIGHBOUR = pod("pod of another DiskCluster beside it", "disk", "disk", "other");
const STRANGER = pod("any other pod", "elsewhere");
const OUTSIDE = { title: "from outside", namespace: null, labels: {} };
const FROM = [WEB, DISK, OPERATOR, NEIGHBOUR, STRANGER, OUTSIDE, CHECK];
const PODS = FROM.filter((one) => one !== OUTSIDE && one !== CHECK);
const ALL = FROM.filter((one) => one !== CHECK);

// What somebody needs, and nothing else. A Prometheus may be any pod.
const NEEDED = [
  { to: WEB, port: 8080, from: ALL },
  { to: WEB, port: 8081, from: [DISK] },
  { to: WEB, port: 9090, from: PODS },
  { to: DISK, port: 8080, from: ALL },
  { to: DISK, port: 8081, from: [WEB, DISK, OPERATOR] },
  { to: DISK, port: 9090, from: PODS },
  { to: OPERATOR, port: 9090, from: ALL },
  { to: CHECK, port: 8080, from: [] },
];
const NAMED = { admin: 9090 };

const policies = process.argv.slice(2).flatMap((file) => JSON.parse(readFileSync(file, "utf8")));

const matches = (selector, labels) => {
  const { matchLabels = {}, matchExpressions, ...rest } = selector;
  if (matchExpressions || Object.keys(rest).length > 0) throw new Error("a selector of a kind that this script does not know");
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
};
const concerns = (policy, one) => policy.metadata.namespace === one.namespace && matches(policy.spec.podSelector, one.labels);

function isPeer(peer, policy, one) {
  const { podSelector, namespaceSelector, ...rest } = peer;
  if (Object.keys(rest).length > 0) throw new Error("a peer of a kind that this script does not know");
  if (one.namespace === null) return false;
  const namespace = namespaceSelector
    ? matches(namespaceSelector, { "kubernetes.io/metadata.name": one.namespace })
    : one.namespace === policy.metadata.namespace;
  return namespace && (!podSelector || matches(podSelector, one.labels));
}

const lets = (rules, side, policy, other, port) =>
  (rules ?? []).some(
    (rule) =>
      (!rule.ports || rule.ports.some((one) => (NAMED[one.port] ?? one.port) === port)) &&
      (!rule[side] || rule[side].some((peer) => isPeer(peer, policy, other))),
  );

function reaches(from, to, port) {
  const into = policies.filter((policy) => policy.spec.policyTypes.includes("Ingress") && concerns(policy, to));
  const out = policies.filter((policy) => policy.spec.policyTypes.includes("Egress") && concerns(policy, from));
  const in_ = into.length === 0 || into.some((policy) => lets(policy.spec.ingress, "from", policy, from, port));
  return in_ && (out.length === 0 || out.some((policy) => lets(policy.spec.egress, "to", policy, to, port)));
}

let wrong = 0;
console.log(`| To | Port | ${FROM.map(({ title }) => title).join(" | ")} |`);
console.log(`|---|---|${FROM.map(() => "---|").join("")}`);
for (const { to, port, from: needed } of NEEDED) {
  const cells = FROM.map((from) => {
    const open = reaches(from, to, port);
    if (open !== needed.includes(from)) {
      console.error(`FAIL ${from.title} ${open ? "reaches" : "does not reach"} port ${port} of ${to.title}, and ${open ? "need not" : "needs to"}`);
      wrong += 1;
    }
    return open ? "yes" : "no";
  });
  console.log(`| ${to.title} | ${to === CHECK ? "any" : port} | ${cells.join(" | ")} |`);
}
process.exit(wrong === 0 ? 0 : 1);

// The audit page: choose a folder of the server or drop a zip, watch the audit, read what it found.
import { html, useEffect, useState } from "./dom.js";
import { followEvents, getJson, request } from "./api.js";
import { Button, ErrorLine, Page, Progress, Section, announce } from "./components.js";
import { AuditStart } from "./audit-start.js";
import { AuditResult } from "./audit-result.js";

const STEPS = [
  ["unpacking", "Unpacking the zip"],
  ["looking", "Looking at the folder"],
  ["reading", "Reading the pictures"],
  ["comparing", "Looking for twins"],
  ["verifying", "Laying likely twins over each other"],
  ["copy baseline", "Measuring what copying scores"],
  ["source probe", "Measuring what the file alone gives away"],
  ["writing", "Writing the results"],
];
const GONE = 404;
const AGAIN_MS = 1500;

let latest = null; // the audit that was looked at last, so that the way back to this page leads to it

export default function AuditPage() {
  const [link, setLink] = useState(linkOfAddress() ?? latest);
  const choose = (next) => {
    latest = next;
    history.replaceState(null, "", next ? `#/audit?id=${encodeURIComponent(next.split("/").at(-1))}` : "#/audit");
    setLink(next);
  };
  useEffect(() => {
    if (link) choose(link);
    const follow = () => location.hash.startsWith("#/audit") && setLink(linkOfAddress() ?? latest);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return link ? html`<${Audit} key=${link} link=${link} onLeave=${() => choose(null)} />`
    : html`<${AuditStart} onStarted=${(job) => choose(job.links.self)} />`;
}

function linkOfAddress() {
  const id = new URLSearchParams(location.hash.split("?")[1] ?? "").get("id");
  return id && /^[\w-]+$/.test(id) ? `/v1/audits/${id}` : null;
}

function Audit({ link, onLeave }) {
  const { audit, error: unread, again } = useAudit(link);
  const [unmoved, setUnmoved] = useState(null);
  const remove = async () => {
    try {
      await request(link, { method: "DELETE" });
    } catch (problem) {
      if (problem.status !== GONE) return setUnmoved(problem);
    }
    announce("The audit is removed");
    onLeave();
  };
  const error = unmoved ?? unread;
  if (error) {
    const isGone = error.status === GONE;
    return html`<${Page} title="Audit" actions=${html`<${Button} icon="add" onClick=${onLeave}>New audit</${Button}>`}>
      <${ErrorLine} error=${isGone ? "This audit is no longer here: it was removed, or its time was over." : error}
        onRetry=${isGone ? undefined : unmoved ? remove : again} /></${Page}>`;
  }
  if (!audit) return html`<${Page} title="Audit"><${Progress} label="Asking for the audit" /></${Page}>`;
  if (audit.status === "done") return html`<${AuditResult} audit=${audit} link=${link} onLeave=${onLeave} onRemove=${remove} />`;
  if (audit.status === "failed" || audit.status === "cancelled") {
    return html`<${Page} title=${audit.name} lead="This data could not be audited."
      actions=${html`<${Button} icon="add" onClick=${remove}>New audit</${Button}>`}>
      <${ErrorLine} error=${`${audit.name}: ${audit.error ?? "the audit was stopped"}`} /></${Page}>`;
  }
  return html`<${Running} audit=${audit} onStop=${remove} />`;
}

/** The audit by its address, kept fresh by its events until it has ended. */
function useAudit(link) {
  const [state, setState] = useState({ audit: null, error: null });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    const load = async () => {
      let audit = await getJson(link, { signal });
      setState({ audit, error: null });
      while (isOpen(audit)) {
        const onEvent = ({ data }) => setState(({ audit: known }) => ({ audit: { ...known, ...JSON.parse(data), links: known.links }, error: null }));
        // whatever breaks the line, the next look tells whether the audit has ended
        await followEvents(audit.links.events, onProgressOnly(onEvent), { signal }).catch((error) => {
          if (error.name === "AbortError") throw error;
        });
        audit = await getJson(link, { signal });
        if (isOpen(audit)) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
      setState({ audit, error: null });
      announce(audit.status === "done" ? `The audit of ${audit.name} is done` : `The audit of ${audit.name} failed`);
    };
    load().catch((error) => error.name === "AbortError" || setState({ audit: null, error }));
    return () => stop.abort();
  }, [link, round]);
  return { ...state, again: () => setRound((value) => value + 1) };
}

// The end is shown when the whole result is here, not when the event of the end is.
function onProgressOnly(onEvent) {
  return (event) => event.type === "progress" && onEvent(event);
}

function isOpen(audit) {
  return audit.status === "queued" || audit.status === "running";
}

function Running({ audit, onStop }) {
  const at = STEPS.findIndex(([stage]) => stage === audit.stage);
  const steps = audit.root === null ? STEPS : STEPS.slice(1);
  const isQueued = audit.status === "queued";
  const label = isQueued ? "Waiting for another audit to end" : STEPS[at]?.[1] ?? "Starting";
  return html`<${Page} title=${audit.name} lead="The audit runs beside everything else; you can leave this page and come back."
    actions=${html`<${Button} kind="bad" icon="close" onClick=${onStop}>Stop</${Button}>`}>
    <${Section}>
      <${Progress} label=${label} done=${audit.done} total=${audit.total > 1 ? audit.total : 0} />
      <ol class="steps">${steps.map(([stage, name]) => {
        const place = STEPS.findIndex(([each]) => each === stage);
        const state = place < at ? "past" : place === at ? "now" : "next";
        return html`<li class=${state} aria-current=${state === "now" ? "step" : undefined}>${name}${state === "past" && html`<span class="hidden"> (done)</span>`}</li>`;
      })}</ol>
    </${Section}></${Page}>`;
}

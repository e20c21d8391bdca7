// The shell: navigation, theme, the key dialog, the line at the foot, and whichever page the address names.
import { html, render, useEffect, useLayoutEffect, useRef, useState } from "./dom.js";
import { onKeyWanted } from "./api.js";
import { Button, Dialog, ErrorLine, Icon, Page } from "./components.js";
import { useModel } from "./hooks.js";
import { currentPath } from "./address.js";
import { PAGES } from "./pages.js";

function App() {
  useStrayDrops();
  const path = usePath();
  const page = PAGES.find((each) => each.path === path) ?? PAGES[0];
  const { Content, error, again } = usePage(page);
  useEffect(() => {
    document.title = page.path === "/" ? "tumorscope" : `${page.name} · tumorscope`;
  }, [page]);
  useArrival(Content);
  return html`<div class="shell">
    <a class="skip" href="#content" onClick=${skip}>Skip to the content</a>
    <${TopBar} current=${page} />
    ${error ? html`<${Page} title=${page.name}><${ErrorLine} error=${error} onRetry=${again} /></${Page}>`
      : Content ? html`<${Content} />` : html`<main class="page" id="content" aria-busy="true"></main>`}
    <${FootLine} />
    <${KeyDialog} />
    <div class="hidden" id="announcements" role="status" aria-live="polite"></div>
  </div>`;
}

// A file that misses its place must not be opened by the browser instead of this page.
function useStrayDrops() {
  useLayoutEffect(() => {
    const stop = (event) => event.preventDefault();
    ["dragover", "drop"].forEach((type) => addEventListener(type, stop));
    return () => ["dragover", "drop"].forEach((type) => removeEventListener(type, stop));
  }, []);
}

// Whoever moves by keyboard or by ear is put at the start of the page that was asked for; not when the first one opens.
function useArrival(Content) {
  const seen = useRef(null);
  useEffect(() => {
    if (Content && seen.current && seen.current !== Content) document.getElementById("content")?.focus();
    seen.current = Content ?? seen.current;
  }, [Content]);
}

function skip(event) {
  event.preventDefault(); // the part after # is the address of a page here
  document.getElementById("content")?.focus();
}

function usePath() {
  const [path, setPath] = useState(currentPath);
  useEffect(() => {
    const follow = () => setPath(currentPath());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return path;
}

function usePage(page) {
  const [state, setState] = useState({});
  const load = () => {
    let isWanted = true;
    page.load().then(
      (module) => isWanted && setState({ page, Content: module.default }),
      (error) => isWanted && setState({ page, error }),
    );
    return () => (isWanted = false);
  };
  useEffect(load, [page]);
  return { ...(state.page === page ? state : {}), again: load };
}

function TopBar({ current }) {
  return html`<header class="topbar">
    <a class="brand" href="#/"><img src="/assets/icon.svg" alt="" />tumorscope</a>
    <nav class="nav" aria-label="Pages">${PAGES.map((page) => html`<a href="#${page.path}"
      aria-current=${page === current ? "page" : undefined}><${Icon} name=${page.icon} />${page.name}</a>`)}</nav>
    <span class="row push">
      ${current.path === "/" && html`<${Button} kind="quiet" icon="keyboard" label="Keys" keys="?"
        onClick=${() => dispatchEvent(new CustomEvent("tumorscope:help"))} />`}
      <${ThemeButton} />
    </span>
  </header>`;
}

function ThemeButton() {
  const root = document.documentElement;
  const [theme, setTheme] = useState(root.dataset.theme);
  const other = theme === "dark" ? "light" : "dark";
  const turn = () => {
    root.dataset.theme = other;
    setTheme(other);
    try {
      localStorage.setItem("tumorscope.theme", other);
    } catch {
      // storage may be forbidden; the choice then lasts as long as the page
    }
  };
  return html`<${Button} kind="quiet" icon=${other === "light" ? "sun" : "moon"}
      label="Switch to the ${other} theme" data-theme-button onClick=${turn} />`;
}

function FootLine() {
  const { model } = useModel();
  return html`<footer class="footline"><span>Research use only. Not a medical device.</span>
    ${model && html`<span class="push">Model <a href="#/model">${model.name}</a> ${model.version}</span>`}</footer>`;
}

function KeyDialog() {
  const [wish, setWish] = useState(null);
  const field = useRef(null);
  useEffect(() => onKeyWanted((wasWrong) => new Promise((answer) => setWish({ wasWrong, answer }))), []);
  if (!wish) return null;
  const end = (key) => {
    wish.answer(key);
    setWish(null);
  };
  const submit = (event) => {
    event.preventDefault();
    end(field.current.value.trim());
  };
  return html`<${Dialog} title="This server asks for a key" onClose=${() => end(null)}>
    <form class="dialog-form" onSubmit=${submit}>
      <label class="field">API key<input class="input" ref=${field} type="password"
          autocomplete="off" required data-first
        aria-describedby="key-note" aria-invalid=${wish.wasWrong ? "true" : undefined} /></label>
      ${wish.wasWrong && html`<${ErrorLine} error="The server did not take that key" />`}
      <p class="dim small" id="key-note">Whoever started the server knows it (<code>--api-key</code>). It is kept in this page's memory
        only, and forgotten when you close or reload it.</p>
      <div class="row"><button class="button main" type="submit">Use this key</button></div>
    </form></${Dialog}>`;
}

render(html`<${App} />`, document.getElementById("app"));

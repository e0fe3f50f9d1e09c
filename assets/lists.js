// Lists: search, filters and the rows beyond the window. Without it each is a
// plain form or link.
document.addEventListener("DOMContentLoaded", () => {
  const page = window.envivo;
  const search = document.querySelector("[data-busca]");
  const main = document.querySelector("main");
  const trouble = document.querySelector("[data-sin-carga]");

  // One question is under way at a time; of those asked meanwhile only the
  // newest is asked next. What hangs is given up for a newer one.
  const patience = 400, hidden = 200; // ms
  let asked = null, under = null;
  function look(address, done = () => {}) {
    asked = { address, done };
    if (!under) next();
    else if (performance.now() - under.at > patience) under.cut.abort();
  }
  async function next() {
    const { address, done } = asked;
    asked = null;
    const mine = under = { at: performance.now(), cut: new AbortController() };
    const slow = setTimeout(() => main.classList.add("cargando"), hidden);
    try {
      await page.fresh(address, true, mine.cut.signal);
      history.replaceState(null, "", address);
      failed(null);
      done();
    } catch {
      if (!asked) failed(address);
    }
    clearTimeout(slow);
    under = null;
    if (asked) next();
    else main.classList.remove("cargando");
  }
  function failed(address) { // the list stays as it was, and says of when it is
    if (!trouble) return;
    trouble.hidden = !address;
    if (!address) return;
    trouble.querySelector("p").textContent = page.say("noCargo", { h: page.hour() });
    trouble.querySelector("a").href = address;
    document.querySelector("[data-gritar]").textContent = trouble.querySelector("p").textContent;
  }
  addEventListener("sin-carga", () => failed(location.pathname + location.search));
  trouble?.addEventListener("click", (e) => {
    const link = e.target.closest("a");
    if (!link) return;
    e.preventDefault();
    look(link.getAttribute("href"));
  });

  // ---- search and filters -----------------------------------------------------
  search?.addEventListener("input", () => {
    const q = new URLSearchParams([...new FormData(search)].filter(([, v]) => v.trim()));
    look(search.action.replace(location.origin, "") + (q.size ? "?" + q : ""));
  });
  search?.addEventListener("submit", (e) => { e.preventDefault(); document.activeElement.blur(); });
  addEventListener("click", (e) => {
    const link = e.target.closest("a[data-filtro]");
    if (!link || !search || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    const to = new URL(link.href);
    for (const name of ["estado", "nv", "operacion"]) {
      let field = search.elements[name];
      if (!field) { field = search.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name })); }
      field.value = to.searchParams.get(name) ?? "";
    }
    search.elements.q.value = to.searchParams.get("q") ?? "";
    if (page.dialog()) page.shut();
    look(to.pathname + to.search);
  });
  addEventListener("keydown", (e) => {
    if (e.key === "/" && search && !e.target.closest("input,textarea")) { e.preventDefault(); search.elements.q.focus(); search.elements.q.select(); }
  });

  // ---- digits ---------------------------------------------------------------------
  // A finger on the box opens the pad instead of the tablet's keyboard; ABC asks
  // for that one, 123 for the pad again. The box keeps the focus and the caret.
  const pad = document.querySelector("[data-numeros]"), opener = document.querySelector("[data-numeros-abrir]");
  const box = search?.elements.q;
  let letters = false;
  function digits(open) {
    pad.hidden = !open;
    document.body.classList.toggle("con-numeros", open);
    document.documentElement.style.scrollPaddingBottom = open ? pad.parentElement.offsetHeight + 16 + "px" : "";
    opener.setAttribute("aria-expanded", String(open));
    box.inputMode = open ? "none" : "search";
  }
  if (pad && opener) {
    box.addEventListener("pointerdown", (e) => { if (e.pointerType === "touch" && !letters) digits(true); });
    opener.addEventListener("click", () => { letters = false; digits(pad.hidden); box.focus(); });
    pad.addEventListener("pointerdown", (e) => e.preventDefault());
    pad.addEventListener("click", (e) => {
      const key = e.target.closest("button");
      if (!key) return;
      if (key.dataset.letras !== undefined) {
        letters = true;
        digits(false);
        box.blur();
        box.focus();
        return;
      }
      const digit = key.dataset.numero, end = box.selectionEnd;
      const from = digit || box.selectionStart < end ? box.selectionStart : Math.max(0, end - 1);
      box.setRangeText(digit, from, end, "end");
      box.dispatchEvent(new InputEvent("input", { bubbles: true }));
    });
    addEventListener("keydown", (e) => { if (e.key === "Escape" && !pad.hidden && !page.dialog()) digits(false); });
  }

  // ---- more rows ----------------------------------------------------------------
  // The new rows come below; nothing above moves, and the focus goes to the first
  // of them, which stands where the link was.
  addEventListener("click", (e) => {
    const link = e.target.closest("a[data-mas]");
    if (!link || e.ctrlKey || e.metaKey || page.stale()) return;
    e.preventDefault();
    const list = link.closest("ul[data-region]") ?? document.querySelector('[data-region="filas"],[data-region="gente"]');
    const shown = new Set([...list.children].map((n) => n.dataset.k));
    look(link.getAttribute("href"), () => {
      const first = [...list.children].find((n) => !shown.has(n.dataset.k));
      first?.querySelector("a")?.focus({ preventScroll: true });
    });
  });
});

// The list beside an open spool: a touch on a row leads to the spool with the
// list it was in, where the style has room for both. Without it each row is a
// plain link to the spool alone.
document.addEventListener("DOMContentLoaded", () => {
  const beside = document.querySelector("[data-lado]");
  const lists = /^\/(mis|listos|spools|metrologia|reparacion|quien)$/;
  const room = () => getComputedStyle(document.documentElement).getPropertyValue("--lado").trim() !== "";
  const here = () => beside ? beside.dataset.lado : lists.test(location.pathname) ? location.pathname + location.search : "";
  // After a scan: the list that is there, else the one the box proposes.
  window.envivo.beside = (to, list) => {
    const at = new URL(to, location.href);
    if (!list || !room() || at.searchParams.has("lista")) return to;
    at.searchParams.set("lista", here() || list);
    return at.pathname + at.search;
  };
  addEventListener("click", (e) => {
    const link = e.target.closest(".fila > a, .tenida > a, .vecina > a");
    if (!link?.pathname.startsWith("/spools/") || e.defaultPrevented || e.ctrlKey || e.metaKey || e.shiftKey || !room()) return;
    const list = here();
    if (!list) return;
    e.preventDefault();
    location.href = link.pathname + "?" + new URLSearchParams({ lista: list });
  });
  if (!beside) return;

  // The rows stay where they were when the next spool opens beside them.
  const rows = beside.querySelector("[data-region]"), key = "lado " + beside.dataset.lado;
  rows.scrollTop = Number(sessionStorage.getItem(key));
  const open = rows.querySelector("[aria-current]")?.getBoundingClientRect(), frame = rows.getBoundingClientRect();
  if (open && (open.top < frame.top || open.bottom > frame.bottom)) rows.scrollTop += open.top - frame.top - (frame.height - open.height) / 2;
  addEventListener("pagehide", () => sessionStorage.setItem(key, rows.scrollTop));
});

package e2e

import "testing"

// watchMarks counts the bars at the edge of what somebody else changed.
const watchMarks = `(() => {
	window.marks = 0;
	new MutationObserver((all) => { for (const m of all) if (m.target.classList.contains('cambiada') && !(m.oldValue ?? '').includes('cambiada')) window.marks++; })
		.observe(document.querySelector('main'), {subtree: true, attributes: true, attributeFilter: ['class'], attributeOldValue: true});
	return true;
})()`

// TestOnlyOthersChangesAreMarked: the bar at the edge of a union tells of somebody
// else's work. One's own is not marked, though the stream tells of it before the
// command's own answer does.
func TestOnlyOthersChangesAreMarked(t *testing.T) {
	t.Parallel()
	s := serve(t, newPlant(t, 2, 2))
	tag := jointTag(1)
	tab := browser(t)
	open(t, tab, s.url+"/?volver=/spools/"+tag)
	clickText(t, tab, "Ana Bravo")
	until(t, tab, "Ana never came to the spool", `!!document.querySelector('[data-cmd="TOMAR"]')`)
	live(t, tab)
	// The answer of every command is held back until the stream has told of it.
	eval[bool](t, tab, `(() => {
		const old = window.fetch;
		window.fetch = async (at, o) => {
			const answer = await old(at, o);
			if (o?.method === 'POST') while (!document.querySelector('main').innerText.includes('Lo tienes tú')) await new Promise(requestAnimationFrame);
			return answer;
		};
		return true;
	})()`)
	eval[bool](t, tab, watchMarks)
	click(t, tab, `[data-cmd="TOMAR"]`)
	until(t, tab, "the own TOMAR was never answered", `document.querySelector('[data-avisos]').innerText.includes('Tomado')`)
	if n := eval[int](t, tab, `window.marks`); n != 0 {
		t.Errorf("one's own TOMAR marked %d unions as changed by somebody else", n)
	}
	s.post("/api/occupation/pausar", take(tag, fitterA, "ARM")).want(t, "PAUSAR elsewhere", 200)
	until(t, tab, "a change from elsewhere was never marked", `window.marks > 0`)
}

package ws

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"envivo/plant"
)

// sheet is a page as a browser holds it: its regions, each a list of items.
type sheet []shownRegion

type shownRegion struct {
	ID    string
	Items []shownItem
}

type shownItem struct{ Key, HTML string }

func shownBy(regions []Region) sheet {
	var out sheet
	for _, r := range regions {
		s := shownRegion{ID: r.ID, Items: []shownItem{}}
		for _, it := range r.Items {
			s.Items = append(s.Items, shownItem{it.Key, string(it.HTML)})
		}
		out = append(out, s)
	}
	return out
}

func (s sheet) clone() sheet {
	out := slices.Clone(s)
	for i := range out {
		out[i].Items = slices.Clone(out[i].Items)
	}
	return out
}

// patched is s after a patch, strictly by the rules of doc.go.
func (s sheet) patched(f frame) (sheet, error) {
	out := s.clone()
	for _, change := range f.Regions {
		i := slices.IndexFunc(out, func(r shownRegion) bool { return r.ID == change.ID })
		if i < 0 {
			return nil, fmt.Errorf("the patch names the region %q, which is not on the page", change.ID)
		}
		r := &out[i]
		for _, key := range change.Remove {
			r.Items = slices.DeleteFunc(r.Items, func(it shownItem) bool { return it.Key == key })
		}
		for _, p := range change.Put {
			if err := r.put(p.Key, p.HTML, p.After); err != nil {
				return nil, fmt.Errorf("region %q: %w", r.ID, err)
			}
		}
	}
	return out, nil
}

func (r *shownRegion) put(key string, html *string, after json.RawMessage) error {
	at := r.find(key)
	if at < 0 && (html == nil || after == nil) {
		return fmt.Errorf("%q is new and has no HTML or no place", key)
	}
	it := shownItem{Key: key}
	if at >= 0 {
		it = r.Items[at]
	}
	if html != nil {
		it.HTML = *html
	}
	if after == nil {
		r.Items[at] = it
		return nil
	}
	if at >= 0 {
		r.Items = slices.Delete(r.Items, at, at+1)
	}
	var behind *string
	if err := json.Unmarshal(after, &behind); err != nil {
		return err
	}
	to := 0
	if behind != nil {
		if to = r.find(*behind) + 1; to == 0 {
			return fmt.Errorf("%q is to go behind %q, which is not there yet", key, *behind)
		}
	}
	r.Items = slices.Insert(r.Items, to, it)
	return nil
}

func (r *shownRegion) find(key string) int {
	return slices.IndexFunc(r.Items, func(it shownItem) bool { return it.Key == key })
}

// unpacked reads a frame of the server.
func unpacked(t interface{ Fatalf(string, ...any) }, b []byte) frame {
	head := 2
	switch b[1] {
	case 126:
		head = 4
	case 127:
		head = 10
	}
	var f frame
	if err := json.Unmarshal(b[head:], &f); err != nil {
		t.Fatalf("the frame %q cannot be read: %v", b, err)
	}
	return f
}

// anyRegions draws the regions "a" and "b" with some of a few keys in any order.
func anyRegions(t *rapid.T) []Region {
	var out []Region
	for _, id := range []string{"a", "b"} {
		r := Region{ID: id}
		keys := rapid.Permutation([]string{"K1", "K2", "K3", "K4", "K5", "K6", "K7"}).Draw(t, "keys of "+id)
		for _, key := range keys[:rapid.IntRange(0, len(keys)).Draw(t, "items of "+id)] {
			html := fmt.Sprintf("<li>%s &amp; %d</li>", key, rapid.IntRange(0, 2).Draw(t, "text of "+key))
			r.Items = append(r.Items, Item{Key: key, HTML: []byte(html)})
		}
		out = append(out, r)
	}
	return out
}

// Whatever a page showed and whatever it should show now, one patch leads from
// the one to the other.
func TestAPatchFromEveryOldStateGivesTheNewOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := &instance{}
		pages := map[uint64]sheet{} // what a page in each state shows
		named := map[string]sheet{}
		for n := range rapid.IntRange(1, 8).Draw(t, "states") {
			regions := anyRegions(t)
			in.accept(regions, &plant.Snapshot{Seq: plant.Seq(n)}, time.Time{})
			want := shownBy(regions)
			for from, old := range pages {
				got, err := old.patched(unpacked(t, in.patch(from)))
				if err != nil {
					t.Fatalf("patch from state %d to %d: %v", from, in.rev, err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("after the patch from state %d to %d the page differs (-want +got):\n%s", from, in.rev, diff)
				}
			}
			pages[in.rev] = want
			rev := in.revText()
			if other, known := named[rev]; known && !cmp.Equal(other, want) {
				t.Fatalf("rev %s names two pages:\n%s", rev, cmp.Diff(other, want))
			}
			named[rev] = want
			fresh := &instance{}
			fresh.accept(regions, &plant.Snapshot{}, time.Time{})
			if got := fresh.revText(); got != rev {
				t.Fatalf("the same page is named %s when drawn at once and %s when changed into", got, rev)
			}
			if at, ok := in.at(rev); !ok || at != in.rev {
				t.Fatalf("rev %s leads to state %d, %v; want the newest, %d", rev, at, ok, in.rev)
			}
		}
	})
}

func TestAPatchNamesOnlyWhatChanged(t *testing.T) {
	list := func(keys ...string) []Region {
		r := Region{ID: "a"}
		for _, k := range keys {
			r.Items = append(r.Items, Item{Key: k[:1], HTML: []byte("<li>" + k + "</li>")})
		}
		return []Region{r, {ID: "still", Items: []Item{{Key: "x", HTML: []byte("<p>x</p>")}}}}
	}
	start := list("A", "B", "C", "D", "E")
	for name, c := range map[string]struct {
		to   []Region
		want string
	}{
		"nothing":          {list("A", "B", "C", "D", "E"), `[]`},
		"a text":           {list("A", "B", "Cx", "D", "E"), `[{"id":"a","put":[{"key":"C","html":"<li>Cx</li>"}]}]`},
		"one gone":         {list("A", "B", "D", "E"), `[{"id":"a","remove":["C"]}]`},
		"one new in front": {list("N", "A", "B", "C", "D", "E"), `[{"id":"a","put":[{"key":"N","html":"<li>N</li>","after":null}]}]`},
		"one new behind":   {list("A", "B", "C", "D", "E", "N"), `[{"id":"a","put":[{"key":"N","html":"<li>N</li>","after":"E"}]}]`},
		"first to the end": {list("B", "C", "D", "E", "A"), `[{"id":"a","put":[{"key":"A","after":"E"}]}]`},
		"last to the top":  {list("E", "A", "B", "C", "D"), `[{"id":"a","put":[{"key":"E","after":null}]}]`},
		"moved and new":    {list("A", "Dx", "B", "C", "E"), `[{"id":"a","put":[{"key":"D","html":"<li>Dx</li>","after":"A"}]}]`},
		"all gone":         {list(), `[{"id":"a","remove":["A","B","C","D","E"]}]`},
	} {
		t.Run(name, func(t *testing.T) {
			in := &instance{}
			in.accept(start, &plant.Snapshot{}, time.Time{})
			changed := in.accept(c.to, &plant.Snapshot{}, time.Time{})
			if want := name != "nothing"; changed != want {
				t.Errorf("the readers are told: %v, want %v", changed, want)
			}
			var got struct{ Regions json.RawMessage }
			b := in.patch(1)
			if err := json.Unmarshal(b[slices.Index(b, '{'):], &got); err != nil {
				t.Fatalf("the patch %q cannot be read: %v", b, err)
			}
			if string(got.Regions) != c.want {
				t.Errorf("got  %s\nwant %s", got.Regions, c.want)
			}
		})
	}
}

// A view remembers a bounded number of states; older pages are told to reload
// and the oldest one still known is patched rightly.
func TestStatesBeyondMemoryCannotBePatched(t *testing.T) {
	in := &instance{}
	draw := func(n int) []Region {
		r := Region{ID: "a", Items: []Item{{Key: "n", HTML: fmt.Appendf(nil, "<li>%d</li>", n)}}}
		for k := range n % 5 {
			r.Items = append(r.Items, Item{Key: fmt.Sprint((n*7 + k) % 11), HTML: []byte("<li></li>")})
		}
		return []Region{r}
	}
	pages := map[uint64]sheet{}
	revs := map[uint64]string{}
	const states = 2*maxMarks + 100
	for n := range states {
		regions := draw(n)
		in.accept(regions, &plant.Snapshot{}, time.Time{})
		pages[in.rev], revs[in.rev] = shownBy(regions), in.revText()
	}
	if in.rev != states || in.floor < 2 || len(in.marks) > maxMarks {
		t.Fatalf("state %d, floor %d, %d remembered; want %d states and at most %d remembered", in.rev, in.floor, len(in.marks), states, maxMarks)
	}
	if _, ok := in.at(revs[in.floor-1]); ok || in.patch(in.floor-1) != nil {
		t.Errorf("a page older than what is remembered is patched, want a reset")
	}
	from, ok := in.at(revs[in.floor])
	if !ok || from != in.floor {
		t.Fatalf("the oldest remembered rev leads to %d, %v; want %d", from, ok, in.floor)
	}
	got, err := pages[from].patched(unpacked(t, in.patch(from)))
	if diff := cmp.Diff(pages[in.rev], got); err != nil || diff != "" {
		t.Errorf("the oldest page that can be patched: %v (-want +got):\n%s", err, diff)
	}
	for key, rev := range in.states[0].gone {
		if rev <= in.floor {
			t.Errorf("the view still knows that %q left at %d, before its floor %d", key, rev, in.floor)
		}
	}
}

func TestAPageThatRepeatsAKeyOrARegionIsRefused(t *testing.T) {
	it := Item{Key: "A"}
	for name, c := range map[string]struct {
		regions []Region
		ok      bool
	}{
		"distinct":               {[]Region{{ID: "a", Items: []Item{it, {Key: "B"}}}, {ID: "b"}}, true},
		"one key in two regions": {[]Region{{ID: "a", Items: []Item{it}}, {ID: "b", Items: []Item{it}}}, true},
		"a key twice":            {[]Region{{ID: "a", Items: []Item{it, it}}}, false},
		"a region twice":         {[]Region{{ID: "a"}, {ID: "a"}}, false},
	} {
		if err := checkKeys(c.regions); (err == nil) != c.ok {
			t.Errorf("%s: %v, want it accepted: %v", name, err, c.ok)
		}
	}
}

func TestTheItemsThatStayAreAsManyAsPossible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfNDistinct(rapid.IntRange(0, 30), 0, 10, rapid.ID).Draw(t, "places")
		stays := longestIncreasing(xs)
		last, got := -1, 0
		for i, x := range xs {
			if !stays[i] {
				continue
			}
			if x < last {
				t.Fatalf("%v: %v stay, which is not in order", xs, stays)
			}
			last = x
			got++
		}
		want := 0
		for set := range 1 << len(xs) { // every choice, the dumb way
			want = max(want, lengthInOrder(xs, set))
		}
		if got != want {
			t.Fatalf("%v: %d items stay, want %d", xs, got, want)
		}
	})
}

// lengthInOrder is how many members of xs the set picks, 0 when they are not
// ascending.
func lengthInOrder(xs []int, set int) int {
	last, n := -1, 0
	for i, x := range xs {
		if set>>i&1 == 0 {
			continue
		}
		if x < last {
			return 0
		}
		last = x
		n++
	}
	return n
}

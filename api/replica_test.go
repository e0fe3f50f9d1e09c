package api_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"envivo/api"
	"envivo/plant"
	"envivo/ui"
)

// primary offers the box's own store; fail makes it break.
type primary struct {
	*box
	fail      error
	confirmed string
	by        string
}

func (p *primary) Ship(_ context.Context, begin func(int64), w http.ResponseWriter) error {
	if p.fail != nil {
		return p.fail
	}
	begin(5)
	_, err := w.Write([]byte("bytes"))
	return err
}

func (p *primary) Records(ctx context.Context, after plant.Seq) ([][]byte, error) {
	if p.fail != nil {
		return nil, p.fail
	}
	return p.store.Records(ctx, after, 2, 1<<20)
}

func (p *primary) Link(seq plant.Seq) ([32]byte, error) { return p.store.Link(seq) }

func (p *primary) Confirmed(name, address string, seq plant.Seq) {
	p.confirmed = strings.TrimSpace(fmt.Sprint(name, " ", seq, " ", address))
}

func (p *primary) Succeeds(epoch string, _ plant.Seq, nonce string) (address, proof string, ok bool) {
	if p.fail != nil {
		panic(p.fail)
	}
	return "http://nuevo", nonce, epoch == "e-antes"
}

// TestASuccessorAnswersWithoutToken: who asks is the old primary, which has none
// for this box.
func TestASuccessorAnswersWithoutToken(t *testing.T) {
	p := &primary{}
	b := newBox(t, enrolled, func(o *api.Options) { o.Replica = p })
	if r := b.get("/api/replica/successor?epoch=e-antes&at=3&nonce=n").want(t, "to the one it took over from", 200); r.text("proof") != "n" || r.text("address") != "http://nuevo" {
		t.Errorf("the successor says %s", r.Raw)
	}
	b.get("/api/replica/successor?epoch=otro&at=3&nonce=n").want(t, "to another", 404)
	b.get("/api/replica/successor?epoch=otro&at=x&nonce=n").want(t, "without an event", 422)
	b.get("/api/replica/successor?at=3&nonce=n").want(t, "without epoch", 422)
	b.get("/api/replica/successor?at=3&epoch=e").want(t, "without nonce", 422)
	p.fail = errors.New("a bug")
	b.get("/api/replica/successor?epoch=otro&at=3&nonce=n").want(t, "a bug", 500)
	newBox(t).get("/api/replica/successor?epoch=otro&at=3&nonce=n").want(t, "a box that is nobody's", 503)
}

func (p *primary) Retire(by string) error {
	if p.fail == nil {
		p.by = by
	}
	return p.fail
}

// TestOnlyItsOwnHistoryRetiresABox: the promoted standby names the history it
// took over; nobody else's word ends a plant's server.
func TestOnlyItsOwnHistoryRetiresABox(t *testing.T) {
	p := &primary{}
	b := newBox(t, enrolled, func(o *api.Options) { o.Replica = p })
	admin, act := "Bearer "+b.token("admin"), "Bearer "+b.token("act")
	ask := func(epoch, by, token string) reply {
		return b.post("/api/replica/retire?"+url.Values{"epoch": {epoch}, "address": {by}}.Encode(), nil, "Authorization", token)
	}
	own, to := b.store.Epoch(), "https://nuevo:8080"
	ask("other", to, admin).want(t, "another history", 409, "HISTORIA_AJENA")
	ask("", to, admin).want(t, "no history", 422)
	ask(own, "", admin).want(t, "no address", 422)
	ask(own, "javascript:alert(1)", admin).want(t, "an address that is none", 422)
	ask(own, to, act).want(t, "no administrator", 403)
	if p.by != "" {
		t.Fatalf("a refused request retired the box: %s", p.by)
	}
	if r := ask(own, to, admin).want(t, "its own history", 200); r.text("por") != to || p.by != to {
		t.Errorf("retired by %q: %s", p.by, r.Raw)
	}
	p.fail = errors.New("the disk died")
	ask(own, to, admin).want(t, "a box that cannot note it", 500)
	bare := newBox(t)
	bare.post("/api/replica/retire?epoch=e&address=http://x", nil, "Authorization", "Bearer "+bare.token("admin")).want(t, "a box without standbys", 503)
}

func TestAStandbyIsGivenRecords(t *testing.T) {
	p := &primary{}
	b := newBox(t, enrolled, func(o *api.Options) { o.Replica = p })
	p.box = b
	admin, act := "Bearer "+b.token("admin"), "Bearer "+b.token("act")
	ask := func(after plant.Seq, epoch, link, token string) reply {
		return b.get(fmt.Sprintf("/api/replica/records?after=%d&epoch=%s&link=%s", after, epoch, link), "Authorization", token)
	}
	link, err := b.store.Link(3)
	if err != nil {
		t.Fatal(err)
	}
	has, epoch := hex.EncodeToString(link[:]), b.store.Epoch()
	r := ask(3, epoch, has, admin).want(t, "records after 3", 200)
	want, err := b.store.Records(t.Context(), 3, 2, 1<<20)
	if err != nil || len(want) != 2 {
		t.Fatalf("%d records, %v", len(want), err)
	}
	for i := range want {
		if !strings.Contains(r.Raw, base64.StdEncoding.EncodeToString(want[i])) {
			t.Errorf("record %d is not in the answer as it is stored", 4+i)
		}
	}
	if p.confirmed != "tv-admin 3" {
		t.Errorf("confirmed %q, want the token's name and 3", p.confirmed)
	}
	for name, c := range map[string]struct {
		r      reply
		status int
	}{
		"another epoch":    {ask(3, "other", has, admin), 409},
		"another chain":    {ask(3, epoch, strings.Repeat("0", 64), admin), 409},
		"beyond the end":   {ask(9999, epoch, has, admin), 409},
		"no link":          {ask(3, epoch, "", admin), 422},
		"no epoch":         {ask(3, "", has, admin), 422},
		"a strange after":  {b.get("/api/replica/records?after=x&epoch=e&link=l", "Authorization", admin), 422},
		"no administrator": {ask(3, epoch, has, act), 403},
		"nobody":           {b.get("/api/replica/copy"), 403},
		"copy":             {b.get("/api/replica/copy", "Authorization", admin), 200},
	} {
		c.r.want(t, name, c.status)
	}
	p.fail = errors.New("the disk died")
	ask(3, epoch, has, admin).want(t, "records of a broken store", 500)
	b.get("/api/replica/copy", "Authorization", admin).want(t, "a copy of a broken store", 503)
}

func TestABoxWithoutReplicaSaysSo(t *testing.T) {
	b := newBox(t)
	admin := "Bearer " + b.token("admin")
	b.get("/api/replica/records?after=0&epoch=e&link=l", "Authorization", admin).want(t, "records", 503)
	b.get("/api/replica/copy", "Authorization", admin).want(t, "copy", 503)
}

func TestAStandbyWearsABanner(t *testing.T) {
	now := ui.Standby{Primary: "http://planta:8080", Behind: 12}
	b := newBox(t, func(o *api.Options) { o.Standby = func() ui.Standby { return now } })
	for path, want := range map[string]string{"/": "le faltan 12 eventos", "/spools": "RESPALDO — solo lectura", "/tv": "RESPALDO", "/api/health": `"sigue_a":"http://planta:8080"`} {
		if r := b.get(path, "Accept", "text/html"); !strings.Contains(r.Raw, want) {
			t.Errorf("%s does not say %q", path, want)
		}
	}
	now = ui.Standby{Primary: "http://nuevo:8080", Retired: true}
	if r := b.get("/spools", "Accept", "text/html"); !strings.Contains(r.Raw, "SERVIDOR ANTERIOR — no registra") || !strings.Contains(r.Raw, `href="http://nuevo:8080"`) {
		t.Errorf("a retired box says %.300s", r.Raw)
	}
}

package api_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
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

func (p *primary) Confirmed(name string, seq plant.Seq) { p.confirmed = fmt.Sprint(name, " ", seq) }

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
	for path, want := range map[string]string{"/": "le faltan 12 eventos", "/spools": "RESPALDO — solo lectura", "/tv": "RESPALDO"} {
		if r := b.get(path, "Accept", "text/html"); !strings.Contains(r.Raw, want) {
			t.Errorf("%s does not say %q", path, want)
		}
	}
}

// Package assets holds what a page loads besides its own HTML: one style
// sheet, one script, one typeface, one icon. Names carry a hash of the
// content, so a file can be kept for ever and a page never mixes two builds.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"sync"
)

// The typeface is IBM Plex Sans as the style sheets use it: weights 400 to 700,
// widths 85 % to 100 %, Latin letters and our signs, no fractions (fontTools'
// instancer and subsetter).
//
//go:embed tokens.css app.css boards.css scan.css secure.css lists.css beside.css apidoc.css app.js lists.js beside.js scan.js camara.js tv.js papel.js icono.svg fuente/plex.woff2 manifest.webmanifest
var files embed.FS

// Prefix is where Handler expects to be mounted.
const Prefix = "/assets/"

type asset struct {
	body, packed []byte
	kind         string
}

type bundle struct {
	urls   map[string]string // plain name → address
	byPath map[string]asset  // address → content
}

var load = sync.OnceValue(func() bundle {
	b := bundle{urls: map[string]string{}, byPath: map[string]asset{}}
	b.add("plex.woff2", "font/woff2", read("fuente/plex.woff2"))
	b.add("icono.svg", "image/svg+xml", read("icono.svg"))
	css := append(append(read("tokens.css"), '\n'), read("app.css")...)
	css = append(append(css, '\n'), read("boards.css")...)
	css = append(append(css, '\n'), read("scan.css")...)
	css = append(append(css, '\n'), read("lists.css")...)
	css = append(append(css, '\n'), read("beside.css")...)
	css = append(append(css, '\n'), read("secure.css")...)
	css = bytes.ReplaceAll(css, []byte("url(plex.woff2)"), []byte("url("+b.urls["plex.woff2"]+")"))
	b.add("app.css", "text/css; charset=utf-8", css)
	for _, s := range scales {
		b.add(Sheet(s.name), "text/css; charset=utf-8", scaled(css, s.factor))
	}
	doc := append(append(read("tokens.css"), '\n'), read("apidoc.css")...)
	b.add("apidoc.css", "text/css; charset=utf-8", bytes.ReplaceAll(doc, []byte("url(plex.woff2)"), []byte("url("+b.urls["plex.woff2"]+")")))
	script := append(append(read("app.js"), '\n'), read("lists.js")...)
	script = append(append(script, '\n'), read("beside.js")...)
	b.add("app.js", "text/javascript; charset=utf-8", append(append(append(append(script, '\n'), read("scan.js")...), '\n'), read("camara.js")...))
	b.add("tv.js", "text/javascript; charset=utf-8", read("tv.js"))
	b.add("papel.js", "text/javascript; charset=utf-8", read("papel.js"))
	manifest := bytes.ReplaceAll(read("manifest.webmanifest"), []byte("icono.svg"), []byte(b.urls["icono.svg"]))
	b.add("app.webmanifest", "application/manifest+json", manifest)
	return b
})

func read(name string) []byte {
	body, err := files.ReadFile(name)
	if err != nil {
		panic("assets: an embedded file is missing: " + name)
	}
	return body
}

func (b bundle) add(name, kind string, body []byte) {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	url := Prefix + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:5]) + ext
	a := asset{body: body, kind: kind}
	if !strings.HasPrefix(kind, "font/") {
		a.packed = pack(body)
	}
	b.urls[name], b.byPath[url] = url, a
}

func pack(body []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic("assets: " + err.Error()) // the level is a constant
	}
	if _, err := w.Write(body); err != nil {
		panic("assets: " + err.Error()) // a buffer does not fail
	}
	if err := w.Close(); err != nil {
		panic("assets: " + err.Error())
	}
	return out.Bytes()
}

// URL is the address of an asset by its plain name: app.css and what Sheet gives, apidoc.css,
// app.js, tv.js, papel.js, plex.woff2, icono.svg, app.webmanifest.
func URL(name string) string {
	url, ok := load().urls[name]
	if !ok {
		panic("assets: no asset is called " + name)
	}
	return url
}

// Tokens is the token part of the style sheet as it is shipped.
func Tokens() string { return string(read("tokens.css")) }

// Handler serves the assets below Prefix. They are packed before it returns, not
// while the first page waits.
func Handler() http.Handler {
	b := load()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := b.byPath[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h, body := w.Header(), a.body
		h.Set("Content-Type", a.kind)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		if a.packed != nil {
			h.Set("Vary", "Accept-Encoding")
			if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
				h.Set("Content-Encoding", "gzip")
				body = a.packed
			}
		}
		if r.Method == http.MethodHead {
			return
		}
		_, _ = w.Write(body) // a reader who left cannot be told anything
	})
}

package main

import (
	"debug/buildinfo"
	"encoding/json"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/google/uuid"
)

// bill is a software bill of materials, CycloneDX 1.6. It is made of what the
// linker wrote into the binary, so it lists what is in it and nothing else.
type bill struct {
	Format   string      `json:"bomFormat"`
	Spec     string      `json:"specVersion"`
	Serial   string      `json:"serialNumber"`
	Version  int         `json:"version"`
	Metadata metadata    `json:"metadata"`
	Parts    []component `json:"components"`
	Needs    []need      `json:"dependencies"`
}

type metadata struct {
	// Timestamp is the commit's: the bill of a binary is always the same.
	Timestamp string    `json:"timestamp,omitempty"`
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Purl       string     `json:"purl,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licenses   []license  `json:"licenses,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type license struct {
	Expression string `json:"expression"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type need struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn"`
}

// billOf reads a binary of any platform; files are what others made of its
// embedded files, which the linker does not tell.
func billOf(path, platform string, files ...component) ([]byte, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil, err
	}
	sum, _, err := hashOf(path)
	if err != nil {
		return nil, err
	}
	vcs := map[string]string{}
	for _, s := range info.Settings {
		vcs[s.Key] = s.Value
	}
	own := component{Type: "application", Ref: "envivo", Name: "envivo", Version: vcs["vcs.revision"],
		Hashes:     []hash{{"SHA-256", sum}},
		Properties: []property{{"platform", platform}, {"go", info.GoVersion}, {"modified", vcs["vcs.modified"]}}}
	b := bill{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: metadata{Timestamp: vcs["vcs.time"], Component: own},
		Serial: "urn:uuid:" + uuid.NewSHA1(uuid.NameSpaceURL, []byte("envivo/"+sum)).String()}
	b.Parts = append(b.Parts, library("std", strings.TrimPrefix(info.GoVersion, "go"), ""))
	for _, m := range info.Deps {
		b.Parts = append(b.Parts, module(m))
	}
	b.Parts = append(b.Parts, files...)
	sortedBy(b.Parts, func(c component) string { return c.Ref })
	all := need{Ref: own.Ref}
	for _, c := range b.Parts {
		all.On = append(all.On, c.Ref)
	}
	b.Needs = []need{all}
	text, err := json.MarshalIndent(b, "", "  ")
	return append(text, '\n'), err
}

// font is the one typeface in the binary, as it lies in the source.
func font(dir string) (component, error) {
	const file = "assets/fuente/plex.woff2"
	sum, _, err := hashOf(filepath.Join(dir, filepath.FromSlash(file)))
	return component{Type: "file", Ref: file, Name: "IBM Plex (" + file + ")", Version: "sha256-" + sum[:min(12, len(sum))], Hashes: []hash{{"SHA-256", sum}},
		Licenses: []license{{Expression: "OFL-1.1"}}}, err
}

func module(m *debug.Module) component {
	if m.Replace != nil {
		m = m.Replace
	}
	return library(m.Path, m.Version, m.Sum)
}

// library is a Go module; sum is the one of go.sum, which is no hash of a file.
func library(path, version, sum string) component {
	purl := "pkg:golang/" + path + "@" + version
	c := component{Type: "library", Ref: purl, Name: path, Version: version, Purl: purl}
	if sum != "" {
		c.Properties = []property{{"go.sum", sum}}
	}
	return c
}

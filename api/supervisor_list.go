package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"envivo/plant"
)

// The lists a supervisor follows, and what v5 front ends report of their own
// use, are shared settings of the store: durable, in the log and the backup,
// neither streamed nor exported. Following is not holding (rules §11.8).
//
//	seguido/MK-1         {"tag_spool":"MK-1","added_at":"…","updated_at":"…","notes":""}
//	auditoria/007        {"n":263,"received_at":"…","duplicates":0,"events":[{…}]}
//	lista-antigua/9f86…  {"snapshot_id":"…","received_at":"…","user_agent":"…","raw":…}

type followItem struct {
	TagSpool plant.Tag `json:"tag_spool"`
	Added    string    `json:"added_at"`
	Updated  string    `json:"updated_at"`
	Notes    string    `json:"notes"`
}

type followList struct {
	Items []followItem `json:"items"`
}

// followed is the list, longest followed first.
func (s *Server) followed(*call) (any, error) {
	snap := s.o.Plant.Snapshot()
	out := followList{Items: []followItem{}}
	for _, key := range snap.Settings(plant.SettingFollowed) {
		var item followItem
		if err := json.Unmarshal([]byte(snap.Setting(key)), &item); err != nil {
			return nil, fmt.Errorf("read setting %s: %w", key, err)
		}
		out.Items = append(out.Items, item)
	}
	slices.SortStableFunc(out.Items, func(a, b followItem) int { return strings.Compare(a.Added, b.Added) })
	return out, nil
}

type followBody struct {
	TagSpool  *string `json:"tag_spool"`
	SessionID *string `json:"session_id"`
	Notes     *string `json:"notes"`
}

const (
	maxFollowed = 2000
	// maxWord bounds a TAG, an id or a note of these endpoints, in characters.
	maxWord = 500
)

func (b *followBody) check(k *checker) {
	for _, f := range []struct {
		name  string
		value *string
		must  bool
	}{{"tag_spool", b.TagSpool, true}, {"session_id", b.SessionID, true}, {"notes", b.Notes, false}} {
		switch {
		case f.value == nil && f.must:
			k.missing(f.name)
		case f.value != nil && utf8.RuneCountInString(*f.value) > maxWord:
			k.bad(f.name, f.name+" puede tener 500 caracteres como máximo.", utf8.RuneCountInString(*f.value))
		}
	}
}

func (b *followBody) says(out []byte) []byte {
	out = appendTextField(out, "tag_spool", *b.TagSpool)
	if b.Notes != nil {
		out = appendTextField(out, "notes", *b.Notes)
	}
	return out
}

// tag is the spool named, in the plant's spelling when the plant knows it; a
// blank name is 400 at these addresses.
func (b *followBody) tag(snap *plant.Snapshot) (plant.Tag, error) {
	tag := plant.Tag(strings.TrimSpace(*b.TagSpool))
	switch {
	case tag == "":
		return "", &problem{status: 400, code: codeInvalid, message: "tag_spool no puede estar vacío."}
	case strings.TrimSpace(*b.SessionID) == "":
		return "", &problem{status: 400, code: codeInvalid, message: "session_id no puede estar vacío; " + clip(string(tag)) + " sin cambios."}
	}
	if r, ok := snap.Row(tag); ok {
		tag = r.Spool.Tag
	}
	return tag, nil
}

// set is the command that stores a shared setting.
func (c *call) set(s plant.Setting, b interface{ says([]byte) []byte }) (plant.Command, error) {
	cmd := plant.Command{Verb: plant.Ajustar, Setting: &s, Device: c.grant.device}
	return cmd, c.key(&cmd, b)
}

type followAnswer struct {
	Item followItem `json:"item"`
	Seq  plant.Seq  `json:"seq"`
}

// follow puts a spool on the list, or renews it there.
func (s *Server) follow(c *call) (any, error) {
	var b followBody
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	snap := s.o.Plant.Snapshot()
	tag, err := b.tag(snap)
	if err != nil {
		return nil, err
	}
	key, now := plant.FollowKey(tag), plant.ISOTime(s.o.Now())
	item := followItem{TagSpool: tag, Added: now}
	old := snap.Setting(key)
	switch {
	case old != "":
		if err := json.Unmarshal([]byte(old), &item); err != nil {
			return nil, fmt.Errorf("read setting %s: %w", key, err)
		}
	case len(snap.Settings(plant.SettingFollowed)) >= maxFollowed:
		return nil, invalid("body", "tag_spool", "too_long", "La lista ya tiene 2000 spools.", string(tag))
	}
	if item.Updated = now; b.Notes != nil {
		item.Notes = *b.Notes
	}
	seq, value, err := s.store(c, &b, plant.Setting{Key: key, Value: encode(item)})
	if err != nil && !errors.Is(err, plant.ErrUnchanged) {
		return nil, err
	}
	if err == nil {
		s.report(c, "LIST_ADD", *b.SessionID, tag, seq)
	}
	if err := json.Unmarshal([]byte(value), &item); err != nil {
		return nil, fmt.Errorf("read setting %s: %w", key, err)
	}
	return &followAnswer{item, seq}, nil
}

// store carries a setting's command out. It gives the value that was stored by
// this command or, repeated, by the first of its key; ErrUnchanged leaves the
// value as it was sent.
func (s *Server) store(c *call, b interface{ says([]byte) []byte }, x plant.Setting) (plant.Seq, string, error) {
	cmd, err := c.set(x, b)
	if err != nil {
		return 0, "", err
	}
	rec, err := s.o.Plant.Do(c.r.Context(), cmd)
	if err != nil {
		return s.o.Plant.Snapshot().Seq, x.Value, err
	}
	return rec.Event.Seq, rec.Event.Setting.Value, nil
}

type unfollowAnswer struct {
	Removed  bool      `json:"removed"`
	TagSpool plant.Tag `json:"tag_spool"`
	Seq      plant.Seq `json:"seq"`
}

// unfollow takes a spool off the list; it releases nothing.
func (s *Server) unfollow(c *call) (any, error) {
	var b followBody
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	tag, err := b.tag(s.o.Plant.Snapshot())
	if err != nil {
		return nil, err
	}
	seq, _, err := s.store(c, &b, plant.Setting{Key: plant.FollowKey(tag)})
	switch {
	case errors.Is(err, plant.ErrUnchanged):
		return &unfollowAnswer{false, tag, seq}, nil
	case err != nil:
		return nil, err
	}
	s.report(c, "LIST_REMOVE", *b.SessionID, tag, seq)
	return &unfollowAnswer{true, tag, seq}, nil
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("api: a record of ours cannot be encoded: " + err.Error())
	}
	return string(b)
}

type oldListBody struct {
	SnapshotID *string         `json:"snapshot_id"`
	Raw        json.RawMessage `json:"raw"`
	UserAgent  *string         `json:"user_agent"`
}

const (
	maxOldList  = 64 << 10 // bytes
	maxOldLists = 200
)

func (b *oldListBody) check(k *checker) {
	switch {
	case b.SnapshotID == nil:
		k.missing("snapshot_id")
	case strings.TrimSpace(*b.SnapshotID) == "" || utf8.RuneCountInString(*b.SnapshotID) > maxWord:
		k.bad("snapshot_id", "snapshot_id debe tener entre 1 y 500 caracteres.", utf8.RuneCountInString(*b.SnapshotID))
	}
	switch {
	case len(b.Raw) == 0 || string(b.Raw) == "null":
		k.missing("raw")
	case len(b.Raw) > maxOldList:
		k.bad("raw", "raw puede tener 64 KiB como máximo.", len(b.Raw))
	}
}

func (b *oldListBody) says(out []byte) []byte {
	return append(appendKey(appendTextField(out, "snapshot_id", *b.SnapshotID), "raw"), b.Raw...)
}

type oldListRecord struct {
	SnapshotID string          `json:"snapshot_id"`
	Received   string          `json:"received_at"`
	UserAgent  string          `json:"user_agent,omitempty"`
	Raw        json.RawMessage `json:"raw"`
}

type oldListAnswer struct {
	Written    bool      `json:"written"`
	SnapshotID string    `json:"snapshot_id"`
	Seq        plant.Seq `json:"seq"`
}

// oldList keeps a list that a browser once held, as it is and once.
func (s *Server) oldList(c *call) (any, error) {
	var b oldListBody
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	snap := s.o.Plant.Snapshot()
	x := plant.Setting{Key: plant.SettingOldList + hashHex(*b.SnapshotID)}
	if x.Value = snap.Setting(x.Key); x.Value == "" {
		if len(snap.Settings(plant.SettingOldList)) >= maxOldLists {
			return nil, invalid("body", "snapshot_id", "too_long", "Ya se guardaron 200 listas antiguas.", *b.SnapshotID)
		}
		rec := oldListRecord{SnapshotID: *b.SnapshotID, Received: plant.ISOTime(s.o.Now()), Raw: b.Raw}
		if b.UserAgent != nil {
			rec.UserAgent = clip(*b.UserAgent)
		}
		x.Value = encode(rec)
	}
	seq, _, err := s.store(c, &b, x)
	if err != nil && !errors.Is(err, plant.ErrUnchanged) {
		return nil, err
	}
	return &oldListAnswer{err == nil, *b.SnapshotID, seq}, nil
}

// parseInstant reads an ISO instant; without a zone it is the plant's.
func parseInstant(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, plant.Zone()); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

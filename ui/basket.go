package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"envivo/plant"
)

// The sentences of the basket.
const (
	TextBasketFull  = "La canasta tiene 50 spools, que es lo más. Registra estos primero."
	TextBasketEmpty = "La canasta está vacía. Escanea o toca los spools."
)

// BasketNoCard says why a command's card does nothing on a basket, and the way.
func BasketNoCard(who BasketOwner, word string) string {
	switch {
	case who.Assign && (word == "TERMINAR" || word == "PAUSAR"):
		return "Esta canasta es para asignar spools. " + word + " es de quien los tiene."
	case word == "DESHACER":
		return "En la canasta se deshace spool por spool: toca DESHACER en cada resultado."
	}
	return "En la canasta no se inspecciona. Abre el spool y escanea " + word + " ahí."
}

// BasketNothingFor says that no spool in the basket can be finished or paused.
func BasketNothingFor(word string) string {
	return "En la canasta no hay spools tuyos para " + word + ". Escanea o toca los que tienes."
}

// InBasket says that a spool came into the basket as the nth.
func InBasket(t plant.Tag, n int) string {
	return fmt.Sprintf("%s en la canasta: van %d.", Short(t), n)
}

// ScannedBefore says, in amber, that nothing new came.
func ScannedBefore(t plant.Tag) string { return "Ya lo escaneaste: " + Short(t) + "." }

// BasketSight is a basket as its owner sees it.
type BasketSight struct {
	Snap *plant.Snapshot
	Me   plant.Worker
	// Assign is set when a supervisor gives spools to Me.
	Assign bool
	Now    time.Time
	Items  []BasketItem
}

// BasketItem is one spool in it; Sight is nil when there is no such spool.
type BasketItem struct {
	Tag   plant.Tag
	Sight *SpoolSight
}

// BatchResult is what one act on a basket came to, item by item.
type BatchResult struct {
	Verb string
	// Assign is set when a supervisor gave them to somebody.
	Assign bool
	// Retry is the key of the command that repeats what failed.
	Retry string
	Items []BatchItem
}

// BatchItem is one spool's outcome.
type BatchItem struct {
	Tag    plant.Tag
	Notice Notice
}

// Did reports whether the act was recorded for a spool.
func (b *BatchResult) Did(t plant.Tag) bool {
	return slices.ContainsFunc(b.Items, func(i BatchItem) bool { return i.Tag == t && i.Notice.OK })
}

// Failed are the spools for which it was not.
func (b *BatchResult) Failed() []plant.Tag {
	var out []plant.Tag
	for _, i := range b.Items {
		if !i.Notice.OK {
			out = append(out, i.Tag)
		}
	}
	return out
}

var batchWords = map[string][3]string{"tomar": {"TOMAR", "tomado", "tomados"}, "pausar": {"PAUSAR", "en pausa", "en pausa"}, "terminar": {"TERMINAR", "terminado", "terminados"}}

// Say is "17 de 20 tomados. 3 no: mira por qué."
func (b *BatchResult) Say() string {
	good := len(b.Items) - len(b.Failed())
	words := batchWords[b.Verb]
	if b.Assign {
		words = [3]string{"ASIGNAR", "asignado", "asignados"}
	}
	word := words[2]
	if len(b.Items) == 1 {
		word = words[1]
	}
	text := fmt.Sprintf("%d de %d %s.", good, len(b.Items), word)
	if bad := len(b.Items) - good; bad > 0 {
		text += fmt.Sprintf(" %d no: mira por qué.", bad)
	}
	return text
}

// Awaits is the operation a spool waits for.
func (v *SpoolSight) Awaits() plant.Op {
	switch q := v.spool().Quality; {
	case q == plant.RechazadoQ || q == plant.ReparacionPausada:
		return plant.REPARACION
	case v.spool().Arm.Phase == plant.Completado:
		return plant.SOLD
	}
	return plant.ARM
}

// basketTile is one spool to touch: in the basket or not.
type basketTile struct {
	Tag  plant.Tag
	Tail string
	Row  *plant.Row
	In   bool
	Word string // what would be recorded, or why nothing can be
	// Take and Own say what the basket's buttons would do with it.
	Take, Own bool
	PD        plant.Inches
}

func (b *BasketSight) tile(it BasketItem, in bool) basketTile {
	t := basketTile{Tag: it.Tag, In: in}
	if it.Sight == nil {
		t.Word = "No hay ningún spool con este número."
		return t
	}
	v := it.Sight
	t.Row = v.Row
	op, ok := v.Start()
	switch {
	case v.mine():
		t.Own, op = !b.Assign, v.spool().Hold.Op
		t.Word = "Lo tienes tú · " + OpWord(op)
		if b.Assign {
			t.Word = "Ya lo tiene · " + OpWord(op)
			return t
		}
	case ok:
		t.Take, t.Word = true, "Listo para "+OpWord(op)
	default:
		text, _ := v.Offer()
		t.Word = strings.ReplaceAll(text, "**", "")
		if t.Word == TextScanChoose {
			t.Word = "Sirve para ARM y SOLD: tómalo en su página."
		} else if t.Word == "" {
			t.Word = "Se registra en su página."
		}
		return t
	}
	for _, u := range openUnions(v.spool(), op, b.Snap.Rules()) {
		t.PD += u.DN
	}
	if t.PD > 0 {
		t.Word += " · " + PD(t.PD) + " PD"
	}
	return t
}

// firstTiles is how many spools that are not in the basket can be touched.
const firstTiles = 24

// tiles are the spools scanned that no list offers, then what the person holds
// and could take, each at its place whether it is in the basket or not: a touch
// moves nothing.
func (b *BasketSight) tiles() (tiles []basketTile, more int) {
	in := map[plant.Tag]BasketItem{}
	for _, it := range b.Items {
		in[it.Tag] = it
	}
	var offered []basketTile
	listed := map[plant.Tag]bool{}
	offer := func(r *plant.Row) {
		t := r.Spool.Tag
		it, is := in[t]
		if len(offered) >= firstTiles {
			more++
			return
		}
		if !is {
			it = BasketItem{Tag: t, Sight: &SpoolSight{Snap: b.Snap, Row: r, Now: b.Now, Me: b.Me, Actions: mayTake(r, b.Me.Roles)}}
		}
		listed[t] = true
		offered = append(offered, b.tile(it, is))
	}
	for _, t := range b.Snap.Held(b.Me.ID) {
		if r, ok := b.Snap.Row(t); ok && !b.Assign {
			offer(r)
		}
	}
	for _, v := range readyFor(b.Snap, b.Me.Roles, Filter{}) {
		if _, ok := (&SpoolSight{Snap: b.Snap, Row: v.Row, Me: b.Me, Actions: mayTake(v.Row, b.Me.Roles)}).Start(); ok {
			offer(v.Row)
		}
	}
	for _, it := range b.Items {
		if !listed[it.Tag] {
			tiles = append(tiles, b.tile(it, true))
		}
	}
	tiles = append(tiles, offered...)
	tags := make([]plant.Tag, len(tiles))
	for i, t := range tiles {
		tags[i] = t.Tag
	}
	for i, tail := range Tails(tags) {
		tiles[i].Tail = tail
	}
	return tiles, more
}

// mayTake guesses what a person could take, for a tile that is not in the
// basket yet; what is in it was asked of the rules.
func mayTake(r *plant.Row, roles plant.Role) []Action {
	var out []Action
	add := func(o plant.Op, may plant.Role) {
		if own := roles & may; own != 0 && takeable(r, own) && (Filter{Op: o}).matchesOp(r) {
			out = append(out, Action{Verb: plant.Tomar, Op: o, Allowed: true})
		}
	}
	add(plant.ARM, plant.Armador|plant.Ayudante)
	add(plant.SOLD, plant.Soldador|plant.Ayudante)
	add(plant.REPARACION, plant.Armador|plant.Soldador)
	return out
}

// basketAct is one button: what it does to which spools.
type basketAct struct {
	Verb   string
	Tags   []plant.Tag
	PD     plant.Inches
	Assign bool
}

// cmd is the word on the button.
func (a basketAct) cmd() string {
	if a.Assign {
		return "ASIGNAR"
	}
	return batchWords[a.Verb][0]
}

func (a basketAct) word() string  { return fmt.Sprintf("%s %d", a.cmd(), len(a.Tags)) }
func (a basketAct) value() string { return joinTags(a.Tags) }

func joinTags(tags []plant.Tag) string {
	out := make([]string, len(tags))
	for i, t := range tags {
		out[i] = string(t)
	}
	return strings.Join(out, "\n")
}

// Names are the spools that the button of an act would name.
func (b *BasketSight) Names(verb string) []plant.Tag {
	tiles, _ := b.tiles()
	for _, a := range b.acts(tiles) {
		if a.Verb == verb {
			return a.Tags
		}
	}
	return nil
}

func (b *BasketSight) acts(tiles []basketTile) []basketAct {
	take, pause, finish := basketAct{Verb: "tomar", Assign: b.Assign}, basketAct{Verb: "pausar"}, basketAct{Verb: "terminar"}
	for _, t := range tiles {
		switch {
		case !t.In:
		case t.Take:
			take.Tags, take.PD = append(take.Tags, t.Tag), take.PD+t.PD
		case t.Own:
			pause.Tags = append(pause.Tags, t.Tag)
			finish.Tags, finish.PD = append(finish.Tags, t.Tag), finish.PD+t.PD
		}
	}
	return slices.DeleteFunc([]basketAct{take, finish, pause}, func(a basketAct) bool { return len(a.Tags) == 0 })
}

// Regions of the basket: resumen, filas, accion.
func (b *BasketSight) Regions() ([]Region, error) {
	tiles, more := b.tiles()
	rows := Region{ID: "filas"}
	for _, t := range tiles {
		it, err := item(string(t.Tag), basketTileView(t))
		if err != nil {
			return nil, err
		}
		rows.Items = append(rows.Items, it)
	}
	switch {
	case len(tiles) == 0:
		it, err := item("vacio", message("vacio", TextNoReady, "/spools", "Ver todos"))
		if err != nil {
			return nil, err
		}
		rows.Items = append(rows.Items, it)
	case more > 0:
		it, err := item("mas", basketMore(more))
		if err != nil {
			return nil, err
		}
		rows.Items = append(rows.Items, it)
	}
	acts := b.acts(tiles)
	sum, err := item("resumen", basketSummary(len(b.Items), acts))
	if err != nil {
		return nil, err
	}
	bar, err := item("accion", basketBar(len(b.Items), acts, BasketOwner{Me: b.Me, Assign: b.Assign}.back()))
	if err != nil {
		return nil, err
	}
	return []Region{{ID: "resumen", Items: []Item{sum}}, rows, {ID: "accion", Items: []Item{bar}}}, nil
}

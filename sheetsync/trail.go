package sheetsync

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"envivo/plant"
)

// trail is what the log of a spool tells that no column holds: who had it
// last, for what, and when it last became ready for inspection.
type trail struct {
	held  bool
	last  plant.Person
	op    plant.Op
	ready time.Time
}

// follow reads the rows of one spool in the order of the worksheet. An undo
// takes back the one act before it.
func follow(log []plant.MetadataRow) trail {
	var now, before trail
	for _, m := range log {
		switch verb, _, _ := strings.Cut(m.EventoTipo, "_"); {
		case verb == "UNION", verb == "METROLOGIA": // tell more of the row before
			continue
		case m.EventoTipo == "SYSTEM_REMEDIATION" && details(m).Deshace != 0:
			now.held, now.last, now.op = before.held, before.last, before.op
		default:
			before = now
			now = now.after(m, verb)
		}
	}
	return now
}

func (t trail) after(m plant.MetadataRow, verb string) trail {
	op := rowOp(m)
	d := details(m)
	ends := verb == "PAUSAR" || t.held && (verb == "COMPLETAR" || verb == "CANCELAR" || m.EventoTipo == "SPOOL_CANCELADO")
	switch {
	case op == plant.METROLOGIA:
	case verb == "TOMAR" || verb == "INICIAR":
		if from := d.RelevoDe + d.TraspasoDe; from != "" {
			t.last, t.op = plant.ParsePerson(from), op
		}
		t.held = true
	case d.LiberadoDe != "":
		t.held, t.last, t.op = false, plant.ParsePerson(d.LiberadoDe), op
	case ends:
		t.held, t.last, t.op = false, rowPerson(m), op
	}
	if verb == "COMPLETAR" && op != plant.METROLOGIA && op != plant.OpNone {
		t.ready = m.At
	}
	return t
}

// rowOp is the operation of a row: by its type where the type names one, else
// by its column.
func rowOp(m plant.MetadataRow) plant.Op {
	_, suffix, _ := strings.Cut(m.EventoTipo, "_")
	if op, ok := plant.ParseOp(suffix); ok {
		return op
	}
	op, _ := plant.ParseOp(strings.ToUpper(strings.TrimSpace(m.Operacion)))
	return op
}

func rowPerson(m plant.MetadataRow) plant.Person {
	p := plant.ParsePerson(m.WorkerNombre)
	if n, err := strconv.ParseInt(m.WorkerID, 10, 32); err == nil && n > 0 {
		p.ID = plant.WorkerID(n)
	}
	return p
}

// detailsJSON are the keys of Metadata_JSON that hydration looks at.
type detailsJSON struct {
	Resultado  string `json:"resultado"`
	Motivo     string `json:"motivo"`
	LockToken  string `json:"lock_token"`
	RelevoDe   string `json:"relevo_de"`
	TraspasoDe string `json:"traspaso_de"`
	LiberadoDe string `json:"liberado_de"`
	Deshace    uint64 `json:"deshace"`
}

// details are empty for a row whose JSON is not what it should be.
func details(m plant.MetadataRow) detailsJSON {
	var d detailsJSON
	if json.Unmarshal([]byte(m.JSON), &d) != nil {
		return detailsJSON{}
	}
	return d
}

// lockToken is the token of a hold: the one the log has for it, or, since ours
// carry the UUID of the event, the one that follows from its row; else one made
// from what is known, so that the same row always gives the same.
func lockToken(log []plant.MetadataRow, tag plant.Tag, who plant.Person, since time.Time) string {
	owner := strconv.Itoa(int(who.ID)) + ":"
	for _, m := range slices.Backward(log) {
		verb, _, _ := strings.Cut(m.EventoTipo, "_")
		if verb != "TOMAR" && verb != "INICIAR" || !m.At.Equal(since) || rowPerson(m).ID != who.ID {
			continue
		}
		if token := details(m).LockToken; strings.HasPrefix(token, owner) {
			return token
		}
		if _, err := uuid.Parse(m.ID); err == nil {
			return owner + m.ID
		}
	}
	space := uuid.NewSHA1(uuid.NameSpaceURL, []byte("envivo:toma"))
	return owner + uuid.NewSHA1(space, fmt.Appendf(nil, "%s%s", tag, plant.SheetTime(since))).String()
}

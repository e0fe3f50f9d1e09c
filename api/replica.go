package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"envivo/plant"
)

// Replica is what a primary offers its standbys.
type Replica interface {
	// Ship writes a consistent copy of the store; begin is told its size before
	// the first byte.
	Ship(ctx context.Context, begin func(size int64), w http.ResponseWriter) error
	// Records gives the journal's records after an event, as they are stored; it
	// waits a while for the first one.
	Records(ctx context.Context, after plant.Seq) ([][]byte, error)
	// Link is the chain's link at an event; an error when it is not here.
	Link(plant.Seq) ([32]byte, error)
	// Confirmed notes that a standby, by its token's name, has everything up to an
	// event on disk, and where it answers, empty when it does not say.
	Confirmed(name, address string, seq plant.Seq)
	// Succeeds proves, with the chain's link at an event and a nonce, that this box
	// took over from the one with an epoch; ok is false when it did not.
	Succeeds(epoch string, at plant.Seq, nonce string) (address, proof string, ok bool)
	// Retire makes this box one that only shows, durably: the one at the address by
	// has taken its place. It takes effect right after the answer.
	Retire(by string) error
}

func (s *Server) replicaRoutes() []route {
	return []route{
		{at: "GET /api/replica/copy", scope: ScopeAdmin, plain: s.replicaCopy, media: "application/octet-stream", group: groupBox, refuse: "503",
			says: "Copia consistente del almacén, para un equipo de respaldo", more: "Quien la recibe la comprueba."},
		{at: "GET /api/replica/records", scope: ScopeAdmin, f: s.replicaRecords, group: groupBox, refuse: "409 422 503", answer: replicaAnswer{},
			says: "Registros del diario después de un evento, tal como están guardados",
			more: "Espera hasta 20 s a que haya alguno. Pedir después de un seq confirma que todo hasta ahí quedó en el disco del respaldo. 409: es otra historia.",
			query: []param{paramAfterSeq, paramEpoch, {name: "link", says: "El eslabón de la cadena en after, en hexadecimal.", kind: "string"},
				{name: "address", says: "Dónde responde el respaldo: http:// o https://.", kind: "string"}}},
		{at: "GET /api/replica/successor", f: s.replicaSuccessor, group: groupBox, refuse: "404 422 503", answer: successorAnswer{},
			says: "Si este equipo, un respaldo promovido, tomó el lugar de otro",
			more: "Lo pregunta el equipo anterior al arrancar, que no tiene token aquí. La respuesta prueba que este equipo tiene su historia.",
			query: []param{{name: "epoch", says: "El epoch del equipo anterior.", kind: "string", must: true},
				{name: "at", says: "El evento cuyo eslabón de la cadena entra en la prueba.", kind: "integer", must: true},
				{name: "nonce", says: "Un texto al azar que entra en la prueba.", kind: "string", must: true}}},
		{at: "POST /api/replica/retire", scope: ScopeAdmin, f: s.replicaRetire, group: groupBox, refuse: "409 422 503", answer: retiredAnswer{},
			says: "Otro equipo tomó el lugar de este: desde ahora solo muestra",
			more: "Lo pide el respaldo promovido cuando el equipo anterior vuelve. 409: este equipo tiene otra historia, y sigue como está.",
			query: []param{{name: "epoch", says: "El epoch de este equipo.", kind: "string", must: true},
				{name: "address", says: "Dónde se trabaja ahora: http:// o https://.", kind: "string", must: true}}},
	}
}

type retiredAnswer struct {
	Retired bool      `json:"retirado"`
	By      string    `json:"por"`
	Seq     plant.Seq `json:"seq"`
}

// replicaRetire ends the double life of a primary that came back after its
// standby was promoted. It is no event: this box's record is to stay what it was,
// so that it can be compared with the other one's.
func (s *Server) replicaRetire(c *call) (any, error) {
	if s.o.Replica == nil {
		return nil, noReplica()
	}
	epoch, err := c.query("epoch")
	if err != nil {
		return nil, err
	}
	by, err := c.query("address")
	if err != nil {
		return nil, err
	}
	if !webAddress(by) {
		return nil, badAddress()
	}
	snap := s.o.Plant.Snapshot()
	if epoch != snap.Epoch {
		return nil, &problem{status: http.StatusConflict, code: "HISTORIA_AJENA", message: "Este equipo tiene otra historia: no lo reemplaza nadie.",
			data: map[string]any{"epoch": snap.Epoch, "seq": snap.Seq}}
	}
	s.o.Log.Error("another box has taken this one's place: no commands from now on", "by", by, "asked", c.grant.device)
	if err := s.o.Replica.Retire(by); err != nil {
		return nil, fmt.Errorf("retire: %w", err)
	}
	return retiredAnswer{true, by, snap.Seq}, nil
}

// webAddress reports whether a text is the address of a server, of a sane length.
func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && len(s) <= 300
}

func badAddress() error {
	return invalid("query", "address", "url_parsing", "El parámetro address debe empezar con http:// o https://.", nil)
}

type successorAnswer struct {
	Address string `json:"address"`
	Proof   string `json:"proof"`
}

// replicaSuccessor answers a box that has just started, which has no token for this
// one. Who is asked proves what it says, and says nothing to anybody else.
func (s *Server) replicaSuccessor(c *call) (any, error) {
	if s.o.Replica == nil {
		return nil, noReplica()
	}
	at, err := c.number("at", 0, 0, 1<<62)
	if err != nil {
		return nil, err
	}
	epoch, err := c.query("epoch")
	if err != nil {
		return nil, err
	}
	nonce, err := c.query("nonce")
	if err != nil {
		return nil, err
	}
	address, proof, ok := s.o.Replica.Succeeds(epoch, plant.Seq(at), nonce)
	if !ok {
		return nil, &problem{status: http.StatusNotFound, code: codeMissing, message: "Este equipo no tomó el lugar de ese."}
	}
	return successorAnswer{address, proof}, nil
}

type replicaAnswer struct {
	Epoch   string    `json:"epoch"`
	Seq     plant.Seq `json:"seq"`
	Head    string    `json:"head"`
	Records [][]byte  `json:"records"`
}

func noReplica() *problem {
	return &problem{status: http.StatusServiceUnavailable, code: codeSheet, message: "Este servidor no entrega su registro a otro equipo."}
}

// replicaWait is how long a standby waits for news before it is told that
// there is none.
const replicaWait = 20 * time.Second

func (s *Server) replicaRecords(c *call) (any, error) {
	if s.o.Replica == nil {
		return nil, noReplica()
	}
	n, err := c.number("after", 0, 0, 1<<62)
	if err != nil {
		return nil, err
	}
	epoch, err := c.query("epoch")
	if err != nil {
		return nil, err
	}
	has, err := c.query("link")
	if err != nil {
		return nil, err
	}
	after := plant.Seq(n)
	snap := s.o.Plant.Snapshot()
	link, err := s.o.Replica.Link(after)
	if err != nil || epoch != snap.Epoch || has != hex.EncodeToString(link[:]) {
		return nil, &problem{status: http.StatusConflict, code: "HISTORIA_AJENA", message: "El respaldo sigue otra historia: debe empezar con una copia nueva.",
			data: map[string]any{"epoch": snap.Epoch, "seq": snap.Seq}}
	}
	where := c.r.URL.Query().Get("address")
	if where != "" && !webAddress(where) {
		return nil, badAddress()
	}
	s.o.Replica.Confirmed(c.grant.device, where, after)
	ctx, cancel := context.WithTimeout(c.r.Context(), replicaWait)
	defer cancel()
	records, err := s.o.Replica.Records(ctx, after)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}
	snap = s.o.Plant.Snapshot()
	if records == nil {
		records = [][]byte{}
	}
	return replicaAnswer{Epoch: snap.Epoch, Seq: snap.Seq, Head: hex.EncodeToString(snap.Head[:]), Records: records}, nil
}

// replicaCopy streams the whole store; it takes as long as the line needs.
func (s *Server) replicaCopy(w http.ResponseWriter, r *http.Request) {
	switch g := s.identify(r); {
	case g.scope < ScopeAdmin:
		s.refuse(w, r, unauthorized(g))
		return
	case s.o.Replica == nil:
		s.refuse(w, r, noReplica())
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // a test's connection has none
	begun := false
	err := s.o.Replica.Ship(r.Context(), func(size int64) {
		begun = true
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Length", strconv.FormatInt(size, 10))
		h["Cache-Control"] = noStore
	}, w)
	switch {
	case err == nil:
	case begun:
		panic(http.ErrAbortHandler) // half a copy must not look like a whole one
	default:
		s.o.Log.Error("copy for a standby", "err", err)
		s.refuse(w, r, noReplica())
	}
}

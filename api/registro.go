package api

import (
	"strconv"

	"envivo/plant"
)

// registro is a worker's day (rules §11.7).
type registro struct {
	WorkerID plant.WorkerID  `json:"worker_id"`
	Worker   string          `json:"worker_nombre"`
	Fecha    string          `json:"fecha"`
	Resumen  registroResumen `json:"resumen"`
	Spools   []registroSpool `json:"spools"`
}

type registroResumen struct {
	Fecha        string `json:"fecha"`
	PD           Inches `json:"pd_total"`
	TotalUniones int    `json:"total_uniones"`
	TotalSpools  int    `json:"total_spools"`
}

// registroSpool is one operation of the worker on one spool.
type registroSpool struct {
	TagSpool  plant.Tag       `json:"tag_spool"`
	Operacion string          `json:"operacion"`
	Uniones   []registroUnion `json:"uniones"`
	PD        Inches          `json:"pd_total"`
	Otro      string          `json:"otro_trabajador"`
}

type registroUnion struct {
	N      int     `json:"n_union"`
	DN     Inches  `json:"dn_union"`
	Tipo   string  `json:"tipo_union"`
	Inicio *string `json:"fecha_inicio"`
	Fin    *string `json:"fecha_fin"`
}

func (s *Server) registro(c *call) (any, error) {
	id := c.r.PathValue("worker_id")
	n, err := strconv.ParseInt(id, 10, 32)
	if err != nil || n <= 0 {
		return nil, invalid("path", "worker_id", "int_parsing", "El número del trabajador debe ser un entero mayor que 0.", id)
	}
	day := plant.DateOf(s.o.Now())
	if v := c.r.URL.Query().Get("fecha"); v != "" {
		var ok bool
		if day, ok = parseDay(v); !ok {
			return nil, invalid("query", "fecha", "value_error", "Fecha inválida: debe ser DD-MM-AAAA o AAAA-MM-DD.", v)
		}
	}
	snap := s.o.Plant.Snapshot()
	w, ok := snap.Worker(plant.WorkerID(n))
	if !ok {
		return nil, &plant.Error{Code: plant.CodeWorkerNotFound, Worker: plant.Person{ID: plant.WorkerID(n)}}
	}
	out := registro{WorkerID: w.ID, Worker: w.Display(), Fecha: day.String(), Resumen: registroResumen{Fecha: day.String()}, Spools: []registroSpool{}}
	for r := range snap.Rows() {
		out.add(r.Spool, day)
	}
	return out, nil
}

// add takes over what the worker did on a spool that day.
func (g *registro) add(sp *plant.Spool, day plant.Date) {
	some := false
	for _, op := range []plant.Op{plant.ARM, plant.SOLD} {
		item := registroSpool{TagSpool: sp.Tag, Operacion: op.String(), Otro: "Pendiente"}
		other := plant.ARM + plant.SOLD - op
		if name := sp.Work(other).Worker.Display; name != "" {
			item.Otro = name
		}
		for i := range sp.Unions {
			u := &sp.Unions[i]
			w := u.Part(op)
			if w.Worker.ID != g.WorkerID || w.Done() && plant.DateOf(w.End) != day {
				continue
			}
			item.Uniones = append(item.Uniones, registroUnion{u.N, Inches(u.DN), u.Tipo, orNull(plant.SheetTime(w.Start)), orNull(plant.SheetTime(w.End))})
			if w.Done() { // begun is not yet done
				item.PD += Inches(u.DN)
			}
			if name := u.Part(other).Worker.Display; name != "" {
				item.Otro = name
			}
		}
		if len(item.Uniones) == 0 {
			continue
		}
		some = true
		g.Spools = append(g.Spools, item)
		g.Resumen.TotalUniones += len(item.Uniones)
		g.Resumen.PD += item.PD
	}
	if some {
		g.Resumen.TotalSpools++
	}
}

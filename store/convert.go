package store

import "envivo/plant"

// each maps a slice; nil and empty give nil, which is left out of a record.
func each[A, B any](in []A, f func(*A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i := range in {
		out[i] = f(&in[i])
	}
	return out
}

// maybe maps a pointer.
func maybe[A, B any](in *A, f func(*A) B) *B {
	if in == nil {
		return nil
	}
	out := f(in)
	return &out
}

func toPersonRec(p plant.Person) personRec { return personRec{ID: int32(p.ID), Display: p.Display} }

func (r personRec) person() plant.Person {
	return plant.Person{ID: plant.WorkerID(r.ID), Display: r.Display}
}

func toWorkRec(w plant.Work) workRec {
	return workRec{Phase: uint8(w.Phase), Worker: toPersonRec(w.Worker), Fecha: int32(w.Fecha)}
}

func (r workRec) work() plant.Work {
	return plant.Work{Phase: plant.Phase(r.Phase), Worker: r.Worker.person(), Fecha: plant.Date(r.Fecha)}
}

func toDisplacedRec(d *plant.Displaced) displacedRec {
	return displacedRec{Worker: int32(d.Worker), Op: uint8(d.Op), By: toPersonRec(d.By), How: uint8(d.How), At: toInstant(d.At)}
}

func (r *displacedRec) displaced() plant.Displaced {
	return plant.Displaced{Worker: plant.WorkerID(r.Worker), Op: plant.Op(r.Op), By: r.By.person(), How: plant.Kind(r.How), At: r.At.time()}
}

func toProgressRec(p *plant.Progress) progressRec {
	return progressRec{
		Arm: toWorkRec(p.Arm), Sold: toWorkRec(p.Sold), Quality: uint8(p.Quality), Ciclo: p.Ciclo, FechaQC: int32(p.FechaQC),
		Holder: toPersonRec(p.Hold.Worker), HoldOp: uint8(p.Hold.Op), HoldSince: toInstant(p.Hold.Since), HoldToken: p.Hold.Token,
		LastHolder: toPersonRec(p.LastHolder), LastOp: uint8(p.LastOp), Displaced: each(p.Displaced, toDisplacedRec),
		RejectedAt: toInstant(p.RejectedAt), Motivo: p.Motivo, Inspector: toPersonRec(p.Inspector), ReadyAt: toInstant(p.ReadyAt),
	}
}

func (r *progressRec) progress() plant.Progress {
	return plant.Progress{
		Arm: r.Arm.work(), Sold: r.Sold.work(), Quality: plant.Quality(r.Quality), Ciclo: r.Ciclo, FechaQC: plant.Date(r.FechaQC),
		Hold:       plant.Hold{Worker: r.Holder.person(), Op: plant.Op(r.HoldOp), Since: r.HoldSince.time(), Token: r.HoldToken},
		LastHolder: r.LastHolder.person(), LastOp: plant.Op(r.LastOp), Displaced: each(r.Displaced, (*displacedRec).displaced),
		RejectedAt: r.RejectedAt.time(), Motivo: r.Motivo, Inspector: r.Inspector.person(), ReadyAt: r.ReadyAt.time(),
	}
}

func toUnionRec(u *plant.Union) unionRec {
	return unionRec{
		N: u.N, DN: int32(u.DN), Tipo: u.Tipo,
		ArmWorker: toPersonRec(u.Arm.Worker), ArmStart: toInstant(u.Arm.Start), ArmEnd: toInstant(u.Arm.End),
		SoldWorker: toPersonRec(u.Sold.Worker), SoldStart: toInstant(u.Sold.Start), SoldEnd: toInstant(u.Sold.End),
		NDT: u.NDT, NDTResult: u.NDTResult, NDTDate: u.NDTDate, NDTStatus: u.NDTStatus, SheetID: u.SheetID,
	}
}

func (r *unionRec) union() plant.Union {
	return plant.Union{
		N: r.N, DN: plant.Inches(r.DN), Tipo: r.Tipo,
		Arm:  plant.JointWork{Worker: r.ArmWorker.person(), Start: r.ArmStart.time(), End: r.ArmEnd.time()},
		Sold: plant.JointWork{Worker: r.SoldWorker.person(), Start: r.SoldStart.time(), End: r.SoldEnd.time()},
		NDT:  r.NDT, NDTResult: r.NDTResult, NDTDate: r.NDTDate, NDTStatus: r.NDTStatus, SheetID: r.SheetID,
	}
}

func toUnionsRec(in []plant.Union) unionsRec { return each(in, toUnionRec) }

func (r unionsRec) unions() []plant.Union { return each(r, (*unionRec).union) }

func toUndoRec(u *plant.Undo) undoRec {
	return undoRec{Seq: uint64(u.Seq), Kind: uint8(u.Kind), Actor: int32(u.Actor), At: toInstant(u.At),
		Progress: toProgressRec(&u.Progress), Unions: toUnionsRec(u.Unions), Touched: u.Touched}
}

func (r *undoRec) undo() plant.Undo {
	return plant.Undo{Seq: plant.Seq(r.Seq), Kind: plant.Kind(r.Kind), Actor: plant.WorkerID(r.Actor), At: r.At.time(),
		Progress: r.Progress.progress(), Unions: r.Unions.unions(), Touched: r.Touched}
}

func toOfficeRec(o *plant.Office) officeRec {
	return officeRec{Split: o.Split, NV: o.NV, OT: o.OT, Materiales: int32(o.Materiales)}
}

func (r *officeRec) office() plant.Office {
	return plant.Office{Split: r.Split, NV: r.NV, OT: r.OT, Materiales: plant.Date(r.Materiales)}
}

func toSpoolRec(s *plant.Spool) spoolRec {
	return spoolRec{
		Tag: string(s.Tag), Order: s.Order, Office: toOfficeRec(&s.Office), Progress: toProgressRec(&s.Progress), Unions: toUnionsRec(s.Unions),
		Notas: s.Notas, Touched: s.Touched, Version: s.Version, Token: s.Token, Last: uint64(s.Last), Changed: toInstant(s.Changed),
		Damaged: s.Damaged, Undo: maybe(s.Undo, toUndoRec),
	}
}

func (r *spoolRec) spool() plant.Spool {
	return plant.Spool{
		Tag: plant.Tag(r.Tag), Order: r.Order, Office: r.Office.office(), Progress: r.Progress.progress(), Unions: r.Unions.unions(),
		Notas: r.Notas, Touched: r.Touched, Version: r.Version, Token: r.Token, Last: plant.Seq(r.Last), Changed: r.Changed.time(),
		Damaged: r.Damaged, Undo: maybe(r.Undo, (*undoRec).undo),
	}
}

func toWorkerRec(w *plant.Worker) workerRec {
	return workerRec{ID: int32(w.ID), Nombre: w.Nombre, Apellido: w.Apellido, Roles: uint8(w.Roles), Activo: w.Activo}
}

func (r *workerRec) worker() plant.Worker {
	return plant.Worker{ID: plant.WorkerID(r.ID), Nombre: r.Nombre, Apellido: r.Apellido, Roles: plant.Role(r.Roles), Activo: r.Activo}
}

func toMetadataRec(m *plant.MetadataRow) metadataRec {
	return metadataRec{
		ID: m.ID, Timestamp: m.Timestamp, EventoTipo: m.EventoTipo, Tag: m.Tag, WorkerID: m.WorkerID, WorkerNombre: m.WorkerNombre,
		Operacion: m.Operacion, Accion: m.Accion, FechaOperacion: m.FechaOperacion, JSON: m.JSON, NUnion: m.NUnion, Order: m.Order, At: toInstant(m.At),
	}
}

func (r *metadataRec) row() plant.MetadataRow {
	return plant.MetadataRow{
		ID: r.ID, Timestamp: r.Timestamp, EventoTipo: r.EventoTipo, Tag: r.Tag, WorkerID: r.WorkerID, WorkerNombre: r.WorkerNombre,
		Operacion: r.Operacion, Accion: r.Accion, FechaOperacion: r.FechaOperacion, JSON: r.JSON, NUnion: r.NUnion, Order: r.Order, At: r.At.time(),
	}
}

func toImportRec(i *plant.Import) importRec {
	return importRec{
		Spool: maybe(i.Spool, toSpoolRec), Office: maybe(i.Office, toOfficeRec), Unions: toUnionsRec(i.Unions), Worker: maybe(i.Worker, toWorkerRec),
		History: each(i.History, toMetadataRec), Damaged: i.Damaged, SetDamaged: i.SetDamaged, Source: i.Source,
		Notas: i.Notas,
	}
}

func (r *importRec) data() plant.Import {
	return plant.Import{
		Spool: maybe(r.Spool, (*spoolRec).spool), Office: maybe(r.Office, (*officeRec).office), Unions: r.Unions.unions(),
		Worker: maybe(r.Worker, (*workerRec).worker), History: each(r.History, (*metadataRec).row), Damaged: r.Damaged,
		SetDamaged: r.SetDamaged, Source: r.Source, Notas: r.Notas,
	}
}

func toSettingRec(s *plant.Setting) settingRec { return settingRec{Key: s.Key, Value: s.Value} }

func (r *settingRec) setting() plant.Setting { return plant.Setting{Key: r.Key, Value: r.Value} }

func toEditRec(c *plant.CellEdit) editRec { return editRec{Column: c.Column, Old: c.Old, New: c.New} }

func (r *editRec) edit() plant.CellEdit {
	return plant.CellEdit{Column: r.Column, Old: r.Old, New: r.New}
}

func toEventRec(e *plant.Event) eventRec {
	return eventRec{
		Prev: uint64(e.Prev), PrevTag: uint64(e.PrevTag), ID: e.ID, Kind: uint8(e.Kind), Tag: string(e.Tag), Op: uint8(e.Op),
		Worker: toPersonRec(e.Worker), Actor: toPersonRec(e.Actor), Device: e.Device, Door: uint8(e.Door), Supervisor: e.Supervisor,
		Before: e.Before, After: e.After, Version: e.Version, Token: e.Token, Progress: maybe(e.Progress, toProgressRec),
		Unions: toUnionsRec(e.Unions), Removed: e.Removed, Resultado: uint8(e.Resultado), Fecha: int32(e.Fecha), Motivo: e.Motivo,
		Texto: e.Texto, From: toPersonRec(e.From), Undoes: uint64(e.Undoes), Outcome: uint8(e.Outcome), Selected: e.Selected,
		PD: int32(e.PD), Done: e.Done, Needed: e.Needed, Ready: e.Ready, HoldSince: toInstant(e.HoldSince),
		Import: maybe(e.Import, toImportRec), Setting: maybe(e.Setting, toSettingRec), Correction: each(e.Correction, toEditRec),
	}
}

func (r *eventRec) event(seq plant.Seq) plant.Event {
	return plant.Event{
		Seq: seq, Prev: plant.Seq(r.Prev), PrevTag: plant.Seq(r.PrevTag), ID: r.ID, Kind: plant.Kind(r.Kind), Tag: plant.Tag(r.Tag), Op: plant.Op(r.Op),
		Worker: r.Worker.person(), Actor: r.Actor.person(), Device: r.Device, Door: plant.Door(r.Door), Supervisor: r.Supervisor,
		Before: r.Before, After: r.After, Version: r.Version, Token: r.Token, Progress: maybe(r.Progress, (*progressRec).progress),
		Unions: r.Unions.unions(), Removed: r.Removed, Resultado: plant.Resultado(r.Resultado), Fecha: plant.Date(r.Fecha), Motivo: r.Motivo,
		Texto: r.Texto, From: r.From.person(), Undoes: plant.Seq(r.Undoes), Outcome: plant.Verb(r.Outcome), Selected: r.Selected,
		PD: plant.Inches(r.PD), Done: r.Done, Needed: r.Needed, Ready: r.Ready, HoldSince: r.HoldSince.time(),
		Import: maybe(r.Import, (*importRec).data), Setting: maybe(r.Setting, (*settingRec).setting), Correction: each(r.Correction, (*editRec).edit),
	}
}

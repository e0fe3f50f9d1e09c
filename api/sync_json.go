package api

import (
	"time"

	"envivo/plant"
)

// syncJSON is the state of the exchange for programs. Times are null before
// they have come, lists are never null.
type syncJSON struct {
	Mode        string             `json:"mode"`
	Sentence    string             `json:"sentence"`
	LastIn      *string            `json:"last_in"`
	LastOut     *string            `json:"last_out"`
	Backlog     int                `json:"backlog"`
	Oldest      *string            `json:"oldest"`
	Calls       int                `json:"calls"`
	Budget      int                `json:"budget"`
	Alerts      []syncAlertJSON    `json:"alerts"`
	Proposals   []syncProposalJSON `json:"proposals"`
	Parked      []syncParkedJSON   `json:"parked"`
	Quarantined []syncCellJSON     `json:"quarantined"`
	Missing     []plant.Tag        `json:"missing"`
	Audit       []syncAuditJSON    `json:"audit"`
	Report      []syncReportJSON   `json:"report"`
}

type syncAlertJSON struct {
	Since     *string `json:"since"`
	Direction string  `json:"direction"`
	Sheet     string  `json:"sheet"`
	Column    string  `json:"column"`
	Text      string  `json:"text"`
}

type syncProposalJSON struct {
	ID         string    `json:"id"`
	Tag        plant.Tag `json:"tag_spool"`
	Row        int       `json:"row"`
	Column     string    `json:"column"`
	Ours       string    `json:"ours"`
	Theirs     string    `json:"theirs"`
	Since      *string   `json:"since"`
	Acceptable bool      `json:"acceptable"`
	Why        string    `json:"why"`
}

type syncParkedJSON struct {
	Seq plant.Seq `json:"seq"`
	Tag plant.Tag `json:"tag_spool"`
	Why string    `json:"why"`
	At  *string   `json:"at"`
}

type syncCellJSON struct {
	Sheet  string `json:"sheet"`
	Row    int    `json:"row"`
	Column string `json:"column"`
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

type syncAuditJSON struct {
	At   *string `json:"at"`
	Text string  `json:"text"`
}

type syncReportJSON struct {
	Sheet       string `json:"sheet"`
	Rows        int    `json:"rows"`
	Accepted    int    `json:"accepted"`
	Repaired    int    `json:"repaired"`
	Quarantined int    `json:"quarantined"`
}

func (s *Server) syncStatus(*call) (any, error) {
	x := s.desk.status()
	return &syncJSON{
		Mode: x.Mode, Sentence: x.Sentence, LastIn: timeOrNull(x.LastIn), LastOut: timeOrNull(x.LastOut),
		Backlog: x.Backlog, Oldest: timeOrNull(x.Oldest), Calls: x.Calls, Budget: x.Budget,
		Alerts: listOf(x.Alerts, func(a SyncAlert) syncAlertJSON {
			return syncAlertJSON{timeOrNull(a.Since), a.Direction, a.Sheet, a.Column, a.Text}
		}),
		Proposals: listOf(x.Proposals, func(p SyncProposal) syncProposalJSON {
			return syncProposalJSON{p.ID, p.Tag, p.Row, p.Column, p.Ours, p.Theirs, timeOrNull(p.Since), p.Acceptable, p.Why}
		}),
		Parked:      listOf(x.Parked, func(p SyncParked) syncParkedJSON { return syncParkedJSON{p.Seq, p.Tag, p.Why, timeOrNull(p.At)} }),
		Quarantined: listOf(x.Quarantined, func(c SyncCell) syncCellJSON { return syncCellJSON(c) }),
		Missing:     listOf(x.Missing, func(t plant.Tag) plant.Tag { return t }),
		Audit:       listOf(x.Audit, func(a SyncAudit) syncAuditJSON { return syncAuditJSON{timeOrNull(a.At), a.Text} }),
		Report:      listOf(x.Report, func(r SyncReport) syncReportJSON { return syncReportJSON(r) }),
	}, nil
}

// listOf turns a list into another, which is never nil.
func listOf[A, B any](list []A, f func(A) B) []B {
	out := make([]B, len(list))
	for i, a := range list {
		out[i] = f(a)
	}
	return out
}

func timeOrNull(t time.Time) *string { return orNull(plant.ISOTime(t)) }

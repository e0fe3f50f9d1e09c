package api

import "envivo/plant"

// Webhook is a receiver of events and how it is doing. Since is RFC 3339, null
// while all is well; Dead are the events set aside.
type Webhook struct {
	ID      string      `json:"id"`
	Name    string      `json:"nombre"`
	URL     string      `json:"url"`
	Sent    uint64      `json:"enviados"`
	Behind  uint64      `json:"atraso"`
	Trouble string      `json:"problema"`
	Since   *string     `json:"desde"`
	Dead    []plant.Seq `json:"apartados"`
}

type webhookList struct {
	Webhooks []Webhook `json:"webhooks"`
}

// webhooks lists the receivers; the terminal adds and removes them.
func (s *Server) webhooks(*call) (any, error) {
	out := webhookList{Webhooks: []Webhook{}}
	if s.o.Webhooks != nil {
		out.Webhooks = append(out.Webhooks, s.o.Webhooks()...)
	}
	return out, nil
}

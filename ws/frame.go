package ws

import (
	"bytes"
	"encoding/binary"
	"encoding/json"

	"github.com/gorilla/websocket"

	"envivo/plant"
)

// Close codes of our own (doc.go).
const (
	CloseRevoked = 4003
	CloseNoView  = 4004
	CloseSlow    = 4008
)

const finBit = 0x80

// textFrame wraps a payload into one whole server frame (RFC 6455 §5.2):
//
//	fin+opcode | length 7 bits, or 126 and 16 bits, or 127 and 64 bits | payload
func textFrame(payload []byte) []byte {
	out := make([]byte, 0, len(payload)+10)
	out = append(out, finBit|websocket.TextMessage)
	switch n := len(payload); {
	case n < 126:
		out = append(out, byte(n))
	case n < 1<<16:
		out = binary.BigEndian.AppendUint16(append(out, 126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, 127), uint64(n))
	}
	return append(out, payload...)
}

// controlFrame is a ping, pong or close; its payload has at most 125 bytes.
func controlFrame(opcode byte, payload []byte) []byte {
	return append([]byte{finBit | opcode, byte(len(payload))}, payload...)
}

func closeFrame(code int) []byte {
	return controlFrame(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""))
}

// The messages, as they travel (doc.go).
type (
	helloMessage struct {
		Kind  string    `json:"kind"`
		Epoch string    `json:"epoch"`
		Seq   plant.Seq `json:"seq"`
		Build string    `json:"build"`
	}
	resetMessage struct {
		Kind  string    `json:"kind"`
		Epoch string    `json:"epoch"`
		Seq   plant.Seq `json:"seq"`
		Rev   string    `json:"rev,omitempty"`
	}
	beatMessage struct {
		Kind string    `json:"kind"`
		Seq  plant.Seq `json:"seq"`
		Now  int64     `json:"now,omitempty"`
	}
	viewHelloMessage struct {
		Kind  string    `json:"kind"`
		Build string    `json:"build"`
		Epoch string    `json:"epoch"`
		Seq   plant.Seq `json:"seq"`
		Rev   string    `json:"rev"`
		Now   int64     `json:"now"`
	}
	errorMessage struct {
		Kind string `json:"kind"`
	}
	patchMessage struct {
		Kind    string        `json:"kind"`
		Seq     plant.Seq     `json:"seq"`
		Rev     string        `json:"rev"`
		Regions []patchRegion `json:"regions"`
	}
	patchRegion struct {
		ID     string     `json:"id"`
		Remove []string   `json:"remove,omitempty"`
		Put    []patchPut `json:"put,omitempty"`
	}
	patchPut struct {
		Key  string  `json:"key"`
		HTML *string `json:"html,omitempty"`
		// After is absent (nil), null (json.RawMessage) or a key (string).
		After any `json:"after,omitempty"`
	}
)

// message encodes one of the messages as a frame. HTML is not escaped: it
// travels inside a JSON text, never inside a page.
func message(m any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		panic("ws: a message of plain fields cannot be encoded: " + err.Error())
	}
	return textFrame(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// pinged reports whether a client's message asks for a beat.
func pinged(msg []byte) bool {
	var m struct {
		Kind string `json:"kind"`
	}
	return json.Unmarshal(msg, &m) == nil && m.Kind == "ping"
}

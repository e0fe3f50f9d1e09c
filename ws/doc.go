// Package ws carries committed changes to everybody who watches: the events
// stream (/ws), its Server-Sent Events form (/api/sse/stream) and the live
// views of our own pages (/ws/ui). It only reads the plant. No reader can
// delay a command, another reader or the hub: a reader is a cursor, never a
// queue.
//
// Frames from the server are text frames with one JSON object each, and every
// object has "kind". Frames from a client may be at most 512 bytes. The only
// one that means anything is {"kind":"ping"}, answered by a beat at once;
// everything else is ignored. A client that keeps sending more than a message
// a second is closed with 1008.
//
// # Events: GET /ws?after=SEQ&epoch=EPOCH
//
// Sub-protocol envivo.v1. Both parameters are optional.
//
//		{"kind":"hello","epoch":"…","seq":1041,"build":"…"}   first, always
//		{"kind":"event","seq":1042,"prev":1041, …}            the injected encoding
//		{"kind":"reset","epoch":"…","seq":2000}               cannot be resumed
//		{"kind":"beat","seq":1042}                            every 15 s
//
//	  - hello.seq is the newest streamed sequence on the box when the socket
//	    opened. Without after the stream continues from there; with after it
//	    continues from after, so hello.seq tells how far there is to catch up.
//	  - reset: an epoch that is not ours, an after that lies beyond us, cannot be
//	    read, or is further back than can be resumed (Options.Resume events).
//	    Reload the state, then go on with what follows on this socket: every
//	    event after reset.seq.
//	  - beat.seq is the newest streamed sequence and is sent after that event, so
//	    a beat above the client's own position proves a loss.
//	  - Events are sent once each, in order, and only after they are durable.
//	    Changes of settings (AJUSTE) hold secrets and are never streamed;
//	    therefore prev is the sequence of the event streamed before this one, not
//	    of the journal record before it. It has the same value for every reader
//	    and on every resume. A client at position p has missed nothing exactly
//	    if prev <= p < seq, and moves to seq. (prev == p unless p is the sequence
//	    of a snapshot that ended with a setting.)
//
// # Server-Sent Events: GET /api/sse/stream
//
// The same events as event spool_update with id = seq; a COMPLETAR is followed
// by its STATE_CHANGE double under the same id. Last-Event-ID (or ?after=, and
// ?epoch= if known) resumes as above. Everybody else first gets
//
//	event: resync
//	id: 1041
//	data: {"kind":"resync","epoch":"…","seq":1041}
//
// meaning: load the state now; what follows continues after it. Comment pings
// every 15 s; a reader that takes nothing for 30 s is dropped.
//
// # Live views: GET /ws/ui?view=VIEW&epoch=EPOCH&rev=REV
//
// A view is a page as one canonical text names it. It consists of regions, a
// region of keyed items in order. The page is drawn from Views.Render and
// embeds the view, epoch, seq and rev it got there; rev is an opaque mark of
// what the page shows, and the socket brings that to what it should show now.
//
//	{"kind":"hello","build":"…","epoch":"…","seq":1041,"rev":"9c1f…","now":1747000000123}
//	{"kind":"patch","seq":1042,"rev":"03ab…","regions":[
//	   {"id":"libres","remove":["K7"],"put":[
//	      {"key":"K3","html":"<tr …>"},
//	      {"key":"K9","html":"<tr …>","after":"K3"},
//	      {"key":"K1","after":null}]}]}
//	{"kind":"reset","epoch":"…","seq":1042,"rev":"03ab…"}
//	{"kind":"error"}
//	{"kind":"beat","seq":1042,"now":1747000005123}        every 5 s
//
// now is the box's clock in milliseconds since 1970. seq is the snapshot the
// view was last compared with: everything up to it is on the page, also when a
// beat says so and nothing had to change. hello.rev is the newest state of the
// view; a client whose rev differs gets a patch or a reset next.
//
// Applying a patch, region by region:
//
//  1. remove: take out the items with these keys. Unknown keys are ignored.
//  2. put, strictly in the given order: with "html", the item is that element,
//     replacing the one with the same key or new; without, it is the element
//     already there. "after" absent: it stays where it is. "after":null: it
//     becomes the first of the region. "after":"K": it goes right behind the
//     item K, which is always there by then.
//  3. Remember rev and seq; they are the position for the next connection.
//
// Both lists may be absent. A region that is not named is unchanged. Patches
// are cumulative: a slow client gets one patch for many changes.
//
// reset means that this page cannot be patched (unknown rev, other epoch, or
// the page's set of regions changed). Fetch the page's content again and open a
// new socket with its rev; on the old one only beats follow. error means the
// box could not draw the view: what is shown stays and is ageing; it is sent
// once per socket, and the next patch, which may be empty, ends it.
//
// # Closing
//
//	1000, 1001  the client's own wish
//	1008        too many messages from the client: give up
//	1009        a message above 512 bytes: give up
//	1011        the box could not serve this socket: reconnect, backing off
//	1012        the box restarts: reconnect after a random 0.2 to 2 s
//	4003        the device or token was revoked: give up; a page loads itself again
//	4004        there is no such view: do not reconnect, load the page
//	4008        the client did not read: reconnect and resume, at once
//	1006        the line broke: reconnect after a random 0.2 to 1 s, backing off
//
// The server pings every 25 s and cuts a peer from which nothing came for 60 s.
// Opening a socket is refused with 503 while the hub starts or stops and with
// 403 when Origin names another host.
//
// # How it is built
//
// One goroutine reads the journal's tail, encodes each event once and puts it
// into a ring. A few shards (goroutines) share all sockets: after news a shard
// gives each of its sockets everything behind the socket's position in one
// non-blocking write. If the kernel does not take it all, a goroutine made for
// that socket alone (its lane) finishes and follows the feed until the socket
// has caught up, then hands it back. So an idle socket costs one small reader
// goroutine, a stalled one delays nobody, and memory does not grow with what a
// reader failed to read: positions older than the ring are served from the
// journal. The handshake, reading and control frames are gorilla's; it writes
// through the socket type, which keeps frames whole. Connections that offer no
// raw descriptor (TLS) always write in their lane.
package ws

// Package localca is the plant's own certificate authority for a LAN without
// internet: a root that tablets trust once, and a leaf that is renewed by
// itself.
//
// Both live in one folder, each in one file that is replaced as a whole:
//
//	ca.pem    root certificate and its key, made once, valid ten years
//	leaf.pem  certificate of the box and its key, at most 397 days
//
// Files are PEM, mode 0600, written beside their name, flushed and renamed, so
// that a cut of power leaves the old or the new one. The root can vouch only for
// names ending in .local, localhost, the box's host name and private
// addresses (RFC 5280 name constraints): whoever steals it cannot pretend to be
// a bank. See docs/adr/0011-local-authority.md.
package localca

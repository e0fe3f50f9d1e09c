// Package ui draws what people see: view models, the catalogue of texts and
// the templ components. Data goes in, HTML comes out; it knows no request, no
// store and no clock.
//
// Everything that follows the plant is drawn as a Region. A page is a frame
// around regions plus parts that belong to the reader alone (who is
// identified, the forms, the last outcome); those parts are never patched, so
// typed text, ticks and focus survive every update.
package ui

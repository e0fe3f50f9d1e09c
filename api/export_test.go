package api

// Patterns are all addresses of a Server, of programs and of pages, as the muxes
// have them.
func Patterns(s *Server) []string {
	return append(append([]string{}, s.mux.patterns...), s.inner.patterns...)
}

// RouteScopes are the addresses of the table of routes with what each asks for.
func RouteScopes() map[string]Scope {
	out := map[string]Scope{}
	for _, r := range (&Server{}).routes() {
		out[r.at] = r.scope
	}
	return out
}

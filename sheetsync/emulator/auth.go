package emulator

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	account    = "envivo@emulador.iam.gserviceaccount.com"
	keyID      = "emulador-1"
	grantType  = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	tokenLife  = time.Hour
	clockSlack = 5 * time.Minute
	scopeBase  = "https://www.googleapis.com/auth/"
)

// token is an access token that was given out.
type token struct {
	scopes  []string
	expires time.Time
}

// KeyFile is the text of a service-account key for the emulator that answers at
// base, for example http://127.0.0.1:9000. Only keys made by this method are
// accepted, for the addresses they were made for.
func (e *Emulator) KeyFile(base string) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(e.key)
	if err != nil {
		return nil, fmt.Errorf("service-account key: %w", err)
	}
	tokens := strings.TrimSuffix(base, "/") + "/token"
	e.mu.Lock()
	if !slices.Contains(e.audiences, tokens) {
		e.audiences = append(e.audiences, tokens)
	}
	e.mu.Unlock()
	return json.MarshalIndent(map[string]string{
		"type": "service_account", "project_id": "emulador", "private_key_id": keyID,
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": account, "client_id": project,
		"token_uri": tokens, "universe_domain": "googleapis.com",
	}, "", "  ")
}

// Revoke refuses the account's signatures from now on, and every token given out
// before; false takes it back.
func (e *Emulator) Revoke(revoked bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.revoked = revoked
	clear(e.tokens)
}

// ExpireTokens forgets the tokens given out; new ones can be had at once.
func (e *Emulator) ExpireTokens() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.tokens)
}

// grantError is an error answer of the token endpoint.
type grantError struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

func (g *grantError) Error() string { return g.Code + ": " + g.Description }

func grant(format string, args ...any) error {
	return &grantError{Code: "invalid_grant", Description: fmt.Sprintf(format, args...)}
}

// claims are the parts of the signed request that the endpoint looks at.
type claims struct {
	Iss   string `json:"iss"`
	Aud   string `json:"aud"`
	Scope string `json:"scope"`
	Iat   int64  `json:"iat"`
	Exp   int64  `json:"exp"`
}

// giveToken answers POST /token.
func (e *Emulator) giveToken(form string) (any, error) {
	q, err := url.ParseQuery(form)
	if err != nil || q.Get("grant_type") != grantType {
		return nil, &grantError{Code: "unsupported_grant_type", Description: "Invalid grant_type: " + q.Get("grant_type")}
	}
	c, err := e.verify(q.Get("assertion"))
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.admit(c); err != nil {
		return nil, err
	}
	secret := make([]byte, 24)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("access token: %w", err)
	}
	name := "ya29." + hex.EncodeToString(secret)
	e.tokens[name] = token{scopes: strings.Fields(c.Scope), expires: e.machine().Add(tokenLife)}
	return map[string]any{"access_token": name, "token_type": "Bearer", "expires_in": int(tokenLife.Seconds())}, nil
}

// verify checks the signature of a signed request and returns what it claims.
func (e *Emulator) verify(assertion string) (claims, error) {
	var c claims
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return c, grant("Invalid JWT: it must consist of three parts.")
	}
	var head struct{ Alg, Typ string }
	if err := decodePart(parts[0], &head); err != nil || head.Alg != "RS256" {
		return c, grant("Invalid JWT: unsupported algorithm %q.", head.Alg)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return c, grant("Invalid JWT Signature.")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(&e.key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return c, grant("Invalid JWT Signature.")
	}
	if err := decodePart(parts[1], &c); err != nil {
		return c, grant("Invalid JWT: unreadable claims.")
	}
	return c, nil
}

func decodePart(part string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// admit judges verified claims. Callers hold the lock.
func (e *Emulator) admit(c claims) error {
	now := e.machine()
	iat, exp := time.Unix(c.Iat, 0), time.Unix(c.Exp, 0)
	switch {
	case c.Iss != account:
		return grant("Invalid grant: account not found")
	case e.revoked:
		return grant("Account has been deleted or its key was revoked")
	case !slices.Contains(e.audiences, c.Aud):
		return grant("Invalid JWT: the audience %q is not this token endpoint.", c.Aud)
	case c.Scope == "":
		return &grantError{Code: "invalid_scope", Description: "Invalid OAuth scope or ID token audience provided."}
	case exp.Sub(iat) > tokenLife+clockSlack, iat.After(now.Add(clockSlack)), exp.Before(now.Add(-clockSlack)):
		return grant("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. " +
			"Check your iat and exp values in the JWT claim.")
	}
	return nil
}

// authorize checks the bearer of an API call. Callers hold the lock.
func (e *Emulator) authorize(header http.Header, op Op) error {
	name, ok := strings.CutPrefix(header.Get("Authorization"), "Bearer ")
	t, known := e.tokens[name]
	if !ok || !known || e.revoked || !e.machine().Before(t.expires) {
		return errUnauthenticated
	}
	allowed := []string{scopeBase + "spreadsheets", scopeBase + "drive", scopeBase + "drive.file"}
	switch {
	case op == CopyFile:
		allowed = allowed[1:]
	case op.Kind() == Read:
		allowed = append(allowed, scopeBase+"spreadsheets.readonly")
	}
	for _, s := range t.scopes {
		if slices.Contains(allowed, s) {
			return nil
		}
	}
	return errScopes
}

package google

import (
	"encoding/json"
	"errors"
	"fmt"
)

const tokenAddress = "https://oauth2.googleapis.com/token"

// Account is who a service-account key speaks for.
type Account struct {
	// Email is the address the office shares the spreadsheet with.
	Email string
	// Project is the account's project at Google.
	Project string
}

// ReadKey checks the text of a service-account key file. The client library
// takes any kind of credentials, some of which call addresses of their own
// choice, so the kind and the token address are checked here; emulated says that
// the Sheets API is an emulator, which names its own.
func ReadKey(text []byte, emulated bool) (Account, error) {
	var k struct {
		Type       string `json:"type"`
		Project    string `json:"project_id"`
		Email      string `json:"client_email"`
		PrivateKey string `json:"private_key"`
		TokenURI   string `json:"token_uri"`
	}
	if err := json.Unmarshal(text, &k); err != nil {
		return Account{}, errors.New("the service-account key is not JSON")
	}
	switch {
	case k.Type != "service_account":
		return Account{}, fmt.Errorf("the key is of type %q, want service_account", k.Type)
	case k.Email == "" || k.PrivateKey == "":
		return Account{}, errors.New("the service-account key has no client_email or no private_key")
	case k.TokenURI == "":
		return Account{}, errors.New("the service-account key has no token_uri")
	case !emulated && k.TokenURI != tokenAddress:
		return Account{}, fmt.Errorf("the key asks for tokens at %q, want %s", k.TokenURI, tokenAddress)
	}
	return Account{Email: k.Email, Project: k.Project}, nil
}

package emulator

import (
	"crypto/rand"
	"crypto/rsa"
	"sync"
)

// testKey is one key for all tests, for making one is slow.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

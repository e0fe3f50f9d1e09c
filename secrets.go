package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"

	"envivo/api"
	"envivo/plant"
)

type tokenCmd struct {
	New    tokenNew    `cmd:"" help:"Make a token; its secret is shown once."`
	List   tokenList   `cmd:"" help:"List tokens without their secrets."`
	Revoke tokenRevoke `cmd:"" help:"Revoke a token by id or name, at once."`
}

type tokenNew struct {
	Where `embed:""`
	Name  string `required:"" placeholder:"NAME" help:"Whose token it is; events name it as their device."`
	Scope string `default:"read" enum:"read,act,admin" help:"read: look; act: work as any worker; admin: the supervisor's acts too."`
}

// Run stores a token's hash and prints its secret.
func (c *tokenNew) Run(p *program) error {
	return withKeeper(p, c.Where, func(ctx context.Context, k keeper) error {
		known, err := tokens(ctx, k)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(known, func(t api.Token) bool { return t.Name == c.Name }) {
			return fmt.Errorf("there is a token named %s already; revoke it first", c.Name)
		}
		secret, s, err := api.NewToken(api.Token{Name: c.Name, Scope: c.Scope, Created: p.now().UTC(), By: "terminal"}, rand.Reader)
		if err != nil {
			return err
		}
		if err := k.Set(ctx, s); err != nil {
			return fmt.Errorf("store the token: %w", err)
		}
		_, err = fmt.Fprintln(p.out, secret)
		return err
	})
}

type tokenList struct {
	Where `embed:""`
}

// Run prints one token a line: id, name, scope, day of creation.
func (c *tokenList) Run(p *program) error {
	return withKeeper(p, c.Where, func(ctx context.Context, k keeper) error {
		known, err := tokens(ctx, k)
		if err != nil {
			return err
		}
		for _, t := range known {
			if _, err := fmt.Fprintf(p.out, "%-10s %-20s %-6s %s\n", t.ID, t.Name, t.Scope, plant.DateOf(t.Created)); err != nil {
				return err
			}
		}
		return nil
	})
}

type tokenRevoke struct {
	Where `embed:""`
	Token string `arg:"" help:"Id or name of the token."`
}

// Run removes the token's hash: the next request with the secret is refused.
func (c *tokenRevoke) Run(p *program) error {
	return withKeeper(p, c.Where, func(ctx context.Context, k keeper) error {
		known, err := tokens(ctx, k)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(known, func(t api.Token) bool { return t.ID == c.Token || t.Name == c.Token })
		if i < 0 {
			return fmt.Errorf("there is no token %s", c.Token)
		}
		return k.Set(ctx, plant.Setting{Key: api.SettingToken + known[i].ID})
	})
}

// tokens are the plant's tokens by the day they were made.
func tokens(ctx context.Context, k keeper) ([]api.Token, error) {
	settings, err := k.Settings(ctx, api.SettingToken)
	if err != nil {
		return nil, err
	}
	out := make([]api.Token, 0, len(settings))
	for key, value := range settings {
		t, err := api.ParseToken(plant.Setting{Key: key, Value: value})
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b api.Token) int {
		if n := a.Created.Compare(b.Created); n != 0 {
			return n
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
}

// withKeeper runs a short errand on the store of a folder.
func withKeeper(p *program, where Where, do func(context.Context, keeper) error) (err error) {
	ctx, stop := signals(context.Background())
	defer stop()
	k, err := openKeeper(ctx, p, where, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	return do(ctx, k)
}

type pinCmd struct {
	Set   pinSet   `cmd:"" help:"Set the supervisor's PIN, or a worker's: asked for, or the first line of stdin."`
	Clear pinClear `cmd:"" help:"Take a worker's PIN away."`
}

type pinSet struct {
	Where  `embed:""`
	Worker int32 `placeholder:"ID" help:"The worker's number; without it the PIN is the supervisor's."`
}

// Run stores the hash of a new PIN and lifts the locks of wrong ones. Sessions
// of the supervisor that are open stay open until they end by themselves; a
// worker has to enter the new one.
func (c *pinSet) Run(p *program) error {
	pin, err := askPIN(p)
	if err != nil {
		return err
	}
	return withKeeper(p, c.Where, func(ctx context.Context, k keeper) error {
		if c.Worker == 0 {
			return setPIN(ctx, k, pin)
		}
		hash, err := api.HashPIN(pin, rand.Reader)
		if err != nil {
			return err
		}
		return setWorkerPIN(ctx, k, c.Worker, hash)
	})
}

type pinClear struct {
	Where  `embed:""`
	Worker int32 `required:"" placeholder:"ID" help:"The worker's number."`
}

// Run takes the PIN away, and the locks that wrong ones led to.
func (c *pinClear) Run(p *program) error {
	return withKeeper(p, c.Where, func(ctx context.Context, k keeper) error { return setWorkerPIN(ctx, k, c.Worker, "") })
}

// setWorkerPIN stores the hash of a worker's PIN, or takes the PIN away for an
// empty one.
func setWorkerPIN(ctx context.Context, k keeper, worker int32, hash string) error {
	need := ""
	if hash != "" {
		need = "active"
	}
	if err := k.Ask(ctx, askKnown, url.Values{"id": {id(worker)}, "need": {need}}, io.Discard); err != nil {
		return err
	}
	who := plant.WorkerID(worker)
	if err := k.Set(ctx, plant.Setting{Key: api.WorkerPINKey(who), Value: hash}); err != nil {
		return fmt.Errorf("store the PIN of worker %d: %w", worker, err)
	}
	return unlock(ctx, k, api.WorkerLocks(who))
}

func setPIN(ctx context.Context, k keeper, pin string) error {
	hash, err := api.HashPIN(pin, rand.Reader)
	if err != nil {
		return err
	}
	if err := k.Set(ctx, plant.Setting{Key: api.SettingPIN, Value: hash}); err != nil {
		return fmt.Errorf("store the PIN: %w", err)
	}
	return unlock(ctx, k, api.SettingLock)
}

// unlock forgets the guesses at an earlier PIN, and the locks they led to, whose
// keys begin with prefix.
func unlock(ctx context.Context, k keeper, prefix string) error {
	locks, err := k.Settings(ctx, prefix)
	if err != nil {
		return err
	}
	for key := range locks {
		if err := k.Set(ctx, plant.Setting{Key: key}); err != nil {
			return fmt.Errorf("lift a lock: %w", err)
		}
	}
	return nil
}

// askPIN reads a PIN: twice and unseen at a terminal, once from a pipe.
func askPIN(p *program) (string, error) {
	in := bufio.NewReader(p.in)
	f, ok := p.in.(*os.File)
	if !ok {
		return readLine(in)
	}
	restore, ok := hideInput(f)
	if !ok {
		return readLine(in)
	}
	defer restore()
	fmt.Fprint(p.err, "new PIN: ")
	first, err := readLine(in)
	if err != nil {
		return "", err
	}
	fmt.Fprint(p.err, "\nagain: ")
	second, err := readLine(in)
	fmt.Fprintln(p.err)
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two PINs differ; nothing was changed")
	}
	return first, nil
}

func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil && (line == "" || !errors.Is(err, io.EOF)) {
		return "", fmt.Errorf("read the PIN: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

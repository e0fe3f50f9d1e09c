package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"envivo/api"
	"envivo/hooks"
	"envivo/plant"
	"envivo/ui"
)

type webhookCmd struct {
	New    webhookNew    `cmd:"" help:"Send events to an address; the secret that proves them is shown once."`
	List   webhookList   `cmd:"" help:"List receivers and the events set aside for each."`
	Retry  webhookRetry  `cmd:"" help:"Send the events set aside once more."`
	Resume webhookResume `cmd:"" help:"In a restored copy: let a receiver, paused there, be sent events again."`
	Remove webhookRemove `cmd:"" help:"Send nothing more to a receiver and forget it."`
}

type webhookNew struct {
	Where `embed:""`
	Name  string `required:"" placeholder:"NAME" help:"Whose receiver it is."`
	URL   string `required:"" name:"url" placeholder:"URL" help:"Where events are posted, http or https."`
	All   bool   `help:"Begin with the first event of the log instead of the next one."`
}

// Run stores a webhook and prints its secret.
func (c *webhookNew) Run(p *program) error {
	return withKeeper(p, c.Where, func(ctx context.Context, k keeper) error {
		known, err := webhooks(ctx, k)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(known, func(h hooks.Hook) bool { return h.Name == c.Name }) {
			return fmt.Errorf("there is a webhook named %s already; remove it first", c.Name)
		}
		secret, s, err := hooks.New(hooks.Hook{Name: c.Name, URL: c.URL, All: c.All, Created: p.now().UTC()}, rand.Reader)
		if err != nil {
			return err
		}
		if err := k.Set(ctx, s); err != nil {
			return fmt.Errorf("store the webhook: %w", err)
		}
		_, err = fmt.Fprintln(p.out, secret)
		return err
	})
}

type webhookList struct {
	Where `embed:""`
}

// Run prints one webhook a line: id, name, events set aside, address.
func (c *webhookList) Run(p *program) error {
	return withKeeper(p, c.Where, func(ctx context.Context, k keeper) error {
		known, err := webhooks(ctx, k)
		if err != nil {
			return err
		}
		for _, h := range known {
			settings, err := webhookSettings(ctx, k)
			if err != nil {
				return err
			}
			dead, err := hooks.Again(settings, h.ID)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(p.out, "%-10s %-20s %4d set aside  %s\n", h.ID, h.Name, len(dead), h.URL); err != nil {
				return err
			}
		}
		return nil
	})
}

type webhookRetry struct {
	Where   `embed:""`
	Webhook string `arg:"" help:"Id or name of the webhook."`
}

// Run asks for another try of all that is set aside; a running server begins at
// once.
func (c *webhookRetry) Run(p *program) error {
	return onWebhook(p, c.Where, c.Webhook, func(settings map[string]string, id string) ([]plant.Setting, error) { return hooks.Again(settings, id) })
}

type webhookResume struct {
	Where   `embed:""`
	Webhook string `arg:"" help:"Id or name of the webhook."`
}

// Run lets a receiver go on from its place in the copy.
func (c *webhookResume) Run(p *program) error {
	return onWebhook(p, c.Where, c.Webhook, func(settings map[string]string, id string) ([]plant.Setting, error) {
		return hooks.Resume(settings, id, ""), nil
	})
}

type webhookRemove struct {
	Where   `embed:""`
	Webhook string `arg:"" help:"Id or name of the webhook."`
}

// Run removes the webhook, its place and what was set aside.
func (c *webhookRemove) Run(p *program) error {
	return onWebhook(p, c.Where, c.Webhook, func(settings map[string]string, id string) ([]plant.Setting, error) {
		return hooks.Remove(slices.Sorted(maps.Keys(settings)), id), nil
	})
}

// onWebhook stores what change makes of one webhook's settings.
func onWebhook(p *program, where Where, name string, change func(map[string]string, string) ([]plant.Setting, error)) error {
	return withKeeper(p, where, func(ctx context.Context, k keeper) error {
		known, err := webhooks(ctx, k)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(known, func(h hooks.Hook) bool { return h.ID == name || h.Name == name })
		if i < 0 {
			return fmt.Errorf("there is no webhook %s", name)
		}
		settings, err := webhookSettings(ctx, k)
		if err != nil {
			return err
		}
		all, err := change(settings, known[i].ID)
		if err != nil {
			return err
		}
		for _, s := range all {
			if err := k.Set(ctx, s); err != nil {
				return fmt.Errorf("store %s: %w", s.Key, err)
			}
		}
		return nil
	})
}

// webhookSettings are all settings of webhooks.
func webhookSettings(ctx context.Context, k keeper) (map[string]string, error) {
	out := map[string]string{}
	for _, prefix := range hooks.Prefixes() {
		some, err := k.Settings(ctx, prefix)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, some)
	}
	return out, nil
}

// webhooks are the plant's webhooks by the time they were made.
func webhooks(ctx context.Context, k keeper) ([]hooks.Hook, error) {
	settings, err := k.Settings(ctx, hooks.SettingHook)
	if err != nil {
		return nil, err
	}
	out := make([]hooks.Hook, 0, len(settings))
	for key, value := range settings {
		h, err := hooks.Parse(plant.Setting{Key: key, Value: value})
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b hooks.Hook) int { return a.Created.Compare(b.Created) })
	return out, nil
}

// hookPatience is how long a receiver may take to answer one event.
const hookPatience = 10 * time.Second

// sender posts events to the plant's webhooks.
func (f *floor) sender() *hooks.Sender {
	h := &http.Client{Timeout: hookPatience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return hooks.NewSender(hooks.Options{Source: f.store, Encode: api.EncodeEvent, Send: h.Do, Now: f.now, Log: f.log,
		Wait: func(ctx context.Context, d time.Duration) error {
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-timer.C:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}})
}

// webhookStates are the webhooks for the API. The store says which there are,
// the sender how they do.
func (f *floor) webhookStates() []api.Webhook {
	snap, states := f.store.Snapshot(), f.hooks.States()
	var out []api.Webhook
	for _, key := range snap.Settings(hooks.SettingHook) {
		h, err := hooks.Parse(plant.Setting{Key: key, Value: snap.Setting(key)})
		if err != nil {
			continue // the sender has logged it
		}
		st := states[h.ID]
		w := api.Webhook{ID: h.ID, Name: h.Name, URL: h.URL, Sent: st.Sent, Behind: uint64(max(snap.Seq, st.Seq) - st.Seq), Trouble: st.Trouble,
			Dead: append([]plant.Seq{}, hooks.Dead(snap, h.ID)...)}
		if st.Paused {
			w.Trouble = ui.TextHookPaused
		}
		if !st.Since.IsZero() {
			since := plant.ISOTime(st.Since)
			w.Since = &since
		}
		out = append(out, w)
	}
	return out
}

func (f *floor) hookMetrics(w io.Writer) {
	var all []gauge
	for _, h := range f.webhookStates() {
		label := fmt.Sprintf("{webhook=%q}", h.Name)
		all = append(all, gauge{"envivo_webhook_sent_total" + label, float64(h.Sent)}, gauge{"envivo_webhook_behind" + label, float64(h.Behind)},
			gauge{"envivo_webhook_set_aside" + label, float64(len(h.Dead))})
	}
	writeGauges(w, all)
}

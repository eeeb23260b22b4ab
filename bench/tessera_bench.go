// Appends to a log of github.com/transparency-dev/tessera (POSIX driver) what ledger_bench appends to ours: entries of 300
// bytes, by eight writers that wait for each answer, and by writers with 1,024 entries under way. An entry counts when its
// place in the log is durable (the future of Add); with -publish when a signed checkpoint covers it. Run by ledger_against_tessera.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "tessera:", err)
		os.Exit(1)
	}
}

type appending struct {
	appender *tessera.Appender
	awaiter  *tessera.PublicationAwaiter
}

func (a appending) one(ctx context.Context) {
	data := make([]byte, 300)
	_, err := rand.Read(data)
	must(err)
	future := a.appender.Add(ctx, tessera.NewEntry(data))
	if a.awaiter != nil {
		_, _, err = a.awaiter.Await(ctx, future)
	} else {
		_, err = future()
	}
	must(err)
}

// Entries a second, of so many writers that each wait for their answer before they go on.
func (a appending) rate(ctx context.Context, writers int, length time.Duration) float64 {
	var group sync.WaitGroup
	counts := make([]int, writers)
	start := time.Now()
	for i := range counts {
		group.Add(1)
		go func() {
			defer group.Done()
			for time.Since(start) < length {
				a.one(ctx)
				counts[i]++
			}
		}()
	}
	group.Wait()
	all := 0
	for _, count := range counts {
		all += count
	}
	return float64(all) / time.Since(start).Seconds()
}

func main() {
	publish := flag.Bool("publish", false, "wait for a signed checkpoint over the entry, too")
	flag.Parse()
	slog.SetLogLoggerLevel(slog.LevelError)
	ctx := context.Background()
	key, _, err := note.GenerateKey(rand.Reader, "bench")
	must(err)
	signer, err := note.NewSigner(key)
	must(err)
	driver, err := posix.New(ctx, posix.Config{Path: flag.Arg(0)})
	must(err)
	options := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithBatching(1024, 5*time.Millisecond).
		WithCheckpointInterval(100 * time.Millisecond)
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	must(err)
	a := appending{appender: appender}
	if *publish {
		a.awaiter = tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 10*time.Millisecond)
	}
	for _, writers := range []int{1, 8, 1024} {
		fmt.Printf("  Tessera POSIX, %4d writers            %8.0f /s\n", writers, a.rate(ctx, writers, 5*time.Second))
	}
	must(shutdown(ctx))
}

// What Go's checksum database is checked with (golang.org/x/mod/sumdb), applied to a log of radseal: every signed
// checkpoint, every inclusion proof, every consistency proof; and that altered ones are refused. Reads the JSON of
// receipts_go.py on standard input.
package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A checkpoint, its note verified.
type checkpoint struct {
	size int64
	root tlog.Hash
}

type input struct {
	Vkey        string   `json:"vkey"`
	Checkpoints []string `json:"checkpoints"` // in the order of their sizes
	Inclusion   []string `json:"inclusion"`   // radseal log --proof INDEX, of every entry
	Consistency []string `json:"consistency"` // radseal log --consistency SIZE, of every checkpoint
}

func openCheckpoint(text, vkey string) (checkpoint, error) {
	var out checkpoint
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return out, err
	}
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return out, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return out, errors.New("not a checkpoint of this log")
	}
	if out.size, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return out, err
	}
	out.root, err = tlog.ParseHash(lines[2])
	return out, err
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	hashes := []tlog.Hash{}
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// C2SP tlog-proof with the entry as its extra data; returns the entry's index.
func checkInclusion(text, vkey string, alter func([]byte)) (int64, error) {
	head, note, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "extra ") {
		return 0, errors.New("not a tlog-proof")
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return 0, err
	}
	alter(entry)
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return 0, err
	}
	path, err := parseHashes(lines[3:])
	if err != nil {
		return 0, err
	}
	tree, err := openCheckpoint(note, vkey)
	if err != nil {
		return 0, err
	}
	return index, tlog.CheckRecord(path, tree.size, tree.root, index, tlog.RecordHash(entry))
}

// The body of C2SP tlog-witness add-checkpoint.
func checkConsistency(text, vkey string, old checkpoint) error {
	head, note, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != fmt.Sprintf("old %d", old.size) {
		return errors.New("not a consistency proof of this size")
	}
	proof, err := parseHashes(lines[1:])
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(note, vkey)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.size, tree.root, old.size, old.root)
}

func flip(text string, index int) string {
	bytes := []byte(text)
	if bytes[index] == 'A' {
		bytes[index] = 'B'
	} else {
		bytes[index] = 'A'
	}
	return string(bytes)
}

func must(err error, what string, number int) {
	if err != nil {
		fmt.Printf("%s %d: %v\n", what, number, err)
		os.Exit(1)
	}
}

func mustNot(err error, what string, number int) {
	if err == nil {
		fmt.Printf("%s %d was accepted although it was altered: the check proves nothing\n", what, number)
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) == 3 {
		size, err := readLog(os.Args[1], os.Args[2])
		must(err, "tiles", 0)
		fmt.Println(size)
		return
	}
	var in input
	must(json.NewDecoder(os.Stdin).Decode(&in), "input", 0)
	trees := []checkpoint{}
	for i, text := range in.Checkpoints {
		tree, err := openCheckpoint(text, in.Vkey)
		must(err, "checkpoint", i)
		trees = append(trees, tree)
		for _, place := range []int{1, strings.Index(text, "\n") + 2, len(text) - 20} {
			_, err = openCheckpoint(flip(text, place), in.Vkey)
			mustNot(err, "checkpoint", i)
		}
	}
	for i, text := range in.Inclusion {
		index, err := checkInclusion(text, in.Vkey, func([]byte) {})
		must(err, "inclusion", i)
		if index != int64(i) {
			must(fmt.Errorf("is of entry %d", index), "inclusion", i)
		}
		_, err = checkInclusion(text, in.Vkey, func(entry []byte) { entry[len(entry)-1] ^= 1 })
		mustNot(err, "inclusion", i)
	}
	for i, text := range in.Consistency {
		must(checkConsistency(text, in.Vkey, trees[i]), "consistency", i)
		altered := trees[i]
		altered.root[7] ^= 1
		mustNot(checkConsistency(text, in.Vkey, altered), "consistency", i)
	}
	if len(trees) == 0 || len(in.Inclusion) == 0 || len(in.Consistency) != len(trees) {
		must(errors.New("there is nothing to check"), "input", 0)
	}
	fmt.Printf("%d checkpoints, %d inclusion proofs and %d consistency proofs hold for golang.org/x/mod\n", len(trees),
		len(in.Inclusion), len(in.Consistency))
}

// A client of C2SP tlog-tiles: all entries of a log are read through its tiles, which golang.org/x/mod/sumdb/tlog
// authenticates against the signed checkpoint.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"

	"golang.org/x/mod/sumdb/tlog"
)

type tileReader struct {
	base string
}

func fetch(url string) ([]byte, error) {
	answer, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		return nil, fmt.Errorf("%s: %s", url, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

// C2SP names no height: it is 8.
func path(kind string, number int64, width int) string {
	name := fmt.Sprintf("%03d", number%1000)
	for number >= 1000 {
		number /= 1000
		name = fmt.Sprintf("x%03d/%s", number%1000, name)
	}
	if width < 256 {
		name += fmt.Sprintf(".p/%d", width)
	}
	return "/tile/" + kind + "/" + name
}

func (r tileReader) Height() int { return 8 }

func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	all := [][]byte{}
	for _, tile := range tiles {
		data, err := fetch(r.base + path(fmt.Sprint(tile.L), tile.N, tile.W))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (r tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

func readBundle(base string, number, size int64) ([][]byte, error) {
	width := size - number*256
	if width > 256 {
		width = 256
	}
	data, err := fetch(base + path("entries", number, int(width)))
	if err != nil {
		return nil, err
	}
	entries := [][]byte{}
	for len(data) >= 2 {
		length := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+length {
			return nil, errors.New("a bundle is cut")
		}
		entries = append(entries, data[2:2+length])
		data = data[2+length:]
	}
	if len(data) != 0 || int64(len(entries)) != width {
		return nil, errors.New("a bundle has not as many entries as it says")
	}
	return entries, nil
}

func readLog(base, vkey string) (int64, error) {
	note, err := fetch(base + "/checkpoint")
	if err != nil {
		return 0, err
	}
	tree, err := openCheckpoint(string(note), vkey)
	if err != nil {
		return 0, err
	}
	hashes := tlog.TileHashReader(tlog.Tree{N: tree.size, Hash: tree.root}, tileReader{base})
	root, err := tlog.TreeHash(tree.size, hashes)
	if err != nil {
		return 0, err
	}
	if root != tree.root {
		return 0, errors.New("the tiles have another root")
	}
	for number := int64(0); number*256 < tree.size; number++ {
		entries, err := readBundle(base, number, tree.size)
		if err != nil {
			return 0, err
		}
		for i, entry := range entries {
			known, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, number*256+int64(i))})
			if err != nil {
				return 0, err
			}
			if known[0] != tlog.RecordHash(entry) {
				return 0, fmt.Errorf("entry %d is not the one in the tree", number*256+int64(i))
			}
		}
	}
	return tree.size, nil
}

package stream

import (
	"strconv"
	"strings"
)

// Compression of a file.
type Compression uint8

// The compressions; Auto goes by the file name's ending (.gz, .zst, .bz2).
const (
	Auto Compression = iota
	None
	Gzip
	Zstd
	Bzip2 // read only
)

// String gives the compression's name.
func (c Compression) String() string { return [...]string{"auto", "none", "gzip", "zstd", "bzip2"}[c] }

// ParseCompression reads the name of a compression.
func ParseCompression(name string) (Compression, error) {
	switch strings.ToLower(name) {
	case "auto", "auto_detect":
		return Auto, nil
	case "none", "uncompressed":
		return None, nil
	case "gzip":
		return Gzip, nil
	case "zstd":
		return Zstd, nil
	case "bzip2", "bz2":
		return Bzip2, nil
	}
	return Auto, strconv.ErrSyntax
}

// Of resolves Auto by the file's name.
func (c Compression) Of(path string) Compression {
	if c != Auto {
		return c
	}
	path = strings.ToLower(path)
	if name, _, queried := strings.Cut(path, "?"); queried && strings.Contains(name, ".") { // of a URL
		path = name
	}
	switch {
	case strings.HasSuffix(path, ".gz"):
		return Gzip
	case strings.HasSuffix(path, ".zst"), strings.HasSuffix(path, ".zstd"):
		return Zstd
	case strings.HasSuffix(path, ".bz2"):
		return Bzip2
	}
	return None
}

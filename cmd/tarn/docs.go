package main

import (
	"os"

	"github.com/tarnlake/tarn/exec/functions"
)

// docsCommand writes documentation that is generated from the code.
type docsCommand struct {
	Functions struct{} `cmd:"" help:"The reference of all functions, as Markdown."`
}

// Run prints docs/functions.md.
func (c *docsCommand) Run() error { return functions.WriteMarkdown(os.Stdout, functions.Registry()) }

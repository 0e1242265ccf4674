// Package shell is `tarn sql`: an interactive SQL shell, and a way to run statements and scripts.
//
//	shell.go      what a run does: commands, files, standard input or a prompt
//	script.go     cuts input into statements and backslash commands
//	execute.go    sends a statement, prints its results, cancels on Ctrl-C
//	output*.go    result formats: table, vertical, csv, tsv, json, markdown
//	meta.go       backslash commands
//	editor.go     the prompt: multi-line editing, history; highlight.go, complete.go
//	progress.go   the line that shows how far a statement is
//
// It speaks the wire protocol whether the server is elsewhere or in the same process.
package shell

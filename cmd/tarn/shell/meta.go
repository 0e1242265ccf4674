package shell

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// metaCommand is one backslash command.
type metaCommand struct {
	name, argument, doc string
	run                 func(s *shell, ctx context.Context, argument string) error
}

// metaCommands lists them in the order of \?.
func metaCommands() []metaCommand {
	return []metaCommand{
		{"d", "[NAME]", "describe a table or view, or list them", func(s *shell, ctx context.Context, a string) error {
			if a == "" {
				return s.list(ctx, "SHOW TABLES", "")
			}
			return s.execute(ctx, "DESCRIBE "+a, nil)
		}},
		{"dt", "[PATTERN]", "list tables", func(s *shell, ctx context.Context, a string) error { return s.list(ctx, "SHOW TABLES", a) }},
		{"dv", "[PATTERN]", "list views", func(s *shell, ctx context.Context, a string) error { return s.list(ctx, "SHOW VIEWS", a) }},
		{"dn", "[PATTERN]", "list schemas", func(s *shell, ctx context.Context, a string) error { return s.list(ctx, "SHOW SCHEMAS", a) }},
		{"df", "[PATTERN]", "list functions", func(s *shell, ctx context.Context, a string) error { return s.list(ctx, "SHOW FUNCTIONS", a) }},
		{"du", "", "list users", func(s *shell, ctx context.Context, _ string) error { return s.list(ctx, "SHOW ROLES", "") }},
		{"dp", "TABLE", "list a table's partitions", func(s *shell, ctx context.Context, a string) error {
			return s.execute(ctx, "SHOW PARTITIONS "+a, nil)
		}},
		{"l", "", "list catalogs", func(s *shell, ctx context.Context, _ string) error { return s.list(ctx, "SHOW CATALOGS", "") }},
		{"sc", "NAME", "show how a table or view was created", func(s *shell, ctx context.Context, a string) error {
			return s.execute(ctx, "SHOW CREATE TABLE "+a, nil)
		}},
		{"timing", "[on|off]", "show how long statements take", func(s *shell, _ context.Context, a string) error { return s.toggle("Timing", &s.timing, a) }},
		{"x", "[on|off]", "show rows as blocks of lines", func(s *shell, _ context.Context, a string) error { return s.toggle("Expanded display", &s.expanded, a) }},
		{"format", "[FORMAT]", "result format: " + strings.Join(Formats, ", "), (*shell).setFormat},
		{"pager", "[on|off]", "use the pager for long results", func(s *shell, _ context.Context, a string) error { return s.toggle("Pager", &s.pager, a) }},
		{"o", "[FILE]", "send results to a file, or back to the screen", (*shell).setOutput},
		{"i", "FILE", "run a script", (*shell).include},
		{"g", "", "(at the end of a statement) run it; \\gx shows it expanded", nil},
		{"watch", "[SECONDS]", "(at the end of a statement) run it again and again until Ctrl-C", nil},
		{"c", "", "connect again", (*shell).connectAgain},
		{"conninfo", "", "show where this connection goes", (*shell).showConnection},
		{"!", "COMMAND", "run a command of the operating system", (*shell).system},
		{"?", "", "show this list", (*shell).help},
		{"q", "", "quit", func(*shell, context.Context, string) error { return errQuit }},
	}
}

// runMeta runs a backslash command.
func (s *shell) runMeta(ctx context.Context, line string) error {
	name, argument, _ := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(line, ";"), `\`), " ")
	argument = strings.TrimSpace(argument)
	name = strings.TrimSuffix(name, "+") // \d+ says no more than \d
	switch name {
	case "quit", "exit":
		name = "q"
	case "help", "h":
		name = "?"
	}
	for _, c := range metaCommands() {
		if c.name != name || c.run == nil {
			continue
		}
		if argument == "" && c.argument != "" && !strings.HasPrefix(c.argument, "[") {
			s.complain(`\%s needs an argument: \%s %s`, name, name, c.argument)
			return s.carryOn(fmt.Errorf("missing argument"))
		}
		return s.carryOn(c.run(s, ctx, argument))
	}
	s.complain(`unknown command \%s; \? lists them`, name)
	return s.carryOn(fmt.Errorf("unknown command"))
}

// carryOn ignores errors, which have been shown, at a prompt; scripts end with them.
func (s *shell) carryOn(err error) error { return err }

// list runs a SHOW with an optional pattern: psql's * and ? are LIKE's % and _, "schema.pattern"
// names a schema.
func (s *shell) list(ctx context.Context, show, pattern string) error {
	if schema, rest, found := strings.Cut(pattern, "."); found {
		show += " FROM " + schema
		pattern = rest
	}
	if pattern != "" && pattern != "*" {
		like := strings.NewReplacer("*", "%", "?", "_", "'", "''").Replace(strings.ToLower(pattern))
		show += " LIKE '" + like + "'"
	}
	return s.execute(ctx, show, nil)
}

func (s *shell) toggle(what string, value *bool, argument string) error {
	switch strings.ToLower(argument) {
	case "":
		*value = !*value
	case "on", "true", "1":
		*value = true
	case "off", "false", "0":
		*value = false
	default:
		s.complain("%q is neither on nor off", argument)
		return fmt.Errorf("bad argument")
	}
	state := "off"
	if *value {
		state = "on"
	}
	if s.Interactive {
		fmt.Fprintf(s.Out, "%s is %s.\n", what, state)
	}
	return nil
}

func (s *shell) setFormat(_ context.Context, argument string) error {
	if argument == "" {
		fmt.Fprintf(s.Out, "The format is %s.\n", s.format)
		return nil
	}
	if !knownFormat(argument) {
		s.complain("unknown format %q: there are %s", argument, strings.Join(Formats, ", "))
		return fmt.Errorf("bad format")
	}
	s.format = argument
	return nil
}

func (s *shell) setOutput(_ context.Context, argument string) error {
	s.closeOutput()
	if argument == "" {
		return nil
	}
	file, err := os.Create(expandHome(argument))
	if err != nil {
		s.complain("%s", err)
		return err
	}
	s.output = file
	return nil
}

func expandHome(path string) string {
	if rest, found := strings.CutPrefix(path, "~/"); found {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}

// mostIncludes bounds scripts that include each other.
const mostIncludes = 32

func (s *shell) include(ctx context.Context, argument string) error {
	if s.depth >= mostIncludes {
		s.complain(`scripts include each other more than %d deep`, mostIncludes)
		return fmt.Errorf("too deep")
	}
	s.depth++
	defer func() { s.depth-- }()
	return s.runFile(ctx, expandHome(argument))
}

func (s *shell) connectAgain(ctx context.Context, _ string) error {
	old := s.conn
	if err := s.connect(ctx); err != nil {
		s.showError("", err)
		return err
	}
	_ = old.Close(ctx)
	return s.showConnection(ctx, "")
}

func (s *shell) showConnection(context.Context, string) error {
	where := "this process"
	if address := s.conn.Conn().RemoteAddr(); address.Network() != "pipe" {
		where = address.String()
	}
	fmt.Fprintf(s.Out, "Connected to %s, server version %s.\n", where, s.conn.ParameterStatus("server_version"))
	return nil
}

func (s *shell) system(ctx context.Context, argument string) error {
	command := exec.CommandContext(ctx, "/bin/sh", "-c", argument)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, s.Out, s.Err
	if err := command.Run(); err != nil {
		s.complain("%s", err)
		return err
	}
	return nil
}

func (s *shell) help(context.Context, string) error {
	for _, c := range metaCommands() {
		fmt.Fprintf(s.Out, "  %-22s %s\n", strings.TrimSpace(`\`+c.name+" "+c.argument), c.doc)
	}
	fmt.Fprintln(s.Out, "\nStatements end with a semicolon. Ctrl-C cancels a statement, Ctrl-D leaves.")
	return nil
}

// page gives where a result goes: the pager at a prompt, if there is one.
func (s *shell) page() (io.Writer, func()) {
	if !s.Interactive || !s.pager || s.output != nil {
		return s.out(), func() {}
	}
	p := &pagedWriter{shell: s, rows: s.screenRows()}
	return p, p.close
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"

	"github.com/tarnlake/tarn/coordinator/pgwire"
)

type configCommand struct {
	configFlags
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints every key.
func (c *configCommand) Run() error {
	loaded, err := c.load(nil)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(loaded.Entries())
	}
	section := ""
	for _, e := range loaded.Entries() {
		if name, _, _ := strings.Cut(e.Key, "."); name != section {
			section = name
			fmt.Printf("\n[%s]\n", section)
		}
		value := e.Value
		if value == "" {
			value = `""`
		}
		fmt.Printf("%s = %s\n    %s", e.Key, value, e.Doc)
		if e.Origin != "default" {
			fmt.Printf("\n    from %s", e.Origin)
			if e.Default != e.Value {
				fmt.Printf("; default %q", e.Default)
			}
		}
		fmt.Println()
	}
	fmt.Printf("\nmemory.limit in effect: %s\n", loaded.Memory.MemoryLimit())
	return nil
}

type userCommand struct {
	Name string `arg:"" help:"The user's name."`
}

// Run reads a password and prints the user's line of tarn.toml.
func (c *userCommand) Run() error {
	password, err := askPassword("Password: ")
	if err != nil {
		return err
	}
	if isatty.IsTerminal(os.Stdin.Fd()) {
		again, err := askPassword("Again: ")
		if err != nil {
			return err
		}
		if again != password {
			return fmt.Errorf("the passwords differ")
		}
	}
	if password == "" {
		return fmt.Errorf("the password is empty")
	}
	verifier, err := pgwire.NewVerifier(password)
	if err != nil {
		return err
	}
	fmt.Printf("[auth.users]\n%q = %q\n", c.Name, verifier)
	return nil
}

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"One of ${enum}."`
}

// Run prints the completion script: commands first, then the flags of the command.
func (c *completionCommand) Run(parser *kong.Kong) error {
	var names []string
	flags := map[string][]string{}
	for _, node := range parser.Model.Children {
		names = append(names, node.Name)
		for _, flag := range node.Flags {
			flags[node.Name] = append(flags[node.Name], "--"+flag.Name)
		}
	}
	if c.Shell == "fish" {
		for _, node := range parser.Model.Children {
			fmt.Printf("complete -c tarn -n __fish_use_subcommand -f -a %s -d %q\n", node.Name, node.Help)
			for _, flag := range node.Flags {
				fmt.Printf("complete -c tarn -n '__fish_seen_subcommand_from %s' -l %s -d %q\n", node.Name, flag.Name, flag.Help)
			}
		}
		return nil
	}
	if c.Shell == "zsh" {
		fmt.Println("autoload -U +X bashcompinit && bashcompinit")
	}
	fmt.Println("_tarn() {\n  local word=${COMP_WORDS[COMP_CWORD]}\n  if [ $COMP_CWORD -eq 1 ]; then")
	fmt.Printf("    COMPREPLY=($(compgen -W %q -- \"$word\")); return\n  fi\n  case ${COMP_WORDS[1]} in\n", strings.Join(names, " "))
	for _, name := range names {
		fmt.Printf("    %s) COMPREPLY=($(compgen -W %q -- \"$word\") $(compgen -f -- \"$word\"));;\n", name, strings.Join(flags[name], " "))
	}
	fmt.Println("  esac\n}\ncomplete -F _tarn tarn")
	return nil
}

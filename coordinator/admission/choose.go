package admission

import (
	"slices"
	"strings"

	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// The kinds of statements that rules know.
const (
	Select = "select"
	Insert = "insert" // also CREATE TABLE AS and COPY
)

// Query is what a group is chosen by.
type Query struct {
	PID         int32
	Group       string // by SET resource_group; "" is none
	User        string
	Application string
	Statement   string // Select or Insert
}

// choose gives the group that the session has set; else the first by name that lists the user; else
// the application; else the kind of statement; else the default one.
func (c *Controller) choose(q Query) (string, error) {
	if q.Group != "" {
		if c.groups[q.Group] == nil {
			return "", sqlerr.New(sqlerr.UndefinedObject, "resource group \"%s\" does not exist", q.Group).
				WithHint("There are %s.", strings.Join(c.names, ", "))
		}
		return q.Group, nil
	}
	rules := []func(g *config.ResourceGroup) bool{
		func(g *config.ResourceGroup) bool { return slices.Contains(g.Users, q.User) },
		func(g *config.ResourceGroup) bool {
			return slices.ContainsFunc(g.Applications, func(pattern string) bool { return matches(pattern, q.Application) })
		},
		func(g *config.ResourceGroup) bool { return slices.Contains(g.Statements, q.Statement) },
	}
	for _, rule := range rules {
		for _, name := range c.names {
			if rule(&c.groups[name].limits) {
				return name, nil
			}
		}
	}
	return config.DefaultGroup, nil
}

func matches(pattern, name string) bool {
	if prefix, open := strings.CutSuffix(pattern, "*"); open {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}

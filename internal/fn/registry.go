package fn

import "sort"

// Registry holds every overload, immutable once built; safe for concurrent use.
type Registry struct {
	overloads []Overload
	byName    map[string][]*Overload
}

// NewRegistry numbers the overloads in the given order and indexes them by name.
func NewRegistry(overloads []Overload) *Registry {
	r := &Registry{overloads: overloads, byName: map[string][]*Overload{}}
	for i := range r.overloads {
		o := &r.overloads[i]
		o.ID = uint32(i)
		r.byName[o.Name] = append(r.byName[o.Name], o)
	}
	return r
}

// Overload gives the overload with a number, nil if there is none.
func (r *Registry) Overload(id uint32) *Overload {
	if int(id) >= len(r.overloads) {
		return nil
	}
	return &r.overloads[id]
}

// ByName gives the overloads of a lower-case name, in registry order.
func (r *Registry) ByName(name string) []*Overload { return r.byName[name] }

// Names gives all names, sorted.
func (r *Registry) Names() []string {
	names := make([]string, 0, len(r.byName))
	for n := range r.byName {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// All gives every overload in order; the slice must not be changed.
func (r *Registry) All() []Overload { return r.overloads }

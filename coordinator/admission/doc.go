// Package admission lets queries in by resource group: it chooses the group, holds the query back
// while the group runs as many as it may, and refuses it when too many wait already.
//
// What a group may use while its queries run is enforced elsewhere, by the names that are decided
// here: CPU by internal/slots, memory by the group's pool.
package admission

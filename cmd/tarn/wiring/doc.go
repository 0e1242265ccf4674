// Package wiring joins the concrete parts of a Tarn process: catalog, connectors, functions, engine
// and the runner of fragments. It is the only place that knows them all.
package wiring

// Package node runs the outside of a Tarn process: the listeners of the wire protocol and of HTTP,
// metrics, health, and an orderly end. What answers queries is handed to it.
package node

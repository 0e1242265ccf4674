// Package cluster runs a coordinator and workers in one process over loopback HTTP, for tests.
package cluster
